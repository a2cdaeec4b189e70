/// Templates: what they expand to, and where their mistakes are marked.

import ConfigParser
import Testing

@Suite("Templates")
struct TemplateTests {
    func template(_ text: String) -> (Template, [Diagnostic]) {
        var diagnostics = [Diagnostic]()
        let span = Span(file: FileID(index: 0), start: 0, end: 0)
        let template = Template.parse(text, span: span, sources: SourceMap(), diagnostics: &diagnostics)
        return (template, diagnostics)
    }

    static let values = ["A": "alpha", "EMPTY": "", "B_1": "beta", "_": "underscore"]

    @Test(
        "A template expands",
        arguments: [
            ("", ""), ("plain", "plain"), ("${A}", "alpha"), ("<${A}${B_1}>", "<alphabeta>"), ("${_}", "underscore"),
            ("${EMPTY}", ""), ("${EMPTY:-b}", "b"), ("${NO:-b}", "b"), ("${A:-b}", "alpha"), ("${NO:-}", ""),
            ("${NO:-${A}}", "alpha"), ("${NO:-<${EMPTY:-${A}}>}", "<alpha>"), ("${A:?why}", "alpha"),
            ("${NO:-a b:c-d}", "a b:c-d"), ("$A", "$A"), ("$", "$"), ("a$", "a$"), ("$$", "$$"), ("$$A", "$$A"),
            ("$${A}", "${A}"), ("$$${A}", "$${A}"), ("${NO:-$${A}", "error: closed"), ("}", "}"), ("{A}", "{A}"),
            ("$ {A}", "$ {A}"),
            ("${NO}", "error: NO"), ("${NO:?is not set}", "error: NO: is not set"),
            ("${EMPTY:?why}", "error: EMPTY: why"),
            ("${NO:?}", "error: NO: "), ("${A}-${NO:-${ALSO}}", "error: ALSO"), ("ü${A}ü", "üalphaü"),
            ("${NO:-ü}", "ü"),
        ])
    func expands(text: String, expected: String) {
        let (template, diagnostics) = template(text)
        if expected == "error: closed" {
            // `$${` within a default is two literal characters, and the `}` closes the default.
            #expect(diagnostics.isEmpty && expanded(template) == "${A")
            return
        }
        #expect(diagnostics.isEmpty)
        #expect(expanded(template, TemplateTests.values) == expected)
    }

    @Test(
        "A mistake is told, and marked where it stands",
        arguments: [
            ("a${", "${"), ("a${A", "${A"), ("${A:-b", "${A:-b"), ("${A:?b", "${A:?b"), ("x${}y", "${}"),
            ("${1A}", "${1A}"), ("x${A B}y", "${A B}"), ("${A-b}", "${A-b}"), ("${A:+b}", "${A:+b}"),
            ("${A+b}", "${A+b}"),
            ("${A:=b}", "${A:=b}"), ("${A:}", "${A:}"), ("${A#b}", "${A#b}"), ("${A%b}", "${A%b}"),
            ("${A/b/c}", "${A/b/c}"),
            ("${#A}", "${#A}"), ("${A:b}", "${A:b}"), ("${ü}", "${ü}"), ("ok ${A:-${B-c}} x", "${B-c}"),
        ])
    func mistakes(text: String, mark: String) throws {
        for quoted in ["\"\(text)\"", "'\(text)'", "\"\"\"\n\(text)\"\"\"", "'''\(text)'''"] {
            let result = ConfigurationReader.read([file("web.toml", "command = [\"a\", \(quoted)]")])
            #expect(told(result) == ["bad-template: \(mark)"])
            #expect(result.diagnostics.first?.help?.isEmpty == false)
        }
    }

    @Test("Where the string has escapes, the whole of it is marked")
    func escapes() {
        let result = ConfigurationReader.read([file("web.toml", "command = [\"a\", \"\\t${\"]")])
        #expect(told(result) == ["bad-template: \"\\t${\""])
    }

    @Test("Every mistake of a string is told")
    func several() {
        let (_, diagnostics) = template("${} ${A-b} ${")
        #expect(diagnostics.map(\.code) == ["bad-template", "bad-template", "bad-template"])
    }

    @Test("Defaults nest eight deep and no deeper")
    func nesting() {
        func nested(_ depth: Int) -> String {
            String(repeating: "${NO:-", count: depth) + "x" + String(repeating: "}", count: depth)
        }
        let (template, diagnostics) = template(nested(8))
        #expect(diagnostics.isEmpty && expanded(template) == "x")
        #expect(self.template(nested(9)).1.map(\.code) == ["bad-template"])
        #expect(self.template(nested(100_000)).1.map(\.code) == ["bad-template"])
    }

    @Test("An error at start names the place of the variable in the file")
    func spanOfVariable() throws {
        let service = try service("command = [\"a\"]\ndirectory = '/srv/${SITE}/www'")
        let result = ConfigurationReader.read([file("web.toml", "command = [\"a\"]\ndirectory = '/srv/${SITE}/www'")])
        do throws(ExpansionError) {
            _ = try service.directory?.expand { _ in nil }
            Issue.record("expanded")
        } catch {
            #expect(marked(error.span, result) == "${SITE}")
        }
    }

    @Test("A NUL is refused")
    func nul() { #expect(template("a\0b").1.map(\.code) == ["bad-value"]) }

    @Test("Scripts and descriptions are no templates")
    func scripts() throws {
        let service = try service("description = \"${\"\nscript = 'echo ${A-b} ${'")
        #expect(service.description == "${")
    }
}
