/// What is wrong, told once, with its code, and marked exactly: in each case the wrong text stands between « and ».

import ConfigParser
import Testing

@Suite("A mistake has a code and marks the wrong text")
struct InvalidTests {
    @Test(
        "in keys and statements",
        arguments: [
            ("«=» 1", "toml-missing-key"), ("a«.».b = 1", "toml-empty-key-part"), ("«.»a = 1", "toml-empty-key-part"),
            ("a«.» = 1", "toml-empty-key-part"), ("«my key» = 1", "toml-bad-key"), ("«größe» = 1", "toml-bad-key"),
            ("a.«b!» = 1", "toml-bad-key"), ("«my\tkey» = 1", "toml-bad-key"),
            ("«\"\"\"»a\"\"\" = 1", "toml-multiline-key"),
            ("«key»", "toml-missing-value"), ("«a»# = 1", "toml-missing-value"), ("a =«»", "toml-missing-value"),
            ("a =«» # none", "toml-missing-value"), ("a«» 1", "toml-missing-equals"), ("a«:» 1", "toml-colon"),
            ("a = «=» 1", "toml-double-equals"), ("a = 1 «b = 2» # c", "toml-text-after-value"),
            ("a = \"b\" «\"c\"»", "toml-text-after-value"), ("[a] «b = 1»", "toml-text-after-header"),
            ("[a]«]»", "toml-text-after-header"), ("«[a»", "toml-unclosed-header"), ("«[[a»]", "toml-unclosed-header"),
            ("«[]»", "toml-empty-header"), ("[«a b»]", "toml-bad-key"), ("«]»", "toml-unexpected-character"),
            ("«\u{0C}»", "toml-control-character"), ("# a «\u{07}» b \u{07}", "toml-control-character"),
            ("# a «\r» b", "toml-control-character"), ("a = 1 «\u{00}»", "toml-control-character"),
            ("a = \"x«\u{7F}»y\"", "toml-control-character"), ("a = '''«\r»'''", "toml-control-character"),
        ])
    func statements(_ text: String, _ code: String) { expect(text, code) }

    @Test(
        "in strings and words",
        arguments: [
            ("a = «\"»b", "toml-unclosed-string"), ("a = «'»b\nc = 1", "toml-unclosed-string"),
            ("a = «\"\"\"»b\n\"\"", "toml-unclosed-string"), ("a = «'''»b", "toml-unclosed-string"),
            ("a = «\"»b\\\"", "toml-unclosed-string"), ("a = \"«\\q»\"", "toml-bad-escape"),
            ("a = \"«\\ä»\"", "toml-bad-escape"), ("a = \"«\\xA»g\"", "toml-bad-escape"),
            ("a = \"C:«\\U»sers\"", "toml-bad-escape"), ("a = \"\"\"«\\ »x\"\"\"", "toml-bad-escape"),
            ("a = \"«\\uD800»\"", "toml-bad-code-point"), ("a = \"«\\U00110000»\"", "toml-bad-code-point"),
            ("a = «hermes»", "toml-unquoted-string"), ("a = «hello world» # c", "toml-unquoted-string"),
            ("a = «10s»", "toml-unquoted-string"), ("a = «1.2.3»", "toml-unquoted-string"),
            ("a = «127.0.0.1:80»", "toml-unquoted-string"), ("a = «/bin/sh»", "toml-unquoted-string"),
            ("a = [«b», 1]", "toml-unquoted-string"), ("a = { b = «c» }", "toml-unquoted-string"),
            ("a = «True»", "toml-boolean"), ("a = «FALSE»", "toml-boolean"), ("a = «yes»", "toml-boolean"),
            ("a = «off»", "toml-boolean"), ("a = «Inf»", "toml-float-word"), ("a = «null»", "toml-null"),
            ("a = «“b”»", "toml-typographic-quote"), ("a = «)»", "toml-unquoted-string"),
        ])
    func strings(_ text: String, _ code: String) { expect(text, code) }

    @Test(
        "in numbers, dates and times",
        arguments: [
            ("a = «022»", "toml-leading-zero"), ("a = «-01»", "toml-leading-zero"),
            ("a = «03.14»", "toml-leading-zero"),
            ("a = «1.»", "toml-missing-digits"), ("a = «.5»", "toml-missing-digits"),
            ("a = «1e»", "toml-missing-digits"),
            ("a = «0x»", "toml-missing-digits"), ("a = 1«_»", "toml-misplaced-underscore"),
            ("a = 1«_»_0", "toml-misplaced-underscore"), ("a = 1«_».5", "toml-misplaced-underscore"),
            ("a = 0x«_»1", "toml-misplaced-underscore"), ("a = «-»0xff", "toml-signed-prefix"),
            ("a = «0X»1", "toml-capital-prefix"), ("a = 0b1«2»", "toml-bad-digit"), ("a = 0o«8»", "toml-bad-digit"),
            ("a = 0xf«g»", "toml-bad-digit"), ("a = «9223372036854775808»", "toml-integer-out-of-range"),
            ("a = «-9223372036854775809»", "toml-integer-out-of-range"),
            ("a = «0x8000000000000000»", "toml-integer-out-of-range"), ("a = «1e309»", "toml-float-out-of-range"),
            ("a = 2024-«13»-01", "toml-bad-date"), ("a = 2024-01-«32»", "toml-bad-date"),
            ("a = 2023-02-«29»", "toml-bad-date"), ("a = «2024-1-01»", "toml-bad-date"),
            ("a = «2024-01-01T»", "toml-bad-time"), ("a = «24-01-01»", "toml-bad-date"),
            ("a = «24»:00", "toml-bad-time"),
            ("a = 12:«60»", "toml-bad-time"), ("a = 12:00:«61»", "toml-bad-time"), ("a = «1:30»", "toml-bad-time"),
            ("a = «12:00:00.»", "toml-bad-time"), ("a = «2024-01-01T12:00:00+1»", "toml-bad-time"),
            ("a = 2024-01-01 12:00+«24»:00", "toml-bad-time"), ("a = «2024-01-01T12:00:00x»", "toml-bad-date"),
        ])
    func numbers(_ text: String, _ code: String) { expect(text, code) }

    @Test(
        "in arrays and inline tables",
        arguments: [
            ("a = «[»1, 2", "toml-unclosed-array"), ("a = «[»1, 2\nb = 1", "toml-unclosed-array"),
            ("a = «[»1,\n[b]", "toml-unclosed-array"), ("a = [1, «[»2\n[[b]]\n", "toml-unclosed-array"),
            ("a = [«,»]", "toml-extra-comma"), ("a = [1,«,»2]", "toml-extra-comma"),
            ("a = [1«» 2]", "toml-missing-comma"),
            ("a = [\n\"b\"«»\n\"c\"\n]", "toml-missing-comma"), ("a = [1 «b», 2]", "toml-text-after-element"),
            ("a = «{» b = 1", "toml-unclosed-inline-table"), ("a = «{» b = 1\nc = 2", "toml-unclosed-inline-table"),
            ("a = «{»\nb = 1\n[c]\n", "toml-unclosed-inline-table"), ("a = {«,»}", "toml-extra-comma"),
            ("a = { b = 1«» c = 2 }", "toml-missing-comma"), ("a = {\nb = 1«»\nc = 2\n}", "toml-missing-comma"),
            ("a = { «b» }", "toml-missing-value"), ("a = { b =«», c = 1 }", "toml-missing-value"),
            ("a = { b = 1 «!» }", "toml-text-after-element"), ("a = [1, «{» b = 2 ]", "toml-unclosed-inline-table"),
            ("a = { b = «[»1 }", "toml-unclosed-array"),
        ])
    func compounds(_ text: String, _ code: String) { expect(text, code) }

    @Test(
        "in writing a thing twice; the first stands in the context",
        arguments: [
            ("‹a› = 1\n«a» = 2", "toml-duplicate-key"), ("‹a› = 1\n«\"\\u0061\"» = 2", "toml-duplicate-key"),
            ("a.‹b› = 1\na.«b» = 2", "toml-duplicate-key"), ("‹a›.b = 1\n«a» = 2", "toml-duplicate-key"),
            ("a = { ‹b› = 1, «b» = 2 }", "toml-duplicate-key"), ("[a.‹b›]\n[a]\n«b» = 1", "toml-duplicate-key"),
            ("[‹a›]\n[«a»]", "toml-duplicate-table"), ("[a]\n‹b›.c = 1\n[a.«b»]", "toml-duplicate-table"),
            ("‹a›.b = 1\n[«a»]", "toml-duplicate-table"), ("‹a› = 1\n«a».b = 2", "toml-not-a-table"),
            ("‹a› = 1\n[«a».b]", "toml-not-a-table"), ("‹a› = 1\n[«a»]", "toml-not-a-table"),
            ("[‹a›]\n[[«a»]]", "toml-not-an-array"), ("[[‹a›.b]]\n[[«a»]]", "toml-not-an-array"),
            ("[[‹a›]]\n[«a»]", "toml-array-of-tables"), ("‹a› = {}\n[«a»]", "toml-closed-table"),
            ("‹a› = { b = 1 }\n«a».c = 2", "toml-closed-table"), ("‹a› = {}\n[«a».b]", "toml-closed-table"),
            ("a = { ‹b› = {}, «b».c = 1 }", "toml-closed-table"), ("‹a› = []\n[[«a»]]", "toml-closed-array"),
            ("‹a› = [{}]\n[«a».b]", "toml-closed-array"), ("‹a› = []\n«a».b = 1", "toml-closed-array"),
            ("[a.‹b›]\n[a]\n«b».c = 1", "toml-table-has-header"),
            ("[[a.‹b›]]\n[a]\n«b».c = 1", "toml-table-has-header"),
            ("[a.b.‹c›]\n[a]\nb.«c».d = 1", "toml-table-has-header"),
        ])
    func repetition(_ text: String, _ code: String) {
        expect(text, code)
        let (source, marks) = marked(text)
        let context = Reading(source).diagnostics.first?.context.first
        #expect(context?.text == "first defined here")
        #expect(context.map { Int($0.span.start)..<Int($0.span.end) } == marks.second)
    }

    @Test(
        "in the encoding: one message, however many bytes are wrong",
        arguments: [
            ([0x61, 0x3D, 0x22, 0xE4, 0x22, 0x0A, 0x62, 0x3D, 0x22, 0xFC, 0x22], "toml-not-utf8", 3..<4),
            ([0x23, 0xC0, 0x80], "toml-not-utf8", 1..<3), ([0x23, 0xED, 0xA0, 0x80], "toml-not-utf8", 1..<4),
            ([0x23, 0xF4, 0x90, 0x80, 0x80], "toml-not-utf8", 1..<5), ([0x23, 0xE2, 0x82], "toml-not-utf8", 1..<3),
            ([0xFF, 0xFE, 0x61, 0x00], "toml-not-utf8", 0..<2), ([0x00, 0x61, 0x00, 0x3D], "toml-not-utf8", 0..<2),
            ([0x7F, 0x45, 0x4C, 0x46, 0x00, 0xFF, 0x00], "toml-not-text", 5..<6),
        ] as [([UInt8], String, Range<Int>)])
    func encoding(_ bytes: [UInt8], _ code: String, _ place: Range<Int>) {
        let reading = Reading(bytes: bytes)
        #expect(reading.codes.first == code)
        #expect(reading.codes.filter { $0.hasPrefix("toml-not-") }.count == 1)
        #expect(reading.diagnostics.first?.primary.map { Int($0.span.start)..<Int($0.span.end) } == place)
    }

    @Test("the help names the remedy")
    func help() {
        let cases = [
            ("a = hermes", "write \"hermes\""), ("a = True", "write true, or \"True\" if the word is meant"),
            ("a = 022", "write 22, or 0o22 for an octal number"), ("my key = 1", "write \"my key\""),
            ("a = 0X1", "write 0x"), ("a = NaN", "write nan"),
            (
                "a = \"\\\"",
                "a backslash before a quotation mark makes it a part of the string; write \\\\ for a backslash"
            ),
        ]
        for (text, help) in cases { #expect(Reading(text).diagnostics.first?.help == help) }
    }

    private func expect(_ text: String, _ code: String) {
        let (source, marks) = marked(text)
        let reading = Reading(source)
        #expect(reading.codes == [code])
        #expect(reading.diagnostics.first?.primary.map { Int($0.span.start)..<Int($0.span.end) } == marks.first)
        #expect(reading.spansAreInBounds)
    }

    /// Takes the marks « » and ‹ › out of a text and gives the ranges of bytes that stood between them.
    private func marked(_ text: String) -> (source: String, marks: (first: Range<Int>?, second: Range<Int>?)) {
        var source = String.UnicodeScalarView()
        var places: [Unicode.Scalar: Int] = [:]
        for scalar in text.unicodeScalars {
            if "«»‹›".unicodeScalars.contains(scalar) {
                places[scalar] = String(source).utf8.count
            } else {
                source.append(scalar)
            }
        }
        func range(_ open: Unicode.Scalar, _ close: Unicode.Scalar) -> Range<Int>? {
            guard let start = places[open], let end = places[close] else { return nil }
            return start..<end
        }
        return (String(source), (range("«", "»"), range("‹", "›")))
    }
}
