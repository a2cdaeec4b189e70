import CSystem
import ConfigParser
import System

/// The container's stdout or stderr, as the init writes to it: the lines of services and its own messages. Never blocks,
/// whatever stands behind the descriptor, and never makes the descriptor itself non-blocking: main shares it.
///
/// How a write that does not wait is made depends on what the descriptor is:
///   - a pipe, a terminal: opened anew through /proc/self/fd, which gives a description of our own that is non-blocking
///   - a regular file: as it is; a file never makes a writer wait for a reader. Opened anew it would start at its beginning
///   - a socket: send(2) with MSG_DONTWAIT
///   - where opening anew is denied (a pipe that belongs to another user): pwritev2(2) with RWF_NOWAIT, and on kernels
///     without that, poll(2) first and then no more than the PIPE_BUF bytes that a pipe which can be written has room for
final class ContainerOutput {
    private enum Way { case nonBlocking(FileDescriptor), file, socket, noWait, pollFirst }

    private let number: Int32
    private var way: Way
    private let queue = ByteQueue()
    private var isWaiting = false
    private var lostMessages = 0
    private let token: Token
    /// Nobody reads any more (EPIPE): what comes is dropped, as the kernel would drop it for the service itself.
    private var isBroken = false
    /// It is a terminal that a full-screen program has for itself: what comes goes here instead.
    var quiet: Quiet?

    /// Above this many waiting bytes the services' pipes are left unread, so that they wait and nothing is lost.
    static let highWater = 64 * 1024
    /// The init's own messages are taken, each whole, while no more than this waits; a message that is lost is counted.
    private static let mostForMessages = 128 * 1024

    /// For descriptor 1 or 2.
    init(descriptor: Int32) {
        number = descriptor
        token = Token(.containerOutput, index: Int(descriptor))
        var file = hi_file()
        _ = hi_fstat(descriptor, &file)
        if hi_is_regular(file.mode) {
            way = .file
        } else if hi_is_socket(file.mode) {
            way = .socket
        } else {
            let path = Bytes(say("/proc/self/fd/%", String(descriptor)).utf8)
            do throws(Errno) {
                way = .nonBlocking(try FileDescriptor.open(path, flags: O_WRONLY | O_NONBLOCK | O_NOCTTY | O_APPEND))
            } catch {
                way = .noWait
            }
        }
    }

    /// Services have to wait until the reader has caught up.
    var isFull: Bool { waiting > ContainerOutput.highWater }
    var isEmpty: Bool { waiting == 0 }
    /// How many bytes are queued.
    var waiting: Int { queue.count }

    /// Queues bytes of a service. The caller stops reading while `isFull`, which bounds the queue.
    func append(_ bytes: Bytes) {
        if !isBroken { queue.append(bytes) }
    }

    /// Queues a line of a service.
    func append(_ line: UnsafePointer<UInt8>, _ count: Int, as format: LineFormat) {
        if let quiet { return quiet.hold(line, count, as: format) }
        if !isBroken { format.write(line, count, to: queue) }
    }

    /// Whether there is room for more once what can be written now has been written.
    func makesRoom() -> Bool {
        _ = writeAll()
        return !isFull
    }

    /// Queues a message of the init, whole or, where the reader has been gone for long, not at all.
    func append(message: Bytes) {
        if isBroken { return }
        if let quiet { return quiet.hold(message) }
        if waiting > ContainerOutput.mostForMessages {
            lostMessages &+= 1
            return
        }
        tellLoss()
        queue.append(message)
    }

    private func tellLoss() {
        if lostMessages == 0 { return }
        let count = say(lostMessages == 1 ? "% message was" : "% messages were", String(lostMessages))
        lostMessages = 0
        queue.append(Bytes((say("hermes-init: % lost here: nobody read the output\n", count)).utf8))
    }

    /// Writes what it can without waiting; asks the loop to be called again when there is room.
    func flush(_ loop: EventLoop) {
        if !writeAll() {
            if !isWaiting { isWaiting = loop.addWriter(waitingNumber, token) }
        } else if isWaiting {
            loop.remove(waitingNumber)
            isWaiting = false
        }
    }

    /// At the end of the program: writes the rest, for at most so many milliseconds.
    func drain(milliseconds: Int32) {
        drain(until: hi_monotonic_nanoseconds() &+ Int64(milliseconds) &* 1_000_000)
    }

    /// The same, up to a moment of CLOCK_MONOTONIC in nanoseconds.
    func drain(until end: Int64) {
        while !writeAll() {
            let left = (end &- hi_monotonic_nanoseconds()) / 1_000_000
            if left <= 0 { return }
            var request = pollfd(fd: waitingNumber, events: Int16(POLLOUT), revents: 0)
            _ = poll(&request, 1, Int32(truncatingIfNeeded: left))
        }
    }

    /// Writes until nothing is left or there is no room; false in the second case.
    private func writeAll() -> Bool {
        while true {
            if isEmpty {
                if lostMessages == 0 || isBroken { return true }
                tellLoss()
            }
            switch writeSome() {
            case .wrote(let count): queue.drop(count)
            case .interrupted: continue
            case .full: return false
            case .broken:
                isBroken = true
                queue.drop(waiting)
            }
        }
    }

    private var waitingNumber: Int32 {
        if case .nonBlocking(let file) = way { return file.number }
        return number
    }

    private enum Outcome { case wrote(Int), interrupted, full, broken }

    private func writeSome() -> Outcome {
        let written: Int
        switch way {
        case .nonBlocking(let file): written = write(file.number, queue.first, waiting)
        case .file: written = write(number, queue.first, waiting)
        case .socket: written = hi_send_nowait(number, queue.first, waiting)
        case .noWait: written = hi_write_nowait(number, queue.first, waiting)
        case .pollFirst:
            var request = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
            guard poll(&request, 1, 0) > 0 else { return .full }
            written = write(number, queue.first, min(waiting, Int(PIPE_BUF)))
        }
        if written > 0 {
            recovered()
            return .wrote(written)
        }
        // No file writes nothing without an error; one that did would be tried without end.
        if written == 0 { return .full }
        let error = Errno.current
        switch error.code {
        case EINTR: return .interrupted
        case EAGAIN: return .full
        case EOPNOTSUPP, ENOSYS, EINVAL:
            guard case .noWait = way else { return .broken }
            way = .pollFirst
            return .interrupted
        // Nobody reads, nor ever will.
        case EPIPE, ECONNRESET, ENOTCONN, EDESTADDRREQ, EBADF: return .broken
        // A full disk, no memory: the lines are lost, but the next ones may find room again.
        default:
            lose(error)
            return .interrupted
        }
    }

    // MARK: - What is lost

    /// For the log: what cannot be written and why, once a minute, and when that is over.
    private(set) var trouble: Errno?
    private var lostLines = 0
    private var nextTelling: Int64 = 0
    private var message: String?
    private static let tellAfter: Int64 = 60_000_000_000

    private func lose(_ error: Errno) {
        if let first = queue.first { lostLines &+= hi_line_count(first, waiting) }
        queue.drop(waiting)
        let now = hi_monotonic_nanoseconds()
        if now < nextTelling { return }
        nextTelling = now &+ ContainerOutput.tellAfter
        trouble = error
        message = say(
            "cannot write to % of the container: %; what is to be written there is lost until that is mended", name,
            error.text)
    }

    private func recovered() {
        guard trouble != nil else { return }
        trouble = nil
        let lines = String(lostLines) + (lostLines == 1 ? " line is" : " lines are")
        message = say("can write to % of the container again; % lost", name, lines)
        lostLines = 0
    }

    private var name: String { number == 1 ? "stdout" : "stderr" }

    /// What is to be said on the log now, once.
    func takeMessage() -> String? {
        defer { message = nil }
        return message
    }
}
