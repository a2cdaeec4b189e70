import CSystem

/// An open file that closes itself when the last reference to it goes.
public final class FileDescriptor {
    /// The number that the kernel knows it by.
    public let number: Int32

    /// Takes over an open descriptor.
    public init(owning number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// open(2), close-on-exec.
    public static func open(_ path: Bytes, flags: Int32) throws(Errno) -> FileDescriptor {
        let number = path.withCString { hi_open($0, flags) }
        if number < 0 { throw Errno.current }
        return FileDescriptor(owning: number)
    }

    /// A pipe, both ends close-on-exec, the read end non-blocking (pipe2(2)).
    public static func pipe() throws(Errno) -> (read: FileDescriptor, write: FileDescriptor) {
        var readEnd: Int32 = -1
        var writeEnd: Int32 = -1
        if hi_pipe(&readEnd, &writeEnd) < 0 { throw Errno.current }
        return (FileDescriptor(owning: readEnd), FileDescriptor(owning: writeEnd))
    }

    /// A pipe of which neither end ever waits: what does not fit is refused (pipe2(2) with O_NONBLOCK).
    public static func boundedPipe() throws(Errno) -> (read: FileDescriptor, write: FileDescriptor) {
        var readEnd: Int32 = -1
        var writeEnd: Int32 = -1
        if hi_bounded_pipe(&readEnd, &writeEnd) < 0 { throw Errno.current }
        return (FileDescriptor(owning: readEnd), FileDescriptor(owning: writeEnd))
    }

    /// One read(2) of up to `buffer.count` bytes; 0 at the end. Throws `again` where nothing is there yet.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        while true {
            let count = CSystem.read(number, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            let error = Errno.current
            if error.code == EINTR { continue }
            if error != .again { hi_stumble() }
            throw error
        }
    }
}

/// The whole of a regular file, at most `limit` bytes. A folder, a fifo or a device is refused: reading one could wait for
/// ever. Throws `tooLarge` above the limit, `isFolder` for a folder.
public func readFile(_ path: Bytes, limit: Int) throws(Errno) -> Bytes {
    // O_NONBLOCK: opening a fifo would otherwise wait for its writer.
    let file = try FileDescriptor.open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
    var status = hi_file()
    if hi_fstat(file.number, &status) < 0 { throw Errno.current }
    if hi_is_directory(status.mode) { throw .isFolder }
    if !hi_is_regular(status.mode) { throw Errno(ENOTSUP) }
    if status.size > limit { throw .tooLarge }
    // One read where the size is right, which saves a second one to find the end. Files of /proc and /sys say that they are
    // empty, and a file can grow.
    let bytes = try readBeginning(file, count: Int(status.size))
    if bytes.count == status.size && !bytes.isEmpty { return bytes }
    return try readToEnd(file, limit: limit, chunk: max(4096, min(limit, Int(status.size)) &+ 1), after: bytes)
}

/// Everything up to the end of a file, pipe or terminal, at most `limit` bytes; waits for its writer. Throws `tooLarge`
/// above the limit.
/// - Parameters:
///   - size: how many bytes to ask for at once.
///   - beginning: what was read of it already.
public func readToEnd(
    _ file: FileDescriptor, limit: Int, chunk size: Int = 1 << 16, after beginning: Bytes = []
) throws(Errno) -> Bytes {
    var bytes = beginning
    var chunk = Bytes(repeating: 0, count: size)
    while true {
        let count = try readChunk(file, &chunk)
        if count == 0 { return bytes }
        bytes += chunk.prefix(count)
        if bytes.count > limit { throw .tooLarge }
    }
}

/// One read(2) of at most that many bytes, into memory that is not zeroed before.
private func readBeginning(_ file: FileDescriptor, count: Int) throws(Errno) -> Bytes {
    if count <= 0 { return [] }
    var failure: Errno?
    let bytes = Bytes(unsafeUninitializedCapacity: count) { buffer, length in
        do throws(Errno) {
            length = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return bytes
}

private func readChunk(_ file: FileDescriptor, _ chunk: inout Bytes) throws(Errno) -> Int {
    var failure: Errno?
    let count = chunk.withUnsafeMutableBytes { buffer -> Int in
        do throws(Errno) {
            return try file.read(into: buffer)
        } catch {
            failure = error
            return 0
        }
    }
    if let failure { throw failure }
    return count
}

/// The names in a folder but `.` and `..`, in no order (readdir(3)).
public func listFolder(_ path: Bytes) throws(Errno) -> [Bytes] {
    guard let stream = path.withCString({ hi_opendir($0) }) else { throw Errno.current }
    defer { closedir(stream) }
    var names = [Bytes]()
    while true {
        var error: Int32 = 0
        guard let entry = hi_readdir(stream, &error) else {
            // Half of the names is worse than none: services would be missing without a word.
            if error != 0 { throw Errno(error) }
            return names
        }
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            Bytes(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
        }
        if name != [0x2E] && name != [0x2E, 0x2E] { names.append(name) }
    }
}

/// What lies at a path, links followed.
public enum FileKind: Sendable { case missing, regular, folder, nullDevice, other }

/// The kind of file at a path (stat(2)); `missing` also where it cannot be looked at.
public func fileKind(_ path: Bytes) -> FileKind {
    do throws(Errno) {
        return try statusOf(path).kind
    } catch {
        return .missing
    }
}

/// The kind and the mode of what lies at a path, links followed (stat(2)).
func statusOf(_ path: Bytes) throws(Errno) -> (kind: FileKind, mode: UInt32) {
    var status = hi_file()
    if path.withCString({ hi_stat($0, &status) }) < 0 { throw Errno.current }
    var kind = FileKind.other
    if hi_is_regular(status.mode) { kind = .regular }
    if hi_is_directory(status.mode) { kind = .folder }
    // /dev/null is character device 1:3 everywhere on Linux; the numbers are packed as 0x103.
    if hi_is_character_device(status.mode) && status.special == 0x103 { kind = .nullDevice }
    return (kind, status.mode)
}

/// The first bytes of a regular file, at most `count` of them; fewer where it is shorter.
public func readBeginning(_ path: Bytes, count: Int) throws(Errno) -> Bytes {
    let file = try FileDescriptor.open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
    var bytes = Bytes(repeating: 0, count: count)
    let length = try readChunk(file, &bytes)
    return Bytes(bytes.prefix(length))
}

/// All that a descriptor gives until its end, but no more than a little over `limit` bytes.
public func readAll(_ descriptor: Int32, limit: Int) throws(Errno) -> Bytes {
    let copy = dup(descriptor)
    if copy < 0 { throw Errno.current }
    let file = FileDescriptor(owning: copy)
    var bytes = Bytes()
    var chunk = Bytes(repeating: 0, count: 65536)
    while bytes.count <= limit {
        let count = try readChunk(file, &chunk)
        if count == 0 { break }
        bytes += chunk.prefix(count)
    }
    return bytes
}

/// Whether a path is a folder itself, and no link to one (lstat(2)).
public func isFolderItself(_ path: Bytes) -> Bool { path.withCString { hi_is_folder_itself($0) } }

/// A file that can be executed by whoever the init is now (access(2)), and is no folder.
public func isExecutable(_ path: Bytes) -> Bool {
    fileKind(path) == .regular && path.withCString { hi_access($0, X_OK) } == 0
}
