import CSystem
import ConfigParser
import System

/// `chown`: gives a folder and what lies in it to the user that works there. Only what belongs to somebody else is touched, so a
/// folder that is right is read and not written; nothing is done through a symbolic link or in another mount, and nothing
/// outside of what was named is changed, whatever the owner of the folder does meanwhile (Handover.swift). What cannot be
/// changed is one warning, and no failure: a container without the right to change owners mostly works all the same.
enum Chown {
    static let plugin = Plugin(
        name: "chown",
        summary: "Gives a folder and what lies in it to a user",
        keys: [
            Key(
                "owner", .template, required: true,
                "The new owner: user, user:group, user: (with the user's own group) or :group, by name or number"),
            Key("keep-group", .boolean, default: "false", "What belongs to the user already keeps its group"),
            Key("root", .template, "The folder that the other paths start from; without it they are absolute"),
            Key("create", .boolean, default: "false", "Make the root, and what leads to it, where it is missing"),
            Key(
                "trees", .pathOrPaths, default: "[]",
                "Folders that are given away with all that lies in them, in one file system"),
            Key("paths", .pathOrPaths, default: "[]", "Files and folders that are given away alone; . is the root"),
            Key("modes", .modes, "Files and folders and the modes that they get"),
        ],
        run: { run($0, $1) })

    /// Does the work. Fails only where the options make no sense on this machine.
    static func run(_ options: StageOptions, _ context: StageContext) -> Int32 {
        run(options, context, interval: 10_000_000_000)
    }

    /// - Parameter interval: nanoseconds between two lines on the progress of a long walk.
    static func run(_ options: StageOptions, _ context: StageContext, interval: Int64) -> Int32 {
        let report = context.report
        let text = options.string("owner") ?? []
        let accounts: Accounts
        do throws(Errno) {
            if let known = context.accounts { accounts = known } else { accounts = try Accounts.read() }
        } catch {
            report.say(complaint("/etc/passwd", error, doing: "read"))
            return 1
        }
        let parsed = Owner.parse(text, accounts)
        guard var owner = parsed.owner else {
            report.say("cannot use the owner \"%\": %", text.shown, parsed.mistake)
            return 1
        }
        owner.keepsGroup = options.boolean("keep-group")
        let volume: Volume
        do throws(Errno) {
            volume = try Volume(root: options.string("root"))
        } catch {
            report.say(complaint((options.string("root") ?? []).shown, error, doing: "use the root"))
            return isRefusal(error) ? 0 : 1
        }
        let work = ChownWork(volume, owner, context, interval: interval)
        return work.run(options)
    }
}

/// One run.
private final class ChownWork {
    private let volume: Volume
    private let handover: Handover
    private let context: StageContext
    private let interval: Int64
    /// Whom the root belonged to.
    private var former: UInt32 = 0
    private var hasFailed = false

    init(_ volume: Volume, _ owner: Owner, _ context: StageContext, interval: Int64) {
        self.volume = volume
        self.context = context
        self.interval = interval
        handover = Handover(owner: owner, isDryRun: context.isDryRun)
    }

    private var report: StageReport { context.report }

    private func tellGiven(_ what: String) {
        context.changed("gave", "give", say("% to %", what, handover.owner.shown))
    }

    func run(_ options: StageOptions) -> Int32 {
        var isMade = false
        if let parts = volume.rootParts {
            do throws(Errno) {
                isMade = try openRoot(parts, create: options.boolean("create"))
            } catch {
                let path = volume.shown([Bytes]())
                if error != .noEntry {
                    report.say(complaint(path, error, doing: "open"))
                } else if !context.isDryRun || !options.boolean("create") {
                    report.say("there is no folder %; nothing to do below it", path)
                }
                // Where the volume cannot be had, the programs that need it say so better.
                return 0
            }
        }
        for path in options.strings("trees") { tree(path) }
        var given = FirstNames()
        var isRootNamed = isMade
        for path in options.strings("paths") {
            if path.first != 0x2F, let parts = try? PathParts(path), parts.names.isEmpty {
                isRootNamed = true
            } else {
                single(path, &given)
            }
        }
        // The root comes last: as long as it is not given away, the next run knows whom it belonged to.
        if isRootNamed { single([], &given) }
        if given.count > 0 { tellGiven(given.text) }
        for entry in options.modes("modes") { change(entry.path, to: entry.mode) }
        handover.tell(report)
        return hasFailed ? 1 : 0
    }

    /// Opens the root, made where it is missing; gives whether it was made.
    private func openRoot(_ parts: [Bytes], create: Bool) throws(Errno) -> Bool {
        var made = 0
        if create && !context.isDryRun {
            volume.root = try volume.top.makeFolder(parts, mode: 0o755) { made = $0 }
        } else {
            do throws(Errno) {
                volume.root = try volume.top.folder(parts)
            } catch {
                if create && error == .noEntry {
                    context.changed("made", "make", say("the folder %", volume.shown([Bytes]())))
                }
                throw error
            }
        }
        if let root = volume.root { former = try root.status().uid }
        if made > 0 { context.changed("made", "make", say("the folder %", volume.shown([Bytes]()))) }
        return made > 0
    }

    /// A tree with all that lies in it.
    private func tree(_ path: Bytes) {
        let shown = volume.shown(path)
        do throws(Errno) {
            let place = try volume.locate(path)
            let folder = try place.base.open(place.names, O_RDONLY | O_DIRECTORY | O_NONBLOCK)
            let prefix = path.last == 0x2F ? Bytes(path.dropLast()) : path
            let volume = volume
            let walk = ChownWalk(folder, try folder.status(), handover, report: report, interval: interval) {
                volume.shown($0.isEmpty ? path : prefix + [0x2F] + $0)
            }
            walk.run()
            if walk.given.count > 0 {
                let count = entries(walk.given.count)
                context.changed(
                    "gave", "give", say("% in % to %: %", count, shown, handover.owner.shown, walk.given.text))
            }
            if walk.tooDeep.count > 0 {
                report.say(
                    "cannot look below %: deeper than % folders", walk.tooDeep.text, String(ChownWalk.deepest))
            }
        } catch {
            if error.code == ENOTDIR {
                var given = FirstNames()
                single(path, &given)
                if given.count > 0 { tellGiven(given.text) }
            } else {
                tell(error, path)
            }
        }
    }

    /// A path itself, and not what lies in it.
    private func single(_ path: Bytes, _ given: inout FirstNames) {
        let owner = handover.owner
        let shown = volume.shown(path)
        do throws(Errno) {
            guard let held = try hold(path, differs: { owner.differs(from: $0) }) else { return }
            if handover.give(held.file, path: shown) { given.add(shown) }
        } catch {
            tell(error, path)
        }
    }

    /// Sets the mode of what has a path.
    private func change(_ path: Bytes, to mode: UInt32) {
        do throws(Errno) {
            let place = try volume.locate(path)
            guard let held = try hold(path, differs: { $0.permissions != mode }) else { return }
            if !context.isDryRun {
                let name = place.names.last ?? [0x2E]
                let result = name.withCString {
                    hi_change_mode(held.folder.number, $0, held.file.number, mode)
                }
                if result < 0 { throw Errno.current }
            }
            context.changed(
                "set", "set",
                say(
                    "the mode of % to 0% (it was 0%)", volume.shown(path), octal(mode), octal(held.status.permissions)))
        } catch {
            // Where nothing can be changed at all, one warning is enough.
            if !handover.warns(of: error) { tell(error, path) }
        }
    }

    /// Opens a path to change it, if it may be; a symbolic link throws ELOOP.
    private func hold(_ path: Bytes, differs: (hi_status) -> Bool) throws(Errno) -> Handover.Held? {
        let place = try volume.locate(path)
        let shown = volume.shown(path)
        let parent = try place.base.folder(place.names.dropLast())
        var isLink = false
        let former = former
        let name = place.names.last ?? [0x2E]
        var held: Handover.Held?
        var failure: Errno?
        name.withCString { name in
            do throws(Errno) {
                held = try handover.hold(
                    parent.descriptor, name, former: former,
                    differs: {
                        if $0.isLink { isLink = true }
                        return !$0.isLink && differs($0)
                    }, path: shown)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        if isLink { throw Errno(ELOOP) }
        return held
    }

    /// What is wrong with a path that was named. One that is not there is not to be changed.
    private func tell(_ error: Errno, _ path: Bytes) {
        if error == .noEntry { return }
        if error.code == EINVAL && volume.rootParts == nil && path.first != 0x2F { hasFailed = true }
        report.say(complaint(volume.shown(path), error, doing: "change"))
    }
}

/// A mode as people write it, without the 0 in front.
private func octal(_ mode: UInt32) -> String {
    var digits = Bytes()
    var rest = mode
    repeat {
        digits.insert(0x30 &+ UInt8(rest & 7), at: 0)
        rest >>= 3
    } while rest > 0
    return String(decoding: digits, as: UTF8.self)
}
