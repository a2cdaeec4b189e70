/// Text of a file as a terminal can show it, and how wide it is there. What would act on the terminal, or hide or
/// reorder what stands beside it, is shown by its number: a control character as \x1B, a byte that is not UTF-8 as
/// \xFF, a character without a shape of its own as \u{202E}.

/// A character as it is shown.
struct Cell {
    /// The byte of the file at which it begins.
    var offset: Int
    /// How many bytes it takes in the file; at least 1.
    var length: Int
    /// In columns of the terminal.
    var width: Int
    /// nil: the bytes of the file themselves.
    var replacement: String?
}

/// The character at an offset before an end, at a column that counts from 0.
func cell(_ bytes: [UInt8], _ offset: Int, _ end: Int, column: Int) -> Cell {
    let first = bytes[offset]
    if first == 0x09 {
        let width = 4 - column % 4
        return Cell(offset: offset, length: 1, width: width, replacement: String(repeating: " ", count: width))
    }
    let length = utf8Length(bytes, offset, end)
    if length == 0 || first < 0x20 || first == 0x7F {
        return Cell(
            offset: offset, length: 1, width: 4, replacement: say("\\x%", hexadecimal(UInt32(first), digits: 2)))
    }
    if length == 1 { return Cell(offset: offset, length: 1, width: 1, replacement: nil) }
    var value = UInt32(first) & (0x7F >> UInt32(length))
    for index in 1..<length { value = value << 6 | UInt32(bytes[offset + index] & 0x3F) }
    if isInvisible(value) {
        let digits = say("\\u{%}", hexadecimal(value, digits: 1))
        return Cell(offset: offset, length: length, width: digits.utf8.count, replacement: digits)
    }
    return Cell(offset: offset, length: length, width: columns(value), replacement: nil)
}

/// Text of a message with nothing in it that acts on the terminal; line feeds stay.
func visible(_ text: String) -> String {
    let bytes = [UInt8](text.utf8)
    var shown = [UInt8]()
    shown.reserveCapacity(bytes.count)
    var offset = 0
    while offset < bytes.count {
        if bytes[offset] == 0x0A {
            shown.append(0x0A)
            offset += 1
            continue
        }
        let next = cell(bytes, offset, bytes.count, column: 0)
        append(next, of: bytes, to: &shown)
        offset += next.length
    }
    return String(decoding: shown, as: UTF8.self)
}

/// A number in hexadecimal, with at least so many digits.
func hexadecimal(_ value: UInt32, digits: Int) -> String {
    var text = [UInt8]()
    var shift: UInt32 = 32
    while shift > 0 {
        shift -= 4
        let digit = UInt8(truncatingIfNeeded: value >> shift) & 0xF
        if digit > 0 || !text.isEmpty || shift < UInt32(truncatingIfNeeded: digits) * 4 {
            text.append(digit < 10 ? 0x30 + digit : 0x41 + digit - 10)
        }
    }
    return String(decoding: text, as: UTF8.self)
}

func append(_ cell: Cell, of bytes: [UInt8], to shown: inout [UInt8]) {
    if let replacement = cell.replacement {
        shown += Array(replacement.utf8)
    } else {
        shown += bytes[cell.offset..<cell.offset + cell.length]
    }
}

/// Characters that control the terminal (C1), the direction of text, or show as nothing at all.
private func isInvisible(_ value: UInt32) -> Bool {
    switch value {
    case 0x80...0x9F, 0xAD, 0x061C, 0x200B, 0x200E...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB,
        0xE0000...0xE007F:
        return true
    default:
        return false
    }
}

/// The width of a character in columns: 0 for marks that lie over the one before, 2 for East Asian wide ones and emoji
/// (Unicode Standard Annex 11; the ranges are those in common use, not every character of them).
private func columns(_ value: UInt32) -> Int {
    switch value {
    case 0x0300...0x036F, 0x0483...0x0489, 0x0591...0x05BD, 0x0610...0x061A, 0x064B...0x065F, 0x0E31, 0x0E34...0x0E3A,
        0x0E47...0x0E4E, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF, 0x200C...0x200D, 0x20D0...0x20FF, 0xFE00...0xFE0F,
        0xFE20...0xFE2F, 0x1F3FB...0x1F3FF:
        return 0
    case 0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x2705, 0x274C, 0x2E80...0x303E, 0x3041...0x4DBF,
        0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
        return 2
    default:
        return 1
    }
}

/// How many columns a text takes, made visible.
@inline(never)
public func columns(of text: String) -> Int {
    var width = 0
    let bytes = text.bytes
    var offset = 0
    while offset < bytes.count {
        let next = cell(bytes, offset, bytes.count, column: width)
        width &+= next.width
        offset &+= next.length
    }
    return width
}

/// A text in one line, made visible, with "…" at its end where it would take more than so many columns; with blanks behind
/// it up to `padding` columns.
@inline(never)
public func fitted(_ text: String, to limit: Int, padding: Int = 0) -> String {
    let bytes = text.bytes
    var shown = [UInt8]()
    var width = 0
    var offset = 0
    /// The bytes, and the columns, that leave room for "…".
    var room = (bytes: 0, width: 0)
    while offset < bytes.count {
        let next = cell(bytes, offset, bytes.count, column: width)
        if width &+ next.width > limit {
            shown.removeLast(shown.count &- room.bytes)
            width = room.width
            if limit > 0 {
                shown += [0xE2, 0x80, 0xA6]
                width &+= 1
            }
            break
        }
        append(next, of: bytes, to: &shown)
        width &+= next.width
        offset &+= next.length
        if width < limit { room = (shown.count, width) }
    }
    while width < padding {
        shown.append(0x20)
        width &+= 1
    }
    return String(decoding: shown, as: UTF8.self)
}
