import ConfigParser

/// How one service is stopped: told as its `[stop]` says, then killed when its patience is over. The same whether the
/// container stops or only this service does; what comes after it is gone is what differs.

/// How a process that had been told to stop, or was on its way up, came to its end.
enum End: Sendable {
    case ended(ExitStatus)
    case neverRan(SpawnFailure)
}

extension Core {
    /// Tells a service that has a process, and was not told, to end. What was begun for it (a probe, a reload) ends now.
    mutating func tell(_ id: ServiceID) {
        switch machines[id.index].state {
        case .starting, .running, .up: break
        case .idle, .waiting, .checking, .backingOff, .stopping, .done, .skipped, .ended, .stopped, .failed: return
        }
        stopWatching(id)
        setPatience(id)
        if services[id.index].stop.command != nil {
            become(id, .stopping(.command))
            emit(.runStopCommand(id))
        } else {
            sendStopSignal(id)
        }
    }

    mutating func setPatience(_ id: ServiceID) {
        if options.isBare { return }
        machines[id.index].toldAt = now
        machines[id.index].stopBy = now + services[id.index].stop.timeout
        deadlines.set(.life(id), machines[id.index].stopBy)
    }

    /// Sends the signal of `[stop]`: at once, or when the stop command has ended.
    @inline(never)
    mutating func sendStopSignal(_ id: ServiceID) {
        let signal = services[id.index].stop.signal
        if id == main {
            signalMain(id, signal, toGroup: options.forwardsToGroup)
        } else {
            emit(.signal(id, signal))
        }
        becomeSignaled(id, signal)
    }

    mutating func becomeSignaled(_ id: ServiceID, _ signal: SignalNumber) {
        become(id, .stopping(.signaled(signal)))
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
    mutating func kill(_ id: ServiceID) {
        deadlines.clear(.life(id))
        switch machines[id.index].state {
        case .stopping(.commandAlone):
            emit(.killStopCommand(id))
            noteDown(id)
            return
        case .stopping(.command):
            emit(.killStopCommand(id))
        case .starting, .running, .up:
            stopWatching(id)
        case .stopping(.signaled):
            break
        case .idle, .waiting, .checking, .backingOff, .stopping(.killed), .done, .skipped, .ended, .stopped, .failed:
            return
        }
        become(id, .stopping(.killed))
        emit(.signalGroup(id, .kill))
        emit(.signal(id, .kill))
    }

    /// The process of a service that was to stop is gone, told or not.
    mutating func noteGone(_ id: ServiceID, _ stage: StopStage, _ end: End) {
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
            machines[id.index].lastExit = status
            machines[id.index].lastTrouble = nil
            if case .trouble(let cause) = machines[id.index].reason {
                machines[id.index].lastTrouble = Trouble(cause)
            }
            // Its children are not to outlive it; who obeyed left none.
            emit(.signalGroup(id, .kill))
        case .neverRan(let failure):
            code = failure.code
        }
        if case .stopping(var stop) = phase, id == main && stop.takesMainStatus {
            stop.code = code
            phase = .stopping(stop)
        }
        if commandRuns {
            become(id, .stopping(.commandAlone))
        } else {
            noteDown(id)
        }
    }

    /// Nothing is left of a service, nor of its stop command.
    mutating func noteDown(_ id: ServiceID) {
        busy &-= 1
        deadlines.clear(.life(id))
        let isOther = takeNext(id)
        switch phase {
        case .running: goOn(id, asOther: isOther)
        case .stopping(let stop):
            become(id, .stopped)
            switch stop.step {
            case .main: if id == main { stopServices() }
            case .services: if machines[id.index].holders == 0 { release([id]) }
            case .terminatingStragglers: break
            case .killing: exitIfNothingIsLeft()
            }
        case .over: break
        }
    }

    /// It is down while the container runs: what it was stopped for follows.
    private mutating func goOn(_ id: ServiceID, asOther isOther: Bool) {
        let reason = machines[id.index].reason
        machines[id.index].reason = nil
        switch reason {
        case .trouble(let cause): noteTrouble(id, cause)
        case .restart where isOther:
            // As what it is now it has not started yet: its conditions count, and what it comes after.
            begin(id)
            if let (cause, _) = failedRequirement(of: id) { work.append(.fail(id, because: cause)) }
        case .restart: startAgain(id)
        case .stop, .none:
            announce(.stopped(id))
            become(id, .stopped)
            if machines[id.index].holders == 0 { release([id]) }
        }
    }
}
