import CSystem
import ConfigParser
import Foundation
import System
import Testing

@testable import Runtime

@Suite("Driver: configuration folders")
struct DriverFolderTests {
    private let folder = TemporaryFolder()

    private func read(_ paths: [String]? = nil, areRequired: Bool = false) -> (files: [String], told: [String]) {
        var diagnostics = [Diagnostic]()
        let files = readFolders(
            (paths ?? [folder.path]).map { Bytes($0.utf8) }, areRequired: areRequired, diagnostics: &diagnostics)
        return (files.map(describe), diagnostics.map(\.title))
    }

    private func describe(_ file: InputFile) -> String {
        let name = file.dropIn.map { file.name + "+" + $0 } ?? file.name
        switch file.content {
        case .bytes(let bytes): return name + ": " + String(decoding: bytes, as: UTF8.self)
        case .mask: return name + " masks"
        case .unreadable(let why): return name + " cannot be read: " + why
        }
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/" + name, withDestinationPath: target)
    }

    private func subfolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: folder.path + "/" + name, withIntermediateDirectories: true)
    }

    @Test("Service files and drop-ins come in the order of their names; hidden files and other endings do not")
    func files() throws {
        try subfolder("b.d")
        try subfolder(".hidden.d")
        for name in [
            "c.toml", "a.toml", ".toml", ".a.toml", "a.txt", "a.toml~", "b.d/20.toml", "b.d/10.toml", "b.d/.x.toml",
            "b.d/readme", ".hidden.d/x.toml", "z.d",
        ] {
            folder.file(name, name)
        }
        #expect(
            read().files == [
                "a.toml: a.toml", "b.toml+10.toml: b.d/10.toml", "b.toml+20.toml: b.d/20.toml", "c.toml: c.toml",
            ])
        #expect(read().told == [])
    }

    @Test("An empty file masks, and so does a link to /dev/null")
    func masks() throws {
        folder.file("empty.toml")
        try link("null.toml", to: "/dev/null")
        try subfolder("a.d")
        try link("a.d/10.toml", to: "/dev/null")
        #expect(read().files == ["a.toml+10.toml masks", "empty.toml masks", "null.toml masks"])
    }

    @Test("What cannot be used is handed on with the reason")
    func unreadable() throws {
        try subfolder("folder.toml")
        try link("dangling.toml", to: "/nothing")
        try link("device.toml", to: "/dev/zero")
        #expect(mkfifo(folder.path + "/fifo.toml", 0o600) == 0)
        folder.file("large.toml", String(repeating: "#", count: largestConfigurationFile + 1))
        #expect(
            read().files == [
                "dangling.toml cannot be read: it is a symbolic link to a file that does not exist",
                "device.toml cannot be read: it is not a regular file",
                "fifo.toml cannot be read: it is not a regular file",
                "folder.toml cannot be read: it is a folder", "large.toml cannot be read: it is larger than 1 MiB",
            ])
    }

    @Test("A file of exactly the largest size is read")
    func largest() {
        folder.file("large.toml", String(repeating: "#", count: largestConfigurationFile))
        #expect(read().files.first?.hasPrefix("large.toml: ####") == true)
    }

    @Test("A folder that is missing is no mistake, unless it was asked for; one that is no folder always is")
    func folders() {
        #expect(read(["/nothing"]).told == [])
        let told = read(["/nothing", folder.path], areRequired: true).told
        #expect(told == ["cannot read the configuration folder /nothing: No such file or directory"])
        #expect(read(["/etc/passwd"]).told == ["cannot read the configuration folder /etc/passwd: Not a directory"])
    }

    @Test("A link to a folder that is not there is a mistake, in the list and as drop-ins; one to /dev/null is none")
    func deadLinks() throws {
        try link("list", to: folder.path + "/nothing")
        try link("web.d", to: "../nothing")
        try link("none.d", to: "/dev/null")
        let told = read([folder.path, folder.path + "/list"]).told
        #expect(
            told
                == ["web.d", "list"].map {
                    "cannot read the configuration folder \(folder.path)/\($0): it is a symbolic link to a folder that does not exist"
                })
    }

    @Test("In an image a link leads where it would in a container")
    func linksOfImages() throws {
        try subfolder("image/etc")
        try subfolder("image/opt/services")
        folder.file("image/opt/services/web.toml", "web")
        try link("image/etc/good.d", to: "/opt/services")
        try link("image/etc/bad.d", to: folder.path + "/image/opt/services")
        let tree = FileTree(root: Bytes((folder.path + "/image").utf8))
        for (name, count) in [("good.d", 0), ("bad.d", 1), ("missing.d", 0)] {
            var diagnostics = [Diagnostic]()
            let files = readFolders(
                [Bytes("/etc/\(name)".utf8)], areRequired: false, in: tree, diagnostics: &diagnostics)
            #expect(files.count == (name == "good.d" ? 1 : 0) && diagnostics.count == count, "\(name)")
        }
    }

    @Test("A folder that may not be read is told, and so is one of drop-ins", .enabled(if: geteuid() != 0))
    func denied() throws {
        try subfolder("a.d")
        #expect(chmod(folder.path + "/a.d", 0) == 0)
        #expect(read().told == ["cannot read the configuration folder \(folder.path)/a.d: Permission denied"])
        #expect(chmod(folder.path + "/a.d", 0o700) == 0)
    }

    @Test("Weaker folders come first, and a name that is no UTF-8 is shown")
    func order() throws {
        let other = TemporaryFolder()
        folder.file("a.toml", "weak")
        other.file("a.toml", "strong")
        let odd = other("") + [0xFF] + Bytes(".toml".utf8)
        #expect(odd.withCString { hi_open($0, O_CREAT | O_WRONLY) } >= 0)
        #expect(read([folder.path, other.path]).files == ["a.toml: weak", "a.toml: strong", "\\xff.toml masks"])
    }
}
