import ConfigParser

@testable import Runtime

/// The judge's second half: each effect against the rules, and what must be true after each step.

extension Judge {
    private func violated(_ text: String) -> Violation { Violation(text: text) }

    // MARK: - Effects

    mutating func check(_ effect: Effect, during event: Event, at now: Int64) throws {
        if isOver { throw violated("\(effect) after the exit") }
        switch effect {
        case .checkConditions(let id): try checkConditions(id.index)
        case .spawn(let id): try checkSpawn(id.index, at: now)
        case .announce(.failed(let id, let failure, _, _, let stopsWith)):
            try checkFailure(id.index, failure, stopsWith, at: now)
        case .announce(.complete(let id)):
            guard services[id.index].type == .group, known[id.index] == .waiting, mayStart(id.index), !isStopping,
                services[id.index].when.isEmpty || conditionsHold[id.index]
            else { throw violated("\(name(id.index)) complete too early") }
            become(id.index, .done)
        case .announce: break
        case .signal(let id, let signal):
            if signal == .kill {
                try checkKill(id.index, at: now)
                isKilled[id.index] = true
            } else if id.index != main {
                try checkTelling(id.index, at: now)
                let stop = services[id.index].stop
                guard signal == stop.signal, !commandRuns[id.index], (told[id.index] != nil) == (stop.command != nil)
                else { throw violated("\(name(id.index)) is sent \(signal.name) out of turn") }
                if told[id.index] == nil { told[id.index] = now }
            }
        case .signalGroup(let id, let signal):
            if signal == .kill {
                owesGroupKill[id.index] = false
                if case .exited(id, _) = event { return }
                try checkKill(id.index, at: now)
            } else if id.index != main {
                throw violated("the group of \(name(id.index)) is sent \(signal.name)")
            }
        case .runStopCommand(let id):
            if id.index != main {
                try checkTelling(id.index, at: now)
                guard told[id.index] == nil else { throw violated("\(name(id.index)) told twice") }
                told[id.index] = now
            }
            guard services[id.index].stop.command != nil else { throw violated("no stop command") }
            commandRuns[id.index] = true
        case .killStopCommand(let id):
            guard commandRuns[id.index] else { throw violated("no stop command runs") }
            if hasProcess[id.index] { try checkKill(id.index, at: now) }
            commandRuns[id.index] = false
        case .signalStragglers(let signal):
            guard isStopping, !options.skipsStragglers || isForced || now >= ceiling
            else { throw violated("stragglers are told too early, or against the options") }
            let isPatient = !isForced && (options.isBare || now < ceiling)
            if isPatient && (hasProcess.contains(true) || commandRuns.contains(true)) {
                throw violated("stragglers are told while services run")
            }
            if signal == .kill && isPatient && now < (stragglersToldAt ?? .max) + 1_000_000_000 {
                throw violated("stragglers are killed too early")
            }
            stragglersToldAt = now
        case .suspendSelf: break
        case .exit(let code): try checkExit(code, at: now)
        }
    }

    private mutating func checkConditions(_ index: Int) throws {
        guard !isStopping, known[index] == .waiting, !hasStarted[index], !services[index].when.isEmpty, mayStart(index),
            !conditionsHold[index]
        else { throw violated("the conditions of \(name(index)) are checked out of turn") }
        become(index, .checking)
    }

    private mutating func checkSpawn(_ index: Int, at now: Int64) throws {
        let service = services[index]
        if isStopping { throw violated("\(name(index)) starts after the stop began") }
        if hasProcess[index] { throw violated("two processes of \(name(index))") }
        if owesGroupKill[index] { throw violated("\(name(index)) starts beside what is left of its last generation") }
        guard rules.boots[index], service.type != .group, known[index] == .waiting || known[index] == .backoff
        else { throw violated("\(name(index)) starts although it is \(known[index])") }
        if !mayStart(index) { throw violated("\(name(index)) starts before what it waits for") }
        if !hasStarted[index] && !service.when.isEmpty && !conditionsHold[index] {
            throw violated("\(name(index)) starts without its conditions")
        }
        if known[index] == .backoff && now < earliest[index] { throw violated("\(name(index)) starts too early") }
        if let limit = service.restart.limit {
            let recent = spawns[index].filter { $0 > now - service.restart.within.nanoseconds }
            if recent.count >= limit { throw violated("\(name(index)) starts more often than its limit") }
        }
        spawns[index].append(now)
        hasStarted[index] = true
        hasProcess[index] = true
        become(index, .starting)
    }

    private mutating func checkFailure(_ index: Int, _ failure: Failure, _ stopsWith: Int32?, at now: Int64) throws {
        if isStopping { throw violated("\(name(index)) fails after the stop began") }
        if let first = failure.chain.first {
            let requires = rules.waits[index].contains { $0.other == first.index && $0.isRequiring }
            guard requires, known[first.index] == .failed, !services[first.index].optional,
                [.waiting, .checking, .backoff].contains(known[index]), failure.code == failureCode[first.index]
            else { throw violated("\(name(index)) fails because of \(name(first.index)) without a reason") }
        } else if case .limit = failure.cause {
            let service = services[index]
            let recent = spawns[index].filter { $0 > now - service.restart.within.nanoseconds }
            guard known[index] == .backoff, let limit = service.restart.limit, recent.count >= limit
            else { throw violated("\(name(index)) has not reached its limit") }
        } else {
            guard mustFail.contains(where: { $0.index == index && $0.code == failure.code })
            else { throw violated("\(name(index)) fails without a reason") }
        }
        become(index, .failed)
        owesGroupKill[index] = false
        failureCode[index] = failure.code
        guard stopsWith == (isDecisive(index) ? failure.code : nil)
        else { throw violated("\(name(index)) misjudges what its failure means") }
        if isDecisive(index) { beginStop(failure.code, at: now) }
    }

    /// A service is told to stop only when the main program and all that wait for it are down, or at the last call.
    private func checkTelling(_ index: Int, at now: Int64) throws {
        guard isStopping, hasProcess[index], !isKilled[index] else { throw violated("\(name(index)) told out of turn") }
        if now >= lastCall && !options.isBare { return }
        if told[index] != nil { return }
        if let main, !isDown(main) { throw violated("\(name(index)) told before the main program is gone") }
        for holder in rules.holders[index] where !isDown(holder) {
            throw violated("\(name(index)) told before \(name(holder)), which waits for it")
        }
    }

    private func isDown(_ index: Int) -> Bool { !hasProcess[index] && !commandRuns[index] }

    private func checkKill(_ index: Int, at now: Int64) throws {
        guard isStopping, hasProcess[index] else { throw violated("\(name(index)) killed out of turn") }
        if isForced || (!options.isBare && now >= ceiling) { return }
        guard let told = told[index], !options.isBare, now >= told + services[index].stop.timeout.nanoseconds
        else { throw violated("\(name(index)) killed before its time") }
    }

    private mutating func checkExit(_ code: Int32, at now: Int64) throws {
        guard isStopping else { throw violated("exit without a stop") }
        if code != self.code { throw violated("exit code \(code) instead of \(self.code)") }
        let isPatient = !isForced && (options.isBare || now < ceiling)
        if isPatient && (hasProcess.contains(true) || commandRuns.contains(true)) {
            throw violated("exit while services run")
        }
        if !options.skipsStragglers && stragglersToldAt == nil { throw violated("exit without a word to the rest") }
        isOver = true
    }

    // MARK: - After the step

    mutating func finish(_ event: Event, _ effects: [Effect], _ core: Core, at now: Int64) throws {
        if isOver { return }
        let forMain = effects.filter { effect in
            switch effect {
            case .signal(let id, let signal), .signalGroup(let id, let signal):
                return id.index == main && signal != .kill
            case .runStopCommand(let id): return id.index == main
            case .suspendSelf: return true
            default: return false
            }
        }
        if forMain != expectedForMain {
            // Kept signals and what follows from them may come in another order.
            guard forMain.count == expectedForMain.count, forMain.allSatisfy(expectedForMain.contains)
            else { throw violated("the main program gets \(forMain) instead of \(expectedForMain)") }
        }
        if core.isStopping != isStopping {
            throw violated(isStopping ? "the stop did not begin" : "a stop without cause")
        }
        if isStopping { try finishStopping(at: now) } else { try finishRunning(core, at: now) }
        if isStopping, let next = core.nextDeadline { try checkArmed(next.nanoseconds) }
    }

    /// During the stop only these can be waited for: the ceiling and the last call, the patience with one that was told,
    /// the second for the rest.
    private func checkArmed(_ moment: Int64) throws {
        if !options.isBare && (moment == ceiling || moment == lastCall) { return }
        if let stragglersToldAt, moment == stragglersToldAt + 1_000_000_000 { return }
        for index in services.indices where hasProcess[index] || commandRuns[index] {
            if let told = told[index], moment == told + services[index].stop.timeout.nanoseconds { return }
        }
        throw violated("a deadline for nothing during the stop")
    }

    private func finishRunning(_ core: Core, at now: Int64) throws {
        for (index, _) in mustFail where known[index] != .failed { throw violated("\(name(index)) did not fail") }
        var wantsDeadline = false
        for index in services.indices {
            switch known[index] {
            case .waiting, .checking:
                if hasFailedRequirement(index) { throw violated("\(name(index)) waits for what failed") }
                if known[index] == .waiting && mayStart(index) { throw violated("\(name(index)) could have started") }
            case .backoff:
                wantsDeadline = true
                guard now > latest[index] + Simulation.lateness || latest[index] == endAt[index] else { break }
                if requirementsHold(index) { throw violated("\(name(index)) could have started again") }
                if hasFailedRequirement(index) { throw violated("\(name(index)) waits for what failed, again") }
            case .starting, .running:
                if services[index].type == .oneshot { wantsDeadline = true }
            case .idle, .done, .skipped, .ended, .failed, .gone: break
            }
            if owesGroupKill[index] { throw violated("the group of \(name(index)) was left alone") }
        }
        if core.nextDeadline != nil && !wantsDeadline { throw violated("a deadline for nothing") }
    }

    private func finishStopping(at now: Int64) throws {
        if let main, hasProcess[main], told[main] == nil { throw violated("the main program was not told") }
        if isForced { for index in services.indices { try mustBeKilled(index) } }
        for index in services.indices where hasProcess[index] && !options.isBare {
            if now > ceiling + Simulation.lateness { try mustBeKilled(index) }
            if let told = told[index] {
                if now > told + services[index].stop.timeout.nanoseconds + Simulation.lateness {
                    try mustBeKilled(index)
                }
            } else {
                if now > lastCall + Simulation.lateness && !isKilled[index] {
                    throw violated("\(name(index)) never told")
                }
                let isFree = (main.map(isDown) ?? true) && rules.holders[index].allSatisfy(isDown)
                if isFree && !isKilled[index] { throw violated("\(name(index)) could have been told") }
            }
        }
        if !options.isBare && now > ceiling + 1_000_000_000 + 2 * Simulation.lateness {
            throw violated("the stop outlives its ceiling")
        }
    }

    private func mustBeKilled(_ index: Int) throws {
        if hasProcess[index] && !isKilled[index] { throw violated("\(name(index)) was not killed") }
    }
}
