import ConfigParser
import Testing

@testable import Runtime

@Suite("Restarting")
struct RestartTests {
    @Test("The n-th quick death in a row waits delay·factor^(n-1), at most max-delay; a long life resets the count")
    func backoff() {
        var lab = Lab([make("web")])
        lab.bootAll()
        for seconds in [Int64(1), 2, 4, 8, 16, 30, 30] {
            #expect(lab.exit("web", 1) == ["SIGKILL group of web"])
            #expect(lab.wait(milliseconds: seconds * 1000 - 1) == [])
            #expect(lab.wait(milliseconds: 1) == ["spawn web"])
            _ = lab.up("web")
        }
        _ = lab.wait(60)
        #expect(lab.exit("web", 1) == ["SIGKILL group of web", "spawn web"])
        #expect(lab.said.last == "web: exited with code 1 after 1 min; starting it again at once")
        _ = lab.up("web")
        _ = lab.wait(milliseconds: 2100)
        _ = lab.exit("web", 1)
        #expect(lab.said.last == "web: exited with code 1 after 2.1 s; starting it again in 1 s")
        _ = lab.wait(1)
        _ = lab.up("web")
        _ = lab.die("web", 11)
        #expect(
            lab.said.last == "web: was ended by SIGSEGV after 0 ms; starting it again in 2 s (2nd quick death in a row)"
        )
    }

    @Test("With delay 0 it starts in the same turn")
    func noDelay() {
        var lab = Lab([make("web") { $0.restart.delay = .seconds(0) }])
        lab.bootAll()
        #expect(lab.exit("web", 1) == ["SIGKILL group of web", "spawn web"])
    }

    @Test(
        "The delay lies within its jitter, and never above max-delay",
        arguments: [0, 1, UInt64.max / 2, UInt64.max], [1, 2, 7, 1_000_000, Int.max])
    func bounds(random: UInt64, attempt: Int) {
        for (factor, jitter) in [(2.0, 0.1), (1.0, 1.0), (0.5, 0.0), (10.0, 1.0), (1e300, 0.5)] {
            var policy = RestartPolicy()
            policy.factor = factor
            policy.jitter = jitter
            let delay = policy.delay(attempt: attempt, random: random)
            #expect(delay <= policy.maxDelay)
            #expect(Double(delay.nanoseconds) >= Double(policy.delay.nanoseconds) * (1 - jitter) - 1)
        }
        var none = RestartPolicy()
        none.delay = .seconds(0)
        none.factor = .infinity
        #expect(none.delay(attempt: attempt, random: random).nanoseconds == 0)
        none.jitter = 0
        none.delay = Interval(nanoseconds: .max)
        none.maxDelay = Interval(nanoseconds: .max)
        none.factor = .nan
        #expect(none.delay(attempt: attempt, random: random) == none.maxDelay)
    }

    /// Type, policy, success-codes and never-after (78), and what an exit code or signal makes of it.
    @Test(
        "What an end means",
        arguments: [
            (ServiceType.longrun, RestartPolicy.Policy.always, Int32(0), Verdict.restart),
            (.longrun, .always, 1, .restart),
            (.longrun, .always, 78, .failed), (.longrun, .onFailure, 0, .ended), (.longrun, .onFailure, 1, .restart),
            (.longrun, .onFailure, 78, .failed), (.longrun, .never, 0, .ended), (.longrun, .never, 1, .failed),
            (.longrun, .always, 3, .ended), (.longrun, .never, 3, .ended), (.oneshot, .always, 0, .done),
            (.oneshot, .always, 1, .failed), (.oneshot, .onFailure, 1, .restart), (.oneshot, .onFailure, 78, .failed),
            (.oneshot, .never, 3, .done), (.main, .never, 1, .ended), (.main, .always, 78, .ended),
            (.main, .onFailure, 1, .restart), (.main, .onFailure, 0, .ended),
        ])
    func verdict(type: ServiceType, policy: RestartPolicy.Policy, code: Int32, expected: Verdict) {
        var restart = RestartPolicy()
        restart.policy = policy
        restart.successCodes = [.code(0), .code(3), .signal(.terminate)]
        restart.neverAfter = [.code(78), .code(3)]
        #expect(restart.verdict(for: type, .exited(code: code)) == expected)
    }

    @Test("More than `limit` starts in `within` fail it, at once; the exit code of an essential one is then never 0")
    func limit() {
        var lab = Lab([
            make("web") {
                $0.essential = true
                $0.restart.delay = .milliseconds(100)
                $0.restart.factor = 1
                $0.restart.limit = 3
                $0.restart.within = .seconds(10)
            }
        ])
        lab.bootAll()
        for _ in 0..<2 {
            _ = lab.exit("web", 0)
            #expect(lab.wait(1) == ["spawn web"])
            _ = lab.up("web")
        }
        #expect(lab.exit("web", 0) == ["SIGKILL group of web", "SIGTERM stragglers"])
        #expect(
            lab.said.contains(
                "web: failed: started 3 times within 10 s, which is its limit; the last time it exited with code 0; "
                    + "stopping the container with code 1"))
        #expect(lab.send(.stragglersGone) == ["exit 1"])
    }

    @Test("A start that leaves the window makes room for another")
    func slidingWindow() {
        var history = StartHistory()
        let window = Interval.seconds(10)
        for second in [Int64(0), 4, 8] { history.add(Instant(nanoseconds: second * 1_000_000_000), limit: 3) }
        #expect(history.isExhausted(at: Instant(nanoseconds: 9_999_999_999), limit: 3, within: window))
        #expect(!history.isExhausted(at: Instant(nanoseconds: 10_000_000_000), limit: 3, within: window))
        history.add(Instant(nanoseconds: 10_000_000_000), limit: 3)
        #expect(history.isExhausted(at: Instant(nanoseconds: 13_000_000_000), limit: 3, within: window))
        #expect(!history.isExhausted(at: Instant(nanoseconds: 13_000_000_000), limit: nil, within: window))
    }

    @Test("Before a restart, what it requires must be up again; what it wants matters only at first")
    func restartWaits() {
        var lab = Lab([make("web", requires: ["db"], wants: ["mail"]), make("db"), make("mail")])
        lab.bootAll()
        _ = lab.exit("mail", 1)
        _ = lab.exit("web", 1)
        #expect(lab.exit("db", 1) == ["SIGKILL group of db"])
        #expect(lab.wait(1) == ["spawn db", "spawn mail"])
        #expect(lab.state("web") == "waiting")
        #expect(lab.up("db") == ["spawn web"])
    }

    @Test("A dependency that dies does not disturb what runs")
    func undisturbed() {
        var lab = Lab([make("web", requires: ["db"]), make("db") { $0.restarts(.never) }])
        lab.bootAll()
        _ = lab.exit("db", 1)
        #expect(lab.state("db") == "failed")
        #expect(lab.state("web") == "up")
        #expect(lab.exit("web", 1) == ["SIGKILL group of web"])
        #expect(lab.wait(1) == [])
        #expect(lab.state("web") == "failed")
        #expect(lab.said.last == "web: failed: requires db, which failed (exited with code 1)")
    }

    @Test("One that ended by its own policy still counts for those that require it")
    func endedCounts() {
        var lab = Lab([make("web", requires: ["init"]), make("init") { $0.restarts(.onFailure) }])
        _ = lab.boot()
        _ = lab.up("init")
        _ = lab.exit("init", 0)
        #expect(lab.said.contains("init: exited with code 0 after 0 ms; not started again"))
        _ = lab.up("web")
        #expect(lab.exit("web", 1) == ["SIGKILL group of web"])
        #expect(lab.wait(1) == ["spawn web"])
    }

    @Test("A lack of processes or memory is tried again, no sooner than 100 ms; a oneshot ten times")
    func transient() {
        var lab = Lab([make("web") { $0.restart.delay = .seconds(0) }])
        _ = lab.boot()
        #expect(lab.cannotStart("web", 71, isTransient: true) == [])
        #expect(lab.wait(milliseconds: 99) == [])
        #expect(lab.wait(milliseconds: 1) == ["spawn web"])
        #expect(lab.said == ["web: cannot start: cannot run it; trying again in 100 ms"])

        lab = Lab([make("seed", .oneshot)])
        _ = lab.boot()
        for _ in 0..<9 {
            #expect(lab.cannotStart("seed", 71, isTransient: true) == [])
            #expect(lab.wait(30) == ["spawn seed"])
        }
        #expect(lab.cannotStart("seed", 71, isTransient: true) == ["SIGTERM stragglers"])
        #expect(lab.send(.stragglersGone) == ["exit 71"])
    }

    @Test("An essential service that ends for good stops the container with its code")
    func essential() {
        for (code, policy) in [(Int32(0), RestartPolicy.Policy.onFailure), (7, .never)] {
            var lab = Lab([
                make("proxy") {
                    $0.essential = true
                    $0.restarts(policy)
                }, make("web"),
            ])
            lab.bootAll()
            #expect(lab.exit("proxy", code) == ["SIGKILL group of proxy", "SIGTERM web"])
            _ = lab.exit("web")
            #expect(lab.send(.stragglersGone) == ["exit \(code)"])
        }
    }

    @Test("A main program whose file says so is started again")
    func mainRestarts() {
        var lab = Lab([make("main", .main) { $0.restarts(.onFailure) }])
        lab.bootAll()
        #expect(lab.exit("main", 1) == ["SIGKILL group of main"])
        #expect(lab.wait(1) == ["spawn main"])
        _ = lab.up("main")
        #expect(lab.exit("main", 0) == ["SIGTERM stragglers"])
    }
}
