/// How messages are put together. String interpolation costs some 200 bytes of code for every piece of every message, and
/// there are a hundred messages; a call of one function costs 50 in all.

/// Puts words in the places of the `%` of a pattern, from left to right. There is no way to write a `%` itself.
@inline(never)
public func say(_ pattern: Literal, _ first: String) -> String { filled(pattern, first, "", "", "") }

/// The same with two words.
@inline(never)
public func say(_ pattern: Literal, _ first: String, _ second: String) -> String {
    filled(pattern, first, second, "", "")
}

/// The same with three words.
@inline(never)
public func say(_ pattern: Literal, _ first: String, _ second: String, _ third: String) -> String {
    filled(pattern, first, second, third, "")
}

/// The same with four words.
@inline(never)
public func say(_ pattern: Literal, _ first: String, _ second: String, _ third: String, _ fourth: String) -> String {
    filled(pattern, first, second, third, fourth)
}

/// The same with a pattern that is in a table.
@inline(never)
@_disfavoredOverload
public func say(_ pattern: String, _ first: String, _ second: String = "", _ third: String = "") -> String {
    var pattern = pattern
    return pattern.withUTF8 { filled($0, first, second, third, "") }
}

@inline(never)
private func filled(_ pattern: Literal, _ first: String, _ second: String, _ third: String, _ fourth: String) -> String
{
    filled(pattern.memory, first, second, third, fourth)
}

@inline(never)
private func filled(
    _ pattern: UnsafeBufferPointer<UInt8>, _ first: String, _ second: String, _ third: String, _ fourth: String
) -> String {
    var text = [UInt8]()
    var place = 0
    for byte in pattern {
        if byte != 0x25 {
            text.append(byte)
            continue
        }
        switch place {
        case 0: text.append(contentsOf: first.utf8)
        case 1: text.append(contentsOf: second.utf8)
        case 2: text.append(contentsOf: third.utf8)
        default: text.append(contentsOf: fourth.utf8)
        }
        place &+= 1
    }
    return String(decoding: text, as: UTF8.self)
}

/// A word of the user's, short and without control characters.
@inline(never)
public func shown(_ text: String, quotes: Bool = true) -> String {
    var result = [UInt8]()
    if quotes { result.append(0x22) }
    for byte in text.bytes {
        // Not in the middle of a character.
        if result.count > 48 && byte & 0xC0 != 0x80 {
            result += [0xE2, 0x80, 0xA6]
            break
        }
        result.append(byte < 0x20 || byte == 0x7F ? 0x3F : byte)
    }
    if quotes { result.append(0x22) }
    return String(decoding: result, as: UTF8.self)
}

/// Whether bytes are just that text.
@inline(never)
func same(_ bytes: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    var place = text.utf8Start
    for byte in bytes {
        if byte != place.pointee { return false }
        place += 1
    }
    return true
}

/// `"a", "b" or "c"`.
@inline(never)
func quotedChoice(_ words: [String]) -> String {
    var text = ""
    for (place, word) in words.enumerated() {
        if place > 0 { text += place == words.count - 1 ? " or " : ", " }
        text += shown(word)
    }
    return text
}
