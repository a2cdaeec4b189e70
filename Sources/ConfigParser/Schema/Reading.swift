/// The ground that all readers of the schema stand on: where mistakes are collected, and a table that was checked against
/// its keys. Every value that is given out has the type that its key asks for; a value that has not is told of once and
/// then treated as if it were not there. Nothing here knows what a service is.

/// The mistakes of one service, as they are found.
final class Reading {
    /// More mistakes than this in one service are counted, not told: a file of a million unknown keys must cost no more
    /// memory than its own size.
    static let most = 100

    let sources: SourceMap
    /// Of the file that is read, where it is a template.
    var instances = InstancePolicy()
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var untold = 0

    init(sources: SourceMap) { self.sources = sources }

    var isFull: Bool { diagnostics.count >= Reading.most }

    /// Counts a mistake that is not told.
    func skip() { untold &+= 1 }

    @inline(never)
    func add(_ diagnostic: Diagnostic) {
        if isFull { skip() } else { diagnostics.append(diagnostic) }
    }

    @inline(never)
    func error(
        _ code: Literal, _ title: String, at span: Span, _ text: Literal = "", context: [Diagnostic.Label] = [],
        notes: [String] = [], help: String? = nil
    ) {
        add(
            Diagnostic(
                code: code.text, title, at: .init(span, text.text), context: context, notes: notes, help: help))
    }

    /// Most mistakes need no more than this, and each argument that a call has not to pass makes it smaller.
    @inline(never)
    func error(_ code: Literal, _ title: String, at span: Span, help: String) {
        add(Diagnostic(code: code.text, title, at: .init(span), help: help))
    }

    /// The most usual of all: a value that the key cannot have.
    @inline(never)
    func bad(at span: Span, _ title: Literal, help: Literal) {
        error("bad-value", title.text, at: span, help: help.text)
    }

    /// The same with a word of the file's in the place of the `%`.
    @inline(never)
    func bad(at span: Span, _ pattern: Literal, _ word: String, help: Literal) {
        error("bad-value", say(pattern, word), at: span, help: help.text)
    }

    /// The same with two.
    @inline(never)
    func bad(at span: Span, _ pattern: Literal, _ first: String, _ second: String, help: Literal) {
        error("bad-value", say(pattern, first, second), at: span, help: help.text)
    }

    /// The same where what to do about it is put together too.
    @inline(never)
    @_disfavoredOverload
    func bad(
        at span: Span, _ pattern: Literal, _ first: String = "", _ second: String = "", _ third: String = "",
        help: String
    ) {
        error("bad-value", say(pattern, first, second, third), at: span, help: help)
    }

    /// Two things that cannot stand together; the other place is marked too, with a word about it.
    @inline(never)
    func contradiction(
        _ title: Literal, at span: Span, beside other: Span? = nil, _ text: Literal = "", help: Literal
    ) {
        contradiction(title.text, at: span, beside: other, text, help: help.text)
    }

    /// The same with words of the file's in it.
    @inline(never)
    @_disfavoredOverload
    func contradiction(
        _ title: String, at span: Span, beside other: Span? = nil, _ text: Literal = "", help: String
    ) {
        var context = [Diagnostic.Label]()
        if let other { context.append(.init(other, text.text)) }
        error("contradiction", title, at: span, context: context, help: help)
    }

    @inline(never)
    func warning(
        _ code: Literal, _ title: String, at span: Span, _ text: Literal = "", context: [Diagnostic.Label] = [],
        help: String? = nil
    ) {
        add(Diagnostic(.warning, code: code.text, title, at: .init(span, text.text), context: context, help: help))
    }

    /// The bytes of the file that a span names, as far as they exist.
    @inline(never)
    func source(_ span: Span) -> ArraySlice<UInt8> {
        guard let file = sources.file(span.file) else { return [] }
        let start = Int(span.start)
        let end = Int(span.end)
        guard start >= 0 && start <= end && end <= file.bytes.count else { return [] }
        return file.bytes[start..<end]
    }

    /// A string with its variables taken apart.
    @inline(never)
    func template(_ text: String, _ span: Span) -> Template {
        Template(parsing: text, span: span, reading: self)
    }

    /// False, with an error, where a text holds a NUL byte, which no argument, path or variable can.
    @inline(never)
    func hasNoNUL(_ text: String, _ span: Span) -> Bool {
        guard text.holds(0) else { return true }
        error(
            "bad-value", "cannot use a text with a NUL character (\\u0000)", at: span, "holds a NUL",
            help: "take the \\u0000 out: programs, paths and variables end at the first NUL")
        return false
    }

    /// Whether a name can be that of an environment variable; an error where not.
    @inline(never)
    func isVariable(_ name: String, _ span: Span) -> Bool {
        var mistake: String?
        if name.isEmpty { mistake = "it is empty" }
        if name.holds(0x3D) { mistake = "it holds a =" }
        if name.holds(0) { mistake = "it holds a NUL character" }
        guard let mistake else { return true }
        error(
            "bad-name", say("cannot use % as the name of a variable: %", shown(name), mistake), at: span,
            help: "use a name such as LOG_LEVEL")
        return false
    }
}

/// A table whose keys and types were checked.
final class OpenTable {
    let table: Table
    let kind: KeyTable
    let reading: Reading
    /// Keys that unknown ones were most likely meant to be: that one of these is missing needs no word of its own.
    private(set) var meant: [String] = []
    /// The marks of the keys that are there: most that a reader asks for are not.
    private var marks: UInt64 = 0

    /// Tells of every key that the table does not have and of every value of a wrong type.
    init(_ table: Table, _ kind: KeyTable, _ reading: Reading) {
        self.table = table
        self.kind = kind
        self.reading = reading
        for place in table.entries.indices {
            marks |= table.entries[place].key.mark
            guard let kind = kind.valueKind(of: table.entries[place].key) else {
                reportUnknown(table.entries[place])
                continue
            }
            if !kind.accepts(table.entries[place].value.kind) { reportType(table.entries[place], kind) }
        }
    }

    /// The place of a key among the entries. By index, since a loop over the elements would copy each.
    private func place(_ key: String) -> Int? {
        if marks & key.mark == 0 { return nil }
        for place in table.entries.indices
        where table.entries[place].key.isInItselfSame(as: key) ?? (table.entries[place].key == key) {
            return place
        }
        return nil
    }

    /// The value of a key, whatever its type.
    @inline(never)
    func value(_ key: String) -> Value? { place(key).map { table.entries[$0].value } }

    /// Where a key stands, whatever its value.
    @inline(never)
    @_disfavoredOverload
    func keySpan(_ key: String) -> Span? { place(key).map { table.entries[$0].keySpan } }

    /// Where a key stands, whatever its value.
    @inline(never)
    func keySpan(_ key: Literal) -> Span? { keySpan(key.text) }

    /// Where the value of a key stands.
    @inline(never)
    @_disfavoredOverload
    func valueSpan(_ key: String) -> Span { value(key)?.span ?? table.span }

    /// Where the value of a key stands.
    @inline(never)
    func valueSpan(_ key: Literal) -> Span { valueSpan(key.text) }

    @inline(never)
    func boolean(_ key: String) -> Bool? {
        guard case .boolean(let value)? = value(key)?.kind else { return nil }
        return value
    }

    @inline(never)
    func text(_ key: String) -> String? {
        guard let value = value(key), case .string(let text) = value.kind else { return nil }
        return reading.hasNoNUL(text, value.span) ? text : nil
    }

    /// A path or the like, which cannot be empty.
    @inline(never)
    func template(_ key: String) -> Template? {
        guard let value = value(key), case .string(let text) = value.kind else { return nil }
        if text.isEmpty {
            reading.bad(at: value.span, "`%` cannot be empty", key, help: say("give it a value, or leave `%` out", key))
            return nil
        }
        return reading.template(text, value.span)
    }

    /// One of the words that the key allows.
    @inline(never)
    func choice(_ key: String) -> String? {
        guard let value = value(key), case .string(let text) = value.kind,
            case .choice(let words)? = kind.valueKind(of: key)
        else { return nil }
        for word in words where word == text { return text }
        var help = say("write %", quotedChoice(words))
        if let near = nearest(to: text, among: words) { help = say("did you mean \"%\"?", near) }
        reading.bad(at: value.span, "`%` cannot be %", key, shown(text), help: help)
        return nil
    }

    /// The table of a key, checked in its turn.
    @inline(never)
    func open(_ key: String) -> OpenTable? {
        guard case .table(let inner)? = value(key)?.kind else { return nil }
        switch kind.valueKind(of: key) {
        case .table(let kind)?, .flag(let kind)?: return OpenTable(inner, kind, reading)
        default: return nil
        }
    }

    /// The table of a key whose keys are the user's.
    @inline(never)
    func entries(_ key: String) -> [Table.Entry] {
        guard case .table(let inner)? = value(key)?.kind else { return [] }
        return inner.entries
    }

    /// The strings of a list, or the one string that stands in its place; what is no string is told of and left out.
    @inline(never)
    func strings(_ key: String) -> [(text: String, span: Span)]? {
        guard let value = value(key) else { return nil }
        switch value.kind {
        case .string(let text):
            guard kind.valueKind(of: key)?.accepts(value.kind) == true else { return nil }
            return [(text, value.span)]
        case .array(let values):
            var result = [(text: String, span: Span)]()
            result.reserveCapacity(values.count)
            for place in values.indices {
                if case .string(let text) = values[place].kind {
                    result.append((text, values[place].span))
                } else {
                    reportElement(key, values[place], "a string")
                }
            }
            return result
        default: return nil
        }
    }

    /// An element of a list has a wrong type.
    @inline(never)
    func reportElement(_ key: String, _ value: Value, _ expected: String) {
        var help = say("write %", expected)
        if case .integer = value.kind { help = "put the number in quotes" }
        reading.error(
            "wrong-type", say("each entry of `%` is %, not %", key, expected, value.kind.phrase), at: value.span,
            help: help)
    }

    private func reportType(_ entry: Table.Entry, _ kind: ValueKind) {
        var help = kind.example
        if case .string(let text) = entry.value.kind {
            if case .command = kind { help = commandHelp(text) }
            if case .names = kind { help = say("write it in brackets: [%]", shown(text)) }
            if case .paths = kind { help = say("write it in brackets: [%]", shown(text)) }
        }
        if case .text = kind { help = "put the value in quotes" }
        if case .template = kind { help = "put the value in quotes" }
        if case .content = kind { help = "put the value in quotes" }
        if case .table(let inner) = kind { help = say("write its keys below a line %", inner.header) }
        if case .open = kind { help = say("write them as NAME = value below a line [%]", entry.key) }
        reading.error(
            "wrong-type", say("`%` takes %, not %", entry.key, kind.phrase, entry.value.kind.phrase),
            at: entry.value.span,
            help: help)
    }

    /// How a command that was written as one string is written right.
    private func commandHelp(_ text: String) -> String {
        var list = [UInt8]()
        var isWordOpen = false
        for byte in text.bytes {
            if byte < 0x20 || byte > 0x7E || byte == 0x22 || byte == 0x27 || byte == 0x5C || list.count > 200 {
                return "write the program and its arguments as a list, such as [\"sleep\", \"60\"]"
            }
            if byte == 0x20 {
                if isWordOpen { list.append(0x22) }
                isWordOpen = false
                continue
            }
            if !isWordOpen { list += list.isEmpty ? [0x22] : [0x2C, 0x20, 0x22] }
            isWordOpen = true
            list.append(byte)
        }
        if isWordOpen { list.append(0x22) }
        return say(
            "write it as a list of words: [%]; what needs a shell goes into `script`",
            String(decoding: list, as: UTF8.self))
    }

    private func reportUnknown(_ entry: Table.Entry) {
        // The search for a near name is spared where nobody would see it.
        if reading.isFull { return reading.skip() }
        var place = kind.header.isEmpty ? (kind.isSettings ? " in init.toml" : "") : say(" in %", kind.header)
        if case .options(let table) = kind { place += say(" of the plugin %", table.plugin) }
        var names = [String]()
        for key in kind.keys { names.append(key.name) }
        var help: String?
        if let near = nearest(to: entry.key, among: names) {
            help = say("did you mean `%`?", near)
            meant.append(near)
        } else if let home = kind.home(of: entry.key) {
            help = say("`%` is a key of %", entry.key, home)
        } else {
            help = say("the keys here are %", list(names))
        }
        reading.error(
            "unknown-key", say("there is no key `%`%", shown(entry.key, quotes: false), place), at: entry.keySpan,
            help: help)
    }

    private func list(_ names: [String]) -> String {
        var text = ""
        for (place, name) in names.enumerated() { text += place > 0 ? say(", %", name) : name }
        return text
    }
}

extension KeyTable {
    var isSettings: Bool {
        if case .settings = self { return true }
        return false
    }

    /// The tables of a service file, those first that a lost key most likely belongs to.
    private static let byUse: [KeyTable] = [
        .restart, .stop, .when, .ready, .health, .log, .limits, .security, .resources, .instances,
    ]

    /// The other table that has a key of that name, as it is called in a message.
    func home(of name: String) -> String? {
        if case .service = self {
        } else if KeyTable.service.key(name) != nil {
            return "a service file, above its first [table]"
        }
        for table in KeyTable.byUse where table.key(name) != nil { return table.header }
        return KeyTable.settings.key(name) != nil ? "init.toml" : nil
    }
}
