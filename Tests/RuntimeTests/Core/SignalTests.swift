import ConfigParser
import Testing

@testable import Runtime

@Suite("Signals")
struct SignalTests {
    static func lab(
        _ rules: [(signal: SignalNumber, action: SignalAction)] = [], options: Core.Options = Core.Options(),
        change: (inout Service) -> Void = { _ in }
    ) -> Lab {
        var settings = Settings()
        settings.signals = rules
        var lab = Lab([make("main", .main, change: change), make("web")], settings: settings, options: options)
        lab.bootAll()
        return lab
    }

    @Test("Every signal but SIGCHLD is forwarded to the main program", arguments: Int32(1)...64)
    func forwarded(number: Int32) {
        let signal = signal(number)
        var lab = Self.lab()
        #expect(lab.hear(signal) == (signal == .child ? [] : ["\(signal.name) main"]))
        #expect(lab.core.isStopping == [.terminate, .interrupt, .quit].contains(signal))
    }

    @Test(
        "[signals] sets what happens, and whether the stop begins",
        arguments: [
            (SignalAction.forward, "SIGTERM main", false), (.forwardGroup, "SIGTERM group of main", false),
            (.stop, "SIGTERM main", true), (.ignore, "", false), (.rewrite(.hangup), "SIGHUP main", false),
            (.rewrite(.interrupt), "SIGINT main", true),
        ])
    func rules(action: SignalAction, effect: String, stops: Bool) {
        var lab = Self.lab([(.terminate, action)])
        #expect(lab.hear(.terminate).joined() == effect)
        #expect(lab.core.isStopping == stops)
    }

    @Test("A signal that was rewritten has its usual action; rules are not applied twice")
    func rewriteOnce() {
        var lab = Self.lab([(.hangup, .rewrite(.terminate)), (.terminate, .ignore)])
        #expect(lab.hear(.hangup) == ["SIGTERM main"])
        #expect(lab.core.isStopping)
    }

    @Test("A stop signal in main's own file takes the place of SIGTERM, not of SIGINT")
    func explicitStopSignal() {
        func explicit(_ service: inout Service) {
            service.stop.signal = .quit
            service.stop.signalIsExplicit = true
        }
        var lab = Self.lab(change: explicit)
        #expect(lab.hear(.terminate) == ["SIGQUIT main"])
        #expect(lab.hear(.terminate) == ["SIGQUIT main"])
        lab = Self.lab(change: explicit)
        #expect(lab.hear(.interrupt) == ["SIGINT main"])
    }

    @Test("A stop command in main's own file is run at SIGTERM, before the signal")
    func mainStopCommand() {
        var lab = Self.lab { $0.stop.command = [Template(literal: "bye", span: nowhere)] }
        #expect(lab.hear(.terminate) == ["stop command of main"])
        #expect(lab.send(.stopCommandEnded(lab.id("main"))) == ["SIGTERM main"])
    }

    @Test("A second SIGTERM or SIGINT is forwarded and shortens nothing; a third kills everything")
    func third() {
        var lab = Self.lab()
        #expect(lab.hear(.interrupt) == ["SIGINT main"])
        let deadline = lab.core.nextDeadline
        #expect(lab.hear(.terminate) == ["SIGTERM main"])
        #expect(lab.core.nextDeadline == deadline)
        #expect(
            lab.hear(.interrupt) == [
                "SIGKILL group of main", "SIGKILL main", "SIGKILL group of web", "SIGKILL web", "SIGKILL stragglers",
            ])
        #expect(lab.said.last == "told to stop three times; killing all that is left: main, web")
        #expect(lab.hear(.interrupt) == [])
        _ = lab.die("main", 9)
        _ = lab.die("web", 9)
        #expect(lab.send(.stragglersGone) == ["exit 137"])
    }

    @Test("Signals that come before the main program runs are kept and delivered once; one that stops is not")
    func kept() {
        var lab = Lab([make("main", .main), make("seed", .oneshot)])
        _ = lab.boot()
        for number: Int32 in [10, 1, 10, 64, 20, 18, 28] { #expect(lab.hear(signal(number)) == []) }
        _ = lab.up("seed")
        #expect(lab.exit("seed") == ["SIGKILL group of seed", "spawn main"])
        #expect(lab.hear(signal(12)) == [])
        // SIGCONT took back the SIGTSTP before it.
        let expected = [
            "SIGHUP main", "SIGUSR1 main", "SIGUSR2 main", "SIGCONT main", "SIGWINCH main", "SIGRTMAX main",
        ]
        #expect(lab.up("main") == expected)
    }

    @Test("A stop signal while main's exec is in flight is sent at once")
    func execInFlight() {
        var lab = Lab([make("main", .main)])
        _ = lab.boot()
        #expect(lab.hear(.terminate) == ["SIGTERM main"])
        #expect(lab.up("main") == [])
        #expect(lab.die("main") == ["SIGKILL group of main", "SIGTERM stragglers"])
        #expect(lab.send(.stragglersGone) == ["exit 143"])
    }

    @Test("Without a main program other signals are passed over")
    func noMain() {
        var lab = Lab([make("web")])
        lab.bootAll()
        #expect(lab.hear(.hangup) == [])
        #expect(lab.said.last == "SIGHUP ignored: no main program runs that it could be forwarded to")
        #expect(Announcement.signalUnheard(.hangup).severity == .debug)
    }

    @Test("Asked for the group, the usual action of each signal goes to main's group, the stop too")
    func group() {
        var options = Core.Options()
        options.forwardsToGroup = true
        var lab = Self.lab(options: options)
        #expect(lab.hear(.hangup) == ["SIGHUP group of main"])
        #expect(lab.hear(.terminate) == ["SIGTERM group of main"])
    }

    @Test("Asked to, the init suspends itself after it forwarded a terminal stop signal, as what it came")
    func suspends() {
        var options = Core.Options()
        options.suspendsItself = true
        for number: Int32 in 20...22 {
            var lab = Self.lab([(signal(number), .rewrite(.stop))], options: options)
            #expect(lab.hear(signal(number)) == ["SIGSTOP main", "suspend"])
        }
        var lab = Self.lab(options: options)
        #expect(lab.hear(.terminalStop) == ["SIGTSTP main", "suspend"])
        #expect(lab.hear(.continue) == ["SIGCONT main"])
    }

    @Test("An init without services only forwards: no stop, no ceiling, no counting, not a word")
    func bare() {
        var options = Core.Options()
        options.isBare = true
        options.skipsStragglers = true
        var lab = Lab([make("main", .main)], options: options)
        #expect(lab.boot() == ["spawn main"])
        #expect(lab.hear(.terminate) == [])
        #expect(lab.up("main") == ["SIGTERM main"])
        for _ in 0..<4 { #expect(lab.hear(.terminate) == ["SIGTERM main"]) }
        #expect(lab.core.nextDeadline == nil)
        #expect(lab.exit("main", 3) == ["exit 3"])
        #expect(lab.said == [])
    }
}
