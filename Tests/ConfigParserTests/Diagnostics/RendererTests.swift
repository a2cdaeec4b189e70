/// What a person sees, whole.

import ConfigParser
import Testing

@Suite("Diagnostics are shown with their line, exactly marked")
struct RendererTests {
    /// A map with one file, and a diagnostic that marks the first place of a word in it.
    private func rendered(
        _ source: String, mark word: String, label: String = "", color: Bool = false, bytes: [UInt8]? = nil
    ) -> String {
        let bytes = bytes ?? [UInt8](source.utf8)
        var sources = SourceMap()
        let file = sources.add(path: "web.toml", bytes: bytes)
        let span = find(word, bytes, file)
        let diagnostic = Diagnostic(code: "some-code", "something", at: Diagnostic.Label(span, label))
        return DiagnosticRenderer(sources: sources, color: color).render(diagnostic)
    }

    private func find(_ word: String, _ bytes: [UInt8], _ file: FileID) -> Span {
        let wanted = [UInt8](word.utf8)
        for start in 0...max(bytes.count - wanted.count, 0)
        where wanted.count <= bytes.count - start && bytes[start..<start + wanted.count].elementsEqual(wanted) {
            return Span(file: file, start: Int32(start), end: Int32(start + wanted.count))
        }
        return Span(file: file, start: Int32(bytes.count), end: Int32(bytes.count))
    }

    private func body(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().joined(separator: "\n")
    }

    @Test("title, code, place, line, mark, note and help")
    func whole() {
        var sources = SourceMap()
        let bytes = [UInt8]("type = \"longrun\"\n\ncomand = [\"sleep\", \"1\"]\n".utf8)
        let file = sources.add(path: "/etc/hermes-init.d/web.toml", bytes: bytes)
        let diagnostic = Diagnostic(
            code: "unknown-key", "unknown key \"comand\"",
            at: Diagnostic.Label(find("comand", bytes, file), "not a key of a service file"),
            notes: ["first line\nsecond line"], help: "did you mean \"command\"?")
        #expect(
            DiagnosticRenderer(sources: sources, color: false).render(diagnostic) == """
                error: unknown key "comand" [unknown-key]
                  --> /etc/hermes-init.d/web.toml:3:1
                   |
                 3 | comand = ["sleep", "1"]
                   | ^^^^^^ not a key of a service file
                   = note: first line
                           second line
                   = help: did you mean "command"?

                """)
    }

    @Test("marks in the same line share it; those elsewhere have a place of their own")
    func context() {
        var sources = SourceMap()
        let first = [UInt8](("\n\n\n\n\n\n\n\n\nkey = { key = 1 }\nkey = 2\n").utf8)
        let one = sources.add(path: "a.toml", bytes: first)
        let other = sources.add(path: "b.toml", bytes: [UInt8]("after = [\"a\"]".utf8))
        func span(_ file: FileID, _ start: Int32, _ end: Int32) -> Span { Span(file: file, start: start, end: end) }
        let diagnostic = Diagnostic(
            .warning, code: "twice", "twice", at: Diagnostic.Label(span(one, 9, 12), "this"),
            context: [
                Diagnostic.Label(span(one, 17, 20), "and this"), Diagnostic.Label(span(one, 27, 30)),
                Diagnostic.Label(span(other, 9, 12), "needed here"),
            ])
        #expect(
            DiagnosticRenderer(sources: sources, color: false).render(diagnostic) == """
                warning: twice [twice]
                   --> a.toml:10:1
                    |
                 10 | key = { key = 1 }
                    | ^^^ this
                    |         --- and this
                   ::: a.toml:11:1
                    |
                 11 | key = 2
                    | ---
                   ::: b.toml:1:10
                    |
                  1 | after = ["a"]
                    |          --- needed here

                """)
    }

    @Test("tabs, wide and combining characters keep the mark under the text")
    func widths() {
        #expect(
            body(rendered("\ta\t= x", mark: "x")) == "  --> web.toml:1:6\n   |\n 1 |     a   = x\n   |           ^\n")
        #expect(body(rendered("日本 = x", mark: "x")) == "  --> web.toml:1:6\n   |\n 1 | 日本 = x\n   |        ^\n")
        #expect(body(rendered("日本 = x", mark: "本")) == "  --> web.toml:1:2\n   |\n 1 | 日本 = x\n   |   ^^\n")
        #expect(
            body(rendered("e\u{301} = x", mark: "x")) == "  --> web.toml:1:6\n   |\n 1 | e\u{301} = x\n   |     ^\n")
    }

    @Test("bytes that a terminal would act on are shown by their number")
    func invisible() {
        #expect(body(rendered("a = \u{1B}[1m x", mark: "x")).contains(" 1 | a = \\x1B[1m x\n   |             ^\n"))
        #expect(body(rendered("a\u{202E} x", mark: "x")).contains(" 1 | a\\u{202E} x\n   |           ^\n"))
        let bytes: [UInt8] = [0x61, 0xFF, 0x20, 0x78]
        #expect(body(rendered("", mark: "x", bytes: bytes)).contains(" 1 | a\\xFF x\n   |       ^\n"))
        var sources = SourceMap()
        let file = sources.add(path: "a\u{1B}.toml", bytes: [0x61])
        let label = Diagnostic.Label(Span(file: file, start: 0, end: 1), "\u{07}")
        let text = DiagnosticRenderer(sources: sources, color: false).render(
            Diagnostic(code: "c", "bell \u{07}", at: label, notes: ["\u{9B}31m"]))
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value < 0x7F) })
    }

    @Test("line ends are no part of the line, and a mark over several lines ends with the first")
    func lineEnds() {
        #expect(body(rendered("a = 1\r\nb = 2\r\n", mark: "2")) == "  --> web.toml:2:5\n   |\n 2 | b = 2\n   |     ^\n")
        #expect(body(rendered("ab = [1,\r\n2]", mark: "[1,\r\n2]")).contains("\n 1 | ab = [1,\n   |      ^^^\n"))
    }

    @Test("the end of the file can be marked, and the empty file")
    func ends() {
        #expect(body(rendered("a =", mark: "none")) == "  --> web.toml:1:4\n   |\n 1 | a =\n   |    ^\n")
        #expect(body(rendered("a = 1\n", mark: "none")) == "  --> web.toml:2:1\n   |\n 2 |\n   | ^\n")
        #expect(body(rendered("", mark: "none")) == "  --> web.toml:1:1\n   |\n 1 |\n   | ^\n")
        #expect(body(rendered("\u{FEFF}a = x", mark: "x")) == "  --> web.toml:1:5\n   |\n 1 | a = x\n   |     ^\n")
    }

    @Test("of a long line only the part around the mark is shown", arguments: [10, 130, 150, 1000, 100_000])
    func longLines(_ before: Int) {
        for after in [0, 60, 1000, 100_000] {
            let source = "k\n" + String(repeating: "é", count: before) + "WRONG" + String(repeating: "z", count: after)
            let lines = rendered(source, mark: "WRONG").split(separator: "\n")
            #expect(lines[1] == "  --> web.toml:2:\(before + 1)")
            let shown = Array(lines[3])
            let marks = Array(lines[4])
            #expect(shown.count <= 110)
            #expect(marks.firstIndex(of: "^").map { String(shown[$0..<$0 + 5]) } == "WRONG")
            #expect(marks.filter { $0 == "^" }.count == 5)
            #expect(shown.contains("…") == (before + after + 5 > 100))
        }
    }

    @Test("places beyond the file, and of files that are not there, do no harm")
    func outOfBounds() {
        var sources = SourceMap()
        let file = sources.add(path: "a.toml", bytes: [UInt8]("abc".utf8))
        let renderer = DiagnosticRenderer(sources: sources, color: true)
        for span in [
            Span(file: file, start: 90, end: 100), Span(file: file, start: -5, end: -1),
            Span(file: file, start: 2, end: 1),
            Span(file: FileID(index: 7), start: 0, end: 1), Span(file: FileID(index: -1), start: 0, end: 1),
        ] {
            #expect(renderer.render(Diagnostic(code: "c", "t", at: Diagnostic.Label(span))).contains("[c]"))
        }
        #expect(
            DiagnosticRenderer(sources: sources, color: false).render(Diagnostic(code: "c", "no place", help: "h"))
                == "error: no place [c]\n   = help: h\n")
    }

    @Test("colours are there only where they are asked for")
    func colors() {
        #expect(!rendered("a", mark: "a").contains("\u{1B}"))
        let text = rendered("a", mark: "a", label: "here", color: true)
        #expect(text.hasPrefix("\u{1B}[1;31merror\u{1B}[0m\u{1B}[1m: something\u{1B}[0m [some-code]\n"))
        #expect(text.contains("\u{1B}[1;31m^ here\u{1B}[0m\n"))
    }

    @Test("all together end in a count")
    func summary() {
        var sources = SourceMap()
        let one = sources.add(path: "a.toml", bytes: [0x61])
        let two = sources.add(path: "b.toml", bytes: [0x61])
        func diagnostic(_ file: FileID?, _ severity: Diagnostic.Severity = .error) -> Diagnostic {
            let label = file.map { Diagnostic.Label(Span(file: $0, start: 0, end: 1)) }
            return Diagnostic(severity, code: "c", "t", at: label)
        }
        let renderer = DiagnosticRenderer(sources: sources, color: false)
        #expect(renderer.render([Diagnostic]()) == "")
        #expect(
            renderer.render([diagnostic(one), diagnostic(two, .warning), diagnostic(one)])
                .hasSuffix("   | ^\n\n2 errors, 1 warning in 2 files\n"))
        #expect(renderer.render([diagnostic(one)]).hasSuffix("\n\n1 error in 1 file\n"))
        #expect(renderer.render([diagnostic(nil, .warning)]) == "warning: t [c]\n\n1 warning\n")
    }
}
