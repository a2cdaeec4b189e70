import ConfigParser

@testable import Runtime

/// The rules of a container's life, kept apart from the core: naive, slow, and computed from what happened, never from
/// the core's own state. It is told each event before the core, shown each effect, and asked after each step whether all
/// that had to happen has happened.

struct Judge {
    /// What must be true of a service after all that happened. A restart that waits for its date or for what it requires
    /// is `backoff`.
    enum Known { case idle, waiting, checking, starting, running, backoff, done, skipped, ended, failed, gone }

    let services: [Service]
    let settings: Settings
    let options: Core.Options
    let rules: Rules
    let main: Int?

    var known: [Known]
    var hasSettled: [Bool]
    var hasProcess: [Bool]
    var hasStarted: [Bool]
    var conditionsHold: [Bool]
    var failureCode: [Int32]
    var spawns: [[Int64]]
    var execAt: [Int64]
    var endAt: [Int64]
    var earliest: [Int64]
    var latest: [Int64]
    var quickDeaths: [Int]
    var failedSpawns: [Int]
    var owesGroupKill: [Bool]
    /// Services that must fail in this step, and how.
    var mustFail: [(index: Int, code: Int32)] = []
    /// What the main program must be sent in this step.
    var expectedForMain: [Effect] = []
    var kept: [(signal: SignalNumber, toGroup: Bool)] = []

    var stopAt: Int64?
    var code: Int32 = 0
    var takesMainStatus = false
    var stopSignals = 0
    var isForced = false
    var told: [Int64?]
    var isKilled: [Bool]
    var commandRuns: [Bool]
    var stragglersToldAt: Int64?
    var isOver = false
    /// It was told to begin a stop when the step began already.
    var wasStopping = false

    init(_ plan: Plan) {
        services = plan.services
        settings = plan.settings
        options = plan.options
        rules = Rules(plan.services)
        main = plan.services.firstIndex { $0.type == .main }
        let count = services.count
        known = Array(repeating: .idle, count: count)
        hasSettled = Array(repeating: false, count: count)
        hasProcess = hasSettled
        hasStarted = hasSettled
        conditionsHold = hasSettled
        owesGroupKill = hasSettled
        isKilled = hasSettled
        commandRuns = hasSettled
        failureCode = Array(repeating: 0, count: count)
        spawns = Array(repeating: [], count: count)
        execAt = Array(repeating: 0, count: count)
        endAt = execAt
        earliest = execAt
        latest = execAt
        quickDeaths = Array(repeating: 0, count: count)
        failedSpawns = quickDeaths
        told = Array(repeating: nil, count: count)
    }

    var isStopping: Bool { stopAt != nil }
    /// No signal is sure to end this container.
    var isDeaf: Bool {
        options.isBare || settings.signals.contains { [.terminate, .interrupt, .quit].contains($0.signal) }
    }
    var ceiling: Int64 { (stopAt ?? 0) + settings.shutdownTimeout.nanoseconds }
    var lastCall: Int64 {
        let timeout = settings.shutdownTimeout.nanoseconds
        return (stopAt ?? 0) + (timeout < 2_000_000_000 ? timeout / 2 : timeout - 1_000_000_000)
    }
    func name(_ index: Int) -> String { services[index].name }

    mutating func become(_ index: Int, _ new: Known) {
        known[index] = new
        if isSettled(index) { hasSettled[index] = true }
    }

    func isUp(_ index: Int) -> Bool { known[index] == .running && services[index].type != .oneshot }

    func isSatisfied(_ index: Int) -> Bool {
        switch known[index] {
        case .done, .skipped, .ended: return true
        case .failed: return services[index].optional
        case .running: return services[index].type != .oneshot
        case .idle, .waiting, .checking, .starting, .backoff, .gone: return false
        }
    }

    func isSettled(_ index: Int) -> Bool { isSatisfied(index) || known[index] == .failed }

    func requirementsHold(_ index: Int) -> Bool {
        rules.waits[index].allSatisfy { !$0.isRequiring || isSatisfied($0.other) }
    }

    func hasFailedRequirement(_ index: Int) -> Bool {
        rules.waits[index].contains {
            $0.isRequiring && known[$0.other] == .failed && !services[$0.other].optional
        }
    }

    func mayStart(_ index: Int) -> Bool {
        requirementsHold(index)
            && (hasStarted[index] || rules.waits[index].allSatisfy { $0.isRequiring || hasSettled[$0.other] })
    }

    func isDecisive(_ index: Int) -> Bool {
        let service = services[index]
        if service.type == .main || service.essential { return true }
        return service.type == .oneshot && !service.optional && !rules.isBorne[index]
    }

    /// The stop begins, if it has not.
    mutating func beginStop(_ code: Int32, at now: Int64, follows: Bool = false, telling signal: SignalNumber? = nil) {
        guard !isStopping else { return }
        stopAt = now
        self.code = code
        takesMainStatus = follows
        kept = []
        guard let main, hasProcess[main] else { return }
        told[main] = now
        firstTold = signal ?? services[main].stop.signal
        if let signal {
            expectedForMain.append(toMain(signal, options.forwardsToGroup))
        } else if services[main].stop.command != nil {
            expectedForMain.append(.runStopCommand(ServiceID(index: main)))
        } else {
            expectedForMain.append(toMain(services[main].stop.signal, options.forwardsToGroup))
        }
    }

    func toMain(_ signal: SignalNumber, _ toGroup: Bool) -> Effect {
        let id = ServiceID(index: main ?? 0)
        return toGroup ? .signalGroup(id, signal) : .signal(id, signal)
    }

    // MARK: - Facts

    mutating func note(_ event: Event, at now: Int64) throws {
        mustFail = []
        expectedForMain = []
        wasStopping = isStopping
        switch event {
        case .boot:
            for index in services.indices where rules.boots[index] { become(index, .waiting) }
        case .conditionsChecked(let id, let unmet):
            guard known[id.index] == .checking && !isStopping else { return }
            conditionsHold[id.index] = unmet == nil && requirementsHold(id.index)
            become(id.index, unmet == nil ? .waiting : .skipped)
        case .execSucceeded(let id):
            become(id.index, .running)
            execAt[id.index] = now
            failedSpawns[id.index] = 0
            guard id.index == main, !isStopping else { return }
            for (signal, toGroup) in kept.sorted(by: { $0.signal == $1.signal ? !$0.toGroup : $0.signal < $1.signal }) {
                expectedForMain.append(toMain(signal, toGroup))
            }
            let stops = kept.map(\.signal).filter { (20...22).contains($0.number) }
            if options.suspendsItself {
                for _ in Set(stops) { expectedForMain.append(.suspendSelf) }
            }
            kept = []
        case .spawnFailed(let id, let failure):
            noteSpawnFailure(id.index, failure, at: now)
        case .exited(let id, let status):
            noteExit(id.index, status, at: now)
        case .stopCommandEnded(let id):
            guard commandRuns[id.index] else { return }
            commandRuns[id.index] = false
            if id.index == main && hasProcess[id.index] && !isKilled[id.index] {
                expectedForMain.append(toMain(services[id.index].stop.signal, options.forwardsToGroup))
            }
        case .signal(let signal):
            noteSignal(signal, at: now)
        case .stragglersGone, .deadlinePassed:
            break
        }
    }

    private mutating func noteSpawnFailure(_ index: Int, _ failure: SpawnFailure, at now: Int64) {
        hasProcess[index] = false
        guard !isStopping else {
            noteGone(index, failure.code)
            return
        }
        guard failure.isTransient else {
            mustFail.append((index, failure.code))
            return
        }
        failedSpawns[index] += 1
        let isBounded = services[index].type == .oneshot || services[index].restart.policy == .never
        if isBounded && failedSpawns[index] >= 10 {
            mustFail.append((index, failure.code))
        } else {
            quickDeaths[index] += 1
            planRestart(index, at: now, isAtOnce: false, atLeast: 100_000_000)
        }
    }

    private mutating func noteExit(_ index: Int, _ status: ExitStatus, at now: Int64) {
        hasProcess[index] = false
        guard !isStopping else {
            noteGone(index, status.containerCode)
            return
        }
        let service = services[index]
        switch rules.outcome(service, status) {
        case .good where service.type == .oneshot:
            become(index, .done)
        case .good:
            become(index, .ended)
            if index == main || service.essential { beginStop(status.containerCode, at: now) }
        case .bad where index == main:
            become(index, .ended)
            beginStop(status.containerCode, at: now)
        case .bad:
            mustFail.append((index, max(status.containerCode, 1)))
        case .again:
            let isLong = now - execAt[index] >= service.restart.resetAfter.nanoseconds
            quickDeaths[index] = isLong ? 0 : quickDeaths[index] + 1
            owesGroupKill[index] = true
            planRestart(index, at: now, isAtOnce: isLong, atLeast: 0)
        }
    }

    /// Between which moments the next start must lie, if nothing else keeps it.
    private mutating func planRestart(_ index: Int, at now: Int64, isAtOnce: Bool, atLeast least: Int64) {
        become(index, .backoff)
        endAt[index] = now
        let policy = services[index].restart
        var grown = Double(policy.delay.nanoseconds)
        for _ in 1..<max(quickDeaths[index], 2) where quickDeaths[index] > 1 { grown *= policy.factor }
        let most = Double(policy.maxDelay.nanoseconds)
        let base = min(grown, most)
        let short = isAtOnce ? 0 : Int64(max(base * (1 - policy.jitter), 0)) - 1
        let long = isAtOnce ? 0 : Int64(min(base * (1 + policy.jitter), most)) + 1
        earliest[index] = now + max(short, least)
        latest[index] = now + max(long, least)
    }

    private mutating func noteGone(_ index: Int, _ code: Int32) {
        become(index, .gone)
        if index == main && takesMainStatus { self.code = code }
    }

    // MARK: - Signals

    private mutating func noteSignal(_ signal: SignalNumber, at now: Int64) {
        guard signal != .child else { return }
        var effective = signal
        var action = settings.signals.first { $0.signal == signal }?.action
        if case .rewrite(let other) = action {
            effective = other
            action = nil
        }
        let asks = [SignalNumber.terminate, .interrupt, .quit].contains(effective) && !options.isBare
        switch action {
        case .ignore: return
        case .stop: ask(effective, isForwarded: false, at: now)
        case .forward: forward(effective, false, signal)
        case .forwardGroup: forward(effective, true, signal)
        case .rewrite, nil:
            if asks {
                ask(effective, isForwarded: true, at: now)
            } else {
                forward(effective, options.forwardsToGroup, signal)
            }
        }
    }

    private mutating func ask(_ signal: SignalNumber, isForwarded: Bool, at now: Int64) {
        let isCounted = signal == .terminate || signal == .interrupt
        if isCounted { stopSignals += 1 }
        let stop = main.map { services[$0].stop }
        let isOwn = !isForwarded || (signal == .terminate && (stop?.signalIsExplicit == true || stop?.command != nil))
        if !isStopping {
            guard let main, known[main] != .skipped else {
                beginStop(0, at: now)
                return
            }
            let follows = hasProcess[main]
            beginStop(
                follows ? 137 : 128 + signal.number, at: now, follows: follows,
                telling: isOwn ? nil : signal)
        } else if stopSignals >= 3 {
            isForced = true
        } else if let main, let stop, hasProcess[main], !isKilled[main], !commandRuns[main], !isOwn || isCounted {
            // Reminded by what it was told by first.
            let again = isOwn ? firstTold ?? stop.signal : signal
            expectedForMain.append(toMain(again, options.forwardsToGroup))
        }
    }

    /// The signal by which the main program was told.
    var firstTold: SignalNumber?

    private mutating func forward(_ signal: SignalNumber, _ toGroup: Bool, _ original: SignalNumber) {
        guard let main else { return }
        let isReached = hasProcess[main] && !isKilled[main] && (known[main] == .running || isStopping)
        if isReached {
            expectedForMain.append(toMain(signal, toGroup))
            if options.suspendsItself && (20...22).contains(original.number) { expectedForMain.append(.suspendSelf) }
            return
        }
        guard !isStopping, [.idle, .waiting, .checking, .starting, .backoff].contains(known[main]) else { return }
        if signal == .continue { kept.removeAll { (19...22).contains($0.signal.number) } }
        if (19...22).contains(signal.number) { kept.removeAll { $0.signal == .continue } }
        if !kept.contains(where: { $0.signal == signal && $0.toGroup == toGroup }) { kept.append((signal, toGroup)) }
    }

    /// An event that cannot be true now, of a random service: the core must pass over it.
    func impossibleEvent(_ dice: inout Dice) -> Event? {
        let index = dice.roll(services.count)
        let id = ServiceID(index: dice.chance(10) ? services.count + 3 : index)
        switch dice.roll(6) {
        case 0: return hasProcess[index] ? nil : .exited(id, .exited(code: 1))
        case 1: return hasProcess[index] ? nil : .execSucceeded(id)
        case 2:
            return hasProcess[index] ? nil : .spawnFailed(id, SpawnFailure(code: 1, isTransient: false, message: ""))
        case 3: return commandRuns[index] ? nil : .stopCommandEnded(id)
        case 4: return known[index] == .checking && !isStopping ? nil : .conditionsChecked(id, unmet: nil)
        default: return isStopping ? .boot : .stragglersGone
        }
    }
}
