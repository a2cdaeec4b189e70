import ConfigParser

/// The moments at which the core wants to be woken: three at most for each service and a few for the container. A binary
/// heap that knows where each entry lies, so that setting and taking back cost O(log n), the nearest is read at once, and
/// the memory is bounded by the number of services whatever happens.

struct Deadlines: Sendable {
    /// What a moment is for.
    enum Purpose: Equatable, Sendable {
        /// Its next start, the patience with its start or its stop, or the word about a oneshot that takes long.
        case life(ServiceID)
        /// Its next probe, the patience with the one that is under way, or its watchdog.
        case check(ServiceID)
        /// The patience with its reload command.
        case reload(ServiceID)
        /// The ceiling of the whole stop.
        case ceiling
        /// Those that were not told yet are told now.
        case lastCall
        /// What is left was sent a signal; the next step is due.
        case stragglers
    }

    private var heap: [(moment: Instant, slot: Int)] = []
    /// For each slot: its place in the heap, or -1. The first three are the container's, then each service has three.
    private var places: [Int]

    init(services: Int) {
        places = [Int](repeating: -1, count: services &* 3 &+ 3)
    }

    /// Makes room for further services.
    mutating func grow(services: Int) {
        while places.count < services &* 3 &+ 3 { places.append(-1) }
    }

    /// The nearest moment.
    var nearest: Instant? { heap.first?.moment }

    /// The moment for a purpose; nil: there is none.
    func moment(of purpose: Purpose) -> Instant? {
        let slot = slot(of: purpose)
        guard places.indices.contains(slot), places[slot] >= 0 else { return nil }
        return heap[places[slot]].moment
    }

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
        switch first.slot {
        case 0: return .ceiling
        case 1: return .lastCall
        case 2: return .stragglers
        default: break
        }
        let id = ServiceID(index: first.slot / 3 &- 1)
        switch first.slot % 3 {
        case 0: return .life(id)
        case 1: return .check(id)
        default: return .reload(id)
        }
    }

    private func slot(of purpose: Purpose) -> Int {
        switch purpose {
        case .life(let id): return slot(id, row: 0)
        case .check(let id): return slot(id, row: 1)
        case .reload(let id): return slot(id, row: 2)
        case .ceiling: return 0
        case .lastCall: return 1
        case .stragglers: return 2
        }
    }

    private func slot(_ id: ServiceID, row: Int) -> Int {
        id.index >= 0 && id.index < places.count / 3 &- 1 ? id.index &* 3 &+ 3 &+ row : -1
    }

    /// Equal moments come out in an order of their own, however they came in: the same run gives the same order. Those of
    /// the services' lives come first, those of the container last.
    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        let (one, other) = (heap[left], heap[right])
        if one.moment != other.moment { return one.moment < other.moment }
        let (row, otherRow) = (Deadlines.row(one.slot), Deadlines.row(other.slot))
        return row == otherRow ? one.slot < other.slot : row < otherRow
    }

    private static func row(_ slot: Int) -> Int { slot < 3 ? 3 : slot % 3 }

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
