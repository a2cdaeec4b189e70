import CSystem

/// One try to reach a service through a socket: a connection, and for HTTP a question and the first words of the answer. It
/// never waits: each step ends where the socket would block, and goes on when the loop says that it is ready. It holds one
/// descriptor and a few hundred bytes; how long it may take is for its owner to say.

/// What a try came to.
public enum SocketAnswer: Equatable, Sendable {
    case passed
    /// Why, for the log: "cannot connect to …: Connection refused", "http://… answered 503".
    case failed(String)
}

/// One try.
public struct SocketProbe {
    /// The next step.
    public enum Step {
        /// To be called again when the socket can be written or read.
        case writable, readable
        case done(SocketAnswer)
    }

    /// Where to, for messages: "127.0.0.1:80", "http://…", a path.
    private let place: Bytes
    /// What is sent once the connection stands; empty: nothing, and the connection is all that is wanted.
    private let request: Bytes
    private let port: UInt16
    /// Addresses that were not tried yet.
    private var left: ArraySlice<Bytes>
    private var sent = 0
    private var isConnected = false
    private var status = HTTPStatusReader()
    /// What is waited for; nil before it began.
    public private(set) var socket: FileDescriptor?

    /// Of an answer, no more is asked for at once. The head of most fits, so that their sender sees no reset.
    private static let room = 1024

    /// To the first of these addresses that takes the connection.
    /// - Parameters:
    ///   - place: how messages name it.
    ///   - request: what is sent once the connection stands; empty: the connection is all that is wanted.
    public init(place: Bytes, addresses: [Bytes], port: UInt16, request: Bytes) {
        self.place = place
        self.port = port
        self.request = request
        left = addresses[...]
    }

    /// Begins, with a Unix socket.
    public mutating func begin(unix path: Bytes) -> Step {
        took(path.withUnsafeBufferPointer { hi_connect_unix($0.baseAddress, $0.count) })
    }

    /// Begins with the next address.
    public mutating func begin() -> Step {
        guard let address = left.popFirst() else { return .done(.failed("cannot connect to " + place.shown)) }
        return took(address.withUnsafeBufferPointer { hi_connect_tcp($0.baseAddress, $0.count, port) })
    }

    private mutating func took(_ number: Int32) -> Step {
        if number < 0 { return refused(Errno.current) }
        socket = FileDescriptor(owning: number)
        return .writable
    }

    private mutating func refused(_ error: Errno) -> Step {
        if !left.isEmpty { return begin() }
        var reason = error.text
        if error.code == ENAMETOOLONG { reason = "the path of a socket can have at most 107 bytes" }
        if error == .again { reason = "its queue of connections is full" }
        return .done(.failed("cannot connect to " + place.shown + ": " + reason))
    }

    /// The socket is ready.
    public mutating func goOn() -> Step {
        guard let socket else { return .done(.failed("")) }
        if !isConnected {
            let error = hi_socket_error(socket.number)
            if error != 0 { return refused(Errno(error)) }
            isConnected = true
            if request.isEmpty { return .done(.passed) }
        }
        if sent < request.count { return send(socket) }
        return receive(socket)
    }

    private mutating func send(_ socket: FileDescriptor) -> Step {
        let start = sent
        let count = request.withUnsafeBytes {
            hi_send_nowait(socket.number, $0.baseAddress?.advanced(by: start), $0.count &- start)
        }
        if count < 0 {
            let error = Errno.current
            return error == .again || error.code == EINTR ? .writable : broken(error)
        }
        sent &+= count
        return sent < request.count ? .writable : .readable
    }

    private mutating func receive(_ socket: FileDescriptor) -> Step {
        var bytes = Bytes(repeating: 0, count: SocketProbe.room)
        var count = 0
        var failure: Errno?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(Errno) { count = try socket.read(into: buffer) } catch { failure = error }
        }
        if let failure { return failure == .again ? .readable : broken(failure) }
        guard let result = status.read(bytes.prefix(count), isEnd: count == 0) else { return .readable }
        if case .failed(let reason) = result { return .done(.failed(place.shown + " " + reason)) }
        return .done(result)
    }

    private func broken(_ error: Errno) -> Step {
        .done(.failed(place.shown + ": the connection broke: " + error.text))
    }
}
