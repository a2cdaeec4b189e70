import ConfigParser
import Testing

@testable import Runtime

@Suite("Readiness")
struct ReadinessTests {
    static func lab(_ readiness: Readiness, change: (inout Service) -> Void = { _ in }) -> Lab {
        var lab = Lab([
            make("web", requires: ["db"]),
            make("db") {
                $0.ready = ReadyPolicy(readiness)
                $0.stop.timeout = .seconds(2)
                change(&$0)
            },
        ])
        _ = lab.boot()
        return lab
    }
    static let tcp = Readiness.probe(.tcp(literal("127.0.0.1:5432")))

    @Test("Those that require it start in the turn in which it says that it is ready, and no sooner")
    func notified() {
        for readiness in [Readiness.descriptor(3), .systemd, .log("ready")] {
            var lab = Self.lab(readiness)
            #expect(lab.up("db") == [])
            #expect(lab.state("db") == "running")
            _ = lab.wait(milliseconds: 1200)
            #expect(lab.send(.ready(lab.id("db"))) == ["spawn web"])
            #expect(lab.said == ["db: up (ready after 1.2 s)"])
            #expect(lab.core.nextDeadline == nil)
            #expect(lab.send(.ready(lab.id("db"))) == [])
        }
    }

    @Test("It is probed at once, then an interval after the end of each try, until one passes")
    func probed() {
        var lab = Self.lab(Self.tcp)
        #expect(lab.up("db") == ["probe readiness of db"])
        #expect(lab.probed("db", .readiness, "connection refused") == [])
        #expect(lab.wait(milliseconds: 249) == [])
        #expect(lab.wait(milliseconds: 1) == ["probe readiness of db"])
        #expect(lab.probed("db", .readiness) == ["spawn web"])
        #expect(lab.core.nextDeadline == nil)
    }

    @Test("A try that hangs is given up after 3 s; that of a command is not")
    func hangs() {
        var lab = Self.lab(Self.tcp)
        _ = lab.up("db")
        #expect(lab.wait(3) == ["cancel probe readiness of db"])
        #expect(lab.probed("db", .readiness) == [])
        #expect(lab.wait(milliseconds: 250) == ["probe readiness of db"])

        lab = Self.lab(.probe(.command([literal("ask")])))
        _ = lab.up("db")
        #expect(lab.wait(59) == [])
        #expect(lab.wait(1) == ["cancel probe readiness of db", "SIGTERM db"])
    }

    @Test("Not ready in time: told to stop, killed if it does not, and then its policy decides, whatever its exit code")
    func timeout() {
        var lab = Self.lab(Self.tcp) { $0.ready?.timeout = .seconds(4) }
        _ = lab.up("db")
        _ = lab.probed("db", .readiness, "connection refused")
        _ = lab.wait(milliseconds: 250)
        _ = lab.wait(milliseconds: 3749)
        #expect(lab.wait(milliseconds: 1) == ["cancel probe readiness of db", "SIGTERM db"])
        #expect(lab.said.last == "db: not ready after 4 s (the last try: no answer within 3 s); stopping it")
        #expect(lab.wait(2) == ["SIGKILL group of db", "SIGKILL db"])
        #expect(lab.die("db", 9) == ["SIGKILL group of db"])
        #expect(
            lab.said.last == "db: stopped, because it was not ready after 4 s; starting it again in 1 s")
        #expect(lab.wait(1) == ["spawn db"])

        lab = Self.lab(.systemd) { $0.restarts(.never) }
        _ = lab.up("db")
        #expect(lab.wait(60) == ["SIGTERM db"])
        _ = lab.exit("db", 0)
        #expect(lab.state("db") == "failed")
        #expect(
            lab.said.suffix(2) == [
                "db: failed: not ready after 1 min; needed by: web",
                "web: failed: requires db, which failed (not ready after 1 min)",
            ])
    }

    @Test("A death before it was ready says so, and waits longer each time however long it lived")
    func deathBefore() {
        var lab = Self.lab(.systemd) { $0.ready?.timeout = .seconds(300) }
        _ = lab.up("db")
        _ = lab.wait(120)
        #expect(lab.exit("db", 1) == ["SIGKILL group of db"])
        #expect(
            lab.said.last == "db: exited with code 1 after 2 min, before it was ready; starting it again in 1 s")
        #expect(lab.send(.ready(lab.id("db"))) == [])
        _ = lab.wait(1)
        #expect(lab.send(.ready(lab.id("db"))) == [])
        _ = lab.up("db")
        _ = lab.wait(120)
        _ = lab.exit("db", 1)
        #expect(lab.said.last?.hasSuffix("starting it again in 2 s (2nd quick death in a row)") == true)
    }

    @Test("start-timeout counts from the request for a process, also where its exec hangs, and for a oneshot")
    func startTimeout() {
        var lab = Self.lab(.systemd) { $0.startTimeout = .seconds(5) }
        #expect(lab.wait(5) == ["SIGTERM db"])
        #expect(lab.said.last == "db: not up after 5 s, which is all that its start may take; stopping it")
        #expect(lab.cannotStart("db") == [])
        #expect(lab.state("db") == "backing off")

        lab = Lab([make("main", .main), make("seed", .oneshot) { $0.startTimeout = .seconds(15) }])
        _ = lab.boot()
        _ = lab.up("seed")
        #expect(lab.wait(14) == [])
        #expect(lab.said == ["seed: still running after 10 s; main waits for it"])
        #expect(lab.wait(1) == ["SIGTERM seed"])
        #expect(lab.exit("seed", 0) == ["SIGKILL group of seed", "SIGTERM stragglers"])
        #expect(lab.send(.stragglersGone) == ["exit 1"])
    }

    @Test("EXTEND_TIMEOUT gives a start, and a stop, more time, and never less than its file")
    func extended() {
        var lab = Self.lab(.systemd) { $0.ready?.timeout = .seconds(10) }
        _ = lab.up("db")
        _ = lab.send(.timeoutExtended(lab.id("db"), by: .seconds(2)))
        #expect(lab.wait(9) == [])
        _ = lab.send(.timeoutExtended(lab.id("db"), by: .seconds(5)))
        #expect(lab.wait(milliseconds: 4999) == [])
        #expect(lab.wait(milliseconds: 1) == ["SIGTERM db"])
        _ = lab.send(.timeoutExtended(lab.id("db"), by: .seconds(1)))
        #expect(lab.wait(milliseconds: 1999) == [])
        _ = lab.send(.timeoutExtended(lab.id("db"), by: Interval(nanoseconds: .max)))
        #expect(lab.wait(1_000_000) == [])
        #expect(lab.hear(.terminate) == [])
        // The ceiling of the container's stop holds.
        #expect(lab.wait(9) == ["SIGKILL group of db", "SIGKILL db", "SIGKILL stragglers"])
    }

    @Test("STOPPING ends the probes: nothing is asked any more")
    func stoppingTold() {
        var lab = Self.lab(Self.tcp)
        _ = lab.up("db")
        #expect(lab.send(.stoppingTold(lab.id("db"))) == ["cancel probe readiness of db"])
        #expect(lab.wait(30) == [])
    }

    @Test("The container's stop ends the probes, and a main program with [ready] hears signals before it is ready")
    func mainNotReady() {
        var lab = Lab([make("main", .main) { $0.ready = ReadyPolicy(Self.tcp) }])
        _ = lab.boot()
        #expect(lab.hear(.hangup) == [])
        #expect(lab.up("main") == ["probe readiness of main", "SIGHUP main"])
        #expect(lab.hear(.hangup) == ["SIGHUP main"])
        #expect(lab.hear(.terminate) == ["cancel probe readiness of main", "SIGTERM main"])
        #expect(lab.probed("main", .readiness) == [])
        #expect(lab.exit("main", 5) == ["SIGKILL group of main", "SIGTERM stragglers"])
        #expect(lab.send(.stragglersGone) == ["exit 5"])
    }
}

@Suite("Health")
struct HealthTests {
    static func lab(
        _ check: HealthCheck = .probe(.path(literal("/x"))), change: (inout HealthPolicy) -> Void = { _ in }
    )
        -> Lab
    {
        var health = HealthPolicy(check)
        change(&health)
        var lab = Lab([make("web") { $0.health = health }, make("other")])
        _ = lab.boot()
        _ = lab.up("other")
        return lab
    }

    @Test("Probes come an interval after the end of the last; so many failures in a row are one action")
    func failures() {
        var lab = Self.lab()
        #expect(lab.up("web") == [])
        for failure in ["answered 503", nil, "answered 503", "answered 503"] {
            #expect(lab.wait(10) == ["probe health of web"])
            #expect(lab.probed("web", .health, failure) == [])
        }
        #expect(lab.wait(10) == ["probe health of web"])
        #expect(lab.wait(3) == ["cancel probe health of web", "SIGTERM web"])
        #expect(lab.said.last == "web: unhealthy: no answer within 3 s, 3 times in a row; stopping it")
        #expect(lab.probed("web", .health, "late") == [])
        #expect(lab.core.report(of: lab.id("web"))?.problem == "unhealthy (no answer within 3 s, 3 times in a row)")
        #expect(lab.exit("web", 0) == ["SIGKILL group of web"])
        #expect(
            lab.said.last
                == "web: stopped, because it was unhealthy (no answer within 3 s, 3 times in a row); starting it again "
                + "in 1 s")
        let trouble = "unhealthy (no answer within 3 s, 3 times in a row)"
        #expect(lab.core.report(of: lab.id("web"))?.lastTrouble == trouble)
        #expect(lab.wait(1) == ["spawn web"])
        #expect(lab.core.report(of: lab.id("web"))?.restarts == 1)
        // What it was stopped for is known until it ends otherwise.
        #expect(lab.up("web") == [])
        #expect(lab.core.report(of: lab.id("web"))?.lastTrouble == trouble)
        _ = lab.exit("web", 0)
        #expect(lab.core.report(of: lab.id("web"))?.lastTrouble == nil)
    }

    @Test("In the start period failures do not count, until a first success")
    func startPeriod() {
        var lab = Self.lab { $0.startPeriod = .seconds(100) }
        _ = lab.up("web")
        for _ in 0..<5 {
            _ = lab.wait(10)
            #expect(lab.probed("web", .health, "no") == [])
        }
        _ = lab.wait(10)
        _ = lab.probed("web", .health)
        for left in [2, 1, 0] {
            _ = lab.wait(10)
            #expect(lab.probed("web", .health, "no") == (left > 0 ? [] : ["SIGTERM web"]))
        }
    }

    @Test("Action none: a line, and one more when it is healthy again")
    func noAction() {
        var lab = Self.lab {
            $0.action = .none
            $0.failures = 1
        }
        _ = lab.up("web")
        for _ in 0..<3 {
            _ = lab.wait(10)
            #expect(lab.probed("web", .health, "no") == [])
        }
        #expect(lab.core.report(of: lab.id("web"))?.isAsWanted == false)
        _ = lab.wait(10)
        _ = lab.probed("web", .health)
        #expect(
            lab.said.suffix(2) == [
                "web: unhealthy: no; it goes on, because `action` of its [health] is \"none\"",
                "web: healthy again after 30 s",
            ])
        #expect(lab.core.report(of: lab.id("web"))?.isAsWanted == true)
    }

    @Test("Action stop-container: the stop begins, with code 1, and nothing is probed in it")
    func stopContainer() {
        var lab = Self.lab {
            $0.action = .stopContainer
            $0.failures = 1
        }
        _ = lab.up("web")
        _ = lab.wait(10)
        #expect(lab.probed("web", .health, "no") == ["SIGTERM web", "SIGTERM other"])
        #expect(lab.said.last == "stopping (web is unhealthy)")
        #expect(lab.wait(5) == [])
        _ = lab.exit("web")
        _ = lab.exit("other")
        #expect(lab.send(.stragglersGone) == ["exit 1"])
    }

    @Test("A watchdog that is not fed in time, or that is triggered, is unhealthy at once; one action")
    func watchdog() {
        var lab = Self.lab(.watchdog(.seconds(5)))
        _ = lab.up("web")
        _ = lab.wait(4)
        #expect(lab.send(.watchdogFed(lab.id("web"))) == [])
        #expect(lab.wait(milliseconds: 4999) == [])
        #expect(lab.wait(milliseconds: 1) == ["SIGTERM web"])
        #expect(lab.said.last == "web: unhealthy: no WATCHDOG=1 for 5 s; stopping it")
        #expect(lab.send(.watchdogTriggered(lab.id("web"))) == [])
        #expect(lab.send(.watchdogFed(lab.id("web"))) == [])

        lab = Self.lab(.watchdog(.seconds(5)))
        _ = lab.up("web")
        #expect(lab.send(.watchdogTriggered(lab.id("web"))) == ["SIGTERM web"])
        _ = lab.exit("web", 0)
        #expect(lab.said.last?.contains("unhealthy (it says so itself (WATCHDOG=trigger)); starting") == true)
    }

    @Test("STOPPING ends the watch; the death that follows is an ordinary one")
    func stoppingTold() {
        var lab = Self.lab()
        _ = lab.up("web")
        _ = lab.wait(10)
        #expect(lab.send(.stoppingTold(lab.id("web"))) == ["cancel probe health of web"])
        #expect(lab.wait(100) == [])
        #expect(lab.exit("web", 1) == ["SIGKILL group of web", "spawn web"])
    }

    @Test("A death cancels the probe that is under way, and leaves no deadline")
    func death() {
        var lab = Self.lab()
        _ = lab.up("web")
        _ = lab.wait(10)
        #expect(lab.exit("web", 1) == ["cancel probe health of web", "SIGKILL group of web"])
        #expect(lab.core.nextDeadline?.nanoseconds == lab.now + 1_000_000_000)
    }
}

@Suite("Reload")
struct ReloadTests {
    static func lab(_ policy: ReloadPolicy = .command([literal("again")])) -> Lab {
        var settings = Settings()
        settings.signals = [(.hangup, .reload)]
        var lab = Lab([make("web") { $0.reload = policy }, make("other")], settings: settings)
        lab.bootAll()
        lab.said = []
        return lab
    }

    @Test("By signal, and for one that cannot")
    func bySignal() {
        var lab = Self.lab(.signal(.hangup))
        #expect(lab.ask(.reload, "web") == ["SIGHUP web"])
        #expect(lab.hear(.hangup) == ["SIGHUP web"])
        #expect(lab.ask(.reload, "other") == [])
        _ = lab.exit("web", 1)
        #expect(lab.ask(.reload, "web") == [])
        #expect(lab.hear(.hangup) == [])
        #expect(lab.said[0] == "web: sent SIGHUP to reload")
        #expect(lab.said[2] == "other: asked to reload, which changes nothing: its file has no [reload]")
        #expect(lab.said[4] == "web: asked to reload, which changes nothing: it is not up")
    }

    @Test("What is asked while the command runs is done once more when it has ended")
    func coalesces() {
        var lab = Self.lab()
        #expect(lab.ask(.reload, "web") == ["reload command of web"])
        for _ in 0..<3 { #expect(lab.ask(.reload, "web") == []) }
        let id = lab.id("web")
        #expect(lab.send(.reloadCommandEnded(id, .exited(code: 0))) == ["reload command of web"])
        #expect(lab.send(.reloadCommandEnded(id, .exited(code: 3))) == [])
        #expect(lab.core.nextDeadline == nil)
        #expect(
            lab.said == [
                "web: reloaded", "web: cannot reload: its [reload] command exited with code 3; it goes on as before",
            ])
        #expect(lab.send(.reloadCommandEnded(id, .exited(code: 0))) == [])
    }

    @Test("A command that hangs is killed after a minute; one of a service that stops, or died, at once")
    func killed() {
        var lab = Self.lab()
        let id = lab.id("web")
        _ = lab.ask(.reload, "web")
        _ = lab.wait(30)
        _ = lab.send(.timeoutExtended(id, by: .seconds(40)))
        #expect(lab.wait(39) == [])
        #expect(lab.wait(1) == ["kill reload command of web"])
        #expect(lab.ask(.reload, "web") == [])
        #expect(lab.send(.reloadCommandEnded(id, .signaled(.kill, coreDumped: false))) == ["reload command of web"])
        #expect(lab.ask(.stop, "web") == ["kill reload command of web", "SIGTERM web"])
        #expect(lab.send(.reloadCommandEnded(id, .signaled(.kill, coreDumped: false))) == [])

        lab = Self.lab()
        _ = lab.ask(.reload, "web")
        #expect(lab.exit("web", 1) == ["kill reload command of web", "SIGKILL group of web"])
        lab = Self.lab()
        _ = lab.ask(.reload, "web")
        #expect(lab.hear(.terminate) == ["kill reload command of web", "SIGTERM web", "SIGTERM other"])
    }
}

func literal(_ text: String) -> Template { Template(literal: text, span: nowhere) }
