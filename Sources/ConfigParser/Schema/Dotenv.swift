/// Files of NAME=value lines, as `docker run --env-file` and systemd's EnvironmentFile= read them. Nothing is expanded and
/// nothing is run. A line that cannot be read is told and left out; the others count.
///
/// - Blank lines, and lines whose first character is `#`, say nothing. A `#` within a value is part of it.
/// - `export ` before the name is allowed. Spaces around the name and the value are not part of them.
/// - A value in single quotes is taken as it stands. In double quotes `\n`, `\r`, `\t`, `\"`, `\\`, `\$` and `` \` `` are
///   one character each, and a `\` at the end of a line joins it to the next; any other `\` stays. Both may go over several
///   lines. Behind the closing quote only a comment can stand.
/// - Lines end in LF or CRLF; the last one need not end. A byte order mark at the start is left out.
/// - Values are bytes: they need not be UTF-8.

/// Reads such a file.
///
/// - Returns: the variables in the order of the file, a name twice where it stands twice; and the lines, counted from 1,
///   that are none, with what is wrong with them. Time is linear in the size of the file.
public func parseDotenv(
    _ bytes: [UInt8]
) -> (entries: [(name: String, value: [UInt8])], mistakes: [(line: Int, what: String)]) {
    var parser = DotenvParser(bytes: bytes)
    parser.parse()
    return (parser.entries, parser.mistakes)
}

private struct DotenvParser {
    let bytes: [UInt8]
    var place = 0
    var line = 1
    var entries: [(name: String, value: [UInt8])] = []
    var mistakes: [(line: Int, what: String)] = []

    init(bytes: [UInt8]) { self.bytes = bytes }

    var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    mutating func parse() {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
        while place < bytes.count {
            parseLine()
            // Whatever is left of the line.
            while let byte = next, byte != 0x0A { place &+= 1 }
            place &+= 1
            line &+= 1
        }
    }

    /// One line, or the several of a value in quotes; stops before the newline.
    private mutating func parseLine() {
        skipBlanks()
        guard let first = next, first != 0x0A, first != 0x23, !isEndOfLine() else { return }
        let start = line
        skipExport()
        let nameStart = place
        while let byte = next, byte != 0x3D, byte != 0x0A { place &+= 1 }
        let rawName = trimmed(nameStart, place)
        guard next == 0x3D else {
            mistakes.append((start, "there is no ="))
            return
        }
        place &+= 1
        guard let name = name(rawName) else {
            mistakes.append((start, "what stands before = is no name of a variable"))
            // The value may be in quotes and go over several lines, so it is read all the same.
            _ = value()
            return
        }
        switch value() {
        case .bytes(let value):
            if value.contains(0) {
                mistakes.append((start, "the value holds a NUL byte"))
            } else {
                entries.append((name, value))
            }
        case .mistake(let what): mistakes.append((start, what))
        }
    }

    private enum Parsed {
        case bytes([UInt8])
        case mistake(String)
    }

    private mutating func value() -> Parsed {
        skipBlanks()
        guard let quote = next, quote == 0x22 || quote == 0x27 else {
            let start = place
            while let byte = next, byte != 0x0A { place &+= 1 }
            return .bytes([UInt8](trimmed(start, place)))
        }
        let restart = (place: place, line: line)
        place &+= 1
        var value = [UInt8]()
        while let byte = next, byte != quote {
            place &+= 1
            if byte == 0x0A { line &+= 1 }
            if byte == 0x5C && quote == 0x22 { escape(&value) } else { value.append(byte) }
        }
        guard next == quote else {
            // The rest of the file is not the value: only this line is lost.
            (place, line) = restart
            return .mistake("the quote is not closed")
        }
        place &+= 1
        skipBlanks()
        if let byte = next, byte != 0x0A, byte != 0x23, !isEndOfLine() {
            return .mistake("there is text behind the closing quote")
        }
        return .bytes(value)
    }

    /// Behind a `\` in double quotes.
    private mutating func escape(_ value: inout [UInt8]) {
        guard let byte = next else {
            value.append(0x5C)
            return
        }
        switch byte {
        case 0x6E: value.append(0x0A)
        case 0x72: value.append(0x0D)
        case 0x74: value.append(0x09)
        case 0x22, 0x24, 0x5C, 0x60: value.append(byte)
        case 0x0A: line &+= 1
        default:
            value.append(0x5C)
            return
        }
        place &+= 1
    }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x09 { place &+= 1 }
    }

    /// `export` and at least one blank.
    private mutating func skipExport() {
        guard same(bytes[place...].prefix(6), "export") else { return }
        let after = place &+ 6
        guard after < bytes.count, bytes[after] == 0x20 || bytes[after] == 0x09 else { return }
        place = after
        skipBlanks()
    }

    /// At a CR that an LF or the end of the file follows.
    private func isEndOfLine() -> Bool {
        next == 0x0D && (place &+ 1 >= bytes.count || bytes[place &+ 1] == 0x0A)
    }

    /// Without blanks and CR at both ends.
    private func trimmed(_ start: Int, _ end: Int) -> ArraySlice<UInt8> {
        var range = bytes[start..<end]
        while let byte = range.last, byte == 0x20 || byte == 0x09 || byte == 0x0D { range = range.dropLast() }
        while let byte = range.first, byte == 0x20 || byte == 0x09 { range = range.dropFirst() }
        return range
    }

    /// A name that is not empty and holds no blank, NUL or quote, in UTF-8.
    private func name(_ bytes: ArraySlice<UInt8>) -> String? {
        if bytes.isEmpty { return nil }
        for byte in bytes where byte <= 0x20 || byte == 0x7F || byte == 0x22 || byte == 0x27 { return nil }
        let name = String(decoding: bytes, as: UTF8.self)
        return name.bytes[...] == bytes ? name : nil
    }
}
