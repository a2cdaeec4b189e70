import Testing

@testable import ConfigParser

/// Templates, `remember`, `autostart` as a table, and `[control]`.

@Suite("Templates")
struct InstanceKeyTests {
    private func template(_ text: String, _ others: InputFile...) throws -> ServiceTemplate {
        let result = ConfigurationReader.read([file("gateway@.toml", text)] + others)
        #expect(told(result) == [])
        #expect(result.configuration.services.isEmpty)
        return try #require(result.configuration.templates.first)
    }

    @Test("Every key of [instances] is read, and an instance is the template under another name")
    func everyKey() throws {
        let template = try template(
            """
            command = ["run", "${HERMES_INIT_INSTANCE}"]
            [instances]
            names = ["writer", "0.a_b-c"]
            from = "${HOME:-/opt}/profiles/p-*.d/SOUL.md"
            default = "down"
            remember = true
            """)
        #expect(template.service.name == "gateway@" && template.service.isTemplate)
        #expect(template.instances.names.map(\.name) == ["writer", "0.a_b-c"])
        #expect(expanded(template.instances.from, ["HOME": "/h"]) == "/h/profiles/p-*.d/SOUL.md")
        #expect(!template.instances.startsByDefault && template.service.remember)
        let instance = template.instance("writer")
        #expect(instance.name == "gateway@writer" && !instance.isTemplate && !instance.autostart && instance.remember)
        #expect(
            instanceName(instance.name)?.template == "gateway@" && instanceName(instance.name)?.instance == "writer")
    }

    @Test("Without [instances] a template has none, and its instances start")
    func defaults() throws {
        let template = try template("command = [\"a\"]")
        #expect(template.instances.names.isEmpty && template.instances.from == nil)
        #expect(template.instance("x").autostart && !template.service.remember)
    }

    @Test("Drop-ins and masks are those of any file; a mask takes away one instance, too")
    func layers() throws {
        let over = try template(
            "command = [\"a\"]\n[instances]\nnames = [\"x\"]",
            dropIn("gateway@.toml", "10.toml", "[instances]\nnames = [\"y\"]"))
        #expect(over.instances.names.map(\.name) == ["y"])
        let masked = ConfigurationReader.read([
            file("gateway@.toml", "command = [\"a\"]"), mask("gateway@.toml"), mask("web@blue.toml"),
        ])
        #expect(told(masked) == [] && masked.configuration.templates.isEmpty)
        #expect(masked.configuration.maskedNames == ["gateway@", "web@blue"])
    }

    @Test("A template can have the defaults of init.toml, and is shown with its table")
    func inspected() {
        var shown: [String] = []
        let result = ConfigurationReader.read([
            file("web.toml", "command = [\"a\"]"), file("b@.toml", "command = [\"a\"]"),
            file("init.toml", "[restart]\ndelay = \"7s\""),
        ]) { service, table, isSound in shown.append("\(service.name) \(table.entries.count) \(isSound)") }
        #expect(shown == ["b@ 1 true", "web 1 true"])
        #expect(result.configuration.templates.first?.service.restart.delay == .seconds(7))
    }

    @Test(
        "A mistake of a template is told with its place and its remedy",
        arguments: [
            Bad.line("[instances]\nname = []", "unknown-key", "name", "`names`"),
            Bad.line("[instances]\nnames = \"a\"", "wrong-type", "\"a\"", "[\"a\"]"),
            Bad.line("[instances]\nnames = [\"A\"]", "bad-name", "\"A\"", "behind the @"),
            Bad.line("[instances]\nnames = [\"web@a\"]", "bad-name", "\"web@a\"", "behind the @"),
            Bad.line("[instances]\nnames = [\"\"]", "bad-name", "\"\"", "behind the @"),
            Bad.line(
                "[instances]\nnames = [\"\(String(repeating: "a", count: 61))\"]", "bad-name",
                "\"\(String(repeating: "a", count: 61))\"", "behind the @"),
            Bad.line("[instances]\nnames = [\"a\", \"a\"]", "duplicate-name", "\"a\"", "one of them"),
            Bad.line("[instances]\nfrom = \"/a/b\"", "bad-value", "\"/a/b\"", "a *"),
            Bad.line("[instances]\nfrom = \"/a/*/*\"", "bad-value", "\"/a/*/*\"", "keep the one"),
            Bad.line("[instances]\nfrom = \"/a/**\"", "bad-value", "\"/a/**\"", "keep the one"),
            Bad.line("[instances]\nfrom = \"/${A:-*}/b\"", "bad-value", "\"/${A:-*}/b\"", "outside"),
            Bad.line("[instances]\nfrom = \"/${A:-*}/*\"", "bad-value", "\"/${A:-*}/*\"", "keep the one"),
            Bad.line("[instances]\nfrom = \"a/*\"", "bad-value", "\"a/*\"", "/"),
            Bad.line("[instances]\nfrom = \"${A:-a}/*\"", "bad-value", "\"${A:-a}/*\"", "/"),
            Bad.line("[instances]\nfrom = \"\"", "bad-value", "\"\""),
            Bad.line("[instances]\ndefault = \"on\"", "bad-value", "\"on\"", "\"up\" or \"down\""),
            Bad.line("remember = true\n[instances]\nremember = false", "contradiction", "false", "one of them"),
            Bad.line("autostart = false\n[instances]\ndefault = \"up\"", "contradiction", "default", "one of the two"),
            Bad("type = \"main\"\ncommand = [\"a\"]", "contradiction", "\"main\"", "without @"),
            Bad.line("requires = [\"web@\"]", "bad-name", "\"web@\""),
        ])
    func mistake(bad: Bad) { bad.check(as: "web@.toml") }

    @Test(
        "A mistake of a plain service that speaks of templates",
        arguments: [
            Bad.line("[instances]\nnames = [\"a\"]", "contradiction", "instances", "name the file web@.toml"),
            Bad.line("requires = [\"a@B\"]", "bad-name", "\"a@B\"", "\"a@b\""),
            Bad.line("requires = [\"a@b@c\"]", "bad-name", "\"a@b@c\"", "\"a@b-c\""),
            Bad.line("wants = [\"@b\"]", "bad-name", "\"@b\""),
            Bad.line("autostart = 3", "wrong-type", "3", "[autostart]"),
            Bad.line("[autostart]\nmain-no = [\"a\"]", "unknown-key", "main-no", "`main-not`"),
            Bad.line("[autostart]\npath-exist = \"/a\"", "unknown-key", "path-exist", "`path-exists`"),
            Bad("type = \"main\"\nautostart = { root = true }", "contradiction", "{ root = true }", "take"),
            Bad("type = \"main\"\nremember = true", "contradiction", "true", "take `remember` out"),
        ])
    func plain(bad: Bad) { bad.check(as: "web.toml") }

    @Test("Services can name instances, and remember without being one")
    func references() throws {
        let service = try service("command = [\"a\"]\nrequires = [\"db@main\"]\nafter = [\"a@b\"]\nremember = true")
        #expect(service.requires.map(\.name) == ["db@main"] && service.after.map(\.name) == ["a@b"] && service.remember)
    }

    @Test("[autostart] has the keys of [when], and leaves autostart true")
    func autostart() throws {
        let service = try service("command = [\"a\"]\n[autostart]\nenv = \"A\"\nroot = true")
        #expect(service.autostart && service.autostartWhen.count == 2 && service.when.isEmpty)
        #expect(try self.service("autostart = true").autostartWhen.isEmpty)
        #expect(try !self.service("autostart = false").autostart)
    }

    private func service(_ line: String) throws -> Service {
        try ConfigParserTests.service(line.contains("command") ? line : "command = [\"a\"]\n" + line)
    }

    @Test(
        "A template named after the main program or the settings is refused", arguments: ["main@.toml", "init@.toml"])
    func reserved(name: String) {
        let result = ConfigurationReader.read([file(name, "command = [\"a\"]")])
        #expect(told(result) == ["bad-name: "] && result.configuration.templates.isEmpty)
    }

    @Test("A name of 64 bytes is one, a longer one is none")
    func longest() {
        let stem = String(repeating: "a", count: 60) + "@"
        #expect(reasonAgainst(instance: "abc", of: stem) == nil)
        #expect(reasonAgainst(instance: "abcd", of: stem) == "with \(stem), it is longer than 64 bytes")
        #expect(isServiceName(stem + "abc") && !isServiceName(stem + "abcd") && !isServiceName(stem))
    }
}

@Suite("[control] and state-directory")
struct ControlKeyTests {
    private func settings(_ text: String) -> Settings {
        let result = ConfigurationReader.read([file("init.toml", text)])
        #expect(told(result) == [])
        return result.configuration.settings
    }

    @Test("Every key is read")
    func everyKey() {
        let settings = settings(
            """
            state-directory = "/data/state"
            [control]
            mode = "operators"
            http = "[::1]:9464"
            operators = ["admin", 1000, { group = "ops" }, { user = 7, services = ["gateway@*", "web"] }]
            """)
        #expect(settings.stateDirectory == "/data/state")
        #expect(settings.control.mode == .operators && settings.control.http == "[::1]:9464")
        let told = settings.control.operators.map { "\($0.user ?? "-") \($0.group ?? "-") \($0.services)" }
        #expect(told == ["admin - []", "1000 - []", "- ops []", "7 - [\"gateway@*\", \"web\"]"])
    }

    @Test("Operators can be written below lines of their own")
    func tables() {
        let control = settings("[[control.operators]]\nuser = \"a\"\n[[control.operators]]\ngroup = \"b\"\n").control
        #expect(control.operators.map(\.user) == ["a", nil] && control.mode == .status && control.http == nil)
        #expect(settings("[control]\nmode = \"off\"").control.mode == .off)
        #expect(settings("").stateDirectory == "/var/lib/hermes-init")
    }

    @Test(
        "A mistake is told with its place and its remedy",
        arguments: [
            Bad("state-directory = \"state\"", "bad-value", "\"state\"", "begin it with /"),
            Bad("[control]\nmode = \"all\"", "bad-value", "\"all\"", "\"status\""),
            Bad("[control]\nhttp = 9464", "wrong-type", "9464"),
            Bad("[control]\nhttp = \"localhost:9464\"", "bad-value", "\"localhost:9464\"", "127.0.0.1:9464"),
            Bad("[control]\nhttp = \"1.2.3:80\"", "bad-value", "\"1.2.3:80\"", "127.0.0.1:9464"),
            Bad("[control]\nhttp = \"1.2.3.256:80\"", "bad-value", "\"1.2.3.256:80\"", "127.0.0.1:9464"),
            Bad("[control]\nhttp = \"127.0.0.1\"", "bad-value", "\"127.0.0.1\"", "127.0.0.1:9464"),
            Bad("[control]\nhttp = \"127.0.0.1:0\"", "bad-value", "\"127.0.0.1:0\"", "127.0.0.1:9464"),
            Bad("[control]\nhttp = \"0.0.0.0:80\"", "open-address", "\"0.0.0.0:80\"", "127.0.0.1"),
            Bad("[control]\nhttp = \"[::]:80\"", "open-address", "\"[::]:80\"", "127.0.0.1"),
            Bad("[control]\noperators = \"a\"", "wrong-type", "\"a\"", "in brackets"),
            Bad("[control]\noperators = [true]", "wrong-type", "true", "a user or a table"),
            Bad("[control]\noperators = [\"\"]", "bad-value", "\"\"", "a name"),
            Bad("[control]\noperators = [\"${A}\"]", "bad-value", "\"${A}\"", "the name"),
            Bad("[control]\noperators = [{}]", "missing-key", "{}", "who it is"),
            Bad("[control]\noperators = [{ usr = \"a\" }]", "unknown-key", "usr", "`user`"),
            Bad("[control]\noperators = [{ user = \"a\", group = \"b\" }]", "contradiction", "\"b\"", "two operators"),
            Bad(
                "[control]\noperators = [{ user = \"a\", services = [] }]", "bad-value", "services",
                "take `services` out"),
            Bad("[control]\nmode = \"off\"\noperators = [\"a\"]", "contradiction", "operators", "one of the two"),
        ])
    func mistake(bad: Bad) { bad.check(as: "init.toml") }

    @Test("A pattern that no service can match is refused, and does not widen what is allowed")
    func pattern() {
        let text = "[control]\noperators = [{ user = \"a\", services = [\"A\"] }]"
        let result = ConfigurationReader.read([file("init.toml", text)])
        #expect(told(result) == ["bad-value: services", "bad-value: \"A\""])
        #expect(result.configuration.settings.control.operators.isEmpty)
    }
}
