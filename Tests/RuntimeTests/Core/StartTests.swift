import ConfigParser
import Testing

@testable import Runtime

@Suite("Starting")
struct StartTests {
    @Test("A service starts in the same turn in which the last that it requires is up")
    func sameTurn() {
        var lab = Lab([make("web", requires: ["db", "cache"]), make("db"), make("cache")])
        #expect(lab.boot() == ["spawn db", "spawn cache"])
        #expect(lab.up("db") == [])
        #expect(lab.up("cache") == ["spawn web"])
    }

    @Test("A oneshot that others require is up when it has succeeded")
    func oneshotIsUpWhenDone() {
        var lab = Lab([make("web", requires: ["migrate"]), make("migrate", .oneshot)])
        #expect(lab.boot() == ["spawn migrate"])
        #expect(lab.up("migrate") == [])
        #expect(lab.exit("migrate") == ["SIGKILL group of migrate", "spawn web"])
    }

    @Test("Only what has autostart, and what that requires or wants, starts at boot")
    func autostart() {
        let idle = { (service: inout Service) in service.autostart = false }
        var lab = Lab([
            make("web", requires: ["db"], wants: ["mail"], after: ["spare"]), make("db", change: idle),
            make("mail", change: idle),
            make("spare", change: idle),
        ])
        #expect(lab.boot() == ["spawn db", "spawn mail"])
        #expect(lab.state("spare") == "idle")
        _ = lab.up("db")
        #expect(lab.up("mail") == ["spawn web"])
    }

    @Test("`wants`, `after` and `before` wait until the other is settled, whichever way", arguments: 0..<3)
    func settled(key: Int) {
        let others = ["other"]
        let web =
            key == 0 ? make("web", wants: others) : key == 1 ? make("web", after: others) : make("web")
        let other = make("other", before: key == 2 ? ["web"] : []) { $0.restarts(.never) }
        for fails in [false, true] {
            var lab = Lab([web, other])
            #expect(lab.boot() == ["spawn other"])
            #expect((fails ? lab.cannotStart("other") : lab.up("other")) == ["spawn web"])
        }
    }

    @Test("A name in `after` that no service has is no matter")
    func afterNobody() {
        var lab = Lab([make("web", after: ["nobody"], before: ["nothing"])])
        #expect(lab.boot() == ["spawn web"])
    }

    @Test("A group is done when its members are up, and fails where one fails")
    func group() {
        var lab = Lab([
            make("all", .group, requires: ["a", "b"]), make("a"), make("b"), make("web", requires: ["all"]),
        ])
        _ = lab.boot()
        _ = lab.up("a")
        #expect(lab.up("b") == ["spawn web"])
        #expect(lab.state("all") == "done")

        lab = Lab([make("all", .group, requires: ["a"]), make("a"), make("web", requires: ["all"])])
        _ = lab.boot()
        #expect(lab.cannotStart("a") == [])
        #expect(lab.state("all") == "failed")
        #expect(lab.state("web") == "failed")
    }

    @Test("Conditions are asked for when all that a service waits for is up; one that does not hold skips it")
    func conditions() {
        let tty = { (service: inout Service) in service.when = [.tty(true)] }
        var lab = Lab([
            make("dashboard", requires: ["db"], change: tty), make("db"), make("after", requires: ["dashboard"]),
        ])
        #expect(lab.boot() == ["spawn db"])
        #expect(lab.up("db") == ["check dashboard"])
        var other = lab
        #expect(lab.send(.conditionsChecked(lab.id("dashboard"), unmet: "TTY is off")) == ["spawn after"])
        #expect(lab.said.last == "dashboard: skipped: TTY is off")
        #expect(other.send(.conditionsChecked(other.id("dashboard"), unmet: nil)) == ["spawn dashboard"])
        #expect(other.up("dashboard") == ["spawn after"])
    }

    @Test("Where what it requires goes away while conditions are checked, it waits and they are checked again")
    func conditionsTwice() {
        var lab = Lab([make("web", requires: ["db"]) { $0.when = [.root(true)] }, make("db")])
        _ = lab.boot()
        #expect(lab.up("db") == ["check web"])
        _ = lab.exit("db", 1)
        #expect(lab.send(.conditionsChecked(lab.id("web"), unmet: nil)) == [])
        #expect(lab.wait(1) == ["spawn db"])
        #expect(lab.up("db") == ["check web"])
    }

    @Test("The main program waits for every oneshot that boots, but not for one that waits for it")
    func mainWaits() {
        var lab = Lab([
            make("main", .main), make("seed", .oneshot), make("late", .oneshot, after: ["main"]),
            make("spare", .oneshot) { $0.autostart = false }, make("web"),
        ])
        #expect(lab.boot() == ["spawn seed", "spawn web"])
        _ = lab.up("seed")
        #expect(lab.exit("seed") == ["SIGKILL group of seed", "spawn main"])
        #expect(lab.up("main") == ["spawn late"])
    }

    @Test("A oneshot that takes long says so every 10 s, and who waits for it")
    func stillRunning() {
        var lab = Lab([make("main", .main), make("migrate", .oneshot)])
        _ = lab.boot()
        _ = lab.up("migrate")
        _ = lab.wait(25)
        #expect(
            lab.said == [
                "migrate: still running after 10 s; main waits for it",
                "migrate: still running after 20 s; main waits for it",
            ])
        _ = lab.exit("migrate")
        #expect(lab.core.nextDeadline == nil)
    }

    @Test("A chain of ten thousand oneshots starts and stops without depth and in linear time")
    func longChain() {
        let count = 10_000
        var services: [Service] = []
        for index in 0..<count {
            services.append(make("s\(index)", .group, requires: index == 0 ? ["first"] : ["s\(index - 1)"]))
        }
        services.append(make("first"))
        var lab = Lab(services)
        #expect(lab.boot() == ["spawn first"])
        _ = lab.up("first")
        #expect(lab.state("s\(count - 1)") == "done")
        #expect(lab.hear(.terminate) == ["SIGTERM first"])
        #expect(lab.exit("first") == ["SIGKILL group of first", "SIGTERM stragglers"])
    }

    // MARK: - Failures

    @Test("A oneshot that fails stops what runs, and the container exits with its code")
    func bootFailure() {
        var lab = Lab([
            make("main", .main), make("migrate", .oneshot, requires: ["db"]), make("db"),
            make("skills", requires: ["migrate"]),
        ])
        _ = lab.boot()
        _ = lab.up("db")
        _ = lab.up("migrate")
        #expect(lab.exit("migrate", 3) == ["SIGKILL group of migrate", "SIGTERM db"])
        #expect(
            lab.said.last
                == "migrate: failed: exited with code 3; needed by: main, skills; stopping the container with code 3")
        #expect(lab.exit("db") == ["SIGKILL group of db", "SIGTERM stragglers"])
        #expect(lab.send(.stragglersGone) == ["exit 3"])
    }

    @Test("A failure reaches the main program by way of others with its root cause and that one's code")
    func rootCause() {
        var lab = Lab([make("main", .main, requires: ["api"]), make("api", requires: ["db"]), make("db")])
        _ = lab.boot()
        #expect(lab.cannotStart("db", 126) == ["SIGTERM stragglers"])
        #expect(
            lab.said == [
                "db: failed: cannot run it; needed by: api",
                "api: failed: requires db, which failed (cannot run it); needed by: main",
                "main: failed: requires api, which failed because of db (cannot run it); stopping the container with "
                    + "code 126",
            ])
        #expect(lab.send(.stragglersGone) == ["exit 126"])
    }

    @Test("A longrun that cannot start is logged, and the container goes on")
    func unimportantFailure() {
        var lab = Lab([make("main", .main), make("web")])
        _ = lab.boot()
        #expect(lab.cannotStart("web") == [])
        #expect(!lab.core.isStopping)
    }

    @Test("An optional service that fails counts as done for those that require it")
    func optional() {
        var lab = Lab([make("seed", .oneshot) { $0.optional = true }, make("web", requires: ["seed"])])
        _ = lab.boot()
        _ = lab.up("seed")
        #expect(lab.exit("seed", 1) == ["SIGKILL group of seed", "spawn web"])
        #expect(lab.said.last == "seed: failed: exited with code 1; it is optional, so the others go on")
    }

    @Test("A oneshot that is there only because another wants it may fail; one that is required may not")
    func wantedOneshot() {
        let idle = { (service: inout Service) in service.autostart = false }
        var lab = Lab([make("main", .main, wants: ["warm"]), make("warm", .oneshot, change: idle)])
        _ = lab.boot()
        _ = lab.up("warm")
        #expect(lab.exit("warm", 1) == ["SIGKILL group of warm", "spawn main"])
        lab = Lab([
            make("main", .main, wants: ["warm"]), make("web", requires: ["warm"]), make("warm", .oneshot, change: idle),
        ])
        _ = lab.boot()
        _ = lab.up("warm")
        #expect(lab.exit("warm", 1) == ["SIGKILL group of warm", "SIGTERM stragglers"])
    }

    @Test("The first failure decides the exit code, and a failure whose code is 0 gives 1")
    func firstFailure() {
        var lab = Lab([make("a", .oneshot) { $0.restart.successCodes = [.code(5)] }, make("b", .oneshot)])
        _ = lab.boot()
        _ = lab.up("a")
        _ = lab.up("b")
        #expect(lab.exit("a", 0) == ["SIGKILL group of a", "SIGTERM b"])
        _ = lab.exit("b", 9)
        #expect(lab.send(.stragglersGone) == ["exit 1"])
    }
}
