/// Every key that a service file and init.toml may hold: one line each, with the kind of its value, its default and what it
/// means. The reader takes unknown keys, suggestions and type errors from these tables; the JSON Schema and the
/// documentation can be made from the same lines. What a value must be beyond its kind (a range, a combination) is not
/// said here but where it is read.
///
/// A new key is one line here and one line in the reader of its table.

/// The kind of a key's value: which types of TOML it accepts, and how that is said to a person.
public enum ValueKind: Sendable {
    /// A string that is taken as it stands.
    case text
    /// A string in which `${NAME}` is expanded when the service starts.
    case template
    case boolean
    /// An integer of that range.
    case integer(from: Int, to: Int)
    /// An integer or a float of that range.
    case number(from: Int, to: Int)
    /// "1m30s", or a number of seconds.
    case duration(moreThanZero: Bool)
    /// One of these words.
    case choice([String])
    /// Names of services.
    case names
    /// A program and its arguments.
    case command
    /// Paths, in which `${NAME}` is expanded.
    case paths
    /// A path or several.
    case pathOrPaths
    /// A name of an environment variable or several.
    case variables
    /// A name or a number of a user or group.
    case account
    case accounts
    /// Octal digits in a string, or an octal integer.
    case mode
    /// The same for a mode of a file, which has four digits.
    case fileMode
    /// A string as `.template`, which may be empty.
    case content
    /// A string in which `${NAME}` is expanded, or several; none of them empty.
    case templates
    /// A table of paths, in which `${NAME}` is expanded, and modes of files.
    case modes
    /// An array of tables of a stage's options: [[options.file]].
    case tables(OptionTable)
    /// A name of a signal or its number.
    case signal
    /// Exit codes and names of signals.
    case exitConditions
    /// Words, or several lists of words.
    case wordLists
    /// "1MiB", or a number of bytes, that many or more.
    case size(from: Int)
    /// A limit of setrlimit(2): N, "soft:hard" or "unlimited".
    case limit(Unit)
    /// A limit of a cgroup, or "max".
    case amount(Unit)
    /// Names of capabilities.
    case capabilities
    /// A descriptor, or "systemd".
    case notify
    /// true, false, or a table that says under which conditions it is true.
    case flag(KeyTable)
    /// Users, by name, and tables of that kind.
    case operators
    /// Names, in which `*` stands for any text.
    case patterns
    /// A table with keys of its own.
    case table(KeyTable)
    /// A table whose keys the user chooses.
    case open(OpenContent)
}

/// What a limit counts.
public enum Unit: Sendable { case bytes, count, seconds, processors }

/// What stands in a table whose keys the user chooses.
public enum OpenContent: Sendable {
    /// Environment variables: strings, integers, true; false takes one out.
    case environment
    /// Variables and the values that they must have.
    case equals
    /// Signals and what is done with them.
    case signals
    /// The options of a plugin, which knows them.
    case options

    /// As it stands behind "a table of".
    var phrase: String {
        switch self {
        case .environment: return "variables"
        case .equals: return "variables and their values"
        case .signals: return "signals and what is done with them"
        case .options: return "the options of the plugin"
        }
    }
}

/// A key.
public struct Key: Sendable {
    /// As it is written in a file.
    public let name: String
    /// What its value must be.
    public let kind: ValueKind
    private let writtenFallback: Literal
    private let writtenSummary: Literal
    /// It speaks of a process, so a group cannot have it.
    public let needsProcess: Bool
    /// A table without it is wrong.
    public let isRequired: Bool

    /// A line of a table.
    public init(
        _ name: String, _ kind: ValueKind, default fallback: Literal = "", process: Bool = false,
        required: Bool = false, _ summary: Literal
    ) {
        self.name = name
        self.kind = kind
        writtenFallback = fallback
        writtenSummary = summary
        self.needsProcess = process
        self.isRequired = required
    }

    /// The value it has where it is not set, as it would be written; empty where there is none.
    public var fallback: String { writtenFallback.text }
    /// One line for people.
    public var summary: String { writtenSummary.text }
}

/// A table of the format.
public enum KeyTable: CaseIterable, Sendable {
    /// The top of a service file.
    case service
    case when, limits, security, resources, restart, ready, health, stop, reload, log, instances
    /// `autostart` as a table: it has the keys of `when`.
    case autostart
    /// The top of init.toml.
    case settings
    /// `[control]` of init.toml, and one of its `operators`.
    case control, oper
    /// The options of a stage, or a table among them.
    case options(OptionTable)

    /// Those of the format itself; `autostart` stands for `when`.
    public static let allCases: [KeyTable] = [
        .service, .when, .limits, .security, .resources, .restart, .ready, .health, .stop, .reload, .log, .instances,
        .settings, .control, .oper,
    ]

    /// How it is written in a file; empty for the top of one.
    public var header: String {
        switch self {
        case .service, .settings: return ""
        case .when: return "[when]"
        case .limits: return "[limits]"
        case .security: return "[security]"
        case .resources: return "[resources]"
        case .restart: return "[restart]"
        case .ready: return "[ready]"
        case .health: return "[health]"
        case .stop: return "[stop]"
        case .reload: return "[reload]"
        case .log: return "[log]"
        case .instances: return "[instances]"
        case .autostart: return "[autostart]"
        case .control: return "[control]"
        case .oper: return "[[control.operators]]"
        case .options(let table): return table.header
        }
    }

    /// Its keys, in the order of the documentation.
    public var keys: [Key] {
        switch self {
        case .service: return Key.service
        case .when, .autostart: return Key.when
        case .limits: return Key.limits
        case .security: return Key.security
        case .resources: return Key.resources
        case .restart: return Key.restart
        case .ready: return Key.ready
        case .health: return Key.health
        case .stop: return Key.stop
        case .reload: return Key.reload
        case .log: return Key.log
        case .instances: return Key.instances
        case .control: return Key.control
        case .oper: return Key.oper
        case .settings: return Key.settings
        case .options(let table): return table.keys
        }
    }

    /// Of these keys just one must be set.
    public var alternatives: [String] {
        switch self {
        case .ready: return ["notify", "tcp", "unix", "http", "path", "log", "command"]
        case .health: return ["tcp", "unix", "http", "command", "watchdog"]
        case .reload: return ["signal", "command"]
        case .oper: return ["user", "group"]
        case .options(let table): return table.alternatives
        default: return []
        }
    }

    /// The line of a key.
    func key(_ name: String) -> Key? {
        let keys = keys
        return KeyTable.place(of: name, in: keys).map { keys[$0] }
    }

    /// What the value of a key must be: most questions want no more of its line, and a line is long to copy.
    func valueKind(of name: String) -> ValueKind? {
        let keys = keys
        guard let place = KeyTable.place(of: name, in: keys) else { return nil }
        // Not by the array's subscript, which copies the whole key.
        return keys.withUnsafeBufferPointer { $0[place].kind }
    }

    /// By index: a loop over the elements would copy, and so count references to, all that a key holds.
    @inline(never)
    private static func place(of name: String, in keys: [Key]) -> Int? {
        for place in keys.indices where keys[place].name.isInItselfSame(as: name) ?? (keys[place].name == name) {
            return place
        }
        return nil
    }
}

extension Key {
    static let service: [Key] = [
        Key("description", .text, "What the service is, in one line for people"),
        Key(
            "type", .choice(["longrun", "oneshot", "main", "group"]), default: "longrun",
            "longrun is kept running, oneshot runs to its end once, main is the main program, group is only a name"),
        Key("command", .command, process: true, "The program and its arguments, never given to a shell"),
        Key("script", .text, process: true, "Text run by /bin/sh -e, or by the interpreter of its own #! line"),
        Key("plugin", .text, process: true, "The stage that does the work, in place of a command"),
        Key("options", .open(.options), process: true, "What the stage is told"),
        Key(
            "route", .choice(["append", "replace", "auto"]), default: "append", process: true,
            "How the container's arguments meet the command of the main program"),
        Key(
            "autostart", .flag(.autostart), default: "true",
            "Whether it is started at boot without another service requiring it, or under which conditions"),
        Key(
            "remember", .boolean, default: "false",
            "Whether it is kept over restarts of the container that it was asked up or down"),
        Key("optional", .boolean, default: "false", "Its failure is logged and counts as done"),
        Key("essential", .boolean, default: "false", process: true, "When it ends for good, the container stops"),
        Key(
            "requires", .names, default: "[]",
            "Services that must be up before it starts, and that it cannot do without"),
        Key("wants", .names, default: "[]", "Services that are started, and waited for until each is up or has failed"),
        Key("after", .names, default: "[]", "Services that it starts after, where both are started anyway"),
        Key("before", .names, default: "[]", "Services that start after it, where both are started anyway"),
        Key("when", .table(.when), "Conditions that must all hold, else the service is skipped"),
        Key("user", .account, process: true, "The user that it runs as, by name or number"),
        Key("group", .account, process: true, "The group that it runs with; the user's own where it is not set"),
        Key(
            "groups", .accounts, process: true, "Its other groups; those of the user in /etc/group where it is not set"),
        Key("directory", .template, process: true, "The working directory"),
        Key("umask", .mode, process: true, "The permissions that its new files do not get, in octal"),
        Key("stdin", .choice(["null", "inherit"]), default: "null", process: true, "What its standard input is"),
        Key(
            "environment-files", .paths, default: "[]", process: true,
            "Files of NAME=value lines; a leading - allows one to be missing"),
        Key("environment", .open(.environment), process: true, "Environment variables; false takes one out"),
        Key(
            "environment-clear", .boolean, default: "false", process: true,
            "It gets none of the container's environment"),
        Key(
            "nice", .integer(from: -20, to: 19), process: true, "How much it lets other processes go first; 19 the most"
        ),
        Key(
            "oom-score-adj", .integer(from: -1000, to: 1000), process: true,
            "How likely it is killed where memory runs out; -1000 never, 1000 first"),
        Key("limits", .table(.limits), process: true, "What each of its processes may use (setrlimit)"),
        Key("security", .table(.security), process: true, "What it may not do, whoever it runs as"),
        Key("resources", .table(.resources), process: true, "What all its processes may use together (cgroup v2)"),
        Key(
            "start-timeout", .duration(moreThanZero: true), process: true,
            "How long its start may take; for ever where it is not set"),
        Key("restart", .table(.restart), process: true, "Whether and when it is started again after it ended"),
        Key("ready", .table(.ready), process: true, "How it is known that it is ready"),
        Key("health", .table(.health), process: true, "How its health is watched, and what is done without it"),
        Key("stop", .table(.stop), process: true, "How it is told to stop"),
        Key("reload", .table(.reload), process: true, "How it is told to read its configuration again"),
        Key("log", .table(.log), process: true, "Where its output goes"),
        Key("instances", .table(.instances), "Of a template NAME@.toml: which instances there are"),
    ]

    static let instances: [Key] = [
        Key("names", .names, default: "[]", "Instances that are always there"),
        Key("from", .template, "A path with one *: each that there is makes an instance, named by what * stands for"),
        Key(
            "default", .choice(["up", "down"]), default: "up",
            "Whether an instance that nobody has asked up or down starts at boot"),
        Key(
            "remember", .boolean, default: "false",
            "Whether it is kept over restarts of the container which instances were asked up or down"),
    ]

    static let when: [Key] = [
        Key("env", .variables, "Variables that must be 1, true, yes or on"),
        Key("env-set", .variables, "Variables that must be set, and not be empty"),
        Key("env-unset", .variables, "Variables that must not be set, or be empty"),
        Key("env-equals", .open(.equals), "Variables that must have just that value"),
        Key("path-exists", .pathOrPaths, "Paths that must exist"),
        Key("path-missing", .pathOrPaths, "Paths that must not exist"),
        Key("tty", .boolean, "Whether standard input and output must be a terminal, or must not"),
        Key("root", .boolean, "Whether the init must run as root, or must not"),
        Key("main", .wordLists, "How the arguments of the main program must begin"),
        Key("main-not", .wordLists, "How the arguments of the main program must not begin"),
    ]

    static let restart: [Key] = [
        Key(
            "policy", .choice(["always", "on-failure", "never"]), default: "always",
            "When it is started again: always for a longrun, never for the others where it is not set"),
        Key("delay", .duration(moreThanZero: false), default: "1s", "The wait before the first restart in a row"),
        Key(
            "factor", .number(from: 1, to: 1_000_000), default: "2",
            "By how much the wait grows from one quick death to the next"),
        Key("max-delay", .duration(moreThanZero: false), default: "30s", "The longest wait"),
        Key(
            "jitter", .number(from: 0, to: 1), default: "0.1",
            "The share by which a wait is made longer or shorter at random, 0 to 1"),
        Key(
            "reset-after", .duration(moreThanZero: false), default: "60s",
            "One that was up for so long is started again at once"),
        // The moments of that many starts are remembered for each service.
        Key("limit", .integer(from: 1, to: 10_000), "So many starts within `within`, then it has failed"),
        Key("within", .duration(moreThanZero: true), default: "60s", "The time in which `limit` counts"),
        Key("success-codes", .exitConditions, default: "[0]", "Exit codes and signals that mean success"),
        Key(
            "never-after", .exitConditions, default: "[]", "Exit codes and signals after which it is not started again"),
    ]

    static let stop: [Key] = [
        Key("signal", .signal, default: "SIGTERM", "The signal that tells it to stop"),
        Key("timeout", .duration(moreThanZero: false), default: "10s", "How long it may take before SIGKILL"),
        Key("command", .command, "Run before the signal is sent"),
    ]

    static let settings: [Key] = [
        Key(
            "shutdown-timeout", .duration(moreThanZero: true), default: "9s",
            "The ceiling for the whole stop of the container"),
        Key(
            "log-level", .choice(["error", "warning", "info", "debug"]), default: "info",
            "The least important lines that the init itself logs"),
        Key("environment", .open(.environment), "Environment variables of every service; false takes one out"),
        Key("signals", .open(.signals), "What is done with a signal sent to the init"),
        Key(
            "state-directory", .text, default: "/var/lib/hermes-init",
            "Where it is kept which services were asked up or down"),
        Key("control", .table(.control), "Who may ask the running init for what"),
        Key("restart", .table(.restart), "Defaults for the [restart] of every service"),
        Key("log", .table(.log), "Defaults for the [log] of every service"),
    ]
    static let control: [Key] = [
        Key(
            "mode", .choice(["status", "operators", "off"]), default: "status",
            "What everybody else may do: read the status, nothing, or there is no socket"),
        Key("operators", .operators, default: "[]", "Users and groups that may do more"),
        Key("http", .text, "A numeric address and port that serves /metrics, /health and /ready"),
    ]

    static let oper: [Key] = [
        Key("user", .account, "A user, by name or number"),
        Key("group", .account, "A group, by name or number"),
        Key("services", .patterns, "The services that it is about, with * for any text; all where it is not set"),
    ]
}
