import CSystem
import System

/// The last 64 KiB of what a service said, its stdout and stderr in the order in which their lines came. Takes memory as it
/// is filled, twice as much each time, and never more than that.
final class OutputRing {
    /// How much is kept.
    static let size = 64 * 1024
    private static let smallest = 1024

    private var memory: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private var count = 0
    /// Where the next byte goes, once it is full.
    private var next = 0

    deinit { free(memory) }

    /// Adds whole lines; the oldest bytes make room for them.
    func append(_ bytes: UnsafePointer<UInt8>, _ size: Int) {
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
