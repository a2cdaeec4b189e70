import ConfigParser

/// The facts about one service that outlive a state, and the report that is made of them.

/// What the core keeps of one service. Its size is bounded, but for the starts that count towards a `limit`.
struct Machine: Sendable {
    var state: ServiceState = .idle
    /// When it came into that state.
    var since = Instant(nanoseconds: 0)
    /// It boots, or was asked for: it takes part in the order of starting and stopping.
    var isEnlisted = false
    /// It was asked for: the failure of a oneshot does not stop the container then.
    var isRequested = false
    /// How many of the services that it requires are not up.
    var unmetRequirements = 0
    /// How many of those that it only waits for, and that are enlisted, are not settled yet.
    var unsettled = 0
    /// Whether it has been settled once since it was enlisted, or asked for anew.
    var hasSettled = false
    /// Whether a process was asked for since then: conditions, and what it wants, matter only before.
    var hasStarted = false
    /// When its last process was asked for.
    var lastStart = Instant(nanoseconds: 0)
    /// When the exec of that succeeded; nil: that is not known.
    var execAt: Instant?
    /// When that was up; nil: it was not yet.
    var upSince: Instant?
    /// When the patience with its start ends (`start-timeout`), and with its readiness.
    var startBy: Instant?
    var readyBy: Instant?
    /// How often in a row it died before `reset-after`, or could not be started.
    var quickDeaths = 0
    /// How often in a row it could not be started for want of something.
    var failedSpawns = 0
    /// The starts that count towards `limit`.
    var starts = StartHistory()
    /// Processes that were asked for, but for the first.
    var restarts = 0
    /// How its last process ended.
    var lastExit: ExitStatus?
    /// Why that had been told to end, where it was too slow or unhealthy.
    var lastTrouble: Trouble?
    /// How its readiness or health is doing.
    var watch = Watch()
    /// How its reload command is doing.
    var reload = ReloadStage.none
    /// Why it was told to stop while the container runs.
    var reason: StopReason?
    /// When it was told to stop, and when the patience with that ends.
    var toldAt = Instant(nanoseconds: 0)
    var stopBy = Instant(nanoseconds: 0)
    /// It takes part in a stop, the container's or one that was asked for, and those that it waits for do not know yet that
    /// it is down.
    var isMarked = false
    /// How many of those that wait for it take part and are not down yet.
    var holders = 0
    /// It was removed, and is forgotten when it is down.
    var isLeaving = false
    /// No service has this slot.
    var isVacant = false
    /// What it is from its next start on; its process goes on as what it was started as.
    var next: NextService?
}

/// A machine is copied often and seldom has one, so it lies outside.
final class Trouble: Sendable {
    let cause: Failure.Cause
    init(_ cause: Failure.Cause) { self.cause = cause }
}

/// A service that waits for its turn. A machine is copied often and seldom has one, so it lies outside.
final class NextService: Sendable {
    let service: Service
    init(_ service: Service) { self.service = service }
}

/// What somebody may know of a service (`hermes-init health`, `ctl status`).
public struct ServiceReport: Equatable, Sendable {
    /// What it is doing.
    public var state: ServiceState
    /// Since when.
    public var since: Instant
    /// It is up (a longrun, the main program) or done (a oneshot, a group).
    public var isReady: Bool
    /// What is wrong with its health, or why it is being stopped, in words ("connection refused, 3 times in a row"); nil:
    /// nothing, as far as is known.
    public var problem: String?
    /// How often it was started again, for whatever reason.
    public var restarts: Int
    /// How its last process ended; nil: none has.
    public var lastExit: ExitStatus?
    /// Why that had been told to end, in words, where it was too slow or unhealthy: its own exit status says nothing then.
    public var lastTrouble: String?
    /// It is up and healthy, or need not be: it is done, was skipped, ended as its policy allows, was stopped by request, was
    /// never asked for, or failed while `optional`. False while it is on its way, and when it failed.
    public var isAsWanted: Bool
}

extension Core {
    /// What there is to know of a service; nil for a slot that no service has. Its process is the driver's to know.
    public func report(of id: ServiceID) -> ServiceReport? {
        guard machines.indices.contains(id.index), !machines[id.index].isVacant else { return nil }
        // Each field by itself: the whole would be copied for every use.
        let index = id.index
        var isReady = false
        var isAsWanted = false
        var problem: String?
        switch machines[index].state {
        case .up, .done:
            isReady = true
            problem = machines[index].watch.problem?.text
            isAsWanted = machines[index].watch.problem == nil
        case .idle, .skipped, .ended, .stopped: isAsWanted = true
        case .failed: isAsWanted = services[index].optional
        case .waiting, .checking, .starting, .running, .backingOff: break
        case .stopping:
            isAsWanted = machines[index].reason == .stop
            if case .trouble(let cause) = machines[index].reason { problem = cause.text }
        }
        return ServiceReport(
            state: machines[index].state, since: machines[index].since, isReady: isReady, problem: problem,
            restarts: machines[index].restarts, lastExit: machines[index].lastExit,
            lastTrouble: machines[index].lastTrouble?.cause.text, isAsWanted: isAsWanted)
    }
}
