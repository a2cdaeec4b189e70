import ConfigParser
import Testing

@testable import Runtime

@Suite("The graph")
struct GraphTests {
    static func mistakes(_ services: [Service], masked: [String] = []) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        let graph = Graph.build(services, masked: masked, diagnostics: &diagnostics)
        #expect((graph == nil) == !diagnostics.isEmpty)
        return diagnostics
    }

    @Test("A missing name in requires or wants is a mistake with a near name; in after and before it is none")
    func missing() {
        let web = make("web", requires: ["databse"], wants: ["mail"], after: ["x"], before: ["y"])
        let mistakes = Self.mistakes([web, make("database")])
        #expect(
            mistakes.map(\.title) == [
                "web requires \"databse\", but there is no such service",
                "web wants \"mail\", but there is no such service",
            ])
        #expect(mistakes.first?.help == "did you mean \"database\"?")
        #expect(mistakes.allSatisfy { $0.primary != nil && $0.code == "graph-missing-service" })
    }

    @Test("A name that is masked, and the main program that is not there, are called so")
    func maskedAndMain() {
        let mistakes = Self.mistakes([make("web", requires: ["db", "main"])], masked: ["db"])
        #expect(mistakes.first?.notes.first?.contains("masked") == true)
        #expect(mistakes.last?.help?.hasPrefix("main is the container's main program") == true)
    }

    @Test("A circle is shown whole, each arrow with its place, from its first service")
    func cycle() {
        let circle = Self.mistakes([
            make("web", requires: ["api"]), make("api", wants: ["db"]), make("db", after: ["mail"]),
            make("mail"),
            make("last", before: ["mail"], change: { $0.after = [Reference(name: "web", span: nowhere)] }),
        ])
        #expect(circle.count == 1)
        #expect(circle.first?.title == "web can never start: it waits for itself by way of api, db, mail, last")
        let labels = ([circle.first?.primary].compactMap { $0 } + (circle.first?.context ?? [])).map(\.text)
        #expect(
            labels == [
                "web requires api", "api wants db", "db is after mail", "last is before mail", "last is after web",
            ])
    }

    @Test("One that waits for itself, and each of two circles, is told once")
    func cycles() {
        let mistakes = Self.mistakes([
            make("a", after: ["a"]), make("b", requires: ["c"]), make("c", requires: ["b", "a"]), make("d"),
        ])
        #expect(
            mistakes.map(\.title) == ["a waits for itself", "b can never start: it waits for itself by way of c"])
    }

    @Test("A chain and a circle of ten thousand are no trouble")
    func large() {
        let count = 10_000
        var services = (0..<count).map { make("s\($0)", requires: $0 == 0 ? [] : ["s\($0 - 1)"]) }
        #expect(Self.mistakes(services).isEmpty)
        services[0].requires = [Reference(name: "s\(count - 1)", span: nowhere)]
        let mistakes = Self.mistakes(services)
        #expect(mistakes.count == 1)
        #expect(mistakes.first?.context.count == count - 1)
    }

    @Test("The plan: waves, and why each boots")
    func plan() throws {
        let idle = { (service: inout Service) in service.autostart = false }
        let services = [
            make("main", .main, requires: ["api"]), make("api", wants: ["db"], change: idle),
            make("db", change: idle), make("seed", .oneshot), make("spare", change: idle),
            make("side", after: ["main", "spare"]),
        ]
        var diagnostics: [Diagnostic] = []
        let graph = try #require(Graph.build(services, diagnostics: &diagnostics))
        let names = graph.waves.map { $0.map { services[$0.index].name } }
        #expect(names == [["db", "seed"], ["api"], ["main"], ["side"]])
        let id = { ServiceID(index: $0) }
        let reasons: [BootReason] = [
            .main, .requiredBy(id(0)), .wantedBy(id(1)), .autostart, .notStarted, .autostart,
        ]
        #expect(graph.reasons == reasons)
        #expect(graph.main == id(0))
    }
}
