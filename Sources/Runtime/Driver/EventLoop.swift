import CSystem
import System

/// A small cover of epoll(7), level-triggered. What an event belongs to is packed into epoll's 64 bits together with a
/// generation, so that an event which was queued for a slot since reused is recognised and dropped.

/// What a descriptor in the event loop is for.
struct Token: Equatable {
    enum Kind: UInt8 {
        /// The signalfd.
        case signals = 1
        /// The timerfd.
        case timer
        /// A child's report pipe; the index is that of the spawn under way.
        case report
        /// The epoll that holds the services' output pipes.
        case outputs
        /// A service's output pipe, inside that epoll.
        case output
        /// The container's stdout or stderr has room again.
        case containerOutput
        /// A process that is waited for through a pidfd.
        case straggler
        /// The socket of a probe; the index is twice that of the service, and 1 more for its health.
        case probe
        /// A service's pipe of `notify = N`.
        case notifyPipe
        /// A service's socket of `notify = "systemd"`.
        case notifySocket
        /// The process that writes log files said something, or ended.
        case logWriter
        /// It is to be started again.
        case logTimer
        /// Its socket has room again.
        case logSocket
        /// A listening socket of the control server: 0 the Unix one, 1 that of HTTP.
        case control
        /// A client of it; the index is its place.
        case controlClient
        /// The process that writes down what was asked ended.
        case asked
        /// The process that reads the configuration before a reload.
        case scout
    }
    var kind: Kind
    var index: Int
    var generation: UInt32

    init(_ kind: Kind, index: Int = 0, generation: UInt32 = 0) {
        self.kind = kind
        self.index = index
        self.generation = generation & 0xFF_FFFF
    }

    /// nil for bits that no token has.
    init?(bits: UInt64) {
        guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: bits >> 56)) else { return nil }
        self.kind = kind
        index = Int(bits & 0xFFFF_FFFF)
        generation = UInt32(truncatingIfNeeded: bits >> 32) & 0xFF_FFFF
    }

    var bits: UInt64 {
        UInt64(kind.rawValue) << 56 | UInt64(generation) << 32 | UInt64(truncatingIfNeeded: index) & 0xFFFF_FFFF
    }
}

/// An epoll.
struct EventLoop {
    let descriptor: FileDescriptor

    /// epoll_create1(2).
    init() throws(Errno) {
        let number = epoll_create1(O_CLOEXEC)
        if number < 0 { throw Errno.current }
        descriptor = FileDescriptor(owning: number)
    }

    /// Adds a descriptor to be told when it can be read. False where the kernel refuses (a regular file).
    @discardableResult
    func addReader(_ file: FileDescriptor, _ token: Token) -> Bool {
        hi_epoll_add(descriptor.number, file.number, UInt32(1), token.bits) == 0
    }

    /// The same for a descriptor without which its owner would wait for ever (ENOMEM, ENOSPC).
    func mustAddReader(_ file: FileDescriptor, _ token: Token) throws(Errno) {
        if !addReader(file, token) { throw Errno.current }
    }

    /// Adds a descriptor to be told when it can be written.
    func addWriter(_ number: Int32, _ token: Token) -> Bool {
        hi_epoll_add(descriptor.number, number, UInt32(4), token.bits) == 0
    }

    /// Changes what is waited for of a descriptor that was added; neither: only the end of the other side.
    @discardableResult
    func set(_ number: Int32, _ token: Token, reads: Bool, writes: Bool) -> Bool {
        hi_epoll_change(descriptor.number, number, reads, writes, token.bits) == 0
    }

    /// Takes a descriptor out. A closed one has gone by itself, unless a child still has it open.
    func remove(_ number: Int32) { _ = hi_epoll_remove(descriptor.number, number) }

    /// Waits and calls `body` with each token that is ready. `timeout` in milliseconds; -1: for ever.
    /// Throws only what no input can cause (a closed epoll).
    /// - Parameter rests: memory that only the work before needed goes back to the kernel before the wait.
    func wait(timeout: Int32, rests: Bool = false, _ body: (Token) -> Void) throws(Errno) {
        var failure: Errno?
        withUnsafeTemporaryAllocation(of: hi_ready.self, capacity: EventLoop.batch) { ready in
            let count = hi_epoll_wait(descriptor.number, ready.baseAddress, Int32(EventLoop.batch), timeout, rests)
            if count < 0 {
                failure = Errno.current
                return
            }
            for index in 0..<Int(count) {
                if let token = Token(bits: ready[index].token) { body(token) }
            }
        }
        if let failure { throw failure }
    }

    /// The most events that one wait brings.
    static let batch = 64
}
