/// The examples of docs/service-files.md are files that can be read, and its tables have every key.

import Foundation
import Testing

@testable import ConfigParser

@Suite("docs/service-files.md")
struct DocumentationTests {
    static let page: String = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { folder.deleteLastPathComponent() }
        return (try? String(contentsOf: folder.appendingPathComponent("docs/service-files.md"), encoding: .utf8)) ?? ""
    }()

    /// A fenced block, with what stands behind its ```toml.
    struct Block: Sendable, CustomTestStringConvertible {
        var line: Int
        var info: [String]
        var text: String
        var testDescription: String { "line \(line)" }

        var name: String {
            for word in info where word.hasPrefix("name=") {
                return String(word.dropFirst(5).split(separator: "/").last ?? "")
            }
            return "example.toml"
        }
    }

    static let blocks: [Block] = {
        var blocks = [Block]()
        var open: Block?
        for (number, line) in page.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line == "```", let block = open {
                blocks.append(block)
                open = nil
            } else if open != nil {
                open?.text += line + "\n"
            } else if line.hasPrefix("```toml") {
                open = Block(line: number + 1, info: line.dropFirst(7).split(separator: " ").map(String.init), text: "")
            }
        }
        return blocks
    }()

    @Test("There are examples") func examples() { #expect(DocumentationTests.blocks.count > 25) }

    @Test("An example is read without a mistake", arguments: blocks)
    func example(block: Block) throws {
        if block.info.contains("part") {
            let first = try #require(DocumentationTests.blocks.first)
            let result = ConfigurationReader.read([
                file(first.name, first.text), dropIn(first.name, block.name, block.text),
            ])
            #expect(told(result) == [])
        } else {
            #expect(told(ConfigurationReader.read([file(block.name, block.text)])) == [])
        }
    }

    @Test("Every key is described in a table, and is used in an example")
    func everyKey() {
        let examples = DocumentationTests.blocks.map(\.text).joined()
        for table in KeyTable.allCases {
            for key in table.keys where !DocumentationTests.isTable(key.kind) {
                #expect(DocumentationTests.page.contains("| `\(key.name)` |"), "`\(key.name)` is not described")
                #expect(examples.contains("\(key.name) = "), "`\(key.name)` has no example")
            }
            for key in table.keys where DocumentationTests.isTable(key.kind) {
                #expect(
                    DocumentationTests.page.contains("[\(key.name)]")
                        || DocumentationTests.page.contains("`\(key.name)`"))
                #expect(examples.contains("[\(key.name)]") || examples.contains("\(key.name) = "))
            }
        }
    }

    @Test("A key of several tables is described in each")
    func everyTable() {
        let lines = DocumentationTests.page.split(separator: "\n")
        let keys = KeyTable.allCases.flatMap(\.keys).filter { !DocumentationTests.isTable($0.kind) }.map(\.name)
        for key in Set(keys) {
            let rows = lines.filter { $0.hasPrefix("| `\(key)` |") }
            #expect(rows.count >= keys.filter { $0 == key }.count, "`\(key)` is not described in every table")
        }
    }

    @Test("The default of every key stands in its row, and so do the words of a choice")
    func everyDefault() throws {
        for table in KeyTable.allCases {
            for key in table.keys where !DocumentationTests.isTable(key.kind) {
                let rows = DocumentationTests.page.split(separator: "\n").filter { $0.hasPrefix("| `\(key.name)` |") }
                // Those of the order are told of in one sentence below their table.
                if case .names = key.kind {
                    #expect(DocumentationTests.page.contains("empty (`\(key.fallback)`) where it is not set"))
                    continue
                }
                var words = [key.fallback]
                if case .choice(let choice) = key.kind { words += choice }
                for word in words where !word.isEmpty {
                    let isShown = rows.contains { $0.contains("`\(word)`") || $0.contains("`\"\(word)\"`") }
                    #expect(isShown, "`\(word)` is not in the row of `\(key.name)`")
                }
            }
        }
    }

    @Test("The type of every key's value stands in its row")
    func everyType() throws {
        for table in KeyTable.allCases {
            for key in table.keys where !DocumentationTests.isTable(key.kind) {
                guard let word = DocumentationTests.word(for: key.kind) else { continue }
                let rows = DocumentationTests.page.split(separator: "\n").filter { $0.hasPrefix("| `\(key.name)` |") }
                #expect(rows.contains { $0.contains(word) }, "\"\(word)\" is not in the row of `\(key.name)`")
            }
        }
    }

    /// What a row calls a kind; nil where that differs from key to key.
    static func word(for kind: ValueKind) -> String? {
        switch kind {
        case .text, .names, .template, .content: nil
        case .templates: "string or list of strings"
        case .fileMode: "octal"
        case .modes: "table of paths and modes"
        case .tables: "tables"
        case .boolean, .flag: "`true` or `false`"
        case .operators: "list of users"
        case .patterns: "list of names"
        case .integer: "integer"
        case .number: "number"
        case .duration: "duration"
        case .choice: "`\""
        case .command: "list of strings"
        case .paths: "list of paths"
        case .pathOrPaths: "path or list of paths"
        case .variables: "name or list of names"
        case .account: "name or number"
        case .accounts: "list of names and numbers"
        case .mode: "octal"
        case .signal: "signal"
        case .exitConditions: "list of"
        case .wordLists: "list of words"
        case .size: "size"
        case .limit: "limit"
        case .amount: "`\"max\"`"
        case .capabilities: "list of names"
        case .notify: "`\"systemd\"`"
        case .table, .open: nil
        }
    }

    static func isTable(_ kind: ValueKind) -> Bool {
        switch kind {
        case .table, .open: true
        default: false
        }
    }
}
