import CSystem
import ConfigParser
import System

/// What the control server keeps: its listening sockets, its clients, and what it owes them. It decides nothing; the
/// files beside this one read requests, carry them out and answer. Everything is bounded: the clients, what each has
/// sent and was sent, and the work that is done for all of them together in one turn of the loop, so that no client,
/// and no thousand of them, keeps a service waiting.
final class ControlServer {
    /// Over the Unix socket; the last of them are for root and the init's own user.
    static let mostClients = 64
    static let mostStrangers = 48
    /// Over HTTP.
    static let mostReaders = 16
    /// In one turn.
    static let acceptedAtOnce = 16
    static let requestsAtOnce = 16
    /// Services that are told of, lines that are sent, and the like, for all clients together.
    static let stepsAtOnce = 256

    /// How long things may take.
    static let requestTime = Interval.seconds(10)
    static let stuckTime = Interval.seconds(10)
    static let idleTime = Interval.seconds(300)
    static let lingerTime = Interval.seconds(2)
    static let pauseTime = Interval.seconds(1)

    /// The Unix socket and its path; the one of HTTP.
    var listener: FileDescriptor?
    var path = Bytes()
    var readers: FileDescriptor?
    /// It could not be made, for lack of something that there may be later.
    var mayComeBack = false
    /// Not in the loop until then, because no descriptor was free.
    var pausedUntil: Instant?

    var clients: [ControlClient?] = []
    var count = 0
    /// Where the next round among them begins, so that each comes first in its turn.
    var first = 0
    /// Something is left to do in the next turn, without waiting.
    var hasMore = false
    /// When a deadline of a client, or the pause, is over.
    var due: Instant?
    var requestsLeft = 0
    var stepsLeft = 0

    let scout = ReloadScout()
    var timings = BootTimings()
    /// By service: why it was skipped.
    var skipReasons: [String] = []
    /// Somebody can ask, or has asked.
    var isOpen: Bool { listener != nil || readers != nil || count > 0 }

    /// A turn of the loop begins.
    func beginTurn() {
        requestsLeft = ControlServer.requestsAtOnce
        stepsLeft = ControlServer.stepsAtOnce
        hasMore = false
    }

    /// One request; false: this turn has had enough.
    func takeRequest() -> Bool {
        if requestsLeft <= 0 {
            hasMore = true
            return false
        }
        requestsLeft &-= 1
        return true
    }

    /// One unit of work; false: this turn has had enough.
    func takeStep() -> Bool {
        if stepsLeft <= 0 {
            hasMore = true
            return false
        }
        stepsLeft &-= 1
        return true
    }

    func client(_ token: Token) -> ControlClient? {
        guard clients.indices.contains(token.index), let client = clients[token.index],
            client.token.generation == token.generation
        else { return nil }
        return client
    }
}

/// What a client waits for.
indirect enum ControlJob {
    case listing(ListingJob)
    case waiting(WaitingJob)
    case logs(LogJob)
    case events(EventsJob)
    case metrics(MetricsJob)
    /// The configuration is read before a reload.
    case reading(until: Instant)

    /// A stream has no end of its own.
    var isStream: Bool {
        switch self {
        case .logs(let job): return job.follows
        case .events: return true
        case .listing, .waiting, .metrics, .reading: return false
        }
    }
}

/// One connection.
final class ControlClient {
    /// What may wait to be written; who is behind loses lines, and is told how many.
    static let mostWaiting = 256 * 1024
    /// Answers that are made bit by bit go on when less than this waits.
    static let readyForMore = 64 * 1024

    let socket: FileDescriptor
    let token: Token
    let isHTTP: Bool
    let user: UInt32
    let group: UInt32
    var rights: ControlRights?
    var lines = ControlLines()
    var head = Bytes()
    let output = ByteQueue()
    var job: ControlJob?
    /// It sends nothing any more.
    var hasEnded = false
    /// No more requests; closed when everything is written.
    var isClosing = false
    /// What it still sends is read and thrown away, so that it sees the answer and not a reset.
    var lingers = false
    var hasSaidAll = false
    /// What the loop waits for.
    var waitsToRead = true
    var waitsToWrite = false
    var dropped = 0

    /// When the last answer was complete, or it came; when the request in hand began; since when nothing could be
    /// written.
    var idleSince: Instant
    var requestSince: Instant?
    var stuckSince: Instant?

    init(socket: FileDescriptor, token: Token, isHTTP: Bool, peer: hi_peer, now: Instant) {
        self.socket = socket
        self.token = token
        self.isHTTP = isHTTP
        user = peer.user
        group = peer.group
        idleSince = now
        if isHTTP { requestSince = now }
    }

    /// When it has had its time.
    var deadline: Instant? {
        var deadline: Instant?
        func consider(_ moment: Instant) { if deadline.map({ moment < $0 }) ?? true { deadline = moment } }
        if lingers { consider(idleSince + ControlServer.lingerTime) }
        if let stuckSince { consider(stuckSince + ControlServer.stuckTime) }
        if let job {
            if case .waiting(let job) = job, let end = job.deadline { consider(end) }
            if case .reading(let end) = job { consider(end) }
        } else if let requestSince {
            consider(requestSince + ControlServer.requestTime)
        } else {
            consider(idleSince + ControlServer.idleTime)
        }
        return deadline
    }

    // MARK: - Answers

    /// A line of an answer: what `fill` puts between the braces.
    func line(_ fill: (inout JSONWriter) -> Void) {
        var json = JSONWriter(pretty: false)
        json.beginObject()
        fill(&json)
        json.endObject()
        output.append(json.bytes)
        output.append([0x0A])
    }

    /// A line of a stream, which is lost where its reader is behind.
    func streamLine(_ fill: (inout JSONWriter) -> Void) {
        if output.count >= ControlClient.mostWaiting {
            dropped &+= 1
            return
        }
        tellDropped()
        line(fill)
    }

    /// How many were lost, as soon as there is room to say so.
    func tellDropped() {
        if dropped == 0 || output.count >= ControlClient.readyForMore { return }
        let count = dropped
        dropped = 0
        line { $0.number("dropped", count) }
    }

    /// The last line of an answer.
    func finish(_ fill: (inout JSONWriter) -> Void = { _ in }) {
        job = nil
        line {
            $0.flag("ok", true)
            fill(&$0)
        }
    }

    /// The last line of one that was refused.
    func fail(_ error: ControlError, report: String? = nil) {
        job = nil
        line {
            $0.flag("ok", false)
            $0.field("error", error.code)
            $0.field("message", error.message)
            if let hint = error.hint { $0.field("hint", hint) }
            if let report { $0.field("report", report) }
        }
    }
}

extension JSONWriter {
    /// A key and a number, or null.
    @inline(never)
    mutating func number(_ name: Literal, _ value: Int?) {
        key(name)
        literal(value.map { String($0) } ?? "null")
    }

    /// A key and true or false.
    @inline(never)
    mutating func flag(_ name: Literal, _ value: Bool) {
        key(name)
        boolean(value)
    }

    /// A key and a text, or null.
    @inline(never)
    mutating func text(_ name: Literal, _ value: String?) {
        key(name)
        if let value { string(value) } else { literal("null") }
    }

    /// A key and seconds with up to three decimals, or null.
    @inline(never)
    mutating func seconds(_ name: Literal, _ nanoseconds: Int64?) {
        key(name)
        literal(nanoseconds.map { decimalText(thousandths: $0 / 1_000_000) } ?? "null")
    }

    /// A key and a list of texts.
    @inline(never)
    mutating func texts(_ name: Literal, _ values: [String]) {
        key(name)
        beginArray()
        for value in values { string(value) }
        endArray()
    }
}
