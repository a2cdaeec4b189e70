import CSystem

/// A folder that is held open, and what can be done below it without ever following a symbolic link: the ground that the stages
/// stand on, which work as root in folders that somebody else owns and may change at any moment.
///
/// A path is walked once, by the kernel (openat2(2)) or one part after the other; from then on only the open file counts,
/// whatever its name comes to mean. A path that is, or leads through, a link throws ELOOP; one that holds `..` throws EXDEV.
/// Nothing here is done by a path from the root of the file system, and nothing is done to a name twice.

/// The parts of a path, without empty ones and `.`.
public struct PathParts: Sendable {
    /// Names, none of them `..`.
    public let names: [Bytes]
    /// Whether it begins at the root of the file system.
    public let isAbsolute: Bool

    /// Takes a path apart. Throws EXDEV where a part is `..`, EINVAL where one holds a NUL.
    public init(_ path: Bytes) throws(Errno) {
        var names = [Bytes]()
        for part in path.split(separator: 0x2F) {
            let name = Bytes(part)
            if name == [0x2E] { continue }
            if name == [0x2E, 0x2E] { throw Errno(EXDEV) }
            if name.contains(0) { throw Errno(EINVAL) }
            names.append(name)
        }
        self.names = names
        isAbsolute = path.first == 0x2F
    }
}

extension hi_status {
    /// A folder.
    public var isFolder: Bool { hi_is_directory(mode) }
    /// A regular file.
    public var isFile: Bool { hi_is_regular(mode) }
    /// A symbolic link.
    public var isLink: Bool { hi_is_link(mode) }
    /// The bits that chmod(2) changes.
    public var permissions: UInt32 { mode & 0o7777 }
    /// Whether both are the same file.
    public func isSameFile(as other: hi_status) -> Bool { inode == other.inode && device == other.device }
    /// Whether another lies in the same mount, as far as the kernel tells; a folder of another file system never does.
    public func isSameMount(as other: hi_status) -> Bool {
        mount == other.mount && (mount != 0 || device == other.device || !isFolder)
    }
}

/// A folder that is held open.
public struct OpenFolder {
    /// Its descriptor; may be one that only stands for the folder (O_PATH).
    public let descriptor: FileDescriptor

    /// Takes over the descriptor of a folder.
    public init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// The root of the file system.
    public static func top() throws(Errno) -> OpenFolder {
        OpenFolder(try FileDescriptor.open([0x2F], flags: HI_O_PATH | O_DIRECTORY))
    }

    /// Opens what lies below, by its parts; the folder itself where there are none.
    /// - Parameter mode: of a file that is made (O_CREAT), else 0.
    public func open(_ parts: some Sequence<Bytes>, _ flags: Int32, mode: UInt32 = 0) throws(Errno) -> FileDescriptor {
        var path = Bytes()
        for part in parts {
            if !path.isEmpty { path.append(0x2F) }
            path += part
        }
        if path.isEmpty { path = [0x2E] }
        let number = path.withCString { hi_open_beneath(descriptor.number, $0, flags, mode) }
        if number < 0 { throw Errno.current }
        return FileDescriptor(owning: number)
    }

    /// A folder below, to work in.
    public func folder(_ parts: some Sequence<Bytes>) throws(Errno) -> OpenFolder {
        OpenFolder(try open(parts, HI_O_PATH | O_DIRECTORY))
    }

    /// A folder below, made where it is missing, with all that lead to it.
    /// - Parameter made: called with how many parts lead to a folder that was made.
    public func makeFolder(_ parts: [Bytes], mode: UInt32, made: (Int) -> Void) throws(Errno) -> OpenFolder {
        do throws(Errno) {
            return try folder(parts)
        } catch {
            if error != .noEntry { throw error }
        }
        var here = self
        for place in parts.indices {
            let name = parts[place]
            do throws(Errno) {
                here = try here.folder([name])
            } catch {
                if error != .noEntry { throw error }
                if name.withCString({ hi_make_folder(here.descriptor.number, $0, mode) }) == 0 {
                    made(place &+ 1)
                } else if hi_errno() != EEXIST {
                    throw Errno.current
                }
                here = try here.folder([name])
            }
        }
        return here
    }

    /// The status of a name here, a link itself and not what it leads to; of the folder for an empty name.
    public func status(_ name: Bytes = []) throws(Errno) -> hi_status {
        var status = hi_status()
        if name.withCString({ hi_read_status(descriptor.number, $0, &status) }) < 0 { throw Errno.current }
        return status
    }

    /// Removes a name; `isFolder`: that of an empty folder.
    public func remove(_ name: Bytes, isFolder: Bool = false) throws(Errno) {
        if name.withCString({ hi_remove(descriptor.number, $0, isFolder) }) < 0 { throw Errno.current }
    }

    /// Gives a name another one; not `replacing`: throws EEXIST where there is something under it.
    public func rename(_ name: Bytes, to new: Bytes, replacing: Bool) throws(Errno) {
        let result = name.withCString { name in
            new.withCString { hi_rename(descriptor.number, name, $0, replacing) }
        }
        if result < 0 { throw Errno.current }
    }

    /// Waits until what names stand here is on the disk.
    public func sync() throws(Errno) {
        if hi_sync_folder(descriptor.number) < 0 { throw Errno.current }
    }

    /// The name under which something is made before it gets its own. It is the same each time, so that what a life of the
    /// container that was cut off left behind is found and replaced by the next.
    public static func temporaryName(_ name: Bytes) -> Bytes {
        [0x2E] + name.prefix(230) + Bytes(".hermes-init".utf8)
    }

    /// Writes a file so that at any moment, a power cut included, there is the old one or the whole new one.
    /// - Parameters:
    ///   - replacing: takes the place of what has the name; else throws EEXIST.
    ///   - content: writes it.
    public func write(
        _ name: Bytes, mode: UInt32, replacing: Bool, _ content: (FileDescriptor) throws(Errno) -> Void
    ) throws(Errno) {
        let temporary = OpenFolder.temporaryName(name)
        try? remove(temporary)
        let file = try open([temporary], O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        do throws(Errno) {
            try content(file)
            if fchmod(file.number, mode) < 0 || fsync(file.number) < 0 { throw Errno.current }
            try rename(temporary, to: name, replacing: replacing)
        } catch {
            try? remove(temporary)
            throw error
        }
        try sync()
    }

    /// The names here but `.` and `..`, in pieces of at most 32 KiB, so that a folder of any size can be read. Needs a
    /// descriptor that can be read.
    public func names(_ each: (Bytes) -> Void) throws(Errno) {
        var entries = FolderEntries()
        while try entries.read(descriptor) {
            while let entry = entries.next() { each(Bytes(cString: entry.name)) }
        }
    }
}

extension FileDescriptor {
    /// The status of the open file.
    public func status() throws(Errno) -> hi_status {
        var status = hi_status()
        if hi_read_status(number, "", &status) < 0 { throw Errno.current }
        return status
    }

    /// Writes all of it.
    public func write(_ bytes: some Collection<UInt8>) throws(Errno) {
        var rest = Bytes(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { CSystem.write(number, $0.baseAddress, $0.count) }
            if count < 0 {
                if hi_errno() == EINTR { continue }
                throw Errno.current
            }
            rest = rest.dropFirst(count)
        }
    }
}

/// The entries of a folder, read in pieces.
public struct FolderEntries: ~Copyable {
    private let buffer: UnsafeMutableRawBufferPointer
    private var place = 0
    private var end = 0

    /// With room for 32 KiB of entries, as the kernel gives them to others.
    public init() { buffer = .allocate(byteCount: 32_768, alignment: 8) }

    deinit { buffer.deallocate() }

    /// Reads the next piece; false at the end.
    public mutating func read(_ folder: FileDescriptor) throws(Errno) -> Bool {
        let count = hi_read_folder(folder.number, buffer.baseAddress, buffer.count)
        if count < 0 { throw Errno.current }
        (place, end) = (0, count)
        return count > 0
    }

    /// The next entry of the piece but `.` and `..`: its name, valid until the next piece is read, and its kind, which may be
    /// DT_UNKNOWN.
    public mutating func next() -> (name: UnsafePointer<CChar>, kind: UInt8)? {
        // struct linux_dirent64: inode (8 bytes), offset (8), length (2), kind (1), name. The kernel is trusted with it.
        while place &+ 19 < end, let entry = buffer.baseAddress?.advanced(by: place) {
            let length = Int(entry.load(fromByteOffset: 16, as: UInt16.self))
            if length < 20 { return nil }
            place &+= length
            let name = entry.advanced(by: 19).assumingMemoryBound(to: CChar.self)
            if name[0] == 0x2E && (name[1] == 0 || (name[1] == 0x2E && name[2] == 0)) { continue }
            return (UnsafePointer(name), entry.load(fromByteOffset: 18, as: UInt8.self))
        }
        return nil
    }
}
