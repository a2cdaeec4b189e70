import ConfigParser
import Testing

@Suite("Places in files")
struct SourceMapTests {
    @Test("line and column are those that counting from the begin of the file gives, anywhere in a long file")
    func locations() throws {
        var generator = Generator(state: 3)
        let pieces = ["a", "é", "日", "\n", "\r\n", " ", "😀", "key = 1\n"]
        var text = ""
        while text.utf8.count < 20_000 { text += pieces[Int(generator.next() % 8)] }
        var sources = SourceMap()
        let file = sources.add(path: "a.toml", bytes: [UInt8](text.utf8))
        var line = 1
        var column = 1
        var offset: Int32 = 0
        for scalar in text.unicodeScalars {
            let place = sources.location(of: Span(file: file, start: offset, end: offset))
            guard place?.line == line && place?.column == column else {
                Issue.record("at \(offset): \(String(describing: place)), not \(line):\(column)")
                return
            }
            offset += Int32(UTF8.width(scalar))
            column += 1
            if scalar == "\n" {
                line += 1
                column = 1
            }
        }
    }

    @Test("diagnostics are sorted by file and place, and stay in order where those are the same")
    func sorting() {
        func diagnostic(_ file: Int32, _ start: Int32, _ title: String) -> Diagnostic {
            Diagnostic(
                code: "c", title, at: Diagnostic.Label(Span(file: FileID(index: file), start: start, end: start)))
        }
        let all = [
            diagnostic(1, 0, "d"), diagnostic(0, 9, "c"), diagnostic(0, 2, "a"), diagnostic(0, 2, "b"),
            Diagnostic(code: "c", "none"),
        ]
        #expect(Diagnostic.sorted(all).map(\.title) == ["none", "a", "b", "c", "d"])
    }
}
