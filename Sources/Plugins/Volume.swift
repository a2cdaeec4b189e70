import CSystem
import ConfigParser
import System

/// The folder that a stage works in (its option `root`), and how it reaches what lies there: from an open folder, never
/// through a symbolic link, and each path once. A path that begins with a slash is taken from the root of the file system, with
/// the same care.
final class Volume {
    /// `/`.
    let top: OpenFolder
    /// The parts of the root; nil where the stage has none.
    let rootParts: [Bytes]?
    /// The root, once it is open.
    var root: OpenFolder?
    /// What stands before a relative path when it is shown.
    let prefix: Bytes

    /// Throws where the root cannot be a root.
    init(root path: Bytes?) throws(Errno) {
        top = try OpenFolder.top()
        guard let path else {
            rootParts = nil
            prefix = []
            return
        }
        let parts = try PathParts(path)
        if !parts.isAbsolute { throw Errno(EINVAL) }
        rootParts = parts.names
        var prefix = Bytes()
        for name in parts.names {
            prefix.append(0x2F)
            prefix += name
        }
        self.prefix = prefix
    }

    /// The whole path, for people.
    func shown(_ path: Bytes) -> String {
        if path.first == 0x2F || prefix.isEmpty && rootParts == nil { return path.shown }
        guard let parts = try? PathParts(path) else { return (prefix + [0x2F] + path).shown }
        return shown(parts.names)
    }

    /// The same for a relative path by its parts.
    func shown(_ names: [Bytes]) -> String {
        var whole = prefix
        for name in names {
            whole.append(0x2F)
            whole += name
        }
        return whole.isEmpty ? "/" : whole.shown
    }

    /// From which folder a path is walked, and by which parts. Throws EINVAL for a relative path where there is no root,
    /// ENOENT where the root is not there.
    func locate(_ path: Bytes) throws(Errno) -> (base: OpenFolder, names: [Bytes]) {
        let parts = try PathParts(path)
        if parts.isAbsolute { return (top, parts.names) }
        if rootParts == nil { throw Errno(EINVAL) }
        guard let root else { throw .noEntry }
        return (root, parts.names)
    }
}

/// Whether a path was refused for what it leads through.
func isRefusal(_ error: Errno) -> Bool { error.code == ELOOP || error.code == EXDEV }

/// Why a path was not used. Holds the word `refusing` where it leads where it must not.
func complaint(_ path: String, _ error: Errno, doing what: String) -> String {
    switch error.code {
    case ELOOP: return say("refusing %: it is, or leads through, a symbolic link", path)
    case EXDEV: return say("refusing %: it must not hold ..", path)
    case EINVAL: return say("cannot % %: write it as an absolute path, or set `root`", what, path)
    case EROFS: return say("cannot % %: the file system is read-only", what, path)
    case ENOSPC: return say("cannot % %: no space is left on its file system", what, path)
    case EDQUOT: return say("cannot % %: the disk quota of its owner is used up", what, path)
    default: return say("cannot % %: %", what, path, error.text)
    }
}

/// A few names and how many more: what a line about many has room for.
struct FirstNames {
    private(set) var count = 0
    private var names = ""

    /// Whether another one is only counted, so that its name need not be made.
    var isFull: Bool { count >= 3 }

    mutating func add(_ name: String) {
        if !isFull { names += (count > 0 ? ", " : "") + name }
        count &+= 1
    }

    /// "a, b, c and 9 more".
    var text: String { count > 3 ? say("% and % more", names, String(count &- 3)) : names }
}

/// "1 entry", "5 entries".
func entries(_ count: Int) -> String { count == 1 ? "1 entry" : say("% entries", String(count)) }
