/// What the tests of the reader share: reading a text, and writing its values in a short form that a table of cases can
/// hold.

import ConfigParser

/// What came of a text.
struct Reading {
    var table: Table
    var diagnostics: [Diagnostic]
    var bytes: [UInt8]

    init(_ text: String, version: TOMLVersion = .v1_1) {
        self.init(bytes: [UInt8](text.utf8), version: version)
    }

    init(bytes: [UInt8], version: TOMLVersion = .v1_1) {
        self.bytes = bytes
        diagnostics = []
        table = TOMLParser.parse(file: FileID(index: 0), bytes: bytes, version: version, diagnostics: &diagnostics)
    }

    var codes: [String] { diagnostics.map(\.code) }

    func text(_ span: Span) -> String {
        String(decoding: bytes[Int(span.start)..<Int(span.end)], as: UTF8.self)
    }

    /// Every span of the result and of the messages.
    var spans: [Span] {
        var all = Reading.spans(table)
        for diagnostic in diagnostics {
            for label in diagnostic.context + [diagnostic.primary].compactMap({ $0 }) { all.append(label.span) }
        }
        return all
    }

    var spansAreInBounds: Bool {
        spans.allSatisfy { $0.start >= 0 && $0.start <= $0.end && Int($0.end) <= bytes.count && $0.file.index == 0 }
    }

    private static func spans(_ table: Table) -> [Span] {
        [table.span] + table.entries.flatMap { [$0.keySpan] + spans($0.value) }
    }

    private static func spans(_ value: Value) -> [Span] {
        switch value.kind {
        case .array(let elements): return [value.span] + elements.flatMap { spans($0) }
        case .table(let table): return [value.span] + spans(table)
        default: return [value.span]
        }
    }
}

/// A table in short: `{a: 1, b: "x", c: [true, 1.5f]}`.
func short(_ table: Table) -> String {
    "{" + table.entries.map { "\($0.key): \(short($0.value))" }.joined(separator: ", ") + "}"
}

func short(_ value: Value) -> String {
    switch value.kind {
    case .string(let text):
        return text.debugDescription.split(separator: "\\'", omittingEmptySubsequences: false).joined(separator: "'")
    case .integer(let number): return String(number)
    case .float(let number): return "\(number)f"
    case .boolean(let flag): return String(flag)
    case .array(let elements): return "[" + elements.map { short($0) }.joined(separator: ", ") + "]"
    case .table(let table): return short(table)
    case .dateTime(let moment):
        var parts = [String]()
        if let date = moment.date { parts.append("\(date.year)-\(date.month)-\(date.day)") }
        if let time = moment.time { parts.append("\(time.hour):\(time.minute):\(time.second).\(time.nanosecond)") }
        if let offset = moment.offset { parts.append("\(offset)min") }
        return "<" + parts.joined(separator: " ") + ">"
    }
}

/// A fixed sequence of numbers that look random (SplitMix64), so that a failure comes again.
struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
