/// What the tests of the schema share: making input files from text, and saying a diagnostic in one line.

import ConfigParser
import Testing

/// A file of a folder.
func file(_ name: String, _ text: String, in folder: String = "/etc/hermes-init.d") -> InputFile {
    InputFile(path: "\(folder)/\(name)", name: name, dropIn: nil, content: .bytes([UInt8](text.utf8)))
}

/// A file of `NAME.d`.
func dropIn(_ name: String, _ dropIn: String, _ text: String, in folder: String = "/etc/hermes-init.d") -> InputFile {
    InputFile(
        path: "\(folder)/\(name.dropLast(5)).d/\(dropIn)", name: name, dropIn: dropIn,
        content: .bytes([UInt8](text.utf8)))
}

/// A mask of a file or drop-in.
func mask(_ name: String, dropIn: String? = nil) -> InputFile {
    InputFile(path: "/run/hermes-init.d/\(name)", name: name, dropIn: dropIn, content: .mask)
}

/// The text that a span marks.
func marked(_ span: Span?, _ result: ReadResult) -> String? {
    guard let span, let file = result.sources.file(span.file) else { return nil }
    return String(decoding: file.bytes[Int(span.start)..<Int(span.end)], as: UTF8.self)
}

/// "code: marked text" of every diagnostic.
func told(_ result: ReadResult) -> [String] {
    result.diagnostics.map { "\($0.code): \(marked($0.primary?.span, result) ?? "-")" }
}

/// A service that is read without a mistake.
func service(_ text: String, name: String = "web", settings: String? = nil) throws -> Service {
    var files = [file("\(name).toml", text)]
    if let settings { files.append(file("init.toml", settings)) }
    let result = ConfigurationReader.read(files)
    #expect(told(result) == [])
    return try #require(result.configuration.services.first)
}

/// The text of a template without variables.
func literal(_ template: Template?) -> String? {
    template?.literal.map { String(decoding: $0, as: UTF8.self) }
}

/// A template with the values of some variables put in; "error: NAME" where it cannot be.
func expanded(_ template: Template?, _ values: [String: String] = [:]) -> String? {
    guard let template else { return nil }
    do throws(ExpansionError) {
        return String(decoding: try template.expand { values[$0].map { [UInt8]($0.utf8) } }, as: UTF8.self)
    } catch {
        return "error: \(error.variable)\(error.message.map { ": \($0)" } ?? "")"
    }
}

/// A file with one mistake.
struct Bad: Sendable, CustomTestStringConvertible {
    /// The file; a `command` is put in front where it says nothing of what runs.
    var text: String
    var code: String
    /// What the primary mark covers.
    var mark: String
    /// A part of the help.
    var help: String
    init(_ text: String, _ code: String, _ mark: String, _ help: String = "") {
        self.text = text
        self.code = code
        self.mark = mark
        self.help = help
    }
    var testDescription: String { text }

    /// Reads it as a file of that name and expects its mistake and no other.
    func check(as name: String, _ location: SourceLocation = #_sourceLocation) {
        let result = ConfigurationReader.read([file(name, text)])
        #expect(told(result) == ["\(code): \(mark)"], sourceLocation: location)
        guard let diagnostic = result.diagnostics.first else { return }
        let told = diagnostic.help ?? ""
        #expect(help.isEmpty ? !told.isEmpty : told.contains(help), "\(told)", sourceLocation: location)
        #expect(!diagnostic.title.isEmpty && !diagnostic.title.hasSuffix("."), sourceLocation: location)
    }
}

extension Bad {
    /// A service file that is right but for that line of its top.
    static func line(_ line: String, _ code: String, _ mark: String, _ help: String = "") -> Bad {
        Bad("command = [\"a\"]\n\(line)\n", code, mark, help)
    }
}
