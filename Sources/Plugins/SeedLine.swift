import ConfigParser
import System

/// The text of `[[options.line]]`: a dotenv file in which one key gets a value. Pure; Seed.swift reads and writes the file.
/// Every other byte of the file stays as it is.
enum SeedLine {
    /// The text with the key set; nil where it has a value already.
    static func setting(_ key: Bytes, to value: Bytes, in text: Bytes) -> Bytes? {
        if let present = SeedLine.value(of: key, in: text), !present.isEmpty { return nil }
        let written = quoted(value)
        if let place = placeOfEmptyValue(of: key, in: text) {
            let changed = Bytes(text[..<place.lowerBound]) + written + Bytes(text[place.upperBound...])
            // Within a value of several lines it is no line of its own.
            if SeedLine.value(of: key, in: changed) == value { return changed }
        }
        let isCRLF = text.count > 1 && text[text.count &- 2] == 0x0D && text.last == 0x0A
        let lineEnd: Bytes = isCRLF ? [0x0D, 0x0A] : [0x0A]
        var changed = text
        if let last = changed.last, last != 0x0A { changed.append(0x0A) }
        return changed + key + [0x3D] + written + lineEnd
    }

    /// The value of a key, the last where it stands several times; nil where it does not stand there.
    static func value(of key: Bytes, in text: Bytes) -> Bytes? {
        let name = String(decoding: key, as: UTF8.self)
        var value: Bytes?
        for entry in parseDotenv(text).entries where entry.name == name { value = entry.value }
        return value
    }

    /// Where the empty value of the key stands: behind the `=`, the quotes around nothing included.
    private static func placeOfEmptyValue(of key: Bytes, in text: Bytes) -> Range<Int>? {
        var found: Range<Int>?
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count && text[end] != 0x0A { end &+= 1 }
            if let place = emptyValue(of: key, in: text[start..<end]) { found = place }
            start = end &+ 1
        }
        return found
    }

    private static func emptyValue(of key: Bytes, in line: ArraySlice<UInt8>) -> Range<Int>? {
        var rest = trimmedStart(line)
        let export = Bytes("export")
        if rest.starts(with: export), let next = rest.dropFirst(export.count).first, isBlank(next) {
            rest = trimmedStart(rest.dropFirst(export.count))
        }
        guard rest.starts(with: key) else { return nil }
        rest = trimmedStart(rest.dropFirst(key.count))
        guard rest.first == 0x3D else { return nil }
        rest = rest.dropFirst()
        let start = rest.startIndex
        while let last = rest.last, isBlank(last) || last == 0x0D { rest = rest.dropLast() }
        let content = Bytes(trimmedStart(rest))
        if content.isEmpty || content == [0x22, 0x22] || content == [0x27, 0x27] {
            return start..<max(start, rest.endIndex)
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func trimmedStart(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> { text.drop { isBlank($0) } }

    /// A value so that every reader of dotenv files gives it back: as it stands, or in quotes.
    static func quoted(_ value: Bytes) -> Bytes {
        var isPlain = true
        var hasSingleQuote = false
        for byte in value {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B...0x2F, 0x3A, 0x3D, 0x40, 0x5F, 0x25, 0x80...0xFF: break
            case 0x27: (isPlain, hasSingleQuote) = (false, true)
            default: isPlain = false
            }
        }
        if isPlain { return value }
        if !hasSingleQuote { return [0x27] + value + [0x27] }
        var text: Bytes = [0x22]
        for byte in value {
            if byte == 0x22 || byte == 0x24 || byte == 0x5C || byte == 0x60 { text.append(0x5C) }
            text.append(byte)
        }
        return text + [0x22]
    }

    /// Whether a text holds another one.
    static func contains(_ text: Bytes, _ part: Bytes) -> Bool {
        var rest = text[...]
        while rest.count >= part.count {
            if rest.starts(with: part) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
