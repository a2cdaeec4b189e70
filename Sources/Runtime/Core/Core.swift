import ConfigParser

/// Every decision of the init, in one value: events go in, effects come out. It makes no system call, reads no clock and
/// throws no dice that it was not given: the same services, seed, events and moments give the same effects, which is how
/// whole lives of a container are simulated in tests.
///
/// The parts, one file each: ServiceState (what a service can be), Machine (what is kept of it), Transitions (what each event
/// means in each state), Start, Watch (readiness and health), Exit and Restart, StopOne and Stop (of one service, of the
/// container), Requests, Reload, Reconfigure, Signals, Deadlines. The value keeps one work list instead of recursion, so a chain of any length
/// starts, fails and stops with a flat stack, and counters of unmet dependencies instead of scans.
///
/// Events that come late, twice, or for a service that is not there are passed over: nothing traps.

/// The supervisor's mind.
public struct Core: Sendable {
    /// How the init was called.
    public struct Options: Sendable {
        /// For the jitter of restarts; any number.
        public var seed: UInt64 = 0
        /// No service files at all: it forwards every signal to the main program, SIGTERM, SIGINT and SIGQUIT too, reaps,
        /// and returns the exit code. It begins no stop of its own, so there is no ceiling, no stop timeout and no
        /// counting of SIGTERMs. Needs a main program.
        public var isBare = false
        /// The usual action of every signal goes to the main program's group (tini -g, dumb-init).
        public var forwardsToGroup = false
        /// After SIGTSTP, SIGTTIN or SIGTTOU was forwarded, the init stops itself too (dumb-init).
        public var suspendsItself = false
        /// When the main program has ended and all services are down, exits without a word to what else is left.
        public var skipsStragglers = false
        /// Everything off.
        public init() {}
    }

    /// Where the container's life stands.
    enum Phase: Sendable {
        /// Before `Event.boot`, or after it.
        case running
        case stopping(Stop)
        /// The exit was given out.
        case over
    }

    /// By slot: what a service that has a process was started with. The place of one that is gone keeps its text until it is
    /// given to another, so that its name can still be said.
    public internal(set) var services: [Service]
    /// What init.toml says.
    public internal(set) var settings: Settings
    /// Of the same slots, with the old edges of what was removed and is not down yet.
    public internal(set) var graph: Graph
    let options: Options
    var machines: [Machine]
    var deadlines: Deadlines
    var random: RandomBits
    var phase: Phase = .running
    var hasBooted = false
    /// Grows with each change of what `report(of:)` gives.
    public internal(set) var revision: UInt64 = 0
    /// Services with a process or a stop command.
    var busy = 0
    var kept = KeptSignals()
    /// How many SIGTERMs and SIGINTs asked for the stop.
    var stopSignals = 0
    /// The moment of the event in hand.
    var now = Instant(nanoseconds: 0)
    /// What is yet to be looked at in this turn.
    var work: [Work] = []
    var effects: [Effect] = []
    /// Whether somebody wants to know of each change of a state (the control socket).
    public var recordsChanges = false
    /// The changes since they were last taken.
    var changes: [StateChange] = []

    /// - Parameters:
    ///   - services: all of them; a `ServiceID` is a place in this list. The main program's restart policy is its own:
    ///     one that should end the container when it ends has `never`.
    ///   - graph: made of the same list.
    public init(services: [Service], settings: Settings, graph: Graph, options: Options) {
        self.services = services
        self.settings = settings
        self.graph = graph
        self.options = options
        machines = [Machine](repeating: Machine(), count: services.count)
        deadlines = Deadlines(services: services.count)
        random = RandomBits(seed: options.seed)
    }

    /// The main program; nil where there is none.
    public var main: ServiceID? { graph.main }

    /// When `Event.deadlinePassed` is wanted next; nil: there is nothing to wait for but events.
    public var nextDeadline: Instant? { deadlines.nearest }

    /// What a service is doing; nil for an ID of another list.
    public func state(of id: ServiceID) -> ServiceState? {
        machines.indices.contains(id.index) ? machines[id.index].state : nil
    }

    /// Whether the stop has begun, or is over.
    public var isStopping: Bool {
        switch phase {
        case .running: return false
        case .stopping, .over: return true
        }
    }

    /// Takes one fact, and gives what is to be done now, in order.
    public mutating func handle(_ event: Event, at now: Instant) -> [Effect] {
        if case .over = phase { return [] }
        self.now = now
        switch event {
        case .boot: boot()
        case .conditionsChecked(let id, .none): step(id, .conditionsHold)
        case .conditionsChecked(let id, .some(let unmet)): step(id, .conditionsUnmet(unmet))
        case .execSucceeded(let id): step(id, .execSucceeded)
        case .spawnFailed(let id, let failure): step(id, .spawnFailed(failure))
        case .exited(let id, let status): step(id, .exited(status))
        case .stopCommandEnded(let id): step(id, .stopCommandEnded)
        case .ready(let id): watch(id, .ready)
        case .probed(let id, let purpose, let result): watch(id, .probed(purpose, result))
        case .watchdogFed(let id): watch(id, .fed)
        case .watchdogTriggered(let id): watch(id, .triggered)
        case .timeoutExtended(let id, let time): watch(id, .extended(time))
        case .stoppingTold(let id): watch(id, .stoppingTold)
        case .reloadCommandEnded(let id, let status): noteReloadEnd(id, status)
        case .requested(let id, let request): receive(request, for: id)
        case .reconfigured(let change): reconfigure(change)
        case .signal(let signal): receive(signal)
        case .shutdownRequested(let code): receiveShutdown(code)
        case .stragglersGone: noteStragglersGone()
        case .deadlinePassed: passDeadlines()
        }
        settle()
        let result = effects
        effects = []
        return result
    }

    private mutating func passDeadlines() {
        while let purpose = deadlines.popDue(now) {
            switch purpose {
            case .life(let id): step(id, .deadline)
            case .check(let id): watch(id, .deadline)
            case .reload(let id): passReloadDeadline(id)
            case .ceiling: reachCeiling()
            case .lastCall: tellTheRest()
            case .stragglers: passStragglerDeadline()
            }
            settle()
        }
    }

    /// Adds an effect; after the exit there is none.
    mutating func emit(_ effect: Effect) {
        if case .over = phase { return }
        effects.append(effect)
    }

    /// Adds a line for the log. An init without services says nothing while all goes well.
    mutating func announce(_ announcement: Announcement) {
        if options.isBare && announcement.severity < .warning { return }
        emit(.announce(announcement))
    }

    /// Ends it.
    mutating func exit(code: Int32) {
        emit(.exit(code: code))
        phase = .over
        deadlines = Deadlines(services: 0)
        work = []
    }
}
