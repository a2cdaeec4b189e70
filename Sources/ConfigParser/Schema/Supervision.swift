/// What a service file says beyond how a process is started, restarted and stopped: when it counts as ready, how its health is
/// watched, how it is told to read its configuration again, where its output goes, and within which limits it runs. Values
/// only, checked and with every default filled in; nothing here knows of processes or time.

/// A way of asking a service from outside whether it is there.
public enum Probe: Sendable {
    /// A connection to HOST:PORT is accepted.
    case tcp(Template)
    /// A connection to a Unix stream socket at that path is accepted.
    case unix(Template)
    /// GET of http://HOST[:PORT][/PATH] is answered with 2xx or 3xx.
    case http(Template)
    /// Something is at that path.
    case path(Template)
    /// A program, run as the service would be, exits with 0.
    case command([Template])
}

/// How it is known that a service is ready (`[ready]`).
public enum Readiness: Sendable {
    /// `notify = N`: it writes a newline to that descriptor (s6).
    case descriptor(Int32)
    /// `notify = "systemd"`: it sends READY=1 to NOTIFY_SOCKET (sd_notify(3)).
    case systemd
    /// `log`: its output holds that text, not empty, within one line.
    case log(String)
    /// It answers.
    case probe(Probe)
}

/// `[ready]`.
public struct ReadyPolicy: Sendable {
    /// How it is known.
    public var readiness: Readiness
    /// The time between two probes.
    public var interval: Interval = .milliseconds(250)
    /// How long it may take from the start of its program; then it is ended, which counts as a failure.
    public var timeout: Interval = .seconds(60)
    /// Readiness with the default times.
    public init(_ readiness: Readiness) { self.readiness = readiness }
}

/// How the health of a service is watched (`[health]`).
public enum HealthCheck: Sendable {
    case probe(Probe)
    /// `watchdog`: it sends WATCHDOG=1 at least so often; needs `notify = "systemd"`.
    case watchdog(Interval)
}

/// What is done about a service that is unhealthy (`action`).
public enum HealthAction: Sendable { case restart, none, stopContainer }

/// `[health]`.
public struct HealthPolicy: Sendable {
    /// How it is watched.
    public var check: HealthCheck
    /// Failures so long after it became up do not count, until a first success.
    public var startPeriod = Interval(nanoseconds: 0)
    /// The time from the end of one probe to the beginning of the next.
    public var interval: Interval = .seconds(10)
    /// How long one probe may take.
    public var timeout: Interval = .seconds(3)
    /// So many failures in a row make it unhealthy; 1 or more. For a watchdog, 1.
    public var failures = 3
    /// What is done then.
    public var action: HealthAction = .restart
    /// A check with the default times.
    public init(_ check: HealthCheck) { self.check = check }
}

/// `[reload]`.
public enum ReloadPolicy: Sendable {
    case signal(SignalNumber)
    case command([Template])
}

/// Where the lines of a service's output go on the container's own stdout and stderr (`to` of `[log]`).
public enum LogTarget: Sendable {
    /// Behind `[name] `.
    case prefix
    /// As they are, line by line.
    case raw
    /// The service has the container's own descriptors.
    case inherit
    /// Each line an object: time, service, stream, message.
    case json
    /// Nowhere. They are kept for `ctl logs`, and written to `file`, all the same.
    case null
}

/// `[log]`, the defaults of init.toml filled in.
public struct LogPolicy: Sendable {
    /// Where the lines go.
    public var to: LogTarget = .prefix
    /// A file that they are written to as well; nil: none. Not with `inherit`.
    public var file: Template?
    /// Whether the folder of the file is made, as the service's user, where it is missing; not what leads to it.
    public var makesFolder = false
    /// In bytes: a file that would grow beyond it is rotated. 4096 or more.
    public var maxSize: Int64 = 1 << 20
    /// How many rotated files are kept, 0 to 1000.
    public var keep = 10
    /// Whether each line of the file begins with its time: RFC 3339, UTC, milliseconds.
    public var timestamps = true
    /// The defaults of a service; the main program inherits where its file does not say otherwise.
    public init() {}
}

/// A limit of setrlimit(2), as `[limits]` names it.
public enum LimitName: Int, CaseIterable, Sendable {
    case nofile, nproc, core, stack, memlock, `as`, fsize, data, cpu

    /// As it is written in a file.
    public var name: String { LimitName.names[rawValue] }
    /// All, in the order of the cases.
    public static let names = ["nofile", "nproc", "core", "stack", "memlock", "as", "fsize", "data", "cpu"]
}

/// One line of `[limits]`: sizes in bytes, cpu in seconds, the others counts.
public struct LimitChange: Sendable {
    /// Which one.
    public var name: LimitName
    /// nil: unlimited.
    public var soft: UInt64?
    /// nil: unlimited. Never below `soft`.
    public var hard: UInt64?
    /// Where the value stands.
    public var span: Span
    /// A limit and its place.
    public init(_ name: LimitName, soft: UInt64?, hard: UInt64?, span: Span) {
        self.name = name
        self.soft = soft
        self.hard = hard
        self.span = span
    }
}

/// `[security]`.
public struct SecurityPolicy: Sendable {
    /// `no-new-privileges`: prctl(2) PR_SET_NO_NEW_PRIVS.
    public var noNewPrivileges = false
    /// The capabilities that are kept, by number (capabilities(7)), in increasing order: everything else leaves the bounding
    /// set, and a user that is not root has these in its ambient set. nil: nothing is changed.
    public var capabilities: [Int32]?
    /// The init's own supplementary groups stay, beside those of the user.
    public var keepGroups = false
    /// Nothing changed.
    public init() {}
}

/// `[resources]`: limits of a cgroup (v2) of the service's own.
public struct ResourcePolicy: Sendable {
    /// A limit that can also be none (`"max"`).
    public enum Amount: Sendable {
        case of(Int64)
        case unlimited
    }
    /// Bytes.
    public var memoryMax: Amount?
    /// Bytes.
    public var memoryHigh: Amount?
    /// Thousandths of a processor; `cpu-max = 1.5` is 1500.
    public var cpuMax: Amount?
    /// 1 to 10,000.
    public var cpuWeight: Int?
    /// Processes and threads.
    public var pidsMax: Amount?
    /// Where the table stands.
    public var span: Span
    /// Nothing limited.
    public init(span: Span) { self.span = span }
}
