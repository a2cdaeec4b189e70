/// After a mistake the reader goes on: every other mistake of the file is told in the same go, none is told twice, and
/// what can be read is read.

import ConfigParser
import Testing

@Suite("One mistake makes one message, and the rest of the file is read")
struct RecoveryTests {
    @Test(
        "after a mistake the next lines count",
        arguments: [
            ("a = hermes\nb = 2", ["toml-unquoted-string"], "{b: 2}"),
            ("a = \"x\nb = 2", ["toml-unclosed-string"], "{b: 2}"),
            ("a b = [\n \"x\",\n \"y\",\n]\nb = 2", ["toml-bad-key"], "{b: 2}"),
            ("a: [\n 1,\n]\nb = 2", ["toml-colon"], "{b: 2}"),
            ("a = [1, x, 3]\nb = 2", ["toml-unquoted-string"], "{a: [1, 3], b: 2}"),
            ("a = [1,\n \"x,\n 3]\nb = 2", ["toml-unclosed-string"], "{a: [1, 3], b: 2}"),
            ("a = [\"x, \"y\"]\nb = 2", ["toml-text-after-element"], "{b: 2, a: [\"x, \"]}"),
            ("a = [1, 2\nb = 2", ["toml-unclosed-array"], "{a: [1, 2], b: 2}"),
            ("a = [[[1, 2\n[t]\nb = 2", ["toml-unclosed-array"], "{a: [[[1, 2]]], t: {b: 2}}"),
            ("a = { b = 1, c }\nd = 2", ["toml-missing-value"], "{a: {b: 1}, d: 2}"),
            ("a = { b = 1\nd = 2", ["toml-unclosed-inline-table"], "{a: {b: 1}, d: 2}"),
            (
                "a = 1\na = 2\na = [\n x ]\nb = 2",
                ["toml-duplicate-key", "toml-duplicate-key", "toml-unquoted-string"], "{a: 1, b: 2}"
            ),
            ("[t]\na = 1\n[t]\na = 2\n[u]\nb = 3", ["toml-duplicate-table"], "{t: {a: 1}, u: {b: 3}}"),
            ("[t\na = 1\n[u]\nb = 2", ["toml-unclosed-header"], "{t: {a: 1}, u: {b: 2}}"),
            ("[t t]\na = 1\na = 2\n[u]\nb = 2", ["toml-bad-key", "toml-duplicate-key"], "{u: {b: 2}}"),
            ("a = x\na = 1\nb = 2", ["toml-unquoted-string", "toml-duplicate-key"], "{b: 2}"),
            (
                "a = 1 2 3\nb = \"\\q\\q\"\nc = 3", ["toml-text-after-value", "toml-bad-escape", "toml-bad-escape"],
                "{a: 1, b: \"\", c: 3}"
            ),
            (
                "a = [1 2, \"b\" c, , True]\nd = 1",
                ["toml-missing-comma", "toml-text-after-element", "toml-extra-comma", "toml-boolean"],
                "{a: [1, 2, \"b\"], d: 1}"
            ),
        ])
    func goesOn(_ text: String, _ codes: [String], _ expected: String) {
        let reading = Reading(text)
        #expect(reading.codes == codes)
        #expect(short(reading.table).sorted() == expected.sorted())
    }

    @Test("at most a hundred mistakes are told, and a word about the rest")
    func cap() {
        let reading = Reading(String(repeating: "a = hermes\n", count: 5000))
        #expect(reading.diagnostics.count == TOMLParser.maximumMistakes + 1)
        #expect(reading.codes.last == "toml-too-many-mistakes")
        #expect(Reading(String(repeating: "a\n", count: TOMLParser.maximumMistakes)).codes.last == "toml-missing-value")
    }

    @Test("an array that is not closed names the line that shows it")
    func unclosedArray() {
        let reading = Reading("command = [\"a\",\n  \"b\"\nuser = \"x\"\n")
        let diagnostic = reading.diagnostics.first
        #expect(diagnostic?.context.first?.span.start == 22)
        #expect(diagnostic?.context.first?.text == "\"]\" is missing before this")
    }
}
