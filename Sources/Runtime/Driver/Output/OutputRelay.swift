import CSystem
import ConfigParser
import System

/// The way of the services' output: one pipe for a service's stdout and one for its stderr (one for both where nothing tells
/// them apart), read here, cut into lines, and handed on: to the container's stdout and stderr as `[log] to` says, to the
/// service's ring, and to the writer of its file. A pipe outlives the process: what a service said last is read after its
/// death, and its next life goes on in the same pipe. What a service that was forgotten left running may still have it: then
/// it is read, under the old name, until nobody has it any more.
///
/// While the reader of the container's stdout is stuck, the pipes whose lines go there are not read: those services wait in
/// their own writes, PID 1 does not, the others go on, and nothing is lost. The same holds for stderr and for the writer of
/// log files. To stop and go on costs one system call however many services there are, because the pipes that wait for
/// the same things sit in an epoll of their own, which is taken out of the loop.
final class OutputRelay {
    /// One read, and what a pipe holds unless a service has made it larger.
    private static let readSize = 64 * 1024
    /// The most that a service can make of a pipe unprivileged.
    private static let largestPipe = 1024 * 1024

    /// Pipes that wait for the same things.
    private struct Group {
        let pipes: EventLoop
        var isPaused = false
        /// Where the next round begins among the pipes that are ready.
        var turn = 0
    }

    private struct Streams {
        var output: Int
        var error: Int
        var ring: OutputRing
        /// What they were made for.
        var to: LogTarget
        /// The number of its log file; nil: it has none.
        var file: Int?
    }

    private let sinks: [ContainerOutput]
    private let loop: EventLoop
    private let feed = LogFeed()
    /// By where the lines go: nowhere, stdout, stderr; then the same three with a file.
    private var groups: [Group?] = [nil, nil, nil, nil, nil, nil]
    /// The places of those that are over are given to others.
    private var streams: [OutputStream?] = []
    private var freePlaces: [Int] = []
    private var byService: [Int: Streams] = [:]
    /// For each sink: the stream that holds lines for which there was no room. Only one can, since nothing is read for a
    /// full sink.
    private var stuck: [Int?] = [nil, nil]
    private var found: [Int] = []
    /// The oneshot that ended last: its pipes are the next one's, where nobody else can have them.
    private var ended: Int?
    /// The number of the next log file; no two have the same.
    private var nextFile = 1
    private var buffer: UnsafeMutablePointer<UInt8>?

    init(standardOutput: ContainerOutput, standardError: ContainerOutput, loop: EventLoop) {
        sinks = [standardOutput, standardError]
        self.loop = loop
    }

    deinit { free(buffer) }

    // MARK: - For the driver

    /// The descriptors that a process of this service gets as stdout and stderr. Made at its first start.
    /// - Parameters:
    ///   - name: of the service.
    ///   - to: where its lines go; `inherit` counts as `prefix`.
    ///   - file: the log file that they go to as well.
    ///   - isAlone: there is no process but the init's own that could have any pipe.
    func descriptors(
        of service: Int, name: String, to: LogTarget = .prefix, file: LogFileRequest? = nil, isAlone: Bool = false
    ) throws(Errno) -> (output: FileDescriptor, error: FileDescriptor) {
        if let known = byService[service], known.to != to || (known.file != nil) != (file != nil) {
            let number = file == nil ? nil : known.file
            byService[service] = Streams(output: -1, error: -1, ring: known.ring, to: to, file: number)
            leave(known)
        }
        var number = byService[service]?.file
        if let file {
            let chosen = number ?? nextFile
            if number == nil { nextFile = (nextFile &+ 1) & 0xFFFF_FFFF }
            number = chosen
            try feed.open(file, as: chosen, loop)
        }
        if isAlone && file == nil && byService[service].map({ $0.output < 0 }) ?? true { takeOver(service, name, to) }
        if let known = byService[service], let output = stream(known.output)?.writeEnd,
            let error = stream(known.error)?.writeEnd
        {
            // The last process may have made the pipe non-blocking, which is a property of the pipe's end itself.
            hi_make_blocking(output.number, O_WRONLY)
            hi_make_blocking(error.number, O_WRONLY)
            return (output, error)
        }
        let ring = ring(for: service)
        // One pipe keeps the order of what is said in both; two are needed where they are told apart.
        let isOne = to == .null || to != .json && sinks[0] === sinks[1]
        let output = try add(service, name, to, 0, ring, file: number)
        var error = output
        do throws(Errno) {
            if !isOne { error = try add(service, name, to, 1, ring, file: number) }
        } catch let failure {
            // Another try makes both.
            drop(output)
            throw failure
        }
        byService[service] = Streams(output: output, error: error, ring: ring, to: to, file: number)
        guard let one = stream(output)?.writeEnd, let other = stream(error)?.writeEnd else { throw Errno(EBADF) }
        return (one, other)
    }

    private func ring(for service: Int) -> OutputRing {
        if let known = byService[service]?.ring { return known }
        ringsMade &+= 1
        return OutputRing()
    }

    /// A oneshot ended that will hardly have another process soon. Its pipes may go to the next service.
    func mayHandOn(_ service: Int) { ended = service }

    /// Gives a service the pipes of the oneshot that ended last, where it can: a chain of oneshots then needs one pair of
    /// pipes, which nobody has to make, and no child has to close those of all that came before it.
    private func takeOver(_ service: Int, _ name: String, _ to: LogTarget) {
        guard let former = ended, former != service, let known = byService[former], known.to == to, known.file == nil,
            let output = stream(known.output), let error = stream(known.error), output.isAtRest, error.isAtRest
        else { return }
        ended = nil
        byService[former] = Streams(output: -1, error: -1, ring: known.ring, to: to, file: nil)
        let ring = ring(for: service)
        byService[service] = Streams(output: known.output, error: known.error, ring: ring, to: to, file: nil)
        output.pass(to: service, OutputRelay.format(name, to, 0), ring)
        if error !== output { error.pass(to: service, OutputRelay.format(name, to, 1), ring) }
    }

    private static func format(_ name: String, _ to: LogTarget, _ side: Int) -> LineFormat {
        to == .json
            ? LineFormat(json: name, stream: side == 0 ? "stdout" : "stderr")
            : to == .raw ? LineFormat() : LineFormat(prefix: name)
    }

    private func stream(_ place: Int) -> OutputStream? { streams.indices.contains(place) ? streams[place] : nil }

    /// Makes a pipe and gives its place.
    private func add(
        _ service: Int, _ name: String, _ to: LogTarget, _ side: Int, _ ring: OutputRing, file: Int?
    ) throws(Errno) -> Int {
        let stream = try OutputStream(
            service: service, sink: to == .null ? nil : sinks[side], format: OutputRelay.format(name, to, side),
            ring: ring,
            feed: file == nil ? nil : feed, file: file ?? 0, isError: side == 1)
        let group = OutputRelay.group(side: to == .null ? 0 : side &+ 1, hasFile: file != nil)
        if groups[group] == nil {
            let pipes = try EventLoop()
            try loop.mustAddReader(pipes.descriptor, Token(.outputs, index: group))
            groups[group] = Group(pipes: pipes)
        }
        let place = freePlaces.last ?? streams.count
        try groups[group]?.pipes.mustAddReader(stream.readEnd, Token(.output, index: place))
        if freePlaces.popLast() == nil { streams.append(stream) } else { streams[place] = stream }
        return place
    }

    /// A service was forgotten, and its number may be given to another.
    func forget(_ service: Int) {
        if ended == service { ended = nil }
        guard let known = byService.removeValue(forKey: service) else { return }
        leave(known)
    }

    /// No further process gets these pipes. Each is read until nobody else has it either, which is now, mostly.
    private func leave(_ known: Streams) {
        for place in [known.output, known.error] {
            guard let stream = stream(place), stream.writeEnd != nil else { continue }
            stream.writeEnd = nil
            stream.watch = nil
            while !isFull(stream), readOnce(place) {}
        }
    }

    /// Nobody has a pipe any more, and all that was in it was read.
    private func drop(_ place: Int) {
        guard let stream = stream(place) else { return }
        stream.endLine()
        for group in groups { group?.pipes.remove(stream.readEnd.number) }
        streams[place] = nil
        freePlaces.append(place)
        guard stream.feed != nil else { return }
        for other in streams { if let other, other.feed != nil, other.file == stream.file { return } }
        for (_, known) in byService where known.file == stream.file { return }
        feed.close(stream.file)
    }

    private static func group(side: Int, hasFile: Bool) -> Int { side &+ (hasFile ? 3 : 0) }

    /// The last 64 KiB of what a service said, from the beginning of a line; empty where nothing is known of it.
    func recent(_ service: Int) -> Bytes { byService[service]?.ring.contents ?? [] }

    /// The same, line by line; nil where nothing is kept of it.
    func ring(_ service: Int) -> OutputRing? { byService[service]?.ring }

    /// How many services have had one: who reads all of them looks again when it has grown.
    private(set) var ringsMade = 0

    /// Looks for a text in what the service says from now on, until it is found; within one line. To be called for each
    /// process, once `descriptors` has been and before anything is read: what the last one left in the pipe does not count.
    func watch(service: Int, text: Bytes) {
        let watch = TextWatch(text)
        forEachStream(service) { stream in
            stream.watch = watch
            stream.matched = 0
        }
    }

    /// The services whose text was found since the last call.
    func takeFound() -> [Int] {
        if found.isEmpty { return [] }
        defer { found = [] }
        return found
    }

    /// How many pipes there are.
    var pipes: Int { streams.count &- freePlaces.count }

    /// What the writer of log files has to say, for the log.
    func takeMessages() -> [String] { feed.takeMessages() }

    /// The process that writes log files; 0 where there is none.
    var writer: Int32 { feed.writer }

    /// What the loop says of the writer of log files.
    /// - Parameter quietly: everything is being killed, so that its end is no news.
    func writerReady(_ kind: Token.Kind, quietly: Bool) {
        if kind == .logWriter { feed.reportReady(loop, quietly: quietly) }
        if kind == .logTimer { feed.timerReady(loop) }
    }

    // MARK: - Reading

    /// Some pipe of a group has something to read: one round over those that have, until there is no room for more. The
    /// next round begins behind the last that was read, so that one that always has something does not keep the others
    /// waiting.
    func readReady(_ group: Int) {
        guard groups.indices.contains(group), let pipes = groups[group]?.pipes else { return }
        var ready = [Int]()
        do throws(Errno) {
            try pipes.wait(timeout: 0) { ready.append($0.index) }
        } catch {
            return
        }
        let start = groups[group]?.turn ?? 0
        var done = 0
        while done < ready.count && !isFull(group) {
            let index = ready[(start &+ done) % ready.count]
            _ = readOnce(index)
            done &+= 1
        }
        groups[group]?.turn = (start &+ done) % EventLoop.batch
    }

    private func isFull(_ group: Int) -> Bool {
        let side = group % 3
        if side > 0 && (sinks[side &- 1].isFull || stuck[side &- 1] != nil) { return true }
        return group >= 3 && feed.isFull
    }

    private func isFull(_ stream: OutputStream) -> Bool {
        if let sink = stream.sink, sink.isFull || !stream.rest.isEmpty || stuck[side(sink)] != nil { return true }
        return stream.feed?.isFull ?? false
    }

    private func side(_ sink: ContainerOutput) -> Int { sink === sinks[0] ? 0 : 1 }

    /// One read of one pipe. False where nothing was there.
    private func readOnce(_ index: Int) -> Bool {
        guard let stream = stream(index) else { return false }
        if buffer == nil { buffer = malloc(OutputRelay.readSize)?.assumingMemoryBound(to: UInt8.self) }
        guard let buffer else {
            hi_stumble()
            return false
        }
        // What was left by a process that ended is read by itself, so that its last line ends with it.
        let most = stream.leftOver > 0 ? min(stream.leftOver, OutputRelay.readSize) : OutputRelay.readSize
        let count = CSystem.read(stream.readEnd.number, buffer, most)
        if count == 0 && stream.writeEnd == nil { drop(index) }
        if count < 0 && Errno.current != .again { hi_stumble() }
        if count <= 0 { return false }
        if stream.watch != nil && stream.leftOver == 0 {
            look(stream, UnsafeBufferPointer(start: buffer, count: count))
        }
        if !stream.take(buffer, count), let sink = stream.sink { stuck[side(sink)] = index }
        if stream.leftOver > 0 {
            stream.leftOver &-= count
            if stream.leftOver == 0 { stream.endLine() }
        }
        return true
    }

    private func look(_ stream: OutputStream, _ bytes: UnsafeBufferPointer<UInt8>) {
        guard let watch = stream.watch, watch.find(bytes, matched: &stream.matched) else { return }
        found.append(stream.service)
        forEachStream(stream.service) { $0.watch = nil }
    }

    private func forEachStream(_ service: Int, _ body: (OutputStream) -> Void) {
        guard let known = byService[service] else { return }
        if let stream = stream(known.output) { body(stream) }
        if known.error != known.output, let stream = stream(known.error) { body(stream) }
    }

    /// Reads what a service's process left in its pipes when it ended, and ends its last line. What there is no room for
    /// now stays in the pipe and is read in its turn.
    func processEnded(_ service: Int) {
        guard let known = byService[service] else { return }
        for index in known.output == known.error ? [known.output] : [known.output, known.error] {
            guard let stream = stream(index) else { continue }
            // What comes later is from something that still writes.
            stream.leftOver = Int(hi_unread(stream.readEnd.number))
            if stream.leftOver == 0 { stream.endLine() }
            while stream.leftOver > 0, !isFull(stream), readOnce(index) {}
        }
    }

    // MARK: - Writing

    /// Writes what was read, and stops or takes up the reading.
    func flush() {
        for (side, sink) in sinks.enumerated() where side == 0 || sink !== sinks[0] {
            sink.flush(loop)
            while let index = stuck[side], !sink.isFull {
                stuck[side] = nil
                if let stream = stream(index), !stream.resume() { stuck[side] = index }
                sink.flush(loop)
            }
        }
        feed.flush(loop)
        for index in groups.indices {
            guard let group = groups[index], group.isPaused != isFull(index) else { continue }
            if group.isPaused {
                groups[index]?.isPaused = !loop.addReader(group.pipes.descriptor, Token(.outputs, index: index))
            } else {
                loop.remove(group.pipes.descriptor.number)
                groups[index]?.isPaused = true
            }
        }
    }

    /// Asked of all at once: at the end there is mostly nothing in any of them.
    private var pipesAreEmpty: Bool {
        for group in groups {
            guard let group else { continue }
            var isEmpty = true
            do throws(Errno) { try group.pipes.wait(timeout: 0) { _ in isEmpty = false } } catch { isEmpty = false }
            if !isEmpty { return false }
        }
        return true
    }

    /// At the end of the container: everything that is still in a pipe, and all that waits to be written.
    /// - Parameter milliseconds: how long a reader that is stuck, or a disk, may hold it up.
    func finishAll(milliseconds: Int32) {
        let end = hi_monotonic_nanoseconds() &+ Int64(milliseconds) &* 1_000_000
        let isEmpty = pipesAreEmpty
        for index in streams.indices {
            guard let stream = stream(index) else { continue }
            var rounds = OutputRelay.largestPipe / OutputRelay.readSize
            while rounds > 0 {
                stuck = [nil, nil]
                if let sink = stream.sink, sink.isFull { sink.drain(until: end) }
                if let feed = stream.feed, feed.isFull { feed.drain(loop, until: end) }
                if stream.sink?.isFull == true || stream.feed?.isFull == true { break }
                if stream.rest.isEmpty {
                    if isEmpty || !readOnce(index) { break }
                } else {
                    _ = stream.resume()
                }
                rounds &-= 1
            }
            stream.endLine()
        }
        sinks[0].drain(until: end)
        if sinks[1] !== sinks[0] { sinks[1].drain(until: end) }
        feed.finish(loop, until: end)
    }
}
