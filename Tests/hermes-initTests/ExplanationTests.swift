import Foundation
import System
import Testing

@testable import ConfigParser
@testable import Runtime
@testable import hermes_init

/// The codes of diagnostics: what `explain` knows, what docs/diagnostics.md says and what Sources can give are the same.

/// A block of the texts, taken apart.
private struct Block: Sendable, CustomTestStringConvertible {
    var code: String
    var text: [String]
    var example: [String]
    var testDescription: String { code }

    static let all: [Block] = Explanation.allTexts.components(separatedBy: "\n\n").compactMap { text in
        let lines = text.split(separator: "\n").map(String.init)
        guard let code = lines.first else { return nil }
        return Block(
            code: code, text: lines.dropFirst().filter { !$0.hasPrefix("|") },
            example: lines.filter { $0.hasPrefix("|") }.map { String($0.dropFirst(2)) })
    }

    /// The files of the example.
    var files: [(name: String, text: String)] {
        var files: [(name: String, text: String)] = []
        for line in example {
            if line.hasPrefix("# ") && line.hasSuffix(".toml") {
                files.append((String(line.dropFirst(2)), ""))
            } else {
                if files.isEmpty { files.append(("web.toml", "")) }
                files[files.count - 1].text += line + "\n"
            }
        }
        return files
    }
}

@Suite("The codes of diagnostics")
struct ExplanationTests {
    private static let root: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder
    }()

    /// Every code that stands in Sources as the code of a diagnostic.
    private static let used: Set<String> = {
        let code = #""([a-z][a-z0-9]+(?:-[a-z0-9.]+)*)""#
        let patterns = [
            #"code:\s*"# + code,
            #"(?:told|again|error|warning)\(\s*(?:\.warning,\s*)?"# + code,
            #"report\(\s*[A-Za-z.]+,\s*"# + code,
            // The checks of meaning.
            #"(?:warn|fail|lack)\(\s*"# + code,
            #"tell\(\s*[.a-z]+,\s*"# + code,
            #"(?:var |let |^ +)code = "# + code,
        ]
        var found = Set<String>()
        let folder = root.appendingPathComponent("Sources")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.allObjects ?? []
        for case let file as URL in files where file.pathExtension == "swift" {
            // The errors of the control socket have codes of their own, which docs/control.md explains.
            let text = ((try? String(contentsOf: file, encoding: .utf8)) ?? "")
                .replacingOccurrences(of: #"ControlError\(\s*code:"#, with: "ControlError", options: .regularExpression)
            for pattern in patterns {
                let matches = try? NSRegularExpression(pattern: pattern, options: .anchorsMatchLines)
                    .matches(in: text, range: NSRange(text.startIndex..., in: text))
                for match in matches ?? [] {
                    if let range = Range(match.range(at: 1), in: text) { found.insert(String(text[range])) }
                }
            }
        }
        return found
    }()

    @Test("each code that the program gives is explained, and no other is")
    func complete() {
        let explained = Block.all.map(\.code)
        #expect(Set(explained).count == explained.count)
        #expect(ExplanationTests.used.subtracting(explained).sorted() == [])
        #expect(Set(explained).subtracting(ExplanationTests.used).sorted() == [])
        #expect(Explanation.codes == explained)
    }

    @Test("a paragraph has sentences in lines of at most 80 columns", arguments: Block.all)
    fileprivate func paragraph(block: Block) {
        #expect(block.text.last?.hasSuffix(".") == true)
        for line in block.text + block.example { #expect(line.count <= 80) }
    }

    @Test("an example gives its code and no other", arguments: Block.all.filter { !$0.example.isEmpty })
    fileprivate func example(block: Block) throws {
        #expect(try codes(block.files.map { ($0.name, [UInt8]($0.text.utf8)) }, block.code) == [block.code])
    }

    @Test(
        "a code without an example comes of a file that a page cannot show",
        arguments: Block.all.filter(\.example.isEmpty))
    fileprivate func made(block: Block) throws {
        func text(_ text: String) -> [(String, [UInt8])] { [("web.toml", [UInt8](text.utf8))] }
        let files: [(String, [UInt8])]
        switch block.code {
        case "toml-not-utf8": files = [("web.toml", [0x23, 0xFF, 0x0A])]
        case "toml-not-text":
            files = [("web.toml", [0x7F, 0x45, 0x4C, 0x46, 2, 1, 0, 0, 0, 0xFF, 0, 0, 3, 0, 0x3E, 0])]
        case "toml-control-character": files = text("a = \"\u{1}\"\n")
        case "toml-too-deep": files = text("a = " + String(repeating: "[", count: 200))
        case "toml-too-many-mistakes": files = text(String(repeating: "= 1\n", count: 200))
        case "too-many-mistakes":
            files = text("command = [\"a\"]\n" + (0..<200).map { "key\($0) = 1\n" }.joined())
        case "unreadable-file": files = [("web.toml", [UInt8](repeating: 0x23, count: largestConfigurationFile + 1))]
        case "instance-name":
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sites-" + UUID().uuidString)
            defer { try? FileManager.default.removeItem(at: folder) }
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent("Two Words"), withIntermediateDirectories: true)
            let from = "command = [\"web\"]\n[instances]\nfrom = \"" + folder.path + "/*\"\n"
            #expect(try codes([("web@.toml", utf8(from))], block.code) == [block.code])
            return
        // Two GiB are more than a test should need.
        case "toml-file-too-large": return
        case "unreadable-folder":
            let loaded = load(folders: [utf8("/nowhere")], areRequired: true, arguments: [], stages: builtIn)
            #expect(loaded.result.diagnostics.map(\.code) == [block.code])
            return
        default:
            Issue.record("\(block.code) has no example and no file here")
            return
        }
        #expect(try codes(files, block.code).contains(block.code))
    }

    /// The codes that come of files: of the parser alone for its own codes, else of all that `--check` does, on a machine
    /// that is made up.
    private func codes(_ files: [(name: String, bytes: [UInt8])], _ code: String) throws -> [String] {
        if code.hasPrefix("toml-") {
            var diagnostics = [Diagnostic]()
            _ = TOMLParser.parse(
                file: FileID(index: 0), bytes: files[0].bytes, version: code == "toml-needs-1.1" ? .v1_0 : .v1_1,
                diagnostics: &diagnostics)
            return diagnostics.map(\.code)
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("explain-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        for file in files {
            let url = folder.appendingPathComponent(file.name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.bytes).write(to: url)
        }
        var diagnostics = [Diagnostic]()
        let read = readFolders([utf8(folder.path)], areRequired: true, diagnostics: &diagnostics)
        var environment = Environment()
        environment.set("HOME", utf8("/root"))
        return checkFiles(
            read, isSingle: false, stages: builtIn, view: madeUpMachine(),
            instances: InstancePlace(environment: environment)
        ).diagnostics.map(\.code)
    }

    @Test("docs/diagnostics.md says the same")
    func page() throws {
        var page = """
            # The codes of messages

            Each message of `hermes-init --check`, of a boot and of `hermes-init toml` ends its first line with a code in brackets.
            `hermes-init explain CODE` prints what stands here. Codes stay what they are from version to version.

            This page is written from the texts in the program (Sources/ConfigParser/Diagnostics/ExplanationTexts.swift).

            """
        for block in Block.all {
            // A backslash or an asterisk of a paragraph would be a mark here.
            page += "\n## `\(block.code)`\n\n"
            for line in block.text {
                let escaped = line.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(
                    of: "*", with: "\\*")
                page += escaped + "\n"
            }
            for file in block.files {
                page +=
                    "\n```toml" + (block.files.count > 1 || file.name != "web.toml" ? " name=" + file.name : "") + "\n"
                page += file.text + "```\n"
            }
        }
        let url = ExplanationTests.root.appendingPathComponent("docs/diagnostics.md")
        if ProcessInfo.processInfo.environment["HERMES_INIT_WRITE"] == "1" {
            try page.write(to: url, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: url, encoding: .utf8)
        #expect(written == page, "HERMES_INIT_WRITE=1 swift test --filter ExplanationTests writes the page anew")
    }

    @Test("explain prints the paragraph and the example")
    func explain() {
        let answer = parse("hermes-init explain toml-colon").answer
        #expect(
            answer?.text == """
                toml-colon
                Separate key and value with "=", not ":".

                    port: 80

                """)
        #expect(answer?.exitCode == 0)
        #expect(parse("hermes-init explain [toml-colon]").answer == answer)
    }

    @Test("explain without a code lists all of them")
    func list() {
        #expect(parse("hermes-init explain").answer?.text == Block.all.map { $0.code + "\n" }.joined())
    }

    @Test("a code that is none is refused, with the nearest one")
    func unknown() {
        let answer = parse("hermes-init explain unknown-keys").answer
        #expect(answer?.exitCode == 64 && answer?.stream == .standardError)
        #expect(answer?.text.contains("there is no code unknown-keys\n  did you mean: unknown-key\n") == true)
        #expect(parse("hermes-init explain a b").answer?.exitCode == 64)
    }
}
