/// JSON Schema (draft 2020-12) of the files, for editors: made from the tables of SchemaKeys.swift, from which the reader
/// takes its keys, types and ranges too, so that the two cannot drift apart. It says all that the language of JSON Schema
/// can say of one file. What needs more than that (a circle, a name that no service has, a `delay` longer than its
/// `max-delay`) is left to `--check`; what it refuses, `--check` refuses too.

/// What a schema is of.
public enum SchemaSubject: Sendable {
    /// A service file, NAME.toml.
    case service
    /// A part of one, NAME.d/*.toml: nothing has to be there.
    case dropIn
    /// init.toml.
    case settings
}

/// The schema as JSON text, ending in a newline.
/// - Parameter plugins: the options of the stages that there are.
public func jsonSchema(of subject: SchemaSubject, plugins: [OptionTable]) -> String {
    var writer = SchemaWriter(plugins: plugins)
    writer.document(subject)
    return say("%\n", String(decoding: writer.json.bytes, as: UTF8.self))
}

private struct SchemaWriter {
    let plugins: [OptionTable]
    /// Whether what must be there has to be there: not in a drop-in.
    var isWhole = true
    var json = JSONWriter(pretty: true)

    init(plugins: [OptionTable]) { self.plugins = plugins }

    mutating func document(_ subject: SchemaSubject) {
        json.beginObject()
        json.field("$schema", "https://json-schema.org/draft/2020-12/schema")
        switch subject {
        case .service: json.field("title", "A service file of hermes-init (NAME.toml)")
        case .dropIn: json.field("title", "A drop-in of hermes-init (NAME.d/*.toml)")
        case .settings: json.field("title", "init.toml of hermes-init")
        }
        if case .dropIn = subject { isWhole = false }
        if case .settings = subject { table(.settings) } else { table(.service) }
        switch subject {
        case .service: rules(isWhole: true)
        case .dropIn: rules(isWhole: false)
        case .settings: break
        }
        json.key("$defs")
        json.literal(definitions)
        json.endObject()
    }

    /// What a table is, without the braces.
    private mutating func table(_ table: KeyTable) {
        json.field("type", "object")
        json.key("properties")
        json.beginObject()
        let keys = table.keys
        for key in keys { property(key) }
        json.endObject()
        json.key("additionalProperties")
        json.boolean(false)
        if !isWhole { return }
        var needed = [String]()
        for key in keys where key.isRequired { needed.append(key.name) }
        require(needed)
        if table.alternatives.isEmpty { return }
        json.key("oneOf")
        json.beginArray()
        for key in table.alternatives { json.literal(say(#"{"required": ["%"]}"#, key)) }
        json.endArray()
    }

    private mutating func property(_ key: Key) {
        json.key(key.name)
        json.beginObject()
        json.field("description", key.summary)
        if !key.fallback.isEmpty {
            json.key("default")
            if key.kind.isLiteral { json.literal(key.fallback) } else { json.string(key.fallback) }
        }
        switch key.kind {
        case .choice(let words): enumeration(words)
        case .boolean: json.field("type", "boolean")
        case .integer(let low, let high): range("integer", low, high)
        case .number(let low, let high): range("number", low, high)
        case .table(let inner): table(inner)
        case .flag(let inner): oneOf(#"{"type": "boolean"}"#, inner)
        case .operators:
            json.field("type", "array")
            json.key("items")
            json.beginObject()
            oneOf(##"{"$ref": "#/$defs/account"}"##, .oper)
            json.endObject()
        case .open(let content): reference(definition(content))
        case .tables(let inner):
            json.field("type", "array")
            json.key("items")
            json.beginObject()
            table(.options(inner))
            json.endObject()
        case .text where key.name == "plugin":
            // Another name may be that of an executable in the image.
            json.key("anyOf")
            json.beginArray()
            json.beginObject()
            var names = [String]()
            for plugin in plugins { names.append(plugin.plugin) }
            enumeration(names)
            json.endObject()
            json.beginObject()
            reference("part")
            json.endObject()
            json.endArray()
        case .text: reference(key.name == "script" ? "script" : key.name == "log" ? "part" : "line")
        case .size(let least):
            reference("size")
            json.key("minimum")
            json.integer(least)
        default: reference(definition(key.kind))
        }
        json.endObject()
    }

    /// That, or a table.
    private mutating func oneOf(_ other: String, _ inner: KeyTable) {
        json.key("anyOf")
        json.beginArray()
        json.literal(other)
        json.beginObject()
        table(inner)
        json.endObject()
        json.endArray()
    }

    private mutating func reference(_ name: String) { json.field("$ref", say("#/$defs/%", name)) }

    private mutating func enumeration(_ words: [String]) {
        json.key("enum")
        json.beginArray()
        for word in words { json.string(word) }
        json.endArray()
    }

    private mutating func range(_ type: String, _ low: Int, _ high: Int) {
        json.field("type", type)
        json.key("minimum")
        json.integer(low)
        json.key("maximum")
        json.integer(high)
    }

    // MARK: What depends on other keys

    /// - Parameter isWhole: whether what a service must have has to be there, and what is not there has its default.
    private mutating func rules(isWhole: Bool) {
        json.key("allOf")
        json.beginArray()
        if isWhole {
            rule("type", "group")
            let keys = KeyTable.service.keys
            for key in keys where key.needsProcess {
                json.key(key.name)
                json.boolean(false)
            }
            json.endObject()
            json.endObject()
            json.endObject()
            json.literal(wholeRules)
        }
        json.literal(partRules)
        for plugin in plugins { optionRule(plugin, isWhole: isWhole) }
        json.endArray()
    }

    /// The beginning of a rule for what a key is, up to what the other keys must then be; three objects are open.
    private mutating func rule(_ key: String, _ value: String) {
        json.beginObject()
        json.key("if")
        json.literal(say(#"{"properties": {"%": {"const": "%"}}, "required": ["%"]}"#, key, value, key))
        json.key("then")
        json.beginObject()
        json.key("properties")
        json.beginObject()
    }

    private mutating func optionRule(_ plugin: OptionTable, isWhole: Bool) {
        rule("plugin", plugin.plugin)
        json.key("options")
        json.beginObject()
        table(.options(plugin))
        json.endObject()
        json.endObject()
        var isNeeded = !plugin.alternatives.isEmpty
        for key in plugin.keys where key.isRequired { isNeeded = true }
        require(isNeeded && isWhole ? ["options"] : [])
        json.endObject()
        json.endObject()
    }

    private mutating func require(_ names: [String]) {
        if names.isEmpty { return }
        json.key("required")
        json.beginArray()
        for name in names { json.string(name) }
        json.endArray()
    }

    // MARK: Kinds of values

    private func definition(_ content: OpenContent) -> String {
        switch content {
        case .environment: return "environment"
        case .equals: return "equals"
        case .signals: return "signals"
        case .options: return "options"
        }
    }

    /// The name of a kind among the definitions. Kinds that are written out where they stand have none.
    private func definition(_ kind: ValueKind) -> String {
        switch kind {
        case .duration(let moreThanZero): return moreThanZero ? "time" : "duration"
        case .names: return "names"
        case .patterns: return "patterns"
        case .command: return "command"
        case .paths: return "files"
        case .pathOrPaths: return "paths"
        case .variables: return "variables"
        case .account: return "account"
        case .accounts: return "accounts"
        case .mode: return "mode"
        case .fileMode: return "fileMode"
        case .content: return "template"
        case .templates: return "paths"
        case .modes: return "modes"
        case .signal: return "stopSignal"
        case .exitConditions: return "ends"
        case .wordLists: return "words"
        case .template: return "path"
        case .size: return "size"
        case .notify: return "notify"
        case .capabilities: return "capabilities"
        case .limit(let unit):
            switch unit {
            case .bytes: return "byteLimit"
            case .seconds: return "timeLimit"
            default: return "countLimit"
            }
        case .amount(let unit):
            switch unit {
            case .bytes: return "byteAmount"
            case .processors: return "processors"
            default: return "countAmount"
            }
        case .text, .boolean, .integer, .number, .choice, .table, .open, .tables, .flag, .operators: return "line"
        }
    }

    private var definitions: String {
        var actions = ""
        for word in SignalAction.words { actions += (actions.isEmpty ? "" : ", ") + shown(word) }
        return say(fixedDefinitions, signalPattern, actions)
    }

    /// Every spelling of a signal's name that `SignalNumber` reads. JSON Schema knows no pattern for both cases.
    private var signalPattern: String {
        var pattern: [UInt8] = []
        func add(_ text: StaticString) {
            for place in 0..<text.utf8CodeUnitCount {
                let byte = text.utf8Start[place]
                if byte >= 0x41 && byte <= 0x5A {
                    pattern += [0x5B, byte, byte | 0x20, 0x5D]
                } else {
                    pattern.append(byte)
                }
            }
        }
        add("(SIG)?(")
        let names = SignalNumber.names
        for place in names.indices where place > 0 {
            add(names[place])
            add("|")
        }
        add("POLL|IOT|CLD|RTMIN(\\\\+([0-2]?[0-9]|30))?|RTMAX(-([0-2]?[0-9]|30))?)")
        return String(decoding: pattern, as: UTF8.self)
    }
}
