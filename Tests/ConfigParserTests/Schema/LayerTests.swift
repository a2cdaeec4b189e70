/// Folders, drop-ins, masks, and names of files.

import ConfigParser
import Testing

@Suite("Folders and drop-ins")
struct LayerTests {
    func read(_ files: InputFile...) -> ReadResult { ConfigurationReader.read(files) }

    func command(_ result: ReadResult, _ name: String = "web") -> [String?]? {
        guard let service = result.configuration.services.first(where: { $0.name == name }),
            case .command(let words) = service.action
        else { return nil }
        return words.map { literal($0) }
    }

    @Test("A file in a stronger folder replaces the weaker one, which is not looked into")
    func replaces() {
        let result = read(
            file("web.toml", "this is not TOML", in: "/usr/lib/hermes-init.d"), file("web.toml", "command = [\"b\"]"))
        #expect(told(result) == [] && command(result) == ["b"])
        #expect(result.sources.files.map(\.path) == ["/etc/hermes-init.d/web.toml"])
    }

    @Test("Services come in name order, whatever the order of the files")
    func nameOrder() {
        let text = "command = [\"a\"]"
        let result = read(
            file("c.toml", text), file("a-b.toml", text), file("a.toml", text), file("init.toml", ""),
            file("9.toml", text))
        #expect(result.configuration.services.map(\.name) == ["9", "a", "a-b", "c"])
    }

    @Test("A mask takes the service away, with its drop-ins, and its name is kept")
    func masks() {
        let result = read(
            file("web.toml", "command = [\"a\"]"), dropIn("web.toml", "10.toml", "what = 1"), mask("web.toml"),
            mask("never.toml"))
        #expect(told(result) == [] && result.configuration.services.isEmpty)
        #expect(result.configuration.maskedNames == ["never", "web"])
    }

    @Test("A file in a stronger folder than the mask brings the service back")
    func unmasks() {
        let result = read(mask("web.toml"), file("web.toml", "command = [\"a\"]", in: "/run/hermes-init.d"))
        #expect(command(result) == ["a"] && result.configuration.maskedNames == [])
    }

    @Test("Drop-ins are laid over the file in name order: tables merge, values replace")
    func dropIns() throws {
        let result = read(
            file(
                "web.toml",
                "command = [\"a\"]\nuser = \"base\"\n[environment]\nA = \"1\"\nB = \"1\"\n[stop]\ntimeout = 1"),
            dropIn("web.toml", "20-b.toml", "user = \"twenty\"\n[environment]\nB = \"3\"\nC = \"3\""),
            dropIn(
                "web.toml", "10-a.toml",
                "command = [\"b\", \"c\"]\nuser = \"ten\"\nenvironment.B = \"2\"\n[restart]\nlimit = 2"))
        #expect(told(result) == [] && command(result) == ["b", "c"])
        let service = try #require(result.configuration.services.first)
        #expect(literal(service.user) == "twenty" && service.restart.limit == 2 && service.stop.timeout == .seconds(1))
        #expect(service.environment.map { "\($0.name)=\(literal($0.value) ?? "")" } == ["A=1", "B=3", "C=3"])
    }

    @Test("A drop-in of one name in a stronger folder replaces the weaker, and a mask takes it away")
    func dropInLayers() throws {
        let result = read(
            file("web.toml", "command = [\"a\"]"), dropIn("web.toml", "10.toml", "user = \"weak\"\ngroup = \"weak\""),
            dropIn("web.toml", "20.toml", "directory = \"/a\""),
            dropIn("web.toml", "10.toml", "user = \"strong\"", in: "/run"),
            mask("web.toml", dropIn: "20.toml"))
        let service = try #require(result.configuration.services.first)
        #expect(literal(service.user) == "strong" && service.group == nil && service.directory == nil)
    }

    @Test("A drop-in without its file is an error that names both")
    func missingBase() throws {
        let result = read(dropIn("web.toml", "10.toml", "user = \"a\""))
        #expect(told(result) == ["missing-base: "])
        let diagnostic = try #require(result.diagnostics.first)
        #expect(diagnostic.title.contains("/etc/hermes-init.d/web.d/10.toml") && diagnostic.title.contains(" web.toml"))
        #expect(result.configuration.services.isEmpty && result.configuration.brokenNames == ["web"])
    }

    @Test("Drop-ins of init.toml need no init.toml")
    func settingsDropIn() {
        let result = read(
            dropIn("init.toml", "20.toml", "shutdown-timeout = 20"),
            dropIn("init.toml", "10.toml", "shutdown-timeout = 5"))
        #expect(told(result) == [] && result.configuration.settings.shutdownTimeout == .seconds(20))
    }

    @Test("A mistake in a drop-in names the drop-in, and what it replaces")
    func mistakeInDropIn() throws {
        let result = read(
            file("web.toml", "command = [\"a\"]\nautostart = true"), dropIn("web.toml", "10.toml", "autostart = 1"))
        #expect(told(result) == ["wrong-type: 1"])
        let diagnostic = try #require(result.diagnostics.first)
        let primary = try #require(diagnostic.primary)
        #expect(result.sources.file(primary.span.file)?.path == "/etc/hermes-init.d/web.d/10.toml")
        #expect(diagnostic.context.map { marked($0.span, result) } == ["true"])
    }

    @Test("A contradiction between a file and its drop-in marks both files")
    func contradictionAcrossFiles() throws {
        let result = read(file("web.toml", "command = [\"a\"]"), dropIn("web.toml", "10.toml", "script = \"b\""))
        #expect(told(result) == ["contradiction: script"])
        let diagnostic = try #require(result.diagnostics.first)
        #expect(diagnostic.context.map { marked($0.span, result) } == ["command"])
        #expect(diagnostic.context.first?.span.file != diagnostic.primary?.span.file)
    }

    @Test("A file that cannot be read is told with path and reason, and its service counts as broken")
    func unreadable() throws {
        let bad = InputFile(
            path: "/etc/x/web.toml", name: "web.toml", dropIn: nil, content: .unreadable("Permission denied"))
        let result = read(bad, dropIn("web.toml", "10.toml", "user = \"a\""))
        #expect(told(result) == ["unreadable-file: "])
        #expect(result.diagnostics.first?.title == "cannot read /etc/x/web.toml: Permission denied")
        #expect(result.configuration.services.isEmpty && result.configuration.brokenNames == ["web"])
    }

    @Test("A file of more than 1 MiB is refused")
    func tooLarge() {
        let bytes = [UInt8](repeating: 0x20, count: largestConfigurationFile + 1)
        let result = read(InputFile(path: "/a/web.toml", name: "web.toml", dropIn: nil, content: .bytes(bytes)))
        #expect(told(result) == ["unreadable-file: "] && result.configuration.brokenNames == ["web"])
        #expect(result.diagnostics.first?.title.contains("1 MiB") == true)
    }

    @Test("Hidden files and other endings are left out")
    func ignored() {
        let result = read(
            file(".web.toml", "x"), file("web.toml.bak", "x"), file("web.toml~", "x"), file(".toml", "x"),
            file("README", "x"),
            dropIn("web.toml", "10.conf", "x"), dropIn("web.toml", ".10.toml", "x"))
        #expect(result.diagnostics.isEmpty && result.configuration.services.isEmpty)
    }

    @Test(
        "A file whose name is no name of a service is told with a name that would do",
        arguments: [
            ("Web.toml", "bad-name", "rename it to web.toml"), ("web server.toml", "bad-name", "web-server.toml"),
            ("_web.toml", "bad-name", "web.toml"), ("-.toml", "bad-name", "web-server.toml"),
            ("wéb.toml", "bad-name", "w-b.toml"), ("a/b.toml", "bad-name", "a-b.toml"),
            ("main@.toml", "bad-name", "another name"),
            ("gateway@a.toml", "instance-file", "names = [\"a\"]"),
            (String(repeating: "a", count: 65) + ".toml", "bad-name", String(repeating: "a", count: 64) + ".toml"),
        ])
    func badName(name: String, code: String, help: String) throws {
        let result = read(file(name, "command = [\"a\"]"))
        #expect(told(result) == ["\(code): "] && result.configuration.services.isEmpty)
        #expect(try #require(result.diagnostics.first?.help).contains(help))
    }

    @Test(
        "Every good name is accepted", arguments: ["a", "0", "a.b_c-d", "web.toml", String(repeating: "a", count: 64)])
    func goodName(name: String) {
        let result = read(file("\(name).toml", "command = [\"a\"]"))
        #expect(told(result) == [] && result.configuration.services.map(\.name) == [name])
    }

    @Test("Of a file that is no TOML only what is sure is told, and its service still exists")
    func brokenTOML() throws {
        let result = read(file("web.toml", "typo = 1\ncommand = [\nuser = 3\n[restart]\nfoo = 1"))
        #expect(result.diagnostics.first?.code == "unknown-key")
        #expect(result.diagnostics.count >= 2)
        for diagnostic in result.diagnostics.dropFirst() {
            #expect(!["unknown-key", "missing-key", "contradiction", "wrong-type"].contains(diagnostic.code))
        }
        #expect(result.configuration.services.map(\.name) == ["web"])
    }

    @Test("Diagnostics come in the order of files and lines")
    func order() {
        let result = read(
            file("b.toml", "x = 1\ncommand = [\"a\"]"), file("a.toml", "command = [\"a\"]\ny = 1\nz = 1"),
            file("init.toml", "w = 1"), file("B.toml", "x"))
        #expect(told(result) == ["bad-name: ", "unknown-key: y", "unknown-key: z", "unknown-key: x", "unknown-key: w"])
    }

    @Test("A thousand drop-ins of one service are laid over it")
    func manyDropIns() throws {
        var files = [file("web.toml", "command = [\"a\"]\n[environment]\nA = 0")]
        for number in 0..<1000 {
            files.append(dropIn("web.toml", "\(number).toml", "[environment]\nV\(number) = 1\nA = \(number)"))
        }
        let result = ConfigurationReader.read(files)
        let service = try #require(result.configuration.services.first)
        #expect(told(result) == [] && service.environment.count == 1001)
        #expect(literal(service.environment.first?.value) == "999")
    }
}
