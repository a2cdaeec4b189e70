/// Durations of the format: "500ms", "10s", "1m30s", "2h", "1d", or a number of seconds. Never negative, never more than
/// `Interval.longest`, so that a sum of a moment and a duration cannot leave the range of the clock.

extension Interval {
    /// A hundred years of 365.25 days.
    static let longest = Interval.seconds(3_155_760_000)

    /// A duration as it is written, or why it is none.
    enum Parsed {
        case interval(Interval)
        /// What is wrong, as it stands behind "cannot be read: ", and what to do.
        indirect case mistake(String, help: String)
    }

    private static let exampleHelp = "write a duration such as \"500ms\", \"10s\", \"1m30s\" or \"2h\""
    private static let tooLong = Parsed.mistake("it is longer than 100 years", help: "write a shorter duration")
    private static let negative = Parsed.mistake("it is negative", help: "write 0 or more")

    /// A duration of the command line: as in a file ("1m30s"), or whole seconds ("90"). nil where it is none.
    public static func read(_ text: String) -> Interval? {
        let bytes = text.bytes
        var isNumber = !bytes.isEmpty
        for byte in bytes where byte < 0x30 || byte > 0x39 { isNumber = false }
        guard case .interval(let interval) = parse(isNumber ? say("%s", text) : text) else { return nil }
        return interval
    }

    /// Whole seconds.
    static func parse(seconds: Int64) -> Parsed {
        if seconds < 0 { return negative }
        return seconds > longest.nanoseconds / 1_000_000_000 ? tooLong : .interval(.seconds(seconds))
    }

    /// Seconds with a fraction.
    static func parse(seconds: Double) -> Parsed {
        if seconds < 0 { return negative }
        guard seconds <= 3_155_760_000 else { return tooLong }
        return .interval(Interval(nanoseconds: Int64(seconds * 1_000_000_000 + 0.5)))
    }

    /// Numbers with units, the largest first.
    static func parse(_ text: String) -> Parsed {
        let bytes = [UInt8](text.utf8)
        if bytes.isEmpty { return .mistake("it is empty", help: exampleHelp) }
        if bytes.first == 0x2D { return negative }
        var total: Int64 = 0
        var lastUnit = Int64.max
        var place = 0
        while place < bytes.count {
            let start = place
            guard let number = scanNumber(bytes, &place) else { return tooLong }
            if place == start { return .mistake("a number is missing", help: exampleHelp) }
            let unitStart = place
            while place < bytes.count, bytes[place] < 0x30 || bytes[place] > 0x39 { place &+= 1 }
            let name = bytes[unitStart..<place]
            if name.isEmpty {
                return .mistake("the unit is missing", help: "add ms, s, m, h or d, or write a number without quotes")
            }
            guard let unit = unit(name) else {
                return .mistake(
                    say("% is no unit", shown(String(decoding: name, as: UTF8.self))),
                    help: "the units are ms, s, m, h and d")
            }
            if unit >= lastUnit {
                return .mistake(
                    "the units are not in order", help: "write each unit once, the largest first: \"1m30s\"")
            }
            lastUnit = unit
            let (part, overflow) = number.multipliedReportingOverflow(by: unit)
            let (sum, carry) = total.addingReportingOverflow(part)
            if overflow || carry || sum > longest.nanoseconds { return tooLong }
            total = sum
        }
        return .interval(Interval(nanoseconds: total))
    }

    /// The nanoseconds of a unit.
    private static func unit(_ name: ArraySlice<UInt8>) -> Int64? {
        if same(name, "ms") { return 1_000_000 }
        guard name.count == 1, let letter = name.first else { return nil }
        switch letter {
        case 0x73: return 1_000_000_000
        case 0x6D: return 60_000_000_000
        case 0x68: return 3_600_000_000_000
        case 0x64: return 86_400_000_000_000
        default: return nil
        }
    }
}

extension OpenTable {
    /// A duration, with an error where it is none.
    func duration(_ key: String) -> Interval? {
        guard let value = value(key) else { return nil }
        let parsed: Interval.Parsed
        switch value.kind {
        case .string(let text): parsed = Interval.parse(text)
        case .integer(let seconds): parsed = Interval.parse(seconds: seconds)
        case .float(let seconds): parsed = Interval.parse(seconds: seconds)
        default: return nil
        }
        switch parsed {
        case .interval(let interval):
            guard interval.nanoseconds == 0, case .duration(moreThanZero: true)? = kind.valueKind(of: key) else {
                return interval
            }
            reading.bad(at: value.span, "`%` must be more than zero", key, help: "write a duration such as \"10s\"")
            return nil
        case .mistake(let why, let help):
            reading.bad(at: value.span, "cannot read the duration of `%`: %", key, why, help: help)
            return nil
        }
    }
}

/// The milliseconds of a duration as people write it ("30s", "1m30s", "2.5", "30": seconds); nil where it is none.
public func milliseconds(ofDuration text: String) -> Int? {
    var text = text
    // Digits alone are seconds, which a file writes without quotes.
    if let last = text.bytes.last, last >= 0x30 && last <= 0x39 { text += "s" }
    guard case .interval(let interval) = Interval.parse(text) else { return nil }
    return Int(interval.nanoseconds / 1_000_000)
}
