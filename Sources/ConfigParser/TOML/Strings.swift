/// Strings of all four kinds, with their escapes.

extension TOMLParser {
    /// string = ml-basic-string / basic-string / ml-literal-string / literal-string
    ///
    /// - Returns: nil where the string is not closed; that was told. A wrong escape is told and left out.
    mutating func string() -> String? {
        guard let quote = peek() else { return nil }
        if peek(1) == quote && peek(2) == quote { return multilineString(quote) }
        return singleLineString(quote)
    }

    /// basic-string = quotation-mark *basic-char quotation-mark, and literal-string = apostrophe *literal-char
    /// apostrophe
    private mutating func singleLineString(_ quote: UInt8) -> String? {
        let open = position
        position += 1
        var plainStart = position
        var isPlain = true
        var told = false
        var escapedQuote = false
        while true {
            skipPlain(quote)
            guard let next = peek(), !isNewline(position) else { break }
            if next == quote {
                position += 1
                if isPlain { return text(plainStart, position - 1) }
                scratch += bytes[plainStart..<position - 1]
                return String(decoding: scratch, as: UTF8.self)
            }
            if next == Byte.backslash && quote == Byte.quote {
                if isPlain { scratch.removeAll(keepingCapacity: true) }
                isPlain = false
                scratch += bytes[plainStart..<position]
                if peek(1) == Byte.quote { escapedQuote = true }
                escape()
                plainStart = position
                continue
            }
            checkControl(next, &told)
            position += 1
        }
        report(.unclosedString(multiline: false, quote: quote, escapedQuote: escapedQuote), open, open + 1)
        return nil
    }

    /// ml-basic-string = ml-basic-string-delim [ newline ] ml-basic-body ml-basic-string-delim, and the same with
    /// apostrophes
    private mutating func multilineString(_ quote: UInt8) -> String? {
        let open = position
        position += 3
        var told = false
        scratch.removeAll(keepingCapacity: true)
        _ = skipNewline()
        while let next = peek() {
            if next == quote {
                var count = 1
                while count < 5 && peek(count) == quote { count += 1 }
                position += count
                // Up to two quotes may stand before the three that close it.
                let content = count >= 3 ? count - 3 : count
                for _ in 0..<content { scratch.append(quote) }
                if count >= 3 { return String(decoding: scratch, as: UTF8.self) }
            } else if next == Byte.backslash && quote == Byte.quote {
                if !skipEscapedNewline() { escape() }
            } else if skipNewline() {
                scratch.append(Byte.lineFeed)
            } else {
                checkControl(next, &told)
                scratch.append(next)
                position += 1
            }
        }
        report(.unclosedString(multiline: true, quote: quote, escapedQuote: false), open, open + 3)
        return nil
    }

    /// Tells the first control character of a string.
    private mutating func checkControl(_ byte: UInt8, _ told: inout Bool) {
        guard isControl(byte) && !told else { return }
        told = true
        report(.controlCharacter(byte), position, position + 1)
    }

    /// mlb-escaped-nl = escape ws newline *( wschar / newline )
    private mutating func skipEscapedNewline() -> Bool {
        var offset = position + 1
        while isWhitespace(byte(offset)) { offset += 1 }
        guard offset < bytes.count && isNewline(offset) else {
            return false
        }
        position = offset
        while isWhitespace(peek()) || skipNewline() {
            if isWhitespace(peek()) { position += 1 }
        }
        return true
    }

    /// escaped = escape escape-seq-char
    ///
    /// Adds what it stands for to `scratch`.
    private mutating func escape() {
        let start = position
        let next = peek(1)
        position += 2
        switch next {
        case 0x22, 0x5C: scratch.append(next ?? 0)  // " and \
        case 0x62: scratch.append(0x08)  // b
        case 0x65:  // e
            scratch.append(0x1B)
            if version == .v1_0 { report(.needs11("the escape \\e"), start, position) }
        case 0x66: scratch.append(0x0C)  // f
        case 0x6E: scratch.append(0x0A)  // n
        case 0x72: scratch.append(0x0D)  // r
        case 0x74: scratch.append(0x09)  // t
        case 0x78:  // x
            if codePoint(start, digits: 2) && version == .v1_0 {
                report(.needs11("the escape \\x"), start, position)
            }
        case 0x75: _ = codePoint(start, digits: 4)  // u
        case 0x55: _ = codePoint(start, digits: 8)  // U
        default:
            // The end of the line or file is left to whoever reads the string: it is not closed, and that is what is
            // told.
            position = start + 1
            if next == nil || isNewline(position) { return }
            if let next, next >= 0x80 {
                position += max(utf8Length(bytes, position, bytes.count), 1)
            } else {
                position += 1
            }
            report(.badEscape, start, position)
        }
    }

    /// %x78 2HEXDIG / %x75 4HEXDIG / %x55 8HEXDIG
    private mutating func codePoint(_ start: Int, digits: Int) -> Bool {
        var value: UInt32 = 0
        var count = 0
        while count < digits, let digit = hexDigit(peek()) {
            value = value << 4 | UInt32(digit)
            count += 1
            position += 1
        }
        guard count == digits else {
            report(.shortEscape(digits), start, position)
            return false
        }
        guard value <= 0x10FFFF && !(0xD800...0xDFFF).contains(value) else {
            report(.badCodePoint, start, position)
            return false
        }
        appendCharacter(value, to: &scratch)
        return true
    }
}

/// The value of a hexadecimal digit.
func hexDigit(_ byte: UInt8?) -> UInt8? {
    guard let byte else { return nil }
    switch byte {
    case 0x30...0x39: return byte - 0x30
    case 0x41...0x46: return byte - 0x41 + 10
    case 0x61...0x66: return byte - 0x61 + 10
    default: return nil
    }
}

/// Adds the UTF-8 form of a code point that is no surrogate (RFC 3629, section 3).
func appendCharacter(_ value: UInt32, to bytes: inout [UInt8]) {
    func continuation(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: (value >> shift) & 0x3F) }
    if value < 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: value))
        return
    }
    if value < 0x800 {
        bytes.append(0xC0 | UInt8(truncatingIfNeeded: value >> 6))
    } else {
        if value < 0x10000 {
            bytes.append(0xE0 | UInt8(truncatingIfNeeded: value >> 12))
        } else {
            bytes.append(0xF0 | UInt8(truncatingIfNeeded: value >> 18))
            bytes.append(continuation(12))
        }
        bytes.append(continuation(6))
    }
    bytes.append(continuation(0))
}
