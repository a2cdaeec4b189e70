/// Strings as the bytes that they are. These operators take the place of the standard library's wherever this module is
/// imported, for two reasons. Two names are equal where their bytes are (TOML: keys are compared without normalization,
/// and so does the kernel), while the standard library's `==` holds "é" as one character and as two to be equal. And
/// each of its operators is put into the code of every caller, and `==` brings 40 KB of tables of Unicode with it.

extension String {
    /// Adds a text at the end.
    @inline(never)
    public static func += (left: inout String, right: String) { left.append(right) }

    /// Both, one behind the other.
    @inline(never)
    public static func + (left: String, right: String) -> String {
        var text = left
        text.append(right)
        return text
    }

    /// Whether the bytes are the same.
    @inline(never)
    public static func == (left: String, right: String) -> Bool {
        if let isSame = left.isInItselfSame(as: right) { return isSame }
        guard left.utf8.count == right.utf8.count else { return false }
        var left = left
        var right = right
        return left.withUTF8 { left in
            right.withUTF8 { right in
                guard left.count == right.count else { return false }
                for place in left.indices where left[place] != right[place] { return false }
                return true
            }
        }
    }

    /// The same for texts of up to 15 bytes, as most names are, without a call: such a text lies in the two words of the String
    /// itself (the small form of Swift's ABI, marked by bit 61 of the second). nil where that does not decide.
    @inline(__always)
    public func isInItselfSame(as other: String) -> Bool? {
        let own = unsafeBitCast(self, to: (UInt64, UInt64).self)
        let others = unsafeBitCast(other, to: (UInt64, UInt64).self)
        if own.0 == others.0 && own.1 == others.1 { return true }
        return own.1 & others.1 & (1 << 61) != 0 ? false : nil
    }

    /// One of 64 bits, the same one for equal texts: a set of such bits tells of most names that they are not among those it was
    /// made from. Every bit where the form of the text does not say which (a short one that is not held in the String itself).
    @inline(__always)
    var mark: UInt64 {
        let own = unsafeBitCast(self, to: (UInt64, UInt64).self)
        if own.1 & (1 << 61) != 0 { return 1 << (((own.0 ^ own.1) &* 0x9E37_79B9_7F4A_7C15) >> 58) }
        let count = utf8.count
        return count > 15 ? 1 << UInt64(truncatingIfNeeded: count & 63) : .max
    }

    /// Whether one of its bytes is that.
    @inline(never)
    func holds(_ byte: UInt8) -> Bool {
        var text = self
        return text.withUTF8 { bytes in
            for place in bytes.indices where bytes[place] == byte { return true }
            return false
        }
    }

    /// A text from bytes that lie in memory; what is not UTF-8 becomes U+FFFD. A name of up to 15 ASCII characters is put
    /// together here, in the form described above, for a tenth of what the standard library takes.
    @inline(never)
    init(memory bytes: UnsafeBufferPointer<UInt8>) {
        if bytes.count <= 15 {
            var words: (UInt64, UInt64) = (0, UInt64(truncatingIfNeeded: bytes.count) << 56 | 0xE0 << 56)
            var all: UInt8 = 0
            for place in bytes.indices {
                let byte = bytes[place]
                all |= byte
                let moved = UInt64(byte) << UInt64(truncatingIfNeeded: (place & 7) &* 8)
                if place < 8 { words.0 |= moved } else { words.1 |= moved }
            }
            if all < 0x80 {
                self = unsafeBitCast(words, to: String.self)
                return
            }
        }
        self = String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a byte differs.
    public static func != (left: String, right: String) -> Bool { !(left == right) }

    /// A text from its bytes; what is not UTF-8 becomes U+FFFD.
    @inline(never)
    public init(decoding bytes: [UInt8], as: UTF8.Type) { self.init(decoding: bytes[...], as: UTF8.self) }

    /// A text from its bytes; what is not UTF-8 becomes U+FFFD.
    @inline(never)
    public init(decoding bytes: ArraySlice<UInt8>, as: UTF8.Type) {
        self = bytes.withUnsafeBufferPointer { String(memory: $0) }
    }

    /// Its bytes. To walk over these takes a tenth of the code that it takes with `utf8`.
    public var bytes: [UInt8] { [UInt8](utf8) }

    /// For `switch`.
    public static func ~= (pattern: String, text: String) -> Bool { pattern == text }
}

extension Array where Element == UInt8 {
    /// The bytes of a text.
    @inline(never)
    public init(_ text: String.UTF8View) {
        var text = String(text)
        self = text.withUTF8 { bytes in
            [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(bytes))
                count = bytes.count
            }
        }
    }

    /// Adds bytes at the end.
    @inline(never)
    public static func += (left: inout [UInt8], right: [UInt8]) { left.append(contentsOf: right) }

    /// Both, one behind the other.
    @inline(never)
    public static func + (left: [UInt8], right: [UInt8]) -> [UInt8] {
        var bytes = left
        bytes.append(contentsOf: right)
        return bytes
    }
}

/// Whether a list has a text.
@inline(never)
public func has(_ texts: [String], _ text: String) -> Bool {
    for other in texts where other == text { return true }
    return false
}
