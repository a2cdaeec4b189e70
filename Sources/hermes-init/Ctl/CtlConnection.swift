import CSystem
import ConfigParser
import Runtime
import System

/// The connection to the init's control socket: finds it, sends lines and gets lines. Unlike the init, ctl may wait for the
/// other side; it never waits for ever where the answer does not depend on a service, and takes no line that is longer than
/// `longestLine`, whoever listens there.

struct CtlConnection {
    /// What came from the init.
    enum Incoming {
        case line([UInt8])
        /// It closed the connection.
        case closed
        /// Nothing came in time.
        case late
        /// SIGINT, SIGTERM or another of those that are caught came first, or a key was pressed.
        case interrupted
    }

    static let longestLine = 1 << 26
    static let file = "control.sock"
    /// The variable that names another socket.
    static let variable = "HERMES_INIT_CONTROL"
    /// How long the init may take to answer what it can answer at once, in milliseconds.
    static let patience = 10_000

    private let socket: FileDescriptor
    private var buffer = Bytes()
    /// Where the bytes that were not given yet begin, and up to where no line end was found.
    private var start = 0
    private var searched = 0
    private var chunk = Bytes(repeating: 0, count: 1 << 16)
    /// What is watched beside the socket; -1: nothing.
    var signals: Int32 = -1
    var keys: Int32 = -1
    /// Of the init.
    private(set) var version = ""

    /// Connects, and reads the greeting.
    init(_ environment: Environment, patience: Int = CtlConnection.patience) throws(CtlFailure) {
        (socket) = try CtlConnection.find(environment)
        guard case .line(let line) = next(within: patience) else {
            throw CtlFailure(.late, "the init does not answer", ["is it stopped by a debugger, or out of CPU time?"])
        }
        guard let greeting = JSONValue(line), let version = greeting.text("hermes-init") else {
            if let greeting = JSONValue(line), greeting.text("error") != nil { throw CtlFailure(greeting) }
            throw CtlFailure(.noInit, "what listens at the control socket is no hermes-init")
        }
        if greeting.integer("protocol") != 1 {
            throw CtlFailure(
                .noInit, say("the init that runs here (%) speaks another protocol", fitted(version, to: 40)),
                ["use the hermes-init that the container was started with: /proc/1/exe ctl"])
        }
        self.version = version
    }

    /// Connects to the first socket that somebody listens at.
    private static func find(_ environment: Environment) throws(CtlFailure) -> FileDescriptor {
        var paths = [Bytes]()
        if let path = environment.value(variable), !path.isEmpty {
            paths = [path]
        } else {
            for folder in statusFolders { paths.append((say("%/%", folder, file)).bytes) }
        }
        var failure: CtlFailure?
        for path in paths {
            let number = path.withUnsafeBufferPointer { hi_connect_unix($0.baseAddress, $0.count) }
            if number >= 0 { return FileDescriptor(owning: number) }
            let error = Errno.current
            switch error.code {
            case ENOENT, ENOTDIR: continue
            case EACCES, EPERM:
                failure = CtlFailure(
                    .refused, say("cannot use %: %", path.shown, error.text), ["ask as root, or as the init's own user"]
                )
            case EAGAIN: failure = CtlFailure(.late, say("the init has too many clients (%)", path.shown))
            case ECONNREFUSED: failure = CtlFailure(.noInit, say("the hermes-init that made % is gone", path.shown))
            default: failure = CtlFailure(.noInit, say("cannot connect to %: %", path.shown, error.text))
            }
        }
        if let failure { throw failure }
        var names = ""
        for path in paths { names += (names.isEmpty ? "" : " or ") + path.shown }
        if case .status = readHealth() {
            throw CtlFailure(
                .noInit, say("the init that runs here has no control socket: there is no %", names),
                ["`mode` of [control] in init.toml may be \"off\", or a stop has begun"])
        }
        throw CtlFailure(
            .noInit, say("no hermes-init runs here: there is no %", names),
            ["inside of a container: docker exec CONTAINER hermes-init ctl …"])
    }

    /// Asks: one line.
    func send(_ line: Bytes) throws(CtlFailure) {
        var rest = line
        rest.append(0x0A)
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { hi_send_nowait(socket.number, $0.baseAddress, $0.count) }
            if count > 0 {
                rest.removeFirst(count)
                continue
            }
            let error = Errno.current
            switch error.code {
            case EINTR: continue
            case EAGAIN:
                if hi_poll_one(socket.number, true, Int32(CtlConnection.patience)) == 0 {
                    throw CtlFailure(.late, "the init does not answer")
                }
            // What it said before it closed the connection may still be read.
            case EPIPE, ECONNRESET: return
            default: throw CtlFailure(.noInit, say("cannot ask the init: %", error.text))
            }
        }
    }

    /// Whether a whole line is there already.
    mutating func hasLine() -> Bool { lineEnd() != nil }

    /// The next line, without its end.
    /// - Parameter within: milliseconds; nil: however long it takes.
    mutating func next(within: Int?) -> Incoming {
        let begin = hi_monotonic_nanoseconds() / 1_000_000
        while true {
            if let end = lineEnd() {
                let line = Bytes(buffer[start..<end])
                start = end &+ 1
                searched = start
                return .line(line)
            }
            if buffer.count &- start > CtlConnection.longestLine { return .closed }
            var wait: Int32 = -1
            if let within {
                let left = begin &+ Int64(within) &- hi_monotonic_nanoseconds() / 1_000_000
                if left < 0 { return .late }
                wait = Int32(clamping: left &+ 1)
            }
            let ready = hi_wait_for_input(socket.number, signals, keys, wait)
            if ready & 6 != 0 { return .interrupted }
            if ready == 0 { continue }
            let count = chunk.withUnsafeMutableBytes { CSystem.read(socket.number, $0.baseAddress, $0.count) }
            if count < 0 && (Errno.current.code == EINTR || Errno.current.code == EAGAIN) { continue }
            // The other side is gone; a line without an end is none.
            if count <= 0 { return .closed }
            if start > 1 << 16 {
                buffer.removeFirst(start)
                searched &-= start
                start = 0
            }
            buffer += chunk.prefix(count)
        }
    }

    /// Where the first line that was not given yet ends.
    private mutating func lineEnd() -> Int? {
        while searched < buffer.count {
            let rest = buffer.count &- searched
            let length = buffer.withUnsafeBufferPointer { pointer -> Int in
                guard let base = pointer.baseAddress else { return rest }
                return hi_line_length(base + searched, rest)
            }
            if length < rest { return searched &+ length }
            searched = buffer.count
        }
        return nil
    }
}
