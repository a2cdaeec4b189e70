/// The manual pages name every verb, option and key of the program: what stands between their marks is made from the same
/// tables. `HERMES_INIT_WRITE=1 swift test --filter ManualTests` writes it.

import Foundation
import Testing

@testable import ConfigParser
@testable import hermes_init

@Suite("The manual pages", .serialized)
struct ManualTests {
    private static let folder: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("man")
    }()

    /// Text as mdoc(7) has it: no backslash and no line that begins like a macro.
    private static func escaped(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\e").replacing("`", with: "")
        return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
    }

    /// A sentence that ends in a full stop.
    private static func sentence(_ text: String) -> String {
        let text = escaped(text)
        guard let first = text.first else { return "" }
        return first.uppercased() + text.dropFirst() + (text.hasSuffix(".") || text.hasSuffix("?") ? "" : ".") + "\n"
    }

    private static func list(_ items: [String]) -> String { ".Bl -tag -width Ds\n" + items.joined() + ".El\n" }

    private static let verbs = list(
        CtlVerb.allCases.map { verb in
            let words = verb.shownWords.replacing("NAME", with: "name").replacing("SIGNAL", with: "signal").replacing(
                "CODE", with: "code")
            var item = ".It Cm " + verb.name
            for word in words.split(separator: " ") {
                let isOptional = word.hasPrefix("[")
                let bare = word.replacing("[", with: "").replacing("]", with: "")
                let dots = bare.hasSuffix("...")
                item += (isOptional ? " Op Ar " : " Ar ") + (dots ? bare.dropLast(3) + " ..." : bare)
            }
            var options = CtlOptions.table.filter { verb.info.options.contains($0.option) }.map {
                ".Fl " + $0.name.dropFirst()
            }
            for place in options.indices.dropLast() { options[place] += " ," }
            let text = options.isEmpty ? "" : "Its options:\n" + options.map { $0 + "\n" }.joined()
            return item + "\n" + sentence(verb.info.summary) + text
        })

    private static let options = list(
        CtlOptions.table.map { info in
            var item = ".It "
            if !info.letter.isEmpty { item += "Fl " + info.letter.dropFirst() + " , " }
            item += "Fl " + info.name.dropFirst() + (info.value.isEmpty ? "" : " Ar " + info.value.lowercased())
            return item + "\n" + sentence(info.summary)
        })

    private static func keys(_ keys: [Key]) -> String {
        list(
            keys.map { key in
                let fallback = key.fallback.isEmpty ? "" : "The default is\n.Li " + escaped(key.fallback) + " .\n"
                return ".It Li " + key.name + "\n" + sentence(key.summary) + fallback
            })
    }

    private static func tables(_ tables: [KeyTable]) -> String {
        tables.map { table in
            (table.header.isEmpty ? "" : ".Ss " + table.header + "\n") + keys(table.keys)
        }.joined()
    }

    private static func options(_ table: OptionTable, in name: String) -> String {
        var text = ".Ss " + name + "\n" + keys(table.keys)
        for key in table.keys {
            if case .tables(let inner) = key.kind { text += options(inner, in: name + ": " + inner.header) }
        }
        return text
    }

    private static let sections: [(page: String, name: String, text: String)] = {
        let settings = KeyTable.allCases.filter { if case .settings = $0 { true } else { false } }
        // What else is of init.toml alone.
        let own = KeyTable.allCases.filter { $0.header == "[control]" }
        let service = KeyTable.allCases.filter { table in
            if case .settings = table { return false }
            return table.header != "[control]"
        }
        return [
            ("hermes-init.8", "verbs", verbs), ("hermes-init.8", "options", options),
            ("hermes-init.d.5", "service", tables(service)), ("hermes-init.d.5", "settings", tables(settings + own)),
            ("hermes-init.d.5", "stages", builtIn.tables.map { options($0, in: $0.plugin) }.joined()),
        ]
    }()

    @Test("What stands between the marks is what the program has", arguments: sections.map(\.name))
    func generated(name: String) throws {
        let section = try #require(ManualTests.sections.first { $0.name == name })
        let url = ManualTests.folder.appendingPathComponent(section.page)
        var page = try String(contentsOf: url, encoding: .utf8)
        let start = ".\\\" begin \(name)\n"
        let from = try #require(page.range(of: start))
        let to = try #require(page.range(of: ".\\\" end \(name)\n"))
        if ProcessInfo.processInfo.environment["HERMES_INIT_WRITE"] == "1" {
            page.replaceSubrange(from.upperBound..<to.lowerBound, with: section.text)
            try page.write(to: url, atomically: true, encoding: .utf8)
        } else {
            #expect(page[from.upperBound..<to.lowerBound] == section.text)
        }
    }

    @Test("Every subcommand and option of the help is in the page")
    func complete() throws {
        let page = try String(contentsOf: ManualTests.folder.appendingPathComponent("hermes-init.8"), encoding: .utf8)
        for command in Completion.commands {
            #expect(page.contains("Cm " + command.name) || page.contains("Fl -" + command.name), "\(command.name)")
            for option in command.options {
                let name = option.split(separator: "=")[0].dropFirst()
                #expect(page.contains("Fl " + name), "\(name)")
            }
        }
        for code in ["0", "1", "64", "66", "69", "74", "75", "77", "78"] {
            #expect(page.contains(".It " + code + "\n"))
        }
    }
}
