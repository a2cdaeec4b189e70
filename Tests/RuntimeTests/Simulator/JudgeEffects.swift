import ConfigParser

@testable import Runtime

/// The judge's second part: each effect against the rules, at the moment at which it comes.

extension Judge {
    mutating func check(_ effect: Effect, during event: Event, at now: Int64) throws {
        if isOver { throw violated("an effect after the exit") }
        switch effect {
        case .checkConditions(let id): try checkConditions(id.index)
        case .spawn(let id): try checkSpawn(id.index, at: now)
        case .announce(let announcement): try checkAnnouncement(announcement, at: now)
        case .signal(let id, let signal): try checkSignal(id.index, signal, effect, at: now)
        case .signalGroup(let id, let signal):
            if signal == .kill {
                if all[id.index].owesGroupKill {
                    all[id.index].owesGroupKill = false
                } else {
                    try checkKill(id.index, at: now)
                }
            } else if id.index != main {
                throw violated("the group of \(name(id.index)) is sent \(signal.name)")
            } else if !isStopping, isToBeTold(id.index, at: now), signal == facts[id.index].stopSignal,
                !facts[id.index].hasStopCommand, !expectedForMain.contains(effect)
            {
                tell(id.index, effect, at: now)
                all[id.index].isSignaled = true
            }
        case .runStopCommand(let id):
            guard facts[id.index].hasStopCommand else { throw violated("no stop command") }
            if id.index != main || !isStopping {
                try checkTelling(id.index, at: now)
                tell(id.index, effect, at: now)
            }
            all[id.index].commandRuns = true
        case .killStopCommand(let id):
            let one = all[id.index]
            guard one.commandRuns else { throw violated("no stop command runs") }
            if one.hasProcess {
                try checkKill(id.index, at: now)
            } else if !isForced && now < one.stopBy && (!isStopping || now < ceiling) {
                throw violated("the stop command of \(name(id.index)) is killed before its time")
            }
            all[id.index].commandRuns = false
            if !one.hasProcess {
                noteDown(id.index, at: now)
                releaseMarks()
            }
        case .probe(let id, let purpose): try checkProbe(id.index, purpose, at: now)
        case .cancelProbe(let id, let purpose): try checkCancel(id.index, purpose, during: event, at: now)
        case .runReloadCommand(let id):
            guard all[id.index].mustReload, all[id.index].reload == .none, facts[id.index].hasReloadCommand
            else { throw violated("\(name(id.index)) reloads out of turn") }
            all[id.index].mustReload = false
            all[id.index].reload = .runs
            let patience = facts[id.index].startTimeout
            all[id.index].reloadBy = now + (patience < 0 ? 60_000_000_000 : patience)
        case .killReloadCommand(let id):
            // That it had a reason is seen after the step, where the service must be gone or told.
            guard all[id.index].reload == .runs else { throw violated("no reload command runs") }
            all[id.index].reload = .killed
            if now < all[id.index].reloadBy || !isUp(id.index) { all[id.index].mustBeGone = true }
        case .signalStragglers(let signal): try checkStragglers(signal, at: now)
        case .suspendSelf: break
        case .forget(let id): try checkForget(id.index)
        case .exit(let code): try checkExit(code, at: now)
        }
    }

    private mutating func checkAnnouncement(_ announcement: Announcement, at now: Int64) throws {
        switch announcement {
        case .failed(let id, let failure, _, _, let stopsWith):
            try checkFailure(id.index, failure, stopsWith, at: now)
        case .complete(let id):
            guard facts[id.index].type == .group, all[id.index].known == .waiting, mayStart(id.index), !isStopping,
                !facts[id.index].hasConditions || all[id.index].conditionsHold
            else { throw violated("\(name(id.index)) complete too early") }
            become(id.index, .done)
        case .unhealthy(let id, _, let action):
            let index = id.index
            guard all[index].mustAct, action == facts[index].action
            else { throw violated("\(name(index)) is called unhealthy without a reason, or twice") }
            all[index].mustAct = false
            all[index].isSick = true
            switch action {
            case .none: break
            case .restart:
                all[index].why = .trouble
                all[index].mustBeTold = true
            case .stopContainer: beginStop(1, at: now)
            }
        case .up, .ready, .done, .skipped, .ended, .restarting, .restartingStopped, .tooSlow, .healthyAgain, .reloaded,
            .reloadFailed, .reloadKilled, .requested, .passedOver, .stopped, .retrying, .stillRunning, .stopping,
            .killed, .shutdownTimeout, .stopForced, .stragglersKilled, .signalUnheard, .added, .removed, .changed:
            break
        }
    }

    // MARK: - Starting

    private mutating func checkConditions(_ index: Int) throws {
        let one = all[index]
        guard !isStopping, one.known == .waiting, !one.hasStarted, facts[index].hasConditions, mayStart(index),
            !one.conditionsHold
        else { throw violated("the conditions of \(name(index)) are checked out of turn") }
        become(index, .checking)
    }

    private mutating func checkSpawn(_ index: Int, at now: Int64) throws {
        adopt(index)
        if all[index].isVacant || all[index].isRemoved {
            throw violated("\(name(index)) starts although it was removed")
        }
        let one = all[index]
        if isStopping { throw violated("\(name(index)) starts after the stop began") }
        if one.hasProcess || one.commandRuns { throw violated("two processes of \(name(index))") }
        if one.owesGroupKill { throw violated("\(name(index)) starts beside what is left of its last generation") }
        guard one.isEnlisted, facts[index].type != .group, one.known == .waiting || one.known == .backoff
        else { throw violated("\(name(index)) starts although it is \(one.known)") }
        if !mayStart(index) { throw violated("\(name(index)) starts before what it waits for") }
        if !one.hasStarted && facts[index].hasConditions && !one.conditionsHold {
            throw violated("\(name(index)) starts without its conditions")
        }
        if one.known == .backoff && now < one.earliest { throw violated("\(name(index)) starts too early") }
        if let limit = facts[index].limit, recentStarts(index, at: now) >= limit {
            throw violated("\(name(index)) starts more often than its limit")
        }
        spawns[index].append(now)
        if spawns[index].count > 16 { spawns[index].removeFirst() }
        all[index].hasStarted = true
        all[index].hasProcess = true
        all[index].isReady = false
        all[index].execAt = -1
        all[index].readyAt = -1
        all[index].askedAt = now
        all[index].startBy = facts[index].startTimeout < 0 ? .max : now + facts[index].startTimeout
        all[index].readyBy = .max
        all[index].isSignaled = false
        all[index].isKilled = false
        all[index].isSick = false
        all[index].isLeaving = false
        all[index].why = .none
        become(index, .starting)
    }

    private func recentStarts(_ index: Int, at now: Int64) -> Int {
        var count = 0
        for moment in spawns[index] where moment > now - facts[index].within { count += 1 }
        return count
    }

    private mutating func checkFailure(_ index: Int, _ failure: Failure, _ stopsWith: Int32?, at now: Int64) throws {
        if isStopping { throw violated("\(name(index)) fails after the stop began") }
        if let first = failure.chain.first {
            let known = all[index].known
            guard rules.requires[index].contains(first.index), all[first.index].known == .failed,
                !facts[first.index].isOptional, known == .waiting || known == .checking || known == .backoff,
                failure.code == all[first.index].failureCode
            else { throw violated("\(name(index)) fails because of \(name(first.index)) without a reason") }
        } else if case .limit = failure.cause {
            guard all[index].known == .backoff, let limit = facts[index].limit, recentStarts(index, at: now) >= limit
            else { throw violated("\(name(index)) has not reached its limit") }
        } else {
            guard all[index].mustFail == failure.code
            else { throw violated("\(name(index)) fails without a reason") }
        }
        become(index, .failed)
        all[index].mustFail = nil
        all[index].failureCode = failure.code
        guard stopsWith == (isDecisive(index) ? failure.code : nil)
        else { throw violated("\(name(index)) misjudges what its failure means") }
        if isDecisive(index) { beginStop(failure.code, at: now) }
    }

    // MARK: - Probes

    private mutating func checkProbe(_ index: Int, _ purpose: ProbePurpose, at now: Int64) throws {
        let one = all[index]
        let isOfKind: Bool
        switch purpose {
        case .readiness: isOfKind = one.known == .running && !one.isReady && facts[index].readyInterval >= 0
        case .health: isOfKind = isUp(index) && facts[index].healthTimeout >= 0
        }
        guard isOfKind, one.hasProcess, one.probe == nil, !one.isLeaving, !isStopping
        else { throw violated("\(name(index)) is probed out of turn") }
        if now < one.probeFrom { throw violated("\(name(index)) is probed too early") }
        all[index].probe = purpose
        all[index].probeAt = now
    }

    /// That a probe which had time left was cancelled for a reason is seen after the step.
    private mutating func checkCancel(_ index: Int, _ purpose: ProbePurpose, during event: Event, at now: Int64) throws
    {
        guard all[index].probe == purpose else { throw violated("no such probe of \(name(index)) is under way") }
        all[index].probe = nil
        if all[index].isRewatched {
            all[index].isRewatched = false
            return
        }
        all[index].probeFrom = -1
        guard case .deadlinePassed = event, all[index].known == .running, !isStopping else { return }
        switch purpose {
        case .readiness:
            let patience = facts[index].readyPatience
            if patience >= 0 && now >= all[index].probeAt + patience {
                all[index].probeFrom = now + facts[index].readyInterval
            }
        case .health:
            if now >= all[index].probeAt + facts[index].healthTimeout { noteHealthFailure(index, at: now) }
        }
    }

    // MARK: - Stopping

    private mutating func checkSignal(_ index: Int, _ signal: SignalNumber, _ effect: Effect, at now: Int64) throws {
        if signal == .kill {
            try checkKill(index, at: now)
            all[index].isKilled = true
            all[index].known = .stopping
            return
        }
        if all[index].mustReload, signal == facts[index].reloadSignal, isUp(index) {
            all[index].mustReload = false
            return
        }
        let one = all[index]
        if index == main {
            // All but a stop of the program alone was foreseen with the event.
            if !isStopping, !one.isTold, isToBeTold(index, at: now), signal == facts[index].stopSignal,
                !facts[index].hasStopCommand, !expectedForMain.contains(effect)
            {
                tell(index, effect, at: now)
                all[index].isSignaled = true
            }
            return
        }
        guard signal == facts[index].stopSignal, one.hasProcess, !one.commandRuns, !one.isSignaled,
            one.isTold == facts[index].hasStopCommand
        else { throw violated("\(name(index)) is sent \(signal.name) out of turn") }
        if !one.isTold {
            try checkTelling(index, at: now)
            tell(index, effect, at: now)
        }
        all[index].isSignaled = true
    }

    /// It is told, for the reason that there is.
    private mutating func tell(_ index: Int, _ effect: Effect, at now: Int64) {
        if index == main { expectedForMain.append(effect) }
        if !isStopping {
            // A restart that was asked for has taken the mark away.
            if all[index].isMarked {
                all[index].why = .stop
            } else if !all[index].mustBeTold {
                all[index].why = .trouble
            }
        }
        markTold(index, at: now)
    }

    /// While the container runs: whether there is a reason to stop this service.
    private func isToBeTold(_ index: Int, at now: Int64) -> Bool {
        let one = all[index]
        if one.mustBeTold { return true }
        if one.isMarked && !isHeld(index) { return true }
        let isUnderWay = one.known == .starting || one.known == .running && !one.isReady
        return isUnderWay && now >= min(one.startBy, one.readyBy)
    }

    /// A service is told to stop only when the main program and all that wait for it are down, or at the last call; while
    /// the container runs, only for a reason of its own.
    private func checkTelling(_ index: Int, at now: Int64) throws {
        let one = all[index]
        guard one.hasProcess, !one.isKilled, !one.isTold else { throw violated("\(name(index)) told out of turn") }
        guard isStopping else {
            if !isToBeTold(index, at: now) { throw violated("\(name(index)) told to stop without a reason") }
            return
        }
        if now >= lastCall && !options.isBare { return }
        if let main, !isDown(main) { throw violated("\(name(index)) told before the main program is gone") }
        for holder in holders[index] where !isDown(holder) {
            throw violated("\(name(index)) told before \(name(holder)), which waits for it")
        }
    }

    private func checkKill(_ index: Int, at now: Int64) throws {
        let one = all[index]
        guard one.hasProcess else { throw violated("\(name(index)) killed out of turn") }
        if isStopping && (isForced || (!options.isBare && now >= ceiling)) { return }
        guard one.isTold, !options.isBare, now >= one.stopBy
        else { throw violated("\(name(index)) killed before its time") }
    }

    private mutating func checkStragglers(_ signal: SignalNumber, at now: Int64) throws {
        guard isStopping, !options.skipsStragglers || isForced || now >= ceiling
        else { throw violated("stragglers are told too early, or against the options") }
        let isPatient = !isForced && (options.isBare || now < ceiling)
        if isPatient && !all.indices.allSatisfy(isDown) { throw violated("stragglers are told while services run") }
        if signal == .kill && isPatient && now < (stragglersToldAt ?? .max - 2_000_000_000) + 1_000_000_000 {
            throw violated("stragglers are killed too early")
        }
        stragglersToldAt = now
    }

    private mutating func checkExit(_ code: Int32, at now: Int64) throws {
        guard isStopping else { throw violated("exit without a stop") }
        if code != self.code { throw violated("exit code \(code) instead of \(self.code)") }
        let isPatient = !isForced && (options.isBare || now < ceiling)
        if isPatient && !all.indices.allSatisfy(isDown) { throw violated("exit while services run") }
        if !options.skipsStragglers && stragglersToldAt == nil { throw violated("exit without a word to the rest") }
        isOver = true
    }
}
