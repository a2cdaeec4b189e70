/// Files of NAME=value lines.

import ConfigParser
import Testing

@Suite("Dotenv files")
struct DotenvTests {
    func read(_ text: String) -> [String] {
        let (entries, mistakes) = parseDotenv([UInt8](text.utf8))
        return entries.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
            + mistakes.map { "line \($0.line): \($0.what)" }
    }

    @Test(
        "A line is read",
        arguments: [
            ("", []), ("\n\n", []), ("# comment\n  # another\nA=1", ["A=1"]), ("A=1\nB=2\n", ["A=1", "B=2"]),
            ("A=1\r\nB=2\r\n", ["A=1", "B=2"]), ("\r\n \r\nA=\r\n", ["A="]), ("A=", ["A="]),
            ("A=1 # no comment", ["A=1 # no comment"]),
            ("A=#1", ["A=#1"]), (" A = 1 ", ["A=1"]), ("export A=1\nexport\tB=2", ["A=1", "B=2"]),
            ("exported=1", ["exported=1"]),
            ("export=1", ["export=1"]), ("A=b=c", ["A=b=c"]), ("A=a b", ["A=a b"]), ("A='a b'", ["A=a b"]),
            ("A='a\\n\"b'", ["A=a\\n\"b"]), ("A=\"a b\" # comment", ["A=a b"]), ("A='a'\r\nB=1", ["A=a", "B=1"]),
            ("A=\"a\\nb\"", ["A=a\nb"]), ("A=\"\\\"\\\\\\$\\x\"", ["A=\"\\$\\x"]),
            ("A=\"a\nb\"\nB=1", ["A=a\nb", "B=1"]),
            ("A='a\nb'", ["A=a\nb"]), ("A=\"a\\\nb\"", ["A=ab"]), ("A=''", ["A="]), ("A=\"\"", ["A="]),
            ("A=${B} $C", ["A=${B} $C"]),
            ("A=a\"b\"", ["A=a\"b\""]), ("a.b-c=1", ["a.b-c=1"]), ("A=1\nA=2", ["A=1", "A=2"]),
            ("\u{FEFF}A=1", ["A=1"]),
            ("Ä=ö", ["Ä=ö"]),
        ] as [(String, [String])])
    func lines(text: String, expected: [String]) { #expect(read(text) == expected) }

    @Test(
        "A line that cannot be read is told with its number, and the others count",
        arguments: [
            ("A=1\nB\nC=3", ["A=1", "C=3", "line 2: there is no ="]),
            ("=1\nB=2", ["B=2", "line 1: what stands before = is no name of a variable"]),
            ("A B=1", ["line 1: what stands before = is no name of a variable"]),
            ("A=\"x\nB=2", ["B=2", "line 1: the quote is not closed"]),
            ("A='x\n\nB=2", ["B=2", "line 1: the quote is not closed"]),
            ("A=\"x\" y\nB=2", ["B=2", "line 1: there is text behind the closing quote"]),
            ("A=\"x\ny\"z\nB\n", ["line 1: there is text behind the closing quote", "line 3: there is no ="]),
            ("A=a\0b", ["line 1: the value holds a NUL byte"]),
            ("A\0=b", ["line 1: what stands before = is no name of a variable"]),
        ] as [(String, [String])])
    func mistakes(text: String, expected: [String]) { #expect(read(text) == expected) }

    @Test("A value that is no UTF-8 keeps its bytes, a name must be UTF-8")
    func bytes() {
        let good = parseDotenv([0x41, 0x3D, 0xFF, 0xFE, 0x0A])
        #expect(good.entries.map(\.value) == [[0xFF, 0xFE]] && good.mistakes.isEmpty)
        let bad = parseDotenv([0xFF, 0x3D, 0x41])
        #expect(bad.entries.isEmpty && bad.mistakes.map(\.line) == [1])
    }

    @Test("A file of nothing but open quotes takes linear time")
    func openQuotes() {
        var text = ""
        for _ in 0..<50_000 { text += "A=\"\\\"\nB='\n" }
        let (entries, mistakes) = parseDotenv([UInt8](text.utf8))
        #expect(entries.count + mistakes.count <= 100_000)
    }
}
