import CSystem
import ConfigParser
import System

/// One run of `seed`: folders, lines of dotenv files and removals. Files are written in SeedFiles.swift. (A class, as the other
/// workers here: a structure that holds open folders costs kilobytes of code where it is copied.)
final class SeedWork {
    /// Where something is: a folder that is held open, and the way from there.
    typealias Place = (base: OpenFolder, names: [Bytes])

    let volume: Volume
    let context: StageContext
    let isDryRun: Bool
    /// What a template holds that cannot be copied.
    var leftOut = FirstNames()
    private var hasFailed = false

    init(_ volume: Volume, _ context: StageContext) {
        self.volume = volume
        self.context = context
        isDryRun = context.isDryRun
    }

    func run(_ options: StageOptions) -> Int32 {
        if let parts = volume.rootParts {
            do throws(Errno) {
                volume.root = try folder((volume.top, parts), shown: volume.shown([Bytes]()))
            } catch {
                tell(error, volume.shown([Bytes]()), "make the folder")
                return hasFailed ? 1 : 0
            }
        }
        for path in options.strings("directories") {
            attempt(path, "make the folder") { place throws(Errno) in
                _ = try folder(place, shown: volume.shown(path))
            }
        }
        each(options.tables("file"), "write") { entry, place throws(Errno) in try file(entry, place) }
        each(options.tables("line"), "write") { entry, place throws(Errno) in try line(entry, place) }
        each(options.tables("remove"), "remove") { entry, place throws(Errno) in
            try remove(place, entry.string("if-content"), path: [])
        }
        return hasFailed ? 1 : 0
    }

    // MARK: Words

    func tell(_ error: Errno, _ path: String, _ what: String) {
        if !isRefusal(error) { hasFailed = true }
        context.report.say(complaint(path, error, doing: what))
    }

    private func each(
        _ tables: [StageOptions], _ what: String, _ body: (StageOptions, Place) throws(Errno) -> Void
    ) {
        for entry in tables {
            attempt(entry.string("path") ?? [], what) { place throws(Errno) in try body(entry, place) }
        }
    }

    /// Does one thing with a path, and tells where it failed. The others are done all the same.
    @inline(never)
    private func attempt(_ path: Bytes, _ what: String, _ body: (Place) throws(Errno) -> Void) {
        do throws(Errno) {
            // In a dry run the root may be missing: all that lies in it is, then.
            if isDryRun && volume.root == nil && path.first != 0x2F && volume.rootParts != nil {
                return context.changed("", what, volume.shown(path))
            }
            try body(try volume.locate(path))
        } catch {
            tell(error, volume.shown(path), what)
        }
    }

    // MARK: Folders

    /// A folder with all that lead to it. Nil for a missing one in a dry run.
    private func folder(_ place: Place, shown: String) throws(Errno) -> OpenFolder? {
        var isMissing = false
        var folder: OpenFolder?
        if isDryRun {
            do throws(Errno) {
                folder = try place.base.folder(place.names)
            } catch {
                if error != .noEntry { throw error }
                isMissing = true
            }
        } else {
            folder = try place.base.makeFolder(place.names, mode: 0o777) { _ in isMissing = true }
        }
        if isMissing { context.changed("made", "make", say("the folder %", shown)) }
        return folder
    }

    /// What lies at a path itself; nil where there is nothing. A symbolic link throws ELOOP.
    @inline(never)
    func present(_ place: Place) throws(Errno) -> hi_status? {
        do throws(Errno) {
            let status = try place.base.open(place.names, HI_O_PATH).status()
            if status.isLink { throw Errno(ELOOP) }
            return status
        } catch {
            if error == .noEntry { return nil }
            throw error
        }
    }

    /// Opens a regular file to read it. Throws EISDIR for a folder, ENOTSUP for anything else.
    @inline(never)
    func openFile(_ place: Place) throws(Errno) -> (file: FileDescriptor, status: hi_status) {
        let file = try place.base.open(place.names, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let status = try file.status()
        if !status.isFile { throw Errno(status.isFolder ? EISDIR : ENOTSUP) }
        return (file, status)
    }

    // MARK: Lines

    private func line(_ entry: StageOptions, _ place: Place) throws(Errno) {
        let key = entry.string("key") ?? []
        var old = try present(place)
        var text = Bytes()
        if old != nil {
            // The mode and the owner of the very file whose text goes on into the new one keep that text from others.
            let opened = try openFile(place)
            old = opened.status
            text = try readToEnd(opened.file, limit: Seed.largestText)
        }
        if let present = SeedLine.value(of: key, in: text), !present.isEmpty { return }
        let value = try content(entry, "value")
        guard !value.isEmpty, let changed = SeedLine.setting(key, to: value, in: text) else { return }
        let isWritten = try write(
            try memory(changed), to: place, mode: old?.permissions ?? 0o600, like: old, isNew: old == nil)
        // Not the value: it is often a secret.
        if isWritten {
            context.changed("set", "set", say("% in %", key.shown, volume.shown(entry.string("path") ?? [])))
        }
    }

    // MARK: Removal

    /// Removes a file; `*` as a part of its path means each folder there that is not hidden.
    private func remove(_ place: Place, _ content: Bytes?, path: [Bytes]) throws(Errno) {
        guard let star = place.names.firstIndex(of: [0x2A]) else { return try removeFile(place, content, path) }
        let before = path + place.names[..<star]
        let after = Array(place.names[(star &+ 1)...])
        var found = [Bytes]()
        do throws(Errno) {
            let folder = OpenFolder(try place.base.open(place.names[..<star], O_RDONLY | O_DIRECTORY))
            try folder.names { if $0.first != 0x2E { found.append($0) } }
            for number in order(found) {
                let here = before + [found[number]]
                do throws(Errno) {
                    try remove((try folder.folder([found[number]]), after), content, path: here)
                } catch {
                    // What is no folder, or is gone, is not meant.
                    if error.code == ENOTDIR || error == .noEntry { continue }
                    tell(error, volume.shown(here + after), "remove")
                }
            }
        } catch {
            if error != .noEntry { throw error }
        }
    }

    private func removeFile(_ place: Place, _ content: Bytes?, _ path: [Bytes]) throws(Errno) {
        guard let name = place.names.last, let status = try present(place) else { return }
        if status.isFolder { throw .isFolder }
        if let content {
            guard status.isFile, status.size <= Seed.largestText else { return }
            let text = try readToEnd(try openFile(place).file, limit: Seed.largestText)
            if !SeedLine.contains(text, content) { return }
        }
        if !isDryRun { try place.base.folder(place.names.dropLast()).remove(name) }
        context.changed("removed", "remove", volume.shown(path + place.names))
    }
}
