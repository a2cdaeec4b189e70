import ConfigParser
import Testing

@testable import Runtime

@Suite("Requests for one service")
struct RequestTests {
    static func chain() -> Lab {
        var lab = Lab([
            make("db"), make("migrate", .oneshot, requires: ["db"]), make("api", requires: ["migrate"]),
            make("web", requires: ["api"]), make("cron"),
        ])
        lab.bootAll()
        lab.said = []
        return lab
    }

    @Test("A stop takes down what requires it first, in order, and all stay down")
    func stop() {
        var lab = Self.chain()
        #expect(lab.ask(.stop, "db") == ["SIGTERM web"])
        #expect(lab.exit("web", 1) == ["SIGKILL group of web", "SIGTERM api"])
        #expect(lab.exit("api", 0) == ["SIGKILL group of api", "SIGTERM db"])
        #expect(lab.exit("db", 0) == ["SIGKILL group of db"])
        for name in ["db", "migrate", "api", "web"] { #expect(lab.state(name) == "stopped") }
        #expect(lab.state("cron") == "up")
        #expect(lab.said.first == "db: asked to stop; stopping first what requires it: migrate, api, web")
        #expect(lab.said.last == "db: stopped")
        #expect(lab.wait(100) == [])
        #expect(lab.core.report(of: lab.id("db"))?.isAsWanted == true)
    }

    @Test("A start brings what is needed with it, in order, anew; others stay down")
    func start() {
        var lab = Self.chain()
        _ = lab.ask(.stop, "db")
        for name in ["web", "api", "db"] { _ = lab.exit(name) }
        #expect(lab.ask(.start, "api") == ["spawn db"])
        #expect(lab.up("db") == ["spawn migrate"])
        _ = lab.up("migrate")
        #expect(lab.exit("migrate") == ["SIGKILL group of migrate", "spawn api"])
        _ = lab.up("api")
        #expect(lab.state("web") == "stopped")
        #expect(lab.ask(.start, "api") == [])
        #expect(lab.said.last == "api: asked to start, which changes nothing: it is up, or on its way")
    }

    @Test("A oneshot that was asked for and fails does not stop the container")
    func oneshotFails() {
        var lab = Self.chain()
        #expect(lab.ask(.restart, "migrate") == ["spawn migrate"])
        _ = lab.up("migrate")
        #expect(lab.exit("migrate", 1) == ["SIGKILL group of migrate"])
        #expect(!lab.core.isStopping)
        #expect(lab.state("api") == "up")
    }

    @Test("A start that comes while the stop is under way takes it back")
    func startWhileStopping() {
        var lab = Self.chain()
        _ = lab.ask(.stop, "db")
        #expect(lab.ask(.start, "web") == [])
        #expect(lab.exit("web") == ["SIGKILL group of web", "spawn web"])
        #expect(lab.state("db") == "up")
        #expect(lab.state("migrate") == "done")
        // And the other way round.
        #expect(lab.ask(.stop, "web") == ["SIGTERM web"])
        #expect(lab.ask(.restart, "web") == [])
        #expect(lab.ask(.stop, "web") == [])
        #expect(lab.exit("web") == ["SIGKILL group of web"])
        #expect(lab.state("web") == "stopped")
    }

    @Test("A restart disturbs nobody, has fresh counters, and follows no backoff")
    func restart() {
        var lab = Self.chain()
        #expect(lab.ask(.restart, "db") == ["SIGTERM db"])
        #expect(lab.exit("db", 1) == ["SIGKILL group of db", "spawn db"])
        #expect(lab.state("web") == "up")
        _ = lab.up("db")
        _ = lab.exit("db", 1)
        #expect(lab.state("db") == "backing off")
        #expect(lab.ask(.restart, "db") == ["spawn db"])
        _ = lab.up("db")
        _ = lab.exit("db", 1)
        #expect(lab.said.last == "db: exited with code 1 after 0 ms; starting it again in 1 s")
    }

    @Test("One that failed or ended starts anew, one that did not boot too, with what it requires and wants")
    func startAnew() {
        let idle = { (service: inout Service) in service.autostart = false }
        var lab = Lab([
            make("spare", requires: ["base"], wants: ["mail"], after: ["late"], change: idle),
            make("base", change: idle),
            make("mail", change: idle), make("late", change: idle),
            make("once") {
                $0.restarts(.never)
                $0.when = [.tty(true)]
            },
        ])
        _ = lab.boot()
        _ = lab.send(.conditionsChecked(lab.id("once"), unmet: nil))
        _ = lab.up("once")
        _ = lab.exit("once", 1)
        #expect(lab.state("once") == "failed")
        #expect(lab.ask(.start, "once") == ["check once"])
        #expect(lab.ask(.start, "spare") == ["spawn base", "spawn mail"])
        _ = lab.up("mail")
        #expect(lab.up("base") == ["spawn spare"])
        #expect(lab.state("late") == "idle")
        _ = lab.up("spare")
        // The stop of the container knows what was asked for.
        #expect(lab.hear(.terminate) == ["SIGTERM spare"])
        #expect(lab.exit("spare") == ["SIGKILL group of spare", "SIGTERM base", "SIGTERM mail"])
    }

    @Test("Asked to stop, the main program stops the container; its exit code counts; what it requires stays")
    func main() {
        var lab = Lab([make("main", .main, requires: ["db"]), make("db"), make("cron")])
        lab.bootAll()
        #expect(lab.ask(.stop, "db") == [])
        #expect(
            lab.said.last
                == "db: asked to stop, which changes nothing: the main program requires it, and its end would be the "
                + "container's")
        #expect(lab.ask(.restart, "main") == ["SIGTERM main"])
        #expect(lab.exit("main", 3) == ["SIGKILL group of main", "spawn main"])
        _ = lab.up("main")
        #expect(lab.ask(.stop, "main") == ["SIGTERM main"])
        #expect(lab.said.last == "stopping (main was asked to stop)")
        #expect(lab.ask(.start, "cron") == [])
        #expect(lab.exit("main", 4) == ["SIGKILL group of main", "SIGTERM cron", "SIGTERM db"])
        _ = lab.exit("db")
        _ = lab.exit("cron")
        #expect(lab.send(.stragglersGone) == ["exit 4"])
    }

    @Test("A group is asked in the name of its members")
    func group() {
        var lab = Lab([
            make("all", .group, requires: ["a", "inner"]), make("inner", .group, requires: ["b"]), make("a"), make("b"),
            make("c"), make("user", requires: ["all"]),
        ])
        lab.bootAll()
        #expect(Set(lab.ask(.restart, "all")) == ["SIGTERM a", "SIGTERM b"])
        _ = lab.exit("a")
        _ = lab.exit("b")
        _ = lab.up("a")
        _ = lab.up("b")
        #expect(lab.state("all") == "done")
        #expect(lab.ask(.stop, "all") == ["SIGTERM user"])
        #expect(Set(lab.exit("user")) == ["SIGKILL group of user", "SIGTERM a", "SIGTERM b"])
        _ = lab.exit("a")
        _ = lab.exit("b")
        #expect(lab.state("all") == "stopped")
        #expect(Set(lab.ask(.start, "all")) == ["spawn a", "spawn b"])
        _ = lab.up("a")
        _ = lab.up("b")
        #expect(lab.state("all") == "done")
        #expect(lab.state("user") == "stopped")
    }

    @Test(
        "Before the boot and in the container's stop requests are passed over",
        arguments: [Request.start, .stop, .restart, .reload])
    func outside(request: Request) {
        var lab = Lab([make("web")])
        #expect(lab.ask(request, "web") == [])
        lab.bootAll()
        #expect(lab.send(.requested(ServiceID(index: 7), request)) == [])
        #expect(lab.send(.requested(ServiceID(index: -1), request)) == [])
        _ = lab.hear(.terminate)
        #expect(lab.ask(request, "web") == [])
        #expect(lab.exit("web") == ["SIGKILL group of web", "SIGTERM stragglers"])
    }

    @Test("One that dies while it waits for its turn to stop is down, and is not started again")
    func diesInTheQueue() {
        var lab = Self.chain()
        _ = lab.ask(.stop, "db")
        #expect(lab.exit("db", 1) == ["SIGKILL group of db"])
        #expect(lab.wait(60) == ["SIGKILL group of web", "SIGKILL web"])
        #expect(lab.die("web", 9) == ["SIGKILL group of web", "SIGTERM api"])
        _ = lab.exit("api")
        for name in ["db", "api", "web"] { #expect(lab.state(name) == "stopped") }
    }

    // MARK: - What the simulator found

    @Test("What it comes after is asked for while its conditions are looked at: it waits for that")
    func askedForWhileChecking() {
        var lab = Lab([
            make("web", after: ["seed"]) { $0.when = [.tty(true)] },
            make("seed", .oneshot) { $0.autostart = false },
        ])
        #expect(lab.boot() == ["check web"])
        #expect(lab.ask(.start, "seed") == ["spawn seed"])
        #expect(lab.send(.conditionsChecked(lab.id("web"), unmet: nil)) == [])
        _ = lab.up("seed")
        #expect(lab.exit("seed") == ["SIGKILL group of seed", "check web"])
    }

    @Test("Main does not wait for a oneshot that comes after a service which, asked for, waits for main")
    func noCircle() {
        var lab = Lab([
            make("main", .main), make("late", .oneshot, after: ["spare"]),
            make("spare", requires: ["main"]) { $0.autostart = false },
        ])
        #expect(lab.boot() == ["spawn main", "spawn late"])
        lab = Lab([
            make("db"), make("main", .main, requires: ["db"]),
            make("late", .oneshot, requires: ["db"], after: ["spare"]),
            make("spare", requires: ["main"]) { $0.autostart = false },
        ])
        #expect(lab.boot() == ["spawn db"])
        #expect(lab.ask(.start, "spare") == [])
        #expect(lab.up("db") == ["spawn main"])
        #expect(lab.up("main") == ["spawn spare"])
        #expect(lab.up("spare") == ["spawn late"])
    }

    @Test("The container's stop waits for a stop command of main that outlives its process")
    func mainsStopCommandAlone() {
        var lab = Lab([make("main", .main) { $0.stop.command = [literal("bye")] }, make("db")])
        lab.bootAll()
        #expect(lab.ask(.restart, "main") == ["stop command of main"])
        #expect(lab.exit("main") == ["SIGKILL group of main"])
        #expect(lab.hear(.terminate) == [])
        #expect(lab.send(.stopCommandEnded(lab.id("main"))) == ["SIGTERM db"])
        #expect(lab.exit("db") == ["SIGKILL group of db", "SIGTERM stragglers"])
        #expect(lab.send(.stragglersGone) == ["exit 143"])
    }

    @Test("A oneshot whose exec hung has not been up for long")
    func hungExec() {
        var lab = Lab([
            make("seed", .oneshot) {
                $0.restarts(.onFailure)
                $0.startTimeout = .seconds(90)
            }
        ])
        _ = lab.boot()
        #expect(lab.wait(90) == ["SIGTERM seed"])
        #expect(lab.die("seed") == ["SIGKILL group of seed"])
        #expect(lab.state("seed") == "backing off")
    }

    @Test("One that turns out unhealthy while its stop waits for those that require it stays down")
    func unhealthyInTheQueue() {
        var lab = Lab([
            make("db") { $0.health = HealthPolicy(.watchdog(.seconds(5))) }, make("web", requires: ["db"]),
        ])
        lab.bootAll()
        #expect(lab.ask(.stop, "db") == ["SIGTERM web"])
        #expect(lab.wait(5) == ["SIGTERM db"])
        #expect(lab.exit("db") == ["SIGKILL group of db"])
        #expect(lab.exit("web") == ["SIGKILL group of web"])
        #expect(lab.state("db") == "stopped")
        #expect(lab.wait(60) == [])
    }
}
