/// Booleans and numbers, and what people write in their place: words without quotes, `yes`, `True`, `10s`, `022`.

extension TOMLParser {
    /// boolean / date-time / float / integer
    ///
    /// Takes the longest run of bytes that could belong to one, and says what is wrong with it as a whole.
    mutating func scalar(into node: Int, inline: Bool) -> Outcome {
        let start = position
        while let next = peek(), !endsScalar(next) { position += 1 }
        var end = position
        if end == start {
            return unexpected(inline: inline)
        }
        // time-delim may be a space.
        if looksLikeDate(start, end) && end - start == 10 && peek() == Byte.space && isDigit(peek(1))
            && isDigit(peek(2))
            && peek(3) == Byte.colon
        {
            position += 1
            while let next = peek(), !endsScalar(next) { position += 1 }
            end = position
        }
        if let control = firstControl(start, end) {
            report(.controlCharacter(bytes[control]), control, control + 1)
            return .failed
        }
        let read =
            isDigit(byte(start)) || byte(start) == Byte.plus || byte(start) == Byte.minus || byte(start) == Byte.dot
        do throws(Misread) {
            if let kind = try scalarKind(start, end) {
                document.set(node, .scalar(kind), span(start, end))
                return .read
            }
        } catch {
            report(error.mistake, error.start, error.end)
            return .failed
        }
        // Words belong together: "hello world" without its quotes is one mistake.
        position = max(endOfText(start, stopAtSeparators: inline), end)
        report(word(start, read ? end : position), start, read ? end : position)
        return .failed
    }

    /// nil where the text is none of the kinds.
    private func scalarKind(_ start: Int, _ end: Int) throws(Misread) -> Value.Kind? {
        if matches("true", start, end) { return .boolean(true) }
        if matches("false", start, end) { return .boolean(false) }
        if looksLikeDate(start, end) || looksLikeTime(start, end) { return .dateTime(try dateTime(start, end)) }
        return try number(start, end)
    }

    /// integer = dec-int / hex-int / oct-int / bin-int, and float
    private func number(_ start: Int, _ end: Int) throws(Misread) -> Value.Kind? {
        var first = start
        let sign = byte(start)
        if sign == Byte.plus || sign == Byte.minus { first += 1 }
        // special-float = [ minus / plus ] ( inf / nan )
        if matches("inf", first, end) { return .float(sign == Byte.minus ? -Double.infinity : Double.infinity) }
        if matches("nan", first, end) { return .float(sign == Byte.minus ? -Double.nan : Double.nan) }
        if byte(first) == Byte.zero, end - first >= 2, let base = base(byte(first + 1)) {
            return try prefixedInteger(start, first, end, base)
        }
        guard isDigit(byte(first)) || (byte(first) == Byte.dot && isDigit(byte(first + 1))) else { return nil }
        // float-int-part ( exp / frac [ exp ] ): where the parts lie. What is no number at all is refused before any
        // detail of it is.
        var offset = first
        func skipDigits() {
            while isDigit(byte(offset)) || byte(offset) == Byte.underscore { offset += 1 }
        }
        skipDigits()
        let integerEnd = offset
        var fraction: (start: Int, end: Int)?
        if byte(offset) == Byte.dot && offset < end {
            offset += 1
            let fractionStart = offset
            skipDigits()
            fraction = (fractionStart, offset)
        }
        var exponent: (start: Int, end: Int)?
        if let letter = byte(offset), letter | 0x20 == 0x65, offset < end {
            offset += 1
            if byte(offset) == Byte.plus || byte(offset) == Byte.minus { offset += 1 }
            let exponentStart = offset
            skipDigits()
            exponent = (exponentStart, offset)
        }
        guard offset == end else { return nil }

        try checkDigits(first, integerEnd, in: (start, end))
        if let fraction { try checkDigits(fraction.start, fraction.end, in: (start, end)) }
        if let exponent { try checkDigits(exponent.start, exponent.end, in: (start, end)) }
        if byte(first) == Byte.zero && integerEnd > first + 1 {
            var zeros = first
            while zeros < integerEnd - 1 && (byte(zeros) == Byte.zero || byte(zeros) == Byte.underscore) { zeros += 1 }
            let isOctal = fraction == nil && exponent == nil && start == first
            throw Misread(.leadingZero(excerpt(zeros, end), mayBeOctal: isOctal), start, end)
        }
        if fraction != nil || exponent != nil {
            let value = decimalToDouble(bytes, start, end)
            guard value.isFinite else { throw Misread(.floatOutOfRange, start, end) }
            return .float(value)
        }
        return .integer(try integer(start, first, end, base: 10))
    }

    /// hex-int = hex-prefix HEXDIG *( HEXDIG / underscore HEXDIG ), and so for oct-int and bin-int
    private func prefixedInteger(_ start: Int, _ first: Int, _ end: Int, _ base: Int64) throws(Misread) -> Value.Kind {
        for offset in first + 2..<end where byte(offset) != Byte.underscore {
            guard let digit = hexDigit(byte(offset)), Int64(digit) < base else {
                let length = max(utf8Length(bytes, offset, end), 1)
                throw Misread(.badDigit(excerpt(offset, offset + length), base: base), offset, offset + length)
            }
        }
        try checkDigits(first + 2, end, in: (start, end))
        guard start == first else { throw Misread(.signBeforePrefix, start, start + 1) }
        guard let letter = byte(first + 1), letter >= 0x61 else {
            throw Misread(.capitalPrefix(excerpt(first + 1, first + 2)), first, first + 2)
        }
        return .integer(try integer(start, first + 2, end, base: base))
    }

    /// Digits that were checked, as a number; the sign stands at `start`.
    private func integer(_ start: Int, _ first: Int, _ end: Int, base: Int64) throws(Misread) -> Int64 {
        // Counted downwards: the lowest number has no positive counterpart.
        var value: Int64 = 0
        var overflow = false
        for offset in first..<end {
            guard !overflow, let digit = hexDigit(byte(offset)) else { continue }
            let product = value.multipliedReportingOverflow(by: base)
            let difference = product.partialValue.subtractingReportingOverflow(Int64(digit))
            overflow = product.overflow || difference.overflow
            value = difference.partialValue
        }
        if byte(start) != Byte.minus {
            overflow = overflow || value == Int64.min
            value = 0 &- value
        }
        guard !overflow else { throw Misread(.integerOutOfRange, start, end) }
        return value
    }

    /// DIGIT *( DIGIT / underscore DIGIT ): at least one digit, underscores only between digits.
    private func checkDigits(_ start: Int, _ end: Int, in whole: (start: Int, end: Int)) throws(Misread) {
        guard start < end else { throw Misread(.missingDigits, whole.start, whole.end) }
        for offset in start..<end where byte(offset) == Byte.underscore {
            if offset == start || offset == end - 1 || byte(offset + 1) == Byte.underscore {
                throw Misread(.misplacedUnderscore, offset, offset + 1)
            }
        }
    }

    /// The letter after the zero of a prefix.
    private func base(_ letter: UInt8?) -> Int64? {
        switch letter {
        case 0x78, 0x58: return 16
        case 0x6F, 0x4F: return 8
        case 0x62, 0x42: return 2
        default: return nil
        }
    }

    // MARK: What is no value

    /// A byte that begins no value.
    private mutating func unexpected(inline: Bool) -> Outcome {
        let start = position
        if peek() == Byte.equals {
            report(.doubleEquals, start, start + 1)
        } else if let next = peek(), isControl(next) {
            report(.controlCharacter(next), start, start + 1)
        } else {
            report(.unexpected(excerpt(start, start + 1)), start, start + 1)
        }
        position = min(start + 1, bytes.count)
        return .failed
    }

    /// What to say of a word that is no value.
    private func word(_ start: Int, _ end: Int) -> Mistake {
        let shown = excerpt(start, end)
        var lower = [UInt8]()
        for offset in start..<min(end, start + 8) {
            let next = byte(offset) ?? 0
            lower.append(isLetter(next) ? next | 0x20 : next)
        }
        func isWord(_ text: StaticString) -> Bool {
            end - start == text.utf8CodeUnitCount
                && lower.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
        if isWord("true") || isWord("yes") || isWord("on") { return .booleanWord(shown, meant: "true") }
        if isWord("false") || isWord("no") || isWord("off") { return .booleanWord(shown, meant: "false") }
        if isWord("inf") || isWord("nan") || isWord("+inf") || isWord("-inf") || isWord("+nan") || isWord("-nan") {
            return .floatWord(shown, meant: String(decoding: lower, as: UTF8.self))
        }
        if isWord("null") || isWord("nil") || isWord("none") { return .null(shown) }
        // Typographic quotation marks: U+201C to U+201E, U+2018 to U+201A, U+00AB.
        if byte(start) == 0xE2 && byte(start + 1) == 0x80, let third = byte(start + 2), third >= 0x98 && third <= 0x9F {
            return .typographicQuote
        }
        if byte(start) == 0xC2 && byte(start + 1) == 0xAB { return .typographicQuote }
        return .unquoted(shown, isNumber: isDigit(byte(start)) || byte(start) == Byte.plus || byte(start) == Byte.minus)
    }

    /// The bytes that end a number, date or word.
    private func endsScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case Byte.space, Byte.tab, Byte.lineFeed, Byte.comma, Byte.openBracket, Byte.closeBracket, Byte.openBrace,
            Byte.closeBrace, Byte.hash, Byte.quote, Byte.apostrophe, Byte.equals:
            return true
        case Byte.carriageReturn:
            return isNewline(position)
        default:
            return false
        }
    }
}

/// A mistake in a value, and the bytes that it is about.
struct Misread: Error {
    var mistake: Mistake
    var start: Int
    var end: Int
    init(_ mistake: Mistake, _ start: Int, _ end: Int) {
        self.mistake = mistake
        self.start = start
        self.end = end
    }
}
