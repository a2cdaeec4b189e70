import ConfigParser

/// Words of a command line, which are bytes and need not be UTF-8, as text that can be shown: quoted so that a shell reads
/// the same word again, and without a byte that could move the cursor or change a terminal's colours. Only for showing;
/// what is run is always the bytes themselves.

/// One word as a shell would have to be given it: `sleep`, `'two words'`, `$'tab\there'`.
@inline(never)
func quoted(_ word: [UInt8]) -> String {
    guard !word.isEmpty else { return "''" }
    let text = String(decoding: word, as: UTF8.self)
    var isPlain = true
    // Where the decoding had to put in U+FFFD, the text is no longer the word.
    var isPrintable = text.utf8.elementsEqual(word)
    for scalar in text.unicodeScalars {
        if scalar.value < 0x20 || (scalar.value >= 0x7F && scalar.value < 0xA0) { isPrintable = false }
        if !isSafeInShell(scalar.value) { isPlain = false }
    }
    if !isPrintable { return escaped(word) }
    if isPlain { return text }
    var result = "'"
    for scalar in text.unicodeScalars {
        if scalar == "'" { result += "'\\''" } else { result.unicodeScalars.append(scalar) }
    }
    return say("%'", result)
}

/// Words behind each other, cut off with "…" where they would be longer than about `limit` bytes.
@inline(never)
func quoted(_ words: [[UInt8]], limit: Int = 200) -> String {
    var result = ""
    for word in words {
        if result.utf8.count > limit { return say("% …", result) }
        if !result.isEmpty { result += " " }
        if word.count > limit { return say("%%…", result, quoted([UInt8](word.prefix(40)))) }
        result += quoted(word)
    }
    return result
}

/// The part of a path behind its last `/`.
@inline(never)
func lastComponent(_ path: [UInt8]) -> [UInt8] {
    var result = path[...]
    if let slash = path.lastIndex(of: 0x2F) { result = path[path.index(after: slash)...] }
    return [UInt8](result)
}

/// Whether a word is exactly this ASCII text.
@inline(never)
func isWord(_ word: [UInt8], _ text: StaticString) -> Bool {
    word.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
}

/// Letters, digits and `%+,-./:=@_^`, and everything beyond ASCII.
private func isSafeInShell(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x25, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F, 0x3A, 0x3D, 0x40, 0x5E, 0x5F: true
    default: scalar >= 0x80
    }
}

/// The form `$'…'`, in which every byte that is not printable ASCII is `\xNN`.
private func escaped(_ word: [UInt8]) -> String {
    let digits: [UInt8] = [UInt8]("0123456789abcdef")
    var result: [UInt8] = [0x24, 0x27]
    for byte in word {
        switch byte {
        case 0x09: result += [0x5C, 0x74]
        case 0x0A: result += [0x5C, 0x6E]
        case 0x27, 0x5C: result += [0x5C, byte]
        case 0x20...0x7E: result.append(byte)
        default: result += [0x5C, 0x78, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    result.append(0x27)
    return String(decoding: result, as: UTF8.self)
}
