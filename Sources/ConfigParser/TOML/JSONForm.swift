/// A TOML document as JSON, in two forms. The plain one is for scripts: what JSON has is written as JSON has it, and what it
/// has not (dates, times, infinities, NaN) as a string. The typed one keeps every difference that TOML makes and is what
/// conformance suites compare: each value is an object of a type and a text. Reads nothing and decides nothing.

/// Writes the tree of a file as JSON.
public struct JSONForm {
    private var writer: JSONWriter
    private let isTyped: Bool

    /// - Parameters:
    ///   - table: what was read; tables lie at most `TOMLParser.maximumDepth` deep in one another.
    ///   - typed: in the tagged form of the toml-test suite, `{"type": "integer", "value": "1"}`.
    /// - Returns: the document on lines of its own, with a line feed at the end. Keys keep the order of the file.
    public static func text(_ table: Table, typed: Bool) -> [UInt8] {
        var form = JSONForm(writer: JSONWriter(pretty: true), isTyped: typed)
        form.write(table)
        return form.writer.bytes + [0x0A]
    }

    /// The plain form in one line, without a line feed.
    public static func line(_ table: Table) -> [UInt8] {
        var form = JSONForm(writer: JSONWriter(pretty: false), isTyped: false)
        form.write(table)
        return form.writer.bytes
    }

    private mutating func write(_ table: Table) {
        writer.beginObject()
        for entry in table.entries {
            writer.key(entry.key)
            write(entry.value)
        }
        writer.endObject()
    }

    private mutating func write(_ value: Value) {
        switch value.kind {
        case .table(let table): write(table)
        case .array(let elements):
            writer.beginArray()
            for element in elements { write(element) }
            writer.endArray()
        case .string(let text): scalar("string", text, isString: true)
        case .integer(let number): scalar("integer", String(number), isString: false)
        case .float(let number): scalar("float", decimalText(number), isString: !number.isFinite)
        case .boolean(let isTrue): scalar("bool", isTrue ? "true" : "false", isString: false)
        case .dateTime(let moment): scalar(moment.typeName, moment.text, isString: true)
        }
    }

    @inline(never)
    private mutating func scalar(_ type: String, _ text: String, isString: Bool) {
        if isTyped {
            writer.beginObject()
            writer.field("type", type)
            writer.field("value", text)
            writer.endObject()
        } else if isString {
            writer.string(text)
        } else {
            writer.literal(text)
        }
    }
}

extension DateTime {
    /// The name of the kind in the toml-test suite.
    fileprivate var typeName: String {
        if date == nil { return "time-local" }
        if time == nil { return "date-local" }
        return offset == nil ? "datetime-local" : "datetime"
    }

    /// RFC 3339, without what is not there; a fraction without the zeros at its end.
    fileprivate var text: String {
        var text = [UInt8]()
        if let date {
            add(date.year, 4, "", &text)
            add(date.month, 2, "-", &text)
            add(date.day, 2, "-", &text)
        }
        if let time {
            add(time.hour, 2, date == nil ? "" : "T", &text)
            add(time.minute, 2, ":", &text)
            add(time.second, 2, ":", &text)
            if time.nanosecond > 0 {
                add(time.nanosecond, 9, ".", &text)
                while text.last == Byte.zero { text.removeLast() }
            }
        }
        if offset == 0 {
            text.append(0x5A)
        } else if let offset {
            add(abs(offset) / 60, 2, offset < 0 ? "-" : "+", &text)
            add(abs(offset) % 60, 2, ":", &text)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A mark and a number of that many digits.
    @inline(never)
    private func add(_ number: Int, _ digits: Int, _ mark: String, _ text: inout [UInt8]) {
        text += mark.bytes
        var power = 1
        for _ in 1..<digits { power &*= 10 }
        while power > 0 {
            text.append(Byte.zero &+ UInt8(truncatingIfNeeded: number / power % 10))
            power /= 10
        }
    }
}
