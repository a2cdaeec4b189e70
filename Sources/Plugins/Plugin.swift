import CSystem
import ConfigParser
import System

/// What a stage is: a name, the options that it takes, and its work. A stage runs in a child process of its own, made by fork
/// without exec, so that a crash, a hang or a dropped privilege there never touches PID 1. In that child it may allocate,
/// wait and fail as it likes; what it wants to leave behind it says through its `StageReport`. A stage is idempotent: where
/// all is as it should be it says nothing and changes nothing.
///
/// A new stage is one file here and one line in Registry.swift.

/// A stage.
public struct Plugin: Sendable {
    /// Its name, what it does, and the options that it takes: `--check`, `--schema` and docs/stages.md are made from these.
    public let table: OptionTable
    /// Does the work, in the child. Gives the exit code: 0 where the stage is done; otherwise it has said why not.
    public let run: @Sendable (StageOptions, StageContext) -> Int32

    /// A stage.
    /// - Parameters:
    ///   - name: what `plugin = "…"` names.
    ///   - summary: what it does, in one line.
    ///   - keys: its options; one that has a default, or is required, is always there when it runs.
    ///   - alternatives: options of which just one must be there.
    ///   - exports: the variables that it may export beside the one that its option `export` names; nil: any.
    ///   - run: its work.
    init(
        name: String, summary: String, keys: [Key], alternatives: [String] = [], exports: [String]? = [],
        run: @escaping @Sendable (StageOptions, StageContext) -> Int32
    ) {
        table = OptionTable(plugin: name, summary: summary, keys: keys, alternatives: alternatives, exports: exports)
        self.run = run
    }

    /// What `plugin = "…"` names.
    public var name: String { table.plugin }
}

/// What a stage sees beside its options.
public struct StageContext: Sendable {
    /// The environment that a process of its service would get.
    public let environment: Environment
    /// The arguments of the main program, as the container got them.
    public let arguments: [Bytes]
    /// The container's stdin and stdout are a terminal. The stage's own descriptors never are.
    public let isTerminal: Bool
    /// Nothing is to be changed; what would be is told.
    public let isDryRun: Bool
    /// How it tells what it did.
    public let report: StageReport
    /// The users and groups as services are started with them; nil: as the files in /etc say.
    public let accounts: Accounts?

    /// Made by the host in the child.
    public init(
        environment: Environment = Environment(), arguments: [Bytes] = [], isTerminal: Bool = false,
        isDryRun: Bool = false, report: StageReport = StageReport(), accounts: Accounts? = nil
    ) {
        self.environment = environment
        self.arguments = arguments
        self.isTerminal = isTerminal
        self.isDryRun = isDryRun
        self.report = report
        self.accounts = accounts
    }

    /// Tells of something that was changed, or in a dry run would be: `changed("created", "create", "/opt/data")`.
    func changed(_ done: String, _ would: String, _ rest: String) {
        report.changed(say(isDryRun ? "would % %" : "% %", isDryRun ? would : done, rest))
    }
}

/// How a stage tells what it did: lines on stderr, which become the log of its service, and records on descriptor 3, each
/// ended by a NUL. Records count only where the stage succeeds.
public struct StageReport: Sendable {
    private let log: Int32
    private let records: Int32

    /// Made by the host in the child.
    /// - Parameters:
    ///   - log: the descriptor for lines.
    ///   - records: the one for records.
    public init(log: Int32 = 2, exports records: Int32 = 3) {
        self.log = log
        self.records = records
    }

    /// A line for the log: why it failed, or what a person should know.
    @inline(never)
    @_disfavoredOverload
    public func say(_ text: String) { StageReport.write(Bytes(text.utf8) + [0x0A], to: log) }

    /// The same for a line that is written down.
    @inline(never)
    func say(_ text: Literal) { say(text.text) }

    /// The same with words in the places of the `%`.
    @inline(never)
    func say(_ pattern: Literal, _ first: String) { say(ConfigParser.say(pattern, first)) }

    /// The same with two words.
    @inline(never)
    func say(_ pattern: Literal, _ first: String, _ second: String) {
        say(ConfigParser.say(pattern, first, second))
    }

    /// The same with three words.
    @inline(never)
    func say(_ pattern: Literal, _ first: String, _ second: String, _ third: String) {
        say(ConfigParser.say(pattern, first, second, third))
    }

    /// The same with four words.
    @inline(never)
    func say(_ pattern: Literal, _ first: String, _ second: String, _ third: String, _ fourth: String) {
        say(ConfigParser.say(pattern, first, second, third, fourth))
    }

    /// A line about something that was changed, and about nothing else; in a dry run "would …".
    public func changed(_ text: String) { say(text) }

    /// Gives a variable to everything that starts after the stage. False, and the reason was said, where it cannot: all
    /// records of a stage together have 64 KiB.
    public func export(_ name: String, _ value: Bytes) -> Bool {
        if name.isEmpty || name.utf8.contains(0x3D) || name.utf8.contains(0) || value.contains(0) {
            say("cannot export %: its name or its value holds a NUL, or its name a =", Bytes(name.utf8).shown)
            return false
        }
        return record(Bytes(name.utf8) + [0x3D] + value, of: name)
    }

    /// `=quiet`: from now on services' output is kept off the terminal.
    func becomeQuiet() -> Bool { record(Bytes("=quiet"), of: "=quiet") }

    /// `=user NAME UID GID GID,GID…`: from now on that name means these numbers.
    func setUser(_ name: Bytes, uid: UInt32, gid: UInt32, groups: [UInt32]) -> Bool {
        var text = ConfigParser.say(" % %", String(uid), String(gid))
        for (place, group) in groups.enumerated() {
            text += ConfigParser.say(place == 0 ? " %" : ",%", String(group))
        }
        return record(Bytes("=user ") + name + Bytes(text.utf8), of: "=user")
    }

    private func record(_ text: Bytes, of name: String) -> Bool {
        if StageReport.write(text + [0], to: records) { return true }
        say("cannot export %: all exports of a stage together have room for 64 KiB", name)
        return false
    }

    @discardableResult
    private static func write(_ bytes: Bytes, to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { CSystem.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if Errno.current.code == EINTR { continue }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
