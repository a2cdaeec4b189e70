import CSystem
import ConfigParser
import System

/// The init's side of log files. A write to a disk can take for ever, so the init never makes one: it hands the lines to a
/// process of its own, the log writer, through a socket that never makes the init wait. While the socket is full the services
/// that log to files wait. The init holds both ends: if the writer is killed, what lies in the socket is there for the next.
final class LogFeed {
    /// Above this many waiting bytes the pipes of services that log to files are left unread.
    private static let highWater = 64 * 1024
    /// A writer that ends again so soon is not started at once, in nanoseconds.
    private static let pause: Int64 = 1_000_000_000

    /// When the lines that are added now came: milliseconds since 1970.
    var now: Int64 = 0
    private let queue = ByteQueue()
    private var sockets: (sender: FileDescriptor, receiver: FileDescriptor)?
    /// What the writer says, and by its end, that it has ended.
    private var reports: FileDescriptor?
    private var process: Int32 = 0
    /// Ended, but not reaped yet: its end of the pipe is closed a little before. On a busy machine there may be two.
    private var dying: [Int32] = []
    private var started: Int64 = 0
    /// Rings when a writer is to be started again.
    private var timer: FileDescriptor?
    private var isWaiting = false
    private var files: [Int: LogFileRequest] = [:]

    /// For the log: what the writer said, and what is to be said of it.
    private(set) var messages: [String] = []
    private var unfinished = Bytes()

    /// The process of the writer; 0 where there is none.
    var writer: Int32 { process }
    /// Services have to wait until the writer has caught up.
    var isFull: Bool { queue.count > LogFeed.highWater }

    /// Sees to it that there is a writer, and that it knows of that file.
    /// - Parameter file: its number, by which lines are added to it.
    /// - Throws: what kept it from being started (clone(2), socketpair(2)).
    func open(_ request: LogFileRequest, as file: Int, _ loop: EventLoop) throws(Errno) {
        if sockets == nil { try prepare(loop) }
        if files[file] != request {
            files[file] = request
            // A writer that starts now knows it already.
            if process > 0 {
                let body = request.bytes
                LogFrame(.open, file: file, count: body.count).write(to: queue)
                queue.append(body)
            }
        }
        if process == 0 && started == 0 { try start(loop) }
    }

    /// Nothing is added to a file any more.
    func close(_ file: Int) {
        guard files.removeValue(forKey: file) != nil, process > 0 else { return }
        LogFrame(.close, file: file).write(to: queue)
    }

    private func prepare(_ loop: EventLoop) throws(Errno) {
        var sender: Int32 = -1
        var receiver: Int32 = -1
        if hi_message_pair(&sender, &receiver) < 0 { throw Errno.current }
        let pair = (FileDescriptor(owning: sender), FileDescriptor(owning: receiver))
        let number = timerfd_create(CLOCK_MONOTONIC, O_CLOEXEC | O_NONBLOCK)
        if number < 0 { throw Errno.current }
        let clock = FileDescriptor(owning: number)
        try loop.mustAddReader(clock, Token(.logTimer))
        (sockets, timer) = (pair, clock)
    }

    private func start(_ loop: EventLoop) throws(Errno) {
        guard let sockets else { return }
        let (readEnd, writeEnd) = try FileDescriptor.boundedPipe()
        try loop.mustAddReader(readEnd, Token(.logWriter))
        let child = hi_fork_writer(sockets.receiver.number, writeEnd.number)
        if child < 0 { throw Errno.current }
        if child == 0 {
            // A copy of the init: nothing of the loop is touched, and it ends here.
            LogWriter(receiver: sockets.receiver, reports: writeEnd, files: files).run()
            hi_exit(0)
        }
        (process, reports, started) = (child, readEnd, hi_monotonic_nanoseconds())
        withExtendedLifetime(writeEnd) {}
    }

    /// Queues whole lines for a file. The caller stops reading while `isFull`, which bounds the queue.
    func append(_ lines: UnsafePointer<UInt8>, _ count: Int, to file: Int) {
        LogFrame(.lines, file: file, time: now, count: count).write(to: queue)
        queue.append(lines, count)
    }

    /// Sends what it can without waiting; asks the loop to be called again when there is room.
    func flush(_ loop: EventLoop) {
        reap()
        guard let sender = sockets?.sender else { return }
        if !sendAll() {
            if !isWaiting { isWaiting = loop.addWriter(sender.number, Token(.logSocket)) }
        } else if isWaiting {
            loop.remove(sender.number)
            isWaiting = false
        }
    }

    /// Sends until nothing is left or there is no room; false in the second case.
    private func sendAll() -> Bool {
        while let first = queue.first, queue.count > 0, let sender = sockets?.sender {
            var count = 0
            while count &+ LogFrame.size <= queue.count, let frame = LogFrame(first.advanced(by: count)) {
                let next = count &+ LogFrame.size &+ frame.count
                if next > queue.count || next > LogFrame.largestMessage && count > 0 { break }
                count = next
            }
            // Cannot be: the queue holds whole frames.
            if count == 0 { queue.drop(queue.count) }
            if hi_send_nowait(sender.number, first, count) >= 0 {
                queue.drop(count)
                continue
            }
            switch Errno.current.code {
            case EINTR: break
            case EAGAIN: return false
            case ENOBUFS, ENOMEM:
                // The socket has room, so the loop would be told at once.
                hi_stumble()
                return false
            // Sockets that hold less than one message (sysctl net.core.wmem_max): to wait would not help.
            default: lose(count, Errno.current)
            }
        }
        return true
    }

    /// What is first in the queue cannot be handed over, and is lost.
    private func lose(_ count: Int, _ error: Errno) {
        if let first = queue.first { lostLines &+= hi_line_count(first, count) }
        queue.drop(count)
        let now = hi_monotonic_nanoseconds()
        if now < nextTelling { return }
        nextTelling = now &+ LogFeed.tellAfter
        messages.append(
            say(
                "cannot hand lines to the process that writes the log files: %; they are not in the files (% so far)",
                error.text, String(lostLines)))
    }

    private var lostLines = 0
    private var nextTelling: Int64 = 0
    /// How often a trouble that lasts is told of, in nanoseconds.
    private static let tellAfter: Int64 = 60_000_000_000

    /// The writer has said something, or ended.
    /// - Parameter quietly: everything is being killed, so that its end is no news.
    func reportReady(_ loop: EventLoop, quietly: Bool) {
        if readReports() { return }
        ended(loop)
        again(loop, quietly: quietly)
    }

    /// Takes what the writer said; false where it has ended.
    private func readReports() -> Bool {
        guard let reports else { return true }
        var chunk = Bytes(repeating: 0, count: LogFeed.reportSize)
        var count = 0
        chunk.withUnsafeMutableBytes { buffer in
            do throws(Errno) { count = try reports.read(into: buffer) } catch { count = -1 }
        }
        if count <= 0 { return count < 0 }
        unfinished += Bytes(chunk.prefix(count))
        while let end = unfinished.firstIndex(of: 0x0A) {
            messages.append(String(decoding: unfinished[..<end], as: UTF8.self))
            unfinished.removeFirst(end &+ 1)
        }
        return true
    }

    private static let reportSize = 4096

    private func ended(_ loop: EventLoop) {
        if let reports { loop.remove(reports.number) }
        reports = nil
        unfinished = []
        if process > 0 { dying.append(process) }
        process = 0
        reap()
    }

    private func reap() {
        var signal: Int32 = 0
        for place in dying.indices.reversed() where hi_reap_writer(dying[place], &signal) { dying.remove(at: place) }
    }

    /// Starts the writer anew: at once, or a second after its last start.
    private func again(_ loop: EventLoop, quietly: Bool) {
        let isEarly = hi_monotonic_nanoseconds() &- started < LogFeed.pause
        if !isEarly {
            do throws(Errno) {
                try start(loop)
                if !quietly {
                    messages.append(
                        "the process that writes the log files was killed, and is started again; no line is lost")
                }
                return
            } catch {
                messages.append(say("cannot start the process that writes the log files: %", error.text))
            }
        }
        guard let timer else { return }
        _ = hi_timer_set(timer.number, hi_monotonic_nanoseconds() &+ LogFeed.pause)
    }

    /// The moment for another try.
    func timerReady(_ loop: EventLoop) {
        guard let timer else { return }
        var expirations: UInt64 = 0
        _ = read(timer.number, &expirations, MemoryLayout<UInt64>.size)
        if process == 0 { again(loop, quietly: false) }
    }

    /// What is to be said on the log, once.
    func takeMessages() -> [String] {
        if messages.isEmpty { return [] }
        defer { messages = [] }
        return messages
    }

    /// At the end of the container: waits until everything is handed over.
    /// - Parameter end: a moment of CLOCK_MONOTONIC in nanoseconds, after which nothing is waited for.
    func drain(_ loop: EventLoop, until end: Int64) {
        guard let sender = sockets?.sender else { return }
        while !sendAll(), isThere(loop), wait(for: sender, POLLOUT, until: end) {
            if !readReports() { ended(loop) }
        }
    }

    /// The same, and waits until the writer has written it and has ended.
    func finish(_ loop: EventLoop, until end: Int64) {
        if sockets == nil { return }
        LogFrame(.finish).write(to: queue)
        drain(loop, until: end)
        while isThere(loop), let reports, wait(for: reports, POLLIN, until: end) {
            // Its end is the answer, unless something is left: then it was killed.
            if readReports() { continue }
            ended(loop)
            if isDrained { return }
        }
    }

    /// Whether there is a writer, or could be started.
    private func isThere(_ loop: EventLoop) -> Bool {
        if process > 0 { return true }
        startsAtTheEnd &+= 1
        if startsAtTheEnd > LogFeed.mostStartsAtTheEnd { return false }
        do throws(Errno) { try start(loop) } catch { return false }
        return true
    }

    /// Waits a moment, or until the descriptor is ready. False: the time is over.
    private func wait(for file: FileDescriptor, _ events: Int32, until end: Int64) -> Bool {
        let left = (end &- hi_monotonic_nanoseconds()) / 1_000_000
        if left <= 0 { return false }
        var wanted = pollfd(fd: file.number, events: Int16(events), revents: 0)
        _ = poll(&wanted, 1, Int32(truncatingIfNeeded: min(left, LogFeed.look)))
        return true
    }

    private var startsAtTheEnd = 0
    private static let mostStartsAtTheEnd = 3
    /// How long to wait, in milliseconds, before looking whether the writer is still there.
    private static let look: Int64 = 100

    private var isDrained: Bool {
        guard let receiver = sockets?.receiver else { return true }
        var wanted = pollfd(fd: receiver.number, events: Int16(POLLIN), revents: 0)
        return poll(&wanted, 1, 0) <= 0
    }
}
