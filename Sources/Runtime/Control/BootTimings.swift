import ConfigParser

/// How the boot went: when each service was asked for, started and up, and which one it waited for last. Kept for the
/// boot only, one entry for each service that boots, so that its size does not grow with uptime.

/// The record.
public struct BootTimings: Sendable {
    /// Of one service; moments in milliseconds since the boot began.
    public struct Entry: Equatable, Sendable {
        /// The name of the service.
        public var name = ""
        /// When it was first asked for, and when its process was; nil: not yet, or never.
        public var asked: Int64?
        /// See `asked`.
        public var started: Int64?
        /// When it was up, or done.
        public var up: Int64?
        /// When those that wait for it need not wait any longer; also where it failed or was skipped.
        public var settled: Int64?
        /// The one that was settled last of those that it waited for, when it was started.
        public var waitedFor: Int?
        /// Which of those that were settled it was; two may be within one millisecond.
        var order = 0
        /// Not yet seen.
        public init() {}
    }

    /// By the place of the service at boot.
    public private(set) var entries: [Entry] = []
    /// How many of those that boot are not settled.
    public private(set) var left = 0
    /// When all were, in milliseconds since the boot began.
    public private(set) var done: Int64?
    private var start = Instant(nanoseconds: 0)

    /// Before the boot.
    public init() {}

    /// The boot begins.
    public mutating func begin(_ services: [Service], _ graph: Graph, at now: Instant) {
        start = now
        entries = []
        left = 0
        for (index, service) in services.enumerated() {
            var entry = Entry()
            if graph.boots(ServiceID(index: index)) {
                entry.name = service.name
                left &+= 1
            }
            entries.append(entry)
        }
        if left == 0 { done = 0 }
    }

    /// A service came into a state.
    public mutating func note(_ id: ServiceID, _ state: ServiceState, at now: Instant, edges: [Edge]) {
        guard done == nil, entries.indices.contains(id.index), !entries[id.index].name.isEmpty else { return }
        let time = milliseconds(now)
        var entry = entries[id.index]
        if entry.asked == nil { entry.asked = time }
        var isUp = false
        switch state {
        case .starting:
            if entry.started == nil {
                entry.started = time
                entry.waitedFor = last(edges, before: time)
            }
        case .up, .done: isUp = true
        case .idle, .waiting, .checking, .running, .backingOff, .stopping, .skipped, .ended, .stopped, .failed: break
        }
        if isUp && entry.up == nil {
            entry.up = time
            // A group has no process.
            if entry.started == nil {
                entry.started = time
                entry.waitedFor = last(edges, before: time)
            }
        }
        if state.isSettled && entry.settled == nil {
            entry.settled = time
            left &-= 1
            entry.order = entries.count &- left
            if left == 0 { done = time }
        }
        entries[id.index] = entry
    }

    private func last(_ edges: [Edge], before time: Int64) -> Int? {
        var found: Int?
        var latest = 0
        for edge in edges where entries.indices.contains(edge.service.index) {
            let other = entries[edge.service.index]
            if let settled = other.settled, other.order > latest, settled <= time {
                latest = other.order
                found = edge.service.index
            }
        }
        return found
    }

    /// In milliseconds since the boot began.
    public func milliseconds(_ now: Instant) -> Int64 { (now.nanoseconds &- start.nanoseconds) / 1_000_000 }

    /// When the last of all was up, in milliseconds.
    public var total: Int64 {
        var latest: Int64 = 0
        for entry in entries { latest = max(latest, entry.up ?? 0) }
        return latest
    }

    /// The chain that decided how long it took: the last to be up, what it waited for, and so on; the first of them
    /// first.
    public var critical: [String] {
        var next: Int?
        for (index, entry) in entries.enumerated() {
            if entry.up == nil { continue }
            if let known = next, entries[known].order >= entry.order { continue }
            next = index
        }
        var chain = [String]()
        while let place = next, entries.indices.contains(place), chain.count <= entries.count {
            chain.insert(entries[place].name, at: 0)
            next = entries[place].waitedFor
        }
        return chain
    }
}
