import CSystem
import ConfigParser
import System

/// `hermes-init toml`: a TOML file as JSON, for scripts and for conformance suites. Reads a file or standard input; has
/// nothing to do with services.

/// What `toml` was asked for.
struct TOMLRequest: Sendable, Equatable {
    /// The file; nil for standard input.
    var path: [UInt8]?
    /// The tagged form of the toml-test suite.
    var isTyped = false
    var version = TOMLVersion.v1_1

    /// Reads `[--typed] [--toml=1.0|1.1] [--] [FILE]`, the words behind `toml`. Gives nil where help is asked for.
    static func read(_ words: ArraySlice<[UInt8]>) throws(UsageError) -> TOMLRequest? {
        var request = TOMLRequest()
        var files = [[UInt8]]()
        var areOptions = true
        for word in words {
            if !areOptions || isWord(word, "-") || word.first != 0x2D {
                files.append(word)
            } else if isWord(word, "--") {
                areOptions = false
            } else if isWord(word, "--help") || isWord(word, "-h") {
                return nil
            } else if isWord(word, "--typed") {
                request.isTyped = true
            } else if isWord(word, "--toml=1.0") {
                request.version = .v1_0
            } else if isWord(word, "--toml=1.1") {
                request.version = .v1_1
            } else {
                throw UsageError(
                    title: say("toml has no option %", quoted([word])),
                    remedies: ["it has --typed, --toml=1.0 and --toml=1.1"],
                    topic: .toml)
            }
        }
        if files.count > 1 {
            throw UsageError(
                title: say("toml reads one file: cannot use % too", quoted([files[1]])), remedies: [], topic: .toml)
        }
        if let file = files.first, !isWord(file, "-") { request.path = file }
        return request
    }

    /// Reads the file: JSON on standard output, or what is wrong on standard error.
    @inline(never)
    func answer() -> Answer {
        let shown = path.map { quoted([$0]) } ?? "standard input"
        let bytes: Bytes
        do throws(Errno) {
            let file = try path.map { (path) throws(Errno) in try FileDescriptor.open(path, flags: O_RDONLY) }
            // One byte more than the parser takes: it has the words for that.
            bytes = try readToEnd(file ?? FileDescriptor(owning: 0), limit: 1 << 31)
        } catch {
            // EX_NOINPUT of sysexits.h.
            let reason = error == .tooLarge ? "it is larger than 2 GiB" : error.text
            return Answer(
                say("hermes-init: %\n", say("cannot read %: %", shown, reason)), stream: .standardError, exitCode: 66)
        }
        let color = ColorChoice.automatic.isWanted(.ofProcess(), on: 2)
        return answer(bytes, name: path == nil ? "<stdin>" : shown, color: color)
    }

    /// The same for bytes that were read.
    func answer(_ bytes: [UInt8], name: String, color: Bool) -> Answer {
        var diagnostics = [Diagnostic]()
        var sources = SourceMap()
        let file = sources.add(path: name, bytes: bytes)
        let table = TOMLParser.parse(file: file, bytes: bytes, version: version, diagnostics: &diagnostics)
        if diagnostics.isEmpty {
            return Answer(String(decoding: JSONForm.text(table, typed: isTyped), as: UTF8.self))
        }
        let text = DiagnosticRenderer(sources: sources, color: color).render(Diagnostic.sorted(diagnostics))
        return Answer(text, stream: .standardError, exitCode: 1)
    }
}
