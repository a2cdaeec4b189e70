import ConfigParser

@testable import Runtime

/// A life in words: the services, then each event with what the core did about it.

extension Life {
    mutating func tell(_ event: Event, _ effects: [Effect]) {
        if case .boot = event { history = plan.services.map(describe) }
        var line = "  \(Double(now / 1000) / 1000) ms: \(describe(event))"
        var said: [String] = []
        for effect in effects {
            if case .announce(let announcement) = effect {
                said.append("      \"" + announcement.text(services: plan.services) + "\"")
            } else {
                line += (line.contains(" -> ") ? ", " : " -> ") + withNames("\(effect)")
            }
        }
        history?.append(line)
        history?.append(contentsOf: said)
    }

    private func describe(_ event: Event) -> String {
        guard case .reconfigured(let change) = event else { return withNames("\(event)") }
        var lines = ["reconfigured"]
        for (index, service) in change.services.enumerated() where !service.isVacant {
            var line = "      slot \(index)" + describe(service)
            if let edit = judge.edits[index] { line += " (\(edit.text))" }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }

    /// Swift's own words for a value, shortened, with the names of the services.
    private func withNames(_ text: String) -> String {
        var text = text
        for (index, service) in plan.services.enumerated() {
            text = replace(text, "Runtime.ServiceID(index: \(index))", service.name)
        }
        for word in ["Runtime.", "ConfigParser.", "Event.", "Effect."] { text = replace(text, word, "") }
        return text
    }

    private func replace(_ text: String, _ part: String, _ other: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let range = rest.firstRange(of: part) {
            result += rest[..<range.lowerBound] + other
            rest = rest[range.upperBound...]
        }
        return result + rest
    }

    private func describe(_ service: Service) -> String {
        var text = "  \(service.name): \(service.type)"
        func names(_ key: String, _ list: [Reference]) {
            if !list.isEmpty { text += ", \(key) " + list.map(\.name).joined(separator: " ") }
        }
        names("requires", service.requires)
        names("wants", service.wants)
        names("after", service.after)
        names("before", service.before)
        if !service.autostart { text += ", no autostart" }
        if service.optional { text += ", optional" }
        if service.essential { text += ", essential" }
        if !service.when.isEmpty { text += ", with [when]" }
        text += ", restart \(service.restart.policy)"
        if let ready = service.ready {
            text += ", ready by \(withNames("\(ready.readiness)").prefix(24)) within \(ready.timeout.forPeople)"
        }
        if let health = service.health {
            text += ", health \(withNames("\(health.check)").prefix(10)) action \(health.action)"
        }
        if service.reload != nil { text += ", [reload]" }
        if service.stop.command != nil { text += ", stop command" }
        text += ", stop timeout \(service.stop.timeout.forPeople)"
        return text
    }
}

extension Announcement {
    /// A number for each kind, so that it can be seen whether the simulation brings it about.
    var kind: Int {
        switch self {
        case .up: return 0
        case .ready: return 1
        case .done: return 2
        case .complete: return 3
        case .skipped: return 4
        case .ended(_, _, _, let beforeReady): return beforeReady ? 5 : 6
        case .restarting(_, _, _, _, _, let beforeReady): return beforeReady ? 7 : 8
        case .restartingStopped(_, .notReady, _, _): return 9
        case .restartingStopped(_, .startTimeout, _, _): return 10
        case .restartingStopped: return 11
        case .tooSlow(_, .notReady, _): return 12
        case .tooSlow: return 13
        case .unhealthy(_, .probes, _): return 14
        case .unhealthy(_, .silent, _): return 15
        case .unhealthy(_, .saidSo, _): return 16
        case .healthyAgain: return 17
        case .reloaded(_, nil): return 18
        case .reloaded: return 19
        case .reloadFailed: return 20
        case .reloadKilled: return 21
        case .requested(_, .start, _): return 22
        case .requested(_, .stop, _): return 23
        case .requested: return 24
        case .passedOver: return 25
        case .stopped: return 26
        case .retrying: return 27
        case .failed(_, let failure, _, _, _): return failure.kind
        case .stillRunning: return 28
        case .stopping(.signal): return 29
        case .stopping(.mainEnded): return 30
        case .stopping(.essentialEnded): return 31
        case .stopping(.unhealthy): return 32
        case .stopping(.requested): return 33
        case .stopping(.asked): return 54
        case .stopping(.failed): return Announcement.never
        case .killed(_, nil, _): return 34
        case .killed: return 35
        case .shutdownTimeout: return 36
        case .stopForced: return 37
        case .stragglersKilled: return 38
        case .signalUnheard: return 39
        case .added: return 47
        case .removed: return 48
        case .changed(_, .now): return 49
        case .changed(_, .restarts): return 50
        case .changed(_, .starts): return 51
        case .changed(_, .nextStart): return 52
        case .changed(_, .nextContainer): return 53
        }
    }

    /// What is never said: the line about the failure says it.
    static let never = 63
    static let kinds = 55
}

extension Failure {
    fileprivate var kind: Int {
        if !chain.isEmpty { return 40 }
        switch cause {
        case .ended(_, let beforeReady): return beforeReady ? 41 : 42
        case .spawn: return 43
        case .limit: return 44
        case .startTimeout, .notReady: return 45
        case .unhealthy: return 46
        }
    }
}
