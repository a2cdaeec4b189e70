import ConfigParser

/// Reloading: the signal or the command of `[reload]`. One command at a time; what is asked while one runs is done once, when
/// it has ended, because the configuration may have changed after it read it. A command lives no longer than its service.

/// How the reload command of a service is doing.
enum ReloadStage: Equatable, Sendable {
    case none
    /// It runs, until then at most.
    case running(until: Instant)
    /// The same, and it was asked for once more.
    case again(until: Instant)
    /// It was sent SIGKILL; whether it was asked for once more.
    case killed(isWanted: Bool)
}

extension Core {
    /// How long a reload command may take, where no `start-timeout` says otherwise.
    static let reloadTime = Interval.seconds(60)

    /// Asked of one service.
    mutating func reload(_ id: ServiceID) {
        guard let policy = services[id.index].reload else {
            announce(.passedOver(id, .reload, "its file has no [reload]"))
            return
        }
        guard case .up = machines[id.index].state else {
            announce(.passedOver(id, .reload, "it is not up"))
            return
        }
        switch policy {
        case .signal(let signal):
            emit(.signal(id, signal))
            announce(.reloaded(id, signal))
        case .command:
            switch machines[id.index].reload {
            case .none: runReload(id)
            case .running(let end): machines[id.index].reload = .again(until: end)
            case .killed: machines[id.index].reload = .killed(isWanted: true)
            case .again: break
            }
        }
    }

    /// A signal asked for it: every service that can.
    mutating func reloadAll() {
        guard case .running = phase else { return }
        for index in machines.indices where services[index].reload != nil {
            if case .up = machines[index].state { reload(ServiceID(index: index)) }
        }
    }

    private mutating func runReload(_ id: ServiceID) {
        let end = now + (services[id.index].startTimeout ?? Core.reloadTime)
        machines[id.index].reload = .running(until: end)
        emit(.runReloadCommand(id))
        deadlines.set(.reload(id), end)
    }

    mutating func noteReloadEnd(_ id: ServiceID, _ status: ExitStatus?) {
        guard machines.indices.contains(id.index) else { return }
        let isWanted: Bool
        switch machines[id.index].reload {
        case .none: return
        case .killed(let again): isWanted = again
        case .running, .again:
            isWanted = machines[id.index].reload.isAskedAgain
            if status == .exited(code: 0) {
                announce(.reloaded(id, nil))
            } else if let status {
                announce(.reloadFailed(id, status))
            }
        }
        machines[id.index].reload = .none
        deadlines.clear(.reload(id))
        forgetIfGone(id)
        // Unless it has none any more.
        if isWanted, !isStopping, services[id.index].reload != nil, case .up = machines[id.index].state { reload(id) }
    }

    /// The command took too long: it is killed, the service goes on.
    mutating func passReloadDeadline(_ id: ServiceID) {
        guard machines.indices.contains(id.index) else { return }
        switch machines[id.index].reload {
        case .none, .killed: break
        case .running, .again:
            let isWanted = machines[id.index].reload.isAskedAgain
            announce(.reloadKilled(id))
            killReload(id)
            machines[id.index].reload = .killed(isWanted: isWanted)
        }
    }

    /// Its service is gone, or told to go.
    mutating func killReload(_ id: ServiceID) {
        switch machines[id.index].reload {
        case .none: break
        case .running, .again:
            deadlines.clear(.reload(id))
            emit(.killReloadCommand(id))
            machines[id.index].reload = .killed(isWanted: false)
        case .killed: machines[id.index].reload = .killed(isWanted: false)
        }
    }

    /// EXTEND_TIMEOUT_USEC of a service that is up.
    mutating func extendReload(_ id: ServiceID, by time: Interval) {
        switch machines[id.index].reload {
        case .running(let old):
            machines[id.index].reload = .running(until: max(old, now + time))
            deadlines.set(.reload(id), max(old, now + time))
        case .again(let old):
            machines[id.index].reload = .again(until: max(old, now + time))
            deadlines.set(.reload(id), max(old, now + time))
        case .none, .killed: break
        }
    }
}

extension ReloadStage {
    fileprivate var isAskedAgain: Bool {
        switch self {
        case .again, .killed(true): return true
        case .none, .running, .killed(false): return false
        }
    }
}
