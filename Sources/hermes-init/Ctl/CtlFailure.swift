import ConfigParser

/// Why `ctl` did not reach what it was asked for, and the exit codes that scripts know it by. Pure.

final class CtlFailure: Error {
    /// The exit codes of ctl; those above 63 are of sysexits.h.
    enum Code: Int32, Sendable {
        case notReached = 1
        case usage = 64
        case unknownService = 66
        case noInit = 69
        case output = 74
        case late = 75
        case refused = 77
        case configuration = 78
        case interrupted = 130
    }

    let code: Code
    /// Without "hermes-init: " and without a full stop.
    let title: String
    /// What to do, each a line.
    let hints: [String]
    /// The report of `--check`, as it is printed there.
    let report: String

    @inline(never)
    convenience init(_ code: Code, _ title: Literal) { self.init(code, title.text, []) }

    @inline(never)
    @_disfavoredOverload
    init(_ code: Code, _ title: String, _ hints: [String] = [], report: String = "") {
        self.code = code
        self.title = title
        self.hints = hints
        self.report = report
    }

    /// The last line of an answer whose `ok` is false.
    convenience init(_ line: JSONValue) {
        let word = line.text("error") ?? ""
        let code: Code
        switch word {
        case "usage", "unknown-verb": code = .usage
        case "unknown-service": code = .unknownService
        case "refused": code = .refused
        case "timeout", "busy": code = .late
        case "configuration": code = .configuration
        default: code = .notReached
        }
        var hints = [String]()
        if let hint = line.text("hint") { hints.append(hint) }
        if word == "unknown-verb" { hints.append("the init that runs here is older than this program") }
        self.init(
            code, line.text("message") ?? say("the init refused it (%)", word), hints, report: line.text("report") ?? ""
        )
    }

    /// For standard error: control characters of what came from the socket are shown, not obeyed.
    var text: String {
        var text = ""
        for line in lines(report) { text += say("%\n", tame(line)) }
        text += say("hermes-init: %\n", fitted(title, to: 4096))
        for hint in hints { text += say("  %\n", fitted(hint, to: 4096)) }
        return text
    }
}

/// The lines of a text, without their ends; what stands behind the last line end only where it is not empty.
@inline(never)
func lines(_ text: String) -> [String] {
    var lines = [String]()
    var line = [UInt8]()
    for byte in text.bytes {
        if byte != 0x0A {
            line.append(byte)
            continue
        }
        lines.append(String(decoding: line, as: UTF8.self))
        line = []
    }
    if !line.isEmpty { lines.append(String(decoding: line, as: UTF8.self)) }
    return lines
}

/// A line of somebody's output as a terminal may have it: colours stay, whatever else would act on the terminal is shown.
/// The colours end with the line.
@inline(never)
func tame(_ line: String, colors: Bool = false) -> String {
    let bytes = line.bytes
    var result = ""
    var plain = [UInt8]()
    var place = 0
    var isPainted = false
    while place < bytes.count {
        // ESC [ digits and semicolons m
        var end = place &+ 2
        if bytes[place] == 0x1B && place &+ 1 < bytes.count && bytes[place &+ 1] == 0x5B {
            while end < bytes.count, bytes[end] >= 0x30 && bytes[end] <= 0x3B { end &+= 1 }
            if end < bytes.count && bytes[end] == 0x6D {
                result += fitted(String(decoding: plain, as: UTF8.self), to: Int.max)
                plain = []
                if colors {
                    result += String(decoding: bytes[place...end], as: UTF8.self)
                    isPainted = true
                }
                place = end &+ 1
                continue
            }
        }
        // A carriage return in front of the line end means nothing.
        if bytes[place] != 0x0D || place &+ 1 < bytes.count { plain.append(bytes[place]) }
        place &+= 1
    }
    result += fitted(String(decoding: plain, as: UTF8.self), to: Int.max)
    return isPainted ? say("%\u{1B}[0m", result) : result
}
