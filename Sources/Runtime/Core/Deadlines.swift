import ConfigParser

/// The moments at which the core wants to be woken: at most one for each service and a few for the container. A binary
/// heap that knows where each entry lies, so that setting and taking back cost O(log n), the nearest is read at once, and
/// the memory is bounded by the number of services whatever happens.

struct Deadlines: Sendable {
    /// What a moment is for.
    enum Purpose: Equatable, Sendable {
        case service(ServiceID)
        /// The ceiling of the whole stop.
        case ceiling
        /// Those that were not told yet are told now.
        case lastCall
        /// What is left was sent a signal; the next step is due.
        case stragglers
    }

    private var heap: [(moment: Instant, slot: Int)] = []
    /// For each slot: its place in the heap, or -1.
    private var places: [Int]
    private let services: Int

    init(services: Int) {
        self.services = services
        places = [Int](repeating: -1, count: services &+ 3)
    }

    /// The nearest moment.
    var nearest: Instant? { heap.first?.moment }

    /// Sets the moment for a purpose; a former one is forgotten.
    mutating func set(_ purpose: Purpose, _ moment: Instant) {
        let slot = slot(of: purpose)
        guard places.indices.contains(slot) else { return }
        let place = places[slot]
        if place >= 0 {
            heap[place].moment = moment
            down(up(place))
        } else {
            heap.append((moment, slot))
            places[slot] = heap.count &- 1
            _ = up(heap.count &- 1)
        }
    }

    /// Forgets the moment for a purpose, where there is one.
    mutating func clear(_ purpose: Purpose) {
        let slot = slot(of: purpose)
        guard places.indices.contains(slot), places[slot] >= 0 else { return }
        remove(at: places[slot])
    }

    /// Takes out the nearest moment, where it has come.
    mutating func popDue(_ now: Instant) -> Purpose? {
        guard let first = heap.first, first.moment <= now else { return nil }
        remove(at: 0)
        switch first.slot &- services {
        case 0: return .ceiling
        case 1: return .lastCall
        case 2: return .stragglers
        default: return .service(ServiceID(index: first.slot))
        }
    }

    private func slot(of purpose: Purpose) -> Int {
        switch purpose {
        case .service(let id): return id.index < services ? id.index : -1
        case .ceiling: return services
        case .lastCall: return services &+ 1
        case .stragglers: return services &+ 2
        }
    }

    /// Equal moments come out in the order of their slots: the same run gives the same order.
    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        heap[left].moment == heap[right].moment
            ? heap[left].slot < heap[right].slot : heap[left].moment < heap[right].moment
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        places[heap[left].slot] = left
        places[heap[right].slot] = right
    }

    private mutating func remove(at place: Int) {
        let last = heap.count &- 1
        if place != last { swap(place, last) }
        places[heap[last].slot] = -1
        heap.removeLast()
        if place < heap.count { down(up(place)) }
    }

    private mutating func up(_ start: Int) -> Int {
        var place = start
        while place > 0 {
            let parent = (place &- 1) / 2
            guard isBefore(place, parent) else { break }
            swap(place, parent)
            place = parent
        }
        return place
    }

    private mutating func down(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [place &* 2 &+ 1, place &* 2 &+ 2] where child < heap.count && isBefore(child, least) {
                least = child
            }
            guard least != place else { return }
            swap(place, least)
            place = least
        }
    }
}
