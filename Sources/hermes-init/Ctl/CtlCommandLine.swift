import ConfigParser

/// The command line of `hermes-init ctl`, read once, as a value: a pure function of the words. Options may stand anywhere; what
/// is asked of the init is made from the value as one line.

/// What `ctl` was asked for.
struct CtlRequest: Sendable {
    var verb: CtlVerb
    /// Names of services.
    var names: [String] = []
    /// The signal of `signal`, the code of `shutdown`.
    var word = ""
    /// The options that were given.
    var options: CtlOptions = []
    var color = ColorChoice.automatic
    /// `--timeout` and `--since` in milliseconds.
    var timeout: Int?
    var since: Int?
    /// `-n`.
    var count: Int?
    /// The file of `--svg`.
    var picture: [UInt8] = []

    init(_ verb: CtlVerb) { self.verb = verb }

    var isJSON: Bool { options.contains(.json) }

    /// Whether its answer can come late, or never.
    var waits: Bool {
        switch verb {
        case .start, .stop, .restart, .wait, .remove, .reload: !options.contains(.noWait)
        case .logs: options.contains(.follow)
        case .events: true
        default: false
        }
    }

    /// What the init is asked, without the line end.
    var line: [UInt8] {
        var words = [verb == .tree ? "graph" : verb.name]
        if options.contains(.noWait) { words.append("--no-wait") }
        if options.contains(.group) { words.append("--group") }
        if options.contains(.follow) { words.append("-f") }
        if options.contains(.plain) { words.append("--plain") }
        if let count { words += ["-n", String(count)] }
        if let since { words.append(say("--since=%", String((since &+ 999) / 1000))) }
        if let timeout { words.append(say("--timeout=%ms", String(timeout))) }
        if verb == .wait { words.append(options.contains(.down) ? "--down" : "--up") }
        var others = word.isEmpty ? [] : [word]
        if verb != .tree { others += names }
        return CtlRequest.line(words, others)
    }

    /// Words as the init reads them.
    /// - Parameter names: words that are no options, whatever they look like.
    static func line(_ words: [String], _ names: [String] = []) -> [UInt8] {
        var line = [UInt8]()
        for (place, word) in (words + names).enumerated() {
            if !line.isEmpty { line.append(0x20) }
            // What stands in quotes is no option.
            var isPlain = !word.isEmpty && !(place >= words.count && word.bytes.first == 0x2D)
            for byte in word.bytes where byte <= 0x20 || byte == 0x22 || byte == 0x5C { isPlain = false }
            if isPlain {
                line += word.bytes
                continue
            }
            line.append(0x22)
            for byte in word.bytes {
                if byte == 0x22 || byte == 0x5C { line.append(0x5C) }
                // A line end would end the request.
                line.append(byte < 0x20 ? 0x20 : byte)
            }
            line.append(0x22)
        }
        return line
    }
}

/// What the words behind `ctl` come to.
enum CtlInvocation {
    indirect case request(CtlRequest)
    case help(HelpTopic)

    static func read(_ words: ArraySlice<[UInt8]>) throws(UsageError) -> CtlInvocation {
        var reader = CtlReader(rest: words)
        return try reader.read()
    }
}

private struct CtlReader {
    var rest: ArraySlice<[UInt8]>
    var verb: CtlVerb?
    var words = [String]()
    var given = [CtlOptions.Info]()
    var request = CtlRequest(.status)

    init(rest: ArraySlice<[UInt8]>) { self.rest = rest }

    var topic: HelpTopic { verb.map { .verb($0) } ?? .ctl }

    mutating func read() throws(UsageError) -> CtlInvocation {
        var areOptions = true
        while let word = rest.popFirst() {
            if areOptions && isWord(word, "--") {
                areOptions = false
            } else if areOptions && isWord(word, "--wait") && verb?.info.options.contains(.noWait) != false {
                // What holds anyway.
                request.options.remove(.noWait)
            } else if areOptions && word.count > 1 && word[0] == 0x2D {
                try readOption(word)
            } else if verb == nil {
                try readVerb(word)
            } else {
                words.append(String(decoding: word, as: UTF8.self))
            }
        }
        guard let verb else {
            if request.options.contains(.help) || given.isEmpty { return .help(.ctl) }
            throw UsageError(title: "ctl needs a verb", remedy: "such as: hermes-init ctl status", topic: .ctl)
        }
        if request.options.contains(.help) { return .help(.verb(verb)) }
        request.verb = verb
        for info in given where !verb.info.options.union(.common).contains(info.option) {
            throw UsageError(
                title: say("ctl % has no option %", verb.name, info.name), remedy: options(of: verb), topic: topic)
        }
        try readWords(of: verb)
        return .request(request)
    }

    private mutating func readVerb(_ word: [UInt8]) throws(UsageError) {
        if isWord(word, "help") {
            request.options.insert(.help)
            return
        }
        verb = CtlVerb.named(word)
        if verb != nil { return }
        var names = [String]()
        for verb in CtlVerb.allCases { names.append(verb.name) }
        var remedy = say("the verbs are %", joined(names))
        if let near = nearest(to: String(decoding: word, as: UTF8.self), among: names) {
            remedy = say("did you mean: hermes-init ctl %", near)
        }
        throw UsageError(title: say("ctl has no verb %", quoted([word])), remedy: remedy, topic: .ctl)
    }

    private mutating func readOption(_ word: [UInt8]) throws(UsageError) {
        let isLong = word[1] == 0x2D
        let end = isLong ? word.firstIndex(of: 0x3D) ?? word.count : 2
        let name = String(decoding: word[..<end], as: UTF8.self)
        var found: CtlOptions.Info?
        for info in CtlOptions.table where name == (isLong ? info.name : info.letter) { found = info }
        guard let info = found else {
            var names = [String]()
            for info in CtlOptions.table { names.append(info.name) }
            var remedy = verb.map { options(of: $0) } ?? "\"hermes-init ctl --help\" lists the verbs"
            if let near = nearest(to: name, among: names) { remedy = say("did you mean: %", near) }
            throw UsageError(title: say("ctl has no option %", quoted([word])), remedy: remedy, topic: topic)
        }
        given.append(info)
        request.options.insert(info.option)
        if info.value.isEmpty {
            if end == word.count { return }
            if !isLong {
                // -fn 5: the rest of the letters.
                rest.insert([0x2D] + [UInt8](word[2...]), at: rest.startIndex)
                return
            }
            throw UsageError(title: say("% takes no value", name), remedy: "leave it out", topic: topic)
        }
        var value = end < word.count ? [UInt8](word[(isLong ? end &+ 1 : 2)...]) : []
        if end == word.count { value = rest.popFirst() ?? [] }
        try readValue(info, String(decoding: value, as: UTF8.self), value)
    }

    private mutating func readValue(
        _ info: CtlOptions.Info, _ text: String, _ bytes: [UInt8]
    ) throws(UsageError) {
        switch info.option {
        case .timeout: request.timeout = milliseconds(ofDuration: text)
        case .since: request.since = milliseconds(ofDuration: text)
        case .count: request.count = number(bytes, to: 1_000_000)
        case .svg: request.picture = bytes
        default:
            for place in ColorChoice.words.indices where text == ColorChoice.words[place] {
                request.color = ColorChoice(rawValue: place) ?? .automatic
                return
            }
        }
        let isGood: Bool
        switch info.option {
        case .timeout: isGood = request.timeout != nil
        case .since: isGood = request.since != nil
        case .count: isGood = request.count != nil
        case .svg: isGood = !bytes.isEmpty
        default: isGood = false
        }
        if isGood { return }
        let title = bytes.isEmpty ? say("% needs a value", info.name) : say("% cannot be %", info.name, quoted([bytes]))
        throw UsageError(title: title, remedy: say("% %: %", info.name, info.value, info.summary), topic: topic)
    }

    private func number(_ bytes: [UInt8], to limit: Int) -> Int? {
        var value = 0
        for byte in bytes {
            guard byte >= 0x30 && byte <= 0x39 else { return nil }
            value = value &* 10 &+ Int(byte &- 0x30)
            if value > limit { return nil }
        }
        return bytes.isEmpty ? nil : value
    }

    private func options(of verb: CtlVerb) -> String {
        var names = [String]()
        for info in CtlOptions.table where verb.info.options.union(.common).contains(info.option) {
            names.append(info.name)
        }
        return say("it has %", joined(names))
    }

    private mutating func readWords(of verb: CtlVerb) throws(UsageError) {
        var title = ""
        switch verb.info.words {
        case .none: if let first = words.first { title = say("takes no words: cannot use %", quoted([first.bytes])) }
        case .anyNames: break
        case .names: if words.isEmpty { title = "needs the name of a service" }
        case .oneName: if words.count != 1 { title = "takes the name of one service" }
        case .signalAndNames:
            if words.count < 2 { title = "takes a signal, and the names of services" }
            if !words.isEmpty { request.word = words.removeFirst() }
        case .code:
            if let first = words.first {
                if words.count > 1 || number(first.bytes, to: 255) == nil { title = "takes a number from 0 to 255" }
                request.word = first
                words = []
            }
        }
        if title.isEmpty && request.options.isSuperset(of: [.up, .down]) { title = "takes --up or --down, not both" }
        if title.isEmpty && request.options.isSuperset(of: [.json, .watch]) {
            title = "takes --watch or --json, not both"
        }
        request.names = words
        if title.isEmpty && request.line.count >= 4096 { title = "takes no more than 4,095 bytes of names at once" }
        if title.isEmpty { return }
        throw UsageError(
            title: say("ctl % %", verb.name, title),
            remedy: say("write: hermes-init ctl %%", verb.name, verb.shownWords), topic: topic)
    }
}
