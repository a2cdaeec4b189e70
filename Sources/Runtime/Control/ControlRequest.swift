import ConfigParser

/// A request as it comes over the control socket: one line of words. From bytes to a request, or to what is wrong with
/// it; total, and linear in the length of the line. Nothing here knows of sockets, or of who asks.

/// What can be asked.
public enum ControlVerb: Int, Sendable, CaseIterable {
    case help, version, status, list, start, stop, restart, reload, signal, wait, logs, events, show, blame, graph
    case metrics, remove, shutdown
}

/// The options that a verb takes, as bits.
private struct Options {
    static let noWait = 1
    static let timeout = 2
    static let direction = 4
    static let follow = 8
    static let count = 16
    static let since = 32
    static let group = 64
    static let plain = 128
}

/// How a verb is used.
struct ControlUsage {
    var word: String
    /// What stands behind it, for people.
    var rest: String
    var options: Int
    /// How many words it takes at least and at most, behind itself.
    var least: Int
    var most: Int

    init(_ word: String, _ rest: String = "", _ options: Int = 0, _ least: Int = 0, _ most: Int = 0) {
        self.word = word
        self.rest = rest
        self.options = options
        self.least = least
        self.most = most
    }

    /// In the order of `ControlVerb`.
    static let all = [
        ControlUsage("help"),
        ControlUsage("version"),
        ControlUsage("status", "[NAME...]", 0, 0, .max),
        ControlUsage("list"),
        ControlUsage("start", "NAME... [--no-wait] [--timeout=30s]", Options.noWait | Options.timeout, 1, .max),
        ControlUsage("stop", "NAME... [--no-wait] [--timeout=30s]", Options.noWait | Options.timeout, 1, .max),
        ControlUsage("restart", "NAME... [--no-wait] [--timeout=30s]", Options.noWait | Options.timeout, 1, .max),
        ControlUsage("reload", "[NAME...] [--no-wait] [--timeout=30s]", Options.noWait | Options.timeout, 0, .max),
        ControlUsage("signal", "SIGNAL NAME... [--group]", Options.group, 2, .max),
        ControlUsage("wait", "--up|--down NAME... [--timeout=30s]", Options.direction | Options.timeout, 1, .max),
        ControlUsage(
            "logs", "[NAME...] [-n LINES] [-f] [--since=SECONDS]", Options.count | Options.follow | Options.since, 0,
            .max),
        ControlUsage("events"),
        ControlUsage("show", "NAME", 0, 1, 1),
        ControlUsage("blame"),
        ControlUsage("graph"),
        ControlUsage("metrics", "[--plain]", Options.plain),
        ControlUsage("remove", "NAME... [--no-wait] [--timeout=30s]", Options.noWait | Options.timeout, 1, .max),
        ControlUsage("shutdown", "[CODE]", 0, 0, 1),
    ]

    /// "start NAME... [--no-wait]".
    var line: String { rest.isEmpty ? word : say("% %", word, rest) }
}

/// One request.
public struct ControlRequest: Sendable {
    /// What is asked.
    public var verb: ControlVerb
    /// Of whom; without the signal or the code.
    public var names: [String] = []
    /// Of `signal`.
    public var signal: SignalNumber?
    /// Of `shutdown`.
    public var code: Int32?
    /// Whether the answer comes when the fact is reached (else, `--no-wait`, at once).
    public var waits = true
    /// `--timeout`.
    public var timeout: Interval?
    /// `--up`, or (false) `--down`; nil: neither.
    public var up: Bool?
    /// `-f`.
    public var follows = false
    /// `-n`.
    public var lines: Int?
    /// `--since`: how far back.
    public var since: Interval?
    /// `--group`.
    public var toGroup = false
    /// `--plain`: metrics in the older text form of Prometheus.
    public var isPlain = false

    /// The longest line, without its end.
    public static let longest = 4096

    /// Reads a line. nil: nothing stands in it.
    public static func parse(_ line: [UInt8]) throws(ControlError) -> ControlRequest? {
        var words = try words(of: line)
        guard let first = words.first else { return nil }
        words.removeFirst()
        guard let place = ControlUsage.all.firstIndex(where: { $0.word == first.text }), !first.isQuoted,
            let verb = ControlVerb(rawValue: place)
        else { throw unknown(first.text) }
        var request = ControlRequest(verb: verb)
        let usage = ControlUsage.all[place]
        try request.take(words, usage)
        try request.check(usage)
        return request
    }

    private static func unknown(_ word: String) -> ControlError {
        var names = [String]()
        for usage in ControlUsage.all { names.append(usage.word) }
        var hint = "\"help\" lists what can be asked"
        if let near = nearest(to: word, among: names) { hint = say("did you mean \"%\"?", near) }
        return ControlError(code: "unknown-verb", message: say("there is no verb %", shown(word)), hint: hint)
    }

    // MARK: - Words

    struct Word {
        var text: String
        /// It began with a quote: it is no option.
        var isQuoted = false
    }

    /// Takes a line apart at blanks. Within double quotes `\"` and `\\` stand for `"` and `\`.
    static func words(of line: [UInt8]) throws(ControlError) -> [Word] {
        if line.count > longest { throw tooLong }
        var words = [Word]()
        var word = [UInt8]()
        var isOpen = false
        var isInWord = false
        var startsQuoted = false
        var place = 0
        var end = line.count
        if end > 0, line[end &- 1] == 0x0D { end &-= 1 }
        while place < end {
            var byte = line[place]
            place &+= 1
            if byte == 0x22 {
                if !isInWord { startsQuoted = true }
                isInWord = true
                isOpen.toggle()
                continue
            }
            if !isOpen && (byte == 0x20 || byte == 0x09) {
                if isInWord { words.append(Word(text: String(decoding: word, as: UTF8.self), isQuoted: startsQuoted)) }
                (isInWord, startsQuoted, word) = (false, false, [])
                continue
            }
            if byte < 0x20 || byte == 0x7F {
                throw ControlError(code: "usage", message: "a control character stands in the request")
            }
            if isOpen && byte == 0x5C {
                guard place < end, line[place] == 0x22 || line[place] == 0x5C else {
                    throw ControlError(
                        code: "usage", message: "a \\ in double quotes stands before something else than \" or \\",
                        hint: "write \\\\ for a \\ itself")
                }
                byte = line[place]
                place &+= 1
            }
            isInWord = true
            word.append(byte)
        }
        if isOpen { throw ControlError(code: "usage", message: "a double quote is not closed") }
        if isInWord { words.append(Word(text: String(decoding: word, as: UTF8.self), isQuoted: startsQuoted)) }
        return words
    }

    static var tooLong: ControlError {
        ControlError(
            code: "usage", message: "the request is longer than 4096 bytes", hint: "ask for fewer services at once")
    }

    // MARK: - Options

    private mutating func take(_ words: [Word], _ usage: ControlUsage) throws(ControlError) {
        var place = 0
        while place < words.count {
            let word = words[place]
            place &+= 1
            let bytes = word.text.bytes
            guard !word.isQuoted, bytes.count > 1, bytes[0] == 0x2D else {
                try takePlain(word.text, usage)
                continue
            }
            var name = word.text
            var value: String?
            if let equals = bytes.firstIndex(of: 0x3D) {
                name = String(decoding: bytes[..<equals], as: UTF8.self)
                value = String(decoding: bytes[(equals &+ 1)...], as: UTF8.self)
            }
            let (bit, needsValue) = ControlRequest.option(name)
            if bit == 0 || usage.options & bit == 0 {
                throw wrong(say("% takes no option %", usage.word, shown(name)), usage)
            }
            if needsValue && value == nil && place < words.count {
                value = words[place].text
                place &+= 1
            }
            if needsValue != (value != nil) {
                throw wrong(say(needsValue ? "% needs a value" : "% takes no value", name), usage)
            }
            try set(bit, name, value ?? "", usage)
        }
    }

    private static func option(_ name: String) -> (Int, needsValue: Bool) {
        switch name {
        case "--no-wait", "--wait": return (Options.noWait, false)
        case "--timeout": return (Options.timeout, true)
        case "--up", "--down": return (Options.direction, false)
        case "-f", "--follow": return (Options.follow, false)
        case "-n", "--lines": return (Options.count, true)
        case "--since": return (Options.since, true)
        case "--group": return (Options.group, false)
        case "--plain": return (Options.plain, false)
        default: return (0, false)
        }
    }

    private mutating func set(_ bit: Int, _ name: String, _ value: String, _ usage: ControlUsage) throws(ControlError) {
        switch bit {
        case Options.noWait: waits = name == "--wait"
        case Options.direction:
            if up != nil { throw wrong("only one of --up and --down can be asked for", usage) }
            up = name == "--up"
        case Options.follow: follows = true
        case Options.group: toGroup = true
        case Options.plain: isPlain = true
        case Options.count:
            guard let number = ControlRequest.number(value, most: 1_000_000) else {
                throw wrong(say("% is no number of lines", shown(value)), usage)
            }
            lines = number
        default:
            guard let interval = Interval.read(value) else {
                throw wrong(say("% is no duration", shown(value)), usage, "write it as \"500ms\", \"30s\" or \"1m30s\"")
            }
            if bit == Options.timeout { timeout = interval } else { since = interval }
        }
    }

    private mutating func takePlain(_ text: String, _ usage: ControlUsage) throws(ControlError) {
        if verb == .signal && signal == nil {
            guard let number = SignalNumber(name: text) else {
                throw wrong(say("there is no signal %", shown(text)), usage, "write its name or number, such as SIGHUP")
            }
            signal = number
            return
        }
        if verb == .shutdown && code == nil {
            guard let number = ControlRequest.number(text, most: 255) else {
                throw wrong(say("there is no exit code %", shown(text)), usage, "write a number from 0 to 255")
            }
            code = Int32(truncatingIfNeeded: number)
            return
        }
        // Twice the same is once.
        if !has(names, text) { names.append(text) }
    }

    private func check(_ usage: ControlUsage) throws(ControlError) {
        let count = names.count &+ (signal == nil ? 0 : 1) &+ (code == nil ? 0 : 1)
        if count < usage.least { throw wrong(say("% needs the name of a service", usage.word), usage) }
        if count > usage.most { throw wrong(say("% is asked with too many words", usage.word), usage) }
        if verb == .wait && up == nil { throw wrong("wait needs --up or --down", usage) }
    }

    private func wrong(_ message: String, _ usage: ControlUsage, _ hint: String? = nil) -> ControlError {
        ControlError(code: "usage", message: message, hint: hint ?? say("write: %", usage.line))
    }

    /// Decimal digits.
    private static func number(_ text: String, most: Int) -> Int? {
        let bytes = text.bytes
        guard !bytes.isEmpty && bytes.count <= 9 else { return nil }
        var value = 0
        for byte in bytes {
            guard byte >= 0x30 && byte <= 0x39 else { return nil }
            value = value &* 10 &+ Int(byte &- 0x30)
        }
        return value <= most ? value : nil
    }
}
