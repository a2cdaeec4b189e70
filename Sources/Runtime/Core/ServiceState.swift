import ConfigParser

/// The states of a service, and the facts about it that outlive a state.
///
/// What is *wanted* of a service and what it *is* are kept apart: wanted is one thing for the whole container so far (all
/// that boots is wanted until the stop begins), the state is below.
///
///     idle        does not boot; nobody asked for it
///     waiting     for other services, before its first start or before a restart
///     checking    `[when]` is being looked at; the answer comes as an event
///     starting    its process was asked for; whether the exec succeeds is not known yet
///     running     its program runs, but the service is not up: a oneshot
///     up          a longrun or the main program whose exec succeeded
///     backingOff  ended or could not be started; the next start has a date
///     stopping    has a process, or a stop command, and was told to end
///
/// and those from which nothing leads away:
///
///     done        a oneshot that succeeded, a group whose members are up
///     skipped     `[when]` did not hold
///     ended       its process ended, and its restart policy says that this was that
///     stopped     it was told to stop, or was never started because the container stops
///     failed      it cannot run, or must not be started again
///
/// Readiness will sit between `running` and `up`: a longrun with `[ready]` will stay in `running` until it is ready.

/// What a service is doing.
public enum ServiceState: Equatable, Sendable {
    case idle
    case waiting
    case checking
    case starting(asked: Instant)
    case running(since: Instant)
    case up(since: Instant)
    case backingOff(until: Instant)
    case stopping(StopStage)
    case done
    case skipped
    case ended(ExitStatus)
    case stopped
    case failed(Failure)

    /// Whether a process of the service may be there: from the moment it is asked for until its end is known.
    public var hasProcess: Bool {
        switch self {
        case .starting, .running, .up: return true
        case .stopping(.command), .stopping(.signaled), .stopping(.killed): return true
        case .stopping(.commandAlone): return false
        case .idle, .waiting, .checking, .backingOff, .done, .skipped, .ended, .stopped, .failed: return false
        }
    }

    var isWaiting: Bool {
        if case .waiting = self { return true }
        return false
    }

    /// Whether those that require the service may start. `optional` is the service's key of that name.
    func satisfies(optional: Bool) -> Bool {
        switch self {
        case .up, .done, .skipped, .ended: return true
        case .failed: return optional
        case .idle, .waiting, .checking, .starting, .running, .backingOff, .stopping, .stopped: return false
        }
    }

    /// Whether those that only want the service, or come after it, need wait no longer.
    var isSettled: Bool {
        switch self {
        case .up, .done, .skipped, .ended, .failed, .stopped: return true
        case .idle, .waiting, .checking, .starting, .running, .backingOff, .stopping: return false
        }
    }
}

/// How far the stop of one service has come.
public enum StopStage: Equatable, Sendable {
    /// The command of `[stop]` runs; the signal comes when it has ended.
    case command
    /// The process ended while its stop command still runs.
    case commandAlone
    /// The signal was sent.
    case signaled(SignalNumber)
    /// SIGKILL was sent.
    case killed
}

/// Why a service failed for good.
public struct Failure: Equatable, Sendable {
    /// What happened.
    public enum Cause: Equatable, Sendable {
        /// Its process ended so, and is not started again.
        case ended(ExitStatus)
        /// Its process could not be started.
        case spawn(SpawnFailure)
        /// `limit`: so many starts within `within`. The last one ended so; nil where it could not be started.
        case limit(starts: Int, within: Interval, last: ExitStatus?)
    }
    /// Of the service itself, or of the one at the end of `chain`.
    public var cause: Cause
    /// The services between: the first is the one that this one requires, the last is the root of it. Empty where the
    /// service itself failed. A long chain has its middle left out.
    public var chain: [ServiceID]

    /// The exit code that a container has which stops because of it: never 0.
    public var code: Int32 {
        var code: Int32 = 1
        switch cause {
        case .ended(let status), .limit(_, _, .some(let status)): code = status.containerCode
        case .spawn(let failure): code = failure.code
        case .limit(_, _, .none): break
        }
        return code == 0 ? 1 : code
    }

    init(_ cause: Cause) {
        self.cause = cause
        chain = []
    }

    /// The failure of a service that requires `service`, which failed so.
    init(requiring service: ServiceID, _ failure: Failure) {
        cause = failure.cause
        chain = [service]
        if failure.chain.count < 6 {
            chain += failure.chain
        } else {
            chain += failure.chain.prefix(4)
            chain += failure.chain.suffix(1)
        }
    }
}

/// What the core keeps of one service.
struct Machine: Sendable {
    var state: ServiceState = .idle
    /// How many of the services that it requires are not up.
    var unmetRequirements = 0
    /// How many of those that it only waits for have never been settled.
    var unsettled = 0
    /// Whether it has been settled once.
    var hasSettled = false
    /// Whether a process was asked for once: conditions, and what it wants, matter only before.
    var hasStarted = false
    /// When its last process was asked for.
    var lastStart = Instant(nanoseconds: 0)
    /// How often in a row it died before `reset-after`, or could not be started.
    var quickDeaths = 0
    /// How often in a row it could not be started for want of something.
    var failedSpawns = 0
    /// The starts that count towards `limit`.
    var starts = StartHistory()
    /// During the stop: when it was told.
    var toldAt = Instant(nanoseconds: 0)
    /// During the stop: how many of those that wait for it are not down yet.
    var holders = 0
    /// During the stop: it is down, and those that it waits for know.
    var isReleased = false
}
