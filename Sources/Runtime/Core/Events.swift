import ConfigParser

/// The words in which the core and the driver speak: events are facts that the driver saw, effects are commands that it
/// carries out. Neither side knows how the other does its part.

/// A service by its slot: a place that it has for as long as it is known. One that was forgotten leaves it to another.
public struct ServiceID: Hashable, Comparable, Sendable {
    /// The place, from 0.
    public let index: Int
    /// - Parameter index: the place, from 0.
    public init(index: Int) { self.index = index }
    /// In the order of the list.
    public static func < (left: ServiceID, right: ServiceID) -> Bool { left.index < right.index }
}

/// A moment on the monotonic clock (CLOCK_MONOTONIC; in the simulation, a number).
public struct Instant: Hashable, Comparable, Sendable {
    /// Since an arbitrary start.
    public var nanoseconds: Int64
    /// - Parameter nanoseconds: since an arbitrary start.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    /// The earlier comes first.
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
    /// Saturates instead of overflowing.
    public static func + (instant: Instant, interval: Interval) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(interval.nanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }
}

/// How a process ended (wait(2)).
public enum ExitStatus: Hashable, Sendable {
    case exited(code: Int32)
    case signaled(SignalNumber, coreDumped: Bool)

    /// What a container or shell gives for it: the code, or 128 and the signal's number.
    public var containerCode: Int32 {
        switch self {
        case .exited(let code): return code
        case .signaled(let signal, _): return 128 + signal.number
        }
    }
}

/// Why a service's process did not come to run its program.
public struct SpawnFailure: Equatable, Sendable {
    /// What the container's exit code would be for it: 127 not found, 126 not executable, 78 configuration, 71 system.
    public var code: Int32
    /// Lack of processes, memory or descriptors: may go better later.
    public var isTransient: Bool
    /// What, why and what to do, for the log.
    public var message: String
    /// A failure as the spawner saw it.
    public init(code: Int32, isTransient: Bool, message: String) {
        self.code = code
        self.isTransient = isTransient
        self.message = message
    }
}

/// What a probe is for: to learn that a service is ready, or whether it is still healthy.
public enum ProbePurpose: Equatable, Sendable { case readiness, health }

/// How one probe ended.
public enum ProbeResult: Equatable, Sendable {
    case passed
    /// Why, for the log: "connection refused", "answered 503", "exited with code 1".
    indirect case failed(String)
}

/// What somebody may ask of one service: `hermes-init ctl`, or a signal whose action is `reload`.
public enum Request: Equatable, Sendable { case start, stop, restart, reload }

/// A fact.
public indirect enum Event: Sendable {
    /// The first event, once.
    case boot
    /// The answer to `checkConditions`: nil where all hold, else why not ("HERMES_DASHBOARD is not set").
    case conditionsChecked(ServiceID, unmet: String?)
    /// The process of that service runs its program (the exec succeeded).
    case execSucceeded(ServiceID)
    /// Instead of it. No `exited` follows: the driver reaps what is left of the attempt.
    case spawnFailed(ServiceID, SpawnFailure)
    /// The process ended and was reaped. Comes after `execSucceeded` of the same process.
    case exited(ServiceID, ExitStatus)
    /// The command of `[stop]` ended, or could not be started.
    case stopCommandEnded(ServiceID)
    /// It told by itself that it is ready: the newline on its descriptor, READY=1, the text in its output. Comes after
    /// `execSucceeded` of the same process; the driver checked who sent it.
    case ready(ServiceID)
    /// The answer to `probe`. None comes after `cancelProbe`.
    case probed(ServiceID, ProbePurpose, ProbeResult)
    /// WATCHDOG=1.
    case watchdogFed(ServiceID)
    /// WATCHDOG=trigger: it says of itself that it is broken.
    case watchdogTriggered(ServiceID)
    /// EXTEND_TIMEOUT_USEC: what it is doing, its start, its reload or its stop, may take so long from now.
    case timeoutExtended(ServiceID, by: Interval)
    /// STOPPING=1: it ends by itself, and is not asked about its health any more.
    case stoppingTold(ServiceID)
    /// The command of `[reload]` ended; nil: it could not be started, which the driver has logged.
    case reloadCommandEnded(ServiceID, ExitStatus?)
    /// Somebody asks something of a service.
    case requested(ServiceID, Request)
    /// The files were read again, or an instance was made or removed. Passed over while the container stops.
    case reconfigured(Reconfiguration)
    /// A signal was sent to the init. The core applies `[signals]` itself.
    case signal(SignalNumber)
    /// Somebody asks that the container stops; with this exit code, or nil: with that of the main program.
    case shutdownRequested(code: Int32?)
    /// Nothing is left of the processes that `signalStragglers` was for.
    case stragglersGone
    /// Time passed: the core looks at its deadlines. May come early, late or for nothing.
    case deadlinePassed
}

/// A command.
public enum Effect: Equatable, Sendable {
    /// Look at `[when]` of that service now and answer with `conditionsChecked`.
    case checkConditions(ServiceID)
    /// Start that service's process and answer with `execSucceeded` or `spawnFailed`.
    case spawn(ServiceID)
    /// To the service's process.
    case signal(ServiceID, SignalNumber)
    /// To the service's process group, which may outlive its process.
    case signalGroup(ServiceID, SignalNumber)
    /// Start the command of `[stop]` and answer with `stopCommandEnded`.
    case runStopCommand(ServiceID)
    /// SIGKILL to the stop command of that service; `stopCommandEnded` follows.
    case killStopCommand(ServiceID)
    /// Try once, now, whether it is ready or healthy (`[ready]`, `[health]`), and answer with `probed`.
    case probe(ServiceID, ProbePurpose)
    /// Give up the probe that is under way; what was started for it is killed. No answer is wanted any more.
    case cancelProbe(ServiceID, ProbePurpose)
    /// Start the command of `[reload]` and answer with `reloadCommandEnded`.
    case runReloadCommand(ServiceID)
    /// SIGKILL to the reload command of that service; `reloadCommandEnded` follows.
    case killReloadCommand(ServiceID)
    /// To everything that is left in the PID namespace, or among the init's descendants. `stragglersGone` follows, at once
    /// where nothing is left.
    case signalStragglers(SignalNumber)
    /// Stop the init itself with SIGSTOP, as dumb-init does after it has forwarded a terminal stop signal.
    case suspendSelf
    /// It was removed and is down: nothing of it is left but what its processes hold, and its slot is free.
    case forget(ServiceID)
    /// For the log.
    case announce(Announcement)
    /// End the init. The last effect there is.
    case exit(code: Int32)
}
