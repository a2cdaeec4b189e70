import ConfigParser

/// The report of `--check` for programs: JSON of our own form (docs/check.md), SARIF 2.1.0 for code scanning, and the workflow
/// commands of GitHub Actions. They say what the text says, and have the same order.

/// How the report is written.
enum CheckFormat: Int, Sendable {
    case text, json, sarif, github
    static let words = ["text", "json", "sarif", "github"]
}

/// Writes a report.
struct ReportWriter {
    let sources: SourceMap
    let diagnostics: [Diagnostic]

    /// One object: counts, and a list of diagnostics each of which has every key. One diagnostic a line.
    func json() -> String {
        var list = ""
        var errors = 0
        for diagnostic in diagnostics {
            if diagnostic.severity == .error { errors += 1 }
            var related = ""
            for label in diagnostic.context { add(place(label), to: &related) }
            var notes = ""
            for note in diagnostic.notes { add(quote(note), to: &notes) }
            var line = say(
                "\n{\"severity\":%,\"code\":%,\"title\":%,\"location\":%,", quote(level(diagnostic)),
                quote(diagnostic.code), quote(diagnostic.title), place(diagnostic.primary))
            line += say(
                "\"related\":[%],\"notes\":[%],\"help\":%}", related, notes, diagnostic.help.map(quote) ?? "null")
            add(line, to: &list)
        }
        return say(
            "{\"errors\":%,\"warnings\":%,\"files\":%,\"diagnostics\":[%]}\n", String(errors),
            String(diagnostics.count - errors), String(sources.files.count), list)
    }

    private func place(_ label: Diagnostic.Label?) -> String {
        guard let label, let file = sources.file(label.span.file) else { return "null" }
        return say("{\"file\":%,", quote(file.path))
            + range(label.span, "\"line\":%,\"column\":%,\"endLine\":%,\"endColumn\":%,")
            + say("\"label\":%}", quote(label.text))
    }

    /// Static Analysis Results Interchange Format 2.1.0 (OASIS). One result a line.
    func sarif() -> String {
        var codes = [String]()
        var rules = ""
        var results = ""
        for diagnostic in diagnostics {
            let code = quote(diagnostic.code)
            if !has(codes, code) {
                codes.append(code)
                add(say("{\"id\":%}", code), to: &rules)
            }
            var related = ""
            for label in diagnostic.context { add(location(label), to: &related) }
            let line = say(
                "\n{\"ruleId\":%,\"level\":%,\"message\":{\"text\":%},\"locations\":[%]", code,
                quote(level(diagnostic)), quote(whole(diagnostic)), diagnostic.primary.map(location) ?? "")
            add(line + say(",\"relatedLocations\":[%]}", related), to: &results)
        }
        let schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
        return say(
            "{\"$schema\":%,\"version\":\"2.1.0\",\"runs\":[{\"columnKind\":\"unicodeCodePoints\",\"tool\":{\"driver\":",
            quote(schema))
            + say(
                "{\"name\":\"hermes-init\",\"version\":%,\"rules\":[%]}},\"results\":[%]}]}\n", quote(Version.number),
                rules, results)
    }

    private func location(_ label: Diagnostic.Label) -> String {
        guard let file = sources.file(label.span.file) else { return "" }
        let message = label.text.isEmpty ? "" : say(",\"message\":{\"text\":%}", quote(label.text))
        return say(
            "{\"physicalLocation\":{\"artifactLocation\":{\"uri\":%},\"region\":{%}}%}", quote(uri(file.path)),
            range(label.span, "\"startLine\":%,\"startColumn\":%,\"endLine\":%,\"endColumn\":%"), message)
    }

    /// Lines such as `::error file=web.toml,line=1,col=3,…::text`, which GitHub shows beside the line.
    func github() -> String {
        var text = ""
        for diagnostic in diagnostics {
            text += say("::%", level(diagnostic))
            text += say(" title=%", escaped(diagnostic.code, inProperty: true))
            if let span = diagnostic.primary?.span, let file = sources.file(span.file) {
                text += say(",file=%", escaped(file.path, inProperty: true))
                text += range(span, ",line=%,col=%,endLine=%,endColumn=%")
            }
            text += say("::%\n", escaped(whole(diagnostic), inProperty: false))
        }
        return text
    }

    // MARK: - Parts

    private func level(_ diagnostic: Diagnostic) -> String { diagnostic.severity == .error ? "error" : "warning" }

    /// Line and column of the first byte, and of the one behind the last, put into a pattern.
    @inline(never)
    private func range(_ span: Span, _ pattern: Literal) -> String {
        guard let start = sources.location(of: span),
            let end = sources.location(of: Span(file: span.file, start: max(span.end, span.start), end: span.end))
        else { return "" }
        return say(pattern, String(start.line), String(start.column), String(end.line), String(end.column))
    }

    @inline(never)
    private func quote(_ text: String) -> String {
        var json = JSONWriter(pretty: false)
        json.string(text)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @inline(never)
    private func add(_ element: String, to list: inout String) {
        if !list.isEmpty { list += "," }
        list += element
    }

    private func whole(_ diagnostic: Diagnostic) -> String {
        var text = diagnostic.title
        for note in diagnostic.notes { text += say("\nnote: %", note) }
        if let help = diagnostic.help { text += say("\nhelp: %", help) }
        return text
    }

    /// A path as a URI (RFC 3986); a relative one stays relative.
    private func uri(_ path: String) -> String {
        var result = [UInt8]()
        let bytes = path.bytes
        if bytes.first == 0x2F { result += "file://".bytes }
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D...0x2F, 0x5F, 0x7E: result.append(byte)
            default: percent(byte, &result)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func escaped(_ text: String, inProperty: Bool) -> String {
        var result = [UInt8]()
        for byte in text.bytes {
            switch byte {
            case 0x25, 0x0A, 0x0D: percent(byte, &result)
            case 0x3A where inProperty, 0x2C where inProperty: percent(byte, &result)
            case 0x00..<0x20, 0x7F: result.append(0x3F)
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func percent(_ byte: UInt8, _ result: inout [UInt8]) {
        result.append(0x25)
        for digit in [byte >> 4, byte & 15] { result.append(digit < 10 ? 0x30 &+ digit : 0x37 &+ digit) }
    }
}
