/// From the bytes of a file to a `Table`: the hand-written reader of TOML 1.1, all of it and nothing else
/// (https://toml.io/en/v1.1.0). This file holds the entry and the statements: lines with keys, and headers.
/// Scanner.swift moves over the bytes, Keys, Strings, Scalars, DateTimes and Compounds read the parts, Document keeps
/// what was read and the rules about writing a thing twice, Mistake has the words. Each function that reads names its
/// rule in the grammar.
///
/// It is total: no input makes it crash, recurse deeper than `maximumDepth`, or take more than linear time. Every
/// position in the bytes goes through `peek`, which knows the end. A mistake is told once, then reading goes on at a
/// sensible place: the next element, or the next line. It never guesses a value: what could not be read is not in the
/// table.

/// Which version of the language is read.
public enum TOMLVersion: Sendable {
    /// Refuses what 1.1 added.
    case v1_0
    /// Also reads every file of 1.0.
    case v1_1
}

/// The reader of TOML.
public struct TOMLParser {
    /// How deep tables and arrays may lie in one another.
    public static let maximumDepth = 100
    /// How many mistakes of a file are told; the next ends the reading.
    public static let maximumMistakes = 100

    let file: FileID
    let bytes: [UInt8]
    let version: TOMLVersion
    /// The byte that is read next.
    var position = 0
    var document: Document
    /// The table whose lines are read.
    var current = Document.root
    /// The parts of the key that was read last.
    var keyParts: [KeyPart] = []
    /// The text of the string that is being read, where it cannot be taken as it stands.
    var scratch: [UInt8] = []
    var diagnostics: [Diagnostic] = []
    /// Reading on after a mistake over text that nothing can be told about with confidence.
    var isMuted = false

    /// How reading a part went.
    enum Outcome {
        case read
        /// A mistake was told; the caller skips to where reading can go on.
        case failed
        /// A mistake was told, and what stands at the position is the next statement, or the end of the file.
        case abandoned
    }

    private init(file: FileID, bytes: [UInt8], version: TOMLVersion, storage: inout Document.Storage) {
        self.file = file
        self.bytes = bytes
        self.version = version
        document = Document(file: file, reusing: &storage)
    }

    /// Reads a file whole.
    ///
    /// - Parameters:
    ///   - file: the name of the file in spans.
    ///   - bytes: what stands in it; at most 2 GiB.
    ///   - version: the version of the language.
    ///   - diagnostics: every mistake is added here, at most `maximumMistakes` and a word about the rest.
    /// - Returns: what could be read, also where there are mistakes: a key whose value could not be read is left out.
    ///   Every key and value carries its span. CRLF in a string of several lines is read as LF.
    public static func parse(
        file: FileID, bytes: [UInt8], version: TOMLVersion = .v1_1, diagnostics: inout [Diagnostic]
    ) -> Table {
        var storage = Document.Storage()
        return parse(file: file, bytes: bytes, version: version, storage: &storage, diagnostics: &diagnostics)
    }

    /// The same, for one of many files: memory that the last file needed is used again.
    static func parse(
        file: FileID, bytes: [UInt8], version: TOMLVersion = .v1_1, storage: inout Document.Storage,
        diagnostics: inout [Diagnostic]
    ) -> Table {
        var parser = TOMLParser(file: file, bytes: bytes, version: version, storage: &storage)
        if parser.checkEncoding() { parser.toml() }
        diagnostics += parser.diagnostics
        let table = parser.document.freeze()
        parser.document.recycle(into: &storage)
        return table
    }

    // MARK: Mistakes

    func span(_ start: Int, _ end: Int) -> Span {
        Span(file: file, start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: end))
    }

    /// Tells a mistake in a range of bytes.
    @inline(never)
    mutating func report(_ mistake: Mistake, _ start: Int, _ end: Int) {
        report(mistake, at: span(start, end))
    }

    @inline(never)
    mutating func report(_ mistake: Mistake, at span: Span) {
        guard !isMuted else { return }
        if diagnostics.count >= TOMLParser.maximumMistakes {
            diagnostics.append(Mistake.tooManyMistakes.diagnostic(at: span))
            isMuted = true
            position = bytes.count
            return
        }
        diagnostics.append(mistake.diagnostic(at: span))
    }

    // MARK: Statements

    /// toml = expression *( newline expression )
    private mutating func toml() {
        if peek() == 0xEF && peek(1) == 0xBB && peek(2) == 0xBF { position = 3 }
        while position < bytes.count { expression() }
    }

    /// expression = ws [ comment ] / ws keyval ws [ comment ] / ws table ws [ comment ]
    private mutating func expression() {
        skipWhitespace()
        var outcome = Outcome.read
        var isHeader = false
        if peek() == Byte.openBracket {
            isHeader = true
            outcome = table()
        } else if !isAtLineEnd && peek() != Byte.hash {
            outcome = keyval(in: current, inline: false)
        }
        switch outcome {
        case .read:
            skipWhitespace()
            skipComment()
            if !skipNewline() && position < bytes.count {
                let end = endOfText(position, stopAtSeparators: false)
                if let next = peek(), isControl(next) {
                    report(.controlCharacter(next), position, position + 1)
                } else {
                    report(isHeader ? .textAfterHeader : .textAfterValue, position, max(end, position + 1))
                }
                skipLine()
            }
        case .failed:
            skipLine()
        case .abandoned:
            break
        }
    }

    /// table = std-table / array-table
    private mutating func table() -> Outcome {
        let start = position
        let isArray = peek(1) == Byte.openBracket
        position += isArray ? 2 : 1
        skipWhitespace()
        let keyStart = position
        guard key(isHeader: true) else {
            current = document.detachedTable()
            return .failed
        }
        let keyEnd = position
        skipWhitespace()
        var isClosed = true
        if peek() == Byte.closeBracket && (!isArray || peek(1) == Byte.closeBracket) {
            position += isArray ? 2 : 1
        } else {
            isClosed = false
            let end = endOfText(position, stopAtSeparators: true)
            if end > position && byte(end) == Byte.closeBracket {
                report(.badKey(excerpt(keyStart, end)), keyStart, end)
                current = document.detachedTable()
                return .failed
            }
            report(.unclosedHeader(isArray: isArray), start, keyEnd)
        }
        let headerEnd = isClosed ? position : keyEnd
        do throws(Obstacle) {
            current = try document.open(keyParts, isArray: isArray, span: span(start, headerEnd))
        } catch {
            report(error.mistake, at: error.span)
            current = document.detachedTable()
        }
        return isClosed ? .read : .failed
    }

    /// keyval = key keyval-sep val
    ///
    /// A key that cannot be read, or may not stand here, does not keep its value from being read: mistakes in it are
    /// told, and what it spans is known.
    mutating func keyval(in table: Int, inline: Bool) -> Outcome {
        let start = position
        var node: Int
        if key(isHeader: false) {
            let keyEnd = position
            skipWhitespace()
            guard peek() == Byte.equals else { return missingEquals(start, keyEnd, in: table, inline: inline) }
            do throws(Obstacle) {
                node = try document.place(keyParts, in: table)
            } catch {
                report(error.mistake, at: error.span)
                node = document.detached(in: table)
            }
        } else {
            guard skipToEquals(inline: inline) else { return .failed }
            node = document.detached(in: table)
        }
        position += 1
        let valueStart = position
        skipWhitespace()
        if isAtLineEnd || peek() == Byte.hash
            || (inline && (peek() == Byte.comma || peek() == Byte.closeBrace))
        {
            report(.missingValue(excerpt(start, valueStart - 1)), valueStart, valueStart)
            return .failed
        }
        return value(into: node, inline: inline)
    }

    /// A key was read, and no "=" follows.
    private mutating func missingEquals(_ start: Int, _ keyEnd: Int, in table: Int, inline: Bool) -> Outcome {
        if isAtLineEnd || peek() == Byte.hash || (inline && (peek() == Byte.comma || peek() == Byte.closeBrace)) {
            report(.missingValue(excerpt(start, keyEnd)), start, keyEnd)
            return .failed
        }
        if peek() == Byte.colon {
            report(.colon, position, position + 1)
            position += 1
        } else {
            let gap = position
            if skipToEquals(inline: inline) {
                var end = position
                while end > gap && isWhitespace(byte(end - 1)) { end -= 1 }
                report(.badKey(excerpt(start, end)), start, end)
                position += 1
            } else {
                report(.missingEquals(excerpt(start, keyEnd)), keyEnd, keyEnd)
            }
        }
        // What follows is read quietly for its extent: an array may go on over lines.
        let wasMuted = isMuted
        isMuted = true
        skipWhitespace()
        let outcome = isAtLineEnd ? .failed : value(into: document.detached(in: table), inline: inline)
        isMuted = wasMuted
        return outcome == .abandoned ? .abandoned : .failed
    }
}
