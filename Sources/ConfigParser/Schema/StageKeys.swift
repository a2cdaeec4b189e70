/// The options of stages as tables of keys: what a plugin takes is a list of the same lines as those of the format itself
/// (SchemaKeys.swift), so unknown keys, wrong types, ranges and suggestions are told by the same reader, and the JSON Schema
/// and docs/stages.md come from the same lines. Here a table of options is read twice: for its mistakes when the file is
/// read, and for its values when the stage starts, since only then the variables in them are known.

/// The keys of `[options]` of one plugin, or of a table among them.
public final class OptionTable: Sendable {
    /// The plugin that takes them.
    public let plugin: String
    /// What the plugin does, in one line.
    public let summary: String
    /// How it is written in a file: "[options]", "[[options.file]]".
    public let header: String
    /// In the order of the documentation.
    public let keys: [Key]
    /// Just one of these keys must be there; none where it does not matter.
    public let alternatives: [String]
    /// The variables that the plugin may export beside the one that its option `export` names; nil: any.
    public let exports: [String]?

    /// A table of keys.
    /// - Parameter header: "[options]" for the options of a plugin themselves.
    public init(
        plugin: String, summary: String = "", header: String = "[options]", keys: [Key], alternatives: [String] = [],
        exports: [String]? = []
    ) {
        self.plugin = plugin
        self.summary = summary
        self.header = header
        self.keys = keys
        self.alternatives = alternatives
        self.exports = exports
    }

    /// Reads a table of options and tells of every mistake in it.
    /// - Parameters:
    ///   - table: as it stands in the file.
    ///   - sources: the file, for exact places.
    ///   - diagnostics: gets the mistakes.
    /// - Returns: all that could be made sense of, with the defaults of what is not there.
    public func read(_ table: Table, sources: SourceMap, diagnostics: inout [Diagnostic]) -> StageTemplates {
        let reading = Reading(sources: sources)
        let options = reading.options(table, self)
        diagnostics += reading.diagnostics
        return options
    }

    /// The defaults as if they stood in the file.
    fileprivate var fallbacks: Table {
        var text = [UInt8]()
        for key in keys where !key.fallback.isEmpty {
            let isLiteral = key.kind.isLiteral
            text += say(isLiteral ? "% = %\n" : "% = '%'\n", key.name, key.fallback).bytes
        }
        var ignored = [Diagnostic]()
        return TOMLParser.parse(file: FileID(index: -1), bytes: text, diagnostics: &ignored)
    }
}

extension ValueKind {
    /// Whether a default of it is written as it would stand in a file, rather than without the quotes.
    var isLiteral: Bool {
        switch self {
        case .boolean, .integer, .number, .names, .paths, .exitConditions, .pathOrPaths, .templates, .variables, .flag,
            .operators, .patterns:
            return true
        default: return false
        }
    }
}

/// The options of one stage with the variables still in them.
public struct StageTemplates: Sendable {
    fileprivate indirect enum Entry: Sendable {
        case value(StageValue)
        case template(Template)
        case templates([Template])
        case modes([(path: Template, mode: UInt32)])
        case tables([StageTemplates])
    }
    fileprivate var entries: [(name: String, entry: Entry)] = []

    /// Every text in which variables stand, also those of the tables in it.
    public var templates: [Template] {
        var all = [Template]()
        for (_, entry) in entries {
            switch entry {
            case .value: break
            case .template(let template): all.append(template)
            case .templates(let templates): all += templates
            case .modes(let list): for (path, _) in list { all.append(path) }
            case .tables(let list): for table in list { all += table.templates }
            }
        }
        return all
    }

    /// Puts the variables in.
    /// - Parameter put: from a string of the option of that name to what it stands for.
    public func expand<Failure: Error>(
        _ put: (Template, String) throws(Failure) -> [UInt8]
    ) throws(Failure) -> StageOptions {
        var options = StageOptions()
        for (name, entry) in entries {
            switch entry {
            case .value(let value): options.set(name, value)
            case .template(let template): options.set(name, .string(try put(template, name)))
            case .templates(let templates):
                var strings = [[UInt8]]()
                for template in templates { strings.append(try put(template, name)) }
                options.set(name, .strings(strings))
            case .modes(let list):
                var modes = [(path: [UInt8], mode: UInt32)]()
                for (path, mode) in list { modes.append((try put(path, name), mode)) }
                options.set(name, .modes(modes))
            case .tables(let list):
                var tables = [StageOptions]()
                for table in list { tables.append(try table.expand(put)) }
                options.set(name, .tables(tables))
            }
        }
        return options
    }
}

extension Reading {
    fileprivate func options(_ table: Table, _ kind: OptionTable) -> StageTemplates {
        let own = OpenTable(table, .options(kind), self)
        // What is wrong with a default is a mistake of ours, which a test finds.
        let fallbacks = OpenTable(kind.fallbacks, .options(kind), Reading(sources: SourceMap()))
        var options = StageTemplates()
        for key in kind.keys {
            let isThere = own.keySpan(key.name) != nil
            if !isThere && key.isRequired && !has(own.meant, key.name) {
                error(
                    "missing-key", say("% of the plugin % needs `%`", kind.header, kind.plugin, key.name),
                    at: table.span, help: say("add `%`: %", key.name, key.summary))
            }
            if let entry = (isThere ? own : fallbacks).option(key) { options.entries.append((key.name, entry)) }
        }
        if !kind.alternatives.isEmpty { _ = own.alternative() }
        return options
    }
}

extension OpenTable {
    /// The value of an option; nil where it is not there, or not what it should be.
    fileprivate func option(_ key: Key) -> StageTemplates.Entry? {
        guard let value = value(key.name) else { return nil }
        switch key.kind {
        case .text: return text(key.name).map { .value(.string($0.bytes)) }
        case .choice: return choice(key.name).map { .value(.string($0.bytes)) }
        case .boolean: return boolean(key.name).map { .value(.boolean($0)) }
        case .integer: return integer(key.name).map { .value(.integer(Int64($0))) }
        case .duration: return duration(key.name).map { .value(.duration($0)) }
        case .size(let least): return size(key.name, from: Int64(least)).map { .value(.integer($0)) }
        case .mode: return reading.mode(key.name, value, digits: 3).map { .value(.mode($0)) }
        case .fileMode: return reading.mode(key.name, value, digits: 4).map { .value(.mode($0)) }
        case .account: return reading.account(key.name, value).map { .template($0) }
        case .template: return template(key.name).map { .template($0) }
        case .content:
            guard case .string(let text) = value.kind else { return nil }
            return .template(reading.template(text, value.span))
        case .templates, .paths, .pathOrPaths: return templates(key.name).map { .templates($0) }
        case .variables:
            guard let names = strings(key.name) else { return nil }
            var list = [[UInt8]]()
            for (name, span) in names where reading.isVariable(name, span) { list.append(name.bytes) }
            return .value(.strings(list))
        case .modes: return modes(key.name)
        case .tables(let kind): return tables(key.name, value, kind)
        default: return nil
        }
    }

    /// A string or several, none of them empty.
    private func templates(_ key: String) -> [Template]? {
        guard let strings = strings(key) else { return nil }
        var templates = [Template]()
        for (text, span) in strings {
            if text.isEmpty {
                reading.error(
                    "bad-value", say("an entry of `%` cannot be empty", key), at: span, help: "take it out")
            }
            templates.append(reading.template(text, span))
        }
        return templates
    }

    private func modes(_ key: String) -> StageTemplates.Entry? {
        var modes = [(path: Template, mode: UInt32)]()
        for entry in entries(key) {
            switch entry.value.kind {
            case .string, .integer:
                guard let mode = reading.mode(entry.key, entry.value, digits: 4) else { continue }
                modes.append((reading.template(entry.key, entry.keySpan), mode))
            default: reportElement(key, entry.value, "octal digits such as \"0640\"")
            }
        }
        return .modes(modes)
    }

    private func tables(_ key: String, _ value: Value, _ kind: OptionTable) -> StageTemplates.Entry? {
        guard case .array(let values) = value.kind else { return nil }
        var tables = [StageTemplates]()
        for value in values {
            if case .table(let table) = value.kind {
                tables.append(reading.options(table, kind))
            } else {
                reading.error(
                    "wrong-type", say("each entry of `%` is a table, not %", key, value.kind.phrase), at: value.span,
                    help: say("write a line % above its keys", kind.header))
            }
        }
        return .tables(tables)
    }
}

extension Value {
    /// The same value with each string in it, however deep, put through a function. Values lie at most
    /// `TOMLParser.maximumDepth` deep in one another.
    public func mappingStrings<Failure: Error>(
        _ transform: (String, Span) throws(Failure) -> String
    ) throws(Failure) -> Value {
        switch kind {
        case .string(let text): return Value(.string(try transform(text, span)), span)
        case .array(let values):
            var mapped = [Value]()
            for value in values { mapped.append(try value.mappingStrings(transform)) }
            return Value(.array(mapped), span)
        case .table(var table):
            for place in table.entries.indices {
                table.entries[place].value = try table.entries[place].value.mappingStrings(transform)
            }
            return Value(.table(table), span)
        case .integer, .float, .boolean, .dateTime: return self
        }
    }
}
