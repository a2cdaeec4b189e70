import ConfigParser
import Testing

@testable import Runtime

@Suite("Stopping by request, and what is recorded of it")
struct ShutdownTests {
    private func end(_ lab: inout Lab, _ names: [String]) -> [String] {
        for name in names { _ = lab.die(name) }
        return lab.send(.stragglersGone)
    }

    @Test(
        "The exit code is the one that was asked for, else the main program's, else 0",
        arguments: [
            (nil, true, "exit 143"), (5, true, "exit 5"), (0, true, "exit 0"), (nil, false, "exit 0"),
            (7, false, "exit 7"),
        ] as [(Int32?, Bool, String)])
    func code(asked: Int32?, hasMain: Bool, wanted: String) {
        var lab = Lab(hasMain ? [make("web"), make("main", .main)] : [make("web")])
        lab.bootAll()
        #expect(lab.send(.shutdownRequested(code: asked)) == [hasMain ? "SIGTERM main" : "SIGTERM web"])
        #expect(end(&lab, hasMain ? ["main", "web"] : ["web"]) == [wanted])
    }

    @Test("A code that comes while the container stops counts; without one nothing changes")
    func codeLater() {
        var lab = Lab([make("web"), make("main", .main)])
        lab.bootAll()
        #expect(lab.hear(.terminate) == ["SIGTERM main"])
        #expect(lab.send(.shutdownRequested(code: nil)) == [])
        #expect(lab.send(.shutdownRequested(code: 9)) == [])
        #expect(end(&lab, ["main", "web"]) == ["exit 9"])
        #expect(lab.said.contains("stopping (SIGTERM)"))
    }

    @Test("Each change of a state is recorded, in order, where somebody wants to know")
    func changes() {
        var lab = Lab([make("web")])
        lab.core.recordsChanges = true
        lab.bootAll()
        let changes = lab.core.takeChanges()
        #expect(changes.map { $0.to.word } == ["waiting", "starting", "up"])
        #expect(changes.first?.from == .idle)
        #expect(lab.core.takeChanges().isEmpty)
    }

    @Test("Nothing is recorded where nobody does")
    func noChanges() {
        var lab = Lab([make("web")])
        lab.bootAll()
        #expect(lab.core.takeChanges().isEmpty)
    }

    @Test("How far a request reaches")
    func reach() {
        var lab = Lab([
            make("db"), make("web", requires: ["db"]), make("front", requires: ["web"]), make("cron"),
            make("all", .group, requires: ["web", "cron"]), make("more", .group, requires: ["all", "db"]),
        ])
        lab.bootAll()
        func names(_ list: [ServiceID]) -> [String] { list.map { lab.core.services[$0.index].name }.sorted() }
        #expect(names(lab.core.withRequiring([lab.id("db")])) == ["all", "db", "front", "more", "web"])
        #expect(names(lab.core.withRequiring([lab.id("front")])) == ["front"])
        #expect(names(lab.core.processes(behind: lab.id("more"))) == ["cron", "db", "web"])
        #expect(names(lab.core.processes(behind: lab.id("web"))) == ["web"])
        #expect(lab.core.withRequiring([ServiceID(index: 99)]).isEmpty)
        #expect(!lab.core.isToStop(lab.id("web")))
        _ = lab.ask(.stop, "web")
        #expect(lab.core.isToStop(lab.id("web")) && !lab.core.isToStop(lab.id("db")))
    }
}
