import ConfigParser
import Runtime
import Testing

@testable import hermes_init

private let span = Span(file: FileID(index: 0), start: 0, end: 0)

private func template(_ text: String) -> Template { Template(literal: text, span: span) }

private func service(_ name: String, _ type: ServiceType = .longrun, _ change: (inout Service) -> Void = { _ in })
    -> Service
{
    var service = Service(name: name)
    service.type = type
    change(&service)
    return service
}

private func references(_ names: String...) -> [Reference] { names.map { Reference(name: $0, span: span) } }

private func plan(_ services: [Service], _ arguments: String...) throws -> Plan {
    var diagnostics: [Diagnostic] = []
    let graph = try #require(Graph.build(services, diagnostics: &diagnostics))
    return Plan(services: services, graph: graph, arguments: arguments.map(utf8))
}

@Suite("The plan")
struct PlanTests {
    @Test("A whole plan: waves, edges, conditions, main program, what is left out")
    func whole() throws {
        var plan = try plan(
            [
                service("dashboard") {
                    $0.requires = references("home")
                    $0.when = [.environmentTrue("HERMES_DASHBOARD"), .tty(false)]
                },
                service("debug") { $0.autostart = false },
                service("home", .oneshot) { $0.requires = references("identity") },
                service("identity", .oneshot),
                service("main", .main) {
                    $0.action = .command([template("hermes")])
                    $0.route = .auto
                    $0.requires = references("home")
                },
            ], "chat", "-q", "two words")
        plan.masked = ["old"]
        plan.holds = { condition in
            if case .environmentTrue = condition { return false }
            return nil
        }
        plan.isExecutable = { _ in false }
        #expect(
            plan.text == """
                4 services start, in 3 waves; 2 do not

                wave 1
                  identity   oneshot
                wave 2
                  home       oneshot  requires identity
                wave 3
                  dashboard  longrun  requires home
                                      only if HERMES_DASHBOARD is true (not so now: skipped)
                                      only if not on a terminal
                  main       main     requires home
                                      after all oneshots

                main program
                  hermes chat -q 'two words'
                    route auto: chat is no executable on PATH

                not started
                  debug      autostart = false, and nothing that starts requires or wants it
                  old        masked: a stronger folder has an empty file, or a link to
                               /dev/null, of this name

                """)
    }

    @Test("Without services only the main program is left")
    func nothing() throws {
        #expect(
            try plan([], "sleep", "1").text == "0 services start\n\nmain program\n  sleep 1\n")
        #expect(
            try plan([]).text == "0 services start\n\nno main program: supervises the services until told to stop\n")
    }

    @Test("A service that another one pulls in says which")
    func pulledIn() throws {
        let text = try plan([
            service("a") {
                $0.requires = references("b")
                $0.wants = references("c")
            },
            service("b") { $0.autostart = false }, service("c") { $0.autostart = false },
        ]).text
        #expect(text.contains("b  longrun  autostart = false, but a requires it\n"))
        #expect(text.contains("c  longrun  autostart = false, but a wants it\n"))
        #expect(text.contains("a  longrun  requires b\n              wants c\n"))
        #expect(text.hasPrefix("3 services start, in 2 waves\n"))
    }

    @Test("before in one file is after in the other")
    func before() throws {
        let text = try plan([service("a"), service("b") { $0.before = references("a") }]).text
        #expect(text.contains("wave 1\n  b  longrun\nwave 2\n  a  longrun  after b\n") == true)
    }

    @Test("Long lists go on underneath, within 80 columns; long names too")
    func wide() throws {
        var services = (0..<40).map { service("service-number-\($0)") }
        let name = String(repeating: "n", count: 64)
        services.append(service(name) { $0.requires = services.map { Reference(name: $0.name, span: span) } })
        let text = try plan(services).text
        #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count <= 80 })
        #expect(text.split(separator: "\n").allSatisfy { $0.last != " " })
        #expect(text.contains("service-number-39\n"))
    }

    @Test(
        "The main program by its route",
        arguments: [
            (Route.append, [], nil, "hermes -x", ""),
            (.append, ["chat"], nil, "hermes -x chat", "append"),
            (.replace, ["sleep", "1"], nil, "sleep 1", "replace"),
            (.replace, [], nil, "hermes -x", ""),
            (.auto, [], true, "hermes -x", ""),
            (.auto, ["bash", "-c"], true, "bash -c", "bash is an executable on PATH"),
            (.auto, ["chat"], false, "hermes -x chat", "chat is no executable on PATH"),
            (.auto, ["--tui"], true, "hermes -x --tui", "--tui begins with \"-\""),
            (.auto, ["chat"], nil, "hermes -x chat", "looked up on PATH at boot"),
        ] as [(Route, [String], Bool?, String, String)])
    func route(route: Route, arguments: [String], isExecutable: Bool?, words: String, reason: String) {
        let main = service("main", .main) {
            $0.action = .command([template("hermes"), template("-x")])
            $0.route = route
        }
        let program = MainProgram(main, arguments: arguments.map(utf8)) { _ in isExecutable }
        #expect(program.words == words)
        #expect(reason.isEmpty ? program.reason.isEmpty : program.reason.contains(reason))
    }

    @Test("A main program without a command of its own is the arguments")
    func noCommand() {
        let program = MainProgram(service("main", .main), arguments: [utf8("a"), utf8("b c")]) { _ in nil }
        #expect(program.words == "a 'b c'" && program.reason.isEmpty)
    }

    @Test("Every condition has its words")
    func conditions() {
        let path = Template(
            parts: [
                .variable(name: "HOME", fallback: .value([.literal(utf8("/root"))]), span: span), .literal(utf8("/a")),
            ],
            span: span)
        let all: [(Condition, String)] = [
            (.environmentTrue("A"), "A is true"), (.environmentSet("A"), "A is set"),
            (.environmentUnset("A"), "A is not set"),
            (.environmentEquals(name: "A", value: "x y"), "A is 'x y'"), (.pathExists(path), "${HOME:-/root}/a exists"),
            (.pathMissing(template("/b")), "/b does not exist"), (.tty(true), "on a terminal"),
            (.tty(false), "not on a terminal"), (.root(true), "the init is root"),
            (.root(false), "the init is not root"),
            (.main([["a"], ["gateway", "run"]]), "the arguments begin with a or gateway run"),
        ]
        for (condition, expected) in all { #expect(words(for: condition) == expected) }
    }

    @Test(
        "Every way to be ready has its words",
        arguments: [
            (Readiness.descriptor(3), "it says so on descriptor 3"), (.systemd, "it says so to NOTIFY_SOCKET"),
            (.log("is up"), "its output holds 'is up'"),
            (.probe(.tcp(literal("127.0.0.1:80"))), "127.0.0.1:80 accepts a connection"),
            (.probe(.unix(literal("/run/db"))), "/run/db accepts a connection"),
            (.probe(.http(literal("http://[::1]/"))), "'http://[::1]/' answers"),
            (.probe(.path(literal("/run/up"))), "/run/up exists"),
            (.probe(.command([literal("pg_isready"), literal("-q")])), "pg_isready -q succeeds"),
        ])
    func readiness(readiness: Readiness, expected: String) { #expect(words(for: readiness) == expected) }

    @Test("Templates are shown as they are written")
    func templates() {
        func show(_ parts: [Template.Part]) -> String { words(for: Template(parts: parts, span: span)) }
        #expect(show([.literal(utf8("a b"))]) == "'a b'")
        #expect(show([.variable(name: "A", fallback: .none, span: span)]) == "${A}")
        #expect(show([.variable(name: "A", fallback: .error("set it"), span: span)]) == "\"${A:?set it}\"")
    }

    @Test("Templates and their instances, and what decided beside autostart")
    func templatesAndReasons() throws {
        var plan = try plan([
            service("dashboard") { $0.autostart = false },
            service("web") { $0.requires = references("db@one") },
            service("db@one") { $0.autostart = false },
            service("db@two"),
        ])
        plan.reasons = [
            "[autostart]: HERMES_DASHBOARD is not set", "", "it was asked down before", "it was asked up before",
        ]
        plan.templates = ["db@", "gateway@"]
        plan.note = "cannot read /s/asked"
        #expect(
            plan.text == """
                3 services start, in 2 waves; 1 does not

                wave 1
                  db@one     longrun  it was asked down before, but web requires it
                  db@two     longrun  it was asked up before
                wave 2
                  web        longrun  requires db@one

                no main program: supervises the services until told to stop

                not started
                  dashboard  [autostart]: HERMES_DASHBOARD is not set, and nothing that starts
                               requires or wants it

                templates
                  db@       2 instances: one, two
                  gateway@  no instance now; hermes-init ctl start gateway@NAME makes one

                note: cannot read /s/asked

                """)
        let json = plan.text(as: .json)
        #expect(json.contains("\"reason\": \"it was asked up before\""))
        #expect(json.contains("\"name\": \"gateway@\""))
    }
}

@Suite("The check")
struct CheckTests {
    @Test("Files without a mistake are counted, exit code 0")
    func clean() {
        var result = ReadResult()
        _ = result.sources.add(path: "/etc/hermes-init.d/a.toml", bytes: [])
        #expect(Check.report(result, graph: [], folders: ConfigurationFolders()) == Answer("1 file, no problems\n"))
        _ = result.sources.add(path: "/etc/hermes-init.d/b.toml", bytes: [])
        #expect(Check.report(result, graph: [], folders: ConfigurationFolders()) == Answer("2 files, no problems\n"))
    }

    @Test("Where there are no files, it says where it looked")
    func noFiles() {
        let folders = ConfigurationFolders(paths: [utf8("a"), utf8("b c")], areRequired: true)
        #expect(Check.report(ReadResult(), graph: [], folders: folders) == Answer("no service files in a or 'b c'\n"))
    }

    @Test("A mistake in a file or between files: exit code 1, all of them shown")
    func mistakes() {
        var result = ReadResult()
        result.diagnostics = [Diagnostic(code: "x", "first mistake")]
        let answer = Check.report(
            result, graph: [Diagnostic(code: "y", "second mistake")], folders: ConfigurationFolders())
        #expect(answer.exitCode == 1 && answer.stream == .standardOutput)
        #expect(answer.text.contains("first mistake") && answer.text.contains("second mistake"))
    }

    @Test("A boot or a plan that mistakes forbid: the same report on standard error, exit code 78")
    func refusal() {
        var result = ReadResult()
        result.diagnostics = [Diagnostic(code: "x", "a mistake")]
        let answer = Check.refusal(result, graph: [])
        #expect(answer?.exitCode == 78 && answer?.stream == .standardError)
        #expect(answer?.text == Check.report(result, graph: [], folders: ConfigurationFolders()).text)
        result.diagnostics = [Diagnostic(.warning, code: "x", "a warning")]
        #expect(Check.refusal(result, graph: []) == nil)
    }

    @Test("Warnings are shown, and keep nothing from booting: exit code 0")
    func warnings() {
        var result = ReadResult()
        result.diagnostics = [Diagnostic(.warning, code: "x", "a warning")]
        let answer = Check.report(result, graph: [], folders: ConfigurationFolders())
        #expect(answer.exitCode == 0 && answer.text.contains("a warning"))
    }
}

private func literal(_ text: String) -> Template {
    Template(literal: text, span: Span(file: FileID(index: 0), start: 0, end: 0))
}
