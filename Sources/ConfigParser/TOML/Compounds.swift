/// Values, and the two kinds that hold others: arrays and inline tables. The only functions of the reader that call
/// each other in turn; `Document` says when they lie too deep.

extension TOMLParser {
    /// val = string / boolean / array / inline-table / date-time / float / integer
    ///
    /// - Parameters:
    ///   - node: where it is kept; one that cannot be read stays without a value.
    ///   - inline: whether it stands in an array or inline table, where a comma or bracket ends it.
    mutating func value(into node: Int, inline: Bool) -> Outcome {
        let start = position
        switch peek() {
        case Byte.quote, Byte.apostrophe:
            guard let text = string() else { return .failed }
            document.set(node, .scalar(.string(text)), span(start, position))
            return .read
        case Byte.openBracket, Byte.openBrace:
            guard document.depth(node) < TOMLParser.maximumDepth else {
                // Whoever wrote this did not write it by hand; what follows would only be noise.
                report(.tooDeep, start, start + 1)
                position = bytes.count
                return .abandoned
            }
            document.set(node, peek() == Byte.openBracket ? .array : .table(.inline), span(start, start + 1))
            let outcome = peek() == Byte.openBracket ? array(into: node) : inlineTable(into: node)
            document.setSpan(node, span(start, outcome == .read ? position : start + 1))
            return outcome
        default:
            return scalar(into: node, inline: inline)
        }
    }

    /// What may come next in an array or inline table.
    private enum Expected {
        /// An element, or the end; right after the opening bracket no comma.
        case first, element
        case comma
        /// After a mistake: whatever there is.
        case anything
    }

    /// array = array-open [ array-values ] ws-comment-newline array-close
    private mutating func array(into node: Int) -> Outcome {
        let open = position
        var expected = Expected.first
        var told = false
        position += 1
        while true {
            let valueEnd = position
            let passedLine = skipBlank()
            guard let next = peek() else {
                if !told { report(.unclosedArray(next: nil), open, open + 1) }
                return .abandoned
            }
            if passedLine && isAtStatement(orKey: true) {
                if !told { report(.unclosedArray(next: span(position, position + 1)), open, open + 1) }
                return .abandoned
            }
            switch next {
            case Byte.closeBracket:
                position += 1
                return .read
            case Byte.closeBrace:
                if !told { report(.unclosedArray(next: span(position, position + 1)), open, open + 1) }
                return .failed
            case Byte.comma:
                if expected == .first || expected == .element {
                    report(.extraComma, position, position + 1)
                }
                expected = .element
                position += 1
                continue
            default:
                break
            }
            if expected == .comma {
                if let mistake = afterElement(valueEnd) {
                    report(mistake.0, at: mistake.1)
                    told = true
                    skipToSeparator()
                    expected = .anything
                    continue
                }
                report(.missingComma, valueEnd, valueEnd)
            }
            switch value(into: document.append(to: node), inline: true) {
            case .read:
                expected = .comma
            case .failed:
                told = true
                skipToSeparator()
                expected = .anything
            case .abandoned:
                return .abandoned
            }
        }
    }

    /// What is wrong with text that follows an element without a comma, where it does not look like a further element.
    private func afterElement(_ valueEnd: Int) -> (Mistake, Span)? {
        switch peek() {
        case Byte.quote, Byte.apostrophe, Byte.openBracket, Byte.openBrace: return nil
        default:
            var word = position
            while isBareKey(byte(word)) || byte(word) == Byte.dot || byte(word) == Byte.plus { word += 1 }
            let isElement =
                isDigit(peek()) || matches("true", position, word) || matches("false", position, word)
                || matches("inf", position, word) || matches("nan", position, word)
                || ((peek() == Byte.plus || peek() == Byte.minus) && isDigit(peek(1)))
            if isElement && valueEnd < position { return nil }
            let end = endOfText(position, stopAtSeparators: true)
            return (.textAfterElement, span(position, max(end, position + 1)))
        }
    }

    /// inline-table = inline-table-open [ inline-table-keyvals ] ws-comment-newline inline-table-close
    private mutating func inlineTable(into node: Int) -> Outcome {
        let open = position
        var expected = Expected.first
        var told = false
        var toldVersion = version != .v1_0
        // Whether the elements stand on lines of their own: then a line that begins with a key lacks a comma before it,
        // and otherwise the table lacks its end.
        var isSpread = false
        var commaOffset = open
        position += 1
        while true {
            let valueEnd = position
            let passedLine = skipBlank()
            if passedLine {
                if expected == .first { isSpread = true }
                if !toldVersion {
                    report(.needs11("an inline table of several lines"), open, open + 1)
                    toldVersion = true
                }
            }
            guard let next = peek() else {
                if !told { report(.unclosedInlineTable(next: nil), open, open + 1) }
                return .abandoned
            }
            if passedLine && (isAtStatement(orKey: false) || (expected == .comma && !isSpread && isBareKey(next))) {
                if !told { report(.unclosedInlineTable(next: span(position, position + 1)), open, open + 1) }
                return .abandoned
            }
            switch next {
            case Byte.closeBrace:
                if expected == .element && !toldVersion {
                    report(.needs11("a comma after the last element of an inline table"), commaOffset, commaOffset + 1)
                }
                position += 1
                return .read
            case Byte.closeBracket:
                if !told { report(.unclosedInlineTable(next: span(position, position + 1)), open, open + 1) }
                return .failed
            case Byte.comma:
                if expected == .first || expected == .element {
                    report(.extraComma, position, position + 1)
                }
                expected = .element
                commaOffset = position
                position += 1
                continue
            default:
                break
            }
            if expected == .comma {
                guard isBareKey(next) || next == Byte.quote || next == Byte.apostrophe else {
                    let end = endOfText(position, stopAtSeparators: true)
                    report(.textAfterElement, position, max(end, position + 1))
                    told = true
                    skipToSeparator()
                    expected = .anything
                    continue
                }
                report(.missingComma, valueEnd, valueEnd)
            }
            switch keyval(in: node, inline: true) {
            case .read:
                expected = .comma
            case .failed:
                told = true
                skipToSeparator()
                expected = .anything
            case .abandoned:
                return .abandoned
            }
        }
    }
}
