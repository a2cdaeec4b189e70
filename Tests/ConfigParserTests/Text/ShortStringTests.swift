import Testing

@testable import ConfigParser

/// The forms of a String that this program makes and looks at itself: a change in Swift's own would show here.
@Suite("Short texts in themselves")
struct ShortStringTests {
    @Test("A text from memory is what the standard library makes of the same bytes", arguments: 0...40)
    func fromMemory(length: Int) {
        let ascii = (0..<length).map { UInt8(truncatingIfNeeded: 0x21 + $0) }
        var other = ascii
        if length >= 2 { other.replaceSubrange(0..<2, with: [0xC3, 0xA9]) }
        var broken = ascii
        if length >= 1 { broken[length - 1] = 0xFF }
        for bytes in [ascii, other, broken, [UInt8](repeating: 0, count: length)] {
            let text = bytes.withUnsafeBufferPointer { String(memory: $0) }
            let expected = String(validating: bytes, as: UTF8.self) ?? String(decoding: bytes[...], as: UTF8.self)
            #expect(Array(text.utf8) == Array(expected.utf8))
            #expect(text.utf8.count == expected.utf8.count)
            #expect(text.unicodeScalars.elementsEqual(expected.unicodeScalars))
            #expect((text + "x").utf8.count == expected.utf8.count + 1)
            #expect(text.bytes == Array(expected.utf8))
        }
    }

    @Test("Equal texts have the same mark, or one of them has every mark", arguments: 0...40)
    func marks(length: Int) {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: 0x41 + $0) }
        let small = bytes.withUnsafeBufferPointer { String(memory: $0) }
        // Long texts that were made short, and short ones with room for more, need not lie in the String itself.
        var large = ""
        large.reserveCapacity(200)
        for byte in bytes { large.unicodeScalars.append(Unicode.Scalar(byte)) }
        #expect(small == large)
        #expect(small.mark & large.mark != 0)
        let set = small.mark
        #expect(set & large.mark != 0 && set & small.mark != 0)
    }

    @Test("A byte is found wherever it stands")
    func holds() {
        #expect("abc".holds(0x63) && !"abc".holds(0x64) && !"".holds(0))
        let long = String(repeating: "x", count: 100) + "\u{0}"
        #expect(long.holds(0) && !long.holds(0x79))
    }
}
