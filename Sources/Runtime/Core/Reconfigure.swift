import ConfigParser

/// Another configuration while the container runs: the files were read again, or an instance was made or removed. The whole
/// change is one event, so nothing ever runs under half of it.
///
/// A service has its slot for as long as it is known. What runs and does not differ is not touched, whatever became of its edges:
/// they count when it is next started. What runs and would be another process is told to stop under the definition that it was
/// started with, and started anew under the new one. What was removed stops in the reverse of its old order and is forgotten
/// when it is down, its stop command and its reload command too; then the slot is free for another. Until then its old edges
/// hold, so that it is still stopped before what it requires.
///
/// Nothing here compares services: Difference does that, and the event brings what it found.

/// Another configuration, whole.
public struct Reconfiguration: Sendable {
    /// By slot, at least as many as before; `Service.vacant` where there is none. A service that is not there any more is
    /// removed.
    public var services: [Service]
    /// Of the same list; its main program has the slot that it had.
    public var graph: Graph
    /// What init.toml says now.
    public var settings: Settings
    /// Their process would be another.
    public var restarted: [ServiceID] = []
    /// To start: new ones, or old ones that boot from now on and did not before.
    public var added: [ServiceID] = []
    /// Their `[when]` differs: looked at anew where it kept them from starting.
    public var rechecked: [ServiceID] = []
    /// They differ in anything, also those of the lists before.
    public var changed: [ServiceID] = []

    /// Nothing starts, nothing restarts.
    public init(services: [Service], graph: Graph, settings: Settings) {
        self.services = services
        self.graph = graph
        self.settings = settings
    }
}

/// What a change of its definition means to a service.
public enum ChangeEffect: Equatable, Sendable {
    /// It holds now.
    case now
    /// It is stopped, and started as what it is now.
    case restarts
    /// It did not run, and is started.
    case starts
    /// It is down, or waits; it will be started as that.
    case nextStart
    /// The main program runs on as what it is.
    case nextContainer
}

extension ChangeEffect {
    /// What is said behind "NAME: changed".
    var text: String {
        switch self {
        case .now: return ""
        case .restarts: return ", restarting it"
        case .starts: return ", starting it"
        case .nextStart: return "; that takes effect at its next start"
        case .nextContainer: return "; that takes effect when it is started again, with the container or by request"
        }
    }
}

extension Service {
    /// Stands in a slot that is free. No service has an empty name.
    static var vacant: Service {
        var service = Service(name: "")
        service.type = .group
        service.autostart = false
        return service
    }

    /// Whether it stands in a free slot.
    var isVacant: Bool { name.utf8.isEmpty }
}

extension Core {
    /// What a service is by the files, also where its process is still that of an older definition; nil for a free slot.
    public func definition(of id: ServiceID) -> Service? {
        guard machines.indices.contains(id.index), !machines[id.index].isVacant else { return nil }
        return machines[id.index].next?.service ?? services[id.index]
    }

    /// Whether a service was removed and is not down yet.
    public func isLeaving(_ id: ServiceID) -> Bool {
        machines.indices.contains(id.index) && machines[id.index].isLeaving
    }

    mutating func reconfigure(_ change: Reconfiguration) {
        guard hasBooted, case .running = phase, isSound(change) else { return }
        revision &+= 1
        settings = change.settings
        deadlines.grow(services: change.services.count)
        while machines.count < change.services.count {
            services.append(Service.vacant)
            var machine = Machine()
            machine.isVacant = true
            machines.append(machine)
        }
        var restarts = [Bool](repeating: false, count: machines.count)
        for id in change.restarted { restarts[id.index] = true }
        let (removed, isNew) = define(change, restarts)
        takeGraph(change.graph)
        for id in removed { leave(id) }
        adopt(change, restarts, isNew)
        count()
        lookAgain()
        release(countHolders())
    }

    private func isSound(_ change: Reconfiguration) -> Bool {
        let size = change.services.count
        for id in change.restarted + change.added + change.rechecked + change.changed
        where !change.services.indices.contains(id.index) { return false }
        return size >= machines.count && change.graph.edges.count == size && change.graph.dependents.count == size
            && change.graph.reasons.count == size && change.graph.main == main
    }

    /// Gives each service its new definition, or keeps it for the next start. Gives those that were removed, and for each slot
    /// whether its service was not there before, or had been removed.
    private mutating func define(_ change: Reconfiguration, _ restarts: [Bool]) -> ([ServiceID], [Bool]) {
        var removed: [ServiceID] = []
        var isNew = [Bool](repeating: false, count: machines.count)
        var isChanged = isNew
        for id in change.changed { isChanged[id.index] = true }
        for index in machines.indices {
            let id = ServiceID(index: index)
            if change.services[index].isVacant {
                if machines[index].isVacant {
                    services[index] = change.services[index]
                } else if !machines[index].isLeaving {
                    machines[index].isLeaving = true
                    machines[index].next = nil
                    removed.append(id)
                }
                continue
            }
            isNew[index] = machines[index].isLeaving || machines[index].isVacant
            machines[index].isLeaving = false
            machines[index].isVacant = false
            // A stop that has begun goes on as it began.
            var isLater = isBusy(id) && (restarts[index] || isNew[index] || machines[index].next != nil)
            if case .stopping = machines[index].state { isLater = true }
            if isLater {
                machines[index].next = NextService(change.services[index])
            } else {
                let old = services[index]
                machines[index].next = NextService(change.services[index])
                _ = takeNext(id)
                if isChanged[index] { watchAnew(id, insteadOf: old) }
            }
        }
        return (removed, isNew)
    }

    /// Something of it runs: its process, or its stop command.
    private func isBusy(_ id: ServiceID) -> Bool {
        if case .stopping = machines[id.index].state { return true }
        return machines[id.index].state.hasProcess
    }

    /// The new graph, with the old edges of those that are leaving.
    private mutating func takeGraph(_ new: Graph) {
        var new = new
        for index in machines.indices where machines[index].isLeaving {
            new.edges[index] = graph.edges[index]
            new.reasons[index] = .notStarted
            for edge in new.edges[index] {
                new.dependents[edge.service.index].append(
                    Dependent(service: ServiceID(index: index), isRequiring: edge.kind == .requires))
            }
        }
        graph = new
    }

    /// It was removed: it is told when those that are removed with it, and wait for it, are down.
    private mutating func leave(_ id: ServiceID) {
        announce(.removed(id))
        switch machines[id.index].state {
        case .waiting, .checking, .backingOff:
            deadlines.clear(.life(id))
            become(id, .stopped)
        case .stopping: machines[id.index].reason = .stop
        case .idle, .starting, .running, .up, .done, .skipped, .ended, .stopped, .failed: break
        }
        machines[id.index].isMarked = true
    }

    /// Starts and restarts what the change asks for, and what is needed for that.
    private mutating func adopt(_ change: Reconfiguration, _ restarts: [Bool], _ isNew: [Bool]) {
        var isRoot = [Bool](repeating: false, count: machines.count)
        for id in change.rechecked
        where machines[id.index].state == .skipped && !machines[id.index].isMarked {
            isRoot[id.index] = true
        }
        for id in change.restarted where startsAnew(id) { isRoot[id.index] = true }
        for id in change.added where !machines[id.index].isLeaving {
            if isNew[id.index] || machines[id.index].state == .idle { isRoot[id.index] = true }
        }
        for index in machines.indices where isNew[index] { announce(.added(ServiceID(index: index))) }
        for id in change.changed where !isNew[id.index] && !machines[id.index].isLeaving {
            announce(.changed(id, effect(of: id, restarts[id.index], isRoot[id.index])))
        }
        var roots: [ServiceID] = []
        for index in machines.indices where isRoot[index] { roots.append(ServiceID(index: index)) }
        raise(roots, needed: missing(), again: true)
    }

    /// Whether a service that would be another process is started as that now. Who was stopped by request, or is about to be,
    /// stays down; who has not started yet needs nothing; the main program is never restarted.
    private func startsAnew(_ id: ServiceID) -> Bool {
        if machines[id.index].isMarked || machines[id.index].isLeaving { return false }
        switch machines[id.index].state {
        case .starting, .running, .up: return id != main
        case .stopping: return id != main && machines[id.index].reason != .stop
        case .backingOff, .done, .skipped, .ended, .failed: return true
        case .waiting: return machines[id.index].hasStarted
        case .idle, .checking, .stopped: return false
        }
    }

    private func effect(of id: ServiceID, _ restarts: Bool, _ isRoot: Bool) -> ChangeEffect {
        if isRoot { return isBusy(id) ? .restarts : .starts }
        if !restarts { return .now }
        return id == main && isBusy(id) ? .nextContainer : .nextStart
    }

    /// What is down, or about to be, although a service that is up or on its way requires it from now on.
    private func missing() -> [ServiceID] {
        var found: [ServiceID] = []
        for index in machines.indices {
            if machines[index].isMarked || machines[index].isLeaving { continue }
            switch machines[index].state {
            case .waiting, .checking, .starting, .running, .up, .backingOff: break
            case .stopping: if machines[index].reason == .stop { continue }
            case .done: if services[index].type != .group { continue }
            case .idle, .skipped, .ended, .stopped, .failed: continue
            }
            for edge in graph.edges[index] where edge.kind == .requires {
                let other = edge.service.index
                var isMissing = machines[other].isMarked
                switch machines[other].state {
                case .idle, .stopped: isMissing = true
                case .stopping: if machines[other].reason == .stop { isMissing = true }
                case .waiting, .checking, .starting, .running, .up, .backingOff, .done, .skipped, .ended, .failed: break
                }
                if isMissing { found.append(edge.service) }
            }
        }
        return found
    }

    /// Counts what each service waits for.
    @inline(never)
    mutating func count() {
        for index in machines.indices {
            var unmet = 0
            var unsettled = 0
            for edge in graph.edges[index] {
                let other = edge.service.index
                if edge.kind == .requires {
                    if !machines[other].state.satisfies(optional: services[other].optional) { unmet &+= 1 }
                } else if machines[other].isEnlisted && !machines[other].hasSettled {
                    unsettled &+= 1
                }
            }
            machines[index].unmetRequirements = unmet
            machines[index].unsettled = unsettled
        }
    }

    /// The edges are others: who waits may have become free, or require what failed.
    private mutating func lookAgain() {
        for index in machines.indices {
            let id = ServiceID(index: index)
            switch machines[index].state {
            case .waiting, .checking: break
            case .idle, .starting, .running, .up, .backingOff, .stopping, .done, .skipped, .ended, .stopped, .failed:
                continue
            }
            if let (cause, _) = failedRequirement(of: id) { work.append(.fail(id, because: cause)) }
            work.append(.start(id))
        }
    }

    // MARK: - Slots

    /// Its process is gone, or it is started: what it is by the files, it is from now on. False where it is that already.
    mutating func takeNext(_ id: ServiceID) -> Bool {
        guard let next = machines[id.index].next?.service else { return false }
        // The starts were kept for the old limit.
        if next.restart.limit != services[id.index].restart.limit { machines[id.index].starts.reset() }
        services[id.index] = next
        machines[id.index].next = nil
        return true
    }

    /// Forgets a service that was removed, once nothing of it runs and those that it waits for know that it is down.
    mutating func forgetIfGone(_ id: ServiceID) {
        guard case .running = phase, machines[id.index].isLeaving, !machines[id.index].isMarked, !isBusy(id),
            machines[id.index].reload == .none
        else { return }
        for edge in graph.edges[id.index] {
            graph.dependents[edge.service.index].removeAll { $0.service == id }
        }
        graph.edges[id.index] = []
        graph.dependents[id.index] = []
        deadlines.clear(.life(id))
        deadlines.clear(.check(id))
        deadlines.clear(.reload(id))
        machines[id.index] = Machine()
        machines[id.index].isVacant = true
        revision &+= 1
        emit(.forget(id))
    }
}
