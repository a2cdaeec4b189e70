/// The options of stages: read against the plugin's own keys, with its defaults, and their variables put in.

import Testing

@testable import ConfigParser

@Suite("The options of a stage")
struct StageKeysTests {
    private static let table = OptionTable(
        plugin: "sample",
        keys: [
            Key("owner", .account, required: true, "Whose"), Key("root", .template, "Where"),
            Key("trees", .templates, default: "[\"a\", \"${B:-b}\"]", "What"),
            Key("create", .boolean, default: "true", "Whether"),
            Key("count", .integer(from: 1, to: 9), default: "3", "N"),
            Key("wait", .duration(moreThanZero: true), default: "1m", "How long"),
            Key("modes", .modes, "Modes"), Key("kind", .choice(["x", "y"]), default: "x", "Which"),
            Key("names", .variables, "Names"), Key("umask", .fileMode, "Mode"),
            Key(
                "file",
                .tables(
                    OptionTable(
                        plugin: "sample", header: "[[options.file]]",
                        keys: [
                            Key("path", .template, required: true, "Path"), Key("content", .content, "Text"),
                            Key("from", .template, "File"), Key("mode", .fileMode, default: "0640", "Mode"),
                        ], alternatives: ["content", "from"])), "Files"),
        ])

    /// The mistakes in a table of options, each as "code: title".
    private static func read(_ text: String) -> (StageTemplates, [String]) {
        var sources = SourceMap()
        let bytes = [UInt8](text.utf8)
        let file = sources.add(path: "a.toml", bytes: bytes)
        var diagnostics = [Diagnostic]()
        var options = TOMLParser.parse(file: file, bytes: bytes, diagnostics: &diagnostics)
        if case .table(let inner)? = options.entry("options")?.value.kind { options = inner }
        let templates = table.read(options, sources: sources, diagnostics: &diagnostics)
        return (templates, diagnostics.map { "\($0.code): \($0.title)" + ($0.help.map { " | \($0)" } ?? "") })
    }

    @Test(
        "Every mistake is told in the words of the format's own keys",
        arguments: [
            ("owner = 'a'\n", ""),
            ("", "missing-key: [options] of the plugin sample needs `owner` | add `owner`: Whose"),
            (
                "onwer = 'a'\n",
                "unknown-key: there is no key `onwer` in [options] of the plugin sample | did you mean `owner`?"
            ),
            ("owner = 1\ntrees = 5\n", "wrong-type: `trees` takes a string or a list of strings, not an integer"),
            ("owner = 1\ntrees = ['']\n", "bad-value: an entry of `trees` cannot be empty"),
            ("owner = 1\nroot = ''\n", "bad-value: `root` cannot be empty"),
            ("owner = 1\nroot = '${'\n", "bad-template: this `${` has no `}`"),
            ("owner = 1\ncount = 10\n", "bad-value: `count` must be from 1 to 9"),
            ("owner = 1\nwait = 0\n", "bad-value: `wait` must be more than zero"),
            ("owner = 1\nkind = 'z'\n", "bad-value: `kind` cannot be \"z\""),
            ("owner = 1\nnames = 'A=B'\n", "bad-name: "),
            (
                "owner = 1\numask = 640\n",
                "bad-value: `umask` is an octal number, and 640 is not written as one | write it as \"0640\" or 0o640"
            ),
            ("owner = 1\numask = '10000'\n", "bad-value: `umask` must be octal digits up to 7777"),
            ("owner = 1\nmodes = {a = '9'}\n", "bad-value: `a` must be octal digits"),
            (
                "owner = 1\nmodes = {a = true}\n",
                "wrong-type: each entry of `modes` is octal digits such as \"0640\", not true"
            ),
            ("owner = 1\nfile = 'a'\n", "wrong-type: `file` takes tables below lines [[options.file]], not a string"),
            ("owner = 1\nfile = [1]\n", "wrong-type: each entry of `file` is a table, not an integer"),
            ("owner = 1\n[[file]]\ncontent = ''\n", "missing-key: [[options.file]] of the plugin sample needs `path`"),
            ("owner = 1\n[[file]]\npath = 'a'\n", "missing-key: [[options.file]] needs one of `content` or `from`"),
            (
                "owner = 1\n[[file]]\npath = 'a'\nfrom = 'b'\ncontent = ''\n",
                "contradiction: `from` cannot stand beside `content` in [[options.file]]"
            ),
            ("owner = 1\n[[file]]\npath = 'a'\ncontent = ''\nmode = '8'\n", "bad-value: `mode` must be octal digits"),
            (
                "owner = 1\n[[file]]\npath = 'a'\ncontent = ''\nmod = '8'\n",
                "unknown-key: there is no key `mod` in [[options.file]]"
            ),
        ])
    func mistakes(text: String, expected: String) {
        let (_, told) = StageKeysTests.read(text)
        if expected.isEmpty {
            #expect(told == [])
        } else {
            #expect(told.count == 1 && told.first?.hasPrefix(expected) == true, "\(told)")
        }
    }

    private struct NotSet: Error {}

    @Test("Variables are put in everywhere, and what has a default is there")
    func values() throws {
        let (templates, told) = StageKeysTests.read(
            """
            owner = "${USER}"
            root = "/${USER}"
            modes = {"${USER}/.env" = "0600", b = 0o4755}
            names = "A"
            [[file]]
            path = "x"
            content = ""
            """)
        #expect(told == [])
        let options = try templates.expand { (template: Template, name: String) throws(NotSet) in
            do throws(ExpansionError) {
                return try template.expand { $0 == "USER" ? [0x75] : nil }
            } catch {
                throw NotSet()
            }
        }
        #expect(options.string("owner") == [0x75] && options.string("root") == [0x2F, 0x75])
        #expect(options.strings("trees") == [[0x61], [0x62]])
        #expect(options.boolean("create") && options.integer("count") == 3)
        #expect(options.duration("wait") == .seconds(60) && options.string("kind") == [0x78])
        let modes = options.modes("modes")
        #expect(modes.map { $0.mode } == [0o600, 0o4755] && modes.first?.path == [UInt8]("u/.env".utf8))
        #expect(options.strings("names") == [[0x41]] && options.mode("umask") == nil)
        let file = try #require(options.tables("file").first)
        #expect(file.mode("mode") == 0o640 && file.string("path") == [0x78] && file.string("content") == nil)
        #expect(file.value("content") != nil && file.value("from") == nil)
    }

    @Test("A variable that is not set is an error of the caller's")
    func unset() {
        let (templates, _) = StageKeysTests.read("owner = '${NOBODY}'\n")
        #expect(throws: NotSet.self) {
            _ = try templates.expand { (_: Template, _: String) throws(NotSet) -> [UInt8] in throw NotSet() }
        }
    }
}
