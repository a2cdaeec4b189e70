import System

/// Looks for a text in what a service says (`[ready] log`): within one line, however the line comes in pieces. Each stream
/// has a place of its own in it; the text and its table are made once for both.
final class TextWatch {
    private let text: Bytes
    /// How much of the text still stands behind a byte that does not fit, for each length that fitted before it.
    private let fallbacks: [Int]

    /// - Parameter text: not empty, without a line end.
    init(_ text: Bytes) {
        self.text = text
        var table = [Int](repeating: 0, count: text.count)
        var length = 0
        for index in text.indices.dropFirst() {
            while length > 0 && text[index] != text[length] { length = table[length &- 1] }
            if text[index] == text[length] { length &+= 1 }
            table[index] = length
        }
        fallbacks = table
    }

    /// Goes through the next bytes of a stream.
    /// - Parameter matched: how much of the text stood at the end of what came before; 0 at the start.
    /// - Returns: whether the text is whole now.
    func find(_ bytes: UnsafeBufferPointer<UInt8>, matched: inout Int) -> Bool {
        if text.isEmpty { return true }
        for byte in bytes {
            if byte == 0x0A {
                matched = 0
                continue
            }
            while matched > 0 && text[matched] != byte { matched = fallbacks[matched &- 1] }
            if text[matched] == byte { matched &+= 1 }
            if matched == text.count { return true }
        }
        return false
    }
}
