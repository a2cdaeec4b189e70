import System
import Testing

@testable import Plugins

@Suite("The editor of account files")
struct AccountEditorTests {
    private func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

    @Test(
        "One field of the first line of a name changes, and nothing else",
        arguments: [
            ("hermes:x:1:1::/:/bin/sh\n", "hermes:x:77:1::/:/bin/sh\n"),
            // No line end at the end.
            ("hermes:x:1:1::/:/bin/sh", "hermes:x:77:1::/:/bin/sh"),
            // Line ends of the other kind, which are no part of the shell.
            ("root:x:0:0::/:\r\nhermes:x:1:1::/:\r\n", "root:x:0:0::/:\r\nhermes:x:77:1::/:\r\n"),
            // Comments, NIS lines, empty and bad lines.
            (
                "# hermes:x:1\n\n+hermes::::::\n-hermes\nhermes\nhermes:x:1\nhermes:x:1:1:a b:/:\nhermes:x:2:2:::\n",
                "# hermes:x:1\n\n+hermes::::::\n-hermes\nhermes\nhermes:x:1\nhermes:x:77:1:a b:/:\nhermes:x:2:2:::\n"
            ),
            // Names that begin like it, or end so.
            ("hermes2:x:1:1:::\nahermes:x:1:1:::\n", "hermes2:x:1:1:::\nahermes:x:1:1:::\n"),
            ("", ""), ("\n", "\n"), (":::::::\n", ":::::::\n"),
            // More fields than there should be.
            ("hermes:x:1:1::/:/bin/sh:more:\n", "hermes:x:77:1::/:/bin/sh:more:\n"),
        ])
    func field(before: String, after: String) {
        let result = AccountEditor.setting(bytes(before), of: bytes("hermes"), field: 2, to: bytes("77"), atLeast: 7)
        #expect(result == bytes(after))
    }

    @Test(
        "A member is added once, behind the others",
        arguments: [
            ("video:x:44:\n", "video:x:44:hermes\n"), ("video:x:44:a,b\n", "video:x:44:a,b,hermes\n"),
            ("video:x:44:a,hermes,b\n", "video:x:44:a,hermes,b\n"),
            ("video:x:44:hermes2\r\n", "video:x:44:hermes2,hermes\r\n"),
            ("video:x:44", "video:x:44:hermes"), ("video:x\nvideo2:x:1:\n", "video:x\nvideo2:x:1:\n"),
        ])
    func member(before: String, after: String) {
        #expect(AccountEditor.adding(bytes(before), member: bytes("hermes"), to: bytes("video")) == bytes(after))
    }

    @Test(
        "A line is added at the end, but in front of NIS lines, with the line end that the file has",
        arguments: [
            ("", "new\n"), ("a:1\n", "a:1\nnew\n"), ("a:1", "a:1\nnew"), ("a:1\r\nb:2\r\n", "a:1\r\nb:2\r\nnew\r\n"),
            ("a:1\n+:::\n", "a:1\nnew\n+:::\n"), ("-x\n", "new\n-x\n"), ("a:1\n+", "a:1\nnew\n+"),
        ])
    func line(before: String, after: String) {
        #expect(AccountEditor.adding(bytes(before), line: bytes("new")) == bytes(after))
    }

    @Test("Of any bytes, everything stays but the line of the name")
    func anything() {
        var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next(_ count: UInt64) -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (seed >> 33) % count
        }
        let alphabet = Bytes("hu:,\n\r+-#x1\0\u{FF}".utf8)
        for _ in 0..<20_000 {
            var file = Bytes()
            for _ in 0..<next(60) { file.append(alphabet[Int(next(UInt64(alphabet.count)))]) }
            let edited = AccountEditor.setting(file, of: bytes("h"), field: 2, to: bytes("9"), atLeast: 3)
            let before = file.split(separator: 0x0A, omittingEmptySubsequences: false)
            let after = edited.split(separator: 0x0A, omittingEmptySubsequences: false)
            #expect(before.count == after.count)
            var different = 0
            for (one, other) in zip(before, after) where one != other {
                different += 1
                #expect(one.starts(with: bytes("h:")) && other.starts(with: bytes("h:")))
            }
            #expect(different <= 1)
            #expect(AccountEditor.setting(edited, of: bytes("h"), field: 2, to: bytes("9"), atLeast: 3) == edited)
            let joined = AccountEditor.adding(file, member: bytes("u"), to: bytes("h"))
            #expect(AccountEditor.adding(joined, member: bytes("u"), to: bytes("h")) == joined)
        }
    }
}
