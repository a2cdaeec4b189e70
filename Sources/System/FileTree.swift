import CSystem

/// A file system as a container would see it: the machine's own, or an image that lies unpacked in a folder. Of the latter
/// every path is looked up inside that folder, links too: an absolute link begins at the folder, and `..` does not lead out of
/// it. Nothing is entered (chroot(2) would take privilege) and nothing is changed.
///
/// The lookup is done here, link by link, and not by openat2(2) with RESOLVE_IN_ROOT, which older kernels and many sandboxes
/// do not have. It is bounded: forty links, as the kernel has it, and a few thousand steps.

/// A tree of files under a root.
public struct FileTree {
    /// The folder that stands for `/`, without a `/` at its end; empty for the machine's own.
    public let root: Bytes
    private let isOwn: Bool
    private let walked = Walked()

    /// The most links that one lookup follows (ELOOP beyond, path_resolution(7)), and the most names that it walks.
    private static let mostLinks = 40
    private static let mostSteps = 4096

    /// - Parameter root: the folder; nil for the machine's own files.
    public init(root: Bytes? = nil) {
        var root = root ?? []
        isOwn = root.isEmpty
        while root.last == slash { root.removeLast() }
        self.root = root
    }

    /// How a path of the tree is shown: where it lies on this machine.
    public func shown(_ path: Bytes) -> Bytes {
        isOwn ? path : root + (path.first == slash ? path : [slash] + path)
    }

    /// Where a path of the tree really lies, every link followed. A relative path counts from the root of the tree (in the
    /// machine's own: from the working directory). Throws as open(2) would.
    public func place(of path: Bytes) throws(Errno) -> Bytes {
        if isOwn { return path }
        // Most lookups are in one of a few folders, such as those of PATH.
        let end = path.lastIndex(of: slash) ?? 0
        let folder = Bytes(path[..<end])
        let start: Bytes
        if let known = walked.place(of: folder) {
            start = known
        } else {
            start = try walk(folder, from: root)
            walked.add(folder, at: start)
        }
        let place = try walk(Bytes(path[end...]), from: start)
        return place.isEmpty ? [slash] : place
    }

    /// Walks from a place in which there is no link; so the way back from there is to leave out its last name.
    private func walk(_ path: Bytes, from start: Bytes) throws(Errno) -> Bytes {
        // What is still to be walked, the next name last.
        var waiting = Bytes.names(path)
        var place = start
        var links = 0
        var steps = 0
        while let name = waiting.popLast() {
            steps &+= 1
            if steps > FileTree.mostSteps || name.count > 255 { throw Errno(ENAMETOOLONG) }
            if name == [0x2E] { continue }
            if name == [0x2E, 0x2E] {
                while place.count > root.count, place.removeLast() != slash {}
                continue
            }
            let next = place + [slash] + name
            guard let target = try walked.link(next) else {
                place = next
                continue
            }
            links &+= 1
            if links > FileTree.mostLinks { throw Errno(ELOOP) }
            if target.first == slash { place = root }
            // An unpacked image has no devices, but what a link to this one means is known.
            if target == Bytes(nullDevice.utf8) && waiting.isEmpty { return root + target }
            waiting += Bytes.names(target)
        }
        return place
    }

    /// What lies at a path, links followed.
    public func kind(_ path: Bytes) throws(Errno) -> FileKind {
        let place = try place(of: path)
        if !isOwn && place == root + Bytes(nullDevice.utf8) { return .nullDevice }
        return try statusOf(place).kind
    }

    /// Whether what has that name is a symbolic link, wherever it leads.
    public func isLink(_ path: Bytes) -> Bool {
        let end = path.lastIndex(of: slash) ?? 0
        do throws(Errno) {
            var place = path
            if !isOwn { place = try self.place(of: Bytes(path[..<end])) + path[end...] }
            return try walked.link(place) != nil
        } catch {
            return false
        }
    }

    /// Whether a path is a regular file with a permission to execute it, for anybody. Who runs it is not asked.
    public func isProgram(_ path: Bytes) throws(Errno) -> Bool {
        let status = try statusOf(place(of: path))
        return status.kind == .regular && status.mode & 0o111 != 0
    }
}

/// What lookups leave behind for the next ones.
private final class Walked {
    /// Folders by their paths, so that a thousand files in one folder cost one walk. Only as many as a search of PATH needs;
    /// then the oldest makes room.
    private var known: [(path: Bytes, place: Bytes)] = []
    private var oldest = 0
    /// For the target of a link: PATH_MAX, so that none is cut off.
    private var buffer = Bytes(repeating: 0, count: 4096)

    func place(of path: Bytes) -> Bytes? {
        for folder in known where folder.path == path { return folder.place }
        return nil
    }

    func add(_ path: Bytes, at place: Bytes) {
        if known.count < 32 {
            known.append((path, place))
        } else {
            known[oldest] = (path, place)
            oldest = (oldest &+ 1) & 31
        }
    }

    /// The target of a link; nil where there is something else. readlink(2).
    func link(_ path: Bytes) throws(Errno) -> Bytes? {
        let count = buffer.withUnsafeMutableBytes { buffer in
            path.withCString { hi_readlink($0, buffer.baseAddress, buffer.count) }
        }
        if count >= 0 { return Bytes(buffer.prefix(count)) }
        let error = Errno.current
        if error.code == EINVAL { return nil }
        throw error
    }
}

private let slash: UInt8 = 0x2F
private let nullDevice = "/dev/null"

extension Array where Element == UInt8 {
    /// The names of a path, the first one last.
    fileprivate static func names(_ path: [UInt8]) -> [[UInt8]] {
        var names = [[UInt8]]()
        var end = path.count
        while end > 0 {
            var start = end
            while start > 0 && path[start &- 1] != slash { start &-= 1 }
            if start < end { names.append([UInt8](path[start..<end])) }
            end = start &- 1
        }
        return names
    }
}
