/// The tables of docs/stages.md are those of the plugins. `HERMES_INIT_WRITE=1 swift test --filter hermes_initTests` writes them.

import Foundation
import Testing

@testable import ConfigParser
@testable import hermes_init

@Suite("docs/stages.md", .serialized)
struct StageDocumentationTests {
    private static let page: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("docs/stages.md")
    }()

    private static func word(_ kind: ValueKind) -> String {
        switch kind {
        case .boolean: "`true` or `false`"
        case .integer(let low, let high): "integer from \(low) to \(high)"
        case .duration: "duration"
        case .account: "name or number"
        case .variables: "name or list of names"
        case .pathOrPaths: "path or list of paths"
        case .paths: "list of paths"
        case .templates: "string or list of strings"
        case .mode, .fileMode: "octal"
        case .modes: "table of paths and modes"
        case .size: "size"
        case .choice(let words): words.map { "`\"\($0)\"`" }.joined(separator: ", ")
        case .tables: "tables, below"
        default: "string"
        }
    }

    /// A table as it stands in the page, with those of its tables behind it.
    static func text(_ table: OptionTable) -> String {
        var text = table.header == "[options]" ? "" : "\nEach `\(table.header)`:\n\n"
        text += "| option | value | default | meaning |\n|---|---|---|---|\n"
        for key in table.keys {
            let fallback = key.isRequired ? "required" : key.fallback.isEmpty ? "" : "`\(key.fallback)`"
            text += "| `\(key.name)` | \(word(key.kind)) | \(fallback) | \(key.summary) |\n"
        }
        if !table.alternatives.isEmpty {
            text += "\nJust one of `\(table.alternatives.joined(separator: "`, `"))` has to be there.\n"
        }
        for key in table.keys {
            if case .tables(let inner) = key.kind { text += StageDocumentationTests.text(inner) }
        }
        return text
    }

    @Test("Each plugin has a section with its options as they are", arguments: builtIn.tables.map(\.plugin))
    func tables(plugin: String) throws {
        let table = try #require(builtIn.tables.first { $0.plugin == plugin })
        var page = try String(contentsOf: StageDocumentationTests.page, encoding: .utf8)
        #expect(page.contains("\n## \(plugin)\n"))
        let start = "<!-- options of \(plugin) -->\n"
        let from = try #require(page.range(of: start), "\(start) is missing")
        let to = try #require(page.range(of: "<!-- end -->", range: from.upperBound..<page.endIndex))
        let expected = StageDocumentationTests.text(table)
        if page[from.upperBound..<to.lowerBound] == expected { return }
        if ProcessInfo.processInfo.environment["HERMES_INIT_WRITE"] != nil {
            page.replaceSubrange(from.upperBound..<to.lowerBound, with: expected)
            try page.write(to: StageDocumentationTests.page, atomically: true, encoding: .utf8)
        } else {
            Issue.record("the table of \(plugin) differs; HERMES_INIT_WRITE=1 writes it")
        }
    }
}
