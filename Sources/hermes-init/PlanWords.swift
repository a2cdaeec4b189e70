import ConfigParser
import Runtime

/// The words of the plan: what a type, a condition, a template and the main program look like to a person. Templates are
/// shown as they stand in the file, with their variables, since those are only put in when a service starts.

/// The main program as the container's arguments make it: `route` of design and documentation, for showing.
struct MainProgram {
    /// What would be run, one word each: those of the file as they are written there, then the arguments. Of a script only
    /// these.
    var command: [String] = []
    /// The same in one line, quoted as for a shell.
    var words = ""
    /// Why it is those words and not others; empty where there is no choice.
    var reason = ""

    /// - Parameter isExecutable: whether a word names an executable file on PATH; nil where that is not known.
    @inline(never)
    init(_ service: Service, arguments: [[UInt8]], isExecutable: ([UInt8]) -> Bool?) {
        let own = hermes_init.words(for: service.action)
        guard let first = arguments.first, !own.isEmpty else {
            take(service.action, arguments)
            return
        }
        switch service.route {
        case .append:
            take(service.action, arguments)
            reason = "route append: the command, then the arguments"
        case .replace:
            take(.nothing, arguments)
            reason = "route replace: the arguments instead of the command"
        case .auto:
            let isOption = first.first == 0x2D
            let found = isOption ? false : isExecutable(first)
            reason = say("route auto: %", quoted(first))
            if found == true {
                take(.nothing, arguments)
                reason += " is an executable on PATH"
                return
            }
            take(service.action, arguments)
            if isOption {
                reason += " begins with \"-\""
            } else if found == false {
                reason += " is no executable on PATH"
            } else {
                reason += " is looked up on PATH at boot; where it is there, the arguments alone"
            }
        }
    }

    @inline(never)
    private mutating func take(_ action: Action, _ arguments: [[UInt8]]) {
        words = hermes_init.words(for: action)
        if case .command(let templates) = action {
            for template in templates { command.append(written(template.parts)) }
        }
        for argument in arguments { command.append(String(decoding: argument, as: UTF8.self)) }
        if arguments.isEmpty { return }
        if !words.isEmpty { words += " " }
        words += quoted(arguments)
    }
}

/// "longrun", "oneshot", "main", "group".
@inline(never)
func word(for type: ServiceType) -> String {
    switch type {
    case .longrun: "longrun"
    case .oneshot: "oneshot"
    case .main: "main"
    case .group: "group"
    }
}

/// What a service runs.
@inline(never)
func words(for action: Action) -> String {
    switch action {
    case .command(let templates):
        var text = ""
        for template in templates {
            if !text.isEmpty { text += " " }
            text += words(for: template)
        }
        return text
    case .script: return "(its script)"
    case .plugin(let name, _): return say("(the stage %)", name.name)
    case .nothing: return ""
    }
}

/// A condition of `[when]`, to be read behind "only if".
@inline(never)
func words(for condition: Condition) -> String {
    switch condition {
    case .environmentTrue(let name): return say("% is true", name)
    case .environmentSet(let name): return say("% is set", name)
    case .environmentUnset(let name): return say("% is not set", name)
    case .environmentEquals(let name, let value): return say("% is %", name, quoted([UInt8](value.utf8)))
    case .pathExists(let path): return say("% exists", words(for: path))
    case .pathMissing(let path): return say("% does not exist", words(for: path))
    case .tty(let wanted): return wanted ? "on a terminal" : "not on a terminal"
    case .root(let wanted): return wanted ? "the init is root" : "the init is not root"
    case .main(let beginnings): return say("the arguments begin with %", alternatives(beginnings))
    case .mainNot(let beginnings): return say("the arguments do not begin with %", alternatives(beginnings))
    }
}

private func alternatives(_ beginnings: [[String]]) -> String {
    var texts: [String] = []
    for beginning in beginnings {
        var words: [[UInt8]] = []
        for word in beginning { words.append([UInt8](word.utf8)) }
        texts.append(quoted(words))
    }
    return joined(texts, last: " or ")
}

/// How it is known that a service is ready, to be read behind "up when".
@inline(never)
func words(for readiness: Readiness) -> String {
    switch readiness {
    case .descriptor(let number): return say("it says so on descriptor %", String(number))
    case .systemd: return "it says so to NOTIFY_SOCKET"
    case .log(let text): return say("its output holds %", quoted([[UInt8](text.utf8)]))
    case .probe(.tcp(let address)): return say("% accepts a connection", words(for: address))
    case .probe(.unix(let path)): return say("% accepts a connection", words(for: path))
    case .probe(.http(let address)): return say("% answers", words(for: address))
    case .probe(.path(let path)): return say("% exists", words(for: path))
    case .probe(.command(let command)): return say("% succeeds", words(for: Action.command(command)))
    }
}

/// A template as it is written: variables in their braces; in double quotes where it has variables and a space.
@inline(never)
func words(for template: Template) -> String {
    if let literal = template.literal { return quoted(literal) }
    let text = written(template.parts)
    return text.utf8.contains(0x20) ? say("\"%\"", text) : text
}

/// Templates are nested by `:-` only, as deep as the reader of the files allows.
@inline(never)
func written(_ parts: [Template.Part]) -> String {
    var text = ""
    for part in parts {
        switch part {
        case .literal(let bytes): text += shown(bytes)
        case .variable(let name, .none, _): text += say("${%}", name)
        case .variable(let name, .value(let fallback), _): text += say("${%:-%}", name, written(fallback))
        case .variable(let name, .error(let message), _):
            text += say("${%:?%}", name, shown([UInt8](message.utf8)))
        }
    }
    return text
}

/// "a, b and c" where `last` is " and "; by default with commas only.
@inline(never)
func joined(_ names: [String], last: String = ", ") -> String {
    var text = ""
    for (index, name) in names.enumerated() {
        if index > 0 { text += index == names.count - 1 ? last : ", " }
        text += name
    }
    return text
}

/// "1 file", "2 files".
@inline(never)
func count(_ number: Int, _ noun: String) -> String {
    say("% %%", String(number), noun, number == 1 ? "" : "s")
}

/// A text with spaces behind it up to a width in bytes; longer ones as they are.
@inline(never)
func padded(_ text: String, to width: Int) -> String {
    var bytes = [UInt8](text.utf8)
    while bytes.count < width { bytes.append(0x20) }
    return String(decoding: bytes, as: UTF8.self)
}
