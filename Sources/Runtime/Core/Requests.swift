import ConfigParser

/// What somebody asks of one service while the container runs: start, stop, restart, reload. ServiceState says what each
/// means. Before the boot and once the container stops, requests are passed over. None of it recurses: each walk over the
/// graph has a list, and visits a service once.

extension Core {
    /// Somebody asks something of a service, or of a group in the name of its members.
    mutating func receive(_ request: Request, for id: ServiceID) {
        guard hasBooted, case .running = phase, machines.indices.contains(id.index), !machines[id.index].isVacant
        else { return }
        revision &+= 1
        if machines[id.index].isLeaving {
            announce(.passedOver(id, request, "it was removed, and is being stopped"))
            return
        }
        switch request {
        case .start: bringUp(id, again: false)
        case .restart: for member in processes(behind: id) { bringUp(member, again: true) }
        case .stop: bringDown(id)
        case .reload: for member in processes(behind: id) { reload(member) }
        }
    }

    // MARK: - Start and restart

    /// Starts a service with all that it needs; `again`: one that runs is stopped and started.
    private mutating func bringUp(_ root: ServiceID, again: Bool) {
        if isOnItsWay(root, again: again) {
            announce(.passedOver(root, again ? .restart : .start, "it is up, or on its way"))
            return
        }
        announce(.requested(root, again ? .restart : .start, first: ServiceList()))
        raise([root], again: again)
        // Who is still to be stopped for a request before this one may have become free.
        release(countHolders())
    }

    /// Starts services with all that they need; `again`: those that run are stopped and started.
    /// - Parameter needed: further services, which are brought up where they are down but are not asked for themselves.
    mutating func raise(_ roots: [ServiceID], needed: [ServiceID] = [], again: Bool) {
        var isSeen = [Bool](repeating: false, count: machines.count)
        var queue: [ServiceID] = []
        for id in roots + needed where !isSeen[id.index] {
            isSeen[id.index] = true
            queue.append(id)
        }
        // None of the roots is named twice.
        let asked = roots.count
        var head = 0
        while head < queue.count {
            let id = queue[head]
            let isRoot = head < asked
            head &+= 1
            // It was to be stopped for a request before this one: that is taken back.
            let wasMarked = machines[id.index].isMarked
            machines[id.index].isMarked = false
            var follows = isRoot || wasMarked
            switch machines[id.index].state {
            case .idle, .stopped:
                begin(id)
                follows = true
            case .failed:
                if isRoot || !services[id.index].optional {
                    begin(id)
                    follows = true
                }
            case .skipped, .ended, .backingOff:
                if isRoot { begin(id) }
            case .done:
                if isRoot && again { begin(id) }
            case .stopping:
                if isRoot || machines[id.index].reason == .stop {
                    machines[id.index].reason = .restart
                    refresh(id)
                    follows = true
                }
            case .starting, .running, .up:
                if isRoot && again {
                    machines[id.index].reason = .restart
                    refresh(id)
                    tell(id)
                }
            case .waiting:
                if isRoot { begin(id) }
            case .checking: break
            }
            guard follows else { continue }
            for edge in graph.edges[id.index] {
                switch edge.kind {
                case .requires, .wants:
                    if isSeen[edge.service.index] { continue }
                    isSeen[edge.service.index] = true
                    queue.append(edge.service)
                case .after, .before, .implicit: break
                }
            }
        }
    }

    /// Whether there is nothing to do about a request to start.
    private func isOnItsWay(_ id: ServiceID, again: Bool) -> Bool {
        switch machines[id.index].state {
        case .waiting: return !machines[id.index].hasStarted
        case .checking: return true
        case .starting, .running, .up, .done: return !again && !machines[id.index].isMarked
        case .stopping: return machines[id.index].reason == .restart
        case .idle, .skipped, .ended, .stopped, .failed, .backingOff: return false
        }
    }

    /// Starts it as at the boot, with fresh counters.
    mutating func begin(_ id: ServiceID) {
        deadlines.clear(.life(id))
        refresh(id)
        machines[id.index].isRequested = true
        enlist(id)
    }

    /// What it did before does not count any more.
    private mutating func refresh(_ id: ServiceID) {
        machines[id.index].quickDeaths = 0
        machines[id.index].failedSpawns = 0
        machines[id.index].starts.reset()
    }

    // MARK: - Stop

    /// Stops a service, after all that require it, directly or by way of others.
    private mutating func bringDown(_ root: ServiceID) {
        if root == main {
            stopMain(root)
            return
        }
        let list = withRequiring(processes(behind: root) + [root])
        var others = ServiceList()
        for id in list {
            if id == main, isInTheWay(id) {
                announce(.passedOver(root, .stop, "the main program requires it, and its end would be the container's"))
                return
            }
            if id != root && isActive(id) { others.append(id) }
        }
        guard isActive(root) || !others.first.isEmpty else {
            announce(.passedOver(root, .stop, "it is down"))
            return
        }
        announce(.requested(root, .stop, first: others))
        for id in list {
            switch machines[id.index].state {
            case .idle, .stopped, .failed: break
            case .waiting, .checking, .backingOff:
                deadlines.clear(.life(id))
                become(id, .stopped)
                announce(.stopped(id))
            case .stopping: machines[id.index].reason = .stop
            case .starting, .running, .up, .done, .skipped, .ended: break
            }
            machines[id.index].isMarked = true
        }
        release(countHolders())
    }

    /// The main program was asked to stop: the container stops, as its end would have it.
    private mutating func stopMain(_ main: ServiceID) {
        guard isActive(main) else {
            announce(.passedOver(main, .stop, "it is down"))
            return
        }
        // Where it has no process, nothing went wrong: it was asked for.
        beginStop(.requested(main), code: 0)
    }

    /// Whether something is there to be stopped.
    private func isActive(_ id: ServiceID) -> Bool {
        switch machines[id.index].state {
        case .waiting, .checking, .starting, .running, .up, .backingOff, .done: return true
        case .stopping: return machines[id.index].reason != .stop
        case .idle, .skipped, .ended, .stopped, .failed: return false
        }
    }

    /// Whether the main program runs, or will.
    private func isInTheWay(_ main: ServiceID) -> Bool {
        switch machines[main.index].state {
        case .waiting, .checking, .starting, .running, .up, .backingOff, .stopping: return true
        case .idle, .done, .skipped, .ended, .stopped, .failed: return false
        }
    }
}
