import ConfigParser

/// Who waits for whom: the services as a graph without a circle, made once from the service files. It says which services
/// boot and why, and gives the core its edges in both directions. It knows nothing of processes, time or states; `--check`
/// makes it for its diagnostics alone, `--plan` prints it.

/// An arrow: a service waits for another one.
public struct Edge: Sendable {
    /// Which key it comes from. Where several keys name the same pair, the first of this list is kept.
    public enum Kind: Sendable {
        /// Waits until the other is up, and cannot start if that failed.
        case requires
        /// Starts the other, and waits until it is settled: up, done, skipped, failed or ended.
        case wants
        /// Waits until the other is settled, where both boot.
        case after
        /// The same, written in the file of the other.
        case before
        /// The main program waits for every oneshot that boots.
        case implicit
    }
    /// The one that is waited for.
    public let service: ServiceID
    /// Which key, and so how strong.
    public let kind: Kind
    /// Where it is written; nil for `implicit`.
    public let span: Span?
}

/// An arrow seen from its head: who waits for a service.
public struct Dependent: Sendable {
    /// The one that waits.
    public let service: ServiceID
    /// Whether the edge is `requires`.
    public let isRequiring: Bool
}

/// Why a service starts at boot, or that it does not.
public enum BootReason: Equatable, Sendable {
    /// The main program always starts.
    case main
    case autostart
    /// `autostart = false`, but that service requires it.
    case requiredBy(ServiceID)
    /// `autostart = false`, and nobody requires it, but that service wants it.
    case wantedBy(ServiceID)
    case notStarted

    var boots: Bool {
        switch self {
        case .main, .autostart, .requiredBy, .wantedBy: return true
        case .notStarted: return false
        }
    }
}

/// The graph of all services.
public struct Graph: Sendable {
    /// For each service, by index: what it waits for, each other service once.
    public internal(set) var edges: [[Edge]]
    /// For each service, by index: who waits for it.
    public internal(set) var dependents: [[Dependent]]
    /// For each service, by index: why it starts at boot.
    public internal(set) var reasons: [BootReason]
    /// The main program; nil where no service is of that type.
    public internal(set) var main: ServiceID?

    /// Whether a service starts at boot.
    public func boots(_ id: ServiceID) -> Bool {
        reasons.indices.contains(id.index) && reasons[id.index].boots
    }

    /// Makes the graph.
    ///
    /// - Parameters:
    ///   - services: every service; a `ServiceID` is a place in this list.
    ///   - masked: names of services that a stronger folder masks, so that a message can say so.
    ///   - diagnostics: what is wrong is added here, in the order of the services: a name in `requires` or `wants` that
    ///     no service has (`graph-missing-service`) and circles (`graph-cycle`). That there is one main program is the
    ///     reader's to check; of several the first counts here.
    /// - Returns: nil where anything was wrong.
    public static func build(
        _ services: [Service], masked: [String] = [], diagnostics: inout [Diagnostic]
    ) -> Graph? {
        var builder = GraphBuilder(services: services, masked: masked)
        builder.connect()
        builder.reportCycles()
        diagnostics += builder.diagnostics
        guard builder.diagnostics.isEmpty else { return nil }
        return builder.finish()
    }

    /// The services that boot as `--plan` shows them: those in one wave need only services of earlier waves, so that each
    /// wave could start at once when the one before it is up. In index order within a wave.
    public var waves: [[ServiceID]] {
        var missing = [Int](repeating: 0, count: edges.count)
        var waveOf = missing
        var queue: [Int] = []
        for index in edges.indices where boots(ServiceID(index: index)) {
            for edge in edges[index] where boots(edge.service) { missing[index] &+= 1 }
            if missing[index] == 0 { queue.append(index) }
        }
        var head = 0
        var count = 0
        while head < queue.count {
            let index = queue[head]
            head &+= 1
            count = max(count, waveOf[index] &+ 1)
            for dependent in dependents[index] where boots(dependent.service) {
                let other = dependent.service.index
                waveOf[other] = max(waveOf[other], waveOf[index] &+ 1)
                missing[other] &-= 1
                if missing[other] == 0 { queue.append(other) }
            }
        }
        var waves = [[ServiceID]](repeating: [], count: count)
        for index in edges.indices where boots(ServiceID(index: index)) {
            waves[waveOf[index]].append(ServiceID(index: index))
        }
        return waves
    }
}
