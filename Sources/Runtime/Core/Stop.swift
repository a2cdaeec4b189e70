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

/// How a process that had been told to stop, or was on its way up, came to its end.
enum End: Sendable {
    case ended(ExitStatus)
    case neverRan(SpawnFailure)
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
        case .mainEnded, .essentialEnded: announce(.stopping(cause))
        case .failed: break  // The failure's own line said it.
        }
        let takesMainStatus = isSignal && runningMain != nil
        // The code for a main program whose end is never seen: the SIGKILL that it was sent.
        phase = .stopping(
            Stop(cause: cause, step: .main, code: takesMainStatus ? 137 : code, takesMainStatus: takesMainStatus))
        work = []
        kept = KeptSignals()
        for index in machines.indices {
            switch machines[index].state {
            case .waiting, .checking, .backingOff: machines[index].state = .stopped
            case .idle, .starting, .running, .up, .stopping, .done, .skipped, .ended, .stopped, .failed: break
            }
            deadlines.clear(.service(ServiceID(index: index)))
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
            stopServices()
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

    // MARK: - One service

    /// Tells a service that has a process, and was not told, to end.
    private mutating func tell(_ id: ServiceID) {
        switch machines[id.index].state {
        case .starting, .running, .up: break
        case .idle, .waiting, .checking, .backingOff, .stopping, .done, .skipped, .ended, .stopped, .failed: return
        }
        setPatience(id)
        if services[id.index].stop.command != nil {
            machines[id.index].state = .stopping(.command)
            emit(.runStopCommand(id))
        } else {
            sendStopSignal(id)
        }
    }

    private mutating func setPatience(_ id: ServiceID) {
        if options.isBare { return }
        machines[id.index].toldAt = now
        deadlines.set(.service(id), now + services[id.index].stop.timeout)
    }

    /// Sends the signal of `[stop]`: at once, or when the stop command has ended.
    mutating func sendStopSignal(_ id: ServiceID) {
        let signal = services[id.index].stop.signal
        if id == main {
            signalMain(id, signal, toGroup: options.forwardsToGroup)
        } else {
            emit(.signal(id, signal))
        }
        becomeSignaled(id, signal)
    }

    private mutating func becomeSignaled(_ id: ServiceID, _ signal: SignalNumber) {
        machines[id.index].state = .stopping(.signaled(signal))
    }

    /// The stop timeout of a service is over.
    mutating func losePatience(_ id: ServiceID, _ stage: StopStage) {
        let waited = machines[id.index].toldAt.interval(until: now)
        switch stage {
        case .command:
            announce(.killed(id, ignored: nil, after: waited))
            kill(id)
        case .signaled(let signal):
            announce(.killed(id, ignored: signal, after: waited))
            kill(id)
        case .commandAlone:
            kill(id)
        case .killed:
            break
        }
    }

    /// SIGKILL for all that there is of a service.
    private mutating func kill(_ id: ServiceID) {
        deadlines.clear(.service(id))
        switch machines[id.index].state {
        case .stopping(.commandAlone):
            emit(.killStopCommand(id))
            noteDown(id)
            return
        case .stopping(.command):
            emit(.killStopCommand(id))
        case .starting, .running, .up, .stopping(.signaled):
            break
        case .idle, .waiting, .checking, .backingOff, .stopping(.killed), .done, .skipped, .ended, .stopped, .failed:
            return
        }
        machines[id.index].state = .stopping(.killed)
        emit(.signalGroup(id, .kill))
        emit(.signal(id, .kill))
    }

    /// The process of a service is gone, told or not.
    mutating func noteGone(_ id: ServiceID, _ stage: StopStage, _ end: End) {
        guard case .stopping(var stop) = phase else { return }
        let commandRuns: Bool
        switch stage {
        case .commandAlone: return
        case .command: commandRuns = true
        case .signaled, .killed: commandRuns = false
        }
        let code: Int32
        switch end {
        case .ended(let status):
            code = status.containerCode
            // Its children are not to outlive it; who obeyed left none.
            emit(.signalGroup(id, .kill))
        case .neverRan(let failure):
            code = failure.code
        }
        if id == main && stop.takesMainStatus {
            stop.code = code
            phase = .stopping(stop)
        }
        if commandRuns {
            machines[id.index].state = .stopping(.commandAlone)
        } else {
            noteDown(id)
        }
    }

    /// Nothing is left of a service, nor of its stop command.
    mutating func noteDown(_ id: ServiceID) {
        guard case .stopping(let stop) = phase else { return }
        busy &-= 1
        deadlines.clear(.service(id))
        machines[id.index].state = .stopped
        switch stop.step {
        case .main: if id == main { stopServices() }
        case .services: if machines[id.index].holders == 0 { release([id]) }
        case .terminatingStragglers: break
        case .killing: exitIfNothingIsLeft()
        }
    }

    // MARK: - In order

    /// The main program is gone, or never was: tells the services, each when all that wait for it are down.
    private mutating func stopServices() {
        setStep(.services)
        var free: [ServiceID] = []
        for index in machines.indices where graph.boots(ServiceID(index: index)) {
            var holders = 0
            for dependent in graph.dependents[index] where graph.boots(dependent.service) { holders &+= 1 }
            machines[index].holders = holders
            if holders == 0 { free.append(ServiceID(index: index)) }
        }
        release(free)
    }

    /// Goes on with services that nobody holds any more: who has a process is told, who is down lets go of those that it
    /// waits for. What never ran lets go too, so that the order holds across it.
    private mutating func release(_ free: [ServiceID]) {
        var queue = free
        var head = 0
        while head < queue.count {
            let id = queue[head]
            head &+= 1
            switch machines[id.index].state {
            case .starting, .running, .up:
                tell(id)
                continue
            case .stopping:
                continue
            case .idle, .waiting, .checking, .backingOff, .done, .skipped, .ended, .stopped, .failed:
                break
            }
            guard !machines[id.index].isReleased else { continue }
            machines[id.index].isReleased = true
            for edge in graph.edges[id.index] where graph.boots(edge.service) {
                machines[edge.service.index].holders &-= 1
                if machines[edge.service.index].holders == 0 { queue.append(edge.service) }
            }
        }
        if busy == 0 { stopStragglers() }
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

    private mutating func exitIfNothingIsLeft() {
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
