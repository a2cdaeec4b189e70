import ConfigParser

@testable import Runtime

/// One life of a container without a kernel: a clock that is a number, processes that are a few fields, and behaviour by
/// chance. It carries out the core's effects as the driver would, brings the events that follow, and hands both to the
/// `Judge`, which knows the rules on its own account.

/// A process of the simulated kernel, and the habits of its program.
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
    /// Of a hundred probes, so many fail.
    var failing: Int
}

/// Where a life takes place: a container to be, and what follows from it. It costs more to make than a life to live, so
/// several lives share one.
struct Stage {
    let plan: Plan
    let graph: Graph
    let rules: Rules

    /// - Parameter adapt: what is to be different about the container that the dice gave.
    init(_ dice: inout Dice, adapt: (inout Plan) -> Void = { _ in }) throws {
        var plan = Plan(&dice)
        adapt(&plan)
        self.plan = plan
        var diagnostics: [Diagnostic] = []
        guard let graph = Graph.build(plan.services, diagnostics: &diagnostics) else {
            throw Violation(text: "no graph: \(diagnostics.map(\.title))")
        }
        self.graph = graph
        rules = Rules(plan.services)
    }
}

struct Life {
    /// What a program, or what was started for it, does at its time. The number is that of the process: who comes too late
    /// is a stranger, and the driver drops what it says.
    enum Happening {
        case conditions(ServiceID, number: Int)
        case exec(ServiceID, number: Int)
        case end(ServiceID, number: Int)
        case stopCommandEnd(ServiceID, number: Int)
        case reloadEnd(ServiceID, number: Int)
        case answer(ServiceID, ProbePurpose, number: Int)
        case notice(ServiceID, Notice, number: Int)
        case request(ServiceID, Request)
        case reconfiguration
        case stragglersGone
        case outside(SignalNumber)
        case shutdown(Int32?)
        case spurious
        case impossible
    }
    enum Notice { case ready, fed, triggered, extended, stopping }

    var dice: Dice
    var plan: Plan
    var core: Core
    var judge: Judge
    var now: Int64 = 0
    var queue: [(at: Int64, number: Int, what: Happening)] = []
    var processes: [SimulatedProcess?]
    /// The number of what runs.
    var stopCommands: [Int]
    var reloads: [Int]
    var probes: [Int]
    /// How many services had a slot before the one that has it.
    var owners: [Int]
    var count = 0
    var steps = 0
    let stragglersObey: Bool
    let stragglersDie: Bool
    /// Which kinds of announcements were heard, one bit for each.
    var heard: UInt64 = 0
    /// Of a life that is to last for hours.
    var long = LongLife()
    /// What happened, in words, where somebody wants to read it.
    var history: [String]?
    /// How late the driver is with a deadline, at most, in nanoseconds.
    static let lateness: Int64 = 3_000_000

    init(_ stage: Stage, _ dice: Dice, tells: Bool = false) {
        self.dice = dice
        plan = stage.plan
        core = Core(services: plan.services, settings: plan.settings, graph: stage.graph, options: plan.options)
        judge = Judge(plan, stage.rules)
        processes = Array(repeating: nil, count: plan.services.count)
        stopCommands = Array(repeating: 0, count: plan.services.count)
        reloads = stopCommands
        probes = stopCommands
        owners = stopCommands
        stragglersObey = !self.dice.chance(20)
        stragglersDie = !self.dice.chance(5)
        if tells { history = [] }
    }

    /// Lives it to its end.
    mutating func run() throws {
        var enough = dice.time(upToMilliseconds: dice.pick([10, 2_000, 30_000, 120_000]))
        if long.lasts > 0 {
            enough = long.lasts
            planLongLife()
        }
        schedule(enough, .outside(dice.pick([.terminate, .terminate, .interrupt, .quit])))
        // Asked for over the control socket, before the signal or behind it; no question of its own, so that the lives of
        // Regressions.swift stay what they are.
        let digits = enough / 1_000
        switch digits % 16 {
        case 3: schedule(enough / 2, .shutdown(nil))
        case 5: schedule(enough / 2, .shutdown(Int32(digits % 251)))
        case 7: schedule(enough + enough % 5_000_000, .shutdown(Int32(digits % 251)))
        default: break
        }
        for _ in 0..<(dice.chance(30) ? 1 + dice.roll(3) : 0) {
            let later = dice.time(upToMilliseconds: dice.pick([1, 200, 9_000]))
            schedule(enough + later, .outside(dice.pick([.terminate, .interrupt, .quit, .hangup])))
        }
        for _ in 0..<dice.roll(4) {
            let other: SignalNumber = dice.pick([
                .hangup, signal(10), .terminalStop, .terminalInput, .continue, .child, signal(34),
            ])
            schedule(dice.time(upToMilliseconds: dice.pick([5, 50, 5_000, 15_000])), .outside(other))
        }
        let requests = plan.options.isBare || plan.services.isEmpty ? 0 : dice.pick([0, 0, 2, 12])
        for _ in 0..<requests {
            let id = ServiceID(index: dice.roll(plan.services.count))
            let request: Request = dice.pick([.restart, .stop, .start, .reload])
            schedule(dice.time(upToMilliseconds: dice.pick([50, 5_000, 30_000])), .request(id, request))
        }
        for _ in 0..<dice.roll(2) { schedule(dice.time(upToMilliseconds: 5_000), .spurious) }
        for _ in 0..<dice.roll(4) { schedule(dice.time(upToMilliseconds: 5_000), .impossible) }
        if !plan.options.isBare {
            for _ in 0..<dice.pick([0, 0, 1, 5]) {
                schedule(dice.time(upToMilliseconds: dice.pick([20, 2_000, 20_000])), .reconfiguration)
            }
        }
        try deliver(.boot)
        while !judge.isOver {
            steps += 1
            if steps == 300 && long.lasts == 0 {
                for signal in [SignalNumber.terminate, .interrupt, .quit] { schedule(now, .outside(signal)) }
            }
            if steps == 450 && judge.isDeaf && !judge.isStopping { return }
            if steps > 5_000 && long.lasts == 0 { throw Violation(text: "does not come to an end") }
            try step()
            if long.lasts > 0 { try measure() }
        }
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
        let item = queue[first]
        queue.swapAt(first, queue.count - 1)
        queue.removeLast()
        now = max(now, item.at)
        try happen(item.what)
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        queue[left].at == queue[right].at ? queue[left].number < queue[right].number : queue[left].at < queue[right].at
    }

    mutating func schedule(_ at: Int64, _ what: Happening) {
        count += 1
        queue.append((at, count, what))
    }

    private mutating func happen(_ what: Happening) throws {
        switch what {
        case .conditions(let id, let number):
            guard owners[id.index] == number else { return }
            try deliver(.conditionsChecked(id, unmet: dice.chance(30) ? "X is not set" : nil))
        case .exec(let id, let number):
            guard let process = processes[id.index], process.number == number else { return }
            if let failure = process.failure {
                processes[id.index] = nil
                try deliver(.spawnFailed(id, failure))
                return
            }
            processes[id.index]?.hasExeced = true
            if process.isToldEarly, let wait = process.obeysAfter { end(id, after: wait, process.obeysWith) }
            if let end = processes[id.index]?.end { schedule(max(end.at, now), .end(id, number: number)) }
            planNotices(id, number)
            try deliver(.execSucceeded(id))
        case .end(let id, let number):
            guard let process = processes[id.index], process.number == number, let end = process.end, end.at <= now
            else { return }
            processes[id.index] = nil
            try deliver(.exited(id, end.status))
        case .stopCommandEnd(let id, let number):
            guard stopCommands[id.index] == number else { return }
            stopCommands[id.index] = 0
            // Often it is what ends the process.
            if dice.chance(50) { end(id, after: dice.time(upToMilliseconds: 3), .exited(code: 0)) }
            try deliver(.stopCommandEnded(id))
        case .reloadEnd(let id, let number):
            guard reloads[id.index] == number else { return }
            reloads[id.index] = 0
            try deliver(.reloadCommandEnded(id, dice.pick([.exited(code: 0), .exited(code: 3), nil])))
        case .answer(let id, let purpose, let number):
            guard probes[id.index] == number else { return }
            probes[id.index] = 0
            let fails = dice.chance(processes[id.index]?.failing ?? 0)
            try deliver(.probed(id, purpose, fails ? .failed("connection refused") : .passed))
        case .notice(let id, let notice, let number):
            guard processes[id.index]?.number == number else { return }
            switch notice {
            case .ready: try deliver(.ready(id))
            case .fed:
                let interval = Int(judge.facts[id.index].healthInterval / 1_000_000)
                schedule(
                    now + 1_000_000 + dice.time(upToMilliseconds: interval * 11 / 10), .notice(id, .fed, number: number)
                )
                try deliver(.watchdogFed(id))
            case .triggered: try deliver(.watchdogTriggered(id))
            case .extended: try deliver(.timeoutExtended(id, by: dice.pick([.seconds(1), .seconds(20)])))
            case .stopping: try deliver(.stoppingTold(id))
            }
        case .request(let id, let request): try deliver(.requested(id, request))
        case .reconfiguration: try reconfigure()
        case .stragglersGone: try deliver(.stragglersGone)
        case .outside(let signal): try deliver(.signal(signal))
        case .shutdown(let code): try deliver(.shutdownRequested(code: code))
        case .spurious: try deliver(.deadlinePassed)
        case .impossible:
            guard !plan.services.isEmpty, let event = judge.impossibleEvent(&dice) else { return }
            let effects = core.handle(event, at: Instant(nanoseconds: now))
            if !effects.isEmpty { throw Violation(text: "\(event) had effects: \(effects)") }
        }
    }

    mutating func deliver(_ event: Event) throws {
        judge.note(event, at: now)
        let plain = core.plainForwarding
        let effects = core.handle(event, at: Instant(nanoseconds: now))
        if case .signal(let signal) = event { try checkForwarding(signal, plain, effects) }
        if history != nil { tell(event, effects) }
        for effect in effects {
            try judge.check(effect, during: event, at: now)
            perform(effect)
        }
        try judge.finish(event, effects, core, at: now)
    }

    /// The driver may have forwarded it without asking: then there was nothing else to do.
    private func checkForwarding(_ signal: SignalNumber, _ plain: PlainForwarding, _ effects: [Effect]) throws {
        guard plain.signals >> UInt64(signal.number - 1) & 1 == 1, let main = core.main else { return }
        if effects != [plain.toGroup ? .signalGroup(main, signal) : .signal(main, signal)] {
            throw Violation(text: "\(signal.name) could be forwarded without asking, and has effects: \(effects)")
        }
    }

    // MARK: - The kernel

    private mutating func perform(_ effect: Effect) {
        switch effect {
        case .checkConditions(let id):
            schedule(now + dice.time(upToMilliseconds: 2), .conditions(id, number: owners[id.index]))
        case .spawn(let id): spawn(id)
        case .signal(let id, let signal): send(id, signal)
        case .signalGroup(let id, let signal): send(id, signal)
        case .runStopCommand(let id):
            count += 1
            stopCommands[id.index] = count
            if !dice.chance(20) { schedule(now + dice.time(upToMilliseconds: 300), .stopCommandEnd(id, number: count)) }
            if dice.chance(30) { end(id, after: dice.time(upToMilliseconds: 50), .exited(code: 0)) }
        case .killStopCommand(let id):
            if stopCommands[id.index] > 0 { schedule(now, .stopCommandEnd(id, number: stopCommands[id.index])) }
        case .probe(let id, let purpose):
            count += 1
            probes[id.index] = count
            if dice.chance(8) { return }
            schedule(
                now + dice.time(upToMilliseconds: dice.pick([0, 0, 50, 4_000])), .answer(id, purpose, number: count))
        case .cancelProbe(let id, _): probes[id.index] = 0
        case .runReloadCommand(let id):
            count += 1
            reloads[id.index] = count
            if dice.chance(20) { return }
            schedule(now + dice.time(upToMilliseconds: dice.pick([3, 500, 20_000])), .reloadEnd(id, number: count))
        case .killReloadCommand(let id):
            if reloads[id.index] > 0 {
                schedule(now + dice.time(upToMilliseconds: 2), .reloadEnd(id, number: reloads[id.index]))
            }
        case .signalStragglers(let signal):
            if signal == .kill ? stragglersDie : stragglersObey {
                schedule(now + dice.time(upToMilliseconds: 1200), .stragglersGone)
            }
        case .announce(let announcement): heard |= 1 << UInt64(announcement.kind)
        case .forget(let id):
            owners[id.index] += 1
            stopCommands[id.index] = 0
        case .suspendSelf, .exit: break
        }
    }

    private mutating func spawn(_ id: ServiceID) {
        count += 1
        let type = judge.facts[id.index].type
        let status: ExitStatus =
            dice.chance(type == .oneshot ? 12 : 80)
            ? dice.pick([
                .exited(code: 1), .exited(code: 3), .exited(code: 78), .signaled(.kill, coreDumped: false),
                .signaled(signal(11), coreDumped: true),
            ]) : .exited(code: 0)
        var process = SimulatedProcess(
            number: count, failure: nil, obeysAfter: nil, obeysWith: .exited(code: 0), isKillable: !dice.chance(2),
            failing: dice.pick([0, 5, 30, 95]))
        if dice.chance(7) {
            process.failure =
                dice.chance(20)
                ? SpawnFailure(code: 127, isTransient: false, message: "not found")
                : SpawnFailure(code: 71, isTransient: true, message: "no memory")
        }
        let isShort = type == .oneshot || dice.chance(type == .main ? 25 : 50)
        // Now and then an exec hangs.
        let delay = dice.time(upToMilliseconds: dice.chance(3) ? 40_000 : 5)
        if isShort && !dice.chance(4) {
            process.end = (now + delay + dice.time(upToMilliseconds: dice.pick([0, 20, 2_000, 25_000])), status)
        }
        if !dice.chance(15) {
            process.obeysAfter = dice.time(upToMilliseconds: dice.pick([2, 2, 100, 9_000]))
            process.obeysWith = dice.pick([
                .exited(code: 0), .signaled(.terminate, coreDumped: false), .exited(code: 5),
            ])
        }
        processes[id.index] = process
        schedule(now + delay, .exec(id, number: count))
    }

    /// What its program will say of itself.
    private mutating func planNotices(_ id: ServiceID, _ number: Int) {
        let facts = judge.facts[id.index]
        if facts.isNotified {
            for _ in 0..<dice.pick([1, 1, 2, 0]) {
                schedule(
                    now + dice.time(upToMilliseconds: dice.pick([5, 500, 5_000])), .notice(id, .ready, number: number))
            }
        }
        if facts.isWatchdog && !dice.chance(20) {
            schedule(now + dice.time(upToMilliseconds: 900), .notice(id, .fed, number: number))
        }
        guard facts.hasHealth || facts.hasReady, dice.chance(25) else { return }
        for _ in 0..<1 + dice.roll(2) {
            let notice: Notice = dice.pick([.extended, .extended, .triggered, .stopping, .ready])
            schedule(now + dice.time(upToMilliseconds: dice.pick([50, 5_000])), .notice(id, notice, number: number))
        }
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
