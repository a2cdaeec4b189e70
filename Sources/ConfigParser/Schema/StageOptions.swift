/// The options of a stage (`[options]`): checked against the stage's own keys, their variables put in, as its code works with
/// them. The keys are lines of the same kind as those of the format itself (SchemaKeys.swift), so that the reader, the JSON
/// Schema and the documentation take a stage's options from one table, as they take everything else.

/// The value of an option.
public indirect enum StageValue: Sendable {
    /// A text, a path, a name: any bytes but NUL.
    case string([UInt8])
    case strings([[UInt8]])
    case boolean(Bool)
    case integer(Int64)
    case duration(Interval)
    /// A mode of a file, 0 to 0o7777.
    case mode(UInt32)
    /// Paths and their modes, in the order of the file.
    case modes([(path: [UInt8], mode: UInt32)])
    /// An array of tables.
    case tables([StageOptions])
}

/// The options of one stage, or one table of them. What has a default is always there; a required one too.
public struct StageOptions: Sendable {
    private var entries: [(name: String, value: StageValue)] = []

    /// None.
    public init() {}

    /// Adds an option, or replaces it.
    public mutating func set(_ name: String, _ value: StageValue) {
        for place in entries.indices where entries[place].name == name {
            entries[place].value = value
            return
        }
        entries.append((name, value))
    }

    /// An option; nil where it was not set and has no default.
    public func value(_ name: String) -> StageValue? {
        for entry in entries where entry.name == name { return entry.value }
        return nil
    }

    /// A string that is not empty; nil for an empty one, and where there is none.
    @inline(never)
    public func string(_ name: Literal) -> [UInt8]? {
        if case .string(let text)? = value(name.text), !text.isEmpty { return text }
        return nil
    }

    /// A list of strings; a single string counts as a list of one.
    @inline(never)
    public func strings(_ name: Literal) -> [[UInt8]] {
        switch value(name.text) {
        case .strings(let list)?: return list
        case .string(let text)?: return [text]
        default: return []
        }
    }

    /// Whether it is set to true.
    @inline(never)
    public func boolean(_ name: Literal) -> Bool {
        if case .boolean(let value)? = value(name.text) { return value }
        return false
    }

    /// An integer.
    @inline(never)
    public func integer(_ name: Literal) -> Int64? {
        if case .integer(let value)? = value(name.text) { return value }
        return nil
    }

    /// A length of time.
    @inline(never)
    public func duration(_ name: Literal) -> Interval? {
        if case .duration(let value)? = value(name.text) { return value }
        return nil
    }

    /// A mode of a file.
    @inline(never)
    public func mode(_ name: Literal) -> UInt32? {
        if case .mode(let value)? = value(name.text) { return value }
        return nil
    }

    /// Paths and their modes.
    @inline(never)
    public func modes(_ name: Literal) -> [(path: [UInt8], mode: UInt32)] {
        if case .modes(let value)? = value(name.text) { return value }
        return []
    }

    /// An array of tables.
    @inline(never)
    public func tables(_ name: Literal) -> [StageOptions] {
        if case .tables(let value)? = value(name.text) { return value }
        return []
    }
}
