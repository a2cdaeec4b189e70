import ConfigParser
import System

/// The host's side of stages: what the runtime knows of plugins, which is no more than this. The `hermes-init` module makes
/// it from the registry of Plugins, since the two modules do not know each other.

/// The stages that there are, as the runtime sees them.
public struct Stages: Sendable {
    /// An option that a stage takes.
    public struct Option: Sendable {
        /// The key.
        public let name: String
        /// An array of strings rather than one string.
        public let isList: Bool
        /// Whether a file without it is wrong.
        public let isRequired: Bool

        /// An option as a plugin declares it.
        public init(name: String, isList: Bool, isRequired: Bool) {
            self.name = name
            self.isList = isList
            self.isRequired = isRequired
        }
    }
    /// The names, for suggestions.
    public let names: [String]
    /// The options of a stage; nil where there is none of that name.
    public let options: @Sendable (String) -> [Option]?
    /// Runs a stage to its end, in a child that was made for it. Gives the exit code.
    public let run: @Sendable (String, [(name: String, values: [Bytes])], Environment) -> Int32

    /// Made from a registry: its names, the options of each, and how to run one.
    public init(
        names: [String], options: @escaping @Sendable (String) -> [Option]?,
        run: @escaping @Sendable (String, [(name: String, values: [Bytes])], Environment) -> Int32
    ) {
        self.names = names
        self.options = options
        self.run = run
    }

    /// No stages at all.
    public static let none = Stages(names: [], options: { _ in nil }, run: { _, _, _ in 1 })
}

/// A stage that is about to run.
struct StageLaunch {
    var name: String
    var options: [(name: String, values: [Bytes])]
}

extension Stages {
    /// What is wrong with the stages that services name: unknown plugins, and options that they do not take.
    func check(_ services: [Service], _ diagnostics: inout [Diagnostic]) {
        for service in services {
            // The reader has told of an empty name.
            guard case .plugin(let name, let table) = service.action, name.name != "" else { continue }
            guard let known = options(name.name) else {
                report(name, &diagnostics)
                continue
            }
            for entry in table.entries {
                guard let option = known.first(where: { $0.name == entry.key }) else {
                    diagnostics.append(unknownOption(entry, of: name.name, known))
                    continue
                }
                check(entry.value, option, &diagnostics)
            }
            for option in known where option.isRequired && table.entry(option.name) == nil {
                diagnostics.append(
                    Diagnostic(
                        code: "missing-key", say("plugin % needs the option `%`", name.name, option.name),
                        at: Diagnostic.Label(table.entries.isEmpty ? name.span : table.span),
                        help: say("add `%` to [options]", option.name)))
            }
        }
    }

    private func report(_ name: Reference, _ diagnostics: inout [Diagnostic]) {
        var list = ""
        for known in names { list += (list.isEmpty ? "" : ", ") + known }
        var help = say("the plugins of this version: %", list)
        if let near = nearest(to: name.name, among: names) { help = say("did you mean \"%\"?", near) }
        diagnostics.append(
            Diagnostic(
                code: "unknown-plugin", say("there is no plugin \"%\"", name.name), at: Diagnostic.Label(name.span),
                help: help))
    }

    private func unknownOption(_ entry: Table.Entry, of plugin: String, _ known: [Option]) -> Diagnostic {
        var names = [String]()
        var list = ""
        for option in known {
            names.append(option.name)
            list += (list.isEmpty ? "" : ", ") + option.name
        }
        var help = say("its options: %", list)
        if let near = nearest(to: entry.key, among: names) { help = say("did you mean `%`?", near) }
        return Diagnostic(
            code: "unknown-key", say("plugin % has no option `%`", plugin, entry.key),
            at: Diagnostic.Label(entry.keySpan), help: help)
    }

    private func check(_ value: Value, _ option: Option, _ diagnostics: inout [Diagnostic]) {
        var wrong: Span?
        switch value.kind {
        case .string: break
        case .array(let elements) where option.isList:
            for element in elements {
                if case .string = element.kind { continue }
                wrong = element.span
            }
        default: wrong = value.span
        }
        guard let wrong else {
            checkTemplates(value, &diagnostics)
            return
        }
        diagnostics.append(
            Diagnostic(
                code: "wrong-type",
                say("`%` takes %", option.name, option.isList ? "a string or an array of strings" : "a string"),
                at: Diagnostic.Label(wrong)))
    }

    private func checkTemplates(_ value: Value, _ diagnostics: inout [Diagnostic]) {
        for text in Stages.strings(value) {
            _ = Template.parse(text.text, span: text.span, sources: SourceMap(), diagnostics: &diagnostics)
        }
    }

    /// The strings of an option with their places.
    static func strings(_ value: Value) -> [(text: String, span: Span)] {
        switch value.kind {
        case .string(let text): return [(text, value.span)]
        case .array(let elements):
            var found = [(text: String, span: Span)]()
            for element in elements { found += strings(element) }
            return found
        case .integer, .float, .boolean, .dateTime, .table: return []
        }
    }
}
