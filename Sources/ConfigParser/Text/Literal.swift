/// Texts that stand in the source, for a quarter of the code. A `String` that is written down costs 20 bytes in each place
/// that passes it, and often a release behind; the place where a text lies costs 5. The functions that are called with such
/// texts most often therefore take a `Literal`, and have a form for a `String` besides, which the compiler takes only where
/// the other does not fit. Never made from a text that is not in the source.

/// A text that is written down in the source. Without NUL in it.
public struct Literal: ExpressibleByStringLiteral, @unchecked Sendable {
    /// The bytes, and a NUL behind the last. They lie there as long as the process lives.
    private let start: UnsafePointer<UInt8>

    /// A text that is written down.
    @inline(__always)
    public init(stringLiteral text: StaticString) { start = text.utf8Start }

    /// Its bytes where they lie.
    var memory: UnsafeBufferPointer<UInt8> {
        var count = 0
        while start[count] != 0 { count &+= 1 }
        return UnsafeBufferPointer(start: start, count: count)
    }

    /// The same as a String.
    public var text: String {
        @inline(never)
        get { String(memory: memory) }
    }
}

extension Array where Element == UInt8 {
    /// The bytes of a text.
    @inline(never)
    public init(_ text: Literal) { self = [UInt8](text.memory) }

    /// Adds a text at the end.
    @inline(never)
    public static func += (left: inout [UInt8], right: Literal) { left.append(contentsOf: right.memory) }
}
