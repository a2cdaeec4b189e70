import CSystem
import System

/// Bytes that wait to be written: added at the end, taken from the beginning. Its memory is its own, so that a line costs a
/// copy and not an array; it grows from nothing and goes back when a large queue is empty. It knows no bound: whoever adds to
/// it looks at `count` before.
final class ByteQueue {
    private var memory: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private var head = 0
    private var end = 0

    private static let smallest = 4096
    /// Memory above this is given back when nothing waits.
    private static let keptWhenEmpty = 256 * 1024

    deinit { free(memory) }

    /// How many bytes wait.
    var count: Int { end &- head }
    /// The first of them; nil where there was never one.
    var first: UnsafeMutablePointer<UInt8>? { memory?.advanced(by: head) }

    /// A place for `size` bytes behind the last one, to be filled and then counted with `commit`. nil: out of memory.
    @inline(__always)
    func room(_ size: Int) -> UnsafeMutablePointer<UInt8>? {
        if capacity &- end < size && !grow(size) { return nil }
        return memory?.advanced(by: end)
    }

    /// So many bytes of the last `room` are filled.
    @inline(__always)
    func commit(_ size: Int) { end &+= size }

    /// Adds bytes at the end.
    func append(_ bytes: UnsafePointer<UInt8>?, _ size: Int) {
        guard let bytes, size > 0, let place = room(size) else { return }
        memcpy(place, bytes, size)
        commit(size)
    }

    /// Takes bytes from the beginning.
    func drop(_ size: Int) {
        head &+= min(size, count)
        if head < end { return }
        head = 0
        end = 0
        if capacity > ByteQueue.keptWhenEmpty {
            free(memory)
            memory = nil
            capacity = 0
        }
    }

    @inline(never)
    private func grow(_ size: Int) -> Bool {
        let waiting = count
        if head > 0, let memory {
            memmove(memory, memory.advanced(by: head), waiting)
            head = 0
            end = waiting
            if capacity &- end >= size { return true }
        }
        let wanted = max(ByteQueue.smallest, 2 &* capacity, waiting &+ size)
        var larger = realloc(memory, wanted)
        while larger == nil {
            // What is added here is somebody's output: later is better than never.
            hi_wait_for_memory()
            larger = realloc(memory, wanted)
        }
        guard let larger else { return false }
        memory = larger.assumingMemoryBound(to: UInt8.self)
        capacity = wanted
        return true
    }
}

extension ByteQueue {
    /// Adds the bytes of an array.
    func append(_ bytes: Bytes) { bytes.withUnsafeBufferPointer { append($0.baseAddress, $0.count) } }
}
