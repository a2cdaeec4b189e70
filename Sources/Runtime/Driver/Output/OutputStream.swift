import CSystem
import ConfigParser
import System

/// One pipe of a service's output, with what is known of it, and the cutting of its bytes into lines. Where the lines go
/// is decided once, when it is made; a line costs one look for its end and one copy for each place that it goes to.
final class OutputStream {
    /// Lines are passed on whole up to this length; a longer one goes on in the next line.
    static let longestLine = 8 * 1024
    private static let newline: UInt8 = 0x0A

    private(set) var service: Int
    let readEnd: FileDescriptor
    /// nil: its service was forgotten, or has another pipe by now; it is read until all that still have it are gone.
    var writeEnd: FileDescriptor?
    /// The container's stdout or stderr; nil: nowhere.
    let sink: ContainerOutput?
    var format: LineFormat
    /// Of the service: both of its streams have the same.
    private(set) var ring: OutputRing
    /// Where its lines go to a file, and the number of that; nil: it has none.
    var feed: LogFeed?
    let file: Int
    /// The service's stderr, where that is told apart.
    let isError: Bool
    /// When the bytes in hand were read, in milliseconds since 1970.
    private var time: Int64 = 0
    var watch: TextWatch?
    var matched = 0
    /// The beginning of a line whose end has not come yet; never longer than `longestLine`.
    private var partial = Bytes()
    /// What was read while there was no room for it; the sink takes it before anything else is read from this pipe.
    private(set) var rest = Bytes()
    /// How much of what is in the pipe was left by a process that ended. Its last line ends there.
    var leftOver = 0

    init(
        service: Int, sink: ContainerOutput?, format: LineFormat, ring: OutputRing, feed: LogFeed?, file: Int = 0,
        isError: Bool = false
    ) throws(Errno) {
        self.service = service
        self.sink = sink
        self.format = format
        self.ring = ring
        self.feed = feed
        self.isError = isError
        self.file = file
        let ends = try FileDescriptor.pipe()
        (readEnd, writeEnd) = (ends.read, ends.write)
    }

    /// All that was ever in it has been read and handed on.
    var isAtRest: Bool {
        writeEnd != nil && leftOver == 0 && rest.isEmpty && partial.isEmpty && hi_unread(readEnd.number) == 0
    }

    /// From now on it is another service's.
    func pass(to service: Int, _ format: LineFormat, _ ring: OutputRing) {
        (self.service, self.format, self.ring) = (service, format, ring)
        watch = nil
        matched = 0
    }

    /// Takes bytes that were read, or as many lines of them as there is room for.
    /// - Returns: whether it took all; else it keeps the rest until `resume`.
    func take(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        time = hi_realtime_milliseconds()
        if format.hasTime { format.set(time: time) }
        feed?.now = time
        let taken = pass(bytes, count)
        if taken == count { return true }
        rest = Bytes(UnsafeBufferPointer(start: bytes.advanced(by: taken), count: count &- taken))
        return false
    }

    /// Goes on with what there was no room for. False: there is still too little.
    func resume() -> Bool {
        if rest.isEmpty { return true }
        let bytes = rest
        rest = []
        return bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return true }
            return take(start, buffer.count)
        }
    }

    /// Ends a line that the process did not end. What waits for room ends with it.
    func endLine() {
        if !rest.isEmpty {
            if rest.last != OutputStream.newline { rest.append(OutputStream.newline) }
            return
        }
        if !partial.isEmpty { passPartial(partial.count) }
    }

    /// Hands on the whole lines among the bytes and keeps the beginning of the last. Gives how many it dealt with.
    private func pass(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var place = 0
        // The first of the whole lines that have not gone to the ring and the file yet.
        var run = 0
        while place < count {
            if let sink, sink.isFull, !sink.makesRoom() {
                keep(bytes.advanced(by: run), place &- run)
                return place
            }
            if !partial.isEmpty {
                place &+= complete(bytes.advanced(by: place), count &- place)
                run = place
                continue
            }
            let line = bytes.advanced(by: place)
            let most = min(count &- place, OutputStream.longestLine &+ 1)
            let length = hi_line_length(line, most)
            if length < most {
                sink?.append(line, length, as: format)
                place &+= length &+ 1
                continue
            }
            keep(bytes.advanced(by: run), place &- run)
            // No end in sight: the rest of what was read, or a line that is too long.
            let taken = min(most, OutputStream.longestLine)
            partial.append(contentsOf: UnsafeBufferPointer(start: line, count: taken))
            place &+= taken
            run = place
        }
        keep(bytes.advanced(by: run), place &- run)
        return count
    }

    /// Adds to the line that has begun, and passes it on if that ends it or makes it too long. Gives how many bytes it took.
    private func complete(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        let room = OutputStream.longestLine &- partial.count
        let most = min(count, room &+ 1)
        let length = hi_line_length(bytes, most)
        partial.append(contentsOf: UnsafeBufferPointer(start: bytes, count: min(length, room)))
        if length < most {
            passPartial(partial.count)
            return length &+ 1
        }
        if most <= room { return most }
        passPartial(
            partial.withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return 0 }
                return LineFormat.cut(start, buffer.count)
            })
        return room
    }

    /// Passes the first bytes of what has begun on as a line.
    private func passPartial(_ length: Int) {
        var line = Bytes(partial.prefix(length))
        partial.removeFirst(line.count)
        line.append(OutputStream.newline)
        line.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            sink?.append(start, buffer.count &- 1, as: format)
            keep(start, buffer.count)
        }
    }

    /// Whole lines for the ring and the file.
    private func keep(_ lines: UnsafePointer<UInt8>, _ count: Int) {
        if count == 0 { return }
        ring.append(lines, count, time: time, isError: isError)
        feed?.append(lines, count, to: file)
    }
}
