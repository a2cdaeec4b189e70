/// Keys: bare, quoted, dotted.

/// One part of a dotted key, and where it stands.
struct KeyPart {
    var text: String
    var span: Span
}

extension TOMLParser {
    /// key = simple-key / dotted-key
    ///
    /// Leaves the parts in `keyParts`.
    /// - Returns: false where a mistake was told.
    mutating func key(isHeader: Bool) -> Bool {
        keyParts.removeAll(keepingCapacity: true)
        var dot: Int?
        while true {
            guard simpleKey(isHeader: isHeader, afterDot: dot) else { return false }
            let end = position
            skipWhitespace()
            guard peek() == Byte.dot else {
                position = end
                return true
            }
            dot = position
            position += 1
            skipWhitespace()
        }
    }

    /// simple-key = quoted-key / unquoted-key
    private mutating func simpleKey(isHeader: Bool, afterDot dot: Int?) -> Bool {
        let start = position
        let first = peek()
        if first == Byte.quote || first == Byte.apostrophe {
            if peek(1) == first && peek(2) == first {
                report(.multilineKey, start, start + 3)
                position += 3
                return false
            }
            guard let text = string() else { return false }
            keyParts.append(KeyPart(text: text, span: span(start, position)))
            return true
        }
        skipBareKey()
        let bareEnd = position
        while let next = peek(), !endsWord(next) { position += 1 }
        if position > bareEnd {
            if let control = firstControl(bareEnd, position) {
                report(.controlCharacter(bytes[control]), control, control + 1)
            } else {
                report(.badKey(excerpt(start, position)), start, position)
            }
            return false
        }
        if bareEnd == start {
            reportMissingKey(isHeader: isHeader, afterDot: dot)
            return false
        }
        keyParts.append(KeyPart(text: text(start, bareEnd), span: span(start, bareEnd)))
        return true
    }

    /// Where a key, or a part of one after a dot, should stand, there is none.
    private mutating func reportMissingKey(isHeader: Bool, afterDot dot: Int?) {
        if let dot {
            report(.emptyKeyPart, dot, dot + 1)
            if peek() == Byte.dot { position += 1 }
            return
        }
        guard let next = peek(), !isAtLineEnd, next != Byte.hash else {
            report(isHeader ? .emptyHeader : .missingKey, position, position)
            return
        }
        switch next {
        case Byte.dot:
            report(.emptyKeyPart, position, position + 1)
        case Byte.closeBracket where isHeader:
            report(.emptyHeader, position - 1, position + 1)
        case Byte.equals:
            report(.missingKey, position, position + 1)
            return
        default:
            report(.unexpected(excerpt(position, position + 1)), position, position + 1)
        }
        position += 1
    }

    /// The first control character of a range.
    func firstControl(_ start: Int, _ end: Int) -> Int? {
        for offset in start..<end where isControl(bytes[offset]) { return offset }
        return nil
    }

    /// The bytes that end a word that is no bare key.
    private func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case Byte.space, Byte.tab, Byte.lineFeed, Byte.equals, Byte.dot, Byte.openBracket, Byte.closeBracket, Byte.hash,
            Byte.comma, Byte.openBrace, Byte.closeBrace, Byte.quote, Byte.apostrophe, Byte.colon:
            return true
        case Byte.carriageReturn:
            return isNewline(position)
        default:
            return false
        }
    }
}
