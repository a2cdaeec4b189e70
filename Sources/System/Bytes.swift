import CSystem

/// Text at the edge to the kernel: paths, arguments and environment are bytes there and need not be UTF-8. They are turned
/// into a String only to be shown.

/// A path, an argument, a value of the environment: any bytes but NUL.
public typealias Bytes = [UInt8]

extension Array where Element == UInt8 {
    /// The bytes of a C string; empty for nil.
    public init(cString pointer: UnsafePointer<CChar>?) {
        guard let pointer else {
            self = []
            return
        }
        self = UnsafeRawBufferPointer(start: pointer, count: strlen(pointer)).map { $0 }
    }

    /// Calls `body` with the bytes and a NUL behind them. A NUL among the bytes ends the text early, as it does in C.
    /// The pointer is never nil; it is optional because that of an empty buffer would be.
    public func withCString<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        var terminated = self
        terminated.append(0)
        return terminated.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: CChar.self)) }
    }

    /// For messages: what is not UTF-8 or would move the cursor is shown as `\xHH`.
    public var shown: String {
        var clean = true
        for byte in self where byte < 0x20 || byte >= 0x7F { clean = false }
        if clean { return String(decoding: self, as: UTF8.self) }
        var text = Bytes()
        var rest = self[...]
        while let first = rest.first {
            let length = Self.sequenceLength(rest)
            if length == 0 || first < 0x20 || first == 0x7F {
                text += [0x5C, 0x78, Self.hexDigit(first >> 4), Self.hexDigit(first & 15)]
                rest = rest.dropFirst()
            } else {
                text += rest.prefix(length)
                rest = rest.dropFirst(length)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }

    /// The length of the well-formed UTF-8 sequence at the start; 0 where there is none.
    private static func sequenceLength(_ bytes: ArraySlice<UInt8>) -> Int {
        var iterator = bytes.makeIterator()
        guard let first = iterator.next() else { return 0 }
        let length: Int
        var lowest: UInt8 = 0x80
        var highest: UInt8 = 0xBF
        switch first {
        case 0..<0x80: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { lowest = 0xA0 }
            if first == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { lowest = 0x90 }
            if first == 0xF4 { highest = 0x8F }
        default: return 0
        }
        for _ in 1..<length {
            guard let next = iterator.next(), next >= lowest, next <= highest else { return 0 }
            lowest = 0x80
            highest = 0xBF
        }
        return length
    }
}
