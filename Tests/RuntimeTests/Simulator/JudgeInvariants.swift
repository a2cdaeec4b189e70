import ConfigParser

@testable import Runtime

/// The judge's third part: what must be true after each step, whatever happened in it. The states that the core has are
/// those that follow from the facts; nobody waits who need not, and nobody waits for nothing; every wait has its deadline,
/// at the very moment that the rules give it, and no deadline is for a process that is not there.

extension Judge {
    mutating func finish(_ event: Event, _ effects: [Effect], _ core: Core, at now: Int64) throws {
        if isOver { return }
        try checkMain(effects)
        if core.isStopping != isStopping {
            throw violated(isStopping ? "the stop did not begin" : "a stop without cause")
        }
        for index in all.indices {
            try checkOwed(index)
            try checkState(index, core)
            try checkWatch(index, core, at: now)
            try checkLife(index, core, at: now)
            if !isStopping { try checkProgress(index, at: now) }
        }
        if isStopping { try finishStopping(core, at: now) }
    }

    private func checkMain(_ effects: [Effect]) throws {
        guard let main else { return }
        var forMain: [Effect] = []
        for effect in effects {
            switch effect {
            case .signal(let id, let signal), .signalGroup(let id, let signal):
                if id.index == main && signal != .kill { forMain.append(effect) }
            case .runStopCommand(let id): if id.index == main { forMain.append(effect) }
            case .suspendSelf: forMain.append(effect)
            case .checkConditions, .spawn, .killStopCommand, .probe, .cancelProbe, .runReloadCommand,
                .killReloadCommand, .signalStragglers, .announce, .forget, .exit:
                break
            }
        }
        if forMain.isEmpty && expectedForMain.isEmpty { return }
        // Kept signals and what follows from them may come in another order.
        guard forMain.count == expectedForMain.count, forMain.allSatisfy(expectedForMain.contains)
        else { throw violated("the main program gets \(forMain) instead of \(expectedForMain)") }
    }

    /// What had to happen in this step has happened.
    private mutating func checkOwed(_ index: Int) throws {
        let one = all[index]
        if one.isRewatched { throw violated("the old probe of \(name(index)) goes on") }
        if one.isRemoved && !one.isMarked && isDown(index) && one.reload == .none && !isStopping {
            throw violated("\(name(index)) was removed and is down, and is not forgotten")
        }
        if one.owesGroupKill { throw violated("the group of \(name(index)) was left alone") }
        if one.mustBeGone {
            if isUp(index) && !isStopping { throw violated("a reload command was killed without a reason") }
            all[index].mustBeGone = false
            all[index].reloadAgain = false
        }
        if isStopping {
            all[index].mustFail = nil
            all[index].mustReload = false
            return
        }
        if one.mustFail != nil { throw violated("\(name(index)) did not fail") }
        if one.mustBeTold { throw violated("\(name(index)) was not told to stop") }
        if one.mustAct && isUp(index) { throw violated("nothing is done about \(name(index)), which is unhealthy") }
        all[index].mustAct = false
        if one.mustReload && isUp(index) { throw violated("\(name(index)) does not reload") }
        all[index].mustReload = false
    }

    private func checkState(_ index: Int, _ core: Core) throws {
        let known = all[index].known
        let isRight: Bool
        switch core.machines[index].state {
        case .idle: isRight = known == .idle
        case .waiting: isRight = known == .waiting || known == .backoff
        case .checking: isRight = known == .checking
        case .starting: isRight = known == .starting
        case .running: isRight = known == .running && !all[index].isReady
        case .up: isRight = known == .running && all[index].isReady
        case .backingOff: isRight = known == .backoff
        case .stopping: isRight = known == .stopping
        case .done: isRight = known == .done
        case .skipped: isRight = known == .skipped
        case .ended: isRight = known == .ended
        case .stopped: isRight = known == .stopped
        case .failed: isRight = known == .failed
        }
        if !isRight { throw violated("\(name(index)) is \(core.machines[index].state), and should be \(known)") }
    }

    // MARK: - Deadlines

    /// Probes, the watchdog and reload commands: only while the process is up, or on its way up, and was not told.
    private func checkWatch(_ index: Int, _ core: Core, at now: Int64) throws {
        let one = all[index]
        let check = core.deadlines.moment(of: .check(ServiceID(index: index)))?.nanoseconds
        let reload = core.deadlines.moment(of: .reload(ServiceID(index: index)))?.nanoseconds
        let isWatched = one.known == .running && one.hasProcess && !isStopping && !one.isLeaving
        if !isWatched {
            if one.probe != nil { throw violated("a probe of \(name(index)) goes on") }
            if check != nil { throw violated("a deadline for a probe of \(name(index)), which is not watched") }
        } else if let probe = one.probe {
            let patience = probe == .health ? facts[index].healthTimeout : facts[index].readyPatience
            if check != (patience < 0 ? nil : one.probeAt + patience) {
                throw violated("the patience with the probe of \(name(index)) ends at the wrong moment")
            }
        } else if one.isReady ? facts[index].healthTimeout >= 0 : facts[index].readyInterval >= 0 {
            if one.probeFrom < 0 { throw violated("a probe of \(name(index)) was cancelled without a reason") }
            if check != one.probeFrom { throw violated("\(name(index)) is probed next at the wrong moment") }
        } else if one.isReady && facts[index].isWatchdog && !one.isSick {
            if check != one.fedBy { throw violated("the watchdog of \(name(index)) waits for the wrong moment") }
        }
        if one.reload == .runs && isUp(index) && !isStopping {
            if reload != one.reloadBy { throw violated("the reload of \(name(index)) has no end") }
        } else {
            if one.reload == .runs { throw violated("the reload command of \(name(index)) outlives it") }
            if reload != nil { throw violated("a deadline for a reload command that does not run") }
        }
    }

    /// The start, the next start, the stop.
    private func checkLife(_ index: Int, _ core: Core, at now: Int64) throws {
        let one = all[index]
        let life = core.deadlines.moment(of: .life(ServiceID(index: index)))?.nanoseconds
        switch one.known {
        case .backoff:
            if case .waiting = core.machines[index].state {
                if life != nil { throw violated("a deadline for \(name(index)), which waits") }
                if now < one.earliest { throw violated("\(name(index)) waits no longer, too early") }
                return
            }
            guard let life, one.isDated else { throw violated("\(name(index)) waits without end") }
            if life < one.earliest { throw violated("the backoff of \(name(index)) is too short") }
            if life > one.latest { throw violated("the backoff of \(name(index)) is too long") }
        case .starting, .running:
            let end = one.isReady || isStopping ? Int64.max : min(one.startBy, one.readyBy)
            if end < .max {
                guard let life, life <= end else { throw violated("the start of \(name(index)) has no end") }
            } else if life != nil && (facts[index].type != .oneshot || isStopping) {
                throw violated("a deadline for \(name(index)), which needs none")
            }
        case .stopping:
            if one.isKilled || options.isBare {
                if life != nil { throw violated("a deadline for \(name(index)), which was killed") }
            } else if life != one.stopBy {
                throw violated("the stop of \(name(index)) ends at the wrong moment")
            }
        case .idle, .waiting, .checking, .done, .skipped, .ended, .stopped, .failed:
            if life != nil { throw violated("a deadline for \(name(index)), which has no process") }
        }
    }

    // MARK: - Progress

    /// While the container runs, who could go on goes on.
    private func checkProgress(_ index: Int, at now: Int64) throws {
        let one = all[index]
        switch one.known {
        case .waiting, .checking:
            if hasFailedRequirement(index) { throw violated("\(name(index)) waits for what failed") }
            if one.known == .waiting && mayStart(index) { throw violated("\(name(index)) could have started") }
            for other in rules.requires[index] where all[other].known == .idle || all[other].known == .stopped {
                throw violated("\(name(index)) waits for \(name(other)), which nobody starts")
            }
        case .backoff:
            guard !one.isDated || now > one.latest + Life.lateness else { break }
            if requirementsHold(index) { throw violated("\(name(index)) could have started again") }
            if hasFailedRequirement(index) { throw violated("\(name(index)) waits for what failed, again") }
        case .starting, .running:
            if one.isMarked && !isHeld(index) { throw violated("\(name(index)) could have been told to stop") }
            if !one.isReady && now - Life.lateness > min(one.startBy, one.readyBy) {
                throw violated("\(name(index)) may take as long as it likes")
            }
        case .idle, .stopping, .done, .skipped, .ended, .stopped, .failed: break
        }
    }

    private func finishStopping(_ core: Core, at now: Int64) throws {
        if let main, all[main].hasProcess, !all[main].isTold { throw violated("the main program was not told") }
        if !options.isBare {
            let isLate = now > ceiling + 1_000_000_000 + 2 * Life.lateness
            if isLate { throw violated("the stop outlives its ceiling") }
            guard core.nextDeadline != nil else { throw violated("the stop waits without end") }
        }
        for index in all.indices where all[index].hasProcess {
            let one = all[index]
            if isForced && !one.isKilled { throw violated("\(name(index)) was not killed") }
            if options.isBare { continue }
            if now > ceiling + Life.lateness && !one.isKilled { throw violated("\(name(index)) was not killed") }
            if one.isTold {
                if now > one.stopBy + Life.lateness && !one.isKilled { throw violated("\(name(index)) was not killed") }
            } else {
                if now > lastCall + Life.lateness && !one.isKilled { throw violated("\(name(index)) never told") }
                var isFree = main.map(isDown) ?? true
                for holder in holders[index] where !isDown(holder) { isFree = false }
                if isFree && !one.isKilled { throw violated("\(name(index)) could have been told") }
            }
        }
    }

    /// An event that cannot be true now, of a random service: the core must pass over it.
    func impossibleEvent(_ dice: inout Dice) -> Event? {
        let index = dice.roll(services.count)
        let id = ServiceID(index: dice.chance(10) ? services.count + 3 : index)
        let one = all[index]
        switch dice.roll(12) {
        case 0: return one.hasProcess ? nil : .exited(id, .exited(code: 1))
        case 1: return one.hasProcess ? nil : .execSucceeded(id)
        case 2:
            return one.hasProcess ? nil : .spawnFailed(id, SpawnFailure(code: 1, isTransient: false, message: ""))
        case 3: return one.commandRuns || one.known == .stopping ? nil : .stopCommandEnded(id)
        case 4: return one.known == .checking ? nil : .conditionsChecked(id, unmet: nil)
        case 5: return one.known == .running && !one.isReady ? nil : .ready(id)
        case 6: return one.probe == .readiness ? nil : .probed(id, .readiness, .passed)
        case 7: return one.probe == .health ? nil : .probed(id, .health, .failed("late"))
        case 8: return one.hasProcess ? nil : .watchdogTriggered(id)
        case 9: return one.reload != .none ? nil : .reloadCommandEnded(id, .exited(code: 0))
        case 10: return isStopping ? .requested(id, dice.pick([.start, .stop, .restart, .reload])) : nil
        default: return isStopping ? .boot : .stragglersGone
        }
    }
}
