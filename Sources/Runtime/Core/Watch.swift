import ConfigParser

/// Readiness and health: whether a service that runs is ready, and whether one that is up stays well. The core asks for one
/// probe at a time and keeps the time of it; what a probe is, the driver knows. A watch ends with the process, and when the
/// process is told to stop or says that it ends (STOPPING=1): from then on nothing is asked, and no answer counts.

/// How the watch over one process is doing.
struct Watch: Sendable {
    /// A probe is under way.
    var isProbing = false
    /// It said that it ends by itself.
    var isOver = false
    /// Health probes that failed in a row.
    var failures = 0
    /// A first success ends `start-period`.
    var hasPassed = false
    /// What is wrong with it; the action was taken.
    var problem: HealthProblem?
    var problemSince = Instant(nanoseconds: 0)
    /// Why the last readiness probe failed.
    var lastTry: String?
}

/// What is heard of a process that runs.
enum WatchEvent: Sendable {
    case ready
    case probed(ProbePurpose, ProbeResult)
    case fed
    case triggered
    case extended(Interval)
    case stoppingTold
    case deadline
}

extension Core {
    /// How long one readiness probe may take, but for a command, which has until the timeout of `[ready]`.
    static let probeTime = Interval.seconds(3)
    /// An interval shorter than that is as long as that: nothing may keep the init busy.
    static let shortestInterval = Interval.milliseconds(10)

    /// The table of all states and what is heard in them.
    mutating func watch(_ id: ServiceID, _ event: WatchEvent) {
        guard let state = state(of: id) else { return }
        switch state {
        case .starting:
            switch event {
            case .extended(let time): extendStart(id, by: time)
            // Before its exec is known, it can only be of the process before this one.
            case .ready, .probed, .fed, .triggered, .stoppingTold, .deadline: break
            }
        case .running:
            switch event {
            case .ready: noteReady(id)
            case .probed(.readiness, let result): noteReadinessProbe(id, result)
            case .extended(let time): extendStart(id, by: time)
            case .stoppingTold:
                endProbe(id, .readiness)
                machines[id.index].watch.isOver = true
            case .deadline: passReadinessDeadline(id)
            case .probed(.health, _), .fed, .triggered: break
            }
        case .up:
            switch event {
            case .probed(.health, let result): noteHealthProbe(id, result)
            case .fed: noteFed(id)
            case .triggered: noteProblem(id, .saidSo)
            case .extended(let time): extendReload(id, by: time)
            case .stoppingTold:
                endProbe(id, .health)
                machines[id.index].watch.isOver = true
            case .deadline: passHealthDeadline(id)
            case .ready, .probed(.readiness, _): break
            }
        case .stopping(.command), .stopping(.signaled):
            switch event {
            case .extended(let time): extendStop(id, by: time)
            case .ready, .probed, .fed, .triggered, .stoppingTold, .deadline: break
            }
        case .stopping(.commandAlone), .stopping(.killed), .idle, .waiting, .checking, .backingOff, .done, .skipped,
            .ended,
            .stopped, .failed:
            switch event {
            case .ready, .probed, .fed, .triggered, .extended, .stoppingTold, .deadline: break
            }
        }
    }

    /// The process is gone, or told to go: nothing that was begun for it goes on.
    mutating func stopWatching(_ id: ServiceID) {
        if case .up = machines[id.index].state { endProbe(id, .health) } else { endProbe(id, .readiness) }
        killReload(id)
    }

    private mutating func endProbe(_ id: ServiceID, _ purpose: ProbePurpose) {
        deadlines.clear(.check(id))
        guard machines[id.index].watch.isProbing else { return }
        machines[id.index].watch.isProbing = false
        emit(.cancelProbe(id, purpose))
    }

    private mutating func beginProbe(_ id: ServiceID, _ purpose: ProbePurpose, patience: Interval?) {
        machines[id.index].watch.isProbing = true
        emit(.probe(id, purpose))
        if let patience { deadlines.set(.check(id), now + patience) } else { deadlines.clear(.check(id)) }
    }

    private mutating func planProbe(_ id: ServiceID, in interval: Interval) {
        deadlines.set(.check(id), now + max(interval, Core.shortestInterval))
    }

    // MARK: - Readiness

    /// Its program runs, and is not ready yet.
    mutating func beginReadiness(_ id: ServiceID, _ ready: ReadyPolicy) {
        guard !isStopping else { return }
        machines[id.index].readyBy = now + ready.timeout
        armStart(id)
        tryReadiness(id, ready)
    }

    private mutating func tryReadiness(_ id: ServiceID, _ ready: ReadyPolicy) {
        switch ready.readiness {
        case .descriptor, .systemd, .log: break
        case .probe(.command): beginProbe(id, .readiness, patience: nil)
        case .probe(.tcp), .probe(.unix), .probe(.http), .probe(.path):
            beginProbe(id, .readiness, patience: Core.probeTime)
        }
    }

    private mutating func noteReady(_ id: ServiceID) {
        switch services[id.index].ready?.readiness {
        case .descriptor, .systemd, .log: becomeUp(id)
        case .probe, .none: break
        }
    }

    private mutating func noteReadinessProbe(_ id: ServiceID, _ result: ProbeResult) {
        guard machines[id.index].watch.isProbing, let ready = services[id.index].ready else { return }
        machines[id.index].watch.isProbing = false
        switch result {
        case .passed:
            deadlines.clear(.check(id))
            becomeUp(id)
        case .failed(let why):
            machines[id.index].watch.lastTry = why
            planProbe(id, in: ready.interval)
        }
    }

    private mutating func passReadinessDeadline(_ id: ServiceID) {
        guard !isStopping, let ready = services[id.index].ready else { return }
        if machines[id.index].watch.isProbing {
            endProbe(id, .readiness)
            machines[id.index].watch.lastTry = noAnswer(Core.probeTime)
            planProbe(id, in: ready.interval)
        } else if !machines[id.index].watch.isOver {
            tryReadiness(id, ready)
        }
    }

    private func noAnswer(_ time: Interval) -> String { say("no answer within %", time.forPeople) }

    // MARK: - Health

    /// It is up.
    mutating func beginHealth(_ id: ServiceID) {
        guard let health = services[id.index].health, !machines[id.index].watch.isOver else { return }
        switch health.check {
        case .probe: planProbe(id, in: health.interval)
        case .watchdog(let interval): planProbe(id, in: interval)
        }
    }

    private mutating func passHealthDeadline(_ id: ServiceID) {
        guard !isStopping, !machines[id.index].watch.isOver, let health = services[id.index].health else { return }
        switch health.check {
        case .watchdog(let interval):
            if isInStartPeriod(id, health) {
                planProbe(id, in: interval)
            } else {
                noteProblem(id, .silent(interval))
            }
        case .probe:
            if machines[id.index].watch.isProbing {
                endProbe(id, .health)
                noteHealthFailure(id, noAnswer(health.timeout), health)
            } else {
                beginProbe(id, .health, patience: health.timeout)
            }
        }
    }

    private mutating func noteHealthProbe(_ id: ServiceID, _ result: ProbeResult) {
        guard machines[id.index].watch.isProbing, let health = services[id.index].health else { return }
        machines[id.index].watch.isProbing = false
        switch result {
        case .passed:
            noteWell(id)
            planProbe(id, in: health.interval)
        case .failed(let why):
            noteHealthFailure(id, why, health)
        }
    }

    private mutating func noteHealthFailure(_ id: ServiceID, _ why: String, _ health: HealthPolicy) {
        planProbe(id, in: health.interval)
        if isInStartPeriod(id, health) { return }
        machines[id.index].watch.failures &+= 1
        let failures = machines[id.index].watch.failures
        if failures >= health.failures { noteProblem(id, .probes(failures, why)) }
    }

    /// Failures do not count in it.
    private func isInStartPeriod(_ id: ServiceID, _ health: HealthPolicy) -> Bool {
        guard !machines[id.index].watch.hasPassed, let since = machines[id.index].upSince else { return false }
        return now < since + health.startPeriod
    }

    private mutating func noteFed(_ id: ServiceID) {
        guard !isStopping, !machines[id.index].watch.isOver, let health = services[id.index].health,
            case .watchdog(let interval) = health.check
        else { return }
        noteWell(id)
        planProbe(id, in: interval)
    }

    private mutating func noteWell(_ id: ServiceID) {
        machines[id.index].watch.hasPassed = true
        machines[id.index].watch.failures = 0
        guard machines[id.index].watch.problem != nil else { return }
        machines[id.index].watch.problem = nil
        revision &+= 1
        announce(.healthyAgain(id, after: machines[id.index].watch.problemSince.interval(until: now)))
    }

    /// It is unhealthy: the one action for that, and none again before it was well.
    private mutating func noteProblem(_ id: ServiceID, _ problem: HealthProblem) {
        guard !isStopping, !machines[id.index].watch.isOver, let health = services[id.index].health,
            machines[id.index].watch.problem == nil
        else { return }
        machines[id.index].watch.problem = problem
        machines[id.index].watch.problemSince = now
        revision &+= 1
        announce(.unhealthy(id, problem, health.action))
        switch health.action {
        case .none: break
        case .restart: tellInTrouble(id, .unhealthy(problem))
        case .stopContainer: beginStop(.unhealthy(id), code: 1)
        }
    }

    // MARK: - Another definition

    /// Its process goes on under another definition: readiness that is still waited for, and health, are watched as that says.
    mutating func watchAnew(_ id: ServiceID, insteadOf old: Service) {
        let new = services[id.index]
        switch machines[id.index].state {
        case .running:
            guard new.type != .oneshot, Difference.readiness(of: old) != Difference.readiness(of: new) else { return }
            endProbe(id, .readiness)
            machines[id.index].readyBy = nil
            guard let ready = new.ready else {
                becomeUp(id)
                return
            }
            if machines[id.index].watch.isOver {
                machines[id.index].readyBy = now + ready.timeout
                armStart(id)
            } else {
                beginReadiness(id, ready)
            }
        case .up:
            guard Difference.health(of: old) != Difference.health(of: new) else { return }
            endProbe(id, .health)
            machines[id.index].watch.failures = 0
            machines[id.index].watch.problem = nil
            beginHealth(id)
        case .idle, .waiting, .checking, .starting, .backingOff, .stopping, .done, .skipped, .ended, .stopped, .failed:
            break
        }
    }

    // MARK: - More time

    /// Its start may take so long from now; what its file gives it is never cut.
    private mutating func extendStart(_ id: ServiceID, by time: Interval) {
        guard !isStopping else { return }
        let end = now + time
        if let old = machines[id.index].startBy { machines[id.index].startBy = max(old, end) }
        if let old = machines[id.index].readyBy { machines[id.index].readyBy = max(old, end) }
        armStart(id)
    }

    /// So may its stop; the ceiling of the container's stop holds all the same.
    private mutating func extendStop(_ id: ServiceID, by time: Interval) {
        if options.isBare { return }
        machines[id.index].stopBy = max(machines[id.index].stopBy, now + time)
        deadlines.set(.life(id), machines[id.index].stopBy)
    }
}
