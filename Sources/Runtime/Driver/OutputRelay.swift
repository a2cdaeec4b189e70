import CSystem
import ConfigParser
import System

/// The way of the services' output: one pipe for a service's stdout and one for its stderr (one for both where the container
/// has one for both), read here and written line by line behind `[name] `. A pipe outlives the process: what a service said
/// last is read after its death, and its next life goes on in the same pipe.
///
/// While the container's reader is stuck nothing is read here: the services wait in their own writes, PID 1 does not, and
/// nothing is lost. To stop and go on costs one system call however many services there are, because their pipes sit in an
/// epoll of their own which is taken out of the loop.
final class OutputRelay {
    /// Lines are passed on whole up to this length; a longer one goes on in the next line.
    static let longestLine = 8 * 1024
    /// One read. Small, because a service that writes nothing but line ends makes seventy times as much of it.
    private static let readSize = 16 * 1024
    /// What a pipe holds, unless a service has made it larger, and the most that it can make of it unprivileged.
    private static let pipeSize = 64 * 1024
    private static let largestPipe = 1024 * 1024

    private final class Stream {
        let prefix: Bytes
        let readEnd: FileDescriptor
        let writeEnd: FileDescriptor
        let sink: ContainerOutput
        /// The beginning of a line whose end has not come yet.
        var partial = Bytes()
        /// A piece of full length was passed on; a line end right behind it belongs to that piece.
        var endsAtFullLength = false
        /// The process ended and left more than was read: its last line ends when the pipe is empty.
        var endsWhenEmpty = false

        init(prefix: Bytes, sink: ContainerOutput) throws(Errno) {
            self.prefix = prefix
            self.sink = sink
            (readEnd, writeEnd) = try FileDescriptor.pipe()
        }
    }

    private let pipes: EventLoop
    private let standardOutput: ContainerOutput
    private let standardError: ContainerOutput
    private var streams: [Stream] = []
    /// By service: the places in `streams` of its stdout and stderr.
    private var byService: [Int: (output: Int, error: Int)] = [:]
    private var isPaused = false
    /// Where the next round begins among the pipes that are ready.
    private var turn = 0
    private var buffer = Bytes(repeating: 0, count: OutputRelay.readSize)

    init(standardOutput: ContainerOutput, standardError: ContainerOutput) throws(Errno) {
        self.standardOutput = standardOutput
        self.standardError = standardError
        pipes = try EventLoop()
    }

    /// Puts the relay into the loop.
    func start(_ loop: EventLoop) throws(Errno) { try loop.mustAddReader(pipes.descriptor, Token(.outputs)) }

    /// The descriptors that a process of this service gets as stdout and stderr. Made at its first start.
    func descriptors(of service: Int, name: String) throws(Errno) -> (output: FileDescriptor, error: FileDescriptor) {
        if let places = byService[service], streams.indices.contains(places.output),
            streams.indices.contains(places.error)
        {
            let ends = (streams[places.output].writeEnd, streams[places.error].writeEnd)
            // The last process may have made the pipe non-blocking, which is a property of the pipe's end itself.
            hi_make_blocking(ends.0.number, O_WRONLY)
            hi_make_blocking(ends.1.number, O_WRONLY)
            return ends
        }
        let prefix = Bytes(("[" + name + "] ").utf8)
        let output = try Stream(prefix: prefix, sink: standardOutput)
        let error = standardOutput === standardError ? output : try Stream(prefix: prefix, sink: standardError)
        let place = streams.count
        try pipes.mustAddReader(output.readEnd, Token(.output, index: place))
        if error !== output { try pipes.mustAddReader(error.readEnd, Token(.output, index: place &+ 1)) }
        streams.append(output)
        if error !== output { streams.append(error) }
        byService[service] = (place, streams.count &- 1)
        return (output.writeEnd, error.writeEnd)
    }

    /// Some pipe has something to read: one round over those that have, until a sink is full. The next round begins
    /// behind the last that was read, so that one that always has something does not keep the others waiting.
    func readReady() {
        var ready = [Int]()
        do throws(Errno) {
            try pipes.wait(timeout: 0) { ready.append($0.index) }
        } catch {
            return
        }
        let start = turn
        for step in ready.indices {
            if isFull { return }
            turn &+= 1
            let index = ready[(start &+ step) % ready.count]
            if streams.indices.contains(index) { readInTurn(streams[index]) }
        }
        turn %= EventLoop.batch
    }

    private func readInTurn(_ stream: Stream) {
        _ = readOnce(stream)
        if stream.endsWhenEmpty && hi_unread(stream.readEnd.number) == 0 { endLine(stream) }
    }

    private var isFull: Bool { standardOutput.isFull || standardError.isFull }

    /// Reads what a service's process left in its pipes when it ended, and ends its last line. What there is no room for
    /// now stays in the pipe and is read in its turn.
    func processEnded(_ service: Int) {
        guard let places = byService[service] else { return }
        finish(places.output)
        if places.error != places.output { finish(places.error) }
    }

    private func finish(_ index: Int) {
        guard streams.indices.contains(index) else { return }
        let stream = streams[index]
        // More than a pipe holds comes only from something that still writes.
        var rounds = OutputRelay.pipeSize / OutputRelay.readSize
        while rounds > 0, !isFull, readOnce(stream) { rounds &-= 1 }
        if hi_unread(stream.readEnd.number) == 0 { endLine(stream) } else { stream.endsWhenEmpty = true }
    }

    /// At the end of the container: everything that is still in a pipe, and all that waits to be written.
    /// - Parameter milliseconds: how long a reader that is stuck may hold it up.
    func finishAll(milliseconds: Int32) {
        let end = hi_monotonic_nanoseconds() &+ Int64(milliseconds) &* 1_000_000
        for stream in streams {
            var rounds = OutputRelay.largestPipe / OutputRelay.readSize
            while rounds > 0 {
                if stream.sink.isFull { stream.sink.drain(until: end) }
                if stream.sink.isFull || !readOnce(stream) { break }
                rounds &-= 1
            }
            endLine(stream)
        }
        standardOutput.drain(until: end)
        if standardError !== standardOutput { standardError.drain(until: end) }
    }

    /// Ends a line that the process did not end.
    private func endLine(_ stream: Stream) {
        stream.endsWhenEmpty = false
        stream.endsAtFullLength = false
        if !stream.partial.isEmpty { line(stream, emptyPiece) }
    }

    /// Writes what was read, and stops or takes up the reading.
    func flush(_ loop: EventLoop) {
        standardOutput.flush(loop)
        if standardError !== standardOutput { standardError.flush(loop) }
        if isFull && !isPaused {
            loop.remove(pipes.descriptor.number)
            isPaused = true
        } else if !isFull && isPaused {
            isPaused = !loop.addReader(pipes.descriptor, Token(.outputs))
        }
    }

    /// One read of one pipe. False where nothing was there.
    private func readOnce(_ stream: Stream) -> Bool {
        var count = 0
        buffer.withUnsafeMutableBytes { bytes in
            do throws(Errno) {
                count = try stream.readEnd.read(into: bytes)
            } catch {
                count = 0
            }
        }
        if count == 0 { return false }
        buffer.withUnsafeBytes { bytes in
            pass(UnsafeRawBufferPointer(rebasing: bytes[..<count]), of: stream)
        }
        return true
    }

    private static let newline: UInt8 = 0x0A
    private let emptyPiece = UnsafeRawBufferPointer(start: nil, count: 0)[...]

    /// Hands on the whole lines among the bytes and keeps the rest.
    private func pass(_ bytes: UnsafeRawBufferPointer, of stream: Stream) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if stream.endsAtFullLength {
                stream.endsAtFullLength = false
                if rest.first == OutputRelay.newline {
                    rest = rest.dropFirst()
                    continue
                }
            }
            let room = OutputRelay.longestLine &- stream.partial.count
            let piece = rest.prefix(room)
            guard let end = piece.firstIndex(of: OutputRelay.newline) else {
                if piece.count < room {
                    stream.partial.append(contentsOf: piece)
                    return
                }
                line(stream, piece)
                stream.endsAtFullLength = true
                rest = rest.dropFirst(piece.count)
                continue
            }
            line(stream, rest[rest.startIndex..<end])
            rest = rest[(end &+ 1)...]
        }
    }

    private func line(_ stream: Stream, _ bytes: Slice<UnsafeRawBufferPointer>) {
        stream.sink.append(stream.prefix)
        if !stream.partial.isEmpty {
            stream.sink.append(stream.partial)
            stream.partial.removeAll(keepingCapacity: false)
        }
        stream.sink.append(bytes)
        stream.sink.append(CollectionOfOne(OutputRelay.newline))
    }
}
