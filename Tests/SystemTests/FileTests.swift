import CSystem
import Foundation
import System
import Testing

private func read(_ path: Bytes, limit: Int = 1 << 20) -> Result<Bytes, Errno> {
    do throws(Errno) { return .success(try readFile(path, limit: limit)) } catch { return .failure(error) }
}

@Suite("Files")
struct FileTests {
    private let folder = TemporaryFolder()

    @Test("A file is read whole, up to the limit and no further", arguments: [0, 1, 4095, 4096, 4097, 100_000])
    func limit(size: Int) {
        let path = folder.file("f", String(repeating: "x", count: size))
        #expect(read(path, limit: size) == .success(Bytes(repeating: 0x78, count: size)))
        if size > 0 { #expect(read(path, limit: size - 1) == .failure(.tooLarge)) }
    }

    @Test("A file of /proc, which says that it is empty, is read, and the limit holds for it too")
    func proc() throws {
        let path = Bytes("/proc/self/status".utf8)
        #expect(try read(path).get().starts(with: "Name:".utf8))
        #expect(read(path, limit: 10) == .failure(.tooLarge))
    }

    @Test("What is no regular file is refused without waiting")
    func refused() {
        #expect(read(Bytes(folder.path.utf8)) == .failure(.isFolder))
        #expect(mkfifo(folder.path + "/fifo", 0o600) == 0)
        #expect(read(folder("fifo")) == .failure(Errno(ENOTSUP)))
        #expect(read(Bytes("/dev/zero".utf8)) == .failure(Errno(ENOTSUP)))
        #expect(read(folder("nothing")) == .failure(.noEntry))
    }

    @Test("A folder is listed without . and .., whatever bytes its names are")
    func list() throws {
        folder.file("a")
        folder.file(".hidden")
        let odd = folder("") + [0xFF, 0x20]
        #expect(odd.withCString { hi_open($0, O_CREAT | O_WRONLY) } >= 0)
        let names = try listFolder(Bytes(folder.path.utf8)).sorted { $0.lexicographicallyPrecedes($1) }
        #expect(names == [Bytes(".hidden".utf8), Bytes("a".utf8), [0xFF, 0x20]])
        #expect(throws: Errno.noEntry) { try listFolder(folder("nothing")) }
    }

    @Test("Links are followed to tell what a path is")
    func kinds() throws {
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/null", withDestinationPath: "/dev/null")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/dangling", withDestinationPath: "/nothing")
        folder.file("file")
        #expect(fileKind(folder("null")) == .nullDevice)
        #expect(fileKind(folder("dangling")) == .missing)
        #expect(fileKind(folder("file")) == .regular)
        #expect(fileKind(folder("")) == .folder)
        #expect(fileKind(Bytes("/dev/zero".utf8)) == .other)
    }

    @Test("A program has a right of execution; a folder has one and is none")
    func executable() {
        #expect(isExecutable(folder.file("program", mode: 0o755)))
        #expect(!isExecutable(folder.file("text", mode: 0o644)))
        #expect(!isExecutable(Bytes(folder.path.utf8)))
    }

    @Test("A descriptor closes itself, and what is unread in a pipe is known")
    func descriptors() throws {
        let number: Int32
        do {
            let (readEnd, writeEnd) = try FileDescriptor.pipe()
            number = readEnd.number
            #expect(hi_unread(readEnd.number) == 0)
            #expect(write(writeEnd.number, "abc", 3) == 3)
            #expect(hi_unread(readEnd.number) == 3)
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC && fcntl(writeEnd.number, F_GETFD) == FD_CLOEXEC)
            #expect(fcntl(number, F_GETFL) & O_NONBLOCK != 0 && fcntl(writeEnd.number, F_GETFL) & O_NONBLOCK == 0)
            // A pipe's write end is a file of its own; another test may take the number once it is closed.
            withExtendedLifetime((readEnd, writeEnd)) {}
        }
        #expect(number > 2)
    }

    @Test("A pipe that was made non-blocking waits again")
    func blocking() throws {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        #expect(fcntl(writeEnd.number, F_SETFL, O_WRONLY | O_NONBLOCK) == 0)
        hi_make_blocking(writeEnd.number, O_WRONLY)
        #expect(fcntl(writeEnd.number, F_GETFL) & O_NONBLOCK == 0)
        withExtendedLifetime(readEnd) {}
    }
}
