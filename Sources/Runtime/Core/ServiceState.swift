import ConfigParser

/// The states of a service, and why it stops or fails.
///
///     idle        does not boot; nobody asked for it
///     waiting     for other services, before its first start or before a restart
///     checking    `[when]` is being looked at; the answer comes as an event
///     starting    its process was asked for; whether the exec succeeds is not known yet
///     running     its program runs, but the service is not up: a oneshot, or one with `[ready]` that is not ready yet
///     up          a longrun or the main program that is ready; without `[ready]` that is when its exec succeeded
///     backingOff  ended or could not be started; the next start has a date
///     stopping    has a process, or a stop command, and was told to end: because the container stops, because somebody
///                 asked, or because it took too long to start or is unhealthy (Machine.reason says which)
///
/// and those that only a request leads away from:
///
///     done        a oneshot that succeeded, a group whose members are up
///     skipped     `[when]` did not hold
///     ended       its process ended, and its restart policy says that this was that
///     stopped     it was told to stop, or was never started because the container stops
///     failed      it cannot run, or must not be started again
///
/// What is asked of one service while the container runs:
///
///     start       starts it, with what it requires and wants; one that ended or failed anew, with fresh counters
///     stop        stops those that require it, in order, then it; all of them stay down
///     restart     stops and starts it alone; those that require it are not disturbed, as a crash would not disturb them
///     reload      `[reload]`, where it is up
///
/// The main program: to ask it to stop is to ask the container to stop, since that is what its end means; the exit code is
/// its own. A restart is of the program alone, the container goes on. To stop something that the main program requires is
/// refused: who asks for the end of a service does not ask for the end of the container. A group is asked in the name of
/// its members.

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
    indirect case failed(Failure)

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
    public indirect enum Cause: Equatable, Sendable {
        /// Its process ended so, and is not started again.
        case ended(ExitStatus, beforeReady: Bool)
        /// Its process could not be started.
        case spawn(SpawnFailure)
        /// `limit`: so many starts within `within`. The last one ended so; nil where it could not be started, or was stopped.
        case limit(starts: Int, within: Interval, last: ExitStatus?)
        /// It was not up within its `start-timeout`.
        case startTimeout(Interval)
        /// It was not ready within the `timeout` of `[ready]`.
        case notReady(Interval)
        case unhealthy(HealthProblem)
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
        case .ended(let status, _), .limit(_, _, .some(let status)): code = status.containerCode
        case .spawn(let failure): code = failure.code
        case .limit(_, _, .none), .startTimeout, .notReady, .unhealthy: break
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

/// What is wrong with a service that is up.
public enum HealthProblem: Equatable, Sendable {
    /// So many probes in a row failed, the last one so.
    indirect case probes(Int, String)
    /// No WATCHDOG=1 for so long.
    case silent(Interval)
    /// WATCHDOG=trigger.
    case saidSo
}

/// Why one service is told to stop while the container runs.
enum StopReason: Equatable, Sendable {
    /// Too slow, or unhealthy: what follows is what its restart policy says about a failure.
    case trouble(Failure.Cause)
    /// Somebody asked; it stays down.
    case stop
    /// Somebody asked; it is started again.
    case restart
}
