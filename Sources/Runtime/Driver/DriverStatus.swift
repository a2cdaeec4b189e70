import CSystem
import ConfigParser
import System

/// Keeps the status file: when something changed, and then a moment later, so that a boot of hundreds of services writes it a
/// few times and not hundreds. Nothing is written, and nobody woken, while nothing changes.

extension Driver {
    /// A change is in the file after so long.
    static let statusDelay = Interval.milliseconds(20)

    /// Memory is given back no more often: to fetch it again takes some ten microseconds.
    static let restDelay = Interval.milliseconds(100)

    /// Something that only the driver knows of has changed.
    func statusChanged() {
        statusIsOld = true
        // It was waiting for what is hardly news.
        if statusDelay > Driver.statusDelay { statusDue = nil }
        statusDelay = Driver.statusDelay
    }

    /// At the end of each turn.
    func keepStatus() {
        if core.revision != statusRevision {
            statusRevision = core.revision
            statusChanged()
        }
        guard statusIsOld || restDue != nil else { return }
        let now = Instant(nanoseconds: hi_monotonic_nanoseconds())
        if let due = restDue, due <= now { rest(now) }
        guard statusIsOld else { return }
        guard let due = statusDue else {
            statusDue = now + Driver.statusDelay
            return
        }
        if now < due { return }
        // Whether the program of a oneshot runs nobody tells: it is looked at once more, and later and later.
        statusIsOld = spawner.silent > 0
        if statusIsOld {
            statusDelay = min(statusDelay + statusDelay, Core.stillRunningEvery)
            statusDue = now + statusDelay
        } else {
            statusDue = nil
        }
        // What was done is done: a boot, a restart, a request, another configuration.
        let next = lastRest + Driver.restDelay
        if next <= now { rest(now) } else { restDue = next }
        if isBare { return }
        guard statusFile.isPossible() else {
            tellOfMissingStatus()
            keepListening()
            return
        }
        if statusStart.isEmpty { statusStart = ProcessRelations.start(ProcessRelations.fields(of: own)) ?? [] }
        statusFile.write(statusText().bytes)
        if statusFile.hasLostExports { writeExports() }
        keepListening()
    }

    private func rest(_ now: Instant) {
        lastRest = now
        restDue = nil
        restsNext = true
    }

    private func tellOfMissingStatus() {
        if toldOfMissingStatus { return }
        toldOfMissingStatus = true
        for service in services where service.ready != nil || service.health != nil {
            tellOfMissingFolder("hermes-init health will not work")
            return
        }
    }

    /// - Parameter consequence: what will not work.
    func tellOfMissingFolder(_ consequence: String) {
        log(
            say(
                "%: cannot write in %: %; mount a tmpfs there (docker run --tmpfs /run)", consequence,
                StatusFile.folders[0], statusFile.failure.text))
    }

    /// What there is to know of a service. Asked for here, in one place: each call of a method of the core from a class has
    /// to copy the core.
    @inline(never)
    func report(of id: ServiceID) -> ServiceReport? { core.report(of: id) }

    /// What a service is doing.
    @inline(never)
    func state(of id: ServiceID) -> ServiceState? { core.state(of: id) }

    func statusText() -> StatusText {
        var text = StatusText(process: own, start: statusStart)
        for index in services.indices {
            let id = ServiceID(index: index)
            guard let report = report(of: id), core.graph.boots(id) || report.state != .idle else { continue }
            text.lines.append(
                StatusText.Line(
                    isWell: report.isAsWanted && !core.isStopping, name: services[index].name,
                    words: statusWords(index, report)))
        }
        return text
    }

    /// What a service is doing, with what it says of itself.
    func statusWords(_ index: Int, _ report: ServiceReport) -> String {
        var words = statusWords(report)
        if let watch = watches[index], report.state.hasProcess {
            if watch.isReloading { words += ", reloading" }
            if !watch.status.isEmpty { words += say(" (%)", watch.status) }
        }
        return words
    }

    private func statusWords(_ report: ServiceReport) -> String {
        if let problem = report.problem {
            // Of one that is being stopped, it is the whole reason.
            return say(report.isReady ? "unhealthy: %" : "stopping: %", problem)
        }
        switch report.state {
        case .idle: return "not started"
        case .waiting: return "waiting for other services"
        case .checking, .starting: return "starting"
        case .running: return "not ready yet"
        case .up: return "up"
        case .backingOff:
            let why = report.lastTrouble ?? report.lastExit?.forPeople
            return why.map { say("%, starting again", $0) } ?? "cannot start, trying again"
        case .stopping: return "stopping"
        case .done: return "done"
        case .skipped: return "skipped"
        case .ended(let status): return status.forPeople
        case .stopped: return "stopped"
        case .failed: return "failed"
        }
    }
}
