import ConfigParser
import Testing

@testable import Runtime

/// Another configuration while the container runs, as short stories.
@Suite("Reconfiguration")
struct ReconfigureTests {
    /// The bench with a second set of services.
    struct Bench {
        var lab: Lab
        init(_ services: [Service], settings: Settings = Settings()) { lab = Lab(services, settings: settings) }

        /// Applies the set, as the driver does; `unstarted` are made known only.
        mutating func become(_ new: [Service], unstarted: [String] = []) -> [String] {
            let old = lab.core.services.indices.map {
                lab.core.definition(of: ServiceID(index: $0)) ?? Service.vacant
            }
            let leaving = old.indices.map { lab.core.isLeaving(ServiceID(index: $0)) }
            let difference = Difference(old: old, isLeaving: leaving, new: new, environment: ([], []))
            var diagnostics: [Diagnostic] = []
            guard let graph = Graph.build(difference.services, diagnostics: &diagnostics) else {
                return diagnostics.map(\.title)
            }
            var change = Reconfiguration(services: difference.services, graph: graph, settings: lab.core.settings)
            change.restarted = difference.restarted
            change.rechecked = difference.rechecked
            change.changed = difference.changed
            for id in difference.added
            where graph.boots(id) && !unstarted.contains(difference.services[id.index].name) { change.added.append(id) }
            for index in old.indices where !old[index].isVacant && !leaving[index] {
                let id = ServiceID(index: index)
                if graph.boots(id) && !lab.core.graph.boots(id) { change.added.append(id) }
            }
            for (index, service) in difference.services.enumerated() where !service.isVacant {
                while lab.services.count <= index { lab.services.append(Service.vacant) }
                lab.services[index] = service
            }
            lab.said = []
            return lab.send(.reconfigured(change))
        }
    }

    func other(_ service: Service) -> Service {
        var other = service
        other.umask = 0o77
        return other
    }

    @Test("What is new starts, what is gone stops and is forgotten, what is the same is not touched")
    func comesAndGoes() {
        var bench = Bench([make("a"), make("b")])
        bench.lab.bootAll()
        #expect(bench.become([make("a"), make("c")]) == ["SIGTERM b", "spawn c"])
        #expect(bench.lab.said == ["b: removed", "c: added"])
        #expect(bench.lab.exit("b") == ["SIGKILL group of b", "forget b"])
        #expect(bench.lab.core.report(of: ServiceID(index: 1)) == nil)
        // The slot is for another now.
        #expect(bench.become([make("a"), make("c"), make("d")]) == ["spawn d"])
        #expect(bench.lab.id("d").index == 1)
        #expect(bench.lab.state("a") == "up")
    }

    @Test("A slot is used again however often: nothing grows")
    func slots() {
        var bench = Bench([make("a")])
        bench.lab.bootAll()
        for number in 0..<1000 {
            #expect(bench.become([make("a"), make("x\(number)")]) == ["spawn x\(number)"])
            _ = bench.lab.up("x\(number)")
            #expect(bench.become([make("a")]) == ["SIGTERM x\(number)"])
            #expect(bench.lab.exit("x\(number)") == ["SIGKILL group of x\(number)", "forget x\(number)"])
        }
        #expect(bench.lab.core.services.count == 2)
        #expect(bench.lab.core.nextDeadline == nil)
    }

    @Test("Those that are removed together stop in the reverse of their order")
    func order() {
        var bench = Bench([
            make("db"), make("api", requires: ["db"]), make("log"), make("web", requires: ["api"], after: ["log"]),
        ])
        bench.lab.bootAll()
        #expect(bench.become([]) == ["SIGTERM web"])
        let next = bench.lab.exit("web")
        #expect(Set(next) == ["SIGKILL group of web", "SIGTERM api", "SIGTERM log", "forget web"])
        #expect(Set(bench.lab.exit("api")) == ["SIGKILL group of api", "SIGTERM db", "forget api"])
        #expect(bench.lab.exit("db") == ["SIGKILL group of db", "forget db"])
        #expect(bench.lab.exit("log") == ["SIGKILL group of log", "forget log"])
    }

    @Test("One whose process would be another is stopped as what it was and started as what it is")
    func restarts() {
        var bench = Bench([make("a") { $0.stop.signal = .quit }])
        bench.lab.bootAll()
        #expect(bench.become([other(make("a"))]) == ["SIGQUIT a"])
        #expect(bench.lab.said == ["a: changed, restarting it"])
        #expect(bench.lab.core.services[0].umask == nil)
        #expect(bench.lab.exit("a") == ["SIGKILL group of a", "spawn a"])
        #expect(bench.lab.core.services[0].umask == 0o77)
        _ = bench.lab.up("a")
        #expect(bench.lab.ask(.stop, "a") == ["SIGTERM a"])
    }

    @Test("Anything else holds at once, without a restart")
    func changes() {
        var bench = Bench([make("a")])
        bench.lab.bootAll()
        #expect(
            bench.become([
                make("a") {
                    $0.stop.signal = .quit
                    $0.description = "x"
                }
            ]).isEmpty)
        #expect(bench.lab.said == ["a: changed"])
        #expect(bench.lab.ask(.stop, "a") == ["SIGQUIT a"])
    }

    @Test("The main program is told of, and never restarted; its own next start is that of the new one")
    func main() {
        var bench = Bench([make("main", .main) { $0.restarts(.always) }])
        bench.lab.bootAll()
        #expect(bench.become([other(make("main", .main) { $0.restarts(.always) })]).isEmpty)
        #expect(
            bench.lab.said == [
                "main: changed; that takes effect when it is started again, with the container or by request"
            ])
        #expect(bench.lab.core.services[0].umask == nil)
        #expect(bench.lab.exit("main") == ["SIGKILL group of main"])
        #expect(bench.lab.wait(1) == ["spawn main"])
        #expect(bench.lab.core.services[0].umask == 0o77)
        // Without its file it stays.
        #expect(bench.become([]).isEmpty)
        #expect(bench.lab.state("main") == "starting")
    }

    @Test("Removed and there again before it is down: the same slot, started again")
    func returns() {
        var bench = Bench([make("a"), make("b")])
        bench.lab.bootAll()
        #expect(bench.become([make("a")]) == ["SIGTERM b"])
        #expect(bench.become([make("a"), make("b")]).isEmpty)
        #expect(bench.lab.said == ["b: added"])
        #expect(bench.lab.exit("b") == ["SIGKILL group of b", "spawn b"])
        #expect(bench.lab.id("b").index == 1)
    }

    @Test("Removed in every state: it is forgotten as soon as nothing of it is left")
    func states() {
        // Waiting, backing off, failed, done, stopped, never asked for.
        var bench = Bench([
            make("slow", .oneshot), make("waits", requires: ["slow"]), make("crashes"),
            make("fails") { $0.restarts(.never) }, make("done", .oneshot), make("down"),
            make("idle") { $0.autostart = false },
            make("held", .oneshot, requires: ["slow"]) { $0.optional = true },
        ])
        _ = bench.lab.boot()
        for name in ["slow", "crashes", "fails", "done", "down"] { _ = bench.lab.up(name) }
        _ = bench.lab.exit("crashes", 1)
        _ = bench.lab.exit("fails", 1)
        _ = bench.lab.exit("done")
        _ = bench.lab.ask(.stop, "down")
        _ = bench.lab.exit("down")
        #expect(
            Set(bench.become([make("slow", .oneshot)])) == [
                "forget waits", "forget crashes", "forget fails", "forget done", "forget down", "forget idle",
                "forget held",
            ])
        #expect(bench.lab.wait(60).isEmpty)
        // While it starts.
        #expect(bench.become([]) == ["SIGTERM slow"])
        #expect(bench.lab.exit("slow") == ["SIGKILL group of slow", "forget slow"])
    }

    @Test("Its stop command and its reload command are waited for")
    func commands() {
        var service = make("a")
        service.stop.command = Plan.command
        service.reload = .command(Plan.command)
        var bench = Bench([service])
        bench.lab.bootAll()
        #expect(bench.lab.ask(.reload, "a") == ["reload command of a"])
        #expect(bench.become([]) == ["kill reload command of a", "stop command of a"])
        #expect(bench.lab.exit("a") == ["SIGKILL group of a"])
        #expect(bench.lab.send(.stopCommandEnded(bench.lab.id("a"))).isEmpty)
        #expect(bench.lab.state("a") == "stopped")
        #expect(bench.lab.send(.reloadCommandEnded(bench.lab.id("a"), nil)) == ["forget a"])
    }

    @Test("A requirement that is new does not disturb what runs, and is waited for by what waits")
    func edges() {
        var bench = Bench([make("gate", .oneshot), make("up"), make("waits", requires: ["gate"])])
        _ = bench.lab.boot()
        _ = bench.lab.up("gate")
        _ = bench.lab.up("up")
        #expect(
            bench.become([
                make("gate", .oneshot), make("up", requires: ["new"]), make("waits", requires: ["gate", "new"]),
                make("new") { $0.autostart = false },
            ]) == ["spawn new"])
        #expect(bench.lab.state("up") == "up")
        #expect(bench.lab.exit("gate") == ["SIGKILL group of gate"])
        #expect(bench.lab.up("new") == ["spawn waits"])
        // The other way round: what it waits for no longer keeps it.
        #expect(bench.lab.cannotStart("waits", isTransient: true).isEmpty)
        #expect(bench.become([make("gate", .oneshot), make("up"), make("waits")]) == ["SIGTERM new"])
    }

    @Test("What was stopped by request stays down; what boots from now on starts")
    func down() {
        var bench = Bench([make("a"), make("b") { $0.autostart = false }])
        bench.lab.bootAll()
        _ = bench.lab.ask(.stop, "a")
        _ = bench.lab.exit("a")
        #expect(bench.become([other(make("a")), make("b")]) == ["spawn b"])
        #expect(bench.lab.said == ["a: changed; that takes effect at its next start", "b: changed, starting it"])
        #expect(bench.lab.state("a") == "stopped")
    }

    @Test("A oneshot that is another runs again; its failure does not stop the container")
    func oneshots() {
        var bench = Bench([make("a", .oneshot), make("main", .main, requires: ["a"])])
        bench.lab.bootAll()
        #expect(bench.become([other(make("a", .oneshot)), make("main", .main, requires: ["a"])]) == ["spawn a"])
        _ = bench.lab.up("a")
        #expect(bench.lab.exit("a", 1) == ["SIGKILL group of a"])
        #expect(!bench.lab.core.isStopping)
    }

    @Test("One that failed, or is in its backoff, is started at once when its process is another")
    func mended() {
        var bench = Bench([make("a") { $0.restarts(.never) }, make("b")])
        bench.lab.bootAll()
        _ = bench.lab.exit("a", 1)
        _ = bench.lab.exit("b", 1)
        #expect(bench.become([other(make("a")), other(make("b"))]) == ["spawn a", "spawn b"])
    }

    @Test("One that is started as another, and requires what has failed, has that started again")
    func requiresWhatFailed() {
        var bench = Bench([make("db") { $0.restarts(.never) }, make("web")])
        bench.lab.bootAll()
        _ = bench.lab.exit("db", 1)
        #expect(bench.lab.state("db") == "failed")
        let services = [make("db") { $0.restarts(.never) }, other(make("web", requires: ["db"]))]
        #expect(Set(bench.become(services)) == ["SIGTERM web", "spawn db"])
        #expect(bench.lab.exit("web") == ["SIGKILL group of web"])
        #expect(bench.lab.state("web") == "waiting")
        #expect(bench.lab.up("db") == ["spawn web"])
    }

    @Test("One that is started as another, whose new requirement fails before it is down, does not wait for it")
    func requirementFailsMeanwhile() {
        var bench = Bench([make("db") { $0.restarts(.never) }, make("web")])
        bench.lab.bootAll()
        let services = [make("db") { $0.restarts(.never) }, other(make("web", requires: ["db"]))]
        #expect(bench.become(services) == ["SIGTERM web"])
        _ = bench.lab.exit("db", 1)
        #expect(bench.lab.exit("web") == ["SIGKILL group of web"])
        #expect(bench.lab.state("web") == "failed")
    }

    @Test("A probe that is another is begun anew, without a restart")
    func probes() {
        func web(_ seconds: Int64, health: Bool) -> Service {
            make("web") {
                var ready = ReadyPolicy(.probe(.tcp(Plan.text)))
                ready.timeout = .seconds(seconds)
                $0.ready = ready
                if health { $0.health = HealthPolicy(.probe(.tcp(Plan.text))) }
            }
        }
        var bench = Bench([web(60, health: false)])
        _ = bench.lab.boot()
        #expect(bench.lab.up("web") == ["probe readiness of web"])
        #expect(bench.become([web(5, health: false)]) == ["cancel probe readiness of web", "probe readiness of web"])
        #expect(bench.lab.probed("web", .readiness).isEmpty)
        #expect(bench.lab.state("web") == "up")
        #expect(bench.lab.wait(60).isEmpty)
        #expect(bench.become([web(5, health: true)]).isEmpty)
        #expect(bench.lab.wait(10) == ["probe health of web"])
        #expect(bench.become([web(5, health: false)]) == ["cancel probe health of web"])
        #expect(bench.lab.core.nextDeadline == nil)
    }

    @Test("Requests to what is leaving, and reconfigurations while the container stops, change nothing")
    func passedOver() {
        var bench = Bench([make("a"), make("b")])
        bench.lab.bootAll()
        #expect(bench.become([make("a")]) == ["SIGTERM b"])
        for request in [Request.start, .restart, .stop, .reload] { #expect(bench.lab.ask(request, "b").isEmpty) }
        #expect(bench.lab.exit("b") == ["SIGKILL group of b", "forget b"])
        for request in [Request.start, .restart, .stop, .reload] {
            #expect(bench.lab.send(.requested(ServiceID(index: 1), request)).isEmpty)
        }
        _ = bench.lab.hear(.terminate)
        #expect(bench.become([make("a"), make("c")]).isEmpty)
        #expect(bench.lab.core.services.count == 2)
    }

    @Test("What was removed and not down yet is stopped with the container, in its order")
    func containerStops() {
        var bench = Bench([make("a"), make("b", requires: ["a"])])
        bench.lab.bootAll()
        #expect(bench.become([make("a")]) == ["SIGTERM b"])
        #expect(bench.lab.hear(.terminate).isEmpty)
        #expect(bench.lab.exit("b") == ["SIGKILL group of b", "SIGTERM a"])
        #expect(bench.lab.exit("a") == ["SIGKILL group of a", "SIGTERM stragglers"])
    }
}
