import CSystem
import Testing

@testable import System

/// Trees in a folder of the test's own; links are made with symlink(2).

private func temporaryFolder() -> String {
    var template = Array("/tmp/hermes-init-tree-XXXXXX".utf8CString)
    return template.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress, mkdtemp(base) != nil else { return "/nonexistent" }
        return String(cString: base)
    }
}

private func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

@Suite("A tree of files under a folder")
struct FileTreeTests {
    let root = temporaryFolder()

    private func found(_ path: String) -> String {
        do throws(Errno) {
            return String(
                decoding: try FileTree(root: bytes(root)).place(of: bytes(path)).dropFirst(root.utf8.count),
                as: UTF8.self)
        } catch {
            return "errno \(error.code)"
        }
    }

    @Test("Links and .. stay inside, whatever they say")
    func inside() {
        for folder in ["/a", "/a/b", "/etc"] { _ = mkdir(root + folder, 0o755) }
        let links = [
            ("/etc", "/a/absolute"), ("../../../../etc", "/a/up"), ("b", "/a/relative"), ("loop", "/a/loop"),
            ("/dev/null", "/a/null"), ("up/../a/b", "/a/through"),
        ]
        for (target, path) in links { _ = symlink(target, root + path) }
        let expected = [
            ("/a/b", "/a/b"), ("a//./b/", "/a/b"), ("/../../a", "/a"), ("/a/absolute", "/etc"), ("/a/up", "/etc"),
            ("/a/relative", "/a/b"), ("/a/relative/..", "/a"), ("/a/through", "/a/b"), ("/a/null", "/dev/null"),
            ("/a/loop", "errno \(ELOOP)"), ("/no/such", "errno \(ENOENT)"), ("/", ""), ("", ""),
        ]
        for (path, place) in expected { #expect(found(path) == place, "\(path)") }
    }

    @Test("A link to /dev/null is one where there are no devices")
    func nullDevice() throws {
        _ = symlink("/dev/null", root + "/mask")
        #expect(try FileTree(root: bytes(root)).kind(bytes("/mask")) == .nullDevice)
    }

    @Test("The lookup of a path is bounded")
    func bounded() {
        #expect(found(String(repeating: "./", count: 100_000)) == "errno \(ENAMETOOLONG)")
        #expect(found(String(repeating: "x", count: 300)) == "errno \(ENAMETOOLONG)")
    }

    @Test("Without a root paths are those of the machine")
    func own() throws {
        #expect(try FileTree().place(of: bytes("a/../b")) == bytes("a/../b"))
        #expect(FileTree().shown(bytes("/etc")) == bytes("/etc"))
        #expect(FileTree(root: bytes("image/")).shown(bytes("etc")) == bytes("image/etc"))
        #expect(try FileTree(root: bytes("/")).place(of: bytes("/etc")) == bytes("/etc"))
    }
}
