/// A service as its files describe it, checked and with every default filled in: what the reader of the schema gives and
/// what the rest of the program works with. Nothing here knows of TOML, processes or time.

/// A length of time. Never negative.
public struct Interval: Hashable, Comparable, Sendable {
    /// Its length; 0 or more.
    public var nanoseconds: Int64
    /// A length in nanoseconds.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    /// A length in milliseconds.
    public static func milliseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count &* 1_000_000) }
    /// A length in seconds.
    public static func seconds(_ count: Int64) -> Interval { Interval(nanoseconds: count &* 1_000_000_000) }
    /// Whether the left is the shorter.
    public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// A name of another service, and where it is written.
public struct Reference: Sendable {
    /// The name, as it is written.
    public var name: String
    /// Where it is written.
    public var span: Span
    /// A name and its place.
    public init(name: String, span: Span) {
        self.name = name
        self.span = span
    }
}

/// What kind of thing a service is (`type`).
public enum ServiceType: Sendable { case longrun, oneshot, main, group }

/// How the container's arguments meet `command` of the main program (`route`).
public enum Route: Sendable { case append, replace, auto }

/// What a service does when it runs.
public enum Action: Sendable {
    /// `command`: a program and its arguments, expanded at start, never given to a shell.
    case command([Template])
    /// `script`: text for `/bin/sh -e`, or for the interpreter of its own `#!` line.
    case script(String, Span)
    /// `plugin` and `[options]`: a stage.
    case plugin(name: Reference, options: Table)
    /// A group: no process.
    case nothing
}

/// `[when]`: every one must hold, else the service is skipped.
public enum Condition: Sendable {
    /// Variables that must be 1, true, yes or on (any case).
    case environmentTrue(String)
    /// Variables that must be set, to whatever but nothing.
    case environmentSet(String)
    /// Variables that must not be set, or be empty.
    case environmentUnset(String)
    case environmentEquals(name: String, value: String)
    case pathExists(Template)
    case pathMissing(Template)
    case tty(Bool)
    case root(Bool)
    /// The main program's arguments begin with one of these lists.
    case main([[String]])
    /// The main program's arguments begin with none of these lists (`main-not`).
    case mainNot([[String]])
}

/// One line of an `[environment]` table, or of a default for it.
public struct EnvironmentChange: Sendable {
    /// The name of the variable.
    public var name: String
    /// nil: the variable is taken out (`NAME = false`).
    public var value: Template?
    /// Where the name stands.
    public var span: Span
    /// A change and its place.
    public init(name: String, value: Template?, span: Span) {
        self.name = name
        self.value = value
        self.span = span
    }
}

/// One of `environment-files`.
public struct EnvironmentFile: Sendable {
    /// The path, without the `-`.
    public var path: Template
    /// The path was written with a leading `-`: a missing file is no error.
    public var mayBeMissing: Bool
    /// A file by its path.
    public init(path: Template, mayBeMissing: Bool) {
        self.path = path
        self.mayBeMissing = mayBeMissing
    }
}

/// `stdin`.
public enum StandardInput: Sendable { case null, inherit }

/// A way a process can end, as `success-codes` and `never-after` name them.
public enum ExitCondition: Hashable, Sendable {
    case code(Int32)
    case signal(SignalNumber)
}

/// `[restart]`.
public struct RestartPolicy: Sendable {
    /// When a process that ended by itself is started again.
    public enum Policy: Sendable { case always, onFailure, never }
    /// `policy`; `always` is the default of a longrun only.
    public var policy: Policy = .always
    /// The wait after the first quick death in a row.
    public var delay: Interval = .seconds(1)
    /// By how much the wait grows with each further one, 1 or more.
    public var factor: Double = 2
    /// The longest wait; never shorter than `delay`.
    public var maxDelay: Interval = .seconds(30)
    /// The share of the delay by which it is made longer or shorter at random, 0 to 1.
    public var jitter: Double = 0.1
    /// One that was up for so long is started again at once.
    public var resetAfter: Interval = .seconds(60)
    /// At most this many starts in `within`; nil: no limit.
    public var limit: Int?
    /// The time in which `limit` counts; never 0.
    public var within: Interval = .seconds(60)
    /// Ends that mean success.
    public var successCodes: [ExitCondition] = [.code(0)]
    /// Ends after which it is not started again, whatever the policy.
    public var neverAfter: [ExitCondition] = []
    /// The defaults of a longrun.
    public init() {}
}

/// `[stop]`.
public struct StopPolicy: Sendable {
    /// The signal that tells it to stop.
    public var signal: SignalNumber = .terminate
    /// Whether `signal` stands in a file: only then does it take the place of the signal that the main program is sent.
    public var signalIsExplicit = false
    /// How long it may take from then to SIGKILL.
    public var timeout: Interval = .seconds(10)
    /// Run before the signal is sent; nil: none.
    public var command: [Template]?
    /// The defaults.
    public init() {}
}

/// What the init does with a signal that it is sent (`[signals]` of init.toml).
public enum SignalAction: Hashable, Sendable {
    /// To the main program's process.
    case forward
    /// To the main program's process group.
    case forwardGroup
    /// Begins the stop of the container, as SIGTERM does.
    case stop
    /// Every service with a `[reload]` that is up is told to reload.
    case reload
    case ignore
    /// Treated as if that signal had come (rewriting); rules are not applied a second time.
    case rewrite(SignalNumber)

    /// The words for all but `rewrite`, which is written as the name of the other signal.
    static let words = ["forward", "forward-group", "stop", "reload", "ignore"]
}

/// How much a line of the init's own log matters; the least important first.
public enum LogLevel: Int, Sendable { case debug, info, warning, error }

/// `init.toml`: what holds for the whole container.
public struct Settings: Sendable {
    /// The ceiling for the whole stop.
    public var shutdownTimeout: Interval = .seconds(9)
    /// Given to every service, under its own `[environment]`.
    public var environment: [EnvironmentChange] = []
    /// `log-level`: less important lines are left out.
    public var logLevel: LogLevel = .info
    /// `[control]`.
    public var control = ControlSettings()
    /// `state-directory`: where it is kept which services were asked up or down.
    public var stateDirectory = "/var/lib/hermes-init"
    /// What stands in `[signals]`; a signal that is not named has its usual action.
    public var signals: [(signal: SignalNumber, action: SignalAction)] = []
    /// The defaults.
    public init() {}
}

/// Everything that a set of folders says.
public struct Configuration: Sendable {
    /// In name order.
    public var services: [Service] = []
    /// Templates, in name order.
    public var templates: [ServiceTemplate] = []
    /// Services that a mask took away: they do not exist, but what requires one can be told why. In name order.
    public var maskedNames: [String] = []
    /// Services that have a file, of which nothing could be read; the mistake is told. In name order.
    public var brokenNames: [String] = []
    /// What init.toml says.
    public var settings = Settings()
    /// Nothing but defaults.
    public init() {}
}
