import CSystem
import ConfigParser
import System
import Testing

@testable import Runtime

/// What `hermes-init exec` makes of a service, and the file of exports that it reads.

private func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

@Suite("exec: exports")
struct ExportsTests {
    private let all: StageRecords = {
        var records = StageRecords()
        records.exports = [
            ("A", bytes("1")), ("LINES", bytes("one\ntwo\n")), ("EQUALS", bytes("=a=b")), ("EMPTY", []),
            ("ODD", [0xFF]),
        ]
        records.users = [
            UserNumbers(name: bytes("me"), uid: 5, gid: 6, groups: [7, 8]),
            UserNumbers(name: bytes("you"), uid: 1, gid: 2, groups: []),
        ]
        return records
    }()

    @Test("What is written is what is read", arguments: ["", "12345", "1 2"])
    func roundTrip(start: String) throws {
        let text = ExportsText.bytes(all, process: 17, start: bytes(start))
        let read = try #require(ExportsText.parse(text))
        #expect(read.records == all && read.process == 17 && read.start == bytes(start))
    }

    @Test("More than one stage may export is read")
    func large() throws {
        var records = StageRecords()
        for number in 0..<20 { records.exports.append(("V\(number)", Bytes(repeating: 0x61, count: 60_000))) }
        #expect(try #require(ExportsText.parse(ExportsText.bytes(records, process: 1, start: []))).records == records)
    }

    @Test(
        "A file that is cut off, or is something else, is not used",
        arguments: [
            "", "\0", "=init 1 5", "=init 1 5\0A=1", "=init x 5\0", "=init 1\0", "A=1\0", "=init 1 5\0word\0",
            "=init 1 5\0=loud\0",
            "=init 99999999999 5\0", "init 1 5\0A=1\0",
        ])
    func wrong(text: String) {
        #expect(ExportsText.parse(bytes(text)) == nil)
    }

    @Test("No folder, no exports; and nothing to tell")
    func nothing() {
        let folder = TemporaryFolder()
        let (records, problem) = readExports([folder.path + "/none", folder.path])
        #expect(records == StageRecords() && problem == nil)
    }

    @Test("A file of this process is believed; of one that was started at another time it is not")
    func lives() {
        let folder = TemporaryFolder()
        let own = getpid()
        let start = ProcessRelations.start(ProcessRelations.fields(of: own)) ?? []
        for (mark, count) in [(start, all.exports.count), (bytes("1"), 0)] {
            folder.file(
                "exports", String(decoding: ExportsText.bytes(all, process: own, start: mark), as: UTF8.self),
                mode: 0o600)
            let (records, problem) = readExports([folder.path])
            #expect(records.exports.count == count && problem == nil)
        }
    }
}

@Suite("exec: which service")
struct ExecServiceTests {
    @Test("A service by its name, or an instance of a template")
    func names() {
        var configuration = Configuration()
        var template = Service(name: "gateway@")
        template.umask = 7
        configuration.services = [Service(name: "web")]
        configuration.templates = [ServiceTemplate(service: template)]
        #expect(configuration.service(named: "web")?.name == "web")
        #expect(configuration.service(named: "gateway@writer")?.name == "gateway@writer")
        #expect(configuration.service(named: "gateway@writer")?.umask == 7)
        for name in ["gateway", "gateway@", "other@writer", "web@x", ""] {
            #expect(configuration.service(named: name) == nil)
        }
    }

    @Test("Only the files of that service and init.toml are read")
    func files() {
        let folder = TemporaryFolder()
        let other = TemporaryFolder()
        for name in ["web.d", "other.d"] { mkdir(folder.path + "/" + name, 0o755) }
        for name in ["web.toml", "webx.toml", "init.toml", "notes"] { folder.file(name, "") }
        folder.file("web.d/10.toml", "umask = \"0\"")
        folder.file("other.d/10.toml", "")
        other.file("web.toml", "command = [\"a\"]")
        var diagnostics = [Diagnostic]()
        let found = readFiles(
            of: ["init", "web"], in: [folder.path, other.path].map(bytes), areRequired: true, diagnostics: &diagnostics)
        #expect(diagnostics.isEmpty)
        #expect(
            found.map { $0.path } == [
                folder.path + "/init.toml", folder.path + "/web.toml", folder.path + "/web.d/10.toml",
                other.path + "/web.toml",
            ])
        _ = readFiles(of: ["web"], in: [bytes(folder.path + "/none")], areRequired: true, diagnostics: &diagnostics)
        #expect(diagnostics.map(\.code) == ["unreadable-folder"])
    }

    @Test(
        "A name that leads elsewhere is no service",
        arguments: [
            "../web", "a/b", "", ".web", "-x", "init", "web@", "a@b@c", "a@.b", "a@-b", "@a", "_a", "Web", "a\0",
        ])
    func paths(name: String) {
        var request = ExecRequest()
        request.folders = []
        request.service = bytes(name)
        request.command = [bytes("true")]
        guard case .message(let text, let code) = execute(request, tell: { _ in }) else {
            Issue.record("it was read")
            return
        }
        #expect(code == 64 && text.contains("there is no service"))
    }
}
