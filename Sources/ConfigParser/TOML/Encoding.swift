/// Whether the bytes are text at all: TOML is UTF-8 (RFC 3629), and nothing else. Looks at the file once, before it is
/// read, so that the reader can take every byte above 127 as a part of a character. A file of another encoding is one
/// mistake with one remedy, however many places show it.

extension TOMLParser {
    /// Tells what is wrong with the encoding.
    ///
    /// - Returns: whether the rest can be read with any sense.
    mutating func checkEncoding() -> Bool {
        guard bytes.count < Int(Int32.max) else {
            report(.fileTooLarge, 0, 0)
            return false
        }
        let first = peek()
        let second = peek(1)
        if (first == 0xFF && second == 0xFE) || (first == 0xFE && second == 0xFF)
            || (second != nil && (first == 0) != (second == 0))
        {
            report(.utf16, 0, 2)
            return false
        }
        var offset = 0
        var wrong = 0
        var start = 0
        var end = 0
        while true {
            offset = nextBeyondASCII(offset)
            guard offset < bytes.count else { break }
            let length = characterLength(offset)
            if length > 0 {
                offset += length
                continue
            }
            if wrong == 0 {
                start = offset
                end = offset + 1
            } else if offset == end {
                end += 1
            }
            wrong += 1
            offset += 1
        }
        guard wrong > 0 else { return true }
        if bytes.contains(0) {
            report(.binary, start, end)
            return false
        }
        report(.notUTF8(others: wrong - (end - start)), start, end)
        return true
    }

    /// The next byte that is no ASCII, or the end; looks at eight at once.
    private func nextBeyondASCII(_ offset: Int) -> Int {
        bytes.withUnsafeBytes { bytes in
            var place = offset
            while place &+ 8 <= bytes.count {
                if bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { break }
                place &+= 8
            }
            while place < bytes.count && bytes[place] < 0x80 { place &+= 1 }
            return place
        }
    }

    private func characterLength(_ offset: Int) -> Int { utf8Length(bytes, offset, bytes.count) }
}

/// The number of bytes of the character at an offset, before an end; 0 where no well-formed one stands there: a lone or
/// missing continuation, a longer form than needed, a surrogate, or more than U+10FFFF (RFC 3629, section 4).
func utf8Length(_ bytes: [UInt8], _ offset: Int, _ end: Int) -> Int {
    guard offset >= 0 && offset < end && end <= bytes.count else { return 0 }
    let lead = bytes[offset]
    var length: Int
    var lowest: UInt8 = 0x80
    var highest: UInt8 = 0xBF
    switch lead {
    case 0x00...0x7F: return 1
    case 0xC2...0xDF: length = 2
    case 0xE0...0xEF:
        length = 3
        if lead == 0xE0 { lowest = 0xA0 }
        if lead == 0xED { highest = 0x9F }
    case 0xF0...0xF4:
        length = 4
        if lead == 0xF0 { lowest = 0x90 }
        if lead == 0xF4 { highest = 0x8F }
    default: return 0
    }
    guard end - offset >= length else { return 0 }
    for index in 1..<length {
        let next = bytes[offset + index]
        guard next >= lowest && next <= highest else { return 0 }
        lowest = 0x80
        highest = 0xBF
    }
    return length
}
