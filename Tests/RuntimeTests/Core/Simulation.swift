import ConfigParser

@testable import Runtime

/// One life of a container without a kernel: a clock that is a number, processes that are a few fields, and random
/// behaviour from a seed. It carries out the core's effects, brings its events, and hands both to the `Judge`, which knows
/// the rules on its own account.

/// What is wrong with a life.
struct Violation: Error {
    let text: String
}

/// A process of the simulated kernel.
struct SimulatedProcess {
    var number: Int
    /// nil: the exec succeeds.
    var failure: SpawnFailure?
    var hasExeced = false
    /// The exec has not come yet, and a signal to end has.
    var isToldEarly = false
    /// When and how it ends, as it stands; nil: never by itself.
    var end: (at: Int64, status: ExitStatus)?
    /// How long it takes to obey; nil: it ignores all but SIGKILL.
    var obeysAfter: Int64?
    var obeysWith: ExitStatus
    var isKillable: Bool
}

struct Simulation {
    enum Happening {
        case conditions(ServiceID)
        case exec(ServiceID, number: Int)
        case end(ServiceID, number: Int)
        case stopCommandEnd(ServiceID, number: Int)
        case stragglersGone
        case outside(SignalNumber)
        case spurious
        case impossible
    }

    let seed: UInt64
    var dice: Dice
    let plan: Plan
    var core: Core
    var judge: Judge
    var now: Int64 = 0
    var queue: [(at: Int64, number: Int, what: Happening)] = []
    var processes: [SimulatedProcess?]
    /// The number of the stop command that runs.
    var stopCommands: [Int?]
    var count = 0
    var steps = 0
    let stragglersObey: Bool
    let stragglersDie: Bool
    /// How late the driver is with a deadline, at most, in nanoseconds.
    static let lateness: Int64 = 3_000_000

    init(seed: UInt64) throws {
        self.seed = seed
        dice = Dice(seed: seed)
        plan = Plan(&dice)
        var diagnostics: [Diagnostic] = []
        guard let graph = Graph.build(plan.services, diagnostics: &diagnostics) else {
            throw Violation(text: "no graph: \(diagnostics.map(\.title))")
        }
        core = Core(services: plan.services, settings: plan.settings, graph: graph, options: plan.options)
        judge = Judge(plan)
        processes = Array(repeating: nil, count: plan.services.count)
        stopCommands = Array(repeating: nil, count: plan.services.count)
        stragglersObey = dice.chance(80)
        stragglersDie = dice.chance(95)
    }

    /// Lives it to its end.
    mutating func run() throws {
        let enough = dice.time(upToMilliseconds: dice.pick([10, 2_000, 30_000, 60_000]))
        schedule(enough, .outside(dice.pick([.terminate, .terminate, .interrupt, .quit])))
        if dice.chance(30) {
            for _ in 0..<1 + dice.roll(3) {
                let later = dice.time(upToMilliseconds: dice.pick([1, 200, 9_000]))
                schedule(enough + later, .outside(dice.pick([.terminate, .interrupt, .quit, .hangup])))
            }
        }
        for _ in 0..<dice.roll(4) {
            let other: SignalNumber = dice.pick([
                .hangup, signal(10), .terminalStop, .terminalInput, .continue, .child, signal(34),
            ])
            schedule(dice.time(upToMilliseconds: dice.pick([5, 50, 5_000, 15_000])), .outside(other))
        }
        for _ in 0..<dice.roll(2) { schedule(dice.time(upToMilliseconds: 5_000), .spurious) }
        for _ in 0..<dice.roll(4) { schedule(dice.time(upToMilliseconds: 5_000), .impossible) }
        try deliver(.boot)
        while !judge.isOver {
            steps += 1
            if steps == 120 { endIt() }
            if steps == 250 && judge.isDeaf && !judge.isStopping { return }
            if steps > 3_000 { throw Violation(text: "does not come to an end") }
            try step()
        }
    }

    /// A life that goes on for long is told to end, three times. One that is deaf to that is left some steps later, as the
    /// container runtime's SIGKILL would.
    private mutating func endIt() {
        for signal in [SignalNumber.terminate, .interrupt, .quit] { schedule(now, .outside(signal)) }
    }

    private mutating func step() throws {
        var first = -1
        for index in queue.indices where first < 0 || isEarlier(index, first) { first = index }
        if let deadline = core.nextDeadline?.nanoseconds, first < 0 || deadline <= queue[first].at {
            now = max(now, deadline + (dice.chance(20) ? dice.time(upToMilliseconds: 3) : 0))
            try deliver(.deadlinePassed)
            if let next = core.nextDeadline, next.nanoseconds <= now {
                throw Violation(text: "a deadline that has passed is still armed")
            }
            return
        }
        guard first >= 0 else {
            // Deaf to every signal, and nothing else will ever happen: the container runtime's SIGKILL.
            guard judge.isDeaf else { throw Violation(text: "waits for nothing, for ever") }
            judge.isOver = true
            return
        }
        let item = queue.remove(at: first)
        now = max(now, item.at)
        try happen(item.what)
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        queue[left].at == queue[right].at ? queue[left].number < queue[right].number : queue[left].at < queue[right].at
    }

    private mutating func schedule(_ at: Int64, _ what: Happening) {
        count += 1
        queue.append((at, count, what))
    }

    private mutating func happen(_ what: Happening) throws {
        switch what {
        case .conditions(let id):
            try deliver(.conditionsChecked(id, unmet: dice.chance(70) ? nil : "X is not set"))
        case .exec(let id, let number):
            guard let process = processes[id.index], process.number == number else { return }
            if let failure = process.failure {
                processes[id.index] = nil
                try deliver(.spawnFailed(id, failure))
            } else {
                processes[id.index]?.hasExeced = true
                if process.isToldEarly, let wait = process.obeysAfter { end(id, after: wait, process.obeysWith) }
                if let end = processes[id.index]?.end { schedule(max(end.at, now), .end(id, number: number)) }
                try deliver(.execSucceeded(id))
            }
        case .end(let id, let number):
            guard let process = processes[id.index], process.number == number, let end = process.end, end.at <= now
            else { return }
            processes[id.index] = nil
            try deliver(.exited(id, end.status))
        case .stopCommandEnd(let id, let number):
            guard stopCommands[id.index] == number else { return }
            stopCommands[id.index] = nil
            // Often it is what ends the process.
            if dice.chance(50) { end(id, after: dice.time(upToMilliseconds: 3), .exited(code: 0)) }
            try deliver(.stopCommandEnded(id))
        case .stragglersGone:
            try deliver(.stragglersGone)
        case .outside(let signal):
            try deliver(.signal(signal))
        case .spurious:
            try deliver(.deadlinePassed)
        case .impossible:
            guard !plan.services.isEmpty, let event = judge.impossibleEvent(&dice) else { return }
            let effects = core.handle(event, at: Instant(nanoseconds: now))
            if !effects.isEmpty { throw Violation(text: "\(event) had effects: \(effects)") }
        }
    }

    private mutating func deliver(_ event: Event) throws {
        try judge.note(event, at: now)
        let effects = core.handle(event, at: Instant(nanoseconds: now))
        for effect in effects {
            try judge.check(effect, during: event, at: now)
            perform(effect)
        }
        try judge.finish(event, effects, core, at: now)
    }

    // MARK: - The kernel

    private mutating func perform(_ effect: Effect) {
        switch effect {
        case .checkConditions(let id): schedule(now + dice.time(upToMilliseconds: 2), .conditions(id))
        case .spawn(let id): spawn(id)
        case .signal(let id, let signal): send(id, signal)
        case .signalGroup(let id, let signal): send(id, signal)
        case .runStopCommand(let id):
            count += 1
            stopCommands[id.index] = count
            if dice.chance(80) {
                schedule(now + dice.time(upToMilliseconds: 300), .stopCommandEnd(id, number: count))
            }
            if dice.chance(30) { end(id, after: dice.time(upToMilliseconds: 50), .exited(code: 0)) }
        case .killStopCommand(let id):
            if let number = stopCommands[id.index] { schedule(now, .stopCommandEnd(id, number: number)) }
        case .signalStragglers(let signal):
            if signal == .kill ? stragglersDie : stragglersObey {
                schedule(now + dice.time(upToMilliseconds: 1200), .stragglersGone)
            }
        case .suspendSelf, .announce, .exit: break
        }
    }

    private mutating func spawn(_ id: ServiceID) {
        count += 1
        let type = plan.services[id.index].type
        let status: ExitStatus =
            dice.chance(type == .oneshot ? 88 : 20)
            ? .exited(code: 0)
            : dice.pick([
                .exited(code: 1), .exited(code: 3), .exited(code: 78), .signaled(.kill, coreDumped: false),
                .signaled(signal(11), coreDumped: true),
            ])
        var process = SimulatedProcess(
            number: count, failure: nil, obeysAfter: nil, obeysWith: .exited(code: 0), isKillable: dice.chance(98))
        if dice.chance(7) {
            process.failure =
                dice.chance(80)
                ? SpawnFailure(code: 71, isTransient: true, message: "no memory")
                : SpawnFailure(code: 127, isTransient: false, message: "not found")
        }
        let isShort = type == .oneshot || dice.chance(type == .main ? 25 : 60)
        let delay = dice.time(upToMilliseconds: 5)
        if isShort && dice.chance(96) {
            process.end = (now + delay + dice.time(upToMilliseconds: dice.pick([0, 20, 2_000, 25_000])), status)
        }
        if dice.chance(85) {
            process.obeysAfter = dice.time(upToMilliseconds: dice.pick([2, 2, 100, 9_000]))
            process.obeysWith = dice.pick([
                .exited(code: 0), .signaled(.terminate, coreDumped: false), .exited(code: 5),
            ])
        }
        processes[id.index] = process
        schedule(now + delay, .exec(id, number: count))
    }

    private mutating func send(_ id: ServiceID, _ signal: SignalNumber) {
        guard let process = processes[id.index] else { return }
        switch signal {
        case .kill:
            guard process.isKillable else { return }
            end(id, after: dice.time(upToMilliseconds: 1), .signaled(.kill, coreDumped: false))
        case .terminate, .interrupt, .quit:
            if !process.hasExeced {
                processes[id.index]?.isToldEarly = true
            } else if let wait = process.obeysAfter {
                end(id, after: wait, process.obeysWith)
            }
        default:
            break
        }
    }

    /// Its end is so long away, or as near as it was.
    private mutating func end(_ id: ServiceID, after wait: Int64, _ status: ExitStatus) {
        guard let process = processes[id.index] else { return }
        if let end = process.end, end.at <= now + wait { return }
        processes[id.index]?.end = (now + wait, status)
        if process.hasExeced { schedule(now + wait, .end(id, number: process.number)) }
    }
}
