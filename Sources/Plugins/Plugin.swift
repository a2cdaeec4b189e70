import CSystem
import ConfigParser
import System

/// What a stage is: a name, the options that it takes, and its work. A stage runs in a child process of its own, made by fork
/// without exec, so that a crash, a hang or a dropped privilege there never touches PID 1. In that child it may allocate,
/// wait and fail as it likes; what it wants to leave behind it says through its `StageReport`.
///
/// A new stage is one file here and one line in Registry.swift.

/// An option of a stage, as `[options]` may hold it. `--check` is made from these.
public struct PluginOption: Sendable {
    /// What its value must be.
    public enum Kind: Sendable { case string, strings }
    /// The key.
    public let name: String
    /// What its value must be.
    public let kind: Kind
    /// Whether a file without it is wrong.
    public let isRequired: Bool
    /// One line, for people.
    public let description: String

    init(_ name: String, _ kind: Kind, required: Bool, _ description: String) {
        self.name = name
        self.kind = kind
        isRequired = required
        self.description = description
    }
}

/// A stage.
public struct Plugin: Sendable {
    /// What `plugin = "…"` names.
    public let name: String
    /// The options that it takes.
    public let options: [PluginOption]
    /// Does the work, in the child. Gives the exit code: 0 where the stage is done.
    public let run: @Sendable (PluginOptions, Environment, StageReport) -> Int32
}

/// The options of one stage with their variables put in; keys and kinds were checked when the file was read.
public struct PluginOptions: Sendable {
    private var entries: [(name: String, values: [Bytes])]

    /// - Parameter entries: by key; one value for a string, any number for an array.
    public init(_ entries: [(name: String, values: [Bytes])]) { self.entries = entries }

    /// A string.
    public func value(_ name: String) -> Bytes? { values(name).first }

    /// An array; a single string counts as an array of one.
    public func values(_ name: String) -> [Bytes] {
        for entry in entries where entry.name == name { return entry.values }
        return []
    }
}

/// How a stage tells what it did: lines on stderr, variables on descriptor 3.
public struct StageReport: Sendable {
    /// Made by the host in the child.
    public init() {}

    /// The descriptor that exports go to.
    static let exports: Int32 = 3

    /// A line for the log: what was changed, or why it failed.
    public func say(_ text: String) { StageReport.write(Bytes((text + "\n").utf8), to: 2) }

    /// Gives a variable to everything that starts after the stage. False where it did not fit: all exports of a stage
    /// together have the room of a pipe (64 KiB).
    public func export(_ name: String, _ value: Bytes) -> Bool {
        var entry = Bytes(name.utf8)
        entry.append(0x3D)
        entry += value
        // The end of an entry; a value of the environment holds no NUL.
        if entry.contains(0) { return false }
        entry.append(0)
        return StageReport.write(entry, to: StageReport.exports)
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
