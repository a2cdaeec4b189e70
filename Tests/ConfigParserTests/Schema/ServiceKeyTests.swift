/// Every key of the top of a service file: what it gives, and what it refuses.

import ConfigParser
import Testing

@Suite("The keys of a service file")
struct ServiceKeyTests {
    @Test("A file with nothing but a command is a longrun with every default")
    func defaults() throws {
        let service = try service("command = [\"sleep\", \"60\"]")
        #expect(service.name == "web" && service.type == .longrun && service.description == "")
        #expect(service.autostart && !service.optional && !service.essential && !service.environmentClear)
        #expect(service.requires.isEmpty && service.wants.isEmpty && service.after.isEmpty && service.before.isEmpty)
        #expect(service.when.isEmpty && service.environment.isEmpty && service.environmentFiles.isEmpty)
        #expect(service.user == nil && service.group == nil && service.groups == nil && service.directory == nil)
        #expect(service.umask == nil && service.stdin == .null && service.route == .append)
        #expect(
            service.restart.policy == .always && service.restart.delay == .seconds(1) && service.restart.factor == 2)
        #expect(service.restart.maxDelay == .seconds(30) && service.restart.jitter == 0.1)
        #expect(service.restart.resetAfter == .seconds(60) && service.restart.limit == nil)
        #expect(service.restart.successCodes == [.code(0)] && service.restart.neverAfter == [])
        #expect(service.stop.signal == .terminate && !service.stop.signalIsExplicit && service.stop.command == nil)
        #expect(service.stop.timeout == .seconds(10))
        guard case .command(let words) = service.action else {
            Issue.record("no command")
            return
        }
        #expect(words.map { literal($0) } == ["sleep", "60"])
    }

    @Test("Every key is read")
    func everyKey() throws {
        let service = try service(
            """
            description = "A web server"
            type = "oneshot"
            script = "echo hello"
            autostart = false
            optional = true
            requires = ["a", "b"]
            wants = ["c"]
            after = ["d"]
            before = ["e"]
            user = "www-data"
            group = 33
            groups = ["video", 1000]
            directory = "/srv/${SITE:-main}"
            umask = "027"
            stdin = "inherit"
            environment-files = ["/etc/web.env", "-/run/web.env"]
            environment-clear = true

            [environment]
            NAME = "value"
            NUMBER = 12
            YES = true
            NO = false
            """)
        #expect(service.description == "A web server" && service.type == .oneshot)
        #expect(!service.autostart && service.optional && service.environmentClear)
        #expect(service.requires.map(\.name) == ["a", "b"] && service.wants.map(\.name) == ["c"])
        #expect(service.after.map(\.name) == ["d"] && service.before.map(\.name) == ["e"])
        #expect(literal(service.user) == "www-data" && literal(service.group) == "33")
        #expect(service.groups?.map { literal($0) } == ["video", "1000"])
        #expect(expanded(service.directory) == "/srv/main" && service.umask == 0o027 && service.stdin == .inherit)
        #expect(service.environmentFiles.map { literal($0.path) } == ["/etc/web.env", "/run/web.env"])
        #expect(service.environmentFiles.map(\.mayBeMissing) == [false, true])
        #expect(service.environment.map(\.name) == ["NAME", "NUMBER", "YES", "NO"])
        #expect(service.environment.map { literal($0.value) } == ["value", "12", "true", nil])
        guard case .script(let text, _) = service.action else {
            Issue.record("no script")
            return
        }
        #expect(text == "echo hello")
    }

    @Test("A plugin is a oneshot, with its options as they stand")
    func plugin() throws {
        let service = try service("plugin = \"chown\"\n[options]\nowner = \"a\"\ntrees = [\"/b\"]\n")
        #expect(service.type == .oneshot && service.restart.policy == .never)
        guard case .plugin(let name, let options) = service.action else {
            Issue.record("no plugin")
            return
        }
        #expect(name.name == "chown" && options.entries.map(\.key) == ["owner", "trees"])
    }

    @Test("A group has no process")
    func group() throws {
        let service = try service("type = \"group\"\nrequires = [\"a\"]\n[when]\ntty = true\n")
        #expect(service.type == .group)
        guard case .nothing = service.action else {
            Issue.record("a group that does something")
            return
        }
    }

    @Test("The main program inherits standard input and may do without a command")
    func main() throws {
        let bare = try service("type = \"main\"", name: "main")
        #expect(bare.type == .main && bare.stdin == .inherit && bare.restart.policy == .never)
        let auto = try service("type = \"main\"\nroute = \"auto\"\ncommand = [\"hermes\"]", name: "main")
        #expect(auto.route == .auto)
        #expect(try service("type = \"main\"\nroute = \"replace\"").route == .replace)
    }

    @Test(
        "A umask is octal, in a string or as an integer",
        arguments: [
            ("\"022\"", 0o022), ("\"0022\"", 0o022), ("\"22\"", 0o022), ("\"0\"", 0), ("0", 0), ("0o027", 0o027),
            ("0o0", 0), ("\"777\"", 0o777),
        ])
    func umask(text: String, mask: UInt32) throws {
        #expect(try service("command = [\"a\"]\numask = \(text)").umask == mask)
    }

    @Test(
        "A mistake at a key is told with its place and its remedy",
        arguments: [
            Bad.line("autostrat = true", "unknown-key", "autostrat", "did you mean `autostart`?"),
            Bad.line("policy = \"always\"", "unknown-key", "policy", "a key of [restart]"),
            Bad.line("shutdown-timeout = 3", "unknown-key", "shutdown-timeout", "a key of init.toml"),
            Bad.line("colour = 3", "unknown-key", "colour", "the keys here are description, type"),
            Bad.line("\"\" = 3", "unknown-key", "\"\"", "the keys here are"),
            Bad.line("control.operators = []", "unknown-key", "control"),
            Bad.line("[restrat]", "unknown-key", "restrat", "`restart`"),
            Bad.line("autostart = \"yes\"", "wrong-type", "\"yes\"", "true or false"),
            Bad.line("autostart = 1", "wrong-type", "1", "true or false"),
            Bad.line("description = 1", "wrong-type", "1", "quotes"),
            Bad.line("description = \"a\\nb\"", "bad-value", "\"a\\nb\"", "comment"),
            Bad.line("requires = \"db\"", "wrong-type", "\"db\"", "[\"db\"]"),
            Bad.line("requires = [1]", "wrong-type", "1", "quotes"),
            Bad.line("requires = [\"Db\"]", "bad-name", "\"Db\"", "\"db\""),
            Bad.line("requires = [\"\"]", "bad-name", "\"\""),
            Bad.line("requires = [\"a b\"]", "bad-name", "\"a b\"", "\"a-b\""),
            Bad.line("wants = [\"a\", \"b\", \"a\"]", "duplicate-name", "\"a\"", "one of them"),
            Bad.line("after = [\"web\"]", "contradiction", "\"web\"", "take it out"),
            Bad.line("type = \"oneshoot\"", "bad-value", "\"oneshoot\"", "did you mean \"oneshot\"?"),
            Bad.line("type = \"daemon\"", "bad-value", "\"daemon\"", "\"longrun\", \"oneshot\", \"main\" or \"group\""),
            Bad.line("stdin = \"tty\"", "bad-value", "\"tty\"", "\"null\" or \"inherit\""),
            Bad.line("user = \"a:b\"", "bad-value", "\"a:b\"", "user = \"a\" and group = \"b\""),
            Bad.line("user = \"\"", "bad-value", "\"\""),
            Bad.line("user = -1", "bad-value", "-1", "4294967294"),
            Bad.line("user = 4294967295", "bad-value", "4294967295"),
            Bad.line("user = true", "wrong-type", "true"),
            Bad.line("groups = \"video\"", "wrong-type", "\"video\""),
            Bad.line("groups = [true]", "wrong-type", "true"),
            Bad.line("directory = \"\"", "bad-value", "\"\""),
            Bad.line("directory = \"/a\\u0000b\"", "bad-value", "\"/a\\u0000b\"", "\\u0000"),
            Bad.line("directory = \"/${A-b}\"", "bad-template", "${A-b}", "${A:-default}"),
            Bad.line("umask = 22", "bad-value", "22", "\"022\" or 0o22"),
            Bad.line("umask = 18", "bad-value", "18", "\"022\" or 0o022"),
            Bad.line("umask = \"028\"", "bad-value", "\"028\"", "0o022"),
            Bad.line("umask = \"1000\"", "bad-value", "\"1000\""),
            Bad.line("umask = 0o1000", "bad-value", "0o1000"),
            Bad.line("umask = \"\"", "bad-value", "\"\""),
            Bad.line("environment-files = \"/a\"", "wrong-type", "\"/a\"", "[\"/a\"]"),
            Bad.line("environment-files = [\"-\"]", "bad-value", "\"-\"", "path"),
            Bad.line("environment-files = [\"\"]", "bad-value", "\"\""),
            Bad.line("environment = [\"A=b\"]", "wrong-type", "[\"A=b\"]", "[environment]"),
            Bad.line("[environment]\nA = 1.5", "wrong-type", "1.5", "quotes"),
            Bad.line("[environment]\nA = [1]", "wrong-type", "[1]"),
            Bad.line("[environment]\nA.B = 1", "wrong-type", "A", "dot"),
            Bad.line("[environment]\n\"A=B\" = 1", "bad-name", "\"A=B\""),
            Bad.line("[environment]\n\"\" = 1", "bad-name", "\"\""),
            Bad.line("[environment]\nA = \"a\\u0000\"", "bad-value", "\"a\\u0000\""),
            Bad.line("restart = \"always\"", "wrong-type", "\"always\"", "[restart]"),
        ])
    func mistake(bad: Bad) { bad.check(as: "web.toml") }

    @Test(
        "A mistake in what runs is told",
        arguments: [
            Bad("command = \"sleep 60\"", "wrong-type", "\"sleep 60\"", "[\"sleep\", \"60\"]"),
            Bad("command = \"a && b\"", "wrong-type", "\"a && b\"", "`script`"),
            Bad("command = []", "bad-value", "[]", "program"),
            Bad("command = [\"\", \"a\"]", "bad-value", "\"\"", "PATH"),
            Bad("command = [\"sleep\", 60]", "wrong-type", "60", "quotes"),
            Bad("command = [\"a\", \"${B\"]", "bad-template", "${B", "$${"),
            Bad("command = [\"a\\u0000\"]", "bad-value", "\"a\\u0000\""),
            Bad("script = \" \\n\"", "bad-value", "\" \\n\""),
            Bad("script = [\"a\"]", "wrong-type", "[\"a\"]", "quotes"),
            Bad("plugin = \"\"", "bad-value", "\"\""),
            Bad("# nothing\n", "missing-key", "", "command"),
            Bad("type = \"oneshot\"", "missing-key", "\"oneshot\"", "group"),
        ])
    func action(bad: Bad) { bad.check(as: "web.toml") }

    @Test(
        "What cannot stand together is told, with both places",
        arguments: [
            Bad("command = [\"a\"]\nscript = \"b\"", "contradiction", "script", "keep one"),
            Bad("plugin = \"a\"\ncommand = [\"b\"]", "contradiction", "plugin", "keep one"),
            Bad("plugin = \"a\"\nscript = \"b\"", "contradiction", "plugin", "keep one"),
            Bad("plugin = \"a\"\ntype = \"longrun\"", "contradiction", "\"longrun\"", "`type`"),
            Bad("plugin = \"a\"\ntype = \"main\"", "contradiction", "\"main\"", "`type`"),
            Bad("type = \"group\"\ncommand = [\"a\"]", "contradiction", "command", "group"),
            Bad("type = \"group\"\nuser = \"a\"", "contradiction", "user", "group"),
            Bad("type = \"group\"\nessential = true", "contradiction", "essential"),
            Bad("type = \"group\"\n[restart]\nlimit = 1", "contradiction", "restart"),
            Bad("type = \"group\"\n[stop]\ntimeout = 1", "contradiction", "stop"),
            Bad("type = \"group\"\n[environment]\nA = 1", "contradiction", "environment"),
            Bad(
                "type = \"oneshot\"\ncommand = [\"a\"]\nroute = \"auto\"", "contradiction", "route", "take `route` out"),
            Bad("type = \"main\"\nautostart = false", "contradiction", "false"),
            Bad(
                "type = \"oneshot\"\ncommand = [\"a\"]\n[restart]\npolicy = \"always\"", "contradiction", "\"always\"",
                "on-failure"),
            Bad("command = [\"a\"]\noptional = true\nessential = true", "contradiction", "true"),
        ])
    func contradiction(bad: Bad) {
        bad.check(as: "web.toml")
        let result = ConfigurationReader.read([file("web.toml", bad.text)])
        if !bad.text.contains("autostart") && !bad.text.contains("always") {
            #expect(result.diagnostics.first?.context.isEmpty == false)
        }
    }

    @Test("Options without a plugin, and a route without a type, are told")
    func lonelyKeys() {
        Bad("command = [\"a\"]\n[options]\nb = 1", "contradiction", "options", "plugin = ").check(as: "web.toml")
        Bad("route = \"auto\"\ncommand = [\"a\"]", "contradiction", "route", "type = \"main\"").check(as: "main.toml")
    }

    @Test("A main.toml that does not say its type is warned of")
    func mainWithoutType() {
        let result = ConfigurationReader.read([file("main.toml", "command = [\"a\"]")])
        #expect(told(result) == ["main-without-type: "])
        #expect(result.diagnostics.first?.severity == .warning)
    }

    @Test(
        "A misspelt key or type is told once, without what would follow from it",
        arguments: [
            Bad("comand = [\"a\"]", "unknown-key", "comand", "`command`"),
            Bad("scrpt = \"a\"", "unknown-key", "scrpt", "`script`"),
            Bad("type = \"grup\"\nrequires = [\"a\"]", "bad-value", "\"grup\"", "\"group\""),
            Bad("type = \"mian\"\nroute = \"auto\"", "bad-value", "\"mian\"", "\"main\""),
            Bad("tpye = \"main\"\nroute = \"auto\"", "unknown-key", "tpye", "`type`"),
            Bad("type = 1\nplugin = \"a\"", "wrong-type", "1"),
            Bad("plugn = \"a\"\n[options]\nb = 1", "unknown-key", "plugn", "`plugin`"),
        ])
    func noConsequences(bad: Bad) { bad.check(as: "web.toml") }

    @Test("A second main program is told, with the first beside it")
    func twoMains() throws {
        let result = ConfigurationReader.read([
            file("main.toml", "type = \"main\""), file("other.toml", "type = \"main\" # too"),
        ])
        #expect(told(result) == ["duplicate-main: \"main\""])
        let diagnostic = try #require(result.diagnostics.first)
        #expect(diagnostic.primary?.span.file != diagnostic.context.first?.span.file)
        #expect(marked(diagnostic.context.first?.span, result) == "\"main\"")
    }

    @Test("A name that stands twice is told once for each repetition, in a long list too")
    func longList() {
        let names = (0..<20).map { "\"s\($0)\"" } + ["\"s3\"", "\"s3\""]
        let result = ConfigurationReader.read([
            file("web.toml", "command = [\"a\"]\nrequires = [\(names.joined(separator: ","))]")
        ])
        #expect(told(result) == ["duplicate-name: \"s3\"", "duplicate-name: \"s3\""])
        #expect(result.configuration.services.first?.requires.count == 20)
    }

    @Test("Every mistake of a file is told in one go, in the order of the file")
    func allAtOnce() {
        let result = ConfigurationReader.read([
            file(
                "web.toml", "typ = 1\nautostart = 2\ncommand = []\n[stop]\nsignal = \"SIGTREM\"\n[restart]\nlimit = 0\n"
            )
        ])
        #expect(
            told(result) == [
                "unknown-key: typ", "wrong-type: 2", "bad-value: []", "bad-value: \"SIGTREM\"", "bad-value: 0",
            ])
    }

    @Test("A file of a hundred thousand unknown keys gives a bounded report")
    func manyMistakes() {
        var text = "command = [\"a\"]\n"
        for number in 0..<50_000 { text += "k\(number)=1\n" }
        let result = ConfigurationReader.read([file("web.toml", text)])
        #expect(result.diagnostics.count == 101)
        #expect(result.diagnostics.last?.code == "too-many-mistakes")
    }
}
