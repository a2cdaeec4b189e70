/// JSON as this program reads it: the lines of the control socket's answers. Strict (RFC 8259), total and bounded: whatever the
/// bytes are, it gives a value or nil, in one pass, and goes no deeper than `deepest`. Numbers are kept as thousandths, since
/// nothing that is read here is finer than a millisecond; what does not fit becomes the largest that does.

/// A value of JSON.
public indirect enum JSONValue: Sendable {
    case null
    case boolean(Bool)
    /// In thousandths.
    case number(Int)
    case string(String)
    case array([JSONValue])
    /// In the order of the text. Of a key that stands twice the first counts.
    case object([JSONMember])

    /// How many arrays and objects may lie in each other.
    public static let deepest = 16

    /// Reads a whole text: one value, and blanks around it. nil where it is something else.
    public init?(_ bytes: [UInt8]) {
        var reader = JSONReader(bytes: bytes)
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipBlanks()
        guard reader.place == bytes.count else { return nil }
        self = value
    }

    /// The value of a key of an object; nil for another value, a key that is not there, and null.
    public subscript(key: Literal) -> JSONValue? {
        @inline(never)
        get {
            let key = key.text
            guard case .object(let members) = self else { return nil }
            for member in members where member.key == key {
                if case .null = member.value { return nil }
                return member.value
            }
            return nil
        }
    }

    /// The text of a key; nil where it has none.
    @inline(never)
    public func text(_ key: Literal) -> String? {
        guard case .string(let text)? = self[key] else { return nil }
        return text
    }

    /// The whole number of a key, the fraction cut off; nil where it has none.
    @inline(never)
    public func integer(_ key: Literal) -> Int? {
        guard case .number(let thousandths)? = self[key] else { return nil }
        return thousandths / 1000
    }

    /// The number of a key in thousandths: of seconds, these are milliseconds.
    @inline(never)
    public func thousandths(_ key: Literal) -> Int? {
        guard case .number(let thousandths)? = self[key] else { return nil }
        return thousandths
    }

    /// Whether a key is true.
    @inline(never)
    public func isTrue(_ key: Literal) -> Bool {
        guard case .boolean(let value)? = self[key] else { return false }
        return value
    }

    /// What stands in the array of a key; nothing where it has none.
    @inline(never)
    public func items(_ key: Literal) -> [JSONValue] {
        guard case .array(let items)? = self[key] else { return [] }
        return items
    }

    /// The texts in the array of a key.
    @inline(never)
    public func texts(_ key: Literal) -> [String] {
        var texts = [String]()
        for item in items(key) {
            if case .string(let text) = item { texts.append(text) }
        }
        return texts
    }
}

/// A key of an object and its value.
public struct JSONMember: Sendable {
    /// Without the quotes, escapes resolved.
    public var key: String
    /// What stands behind it.
    public var value: JSONValue
}

/// Walks over the bytes once.
private struct JSONReader {
    let bytes: [UInt8]
    var place = 0

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { place &+= 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place &+= 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let end = place &+ word.utf8CodeUnitCount
        guard end <= bytes.count && same(bytes[place..<end], word) else { return false }
        place = end
        return true
    }

    mutating func value(depth: Int) -> JSONValue? {
        skipBlanks()
        guard let byte = next, depth <= JSONValue.deepest else { return nil }
        switch byte {
        case 0x22: return string().map { .string($0) }
        case 0x5B, 0x7B: return compound(depth: depth)
        case 0x74: return take(word: "true") ? .boolean(true) : nil
        case 0x66: return take(word: "false") ? .boolean(false) : nil
        case 0x6E: return take(word: "null") ? .null : nil
        default: return number().map { .number($0) }
        }
    }

    /// An array or an object.
    private mutating func compound(depth: Int) -> JSONValue? {
        let isObject = bytes[place] == 0x7B
        let close: UInt8 = isObject ? 0x7D : 0x5D
        var items = [JSONValue]()
        var members = [JSONMember]()
        place &+= 1
        skipBlanks()
        var isEmpty = true
        while !(isEmpty && take(close)) {
            if isObject {
                skipBlanks()
                guard let key = string() else { return nil }
                skipBlanks()
                guard take(0x3A), let value = value(depth: depth &+ 1) else { return nil }
                members.append(JSONMember(key: key, value: value))
            } else {
                guard let value = value(depth: depth &+ 1) else { return nil }
                items.append(value)
            }
            isEmpty = false
            skipBlanks()
            if take(close) { break }
            guard take(0x2C) else { return nil }
        }
        return isObject ? .object(members) : .array(items)
    }

    private mutating func string() -> String? {
        guard take(0x22) else { return nil }
        var text = [UInt8]()
        while let byte = next {
            place &+= 1
            if byte == 0x22 { return String(decoding: text, as: UTF8.self) }
            if byte < 0x20 { return nil }
            if byte != 0x5C {
                text.append(byte)
                continue
            }
            guard let escape = next else { return nil }
            place &+= 1
            switch escape {
            case 0x22, 0x5C, 0x2F: text.append(escape)
            case 0x62: text.append(0x08)
            case 0x66: text.append(0x0C)
            case 0x6E: text.append(0x0A)
            case 0x72: text.append(0x0D)
            case 0x74: text.append(0x09)
            case 0x75:
                guard let scalar = scalar() else { return nil }
                append(scalar, to: &text)
            default: return nil
            }
        }
        return nil
    }

    /// The number of a character behind `\u`; half of a pair alone is U+FFFD.
    private mutating func scalar() -> UInt32? {
        guard let first = fourDigits() else { return nil }
        if first & 0xF800 != 0xD800 { return first }
        let back = place
        if first < 0xDC00, take(0x5C), take(0x75) {
            guard let second = fourDigits() else { return nil }
            if second & 0xFC00 == 0xDC00 { return 0x10000 &+ (first & 0x3FF) << 10 | (second & 0x3FF) }
        }
        place = back
        return 0xFFFD
    }

    private mutating func fourDigits() -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next else { return nil }
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte &- 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32((byte | 0x20) &- 0x57)
            default: return nil
            }
            place &+= 1
        }
        return value
    }

    private func append(_ scalar: UInt32, to text: inout [UInt8]) {
        func more(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 0x80 | (scalar >> shift & 0x3F)) }
        switch scalar {
        case 0..<0x80: text.append(UInt8(truncatingIfNeeded: scalar))
        case 0x80..<0x800: text += [UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6), more(0)]
        case 0x800..<0x10000: text += [UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12), more(6), more(0)]
        default: text += [UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18), more(12), more(6), more(0)]
        }
    }

    /// A number in thousandths.
    private mutating func number() -> Int? {
        let isNegative = take(0x2D)
        var digits = 0
        /// Digits before the point, and three behind it; more do not count.
        var value = 0
        var decimals = 0
        let start = place
        while let byte = next, byte >= 0x30 && byte <= 0x39 {
            value = grown(value, Int(byte &- 0x30))
            digits &+= 1
            place &+= 1
        }
        guard digits > 0 && (digits == 1 || bytes[start] != 0x30) else { return nil }
        if take(0x2E) {
            let first = place
            while let byte = next, byte >= 0x30 && byte <= 0x39 {
                if decimals < 3 {
                    value = grown(value, Int(byte &- 0x30))
                    decimals &+= 1
                }
                place &+= 1
            }
            if place == first { return nil }
        }
        var power = 3 &- decimals
        if let byte = next, byte | 0x20 == 0x65 {
            place &+= 1
            let isDown = take(0x2D)
            if !isDown { _ = take(0x2B) }
            let first = place
            var exponent = 0
            while let byte = next, byte >= 0x30 && byte <= 0x39 {
                exponent = min(exponent &* 10 &+ Int(byte &- 0x30), 1000)
                place &+= 1
            }
            if place == first { return nil }
            power &+= isDown ? 0 &- exponent : exponent
        }
        while power > 0 && value != 0 {
            value = grown(value, 0)
            power &-= 1
            if value == Int.max { break }
        }
        while power < 0 && value != 0 {
            value /= 10
            power &+= 1
        }
        return isNegative ? 0 &- value : value
    }

    private func grown(_ value: Int, _ digit: Int) -> Int {
        let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tens.addingReportingOverflow(digit)
        return overflow || carry ? Int.max : sum
    }
}
