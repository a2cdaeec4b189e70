import ConfigParser
import Foundation
import System
import Testing

@testable import Runtime

private func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

private func text(_ bytes: Bytes?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

/// Configuration files of those names.
private func read(_ files: [(String, String)]) -> ReadResult {
    ConfigurationReader.read(
        files.map {
            InputFile(
                path: $0.0, name: $0.0, dropIn: nil, content: $0.1.isEmpty ? .mask : .bytes(Bytes($0.1.utf8)))
        })
}

@Suite("Driver: which instances a template has")
struct DriverInstanceTests {
    private func pattern(_ from: String, _ variables: [String: String] = [:]) throws -> InstancePattern? {
        let result = read([("a@.toml", "command = [\"a\"]\n[instances]\nfrom = \"\(from)\"")])
        let template = try #require(result.configuration.templates.first?.instances.from)
        return try InstancePattern(template) { variables[$0].map { Bytes($0.utf8) } }
    }

    @Test(
        "A path is taken apart at its star",
        arguments: [
            ("/data/profiles/*/SOUL.md", "/data/profiles", "", "", "/SOUL.md"),
            ("/data/*", "/data", "", "", ""),
            ("/*", "/", "", "", ""),
            ("/data/site-*.conf", "/data", "site-", ".conf", ""),
            ("/a/.*/b/c", "/a", ".", "", "/b/c"),
            ("/a/*/", "/a", "", "", "/"),
            ("${A}/*${B:-.d}/${C}", "/x/y*", "", ".d", "/c*"),
            ("/${C}*", "/", "c*", "", ""),
        ])
    func parts(from: String, folder: String, head: String, tail: String, rest: String) throws {
        let made = try #require(try pattern(from, ["A": "/x/y*", "C": "c*"]))
        #expect(text(made.folder) == folder && text(made.head) == head)
        #expect(text(made.tail) == tail && text(made.rest) == rest)
    }

    @Test("A variable that is not set throws, and one without a / makes a path that is none")
    func variables() throws {
        #expect(throws: ExpansionError.self) { try pattern("${A}/*") }
        #expect(try pattern("${A}/*", ["A": "x"]) == nil)
    }

    @Test(
        "The star stands for at least one byte, and for no hidden name unless the pattern says the dot",
        arguments: [
            ("/d/*", "web", "web"), ("/d/*", ".web", nil), ("/d/.*", ".web", "web"), ("/d/.*", ".", nil),
            ("/d/p-*", "p-", nil), ("/d/p-*", "p-a", "a"), ("/d/*.d", ".d", nil), ("/d/*.d", "a.d", "a"),
            ("/d/a*a", "a", nil), ("/d/a*a", "aa", nil), ("/d/a*a", "aba", "b"), ("/d/*", "a\nb", "a\nb"),
        ] as [(String, String, String?)])
    func matches(from: String, name: String, match: String?) throws {
        let pattern = try #require(try pattern(from))
        #expect(text(pattern.match(bytes(name))) == match)
    }

    @Test("The path of a match is the one that was matched")
    func path() throws {
        let pattern = try #require(try pattern("/*.d/x"))
        #expect(text(pattern.path(bytes("a"))) == "/a.d/x")
        #expect(text(try self.pattern("/b/a-*")?.path(bytes("c"))) == "/b/a-c")
    }

    @Test("Names are sorted; what cannot be a name is told, what is not there is neither")
    func chosen() {
        let matches = ["web", "B", "a b", "gone", "api", "x\ny"].map(bytes) + [[0xFF]]
        let found = FoundInstances(matches, of: "g@") { $0 != bytes("gone") }
        #expect(found.names == ["api", "web"] && !found.hasMore)
        #expect(
            found.refused == [
                "\"B\": it has a capital letter", "\"a b\": it has a space",
                "\"x\\x0ay\": it has a character other than a-z, 0-9, `.`, `_` and `-`",
                "\"\\xff\": it has a character other than a-z, 0-9, `.`, `_` and `-`",
            ])
    }

    @Test("Of ten thousand the first 1,024 are made, and of as many bad names ten are shown")
    func bounded() {
        let good = FoundInstances((0..<10_000).map { bytes("n\(10_000 + $0)") }, of: "g@") { _ in true }
        #expect(good.names.count == 1024 && good.hasMore && good.names.first == "n10000" && good.names.last == "n11023")
        let bad = FoundInstances((0..<10_000).map { bytes("N\($0)") }, of: "g@") { _ in true }
        #expect(bad.names.isEmpty && bad.refused.count == 10 && bad.refusedCount == 10_000)
    }

    private func instances(
        _ files: [(String, String)], wanted: [String] = [], _ place: InstancePlace? = nil
    ) -> (names: [String], told: [Diagnostic]) {
        var told: [Diagnostic] = []
        let services = makeInstances(
            read(files).configuration, wanted: wanted, place: place, diagnostics: &told)
        return (services.map(\.name), told)
    }

    @Test("Names, what was asked for, and masks make one list without repetitions")
    func together() {
        let files = [
            ("a@.toml", "command = [\"a\"]\n[instances]\nnames = [\"z\", \"b\", \"m\"]"), ("a@m.toml", ""),
            ("b@.toml", "command = [\"a\"]"),
        ]
        let wanted = ["a@b", "a@new", "a@m", "b@x", "c@y", "web", "a@", "a@X"]
        let (names, told) = instances(files, wanted: wanted)
        #expect(names == ["a@b", "a@new", "a@z", "b@x"] && told.isEmpty)
    }

    @Test("A folder is looked into: files, folders, links, and nothing behind a link that leads nowhere")
    func folder() throws {
        let folder = TemporaryFolder()
        let manager = FileManager.default
        for name in ["writer", "coder", "empty", "Bad", ".hidden", "two\nlines"] {
            try manager.createDirectory(atPath: folder.path + "/" + name, withIntermediateDirectories: true)
            if name != "empty" { folder.file(name + "/SOUL.md") }
        }
        try manager.createSymbolicLink(atPath: folder.path + "/linked", withDestinationPath: "writer")
        try manager.createSymbolicLink(atPath: folder.path + "/dangling", withDestinationPath: "nowhere")
        try manager.createSymbolicLink(atPath: folder.path + "/circle", withDestinationPath: "circle")
        folder.file("file")
        var environment = Environment()
        environment.set("P", bytes(folder.path))
        let place = InstancePlace(environment: environment)
        func from(_ path: String) -> (names: [String], told: [Diagnostic]) {
            instances([("a@.toml", "command = [\"a\"]\n[instances]\nfrom = \"\(path)\"")], place)
        }
        let whole = from("${P}/*/SOUL.md")
        #expect(whole.names == ["a@coder", "a@linked", "a@writer"])
        #expect(whole.told.map(\.code) == ["instance-name"] && whole.told.first?.notes.count == 2)
        #expect(from("${P}/*e*/").names == [])
        #expect(from("${P}/e*/").names == ["a@mpty"])
        #expect(from("${P}/f*/").names == [] && from("${P}/f*").names == ["a@ile"])
        #expect(from("${P}/.*").names == ["a@hidden"])
        let missing = from("${P}/none/*")
        #expect(missing.names == [] && missing.told.isEmpty)
        #expect(from("${P}/file/*").told.map(\.code) == ["instances-from"])
        #expect(from("${Q}/*").told.map(\.code) == ["instances-from"])
        var open = place
        open.isEnvironmentOpen = true
        #expect(instances([("a@.toml", "command = [\"a\"]\n[instances]\nfrom = \"${Q}/*\"")], open).told.isEmpty)
    }

    @Test("Inside an image the folder is that of the image, and so is what a link in it means")
    func image() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/srv/sites/blue", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/sites", withDestinationPath: "/srv/sites")
        let place = InstancePlace(tree: FileTree(root: bytes(folder.path)), environment: Environment())
        let found = instances([("a@.toml", "command = [\"a\"]\n[instances]\nfrom = \"/sites/*\"")], place)
        #expect(found.names == ["a@blue"] && found.told.isEmpty)
    }

    // MARK: - The whole

    private func loaded(_ files: [(String, String)], _ start: BootFacts = .none) -> Loaded {
        complete(read(files), arguments: [], stages: .none, start: start)
    }

    @Test("Instances are services of the graph, in which others can name them")
    func graph() throws {
        let loaded = loaded([
            ("a@.toml", "command = [\"a\"]\nrequires = [\"db\"]\n[instances]\nnames = [\"x\", \"y\"]"),
            ("db.toml", "command = [\"db\"]"), ("web.toml", "command = [\"web\"]\nrequires = [\"a@y\"]"),
        ])
        let graph = try #require(loaded.graph)
        #expect(loaded.services.map(\.name) == ["db", "web", "a@x", "a@y"])
        #expect(graph.edges[1].map(\.service.index) == [3] && graph.edges[2].map(\.service.index) == [0])
        #expect(loaded.result.diagnostics.isEmpty)
    }

    @Test("A template without instances is checked, and is no service")
    func placeholder() {
        let good = loaded([("a@.toml", "command = [\"a\"]")])
        #expect(good.graph != nil && good.services.isEmpty)
        let bad = loaded([("a@.toml", "command = [\"a\"]\nrequires = [\"db\"]")])
        #expect(bad.graph == nil && bad.hasErrors)
        #expect(bad.result.diagnostics.map(\.code) == ["graph-missing-service"])
    }

    @Test("What was asked before comes first, then [autostart], then autostart")
    func decided() throws {
        var start = BootFacts.none
        var asked = AskedState()
        for (name, isUp) in [("a", true), ("b", false), ("c", false), ("t@made", true), ("t@no", false), ("u@x", true)]
        {
            asked.note(name, up: isUp)
        }
        start.asked = .state(asked)
        start.context = ConditionContext(
            environment: Environment(), arguments: [bytes("gateway")], isTerminal: false, isRoot: true,
            exists: { $0 == bytes("/s/made") || $0 == bytes("/s/one") })
        let loaded = loaded(
            [
                ("a.toml", "command = [\"a\"]\nautostart = false\nremember = true"),
                ("b.toml", "command = [\"a\"]\nremember = true"), ("c.toml", "command = [\"a\"]"),
                ("d.toml", "command = [\"a\"]\n[autostart]\nmain-not = [\"gateway\"]"),
                ("e.toml", "command = [\"a\"]\n[autostart]\nroot = true"),
                (
                    "t@.toml",
                    "command = [\"a\"]\n[autostart]\npath-exists = \"/s/${HERMES_INIT_INSTANCE}\"\n[instances]\n"
                        + "names = [\"one\", \"two\"]\nremember = true"
                ), ("u@.toml", "command = [\"a\"]"),
            ], start)
        let found = zip(loaded.services, loaded.reasons).map { "\($0.name) \($0.autostart) \($1)" }
        #expect(
            found == [
                "a true it was asked up before", "b false it was asked down before", "c true ",
                "d false [autostart]: the main program is gateway", "e true ",
                "t@made true it was asked up before", "t@one true ",
                "t@two false [autostart]: /s/two does not exist",
            ])
        #expect(loaded.remembers)
    }

    @Test("Without `remember` nothing is read of what was asked")
    func unread() {
        var start = BootFacts.none
        start.asked = nil
        let loaded = loaded([("a.toml", "command = [\"a\"]")], start)
        #expect(!loaded.remembers)
        guard case .nothing = loaded.asked else { return #expect(Bool(false)) }
    }
}
