import CSystem
import System

/// The last 64 KiB of what a service said, its stdout and stderr in the order in which their lines came, each with its time
/// and its stream. Takes memory as it is filled, twice as much each time, and never more than that; the times take up to
/// 32 KiB besides, one entry for all the lines that were read at once. Lines are found by their place in all that was ever
/// said, so that who reads along knows where to go on, and what it has missed.
final class OutputRing {
    /// How much is kept.
    static let size = 64 * 1024
    private static let smallest = 1024

    private var memory: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private var count = 0
    /// Where the next byte goes, once it is full.
    private var next = 0
    /// How many bytes were ever added: the place of the next one.
    private(set) var end = 0

    /// From that place on: the time in milliseconds, twice, and 1 more for stderr.
    private struct Mark {
        var place: Int
        var stamp: Int64
    }
    private var marks: [Mark] = []
    private var firstMark = 0
    private static let mostMarks = 2048
    /// How many lines were added since somebody first counted them; only while `isCounting`.
    private(set) var lines = 0
    var isCounting = false

    deinit { free(memory) }

    /// Adds whole lines; the oldest bytes make room for them.
    func append(_ bytes: UnsafePointer<UInt8>, _ size: Int, time: Int64 = 0, isError: Bool = false) {
        mark(time << 1 | (isError ? 1 : 0))
        end &+= size
        if isCounting {
            for place in 0..<size where bytes[place] == 0x0A { lines &+= 1 }
        }
        let kept = min(size, OutputRing.size)
        var source = bytes.advanced(by: size &- kept)
        if count &+ kept > capacity && capacity < OutputRing.size { grow(count &+ kept) }
        guard let memory, kept <= capacity else { return }
        var left = kept
        while left > 0 {
            let piece = min(left, capacity &- next)
            memcpy(memory.advanced(by: next), source, piece)
            source = source.advanced(by: piece)
            next = next &+ piece == capacity ? 0 : next &+ piece
            left &-= piece
        }
        count = min(capacity, count &+ kept)
    }

    /// Everything that is kept, from the beginning of a line.
    var contents: Bytes {
        guard let memory else { return [] }
        var bytes = Bytes()
        bytes.reserveCapacity(count)
        let oldest = count < capacity ? 0 : next
        bytes.append(contentsOf: UnsafeBufferPointer(start: memory.advanced(by: oldest), count: count &- oldest))
        bytes.append(contentsOf: UnsafeBufferPointer(start: memory, count: oldest))
        // What stands before the first line end may have lost its beginning.
        if count == OutputRing.size, let end = bytes.firstIndex(of: 0x0A) { bytes.removeFirst(end &+ 1) }
        return bytes
    }

    // MARK: - Line by line

    private func mark(_ stamp: Int64) {
        if let last = marks.last, last.stamp == stamp { return }
        let oldest = end &- count
        while firstMark &+ 1 < marks.count, marks[firstMark &+ 1].place <= oldest { firstMark &+= 1 }
        if marks.count &- firstMark >= OutputRing.mostMarks { firstMark &+= 1 }
        // Moved down once for many, so that a mark costs the same however many there are.
        if firstMark > OutputRing.mostMarks / 2 {
            marks.removeFirst(firstMark)
            firstMark = 0
        }
        marks.append(Mark(place: end, stamp: stamp))
    }

    /// The place of the oldest line that is kept whole, with its time.
    var start: Int {
        let oldest = end &- count
        var place = oldest
        if count == OutputRing.size { place = lineEnd(from: oldest) &+ 1 }
        if marks.indices.contains(firstMark) { place = max(place, marks[firstMark].place) }
        return min(place, end)
    }

    /// A line.
    struct Line {
        var text: Bytes
        /// Where the next one begins.
        var next: Int
        /// Milliseconds since 1970.
        var time: Int64
        var isError: Bool
    }

    /// The line that begins at a place; nil where none does any more, or yet.
    func line(at place: Int) -> Line? {
        guard place >= end &- count, place < end else { return nil }
        let stop = lineEnd(from: place)
        let stamp = self.stamp(at: place)
        return Line(text: bytes(from: place, to: stop), next: stop &+ 1, time: stamp >> 1, isError: stamp & 1 == 1)
    }

    /// The time of the line at a place; 0 where none is.
    func time(at place: Int) -> Int64 { place < end ? stamp(at: place) >> 1 : 0 }

    /// The place from which so many lines are left.
    func place(ofLast wanted: Int) -> Int {
        if wanted <= 0 { return end }
        let first = start
        var left = wanted
        // The last byte is the end of the last line.
        var place = end &- 2
        while place >= first {
            if byte(at: place) == 0x0A {
                left &-= 1
                if left == 0 { return place &+ 1 }
            }
            place &-= 1
        }
        return first
    }

    /// The place of the first line that is as young as that time.
    func place(since time: Int64) -> Int {
        for place in marks.indices where place >= firstMark && marks[place].stamp >> 1 >= time {
            return max(start, marks[place].place)
        }
        return end
    }

    /// How many lines are kept from a place on.
    func countLines(from place: Int) -> Int {
        var count = 0
        var next = place
        while next < end {
            if byte(at: next) == 0x0A { count &+= 1 }
            next &+= 1
        }
        return count
    }

    private func stamp(at place: Int) -> Int64 {
        // The last mark that is not behind it.
        var low = firstMark
        var high = marks.count
        while low &+ 1 < high {
            let middle = (low &+ high) / 2
            if marks[middle].place <= place { low = middle } else { high = middle }
        }
        return marks.indices.contains(low) ? marks[low].stamp : 0
    }

    /// Where in memory a place lies.
    private func offset(of place: Int) -> Int {
        let back = end &- place
        let offset = next &- back
        return offset < 0 ? offset &+ capacity : offset
    }

    private func byte(at place: Int) -> UInt8 {
        guard let memory, capacity > 0 else { return 0 }
        return memory[offset(of: place) % capacity]
    }

    /// The place of the line end at or behind a place; the last byte where none is.
    private func lineEnd(from place: Int) -> Int {
        guard let memory, count > 0 else { return end }
        let offset = offset(of: place)
        let piece = min(end &- place, capacity &- offset)
        let length = hi_line_length(memory.advanced(by: offset), piece)
        if length < piece { return place &+ length }
        let rest = end &- place &- piece
        if rest <= 0 { return end }
        return place &+ piece &+ hi_line_length(memory, rest)
    }

    private func bytes(from place: Int, to stop: Int) -> Bytes {
        guard let memory else { return [] }
        let offset = offset(of: place)
        let size = min(stop, end) &- place
        let piece = min(size, capacity &- offset)
        var bytes = Bytes(UnsafeBufferPointer(start: memory.advanced(by: offset), count: piece))
        if size > piece { bytes.append(contentsOf: UnsafeBufferPointer(start: memory, count: size &- piece)) }
        return bytes
    }

    // MARK: - Memory

    /// Only while it has never been full: then nothing has come round yet.
    private func grow(_ wanted: Int) {
        var larger = max(OutputRing.smallest, capacity)
        while larger < wanted && larger < OutputRing.size { larger &*= 2 }
        guard let place = realloc(memory, larger) else { return }
        // It may be exactly full, with its next byte at the beginning.
        next = count
        memory = place.assumingMemoryBound(to: UInt8.self)
        capacity = larger
        if next == capacity { next = 0 }
    }
}
