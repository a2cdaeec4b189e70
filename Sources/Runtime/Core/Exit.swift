import ConfigParser

/// What the core does when a process has ended by itself, or could not be started: done, ended, failed, or once more after
/// a wait. The rules stand in Restart; here they meet the states.

extension Core {
    /// A process ended.
    mutating func noteExit(_ id: ServiceID, _ status: ExitStatus, since: Instant) {
        if isStopping {
            noteGone(id, .killed, .ended(status))
            return
        }
        busy &-= 1
        deadlines.clear(.service(id))
        let lived = since.interval(until: now)
        switch services[id.index].restart.verdict(for: services[id.index].type, status) {
        case .done:
            announce(.done(id, after: machines[id.index].lastStart.interval(until: now)))
            become(id, .done)
        case .ended:
            become(id, .ended(status))
            if id == main {
                beginStop(.mainEnded(status), code: status.containerCode)
            } else {
                announce(.ended(id, status, after: lived))
                if services[id.index].essential { beginStop(.essentialEnded(id, status), code: status.containerCode) }
            }
        case .failed:
            fail(id, Failure(.ended(status)))
        case .restart:
            restart(id, status, lived: lived)
        }
    }

    /// Plans the next start of a service whose process ended.
    private mutating func restart(_ id: ServiceID, _ status: ExitStatus, lived: Interval) {
        let policy = services[id.index].restart
        var delay = Interval(nanoseconds: 0)
        if lived >= policy.resetAfter {
            machines[id.index].quickDeaths = 0
        } else {
            machines[id.index].quickDeaths &+= 1
            delay = policy.delay(attempt: machines[id.index].quickDeaths, random: random.next())
        }
        if isLimitReached(id, in: delay) {
            fail(id, Failure(limitOf(policy, last: status)))
            return
        }
        // Its children may still hold its port or its files: never two generations of one service.
        emit(.signalGroup(id, .kill))
        announce(
            .restarting(id, status, after: lived, delay: delay, quickDeaths: machines[id.index].quickDeaths))
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
        deadlines.set(.service(id), now + delay)
    }

    /// Whether a start after that wait would be one more than `limit` allows: better known now than after the wait.
    private func isLimitReached(_ id: ServiceID, in delay: Interval) -> Bool {
        let policy = services[id.index].restart
        return machines[id.index].starts.isExhausted(at: now + delay, limit: policy.limit, within: policy.within)
    }

    private func limitOf(_ policy: RestartPolicy, last: ExitStatus?) -> Failure.Cause {
        .limit(starts: policy.limit ?? 0, within: policy.within, last: last)
    }
}
