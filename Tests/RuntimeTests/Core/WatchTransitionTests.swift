import ConfigParser
import Testing

@testable import Runtime

/// The second half of the table of (state, event): readiness, health, reload and requests, all pairs, for a service that is
/// probed and for one that notifies. What is written here happens, and everywhere else nothing does.
@Suite("The transition table of readiness, health, reload and requests")
struct WatchTransitionTests {
    static let flavours = ["probed", "notifies"]
    static let states = [
        "idle", "waiting", "checking", "starting", "running", "running, asked", "up", "up, asked", "up, reloading",
        "backing off", "too slow", "asked to stop", "asked to restart", "stop command", "stop command alone", "killed",
        "skipped", "ended", "stopped", "failed",
    ]
    static let events = [
        "ready", "ready passed", "ready failed", "health passed", "health failed", "fed", "triggered", "extended",
        "stopping", "check deadline", "reload ended", "reload deadline", "start", "stop", "restart", "reload",
    ]

    /// "flavour: state + event", or for both without the flavour: the new state and the effects.
    static let table: [String: String] = [
        "idle + start": "starting: spawn s",
        "idle + restart": "starting: spawn s",
        "waiting + stop": "stopped",
        "checking + stop": "stopped",
        "starting + stop": "signaled (stop) 10000: SIGTERM s",
        "starting + restart": "signaled (restart) 10000: SIGTERM s",
        "notifies: running + ready": "up 5000",
        "notifies: running + extended": "running 100000",
        "probed: running + stopping": "running 60000",
        "probed: running + check deadline": "running 3000: probe readiness of s",
        "running + stop": "signaled (stop) 10000: SIGTERM s",
        "running + restart": "signaled (restart) 10000: SIGTERM s",
        "notifies: running, asked + ready": "up 5000",
        "probed: running, asked + ready passed": "up 10000",
        "probed: running, asked + ready failed": "running 250",
        "notifies: running, asked + extended": "running 100000",
        "probed: running, asked + stopping": "running 60000: cancel probe readiness of s",
        "probed: running, asked + check deadline": "running 250: cancel probe readiness of s",
        "probed: running, asked + stop": "signaled (stop) 10000: cancel probe readiness of s, SIGTERM s",
        "notifies: running, asked + stop": "signaled (stop) 10000: SIGTERM s",
        "probed: running, asked + restart": "signaled (restart) 10000: cancel probe readiness of s, SIGTERM s",
        "notifies: running, asked + restart": "signaled (restart) 10000: SIGTERM s",
        "up + triggered": "signaled (trouble) 10000: SIGTERM s",
        "up + stopping": "up",
        "probed: up + check deadline": "up 3000: probe health of s",
        "notifies: up + check deadline": "signaled (trouble) 10000: SIGTERM s",
        "up + stop": "signaled (stop) 10000: SIGTERM s",
        "up + restart": "signaled (restart) 10000: SIGTERM s",
        "probed: up + reload": "up 10000: reload command of s",
        "notifies: up + reload": "up 5000: SIGHUP s",
        "probed: up, asked + health passed": "up 10000",
        "probed: up, asked + health failed": "signaled (trouble) 10000: SIGTERM s",
        "probed: up, asked + triggered": "signaled (trouble) 10000: cancel probe health of s, SIGTERM s",
        "notifies: up, asked + triggered": "signaled (trouble) 10000: SIGTERM s",
        "probed: up, asked + stopping": "up: cancel probe health of s",
        "notifies: up, asked + stopping": "up",
        "probed: up, asked + check deadline": "signaled (trouble) 10000: cancel probe health of s, SIGTERM s",
        "notifies: up, asked + check deadline": "signaled (trouble) 10000: SIGTERM s",
        "probed: up, asked + stop": "signaled (stop) 10000: cancel probe health of s, SIGTERM s",
        "notifies: up, asked + stop": "signaled (stop) 10000: SIGTERM s",
        "probed: up, asked + restart": "signaled (restart) 10000: cancel probe health of s, SIGTERM s",
        "notifies: up, asked + restart": "signaled (restart) 10000: SIGTERM s",
        "probed: up, asked + reload": "up 3000: reload command of s",
        "notifies: up, asked + reload": "up 5000: SIGHUP s",
        "up, reloading + triggered": "signaled (trouble) 10000: kill reload command of s, SIGTERM s",
        "up, reloading + stopping": "up 60000",
        "probed: up, reloading + check deadline": "up 3000: probe health of s",
        "notifies: up, reloading + check deadline": "signaled (trouble) 10000: kill reload command of s, SIGTERM s",
        "probed: up, reloading + reload deadline": "up 10000: kill reload command of s",
        "notifies: up, reloading + reload deadline": "up 5000: kill reload command of s",
        "up, reloading + stop": "signaled (stop) 10000: kill reload command of s, SIGTERM s",
        "up, reloading + restart": "signaled (restart) 10000: kill reload command of s, SIGTERM s",
        "backing off + start": "starting: spawn s",
        "backing off + stop": "stopped",
        "backing off + restart": "starting: spawn s",
        "too slow + extended": "signaled (trouble) 100000",
        "too slow + start": "signaled (restart) 10000",
        "too slow + stop": "signaled (stop) 10000",
        "too slow + restart": "signaled (restart) 10000",
        "asked to stop + extended": "signaled (stop) 100000",
        "asked to stop + start": "signaled (restart) 10000",
        "asked to stop + restart": "signaled (restart) 10000",
        "asked to restart + extended": "signaled (restart) 100000",
        "asked to restart + stop": "signaled (stop) 10000",
        "stop command + extended": "stop command (stop) 100000",
        "stop command + start": "stop command (restart) 10000",
        "stop command + restart": "stop command (restart) 10000",
        "stop command alone + start": "stop command alone (restart) 10000",
        "stop command alone + restart": "stop command alone (restart) 10000",
        "killed + start": "killed (restart)",
        "killed + restart": "killed (restart)",
        "skipped + start": "checking: check s",
        "skipped + restart": "checking: check s",
        "ended + start": "starting: spawn s",
        "ended + restart": "starting: spawn s",
        "stopped + start": "starting: spawn s",
        "stopped + restart": "starting: spawn s",
        "failed + start": "starting: spawn s",
        "failed + restart": "starting: spawn s",
    ]

    /// A lab whose service "s" was led into a state by events.
    static func lab(_ flavour: String, _ state: String) -> Lab {
        let isProbed = flavour == "probed"
        let service = make("s", requires: state == "waiting" ? ["other"] : []) {
            $0.ready = ReadyPolicy(isProbed ? .probe(.tcp(literal("x:1"))) : .systemd)
            var health = HealthPolicy(isProbed ? .probe(.tcp(literal("x:1"))) : .watchdog(.seconds(5)))
            health.failures = 1
            $0.health = health
            $0.reload = isProbed || state == "up, reloading" ? .command([literal("again")]) : .signal(.hangup)
            if state == "idle" { $0.autostart = false }
            if state == "checking" || state == "skipped" { $0.when = [.tty(true)] }
            if state == "ended" || state == "failed" { $0.restarts(.never) }
            if state.hasPrefix("stop command") { $0.stop.command = [literal("bye")] }
        }
        var lab = Lab([service, make("other")])
        let id = lab.id("s")
        _ = lab.boot()
        if state != "waiting" { _ = lab.up("other") }
        if ["idle", "waiting", "checking", "starting", "skipped"].contains(state) {
            if state == "skipped" { _ = lab.send(.conditionsChecked(id, unmet: "X is not set")) }
            return lab
        }
        _ = lab.up("s")
        if state == "running, asked" { return lab }
        if state == "running" {
            _ = lab.probed("s", .readiness, "no")
            return lab
        }
        if state == "too slow" {
            _ = lab.wait(60)
            return lab
        }
        _ = isProbed ? lab.probed("s", .readiness) : lab.send(.ready(id))
        switch state {
        case "up, asked": if isProbed { _ = lab.wait(10) }
        case "up, reloading": _ = lab.ask(.reload, "s")
        case "backing off", "failed": _ = lab.exit("s", 1)
        case "ended": _ = lab.exit("s", 0)
        case "asked to stop", "stop command": _ = lab.ask(.stop, "s")
        case "asked to restart": _ = lab.ask(.restart, "s")
        case "stop command alone", "stopped":
            _ = lab.ask(.stop, "s")
            _ = lab.exit("s")
        case "killed":
            _ = lab.ask(.stop, "s")
            _ = lab.wait(10)
        default: break
        }
        return lab
    }

    static func event(_ name: String, _ id: ServiceID) -> Event {
        switch name {
        case "ready": return .ready(id)
        case "ready passed": return .probed(id, .readiness, .passed)
        case "ready failed": return .probed(id, .readiness, .failed("no"))
        case "health passed": return .probed(id, .health, .passed)
        case "health failed": return .probed(id, .health, .failed("no"))
        case "fed": return .watchdogFed(id)
        case "triggered": return .watchdogTriggered(id)
        case "extended": return .timeoutExtended(id, by: .seconds(100))
        case "stopping": return .stoppingTold(id)
        case "reload ended": return .reloadCommandEnded(id, .exited(code: 0))
        case "start": return .requested(id, .start)
        case "stop": return .requested(id, .stop)
        case "restart": return .requested(id, .restart)
        default: return .requested(id, .reload)
        }
    }

    @Test("Every event in every state does what the table says and nothing else", arguments: states, events)
    func pair(state: String, event: String) {
        for flavour in Self.flavours {
            var lab = Self.lab(flavour, state)
            let id = lab.id("s")
            let before = Self.describe(lab)
            let effects: [String]
            switch event {
            case "check deadline":
                lab.core.watch(id, .deadline)
                effects = lab.describe(lab.core.effects)
            case "reload deadline":
                lab.core.passReloadDeadline(id)
                effects = lab.describe(lab.core.effects)
            default: effects = lab.send(Self.event(event, id))
            }
            let result = Self.describe(lab) + (effects.isEmpty ? "" : ": " + effects.joined(separator: ", "))
            let key = state + " + " + event
            #expect(result == Self.table[flavour + ": " + key] ?? Self.table[key] ?? before, "\(flavour)")
        }
    }

    /// The state, when it is waited for, and why it stops.
    static func describe(_ lab: Lab) -> String {
        var text = lab.state("s")
        let machine = lab.core.machines[lab.id("s").index]
        switch machine.reason {
        case .trouble: text += " (trouble)"
        case .stop: text += " (stop)"
        case .restart: text += " (restart)"
        case nil: break
        }
        if let next = lab.core.nextDeadline { text += " \((next.nanoseconds - lab.now) / 1_000_000)" }
        return text
    }
}
