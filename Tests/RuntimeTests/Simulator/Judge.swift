import ConfigParser

@testable import Runtime

/// The rules of a container's life, kept apart from the core: naive, and computed from what happened, never from the core's
/// own state. It is told each event before the core (here, in JudgeWatch and in JudgeRequests), shown each effect (JudgeEffects), and asked
/// after each step whether all that had to happen has happened, and nothing else (JudgeInvariants).

struct Judge {
    /// What must be true of a service after all that happened. A restart that waits for its date or for what it requires
    /// is `backoff`; one that was told to end and is not down yet is `stopping`.
    enum Known {
        case idle, waiting, checking, starting, running, stopping, backoff, done, skipped, ended, stopped, failed
    }
    /// Why a service was told to stop, or will be in this step.
    enum Why { case none, trouble, stop, restart }
    enum Reload { case none, runs, killed }

    /// What is known of one service.
    struct Kept {
        var known = Known.idle
        var hasProcess = false
        var commandRuns = false
        var isEnlisted = false
        var isRequested = false
        var hasSettled = false
        var hasStarted = false
        var conditionsHold = false
        var isReady = false
        var failureCode: Int32 = 0
        var askedAt: Int64 = 0
        var execAt: Int64 = 0
        var readyAt: Int64 = -1
        var startBy = Int64.max
        var readyBy = Int64.max
        var earliest: Int64 = 0
        var latest: Int64 = 0
        var isDated = false
        var quickDeaths = 0
        var failedSpawns = 0
        var owesGroupKill = false
        var toldAt: Int64 = -1
        var stopBy: Int64 = 0
        var isSignaled = false
        var isKilled = false
        var why = Why.none
        var isMarked = false
        /// A probe is under way, since when; and the earliest moment of the next.
        var probe: ProbePurpose?
        var probeAt: Int64 = 0
        var probeFrom: Int64 = 0
        var failures = 0
        var hasPassed = false
        var isSick = false
        var isLeaving = false
        var fedBy: Int64 = 0
        var reload = Reload.none
        var reloadBy: Int64 = 0
        var reloadAgain = false
        /// Its reload command was killed before its time: so must the service have been.
        var mustBeGone = false
        /// What must happen in this step.
        var mustFail: Int32?
        var mustBeTold = false
        var mustAct = false
        var mustReload = false
        /// No service has its slot.
        var isVacant = false
        /// It was removed, and is to be forgotten when it is down.
        var isRemoved = false
        /// A probe that is under way is of an older definition.
        var isRewatched = false
        var isTold: Bool { toldAt >= 0 }
    }

    var services: [Service]
    var settings: Settings
    let options: Core.Options
    var rules: Rules
    /// Of what a service is now; what runs is what it was started as.
    var facts: [Rules.Facts]
    /// What it is from its next start on.
    var next: [Service?]
    /// What the reconfiguration in hand does.
    var edits: [Int: Edit] = [:]
    let main: Int?
    let isDeaf: Bool

    var all: [Kept]
    /// When its processes were asked for, the last of them. (Beside the others, which can be copied without counting.)
    var spawns: [[Int64]]
    /// What the main program must be sent in this step.
    var expectedForMain: [Effect] = []
    var kept: [(signal: SignalNumber, toGroup: Bool)] = []
    /// The signal by which the main program was told.
    var firstTold: SignalNumber?

    var stopAt: Int64?
    var code: Int32 = 0
    var takesMainStatus = false
    var stopSignals = 0
    var isForced = false
    var stragglersToldAt: Int64?
    var isOver = false
    /// During the container's stop: who must be down before a service is told.
    var holders: [[Int]] = []

    init(_ plan: Plan, _ rules: Rules) {
        services = plan.services
        settings = plan.settings
        options = plan.options
        self.rules = rules
        facts = rules.facts
        main = plan.services.firstIndex { $0.type == .main }
        // No signal is sure to end this container.
        isDeaf =
            options.isBare || settings.signals.contains { [.terminate, .interrupt, .quit].contains($0.signal) }
        all = Array(repeating: Kept(), count: services.count)
        spawns = Array(repeating: [], count: services.count)
        next = Array(repeating: nil, count: services.count)
    }

    var isStopping: Bool { stopAt != nil }
    var ceiling: Int64 { (stopAt ?? 0) + settings.shutdownTimeout.nanoseconds }
    var lastCall: Int64 {
        let timeout = settings.shutdownTimeout.nanoseconds
        return (stopAt ?? 0) + (timeout < 2_000_000_000 ? timeout / 2 : timeout - 1_000_000_000)
    }
    func name(_ index: Int) -> String { services[index].name }
    func violated(_ text: String) -> Violation { Violation(text: text) }

    mutating func become(_ index: Int, _ new: Known) {
        all[index].known = new
        if isSettled(index) { all[index].hasSettled = true }
    }

    func isUp(_ index: Int) -> Bool { all[index].known == .running && all[index].isReady }

    func isSatisfied(_ index: Int) -> Bool {
        switch all[index].known {
        case .done, .skipped, .ended: return true
        case .failed: return facts[index].isOptional
        case .running: return all[index].isReady
        case .idle, .waiting, .checking, .starting, .stopping, .backoff, .stopped: return false
        }
    }

    func isSettled(_ index: Int) -> Bool {
        isSatisfied(index) || all[index].known == .failed || all[index].known == .stopped
    }

    func requirementsHold(_ index: Int) -> Bool {
        for other in rules.requires[index] where !isSatisfied(other) { return false }
        return true
    }

    func hasFailedRequirement(_ index: Int) -> Bool {
        for other in rules.requires[index] where all[other].known == .failed && !facts[other].isOptional { return true }
        return false
    }

    func mayStart(_ index: Int) -> Bool {
        guard requirementsHold(index) else { return false }
        if all[index].hasStarted { return true }
        for (other, isRequiring) in rules.waits[index]
        where !isRequiring && all[other].isEnlisted && !all[other].hasSettled { return false }
        return true
    }

    func isDecisive(_ index: Int) -> Bool {
        if facts[index].type == .main || facts[index].isEssential { return true }
        return facts[index].type == .oneshot && !facts[index].isOptional && !rules.isBorne[index]
            && !all[index].isRequested
    }

    func isDown(_ index: Int) -> Bool { !all[index].hasProcess && !all[index].commandRuns }

    /// The stop begins, if it has not.
    mutating func beginStop(_ code: Int32, at now: Int64, follows: Bool = false, telling signal: SignalNumber? = nil) {
        guard !isStopping else { return }
        stopAt = now
        self.code = code
        takesMainStatus = follows
        kept = []
        for index in all.indices {
            all[index].isMarked = false
            all[index].mustBeTold = false
            all[index].mustAct = false
            switch all[index].known {
            case .waiting, .checking, .backoff: all[index].known = .stopped
            case .idle, .starting, .running, .stopping, .done, .skipped, .ended, .stopped, .failed: break
            }
        }
        holders = Array(repeating: [], count: all.count)
        for place in all.indices where all[place].isEnlisted {
            for other in rules.reach(from: place, where: { all[$0].isEnlisted }) { holders[other].append(place) }
        }
        guard let main, all[main].hasProcess else { return }
        if all[main].isTold {
            if all[main].isSignaled, !all[main].isKilled, let signal {
                expectedForMain.append(toMain(signal, options.forwardsToGroup))
            }
            return
        }
        markTold(main, at: now)
        firstTold = signal ?? facts[main].stopSignal
        if let signal {
            expectedForMain.append(toMain(signal, options.forwardsToGroup))
            all[main].isSignaled = true
        } else if facts[main].hasStopCommand {
            expectedForMain.append(.runStopCommand(ServiceID(index: main)))
        } else {
            expectedForMain.append(toMain(facts[main].stopSignal, options.forwardsToGroup))
            all[main].isSignaled = true
        }
    }

    mutating func markTold(_ index: Int, at now: Int64) {
        all[index].known = .stopping
        all[index].toldAt = now
        all[index].stopBy = now + facts[index].stopTimeout
        all[index].mustBeTold = false
    }

    func toMain(_ signal: SignalNumber, _ toGroup: Bool) -> Effect {
        let id = ServiceID(index: main ?? 0)
        return toGroup ? .signalGroup(id, signal) : .signal(id, signal)
    }

    // MARK: - Facts

    mutating func note(_ event: Event, at now: Int64) {
        expectedForMain = []
        switch event {
        case .boot:
            for index in services.indices where rules.boots[index] {
                all[index].isEnlisted = true
                become(index, .waiting)
            }
        case .conditionsChecked(let id, let unmet):
            guard all[id.index].known == .checking else { return }
            all[id.index].conditionsHold = unmet == nil && mayStart(id.index)
            become(id.index, unmet == nil ? .waiting : .skipped)
        case .execSucceeded(let id): noteExec(id.index, at: now)
        case .spawnFailed(let id, let failure): noteSpawnFailure(id.index, failure, at: now)
        case .exited(let id, let status): noteExit(id.index, status, at: now)
        case .stopCommandEnded(let id): noteStopCommandEnd(id.index, at: now)
        case .ready(let id):
            let one = all[id.index]
            if one.known == .running && !one.isReady && facts[id.index].isNotified { becomeReady(id.index, at: now) }
        case .probed(let id, let purpose, let result): noteProbe(id.index, purpose, result, at: now)
        case .watchdogFed(let id):
            if isUp(id.index) && facts[id.index].isWatchdog && !all[id.index].isLeaving && !isStopping {
                notePass(id.index)
                all[id.index].fedBy = now + facts[id.index].healthInterval
            }
        case .watchdogTriggered(let id): if isUp(id.index) { noteSick(id.index) }
        case .timeoutExtended(let id, let time): noteExtension(id.index, now + time.nanoseconds)
        case .stoppingTold(let id): if all[id.index].known == .running { all[id.index].isLeaving = true }
        case .reloadCommandEnded(let id, _): noteReloadEnd(id.index, at: now)
        case .requested(let id, let request): noteRequest(id.index, request, at: now)
        case .signal(let signal): noteSignal(signal, at: now)
        case .reconfigured(let change): noteReconfiguration(change, at: now)
        case .deadlinePassed: noteTime(now)
        case .shutdownRequested(let code): noteShutdown(code, at: now)
        case .stragglersGone: break
        }
        releaseMarks()
    }

    private mutating func noteExec(_ index: Int, at now: Int64) {
        all[index].failedSpawns = 0
        guard all[index].known == .starting else { return }
        // The exec of a oneshot may be told of late.
        all[index].execAt = facts[index].type == .oneshot ? all[index].askedAt : now
        become(index, .running)
        if facts[index].hasReady {
            if !isStopping { all[index].readyBy = now + facts[index].readyTimeout }
            all[index].probeFrom = now
        } else if facts[index].type != .oneshot {
            becomeReady(index, at: now)
        }
        guard index == main, !isStopping else { return }
        for (signal, toGroup) in kept.sorted(by: { $0.signal == $1.signal ? !$0.toGroup : $0.signal < $1.signal }) {
            expectedForMain.append(toMain(signal, toGroup))
        }
        let stops = kept.map(\.signal).filter { (20...22).contains($0.number) }
        if options.suspendsItself { for _ in Set(stops) { expectedForMain.append(.suspendSelf) } }
        kept = []
    }

    mutating func becomeReady(_ index: Int, at now: Int64) {
        all[index].isReady = true
        all[index].readyAt = now
        all[index].failures = 0
        all[index].hasPassed = false
        all[index].isSick = false
        all[index].probeFrom = now + facts[index].healthInterval
        all[index].fedBy = now + facts[index].healthInterval
        become(index, .running)
    }

    private mutating func noteSpawnFailure(_ index: Int, _ failure: SpawnFailure, at now: Int64) {
        all[index].hasProcess = false
        if isStopping || all[index].isTold || all[index].isMarked {
            noteGone(index, failure.code, at: now)
            return
        }
        guard failure.isTransient else {
            all[index].mustFail = failure.code
            return
        }
        all[index].failedSpawns += 1
        let isBounded = facts[index].type == .oneshot || facts[index].policy == .never
        if isBounded && all[index].failedSpawns >= 10 {
            all[index].mustFail = failure.code
        } else {
            all[index].quickDeaths += 1
            planRestart(index, at: now, isAtOnce: false, atLeast: 100_000_000)
        }
    }

    private mutating func noteExit(_ index: Int, _ status: ExitStatus, at now: Int64) {
        all[index].hasProcess = false
        if isStopping || all[index].isTold || all[index].isMarked {
            all[index].owesGroupKill = true
            noteGone(index, status.containerCode, at: now)
            return
        }
        let outcome = Rules.outcome(services[index], status)
        all[index].owesGroupKill = index != main || outcome == .again
        switch outcome {
        case .good where facts[index].type == .oneshot: become(index, .done)
        case .good:
            become(index, .ended)
            if index == main || facts[index].isEssential { beginStop(status.containerCode, at: now) }
        case .bad where index == main:
            become(index, .ended)
            beginStop(status.containerCode, at: now)
        case .bad: all[index].mustFail = max(status.containerCode, 1)
        case .again: planRestartAfterLife(index, endedAt: now, at: now)
        }
    }

    /// It was told, or the container stops: whatever way it ended.
    private mutating func noteGone(_ index: Int, _ code: Int32, at now: Int64) {
        if index == main && takesMainStatus { self.code = code }
        if !all[index].isTold { all[index].why = .stop }
        all[index].known = .stopping
        if !all[index].commandRuns { noteDown(index, at: now) }
    }

    /// Nothing is left of it: what it was stopped for follows.
    mutating func noteDown(_ index: Int, at now: Int64) {
        let isOther = adopt(index)
        let why = all[index].why
        let toldAt = all[index].toldAt
        all[index].why = .none
        all[index].toldAt = -1
        if isStopping {
            all[index].known = .stopped
            return
        }
        switch why {
        case .none, .stop: become(index, .stopped)
        case .restart where isOther: begin(index)
        case .restart:
            become(index, .backoff)
            all[index].isDated = false
            all[index].earliest = now
            all[index].latest = now
        case .trouble:
            let policy = facts[index].policy
            if facts[index].type == .oneshot ? policy != .onFailure : policy == .never {
                all[index].mustFail = 1
            } else {
                planRestartAfterLife(index, endedAt: toldAt, at: now)
            }
        }
    }

    private mutating func planRestartAfterLife(_ index: Int, endedAt end: Int64, at now: Int64) {
        let isOneshot = facts[index].type == .oneshot
        let since = isOneshot ? all[index].execAt : all[index].readyAt
        let lived = since < 0 ? -1 : end - since
        let isLong = lived >= facts[index].resetAfter
        all[index].quickDeaths = isLong ? 0 : all[index].quickDeaths + 1
        planRestart(index, at: now, isAtOnce: isLong, atLeast: 0)
    }

    /// Between which moments the next start must lie, if nothing else keeps it.
    private mutating func planRestart(_ index: Int, at now: Int64, isAtOnce: Bool, atLeast least: Int64) {
        become(index, .backoff)
        var grown = Double(facts[index].delay)
        for _ in 1..<max(all[index].quickDeaths, 2) where all[index].quickDeaths > 1 { grown *= facts[index].factor }
        let most = Double(facts[index].maxDelay)
        let base = min(grown, most)
        let short = isAtOnce ? 0 : Int64(max(base * (1 - facts[index].jitter), 0)) - 1
        let long = isAtOnce ? 0 : Int64(min(base * (1 + facts[index].jitter), most)) + 1
        all[index].earliest = now + max(short, least)
        all[index].latest = now + max(long, least)
        all[index].isDated = true
        // No delay is no date.
        if isAtOnce || (least == 0 && min(Double(facts[index].delay), most) <= 0) {
            all[index].isDated = false
            all[index].latest = now
        }
    }

    private mutating func noteStopCommandEnd(_ index: Int, at now: Int64) {
        guard all[index].commandRuns else { return }
        all[index].commandRuns = false
        if !all[index].hasProcess {
            noteDown(index, at: now)
        } else if index == main && !all[index].isKilled {
            expectedForMain.append(toMain(facts[index].stopSignal, options.forwardsToGroup))
            all[index].isSignaled = true
        }
    }
}
