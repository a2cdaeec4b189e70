import ConfigParser
import Runtime

@testable import hermes_init

/// Short ways to write a command line and to look at what came of it.

func utf8(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

func strings(_ words: [[UInt8]]) -> [String] { words.map { String(decoding: $0, as: UTF8.self) } }

/// Reads a command line given as one text, split at single spaces; `''` stands for an empty word.
func parse(_ line: String, _ environment: [String: String] = [:]) -> Invocation {
    let words = line.split(separator: " ", omittingEmptySubsequences: true).map { $0 == "''" ? [] : utf8(String($0)) }
    return Invocation.parse(arguments: words) { environment[$0].map(utf8) }
}

extension Invocation {
    var boot: BootOptions? {
        if case .boot(let options) = self { return options }
        return nil
    }

    var answer: Answer? {
        if case .answer(let answer) = self { return answer }
        return nil
    }

    /// The whole as one line, for tables.
    var summary: String {
        switch self {
        case .boot(let options):
            return "boot"
                + (options.foldersAreRequired ? " [" + strings(options.folders).joined(separator: ",") + "]" : "")
                + strings(options.arguments).map { " <" + $0 + ">" }.joined()
        case .check(let options):
            let folders = options.folders
            return "check" + (folders.areRequired ? " [" + strings(folders.paths).joined(separator: ",") + "]" : "")
        case .plan(let folders, let arguments, let format):
            return "plan" + (folders.areRequired ? " [" + strings(folders.paths).joined(separator: ",") + "]" : "")
                + strings(arguments).map { " <" + $0 + ">" }.joined() + (format == .text ? "" : " as \(format)")
        case .schema(let subject):
            return "schema \(subject)"
        case .stage:
            return "stage"
        case .toml(let request):
            return "toml" + (request.isTyped ? " typed" : "") + (request.version == .v1_0 ? " 1.0" : "")
                + (request.path.map { " <" + strings([$0]).joined() + ">" } ?? "")
        case .health: return "health"
        case .exec: return "exec"
        case .shim: return "shim"
        case .timings(_, let arguments, let picture):
            return "timings" + strings(arguments).map { " <" + $0 + ">" }.joined()
                + (picture.map { " into " + strings([$0])[0] } ?? "")
        case .ctl(let request): return "ctl <" + String(decoding: request.line, as: UTF8.self) + ">"
        case .complete(let words): return "complete" + strings(words).map { " <" + $0 + ">" }.joined()
        case .answer(let answer):
            return "answer \(answer.exitCode) \(answer.stream == .standardError ? "err" : "out")"
        }
    }
}
