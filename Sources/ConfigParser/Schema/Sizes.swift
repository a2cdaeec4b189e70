/// Sizes of the format: a number of bytes, or a number with one unit of K, M, G, T (of 1024) or KiB, MiB, GiB, TiB. Never
/// negative, never more than 2^63 - 1.

/// The number at a place of a text, and the place behind it. nil: larger than 2^63 - 1. Without a digit 0, and the same place.
@inline(never)
func scanNumber(_ bytes: [UInt8], _ place: inout Int) -> Int64? {
    var number: Int64 = 0
    while place < bytes.count, bytes[place] >= 0x30, bytes[place] <= 0x39 {
        let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tens.addingReportingOverflow(Int64(bytes[place] &- 0x30))
        if overflow || carry { return nil }
        number = sum
        place &+= 1
    }
    return number
}

/// A number, or why a text is none.
enum ParsedNumber {
    case number(Int64)
    /// What is wrong, as it stands behind "cannot read …: ", and what to do.
    indirect case mistake(String, help: String)

    /// Bytes.
    static func size(_ text: String) -> ParsedNumber {
        let bytes = text.bytes
        var place = 0
        guard let number = scanNumber(bytes, &place) else { return tooLarge }
        if place == 0 { return noNumber(text, help: "write a size such as \"64K\" or \"1MiB\"") }
        let unit = bytes[place...]
        var shift: Int64?
        for (power, names) in units.enumerated() where same(unit, names.0) || same(unit, names.1) {
            shift = Int64(power) &* 10
        }
        guard let shift else {
            return .mistake(
                say("% is no unit", shown(String(decoding: unit, as: UTF8.self))),
                help: "the units are K, M, G and T, each 1024 of the one before; KiB, MiB, GiB and TiB are the same")
        }
        let size = number << shift
        return size >> shift == number && size >= 0 ? .number(size) : tooLarge
    }

    /// Nothing but digits.
    static func count(_ text: String) -> ParsedNumber {
        let bytes = text.bytes
        var place = 0
        guard let number = scanNumber(bytes, &place) else { return tooLarge }
        return place == 0 || place < bytes.count
            ? noNumber(text, help: "write a number such as 4096; it counts, so it has no unit") : .number(number)
    }

    /// Whole seconds: digits, or a duration.
    static func seconds(_ text: String) -> ParsedNumber {
        if case .number(let seconds) = count(text) { return .number(seconds) }
        switch Interval.parse(text) {
        case .mistake(let why, let help): return .mistake(why, help: help)
        case .interval(let interval) where interval.nanoseconds % 1_000_000_000 == 0:
            return .number(interval.nanoseconds / 1_000_000_000)
        case .interval: return .mistake("it is not a whole number of seconds", help: "write a duration such as \"90s\"")
        }
    }

    private static let units: [(StaticString, StaticString)] = [
        ("", ""), ("K", "KiB"), ("M", "MiB"), ("G", "GiB"), ("T", "TiB"),
    ]
    private static let tooLarge = ParsedNumber.mistake("it is too large", help: "write a smaller number")

    private static func noNumber(_ text: String, help: String) -> ParsedNumber {
        if text.utf8.first == 0x2D { return .mistake("it is negative", help: help) }
        return .mistake(text.isEmpty ? "it is empty" : say("% is no number", shown(text)), help: help)
    }
}

extension OpenTable {
    /// A number that was read from the value of a key; an error where it is none.
    @inline(never)
    func number(_ parsed: ParsedNumber, of key: String, at span: Span) -> Int64? {
        switch parsed {
        case .number(let number): return number
        case .mistake(let why, let help):
            reading.bad(at: span, "cannot read the value of `%`: %", key, why, help: help)
            return nil
        }
    }

    /// A size of at least so many bytes.
    @inline(never)
    func size(_ key: String, from least: Int64) -> Int64? {
        guard let value = value(key) else { return nil }
        var size: Int64?
        switch value.kind {
        case .integer(let bytes): size = bytes
        case .string(let text): size = number(.size(text), of: key, at: value.span)
        default: break
        }
        guard let size, size < least else { return size }
        reading.bad(
            at: value.span, "`%` must be % bytes or more", key, String(least),
            help: "write a size such as \"512K\" or \"64M\"")
        return nil
    }

    /// An integer of the range that the key has.
    @inline(never)
    func integer(_ key: String, help: String = "") -> Int? {
        guard case .integer(let number)? = value(key)?.kind,
            case .integer(let low, let high)? = kind.valueKind(of: key)
        else { return nil }
        if number >= low && number <= high { return Int(number) }
        reading.bad(
            at: valueSpan(key), "`%` must be from % to %", key, String(low), String(high),
            help: help.isEmpty ? say("write a number from % to %", String(low), String(high)) : help)
        return nil
    }
}
