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
    func isInItselfSame(as other: String) -> Bool? {
        let own = unsafeBitCast(self, to: (UInt64, UInt64).self)
        let others = unsafeBitCast(other, to: (UInt64, UInt64).self)
        if own.0 == others.0 && own.1 == others.1 { return true }
        return own.1 & others.1 & (1 << 61) != 0 ? false : nil
    }

    /// Whether a byte differs.
    public static func != (left: String, right: String) -> Bool { !(left == right) }

    /// A text from its bytes; what is not UTF-8 becomes U+FFFD.
    @inline(never)
    public init(decoding bytes: [UInt8], as: UTF8.Type) { self.init(decoding: bytes[...], as: UTF8.self) }

    /// A text from its bytes; what is not UTF-8 becomes U+FFFD.
    @inline(never)
    public init(decoding bytes: ArraySlice<UInt8>, as: UTF8.Type) {
        self = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
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
        self = []
        append(contentsOf: text)
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
