/// Decimal text to the nearest `Double`, ties to even (IEEE 754-2019, section 5.12.2), without the C library: the
/// standard library's own way leads to strtod, which lies outside of this module. Numbers of service files ("1.5") take
/// the short way, which is exact; all others are divided digit by digit in whole numbers, which is slower and always
/// right. Never takes more than linear time: digits after the 800th cannot decide anything but a tie, and count as one.

/// Reads `[+-] digits [. digits] [e [+-] digits]`, with underscores anywhere between digits, from a range of bytes that
/// was checked to be of this form. Infinite where the number is too large.
func decimalToDouble(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Double {
    var digits = [UInt8]()
    var exponent = 0
    var isNegative = false
    var isFraction = false
    var lost = false
    var offset = start
    scan: while offset < end && offset < bytes.count {
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case Byte.minus: isNegative = true
        case Byte.dot: isFraction = true
        case 0x30...0x39:
            if isFraction { exponent -= 1 }
            if digits.isEmpty && byte == Byte.zero { continue }
            if digits.count < 800 {
                digits.append(byte - Byte.zero)
            } else {
                lost = lost || byte != Byte.zero
                exponent += 1
            }
        case 0x45, 0x65: break scan
        default: break
        }
    }
    exponent += writtenExponent(bytes, offset, end)
    while digits.last == 0 && !lost {
        digits.removeLast()
        exponent += 1
    }
    // Stands for all that was cut off: enough to break a tie.
    if lost {
        digits.append(1)
        exponent -= 1
    }
    let magnitude = nearestDouble(digits, exponent)
    return isNegative ? -magnitude : magnitude
}

/// The number after "e". Kept within bounds that no text of a file can make up for by digits before it.
private func writtenExponent(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
    var value = 0
    var isNegative = false
    for offset in start..<max(end, start) where offset < bytes.count {
        if bytes[offset] == Byte.minus { isNegative = true }
        guard isDigit(bytes[offset]) else { continue }
        value = min(value * 10 + Int(bytes[offset] - Byte.zero), 1 << 40)
    }
    return isNegative ? -value : value
}

/// The double nearest to digits · 10^exponent; the digits begin with no zero.
private func nearestDouble(_ digits: [UInt8], _ exponent: Int) -> Double {
    guard !digits.isEmpty else { return 0 }
    // The first digit's place: the largest double lies below 10^309, the smallest above 10^-324.
    if digits.count + exponent > 310 { return Double.infinity }
    if digits.count + exponent < -325 { return 0 }
    if digits.count <= 15 && exponent >= -22 && exponent <= 22 {
        // Both are exact as doubles, so one division or multiplication rounds once.
        var whole = 0.0
        for digit in digits { whole = whole * 10 + Double(digit) }
        var power = 1.0
        for _ in 0..<abs(exponent) { power *= 10 }
        return exponent < 0 ? whole / power : whole * power
    }
    var numerator = Natural(1)
    numerator.words.removeAll(keepingCapacity: true)
    for digit in digits { numerator.multiply(by: 10, adding: UInt32(digit)) }
    var denominator = Natural(1)
    for _ in 0..<abs(exponent) {
        if exponent > 0 { numerator.multiply(by: 10, adding: 0) } else { denominator.multiply(by: 10, adding: 0) }
    }
    // Scaled so that 1 <= numerator / denominator < 2; the value is that times 2^power.
    var power = numerator.bitWidth - denominator.bitWidth
    if power > 0 { denominator.shiftLeft(power) } else { numerator.shiftLeft(-power) }
    if numerator.isLess(than: denominator) {
        numerator.shiftLeft(1)
        power -= 1
    }
    if power > 1023 { return Double.infinity }
    // Below 2^-1022 the doubles have fewer bits.
    let precision = power >= -1022 ? 53 : 53 - (-1022 - power)
    if precision < 0 { return 0 }
    var significand: UInt64 = 0
    for _ in 0..<precision {
        significand <<= 1
        if !numerator.isLess(than: denominator) {
            numerator.subtract(denominator)
            significand |= 1
        }
        numerator.shiftLeft(1)
    }
    // What is left, against half of the last bit.
    if !numerator.isLess(than: denominator) {
        numerator.subtract(denominator)
        if !numerator.isZero || significand & 1 == 1 { significand += 1 }
    }
    // The exponent's field is added, so that a significand that was rounded up to the next power carries into it.
    let field = power >= -1022 ? UInt64(power + 1022) << 52 : 0
    return Double(bitPattern: field + significand)
}

// MARK: The other way

/// A double as the shortest correctly rounded decimal text that reads as the same double again: "0.1", "1.0", "1e300",
/// "-0.0"; "inf", "-inf" and "nan" where it is no number. A dot or an "e" tells it from an integer. Tries one digit more
/// until the text reads back right, 17 at most, which is slow and short; meant for showing, not for the boot.
@inline(never)
func decimalText(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    let magnitude = value.magnitude
    if magnitude == .infinity { return value < 0 ? "-inf" : "inf" }
    var digits: [UInt8] = [0]
    // The digits begin at 10^exponent.
    var exponent = 0
    if magnitude > 0 {
        let (exact, first, isMore) = leadingDigits(magnitude)
        var count = 0
        repeat {
            count &+= 1
            (digits, exponent) = rounded(exact, to: count, first, isMore)
        } while count < 17 && nearestDouble(digits, exponent &+ 1 &- digits.count) != magnitude
    }
    let isScientific = exponent < -5 || exponent > 16
    var text = [UInt8]()
    if value.sign == .minus { text.append(Byte.minus) }
    // Zeros in front of the first digit have places below 0.
    var place = isScientific ? 0 : min(exponent, 0)
    let dot = isScientific ? 1 : exponent &+ 1
    let end = max(digits.count, isScientific ? 0 : exponent &+ 2)
    while place < end {
        if place == dot { text.append(Byte.dot) }
        text.append(Byte.zero &+ (place >= 0 && place < digits.count ? digits[place] : 0))
        place &+= 1
    }
    var shown = String(decoding: text, as: UTF8.self)
    if isScientific { shown += say("e%", String(exponent)) }
    return shown
}

/// The first 18 digits of a positive number, cut off; the power of ten of the first; whether more than zeros follow.
private func leadingDigits(_ value: Double) -> (digits: [UInt8], exponent: Int, isMore: Bool) {
    // The value is significand · 2^power.
    let field = Int(value.bitPattern >> 52)
    let significand = field == 0 ? value.bitPattern : value.bitPattern & (1 << 52 - 1) | 1 << 52
    let power = (field == 0 ? 1 : field) &- 1075
    var numerator = Natural(0)
    numerator.words = [UInt32(truncatingIfNeeded: significand), UInt32(truncatingIfNeeded: significand >> 32)]
    if numerator.words[1] == 0 { numerator.words.removeLast() }
    var denominator = Natural(1)
    if power > 0 { numerator.shiftLeft(power) } else { denominator.shiftLeft(-power) }
    // Scaled so that denominator <= numerator < 10 · denominator.
    var exponent = 0
    while numerator.isLess(than: denominator) {
        numerator.multiply(by: 10, adding: 0)
        exponent &-= 1
    }
    while true {
        var next = denominator
        next.multiply(by: 10, adding: 0)
        if numerator.isLess(than: next) { break }
        denominator = next
        exponent &+= 1
    }
    var digits = [UInt8]()
    for _ in 0..<18 {
        var digit: UInt8 = 0
        while !numerator.isLess(than: denominator) {
            numerator.subtract(denominator)
            digit &+= 1
        }
        digits.append(digit)
        numerator.multiply(by: 10, adding: 0)
    }
    return (digits, exponent, !numerator.isZero)
}

/// Digits to the nearest of fewer digits; `isMore` where something follows them.
private func rounded(_ exact: [UInt8], to count: Int, _ exponent: Int, _ isMore: Bool) -> ([UInt8], Int) {
    var digits = [UInt8](exact.prefix(count))
    // What is cut off, against half of the last digit; ties to even.
    var tail = 0
    for digit in exact[count...] { tail = tail &* 10 &+ Int(digit) }
    var half = 5
    for _ in count &+ 1..<exact.count { half &*= 10 }
    guard tail > half || (tail == half && (isMore || digits[count &- 1] & 1 == 1)) else { return (digits, exponent) }
    var place = digits.count
    while place > 0 {
        place &-= 1
        if digits[place] < 9 {
            digits[place] &+= 1
            return (digits, exponent)
        }
        digits[place] = 0
    }
    return ([1], exponent &+ 1)
}

/// A natural number of any size: as much arithmetic as the conversion needs.
private struct Natural {
    /// The lowest first; the last is not zero.
    var words: [UInt32]

    init(_ value: UInt32) { words = [value] }

    var isZero: Bool { words.isEmpty }

    var bitWidth: Int {
        guard let last = words.last else { return 0 }
        return words.count * 32 - last.leadingZeroBitCount
    }

    mutating func multiply(by factor: UInt32, adding summand: UInt32) {
        var carry = UInt64(summand)
        for index in words.indices {
            carry += UInt64(words[index]) * UInt64(factor)
            words[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { words.append(UInt32(truncatingIfNeeded: carry)) }
    }

    mutating func shiftLeft(_ count: Int) {
        guard count > 0 && !isZero else { return }
        let bits = UInt64(count % 32)
        var carry: UInt64 = 0
        for index in words.indices {
            carry |= UInt64(words[index]) << bits
            words[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { words.append(UInt32(truncatingIfNeeded: carry)) }
        if count >= 32 { words.insert(contentsOf: [UInt32](repeating: 0, count: count / 32), at: 0) }
    }

    func isLess(than other: Natural) -> Bool {
        guard words.count == other.words.count else { return words.count < other.words.count }
        for index in words.indices.reversed() where words[index] != other.words[index] {
            return words[index] < other.words[index]
        }
        return false
    }

    /// The other must not be larger.
    mutating func subtract(_ other: Natural) {
        var borrow: Int64 = 0
        for index in words.indices {
            let difference = Int64(words[index]) - (index < other.words.count ? Int64(other.words[index]) : 0) - borrow
            words[index] = UInt32(truncatingIfNeeded: difference)
            borrow = difference < 0 ? 1 : 0
        }
        while words.last == 0 { words.removeLast() }
    }
}
