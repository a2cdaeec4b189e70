/// What each code of a diagnostic means: what `hermes-init explain` prints and docs/diagnostics.md holds. The texts stand in
/// ExplanationTexts.swift; this file finds a place in them. Only `explain` does that, so a boot pays nothing for them.
///
/// A new code is one block of lines in one of those texts, wherever it fits, blocks apart by an empty line:
///
///     the-code
///     One paragraph, in lines of at most 80 columns: what is wrong and what to do about it.
///     | an example = "that gives this code and no other"
///
/// A line `| # NAME.toml` begins a file of that name (web.toml where there is none). A code that no text of a file can give
/// has no example. Then `HERMES_INIT_WRITE=1 swift test --filter Explanation` writes docs/diagnostics.md anew. Tests prove
/// that every code in Sources has its block, and that each example gives its code.

/// The meanings of the codes.
public enum Explanation {
    /// Every code, in the order of the texts.
    public static var codes: [String] {
        var codes = [String]()
        for block in blocks { codes.append(String(decoding: code(of: block), as: UTF8.self)) }
        return codes
    }

    /// The paragraph of a code and, set in, an example; nil where there is no such code. Ends in a line feed.
    public static func text(of code: String) -> String? {
        let code = code.bytes
        for block in blocks where same(self.code(of: block), code) { return shown(block) }
        return nil
    }

    /// One for each code, without the empty line between them; each ends in a line feed.
    private static var blocks: [ArraySlice<UInt8>] {
        var blocks = [ArraySlice<UInt8>]()
        let text = allTexts.bytes
        var start = 0
        for place in text.indices where text[place] == 0x0A && place > start && text[place &- 1] == 0x0A {
            blocks.append(text[start..<place])
            start = place &+ 1
        }
        return blocks
    }

    private static func code(of block: ArraySlice<UInt8>) -> ArraySlice<UInt8> { block.prefix { $0 != 0x0A } }

    private static func same(_ left: ArraySlice<UInt8>, _ right: [UInt8]) -> Bool {
        String(decoding: left, as: UTF8.self) == String(decoding: right, as: UTF8.self)
    }

    /// A bar becomes an indentation, with an empty line before the first.
    private static func shown(_ block: ArraySlice<UInt8>) -> String {
        var text = [UInt8]()
        var last: UInt8 = 0x0A
        var isExample = false
        for byte in block {
            let isStart = last == 0x0A
            last = byte
            guard isStart && byte == 0x7C else {
                text.append(byte)
                continue
            }
            if !isExample { text.append(0x0A) }
            isExample = true
            text += [0x20, 0x20, 0x20]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
