import CSystem
import ConfigParser
import System

/// The walk of `chown` through a tree. It reads folders in pieces, looks at each entry once, and opens only folders and what
/// must be changed, so that a tree in which nothing is wrong costs one stat an entry. Its memory is that of the
/// folders above the one that it reads (the names of the folders in the piece that was read of each), whatever the
/// number of entries. It stays in the mount in which it began.
///
/// A folder is given away after all that lies in it: a walk that was cut off is made again from the top, since the folders
/// above still show that it was not finished.
final class ChownWalk {
    /// A folder that is being read.
    private final class Level {
        let folder: FileDescriptor
        let status: hi_status
        let name: Bytes
        /// Folders of the piece that was read last.
        var waiting: [Bytes] = []

        init(_ folder: FileDescriptor, _ status: hi_status, _ name: Bytes) {
            self.folder = folder
            self.status = status
            self.name = name
        }
    }

    /// Every level is an open file; no tree of programs or data is so deep.
    static let deepest = 512

    private var levels: [Level] = []
    private let handover: Handover
    private let root: hi_status
    private let path: (Bytes) -> String
    private let report: StageReport
    private let interval: Int64
    private var nextWord: Int64
    private(set) var seen = 0
    private(set) var given = FirstNames()
    private(set) var tooDeep = FirstNames()

    /// - Parameters:
    ///   - folder: the top of the tree, open for reading.
    ///   - interval: nanoseconds between two lines on the progress.
    ///   - path: the path of an entry for people, from its path below the top.
    init(
        _ folder: FileDescriptor, _ status: hi_status, _ handover: Handover, report: StageReport, interval: Int64,
        path: @escaping (Bytes) -> String
    ) {
        self.handover = handover
        root = status
        self.path = path
        self.report = report
        self.interval = interval
        nextWord = hi_monotonic_nanoseconds() &+ interval
        levels.append(Level(folder, status, []))
    }

    /// Walks the whole tree.
    func run() {
        var entries = FolderEntries()
        while let level = levels.popLast() {
            if let name = level.waiting.popLast() {
                levels.append(level)
                descend(name)
                continue
            }
            do throws(Errno) {
                if try entries.read(level.folder) {
                    scan(&entries, level)
                    levels.append(level)
                    continue
                }
            } catch {
                handover.fail(error, path(below(level.name)))
            }
            finish(level)
            if handover.failure?.code == EROFS { return }
        }
    }

    /// Looks at the entries of one piece.
    private func scan(_ entries: inout FolderEntries, _ level: Level) {
        let owner = handover.owner
        let folder = level.folder.number
        var status = hi_status()
        while let entry = entries.next() {
            seen &+= 1
            if entry.kind == HI_ENTRY_FOLDER {
                level.waiting.append(Bytes(cString: entry.name))
                continue
            }
            if hi_read_status(folder, entry.name, &status) < 0 {
                let error = Errno.current
                handover.fail(error, path(below(level.name, Bytes(cString: entry.name))))
                continue
            }
            if status.isFolder {
                level.waiting.append(Bytes(cString: entry.name))
            } else if owner.differs(from: status) && status.isSameMount(as: root) {
                mend(entry.name, level)
            }
        }
        tellProgress(level)
    }

    /// Gives away what has a name in the folder, if it is no folder.
    private func mend(_ name: UnsafePointer<CChar>, _ level: Level) {
        let owner = handover.owner
        let top = root
        do throws(Errno) {
            let held = try handover.hold(
                level.folder, name, former: root.uid,
                differs: { owner.differs(from: $0) && $0.isSameMount(as: top) },
                path: path(below(level.name, Bytes(cString: name))))
            // A folder that has taken the place of a file since is left to the next boot.
            guard let held, !held.status.isFolder else { return }
            if handover.give(held.file, path: path(below(level.name, Bytes(cString: name)))) {
                given.add(given.isFull ? "" : below(level.name, Bytes(cString: name)).shown)
            }
        } catch {
            handover.fail(error, path(below(level.name, Bytes(cString: name))))
        }
    }

    /// Begins with a folder of the last level.
    private func descend(_ name: Bytes) {
        guard let parent = levels.last else { return }
        if levels.count >= ChownWalk.deepest {
            tooDeep.add(path(below([], name)))
            return
        }
        let number = name.withCString {
            hi_open_beneath(parent.folder.number, $0, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0)
        }
        guard number >= 0 else {
            let error = Errno.current
            // Something else has taken its place since: no tree, and not ours to wonder about.
            if error.code == ELOOP || error.code == ENOTDIR { return }
            handover.fail(error, path(below([], name)))
            return
        }
        let folder = FileDescriptor(owning: number)
        do throws(Errno) {
            let status = try folder.status()
            if status.isSameMount(as: root) { levels.append(Level(folder, status, name)) }
        } catch {
            handover.fail(error, path(below([], name)))
        }
    }

    /// A folder whose content is done.
    private func finish(_ level: Level) {
        guard handover.owner.differs(from: level.status) else { return }
        let below = below(level.name)
        if handover.give(level.folder, path: path(below)) { given.add(below.isEmpty ? "." : below.shown) }
    }

    /// The path below the top of an entry of a folder that is not in the list (any more), or of the folder itself.
    private func below(_ folder: Bytes, _ name: Bytes = []) -> Bytes {
        var whole = Bytes()
        for level in levels where !level.name.isEmpty {
            whole += level.name
            whole.append(0x2F)
        }
        whole += folder
        if !folder.isEmpty && !name.isEmpty { whole.append(0x2F) }
        return whole + name
    }

    private func tellProgress(_ level: Level) {
        let now = hi_monotonic_nanoseconds()
        if now < nextWord { return }
        nextWord = now &+ interval
        report.say(
            "looked at % in % so far, now in %; % changed", Plugins.entries(seen), path([]),
            path(below(level.name)), String(given.count))
    }

}
