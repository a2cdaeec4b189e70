import ConfigParser
import Runtime
import Testing

@testable import hermes_init

@Suite("The plan for programs")
struct PlanFormatTests {
    /// A main program that requires a service with a condition, which waits for a oneshot.
    static func plan(holds: Bool?) throws -> Plan {
        let span = Span(file: FileID(index: 0), start: 0, end: 0)
        var home = Service(name: "home")
        home.type = .oneshot
        var main = Service(name: "main")
        main.type = .main
        main.action = .command([Template(literal: "hermes", span: span)])
        main.requires = [Reference(name: "web", span: span)]
        var web = Service(name: "web")
        web.after = [Reference(name: "home", span: span)]
        web.when = [.tty(true)]
        let services = [home, main, web]
        var diagnostics: [Diagnostic] = []
        let graph = try #require(Graph.build(services, diagnostics: &diagnostics))
        var plan = Plan(services: services, graph: graph, masked: ["old"], arguments: [utf8("a b")])
        plan.holds = { _ in holds }
        return plan
    }

    @Test("dot: boxes by wave, arrows to what is waited for, a skipped one dashed")
    func dot() throws {
        #expect(
            try PlanFormatTests.plan(holds: false).text(as: .dot) == """
                digraph "hermes-init" {
                  rankdir=RL
                  node [shape=box]
                  { rank=same
                    s0 [label="home" shape=ellipse]
                  }
                  { rank=same
                    s2 [label="web" style=dashed]
                  }
                  { rank=same
                    s1 [label="main" peripheries=2]
                  }
                  s2 -> s0 [label="after" style=dotted]
                  s1 -> s2 [label="requires"]
                  s1 -> s0 [label="oneshot" style=dotted]
                }

                """)
    }

    @Test("mermaid: the same as a flowchart")
    func mermaid() throws {
        #expect(
            try PlanFormatTests.plan(holds: false).text(as: .mermaid) == """
                flowchart RL
                  s0(["home"])
                  s2["web"]:::skipped
                  s1[["main"]]
                  s2 -.->|after| s0
                  s1 -->|requires| s2
                  s1 -.->|oneshot| s0
                  classDef skipped stroke-dasharray: 5 5

                """)
    }

    @Test("JSON: whether a condition holds is true, false or not known", arguments: [true, false, nil])
    func json(holds: Bool?) throws {
        let text = try PlanFormatTests.plan(holds: holds).text(as: .json)
        let word = holds.map { $0 ? "true" : "false" } ?? "null"
        #expect(text.contains("\"only-if\": \"on a terminal\",\n          \"holds\": \(word)\n"))
        #expect(text.contains("\"skipped\": true") == (holds == false))
        #expect(text.contains("\"masked\": [\n    \"old\"\n  ]"))
        #expect(text.contains("\"command\": [\n      \"hermes\",\n      \"a b\"\n    ]"))
        #expect(text.contains("\"shown\": \"hermes 'a b'\""))
    }

    @Test("text is the plan for people")
    func text() throws {
        let plan = try PlanFormatTests.plan(holds: false)
        #expect(plan.text(as: .text) == plan.text)
    }
}
