import ConfigParser

/// From boot to up: who may start when, how a change of one service reaches those that wait for it, and how a failure
/// does. Each service counts what it still waits for, and each change walks only over those that wait: the boot of a graph
/// is linear in its edges.

/// Something to look at before the turn ends.
enum Work: Sendable {
    /// It may have become free to start.
    case start(ServiceID)
    /// It requires the second, which failed for good.
    case fail(ServiceID, because: ServiceID)
}

extension Core {
    /// After so long a oneshot says that it still runs, and again after each such time.
    static let stillRunningEvery = Interval.seconds(10)
    /// A service that could not be started for want of something is tried again no sooner, whatever its delay says: a
    /// machine without memory is not helped by a busy loop.
    static let shortestSpawnDelay = Interval.milliseconds(100)
    /// Where the restart policy has no further starts in mind, a start that failed for want of something is tried so
    /// often in all.
    static let spawnTries = 10

    /// Sets up the counters and starts all that waits for nothing.
    mutating func boot() {
        guard !hasBooted, case .running = phase else { return }
        hasBooted = true
        count()
        for index in machines.indices where graph.boots(ServiceID(index: index)) { enlist(ServiceID(index: index)) }
    }

    /// Lets a service take part, anew where it did before: it waits for what it must, and others may wait for it.
    mutating func enlist(_ id: ServiceID) {
        if !machines[id.index].isEnlisted || machines[id.index].hasSettled {
            machines[id.index].isEnlisted = true
            machines[id.index].hasSettled = false
            for dependent in graph.dependents[id.index] where !dependent.isRequiring {
                machines[dependent.service.index].unsettled &+= 1
            }
        }
        machines[id.index].hasStarted = false
        become(id, .waiting)
        work.append(.start(id))
    }

    /// Works off the list until nothing changes any more.
    @inline(never)
    mutating func settle() {
        var head = 0
        while head < work.count {
            let item = work[head]
            head &+= 1
            switch item {
            case .start(let id): startIfFree(id)
            case .fail(let id, let cause): failIfWaiting(id, because: cause)
            }
        }
        work.removeAll(keepingCapacity: work.capacity <= 64)
    }

    /// Puts a service in a state and tells those that wait for it.
    mutating func become(_ id: ServiceID, _ state: ServiceState) {
        let isOptional = services[id.index].optional
        let satisfied = machines[id.index].state.satisfies(optional: isOptional)
        if recordsChanges { changes.append(StateChange(id: id, from: machines[id.index].state, to: state, at: now)) }
        machines[id.index].state = state
        machines[id.index].since = now
        revision &+= 1
        guard case .running = phase else { return }
        let satisfies = state.satisfies(optional: isOptional)
        let settles = state.isSettled && !machines[id.index].hasSettled
        if settles { machines[id.index].hasSettled = true }
        var fails = false
        if case .failed = state { fails = !isOptional }
        guard satisfies != satisfied || settles || fails else { return }
        for dependent in graph.dependents[id.index] {
            let index = dependent.service.index
            if dependent.isRequiring {
                if satisfies != satisfied { machines[index].unmetRequirements &+= satisfies ? -1 : 1 }
                if fails { work.append(.fail(dependent.service, because: id)) }
            } else if settles {
                machines[index].unsettled &-= 1
            }
            if satisfies || settles { noteProgress(of: dependent.service) }
        }
    }

    private mutating func noteProgress(of id: ServiceID) {
        guard machines[id.index].state.isWaiting, isFree(id) else { return }
        work.append(.start(id))
    }

    func isFree(_ id: ServiceID) -> Bool {
        machines[id.index].unmetRequirements == 0
            && (machines[id.index].hasStarted || machines[id.index].unsettled == 0)
    }

    /// Starts a service that waits for nothing any more.
    private mutating func startIfFree(_ id: ServiceID) {
        guard case .running = phase, machines[id.index].state.isWaiting, isFree(id) else { return }
        if !machines[id.index].hasStarted && !services[id.index].when.isEmpty {
            become(id, .checking)
            emit(.checkConditions(id))
        } else {
            start(id)
        }
    }

    /// Starts a service now: all that it waits for is up, and its conditions hold.
    mutating func start(_ id: ServiceID) {
        _ = takeNext(id)
        let type = services[id.index].type
        if type == .group {
            announce(.complete(id))
            become(id, .done)
            return
        }
        if machines[id.index].starts.isUsed { machines[id.index].restarts &+= 1 }
        machines[id.index].hasStarted = true
        machines[id.index].lastStart = now
        machines[id.index].execAt = nil
        machines[id.index].upSince = nil
        machines[id.index].readyBy = nil
        machines[id.index].startBy = services[id.index].startTimeout.map { now + $0 }
        machines[id.index].watch = Watch()
        machines[id.index].starts.add(now, limit: services[id.index].restart.limit)
        busy &+= 1
        become(id, .starting(asked: now))
        emit(.spawn(id))
        armStart(id)
    }

    /// The exec succeeded.
    mutating func noteExec(_ id: ServiceID) {
        machines[id.index].failedSpawns = 0
        machines[id.index].execAt = now
        if services[id.index].type == .oneshot {
            // Nobody is told of that exec when it happens: it may be known at the end only.
            machines[id.index].execAt = machines[id.index].lastStart
            become(id, .running(since: now))
        } else if let ready = services[id.index].ready {
            become(id, .running(since: now))
            beginReadiness(id, ready)
        } else {
            becomeUp(id)
        }
        if id == main && !isStopping { deliverKeptSignals() }
    }

    /// How long its program has run.
    func runTime(_ id: ServiceID) -> Interval {
        machines[id.index].execAt?.interval(until: now) ?? Interval(nanoseconds: 0)
    }

    /// It is ready.
    mutating func becomeUp(_ id: ServiceID) {
        let isTold = services[id.index].ready != nil
        machines[id.index].upSince = now
        become(id, .up(since: now))
        guard !isStopping else { return }
        deadlines.clear(.life(id))
        announce(isTold ? .ready(id, after: runTime(id)) : .up(id))
        beginHealth(id)
    }

    /// The process could not be started.
    mutating func noteSpawnFailure(_ id: ServiceID, _ failure: SpawnFailure) {
        if isStopping {
            noteGone(id, .killed, .neverRan(failure))
            return
        }
        if machines[id.index].isMarked {
            // It was to be told as soon as those that require it are down.
            machines[id.index].reason = .stop
            noteGone(id, .killed, .neverRan(failure))
            return
        }
        busy &-= 1
        deadlines.clear(.life(id))
        guard failure.isTransient else {
            fail(id, Failure(.spawn(failure)))
            return
        }
        machines[id.index].failedSpawns &+= 1
        let isBounded = services[id.index].type == .oneshot || services[id.index].restart.policy == .never
        if isBounded && machines[id.index].failedSpawns >= Core.spawnTries {
            fail(id, Failure(.spawn(failure)))
        } else {
            tryAgain(id, failure)
        }
    }

    /// Sets the next moment that matters to a start: the end of the patience with it, or the word about a oneshot.
    mutating func armStart(_ id: ServiceID) {
        var moment = Instant(nanoseconds: .max)
        if services[id.index].type == .oneshot {
            let started = machines[id.index].lastStart
            let every = Core.stillRunningEvery.nanoseconds
            let periods = started.interval(until: now).nanoseconds / every &+ 1
            let (next, overflow) = periods.multipliedReportingOverflow(by: every)
            if !overflow { moment = started + Interval(nanoseconds: next) }
        }
        if let end = machines[id.index].startBy { moment = min(moment, end) }
        if let end = machines[id.index].readyBy { moment = min(moment, end) }
        if moment.nanoseconds < .max { deadlines.set(.life(id), moment) }
    }

    /// That moment has come.
    mutating func passStartDeadline(_ id: ServiceID) {
        if let end = machines[id.index].startBy, end <= now {
            giveUp(id, .startTimeout(machines[id.index].lastStart.interval(until: now)))
        } else if let end = machines[id.index].readyBy, end <= now {
            giveUp(id, .notReady(runTime(id)))
        } else {
            if services[id.index].type == .oneshot { sayStillRunning(id) }
            armStart(id)
        }
    }

    /// It took too long to start: it is told to stop, and then its restart policy decides.
    private mutating func giveUp(_ id: ServiceID, _ cause: Failure.Cause) {
        announce(.tooSlow(id, cause, lastTry: machines[id.index].watch.lastTry))
        tellInTrouble(id, cause)
    }

    /// Tells a service to stop because of that; one that was to be stopped anyway, as soon as those that require it are down,
    /// stays down.
    mutating func tellInTrouble(_ id: ServiceID, _ cause: Failure.Cause) {
        machines[id.index].reason = machines[id.index].isMarked ? .stop : .trouble(cause)
        tell(id)
    }

    /// A oneshot takes long.
    private mutating func sayStillRunning(_ id: ServiceID) {
        var waiting = ServiceList()
        for dependent in graph.dependents[id.index] where machines[dependent.service.index].state.isWaiting {
            waiting.append(dependent.service)
        }
        announce(.stillRunning(id, after: machines[id.index].lastStart.interval(until: now), waiting: waiting))
    }

    // MARK: - Failure

    /// A service failed for good; where the container cannot be without it, the stop begins.
    mutating func fail(_ id: ServiceID, _ failure: Failure) {
        let decides = isDecisive(id)
        let isOptional = services[id.index].optional
        var neededBy = ServiceList()
        if !isOptional {
            for dependent in graph.dependents[id.index]
            where machines[dependent.service.index].isEnlisted
                && (dependent.isRequiring || decides && dependent.service == main)
            {
                neededBy.append(dependent.service)
            }
        }
        announce(
            .failed(
                id, failure, isOptional: isOptional, neededBy: neededBy, stopsWith: decides ? failure.code : nil))
        become(id, .failed(failure))
        if decides { beginStop(.failed(id), code: failure.code) }
    }

    /// Whether the container stops when that service fails: the main program, what is essential, and every oneshot that
    /// boots, unless it is optional or is there only because another wants it, or somebody asked for it later.
    private func isDecisive(_ id: ServiceID) -> Bool {
        let type = services[id.index].type
        if type == .main || services[id.index].essential { return true }
        guard type == .oneshot && !services[id.index].optional && !machines[id.index].isRequested else { return false }
        switch graph.reasons[id.index] {
        case .main, .autostart, .requiredBy: return true
        case .wantedBy, .notStarted: return false
        }
    }

    private mutating func failIfWaiting(_ id: ServiceID, because cause: ServiceID) {
        guard case .running = phase, case .failed(let failure) = machines[cause.index].state else { return }
        switch machines[id.index].state {
        case .waiting, .checking: fail(id, Failure(requiring: cause, failure))
        case .idle, .starting, .running, .up, .backingOff, .stopping, .done, .skipped, .ended, .stopped, .failed: break
        }
    }

    /// One that it requires and that failed for good.
    @inline(never)
    func failedRequirement(of id: ServiceID) -> (service: ServiceID, failure: Failure)? {
        for edge in graph.edges[id.index] where edge.kind == .requires && !services[edge.service.index].optional {
            if case .failed(let failure) = machines[edge.service.index].state { return (edge.service, failure) }
        }
        return nil
    }
}

extension Instant {
    /// How long it is until a later moment; nothing for an earlier one.
    func interval(until later: Instant) -> Interval {
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return Interval(nanoseconds: overflow ? .max : max(difference, 0))
    }
}
