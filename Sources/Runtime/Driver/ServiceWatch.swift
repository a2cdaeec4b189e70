import ConfigParser
import System

/// What the driver keeps of a service with a `[ready]` or `[health]`: where its probes go, the one that is under way for each
/// purpose, and the ways on which it tells of itself. Made anew from the environment of each start. Holds at most four
/// descriptors; they are closed when the process ends.

/// What a probe does, everything expanded.
indirect enum ProbeTarget {
    case tcp(ProbeAddress, shown: Bytes)
    case http(ProbeURL, shown: Bytes)
    case unix(Bytes)
    case path(Bytes)
    case command(Launch)
    /// It cannot be tried, and why.
    case wrong(String)
}

/// The probe of a service for one purpose; there is one at a time.
struct ProbeSlot {
    var target: ProbeTarget?
    /// Under way through a socket.
    var socket: SocketProbe?
    /// What the token of its socket has.
    var generation: UInt32 = 0
    /// Under way as a program.
    var process: Int32 = 0
    /// Where its answer lies in the queue of events.
    var answer: Int?
}

/// The watch over one service.
final class ServiceWatch {
    var readiness = ProbeSlot()
    var health = ProbeSlot()
    /// The pipe of `notify = N`.
    var pipe: FileDescriptor?
    /// The socket of `notify = "systemd"`.
    var socket: FileDescriptor?
    /// What the tokens of these have.
    var generation: UInt32 = 0
    /// It is known that its program runs; what it tells before is held back.
    var runs = false
    var held = [Event]()
    /// The session of its first process; 0: it has none of its own.
    var session: Int32 = 0
    /// MAINPID; 0: not told.
    var mainProcess: Int32 = 0
    /// STATUS.
    var status = ""
    var isReloading = false
    /// A line said already that somebody else sent a message.
    var toldOfStranger = false

    /// More events than there are kinds of them are not held.
    static let mostHeld = 16
    /// Datagrams read in one turn.
    static let messagesAtOnce = 32

    subscript(purpose: ProbePurpose) -> ProbeSlot {
        get { purpose == .readiness ? readiness : health }
        set { if purpose == .readiness { readiness = newValue } else { health = newValue } }
    }
}

/// Which process belongs where (proc(5)).
enum ProcessRelations {
    /// The fields of /proc/PID/stat behind the name, which may hold spaces and brackets: state, parent, group, session, …
    static func fields(_ stat: Bytes) -> [ArraySlice<UInt8>] {
        guard let end = stat.lastIndex(of: 0x29) else { return [] }
        return stat[stat.index(after: end)...].split(separator: 0x20)
    }

    /// The same of a process; empty where it is gone, or /proc is not mounted. By its first thread, which has the same: an
    /// emulator (qemu-user) makes up the /proc/PID/stat of its own process, with another start than everybody else sees.
    static func fields(of process: Int32) -> [ArraySlice<UInt8>] {
        do throws(Errno) {
            return fields(
                try readFile(Bytes((say("/proc/%/task/%/stat", String(process), String(process))).utf8), limit: 1 << 16)
            )
        } catch {
            return []
        }
    }

    private static func number(_ fields: [ArraySlice<UInt8>], _ place: Int) -> Int32? {
        guard fields.indices.contains(place), let value = Accounts.decimal(fields[place]) else { return nil }
        return Int32(exactly: value)
    }

    /// Its parent; nil where it is gone.
    static func parent(of process: Int32) -> Int32? { number(fields(of: process), 1) }

    /// It has begun to end (PF_EXITING), or is over: what it has open is being closed.
    static func isEnding(_ process: Int32) -> Bool {
        let fields = fields(of: process)
        guard fields.count > 6, let flags = Accounts.decimal(fields[6]) else { return true }
        return flags & 4 != 0 || fields[0].first == 0x5A || fields[0].first == 0x58
    }

    /// When it was started, in ticks since the machine was (field 22).
    static func start(_ fields: [ArraySlice<UInt8>]) -> Bytes? { fields.count > 19 ? Bytes(fields[19]) : nil }

    /// Whether a process descends from another: its parent, that one's parent, and so on.
    /// - Parameter parent: gives a process's parent.
    static func descends(_ process: Int32, from ancestor: Int32, parent: (Int32) -> Int32?) -> Bool {
        var next = process
        for _ in 0..<mostGenerations {
            guard next > 1, let before = parent(next) else { return false }
            if before == ancestor { return true }
            next = before
        }
        return false
    }

    /// Who is further away is a stranger.
    private static let mostGenerations = 64
}
