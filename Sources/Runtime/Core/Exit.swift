import ConfigParser

/// What the core does when a process has ended by itself, or could not be started: done, ended, failed, or once more after
/// a wait. The rules stand in Restart; here they meet the states.

extension Core {
    /// A process ended by itself.
    mutating func noteExit(_ id: ServiceID, _ status: ExitStatus) {
        stopWatching(id)
        if isStopping || machines[id.index].isMarked {
            // It was to be told as soon as those that wait for it are down.
            machines[id.index].reason = .stop
            noteGone(id, .killed, .ended(status))
            return
        }
        machines[id.index].lastExit = status
        machines[id.index].lastTrouble = nil
        busy &-= 1
        deadlines.clear(.life(id))
        let type = services[id.index].type
        let isEarly = type != .oneshot && machines[id.index].upSince == nil
        let lived = runTime(id)
        let verdict = services[id.index].restart.verdict(for: type, status)
        // Its children may hold its port or its files: never two generations of one service. Those of the main program,
        // where it is not started again, are told with all that is left.
        if type != .main || verdict == .restart { emit(.signalGroup(id, .kill)) }
        switch verdict {
        case .done:
            announce(.done(id, after: machines[id.index].lastStart.interval(until: now)))
            become(id, .done)
        case .ended:
            become(id, .ended(status))
            if id == main {
                beginStop(.mainEnded(status), code: status.containerCode)
            } else {
                announce(.ended(id, status, after: lived, beforeReady: isEarly))
                if services[id.index].essential { beginStop(.essentialEnded(id, status), code: status.containerCode) }
            }
        case .failed:
            fail(id, Failure(.ended(status, beforeReady: isEarly)))
        case .restart:
            let upFor = timeUp(id, until: now)
            restart(id, last: status, upFor: upFor) {
                .restarting(id, status, after: lived, delay: $0, quickDeaths: $1, beforeReady: isEarly)
            }
        }
    }

    /// A process that was told to stop because it was too slow, or unhealthy, is gone.
    mutating func noteTrouble(_ id: ServiceID, _ cause: Failure.Cause) {
        let policy = services[id.index].restart.policy
        let isFinal = services[id.index].type == .oneshot ? policy != .onFailure : policy == .never
        if isFinal {
            fail(id, Failure(cause))
        } else {
            restart(id, last: nil, upFor: timeUp(id, until: machines[id.index].toldAt)) {
                .restartingStopped(id, cause, delay: $0, quickDeaths: $1)
            }
        }
    }

    /// How long it had been up, which is what counts towards `reset-after`: what never became ready does not get there,
    /// however long it took. A oneshot counts from its exec.
    private func timeUp(_ id: ServiceID, until end: Instant) -> Interval {
        let since = services[id.index].type == .oneshot ? machines[id.index].execAt : machines[id.index].upSince
        return since?.interval(until: end) ?? Interval(nanoseconds: -1)
    }

    /// Plans the next start of a service whose process is gone.
    private mutating func restart(
        _ id: ServiceID, last: ExitStatus?, upFor: Interval, line: (Interval, Int) -> Announcement
    ) {
        let policy = services[id.index].restart
        var delay = Interval(nanoseconds: 0)
        if upFor >= policy.resetAfter {
            machines[id.index].quickDeaths = 0
        } else {
            machines[id.index].quickDeaths &+= 1
            delay = policy.delay(attempt: machines[id.index].quickDeaths, random: random.next())
        }
        if isLimitReached(id, in: delay) {
            fail(id, Failure(limitOf(policy, last: last)))
            return
        }
        announce(line(delay, machines[id.index].quickDeaths))
        if delay.nanoseconds > 0 { backOff(id, for: delay) } else { startAgain(id) }
    }

    /// Plans the next start of a service that could not be started for want of something.
    mutating func tryAgain(_ id: ServiceID, _ failure: SpawnFailure) {
        let policy = services[id.index].restart
        machines[id.index].quickDeaths &+= 1
        let delay = max(
            policy.delay(attempt: machines[id.index].quickDeaths, random: random.next()), Core.shortestSpawnDelay)
        if isLimitReached(id, in: delay) {
            fail(id, Failure(limitOf(policy, last: nil)))
            return
        }
        announce(.retrying(id, failure, delay: delay))
        backOff(id, for: delay)
    }

    /// Starts a service again, now that its wait is over: at once where all that it requires is up, else when it is.
    @inline(never)
    mutating func startAgain(_ id: ServiceID) {
        if machines[id.index].unmetRequirements == 0 {
            start(id)
        } else if let (cause, failure) = failedRequirement(of: id) {
            fail(id, Failure(requiring: cause, failure))
        } else {
            become(id, .waiting)
        }
    }

    private mutating func backOff(_ id: ServiceID, for delay: Interval) {
        become(id, .backingOff(until: now + delay))
        deadlines.set(.life(id), now + delay)
    }

    /// Whether a start after that wait would be one more than `limit` allows: better known now than after the wait.
    @inline(never)
    private func isLimitReached(_ id: ServiceID, in delay: Interval) -> Bool {
        let policy = services[id.index].restart
        return machines[id.index].starts.isExhausted(at: now + delay, limit: policy.limit, within: policy.within)
    }

    private func limitOf(_ policy: RestartPolicy, last: ExitStatus?) -> Failure.Cause {
        .limit(starts: policy.limit ?? 0, within: policy.within, last: last)
    }
}
