import CSystem
import CTestSupport
import System
import Testing

/// Folders held open, on a kernel with openat2(2) and on one without: both keep the same promise.
@Suite("Folders held open")
struct OpenFolderTests {
    private let folder = TemporaryFolder()

    private func error(_ kernel: Kernel, _ body: @escaping (OpenFolder) throws -> Void) -> Int32 {
        var code: Int32 = -1
        inThread {
            if kernel == .old { #expect(test_use_old_kernel() == 0) }
            do {
                let top = try OpenFolder(FileDescriptor.open(Bytes(self.folder.path.utf8), flags: O_RDONLY))
                try body(top)
                code = 0
            } catch {
                code = (error as? Errno)?.code ?? -2
            }
        }
        return code
    }

    @Test(
        "A path is opened if no part of it is a link, and none leads out", arguments: Kernel.allCases,
        [
            ("file", 0), ("folder/below", 0), ("link", ELOOP), ("folder-link", ELOOP), ("folder-link/below", ELOOP),
            ("folder/up", ELOOP), ("file/below", ENOTDIR), ("none", ENOENT), ("none/below", ENOENT), ("..", EXDEV),
            ("folder/../file", 0), ("/etc", EXDEV), ("loop", ELOOP), ("dangling", ELOOP),
        ] as [(String, Int32)])
    func open(kernel: Kernel, _ row: (path: String, error: Int32)) {
        folder.file("file")
        folder.file("folder/below")
        folder.link("link", to: "file")
        folder.link("folder-link", to: "folder")
        folder.link("folder/up", to: "..")
        folder.link("loop", to: "loop")
        folder.link("dangling", to: "/nothing")
        let path = Bytes(row.path.utf8)
        let code = error(kernel) { top in
            let number = path.withCString { hi_open_beneath(top.descriptor.number, $0, O_RDONLY, 0) }
            if number < 0 { throw Errno.current }
            close(number)
        }
        // The walk does not look for a way out that comes back in, and refuses all `..`; the parts of a path have none.
        let isStricter = kernel == .old && row.path == "folder/../file"
        let isRoot = kernel == .old && row.path == "/etc"
        #expect(code == (isStricter ? EXDEV : isRoot ? ENOENT : row.error))
    }

    @Test(
        "The parts of a path are its names",
        arguments: [
            ("a/b", ["a", "b"], false), ("/a//b/", ["a", "b"], true), ("./a/./b", ["a", "b"], false), (".", [], false),
            ("/", [], true), ("", [], false), ("...", ["..."], false),
        ])
    func parts(path: String, names: [String], isAbsolute: Bool) throws {
        let parts = try PathParts(Bytes(path.utf8))
        #expect(parts.names.map(\.shown) == names && parts.isAbsolute == isAbsolute)
    }

    @Test("A path with .. or a NUL in it has none", arguments: [("a/..", EXDEV), ("..", EXDEV), ("a\0b", EINVAL)])
    func noParts(path: String, code: Int32) {
        #expect(throws: Errno(code)) { try PathParts(Bytes(path.utf8)) }
    }

    @Test("A mode is changed through an open file, whatever has its name", arguments: Kernel.allCases)
    func mode(kernel: Kernel) {
        folder.file("file", mode: 0o600)
        folder.file("other", mode: 0o600)
        let code = error(kernel) { top in
            let held = try top.open([Bytes("file".utf8)], HI_O_PATH)
            try top.rename(Bytes("other".utf8), to: Bytes("file".utf8), replacing: true)
            let name = Bytes("file".utf8)
            #expect(name.withCString { hi_change_mode(top.descriptor.number, $0, held.number, 0o640) } == 0)
            #expect(try held.status().permissions == 0o640)
        }
        #expect(code == 0)
        #expect(folder.mode("file") == 0o600)
    }

    @Test("A folder with thousands of names is read in pieces, each name once")
    func names() throws {
        let top = try OpenFolder(FileDescriptor.open(Bytes(folder.path.utf8), flags: O_RDONLY))
        let count = 3000
        for number in 0..<count {
            let name = Bytes("a name that is long enough for several pieces \(number)".utf8)
            #expect(name.withCString { hi_make_folder(top.descriptor.number, $0, 0o755) } == 0)
        }
        var names: Set<Bytes> = []
        var total = 0
        try top.names {
            names.insert($0)
            total += 1
        }
        #expect(total == count && names.count == count)
    }

    @Test("A file takes the place of another, or of none", arguments: Kernel.allCases)
    func write(kernel: Kernel) {
        folder.file("old", "old")
        let code = error(kernel) { top in
            try top.write(Bytes("old".utf8), mode: 0o640, replacing: true) { file throws(Errno) in
                try file.write(Bytes("new".utf8))
            }
            try top.write(Bytes("new".utf8), mode: 0o600, replacing: false) { file throws(Errno) in
                try file.write(Bytes("new".utf8))
            }
        }
        #expect(code == 0)
        let taken = error(kernel) { top in
            try top.write(Bytes("old".utf8), mode: 0o640, replacing: false) { _ throws(Errno) in }
        }
        #expect(taken == EEXIST)
        let failed = error(kernel) { top in
            try top.write(Bytes("old".utf8), mode: 0o640, replacing: true) { _ throws(Errno) in throw Errno(ENOSPC) }
        }
        #expect(failed == ENOSPC)
        #expect(folder.content("old") == "new" && folder.mode("old") == 0o640)
        #expect(folder.content("new") == "new" && folder.mode("new") == 0o600)
        #expect(folder.names() == ["new", "old"])
    }
}
