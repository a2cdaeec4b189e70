import ConfigParser

@testable import Runtime

/// What the judge makes of what is heard of a process: probes, the watchdog, more time.

extension Judge {
    mutating func noteProbe(_ index: Int, _ purpose: ProbePurpose, _ result: ProbeResult, at now: Int64) {
        guard all[index].probe == purpose else { return }
        all[index].probe = nil
        switch (purpose, result) {
        case (.readiness, .passed): becomeReady(index, at: now)
        case (.readiness, .failed): all[index].probeFrom = now + facts[index].readyInterval
        case (.health, .passed):
            notePass(index)
            all[index].probeFrom = now + facts[index].healthInterval
        case (.health, .failed): noteHealthFailure(index, at: now)
        }
    }

    mutating func notePass(_ index: Int) {
        all[index].hasPassed = true
        all[index].failures = 0
        all[index].isSick = false
    }

    mutating func noteHealthFailure(_ index: Int, at now: Int64) {
        all[index].probeFrom = now + facts[index].healthInterval
        if isInStartPeriod(index, at: now) { return }
        all[index].failures += 1
        if all[index].failures >= facts[index].failures { noteSick(index) }
    }

    func isInStartPeriod(_ index: Int, at now: Int64) -> Bool {
        !all[index].hasPassed && now < all[index].readyAt + facts[index].startPeriod
    }

    /// One action is due, and none more before it was well.
    mutating func noteSick(_ index: Int) {
        if facts[index].hasHealth && !all[index].isSick && !all[index].isLeaving && !isStopping {
            all[index].mustAct = true
        }
    }

    mutating func noteTime(_ now: Int64) {
        if isStopping { return }
        for index in all.indices
        where isUp(index) && facts[index].isWatchdog && !all[index].isSick && !all[index].isLeaving {
            if now < all[index].fedBy { continue }
            if isInStartPeriod(index, at: now) {
                all[index].fedBy = now + facts[index].healthInterval
            } else {
                noteSick(index)
            }
        }
    }

    mutating func noteExtension(_ index: Int, _ end: Int64) {
        switch all[index].known {
        case .starting, .running:
            if isUp(index) {
                if all[index].reload == .runs { all[index].reloadBy = max(all[index].reloadBy, end) }
            } else if !isStopping {
                if all[index].startBy < .max { all[index].startBy = max(all[index].startBy, end) }
                if all[index].readyBy < .max { all[index].readyBy = max(all[index].readyBy, end) }
            }
        case .stopping:
            if all[index].hasProcess && !all[index].isKilled { all[index].stopBy = max(all[index].stopBy, end) }
        case .idle, .waiting, .checking, .backoff, .done, .skipped, .ended, .stopped, .failed: break
        }
    }
}
