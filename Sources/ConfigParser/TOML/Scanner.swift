/// Moving over the bytes of a file: what comes next, white space, comments, ends of lines, and where to go on after a
/// mistake. Knows nothing of values. Nothing here goes back, and nothing looks further than the end of the line, so
/// that the reader takes linear time.

/// The bytes that have a meaning in TOML.
enum Byte {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let hash: UInt8 = 0x23
    static let apostrophe: UInt8 = 0x27
    static let plus: UInt8 = 0x2B
    static let comma: UInt8 = 0x2C
    static let minus: UInt8 = 0x2D
    static let dot: UInt8 = 0x2E
    static let zero: UInt8 = 0x30
    static let colon: UInt8 = 0x3A
    static let equals: UInt8 = 0x3D
    static let openBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let closeBracket: UInt8 = 0x5D
    static let underscore: UInt8 = 0x5F
    static let openBrace: UInt8 = 0x7B
    static let closeBrace: UInt8 = 0x7D
    static let delete: UInt8 = 0x7F
}

func isWhitespace(_ byte: UInt8?) -> Bool { byte == Byte.space || byte == Byte.tab }

func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte >= 0x30 && byte <= 0x39
}

/// The characters of an unquoted key: A-Z a-z 0-9 - _
func isBareKey(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return isLetter(byte) || isDigit(byte) || byte == Byte.minus || byte == Byte.underscore
}

func isLetter(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A
}

/// The control characters that may stand nowhere; a tab may, and a carriage return only before a line feed.
func isControl(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != Byte.tab) || byte == Byte.delete }

extension TOMLParser {
    /// The byte at an offset in the file; nil outside of it.
    func byte(_ offset: Int) -> UInt8? { offset >= 0 && offset < bytes.count ? bytes[offset] : nil }

    /// The next byte, or one after it; nil at the end of the file.
    func peek(_ distance: Int = 0) -> UInt8? { byte(position + distance) }

    /// Whether a line feed, or carriage return and line feed, stands at an offset.
    func isNewline(_ offset: Int) -> Bool {
        let next = byte(offset)
        return next == Byte.lineFeed || (next == Byte.carriageReturn && byte(offset + 1) == Byte.lineFeed)
    }

    /// Goes to the next byte that may mean something in a string: a quote of its kind, a backslash, a control character.
    @inline(never)
    mutating func skipPlain(_ quote: UInt8) {
        position = bytes.withUnsafeBufferPointer { bytes in
            var place = position
            while place < bytes.count {
                let next = bytes[place]
                if next == quote || next == Byte.backslash || next < 0x20 || next == Byte.delete { break }
                place &+= 1
            }
            return place
        }
    }

    /// Goes to the end of an unquoted key.
    mutating func skipBareKey() {
        position = bytes.withUnsafeBufferPointer { bytes in
            var place = position
            while place < bytes.count && isBareKey(bytes[place]) { place &+= 1 }
            return place
        }
    }

    var isAtLineEnd: Bool { position >= bytes.count || isNewline(position) }

    /// ws = *wschar
    mutating func skipWhitespace() {
        while isWhitespace(peek()) { position += 1 }
    }

    /// newline = %x0A / %x0D.0A
    mutating func skipNewline() -> Bool {
        guard position < bytes.count && isNewline(position) else { return false }
        position += peek() == Byte.lineFeed ? 1 : 2
        return true
    }

    /// comment = comment-start-symbol *non-eol
    mutating func skipComment() {
        guard peek() == Byte.hash else { return }
        var told = false
        while true {
            skipPlain(Byte.hash)
            guard let next = peek(), !isNewline(position) else { return }
            if isControl(next) && !told {
                report(.controlCharacter(next), position, position + 1)
                told = true
            }
            position += 1
        }
    }

    /// ws-comment-newline = *( wschar / [ comment ] newline )
    ///
    /// - Returns: whether the end of a line was passed.
    mutating func skipBlank() -> Bool {
        var passedLine = false
        while true {
            skipWhitespace()
            skipComment()
            guard skipNewline() else { return passedLine }
            passedLine = true
        }
    }

    // MARK: Going on after a mistake

    /// To the next line, unseen.
    mutating func skipLine() {
        while position < bytes.count {
            position += 1
            if bytes[position - 1] == Byte.lineFeed { return }
        }
    }

    /// To an "=" on this line. Stays where it is if there is none.
    mutating func skipToEquals(inline: Bool) -> Bool {
        var offset = position
        while let next = byte(offset), !isNewline(offset), next != Byte.hash {
            if next == Byte.equals {
                position = offset
                return true
            }
            if inline && (next == Byte.comma || next == Byte.closeBrace) { return false }
            offset += 1
        }
        return false
    }

    /// To what ends an element of an array or inline table that could not be read: a comma, a closing bracket, a
    /// comment, the end of the line.
    mutating func skipToSeparator() {
        var depth = 0
        while let next = peek(), !isNewline(position), next != Byte.hash {
            switch next {
            case Byte.quote, Byte.apostrophe:
                skipQuoted(next)
                continue
            case Byte.openBracket, Byte.openBrace:
                depth += 1
            case Byte.closeBracket, Byte.closeBrace:
                if depth == 0 { return }
                depth -= 1
            case Byte.comma:
                if depth == 0 { return }
            default:
                break
            }
            position += 1
        }
    }

    /// Over a string on one line, unseen.
    private mutating func skipQuoted(_ quote: UInt8) {
        position += 1
        while let next = peek(), !isNewline(position) {
            position += 1
            if next == quote { return }
            if next == Byte.backslash && quote == Byte.quote && !isAtLineEnd { position += 1 }
        }
    }

    /// Where text that begins at an offset ends: at a comment or the end of the line, and among elements at a comma or
    /// bracket too. White space at its end does not belong to it.
    func endOfText(_ start: Int, stopAtSeparators: Bool) -> Int {
        var offset = start
        var end = start
        while let next = byte(offset), !isNewline(offset) {
            if next == Byte.hash && (offset == start || isWhitespace(byte(offset - 1))) { break }
            if stopAtSeparators && (next == Byte.comma || next == Byte.closeBracket || next == Byte.closeBrace) {
                break
            }
            offset += 1
            if !isWhitespace(next) { end = offset }
        }
        return end
    }

    /// Whether a statement seems to begin here, at the begin of a line inside an array: `name =`, `[name]`, `[[name]]`.
    /// Then the array was not closed.
    func isAtStatement(orKey: Bool) -> Bool {
        var offset = position
        var brackets = 0
        while brackets < 2 && byte(offset) == Byte.openBracket {
            offset += 1
            brackets += 1
        }
        let start = offset
        guard brackets > 0 || orKey, isLetter(byte(start)) || (brackets == 0 && isBareKey(byte(start))) else {
            return false
        }
        while isBareKey(byte(offset)) || byte(offset) == Byte.dot { offset += 1 }
        let end = offset
        if brackets == 0 {
            while isWhitespace(byte(offset)) { offset += 1 }
            return byte(offset) == Byte.equals
        }
        for _ in 0..<brackets {
            guard byte(offset) == Byte.closeBracket else { return false }
            offset += 1
        }
        while isWhitespace(byte(offset)) { offset += 1 }
        guard offset >= bytes.count || isNewline(offset) || byte(offset) == Byte.hash else { return false }
        return
            !(matches("true", start, end) || matches("false", start, end) || matches("inf", start, end)
            || matches("nan", start, end))
    }

    // MARK: Text

    /// Whether a range of the file is a word.
    func matches(_ word: StaticString, _ start: Int, _ end: Int) -> Bool {
        guard end - start == word.utf8CodeUnitCount else { return false }
        let wanted = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        for index in 0..<wanted.count where byte(start + index) != wanted[index] { return false }
        return true
    }

    /// A range of the file as it is.
    func text(_ start: Int, _ end: Int) -> String {
        guard start >= 0 && start < end && end <= bytes.count else { return "" }
        return bytes.withUnsafeBufferPointer { String(memory: UnsafeBufferPointer(rebasing: $0[start..<end])) }
    }

    /// A range of the file for a message: a long one is cut.
    func excerpt(_ start: Int, _ end: Int) -> String {
        var end = end
        while end > start && isWhitespace(byte(end - 1)) { end -= 1 }
        guard end - start > 40 else { return text(start, end) }
        var cut = start + 37
        while cut > start, let next = byte(cut), next & 0xC0 == 0x80 { cut -= 1 }
        return say("%…", text(start, cut))
    }
}
