import ConfigParser

@testable import Runtime

/// What the judge makes of what is asked: by signals, and of single services.

extension Judge {
    // MARK: - Signals

    mutating func noteSignal(_ signal: SignalNumber, at now: Int64) {
        guard signal != .child else { return }
        var effective = signal
        var action = settings.signals.first { $0.signal == signal }?.action
        if case .rewrite(let other) = action {
            effective = other
            action = nil
        }
        let asks = (effective == .terminate || effective == .interrupt || effective == .quit) && !options.isBare
        switch action {
        case .ignore: return
        case .reload: if !isStopping { for index in all.indices { noteReload(index, at: now) } }
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
            guard let main, all[main].known != .skipped else {
                beginStop(0, at: now)
                return
            }
            let follows = all[main].hasProcess
            beginStop(
                follows ? 137 : 128 + signal.number, at: now, follows: follows,
                telling: isOwn ? nil : signal)
        } else if stopSignals >= 3 {
            isForced = true
        } else if let main, let stop, all[main].hasProcess, !all[main].isKilled, all[main].isSignaled,
            !isOwn || isCounted
        {
            // Reminded by what it was told by first.
            let again = isOwn ? firstTold ?? stop.signal : signal
            expectedForMain.append(toMain(again, options.forwardsToGroup))
        }
    }

    /// As a signal, but that a code which is given counts, whoever began the stop.
    mutating func noteShutdown(_ code: Int32?, at now: Int64) {
        let follows = code == nil && main.map { all[$0].hasProcess } ?? false
        beginStop(follows ? 137 : 0, at: now, follows: follows)
        guard let code else { return }
        self.code = code
        takesMainStatus = false
    }

    private mutating func forward(_ signal: SignalNumber, _ toGroup: Bool, _ original: SignalNumber) {
        guard let main else { return }
        let one = all[main]
        if one.hasProcess && !one.isKilled && one.known != .starting {
            expectedForMain.append(toMain(signal, toGroup))
            if options.suspendsItself && (20...22).contains(original.number) { expectedForMain.append(.suspendSelf) }
            return
        }
        switch one.known {
        case .idle, .waiting, .checking, .starting, .backoff, .stopping: if isStopping { return }
        case .running, .done, .skipped, .ended, .stopped, .failed: return
        }
        if signal == .continue { kept.removeAll { (19...22).contains($0.signal.number) } }
        if (19...22).contains(signal.number) { kept.removeAll { $0.signal == .continue } }
        if !kept.contains(where: { $0.signal == signal && $0.toGroup == toGroup }) { kept.append((signal, toGroup)) }
    }

    // MARK: - Requests

    mutating func noteRequest(_ index: Int, _ request: Request, at now: Int64) {
        if isStopping || index >= all.count || all[index].isVacant || all[index].isRemoved { return }
        switch request {
        case .start: noteStart(index, again: false)
        case .restart: for member in members(of: index) { noteStart(member, again: true) }
        case .stop: noteStop(index, at: now)
        case .reload: for member in members(of: index) { noteReload(member, at: now) }
        }
    }

    /// The service, or what a group is a name for.
    private func members(of index: Int) -> [Int] {
        if facts[index].type != .group { return [index] }
        var found: [Int] = []
        for other in rules.requires[index] {
            for member in members(of: other) where !found.contains(member) { found.append(member) }
        }
        return found
    }

    private mutating func noteStart(_ index: Int, again: Bool) {
        switch all[index].known {
        case .waiting, .checking: return
        case .starting, .running, .done: if !again && !all[index].isMarked { return }
        case .stopping: if all[index].why == .restart { return }
        case .idle, .skipped, .ended, .stopped, .failed, .backoff: break
        }
        var seen: [Int] = []
        bringUp(index, roots: [index], again: again, &seen)
    }

    mutating func bringUp(_ index: Int, roots: [Int], again: Bool, _ seen: inout [Int]) {
        let isRoot = roots.contains(index)
        if seen.contains(index) { return }
        seen.append(index)
        var follows = isRoot || all[index].isMarked
        all[index].isMarked = false
        var begins = false
        switch all[index].known {
        case .idle, .stopped: begins = true
        case .failed: begins = isRoot || !facts[index].isOptional
        case .skipped, .ended, .backoff: begins = isRoot
        case .done: begins = isRoot && again
        case .stopping:
            if isRoot || all[index].why == .stop {
                all[index].why = .restart
                refresh(index)
                follows = true
            }
        case .starting, .running:
            if isRoot && again {
                all[index].why = .restart
                all[index].mustBeTold = true
                refresh(index)
            }
        case .waiting, .checking: break
        }
        if begins { begin(index) }
        guard follows || begins else { return }
        for other in rules.needs[index] { bringUp(other, roots: roots, again: again, &seen) }
    }

    /// As at the boot.
    mutating func begin(_ index: Int) {
        refresh(index)
        all[index].isRequested = true
        all[index].isEnlisted = true
        all[index].hasSettled = false
        all[index].hasStarted = false
        all[index].conditionsHold = false
        become(index, .waiting)
    }

    private mutating func refresh(_ index: Int) {
        all[index].quickDeaths = 0
        all[index].failedSpawns = 0
        spawns[index] = []
    }

    private mutating func noteStop(_ root: Int, at now: Int64) {
        if root == main {
            switch all[root].known {
            case .idle, .skipped, .ended, .stopped, .failed: return
            case .stopping: if all[root].why == .stop { return }
            case .waiting, .checking, .starting, .running, .backoff, .done: break
            }
            let follows = all[root].hasProcess
            beginStop(follows ? 137 : 0, at: now, follows: follows)
            return
        }
        var down = members(of: root)
        if !down.contains(root) { down.append(root) }
        var head = 0
        while head < down.count {
            for other in rules.requiredBy[down[head]] where !down.contains(other) { down.append(other) }
            head += 1
        }
        if let main, down.contains(main) {
            switch all[main].known {
            case .waiting, .checking, .starting, .running, .stopping, .backoff: return
            case .idle, .done, .skipped, .ended, .stopped, .failed: break
            }
        }
        guard down.contains(where: isActive) else { return }
        for index in down {
            switch all[index].known {
            case .waiting, .checking, .backoff: become(index, .stopped)
            case .stopping: all[index].why = .stop
            case .idle, .starting, .running, .done, .skipped, .ended, .stopped, .failed: break
            }
            all[index].isMarked = true
        }
    }

    private func isActive(_ index: Int) -> Bool {
        switch all[index].known {
        case .waiting, .checking, .starting, .running, .backoff, .done: return true
        case .stopping: return all[index].why != .stop
        case .idle, .skipped, .ended, .stopped, .failed: return false
        }
    }

    /// Who is down, and has nobody above that is still to go down, is done with a stop that was asked for.
    mutating func releaseMarks() {
        if isStopping { return }
        var isChanging = true
        while isChanging {
            isChanging = false
            for index in all.indices where all[index].isMarked && isDown(index) && !isHeld(index) {
                all[index].isMarked = false
                isChanging = true
                switch all[index].known {
                case .done, .skipped, .ended: become(index, .stopped)
                case .idle, .waiting, .checking, .starting, .running, .stopping, .backoff, .stopped, .failed: break
                }
            }
        }
    }

    func isHeld(_ index: Int) -> Bool {
        for other in rules.requiredBy[index] where all[other].isMarked { return true }
        guard all[index].isRemoved else { return false }
        for other in all.indices where all[other].isRemoved && all[other].isMarked {
            for (place, _) in rules.waits[other] where place == index { return true }
        }
        return false
    }

    // MARK: - Reload

    mutating func noteReload(_ index: Int, at now: Int64) {
        guard isUp(index) else { return }
        if let signal = facts[index].reloadSignal {
            all[index].mustReload = true
            if index == main { expectedForMain.append(.signal(ServiceID(index: index), signal)) }
        }
        guard facts[index].hasReloadCommand else { return }
        switch all[index].reload {
        case .none: all[index].mustReload = true
        case .runs, .killed: all[index].reloadAgain = true
        }
    }

    mutating func noteReloadEnd(_ index: Int, at now: Int64) {
        guard all[index].reload != .none else { return }
        all[index].reload = .none
        let isAgain = all[index].reloadAgain && isUp(index) && !isStopping
        all[index].reloadAgain = false
        // As its file says now.
        if isAgain { noteReload(index, at: now) }
    }
}
