/// The reader is total: it neither crashes, nor recurses without bound, nor takes more than linear time, whatever it is
/// given. The time limits are far above what is needed and far below what anything quadratic takes.

import ConfigParser
import Testing

@Suite("No input harms the reader")
struct HostileTests {
    @Test(
        "a megabyte, or a good part of one, of one thing is read in linear time", .timeLimit(.minutes(5)),
        arguments: [
            ("", "[", ""), ("a = ", "[", ""), ("a = ", "{", ""), ("a = ", "[[],", ""), ("a = ", "{a=", ""),
            ("", "\"", ""),
            ("a = ", "\"", ""), ("", "'", ""), ("", "a.", ""), ("", "a.", "b = 1"), ("[", "a.", "b]"), ("", "a ", ""),
            ("a = ", "\\", ""), ("a = \"", "\\", "\""), ("a = \"", "\\ ", "\""), ("a = \"\"\"", "\\\n", ""),
            ("a = \"\"\"", "\\  ", ""), ("", "=", ""), ("a = ", "=", ""), ("a = [", "x ", "]"), ("a = [", "x,", "]"),
            ("a = [", "1 ", "]"), ("a = [\n", "a\n", "]"), ("a = [\n", "[a\n", ""), ("a = {", "a ", "}"),
            ("a = {", "a,", "}"),
            ("a = {", "a=", "}"), ("a = ", "9", ""), ("a = 0.", "9", ""), ("a = 1e", "9", ""), ("a = 0x", "_", ""),
            ("a = ", "-", ""), ("#", "\u{07}", ""), ("", "\r", ""), ("", "]", ""), ("[a", "]", ""), ("", ",", ""),
            ("a = 1 ", "# ", ""), ("a = x", " x", ""), ("\"", "\\\"", ""), ("", "\u{FEFF}", ""), ("a = [1 ", "#\n", ""),
            ("a = ", "1979-05-27 ", ""), ("a = [", "\"a", "]"), ("a = {", "\"a\"\"", "}"), ("", "[a]\n", ""),
            ("a: [", "1 ", ""), ("a: [", "{b c", ""), ("a: {", "b \"c\" ", ""), ("a: [", "{b [", ""),
        ])
    func megabyte(_ before: String, _ unit: String, _ after: String) {
        let size = ["[", "{", "\"", "a."].contains(unit) ? 1_000_000 : 100_000
        let text = before + String(repeating: unit, count: size / unit.utf8.count) + after
        let reading = Reading(text)
        #expect(!reading.diagnostics.isEmpty || ["9", "# ", "\\"].contains(unit))
        #expect(reading.diagnostics.count <= TOMLParser.maximumMistakes + 1)
        #expect(reading.spansAreInBounds)
    }

    @Test(
        "a hundred thousand keys, headers, elements and dotted keys are read in linear time", .timeLimit(.minutes(5)))
    func many() {
        func lines(_ count: Int, _ line: (Int) -> String) -> Reading {
            Reading((0..<count).map(line).joined(separator: "\n"))
        }
        #expect(lines(100_000) { "k\($0) = 1" }.table.entries.count == 100_000)
        let tables = lines(100_000) { _ in "[[a]]" }
        guard case .array(let elements)? = tables.table.entries.first?.value.kind else {
            Issue.record("no array of tables")
            return
        }
        #expect(elements.count == 100_000)
        #expect(lines(20_000) { "[t\($0)]" }.table.entries.count == 20_000)
        #expect(lines(20_000) { "[t.t\($0)]\na = 1" }.codes == [])
        #expect(lines(20_000) { "a.b.k\($0) = 1" }.codes == [])
        #expect(lines(20_000) { _ in "[[a]]\n[a.b]" }.codes == [])
        #expect(Reading("a = { " + (0..<20_000).map { "k\($0) = 1" }.joined(separator: ", ") + " }").codes == [])
        #expect(Reading("a = [" + String(repeating: "1, ", count: 20_000) + "]").codes == [])
    }

    @Test("nesting has a limit, which is told once")
    func depth() {
        let limit = TOMLParser.maximumDepth
        func nested(_ open: String, _ close: String, _ count: Int) -> Reading {
            Reading("a = " + String(repeating: open, count: count) + "1" + String(repeating: close, count: count))
        }
        func path(_ count: Int) -> String { Array(repeating: "a", count: count).joined(separator: ".") }
        #expect(nested("[", "]", limit - 1).codes == [])
        #expect(nested("[", "]", limit).codes == ["toml-too-deep"])
        #expect(nested("{a=", "}", limit - 1).codes == [])
        #expect(nested("{a=", "}", limit).codes == ["toml-too-deep"])
        #expect(Reading(path(limit) + " = 1").codes == [])
        #expect(Reading(path(limit + 1) + " = 1\nb = 2").codes == ["toml-too-deep"])
        #expect(Reading("[" + path(limit + 1) + "]\nb = 2").codes == ["toml-too-deep"])
        #expect(Reading("[[" + path(limit - 2) + "]]\na = 2").codes == [])
    }

    @Test("random bytes and random changes to a good file never do harm", .timeLimit(.minutes(5)))
    func random() {
        let good = [UInt8](
            """
            # A service.
            command = ["hermes", 'dash\\board', "--port", \"\"\"${PORT}\\u00e9\\\n  x\"\"\"]
            after = { a.b = 1, "c d" = [1.5e3, 0xff, true], }
            [restart]
            policy = '''on-failure'''
            when.date = 1979-05-27 07:32:00.5-07:00
            [[options.file]]
            path = "/日本"
            size = 1_000\r
            """.utf8)
        let alphabet = [UInt8]("\"'[]{}=,.#\\\n\r\t aexuU019_-+:TZ\u{0}\u{E9}".utf8) + [0xFF, 0xC3, 0xEF]
        var generator = Generator(state: 20)
        for _ in 0..<20_000 {
            var bytes = good
            let choice = generator.next() % 8
            if choice == 0 {
                bytes = (0..<Int(generator.next() % 80)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            } else if choice == 1 {
                bytes = (0..<Int(generator.next() % 80)).map { _ in
                    alphabet[Int(generator.next() % UInt64(alphabet.count))]
                }
            } else {
                // A part of the file, for speed, with a few bytes changed, put in or taken out.
                let start = Int(generator.next() % UInt64(good.count))
                bytes = Array(good[start..<min(good.count, start + 120)])
                for _ in 0..<(1 + generator.next() % 4) where !bytes.isEmpty {
                    let place = Int(generator.next() % UInt64(bytes.count))
                    let byte = alphabet[Int(generator.next() % UInt64(alphabet.count))]
                    switch generator.next() % 3 {
                    case 0: bytes[place] = byte
                    case 1: bytes.insert(byte, at: place)
                    default: bytes.remove(at: place)
                    }
                }
            }
            let reading = Reading(bytes: bytes)
            guard reading.spansAreInBounds else {
                Issue.record("a span lies outside of \(bytes)")
                return
            }
            if !reading.diagnostics.isEmpty {
                var sources = SourceMap()
                _ = sources.add(path: "x.toml", bytes: bytes)
                let text = DiagnosticRenderer(sources: sources, color: false).render(reading.diagnostics)
                guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 || $0 == "\n" }) else {
                    Issue.record("a control character is shown for \(bytes)")
                    return
                }
            }
        }
    }
}
