import ConfigParser
import Testing

@testable import Runtime

@Suite("Stopping")
struct StopTests {
    static let twoAndMain = [
        make("db"), make("web", requires: ["db"]), make("cron"), make("main", .main, requires: ["web"]),
    ]

    @Test("The main program first, then services in reverse, those that are independent at once, then the rest")
    func order() {
        var lab = Lab(Self.twoAndMain)
        lab.bootAll()
        #expect(lab.hear(.terminate) == ["SIGTERM main"])
        #expect(lab.die("main") == ["SIGKILL group of main", "SIGTERM cron", "SIGTERM web"])
        #expect(lab.exit("cron") == ["SIGKILL group of cron"])
        #expect(lab.exit("web") == ["SIGKILL group of web", "SIGTERM db"])
        #expect(lab.exit("db") == ["SIGKILL group of db", "SIGTERM stragglers"])
        #expect(lab.send(.stragglersGone) == ["exit 143"])
        #expect(lab.said.last == "stopping (SIGTERM)")
    }

    @Test("The order holds across what has no process: a group, a oneshot that is done")
    func orderAcross() {
        var lab = Lab([
            make("db"), make("migrate", .oneshot, requires: ["db"]), make("all", .group, requires: ["migrate"]),
            make("web", requires: ["all"]),
        ])
        lab.bootAll()
        #expect(lab.hear(.terminate) == ["SIGTERM web"])
        #expect(lab.exit("web") == ["SIGKILL group of web", "SIGTERM db"])
    }

    @Test("When the main program ends, that is the exit code, and its group is left to the stragglers")
    func mainEnds() {
        var lab = Lab(Self.twoAndMain)
        lab.bootAll()
        #expect(lab.exit("main", 42) == ["SIGTERM cron", "SIGTERM web"])
        #expect(lab.said.last == "stopping (main exited with code 42)")
        _ = lab.exit("web")
        _ = lab.exit("cron")
        _ = lab.exit("db")
        #expect(lab.send(.stragglersGone) == ["exit 42"])
    }

    @Test("A straggler that ignores SIGTERM is killed a second later; one that cannot be killed holds nothing up")
    func stragglers() {
        var lab = Lab([make("main", .main)])
        lab.bootAll()
        #expect(lab.exit("main", 1) == ["SIGTERM stragglers"])
        #expect(lab.wait(milliseconds: 999) == [])
        #expect(lab.wait(milliseconds: 1) == ["SIGKILL stragglers"])
        #expect(lab.wait(1) == ["exit 1"])
    }

    @Test("Where stragglers are to be skipped, the exit follows at once")
    func skipped() {
        var options = Core.Options()
        options.skipsStragglers = true
        var lab = Lab([make("main", .main), make("web")], options: options)
        lab.bootAll()
        #expect(lab.exit("main", 1) == ["SIGTERM web"])
        #expect(lab.exit("web") == ["SIGKILL group of web", "exit 1"])
    }

    @Test("Who ignores the signal is killed at its stop timeout, with its group")
    func timeout() {
        var lab = Lab([
            make("web") {
                $0.stop.signal = .quit
                $0.stop.timeout = .seconds(2)
            }
        ])
        lab.bootAll()
        #expect(lab.hear(.terminate) == ["SIGQUIT web"])
        #expect(lab.wait(milliseconds: 1999) == [])
        #expect(lab.wait(milliseconds: 1) == ["SIGKILL group of web", "SIGKILL web"])
        #expect(lab.said.last == "web: ignored SIGQUIT for 2 s; killed")
        #expect(lab.die("web", 9) == ["SIGKILL group of web", "SIGTERM stragglers"])
    }

    static let withCommand = make("web") {
        $0.stop.command = [Template(literal: "bye", span: nowhere)]
        $0.stop.timeout = .seconds(3)
    }

    @Test("The stop command runs first, then the signal; the timeout is for both together")
    func stopCommand() {
        var lab = Lab([Self.withCommand])
        lab.bootAll()
        #expect(lab.hear(.terminate) == ["stop command of web"])
        #expect(lab.wait(2) == [])
        #expect(lab.send(.stopCommandEnded(lab.id("web"))) == ["SIGTERM web"])
        #expect(lab.wait(1) == ["SIGKILL group of web", "SIGKILL web"])
    }

    @Test("A stop command that hangs is killed with its service; one that outlives it is waited for")
    func stopCommandHangs() {
        var lab = Lab([Self.withCommand])
        lab.bootAll()
        _ = lab.hear(.terminate)
        #expect(lab.wait(3) == ["kill stop command of web", "SIGKILL group of web", "SIGKILL web"])
        #expect(lab.die("web", 9) == ["SIGKILL group of web", "SIGTERM stragglers"])

        lab = Lab([Self.withCommand])
        lab.bootAll()
        _ = lab.hear(.terminate)
        #expect(lab.exit("web") == ["SIGKILL group of web"])
        #expect(lab.send(.stopCommandEnded(lab.id("web"))) == ["SIGTERM stragglers"])
    }

    @Test("Nothing starts after the stop began: no restart, nobody who waits, no answer about conditions, no exec")
    func nothingStarts() {
        var lab = Lab([
            make("crash"), make("web", requires: ["db"]), make("db"), make("tty") { $0.when = [.tty(true)] },
            make("stay"),
        ])
        #expect(lab.boot() == ["spawn crash", "spawn db", "check tty", "spawn stay"])
        _ = lab.up("crash")
        _ = lab.up("stay")
        _ = lab.exit("crash", 1)
        #expect(lab.hear(.terminate) == ["SIGTERM stay", "SIGTERM db"])
        #expect(lab.up("db") == [])
        #expect(lab.send(.conditionsChecked(lab.id("tty"), unmet: nil)) == [])
        #expect(lab.exit("db", 0) == ["SIGKILL group of db"])
        #expect(lab.wait(5) == [])
        #expect(lab.state("crash") == "stopped")
    }

    @Test("A spawn in flight that fails while stopping is simply gone")
    func spawnInFlight() {
        var lab = Lab([make("web")])
        _ = lab.boot()
        #expect(lab.hear(.terminate) == ["SIGTERM web"])
        #expect(lab.cannotStart("web") == ["SIGTERM stragglers"])
        #expect(lab.send(.stragglersGone) == ["exit 0"])
    }

    @Test("At the last call everyone is told; at the ceiling all is killed; a second later the init exits")
    func ceiling() {
        var lab = Lab(Self.twoAndMain)
        lab.bootAll()
        _ = lab.hear(.terminate)
        #expect(lab.wait(milliseconds: 7999) == [])
        #expect(lab.wait(milliseconds: 1) == ["SIGTERM db", "SIGTERM web", "SIGTERM cron"])
        #expect(
            lab.wait(1) == [
                "SIGKILL group of db", "SIGKILL db", "SIGKILL group of web", "SIGKILL web", "SIGKILL group of cron",
                "SIGKILL cron", "SIGKILL group of main", "SIGKILL main", "SIGKILL stragglers",
            ])
        #expect(
            lab.said.last
                == "the stop took longer than shutdown-timeout (9 s); killing all that is left: db, web, cron, main")
        #expect(lab.wait(1) == ["exit 137"])
    }

    @Test("Where all are gone after the ceiling, the exit does not wait for its second, and main's status counts")
    func afterCeiling() {
        var lab = Lab([make("main", .main) { $0.stop.timeout = .seconds(60) }])
        lab.bootAll()
        _ = lab.hear(.terminate)
        #expect(lab.wait(9) == ["SIGKILL group of main", "SIGKILL main", "SIGKILL stragglers"])
        #expect(lab.send(.stragglersGone) == [])
        #expect(lab.exit("main", 7) == ["SIGKILL group of main", "exit 7"])
    }

    @Test("A shutdown-timeout under 2 s has its last call half way")
    func shortCeiling() {
        var settings = Settings()
        settings.shutdownTimeout = .seconds(1)
        var lab = Lab([make("main", .main), make("web")], settings: settings)
        lab.bootAll()
        _ = lab.hear(.terminate)
        #expect(lab.wait(milliseconds: 500) == ["SIGTERM web"])
        #expect(lab.wait(milliseconds: 499) == [])
        #expect(lab.wait(milliseconds: 1).last == "SIGKILL stragglers")
    }

    @Test(
        "The exit code of a stop by signal: 0 without a main program, 128+N before it ran, else its own",
        arguments: [SignalNumber.terminate, .interrupt, .quit])
    func signalCodes(signal: SignalNumber) {
        var lab = Lab([make("web")])
        lab.bootAll()
        _ = lab.hear(signal)
        _ = lab.exit("web", 5)
        #expect(lab.send(.stragglersGone) == ["exit 0"])

        lab = Lab([make("main", .main), make("seed", .oneshot)])
        _ = lab.boot()
        _ = lab.up("seed")
        #expect(lab.hear(signal) == ["SIGTERM seed"])
        _ = lab.exit("seed", 5)
        #expect(lab.send(.stragglersGone) == ["exit \(128 + signal.number)"])

        lab = Lab([make("main", .main)])
        lab.bootAll()
        #expect(lab.hear(signal) == ["\(signal.name) main"])
        _ = lab.exit("main", 5)
        #expect(lab.send(.stragglersGone) == ["exit 5"])
    }

    @Test("A main program that was skipped is as none")
    func skippedMain() {
        var lab = Lab([make("main", .main) { $0.when = [.tty(true)] }, make("web")])
        _ = lab.boot()
        _ = lab.up("web")
        _ = lab.send(.conditionsChecked(lab.id("main"), unmet: "no TTY"))
        #expect(!lab.core.isStopping)
        _ = lab.hear(.terminate)
        _ = lab.exit("web")
        #expect(lab.send(.stragglersGone) == ["exit 0"])
    }

    @Test("The first cause decides")
    func firstCause() {
        var lab = Lab([make("main", .main), make("proxy") { $0.essential = true }])
        lab.bootAll()
        _ = lab.exit("main", 4)
        _ = lab.hear(.terminate)
        _ = lab.exit("proxy", 9)
        #expect(lab.send(.stragglersGone) == ["exit 4"])
    }
}
