import ConfigParser

/// The stop of the container, whatever began it: the main program first, then the services in the reverse of the order
/// in which they start, then what is left of other processes, then the exit. Each wait ends the moment it is satisfied,
/// and has an end of its own. Once begun it is never taken back, and nothing starts any more.

/// How far the stop has come, and what the exit code will be.
struct Stop: Sendable {
    enum Step: Sendable {
        /// The main program was told; the services run on.
        case main
        /// The services are told, each when all that wait for it are down.
        case services
        /// All services are down; what else is left was sent SIGTERM.
        case terminatingStragglers
        /// Everything was sent SIGKILL. Over when nothing is left of the services and of the rest, or a second later.
        case killing(areStragglersGone: Bool)
    }
    let cause: StopCause
    var step: Step
    /// The exit code as it stands.
    var code: Int32
    /// The main program ran when a signal began the stop: its exit status is the container's.
    let takesMainStatus: Bool
}

extension Core {
    /// After SIGTERM, and again after SIGKILL, what is left has so long.
    static let stragglerTime = Interval.seconds(1)
    /// So long before the ceiling, everyone is told who was not (where the ceiling leaves that much: half of it).
    static let lastCallTime = Interval.seconds(1)

    // MARK: - The beginning

    /// Begins the stop; the first cause is the one that counts.
    ///
    /// - Parameters:
    ///   - code: the exit code. For a signal with a running main program that program's own status takes its place.
    ///   - forwarding: a signal to send to the main program as its way of being told, instead of `[stop]`.
    mutating func beginStop(_ cause: StopCause, code: Int32, forwarding signal: SignalNumber? = nil) {
        guard case .running = phase else { return }
        let runningMain = main.flatMap { machines[$0.index].state.hasProcess ? $0 : nil }
        var isSignal = false
        switch cause {
        case .signal:
            isSignal = true
            announce(.stopping(cause))
        case .asked(let wanted):
            isSignal = wanted == nil
            announce(.stopping(cause))
        case .requested:
            // The main program was asked to stop: as with a signal, its exit code is the container's.
            isSignal = true
            announce(.stopping(cause))
        case .mainEnded, .essentialEnded, .unhealthy: announce(.stopping(cause))
        case .failed: break  // The failure's own line said it.
        }
        let takesMainStatus = isSignal && runningMain != nil
        // The code for a main program whose end is never seen: the SIGKILL that it was sent.
        phase = .stopping(
            Stop(cause: cause, step: .main, code: takesMainStatus ? 137 : code, takesMainStatus: takesMainStatus))
        work = []
        kept = KeptSignals()
        for index in machines.indices {
            let id = ServiceID(index: index)
            machines[index].isMarked = false
            switch machines[index].state {
            case .waiting, .checking, .backingOff:
                become(id, .stopped)
                deadlines.clear(.life(id))
            case .starting, .running, .up:
                // Whoever is told later is not watched until then: there is nothing left to do about it.
                stopWatching(id)
                deadlines.clear(.life(id))
            case .stopping: break  // Its own patience holds.
            case .idle, .done, .skipped, .ended, .stopped, .failed: break
            }
        }
        if !options.isBare {
            let timeout = settings.shutdownTimeout
            deadlines.set(.ceiling, now + timeout)
            let early =
                timeout < Core.lastCallTime + Core.lastCallTime
                ? Interval(nanoseconds: timeout.nanoseconds / 2) : timeout - Core.lastCallTime
            deadlines.set(.lastCall, now + early)
        }
        guard let runningMain else {
            // Its process may be gone while its stop command still runs: that is waited for too.
            if let main, case .stopping = machines[main.index].state { return }
            stopServices()
            return
        }
        if case .stopping(let stage) = machines[runningMain.index].state {
            // It was told before, and keeps the patience that it has; the signal still reaches it.
            if case .signaled = stage, let signal { signalMain(runningMain, signal, toGroup: options.forwardsToGroup) }
            return
        }
        if let signal {
            signalMain(runningMain, signal, toGroup: options.forwardsToGroup)
            becomeSignaled(runningMain, signal)
            setPatience(runningMain)
        } else {
            tell(runningMain)
        }
    }

    /// Somebody asked for the stop. A code that was given counts, whoever began it.
    mutating func receiveShutdown(_ code: Int32?) {
        beginStop(.asked(code: code), code: code ?? 0)
        guard let code, case .stopping(let stop) = phase else { return }
        phase = .stopping(Stop(cause: stop.cause, step: stop.step, code: code, takesMainStatus: false))
    }

    // MARK: - In order

    /// The main program is gone, or never was: tells the services, each when all that wait for it are down.
    mutating func stopServices() {
        setStep(.services)
        for index in machines.indices { machines[index].isMarked = machines[index].isEnlisted }
        release(countHolders())
    }

    /// Whether the one that has this edge must be down before the other is told: in the container's stop every order counts,
    /// in one that was asked for only that of those that require each other, and of those that were removed together.
    private func counts(_ edge: Edge, from index: Int) -> Bool {
        switch edge.kind {
        case .requires: return true
        case .wants, .after, .before, .implicit:
            return isStopping || machines[index].isLeaving && machines[edge.service.index].isLeaving
        }
    }

    /// Counts who holds whom among those that take part in a stop, and gives those that nobody holds.
    mutating func countHolders() -> [ServiceID] {
        for index in machines.indices { machines[index].holders = 0 }
        for index in machines.indices where machines[index].isMarked {
            for edge in graph.edges[index] where counts(edge, from: index) {
                machines[edge.service.index].holders &+= 1
            }
        }
        var free: [ServiceID] = []
        for index in machines.indices where machines[index].isMarked && machines[index].holders == 0 {
            free.append(ServiceID(index: index))
        }
        return free
    }

    /// Goes on with services that nobody holds any more: who has a process is told, who is down lets go of those that it
    /// waits for. What never ran lets go too, so that the order holds across it.
    mutating func release(_ free: [ServiceID]) {
        var queue = free
        var head = 0
        while head < queue.count {
            let id = queue[head]
            head &+= 1
            switch machines[id.index].state {
            case .starting, .running, .up:
                machines[id.index].reason = .stop
                tell(id)
                continue
            case .stopping:
                continue
            case .done, .skipped, .ended:
                if machines[id.index].isMarked && !isStopping { become(id, .stopped) }
            case .idle, .waiting, .checking, .backingOff, .stopped, .failed:
                break
            }
            guard machines[id.index].isMarked else { continue }
            machines[id.index].isMarked = false
            for edge in graph.edges[id.index]
            where counts(edge, from: id.index) && machines[edge.service.index].isMarked {
                machines[edge.service.index].holders &-= 1
                if machines[edge.service.index].holders == 0 { queue.append(edge.service) }
            }
            forgetIfGone(id)
        }
        if isStopping && busy == 0 { stopStragglers() }
    }

    /// The last call: whoever was not told is told now, whatever the order says, so that all had a moment to end.
    mutating func tellTheRest() {
        guard case .stopping = phase else { return }
        for index in machines.indices { tell(ServiceID(index: index)) }
    }

    // MARK: - What else is left

    private mutating func stopStragglers() {
        guard case .stopping(let stop) = phase else { return }
        if options.skipsStragglers {
            exit(code: stop.code)
            return
        }
        setStep(.terminatingStragglers)
        emit(.signalStragglers(.terminate))
        deadlines.set(.stragglers, now + Core.stragglerTime)
    }

    /// What is left had its second.
    mutating func passStragglerDeadline() {
        guard case .stopping(let stop) = phase else { return }
        switch stop.step {
        case .main, .services: break
        case .terminatingStragglers:
            announce(.stragglersKilled(after: Core.stragglerTime))
            killStragglers()
        case .killing: exit(code: stop.code)
        }
    }

    /// The driver saw that nothing is left.
    mutating func noteStragglersGone() {
        guard case .stopping(let stop) = phase else { return }
        switch stop.step {
        case .main, .services: break
        case .terminatingStragglers: exit(code: stop.code)
        case .killing:
            setStep(.killing(areStragglersGone: true))
            exitIfNothingIsLeft()
        }
    }

    mutating func exitIfNothingIsLeft() {
        guard case .stopping(let stop) = phase, case .killing(true) = stop.step, busy == 0 else { return }
        exit(code: stop.code)
    }

    private mutating func killStragglers() {
        setStep(.killing(areStragglersGone: false))
        emit(.signalStragglers(.kill))
        deadlines.set(.stragglers, now + Core.stragglerTime)
    }

    // MARK: - The end of patience

    /// shutdown-timeout is over.
    mutating func reachCeiling() {
        killEverything(isForced: false)
    }

    /// The third SIGTERM or SIGINT.
    mutating func forceStop() {
        killEverything(isForced: true)
    }

    private mutating func killEverything(isForced: Bool) {
        guard case .stopping(let stop) = phase else { return }
        if case .killing = stop.step { return }
        deadlines.clear(.ceiling)
        deadlines.clear(.lastCall)
        var left = ServiceList()
        for index in machines.indices where machines[index].state.hasProcess { left.append(ServiceID(index: index)) }
        announce(isForced ? .stopForced(left: left) : .shutdownTimeout(settings.shutdownTimeout, left: left))
        // First the step, so that a service that is down at once moves nothing on.
        setStep(.killing(areStragglersGone: false))
        for index in machines.indices { kill(ServiceID(index: index)) }
        killStragglers()
    }

    private mutating func setStep(_ step: Stop.Step) {
        guard case .stopping(var stop) = phase else { return }
        stop.step = step
        phase = .stopping(stop)
    }
}

extension Interval {
    static func + (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: left.nanoseconds &+ right.nanoseconds)
    }
    /// Never less than nothing.
    static func - (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: max(left.nanoseconds &- right.nanoseconds, 0))
    }
}
