/// One mistake (or warning), told once, in the words of the user's file: what is wrong, where, why, and what to do.
public struct Diagnostic: Sendable {
    /// How bad it is: an error keeps a container from booting, a warning does not.
    public enum Severity: Sendable { case error, warning }

    /// A place with an optional word about it ("first defined here").
    public struct Label: Sendable {
        /// The bytes that are marked.
        public var span: Span
        /// A word about them, or nothing.
        public var text: String
        /// A mark with an optional word.
        public init(_ span: Span, _ text: String = "") {
            self.span = span
            self.text = text
        }
    }

    /// Whether it keeps a container from booting.
    public var severity: Severity
    /// A stable short code, e.g. "toml-duplicate-key": what `hermes-init explain` and suppressions refer to.
    public var code: String
    /// One line without a final full stop.
    public var title: String
    /// The place to mend; nil where the mistake is in no file (a folder that cannot be read).
    public var primary: Label?
    /// Other places that explain the first ("first defined here", the arrows of a cycle), in the order to show them.
    public var context: [Label]
    /// Further facts, each a line.
    public var notes: [String]
    /// What to do about it.
    public var help: String?

    /// A diagnostic of which only the code and the title must be given.
    public init(
        _ severity: Severity = .error, code: String, _ title: String, at primary: Label? = nil, context: [Label] = [],
        notes: [String] = [], help: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.title = title
        self.primary = primary
        self.context = context
        self.notes = notes
        self.help = help
    }
}

extension Diagnostic {
    /// Diagnostics in the order of the files in their `SourceMap` and of the lines in each; those of no file come
    /// first, and those of one place stay in the order given.
    public static func sorted(_ all: [Diagnostic]) -> [Diagnostic] {
        var keys = [Int]()
        keys.reserveCapacity(all.count)
        for diagnostic in all {
            let span = diagnostic.primary?.span
            keys.append(Int(span?.file.index ?? -1) << 32 | Int(max(span?.start ?? 0, 0)))
        }
        var sorted = [Diagnostic]()
        sorted.reserveCapacity(all.count)
        for place in order(keys) { sorted.append(all[place]) }
        return sorted
    }
}
