import ConfigParser
import Testing

@testable import Runtime

/// The table of (state, event), all pairs: what is written here happens, and everywhere else nothing does.
@Suite("The transition table")
struct TransitionTests {
    static let states = [
        "idle", "waiting", "checking", "starting", "running", "up", "backing off", "stop command",
        "stop command alone", "signaled", "killed", "done", "skipped", "ended", "stopped", "failed",
    ]
    static let events = [
        "conditions hold", "conditions unmet", "exec succeeded", "spawn failed", "spawn failed for now", "exited 0",
        "exited 1", "stop command ended", "deadline",
    ]

    /// "state + event": the new state and the effects. Pairs that are not here change nothing.
    static let table: [String: String] = [
        "checking + conditions hold": "starting: spawn s",
        "checking + conditions unmet": "skipped",
        "starting + exec succeeded": "up",
        "starting + spawn failed": "failed",
        "starting + spawn failed for now": "backing off",
        // The exec must have succeeded, even if nobody said so.
        "starting + exited 0": "backing off: SIGKILL group of s",
        "starting + exited 1": "backing off: SIGKILL group of s",
        "running + exited 0": "done: SIGKILL group of s",
        "running + exited 1": "failed: SIGKILL group of s",
        "running + deadline": "running",
        "up + exited 0": "backing off: SIGKILL group of s",
        "up + exited 1": "backing off: SIGKILL group of s",
        "backing off + deadline": "starting: spawn s",
        "stop command + spawn failed": "stop command alone",
        "stop command + spawn failed for now": "stop command alone",
        "stop command + exited 0": "stop command alone: SIGKILL group of s",
        "stop command + exited 1": "stop command alone: SIGKILL group of s",
        "stop command + stop command ended": "signaled: SIGTERM s",
        "stop command + deadline": "killed: kill stop command of s, SIGKILL group of s, SIGKILL s",
        "stop command alone + stop command ended": "stopped",
        "stop command alone + deadline": "stopped: kill stop command of s",
        "signaled + spawn failed": "stopped",
        "signaled + spawn failed for now": "stopped",
        "signaled + exited 0": "stopped: SIGKILL group of s",
        "signaled + exited 1": "stopped: SIGKILL group of s",
        "signaled + deadline": "killed: SIGKILL group of s, SIGKILL s",
        "killed + spawn failed": "stopped",
        "killed + spawn failed for now": "stopped",
        "killed + exited 0": "stopped: SIGKILL group of s",
        "killed + exited 1": "stopped: SIGKILL group of s",
    ]

    /// A lab whose service "s" was led into a state by events; "other" keeps the container from its exit.
    static func lab(_ state: String) -> Lab {
        let isOneshot = state == "running" || state == "done"
        let service = make("s", isOneshot ? .oneshot : .longrun, requires: state == "waiting" ? ["other"] : []) {
            $0.optional = isOneshot
            if state == "idle" { $0.autostart = false }
            if state == "checking" || state == "skipped" { $0.when = [.tty(true)] }
            if state == "ended" || state == "failed" { $0.restarts(.never) }
            if state.hasPrefix("stop command") { $0.stop.command = [Template(literal: "bye", span: nowhere)] }
        }
        var lab = Lab([service, make("other")])
        _ = lab.boot()
        if state != "waiting" { _ = lab.up("other") }
        if !["idle", "waiting", "checking", "starting", "skipped"].contains(state) { _ = lab.up("s") }
        switch state {
        case "backing off", "failed": _ = lab.exit("s", 1)
        case "done", "ended": _ = lab.exit("s", 0)
        case "skipped": _ = lab.send(.conditionsChecked(lab.id("s"), unmet: "X is not set"))
        case "stop command", "signaled": _ = lab.hear(.terminate)
        case "stop command alone", "stopped":
            _ = lab.hear(.terminate)
            _ = lab.exit("s")
        case "killed":
            _ = lab.hear(.terminate)
            lab.core.step(lab.id("s"), .deadline)
        default: break
        }
        lab.core.effects = []
        return lab
    }

    static func event(_ name: String) -> ServiceEvent {
        switch name {
        case "conditions hold": return .conditionsHold
        case "conditions unmet": return .conditionsUnmet("X is not set")
        case "exec succeeded": return .execSucceeded
        case "spawn failed": return .spawnFailed(SpawnFailure(code: 127, isTransient: false, message: "not found"))
        case "spawn failed for now":
            return .spawnFailed(SpawnFailure(code: 71, isTransient: true, message: "no memory"))
        case "exited 0": return .exited(.exited(code: 0))
        case "exited 1": return .exited(.exited(code: 1))
        case "stop command ended": return .stopCommandEnded
        default: return .deadline
        }
    }

    @Test("Every event in every state does what the table says and nothing else", arguments: states, events)
    func pair(state: String, event: String) {
        var lab = Self.lab(state)
        #expect(lab.state("s") == state)
        lab.core.step(lab.id("s"), Self.event(event))
        lab.core.settle()
        let effects = lab.describe(lab.core.effects)
        let result = lab.state("s") + (effects.isEmpty ? "" : ": " + effects.joined(separator: ", "))
        #expect(result == Self.table[state + " + " + event] ?? state)
    }

    @Test("An event of a service that does not exist is passed over")
    func unknownService() {
        var lab = Lab([make("s")])
        lab.bootAll()
        for index in [-1, 1, Int.max] {
            #expect(lab.send(.exited(ServiceID(index: index), .exited(code: 1))).isEmpty)
        }
    }

    @Test("Before the boot and after the exit events do nothing that starts a service")
    func outsideItsLife() {
        var lab = Lab([make("s")])
        #expect(lab.up("s").isEmpty)
        #expect(lab.hear(.terminate) == ["SIGTERM stragglers"])
        #expect(lab.boot().isEmpty)
        #expect(lab.send(.stragglersGone) == ["exit 0"])
        #expect(lab.boot().isEmpty)
        #expect(lab.core.nextDeadline == nil)
    }
}
