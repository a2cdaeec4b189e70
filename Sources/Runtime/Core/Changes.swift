import ConfigParser

/// What the control socket wants to know of the core beyond reports: each change of a state in its order, and how far a
/// request reaches. Nothing here decides anything.

/// A service came from one state into another.
public struct StateChange: Equatable, Sendable {
    /// Which one.
    public var id: ServiceID
    /// What it was.
    public var from: ServiceState
    /// What it is.
    public var to: ServiceState
    /// When.
    public var at: Instant
}

extension Core {
    /// The changes since the last call, in order; only where `recordsChanges`.
    public mutating func takeChanges() -> [StateChange] {
        if changes.isEmpty { return [] }
        defer { changes = [] }
        return changes
    }

    /// What has processes behind a name: the service itself, or what a group requires, groups within it too.
    func processes(behind id: ServiceID) -> [ServiceID] {
        var members: [ServiceID] = []
        var seen = [Bool](repeating: false, count: machines.count)
        var stack = [id]
        while let next = stack.popLast() {
            guard machines.indices.contains(next.index), !seen[next.index] else { continue }
            seen[next.index] = true
            if services[next.index].type != .group {
                members.append(next)
                continue
            }
            for edge in graph.edges[next.index] where edge.kind == .requires { stack.append(edge.service) }
        }
        return members
    }

    /// Those services, and behind them the ones that require one of them, directly or by way of others; each once.
    func withRequiring(_ roots: [ServiceID]) -> [ServiceID] {
        var isSeen = [Bool](repeating: false, count: machines.count)
        var list: [ServiceID] = []
        for id in roots where machines.indices.contains(id.index) && !isSeen[id.index] {
            isSeen[id.index] = true
            list.append(id)
        }
        var head = 0
        while head < list.count {
            for dependent in graph.dependents[list[head].index]
            where dependent.isRequiring && !isSeen[dependent.service.index] {
                isSeen[dependent.service.index] = true
                list.append(dependent.service)
            }
            head &+= 1
        }
        return list
    }

    /// Whether a stop that was asked for has still to reach it, or is under way.
    func isToStop(_ id: ServiceID) -> Bool {
        guard machines.indices.contains(id.index) else { return false }
        if machines[id.index].isMarked { return true }
        guard case .stopping = machines[id.index].state else { return false }
        return machines[id.index].reason == .stop
    }

    /// When the process that it has was asked for.
    func processStart(_ id: ServiceID) -> Instant? {
        guard machines.indices.contains(id.index), machines[id.index].state.hasProcess else { return nil }
        return machines[id.index].lastStart
    }

    /// Whether its [reload] command runs.
    func isReloading(_ id: ServiceID) -> Bool {
        machines.indices.contains(id.index) && machines[id.index].reload != .none
    }
}

extension ServiceState {
    /// One word for programs.
    var word: String {
        switch self {
        case .idle: return "idle"
        case .waiting: return "waiting"
        case .checking: return "checking"
        case .starting: return "starting"
        case .running: return "running"
        case .up: return "up"
        case .backingOff: return "backing-off"
        case .stopping: return "stopping"
        case .done: return "done"
        case .skipped: return "skipped"
        case .ended: return "ended"
        case .stopped: return "stopped"
        case .failed: return "failed"
        }
    }
}
