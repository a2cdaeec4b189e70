import ConfigParser
import System

/// Checks of meaning that need the files alone: conditions that contradict each other, settings that change nothing, a stop that
/// cannot end in time, secrets, and words of a shell. Each is told only where it is certain.

extension MeaningCheck {
    // MARK: - [when]

    /// Conditions of which one rules out the other. That a terminal or root is there cannot be known. Each is compared with
    /// each, so only the first ones are.
    func checkConditions(_ conditions: [Condition], of service: Service, _ table: Table, _ key: String) {
        let count = min(conditions.count, 100)
        for place in 0..<count {
            for other in 0..<place where ruleOut(conditions[other], conditions[place]) {
                guard let when = table.inner(key) else { return }
                let pattern = key == "when" ? "[%] can never hold, so % is never started" : "[%] can never hold"
                tell(
                    .warning, "never-holds", say(pattern, key, service.name),
                    at: span(of: conditions[place], when),
                    context: [.init(span(of: conditions[other], when), "rules it out")],
                    help: "take one of the two out")
                return
            }
        }
    }

    /// Whether two conditions cannot both hold.
    private func ruleOut(_ one: Condition, _ other: Condition) -> Bool {
        switch (one, other) {
        case (.environmentTrue(let name), .environmentUnset(let rival)),
            (.environmentSet(let name), .environmentUnset(let rival)):
            return name == rival
        case (.environmentSet(let name), .environmentEquals(let rival, let value)): return name == rival && value == ""
        case (.environmentTrue(let name), .environmentEquals(let rival, let value)):
            return name == rival && !isTrue(value.bytes)
        case (.environmentUnset(let name), .environmentEquals(let rival, let value)):
            return name == rival && value != ""
        case (.pathExists(let path), .pathMissing(let rival)):
            guard let path = path.literal, let rival = rival.literal else { return false }
            // What lies below a path that is missing is missing, too.
            return path == rival || (path.starts(with: rival) && path[rival.count] == 0x2F)
        default: return false
        }
    }

    /// Where a condition stands.
    private func span(of condition: Condition, _ when: Table) -> Span {
        switch condition {
        case .environmentTrue(let name): return span(of: name, in: when.entry("env")) ?? when.span
        case .environmentSet(let name): return span(of: name, in: when.entry("env-set")) ?? when.span
        case .environmentUnset(let name): return span(of: name, in: when.entry("env-unset")) ?? when.span
        case .environmentEquals(let name, _):
            return when.inner("env-equals")?.entry(name)?.keySpan ?? when.span
        case .pathExists(let path), .pathMissing(let path): return path.span
        case .tty, .root, .main, .mainNot: return when.span
        }
    }

    private func span(of text: String, in entry: Table.Entry?) -> Span? {
        guard let entry else { return nil }
        var found: Span?
        _ = entry.value.mappingStrings { (other, span) in
            if found == nil && other == text { found = span }
            return other
        }
        return found
    }

    // MARK: - Settings without effect

    func checkEffects(of service: Service, _ table: Table) {
        if let restart = table.inner("restart") {
            if service.restart.policy == .never {
                checkUnused(
                    ["delay", "factor", "max-delay", "jitter", "reset-after", "limit", "within", "never-after"],
                    restart,
                    "it is never restarted", help: "take it out, or set policy = \"on-failure\"")
            } else if service.restart.limit == nil {
                checkUnused(["within"], restart, "there is no `limit`", help: "add `limit`, or take it out")
            }
        }
        if service.stop.signal == .kill, service.stop.command == nil, let stop = table.inner("stop") {
            checkUnused(["timeout"], stop, "SIGKILL ends a process at once", help: "take it out, or use another signal")
        }
        if service.type == .main {
            if case .command = service.action { return }
            checkUnused(["route"], table, "there is no `command`", help: "take it out, or add `command`")
        }
    }

    /// One word for all of these keys that are set.
    private func checkUnused(_ keys: [String], _ table: Table, _ why: String, help: String) {
        var labels = [Diagnostic.Label]()
        var first = ""
        for key in keys {
            guard let entry = table.entry(key) else { continue }
            if labels.isEmpty { first = key }
            labels.append(.init(entry.keySpan))
        }
        guard let label = labels.first else { return }
        labels.removeFirst()
        for place in labels.indices { labels[place].text = "nor has this" }
        tell(
            .warning, "no-effect", say("`%` has no effect: %", first, why), at: label.span, context: labels, help: help)
    }

    // MARK: - The stop

    /// Those `timeout`s that are written, added up along the longest chain of services that are stopped one after the other.
    /// One that is not written counts as nothing: its default is there to be cut short.
    func checkStopTimes() {
        guard let graph, services.count == stopTimeouts.count else { return }
        var written = [Span?](repeating: nil, count: services.count)
        var longest = [Int64](repeating: 0, count: services.count)
        var next = [Int](repeating: -1, count: services.count)
        var last = -1
        var mainTime: Int64 = 0
        for wave in graph.waves {
            for id in wave {
                let index = id.index
                let service = services[index]
                for edge in graph.edges[index] where longest[edge.service.index] > longest[index] {
                    longest[index] = longest[edge.service.index]
                    next[index] = edge.service.index
                }
                // A oneshot is done by then.
                guard service.type == .longrun || service.type == .main, let span = stopTimeouts[index] else {
                    continue
                }
                written[index] = span
                if id == graph.main {
                    // It is stopped before all others.
                    mainTime = service.stop.timeout.nanoseconds
                } else {
                    longest[index] &+= service.stop.timeout.nanoseconds
                    if last < 0 || longest[index] > longest[last] { last = index }
                }
            }
        }
        let ceiling = settings.shutdownTimeout
        let time = Interval(nanoseconds: mainTime &+ (last < 0 ? 0 : longest[last]))
        guard time > ceiling else { return }
        var labels = [Diagnostic.Label]()
        if let main = graph.main?.index, let span = written[main] { labels.append(.init(span)) }
        while last >= 0 && labels.count < 8 {
            if let span = written[last], graph.main?.index != last { labels.append(.init(span)) }
            last = next[last]
        }
        guard let first = labels.first else { return }
        labels.removeFirst()
        for place in labels.indices { labels[place].text = "after that, this one" }
        tell(
            .warning, "stop-too-long",
            say("stopping can take %, but `shutdown-timeout` allows %", time.forPeople, ceiling.forPeople),
            at: first.span, context: labels,
            notes: ["what still runs at `shutdown-timeout` is killed"],
            help: "lower the timeout, or raise `shutdown-timeout` in init.toml (and docker stop -t with it)")
    }

    // MARK: - Secrets

    func checkSecrets(_ changes: [EnvironmentChange]) {
        for change in changes {
            guard let template = change.value, let value = template.literal, looksSecret(change.name, value) else {
                continue
            }
            secrets.append(template.span)
            warn(
                "secret-in-clear", say("% looks like a secret, and stands here in clear", change.name), at: change.span,
                note: "whoever can read the image or its repository can read it",
                help: say(
                    "%or put it into a file that `environment-files` names",
                    say(
                        "pass it when the container is started (docker run -e %), ", change.name)))
        }
    }

    // MARK: - Words of a shell

    /// What only a shell understands, as a word of its own. `find` has a use for `;`, and an `expr` for most of them.
    func checkShellWords(_ words: [Template]) {
        for word in words.dropFirst() {
            // `$(` begins a word of any length; of the others nothing follows.
            guard case .literal(let bytes)? = word.parts.first, isOfShell(bytes),
                word.parts.count == 1 || bytes[0] == 0x24, let first = words[0].literal
            else { continue }
            let program = String(decoding: fields(first, 0x2F).last ?? [], as: UTF8.self)
            if has(["find", "expr", "test", "["], program) { return }
            warn(
                "shell-word",
                say("% is a word for a shell, and no shell reads `command`", String(decoding: bytes, as: UTF8.self)),
                at: word.span, note: say("% gets it as an argument", program),
                help: "write script = \"…\" in place of `command`, with the line as a shell would be given it")
            return
        }
    }
}

private let secretWords = [
    "PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "KEY", "APIKEY", "CREDENTIALS", "PGPASSWORD",
]

/// Whether a variable holds a secret: by its name, and by a value that can be one: no switch, no number and no path.
func looksSecret(_ name: String, _ value: [UInt8]) -> Bool {
    guard value.count > 1, value.first != 0x2F, !isTrue(value) else { return false }
    let text = String(decoding: value, as: UTF8.self)
    if has(["no", "off", "false", "none"], text) { return false }
    var isNumber = true
    for byte in value where byte < 0x30 || byte > 0x39 { isNumber = false }
    if isNumber && value.count < 6 { return false }
    var found = false
    for word in fields(name.bytes, 0x5F) {
        var upper = [UInt8]()
        for byte in word { upper.append(byte >= 0x61 && byte <= 0x7A ? byte &- 0x20 : byte) }
        let part = String(decoding: upper, as: UTF8.self)
        if has(["FILE", "PATH", "DIR", "PUBLIC", "NAME", "URL"], part) { return false }
        if has(secretWords, part) { found = true }
    }
    return found
}

/// Operators of a shell, and the beginning of a command substitution. Nearly no word has a first byte as they have.
private func isOfShell(_ word: [UInt8]) -> Bool {
    switch word.first {
    case 0x24: return word.count > 1 && word[1] == 0x28
    case 0x26, 0x32, 0x3B, 0x3C, 0x3E, 0x7C:
        return word.count < 5
            && has(
                ["&&", "||", "|", ">", ">>", "<", "<<", ";", "&", "2>&1", ">&2", "2>", "&>", "|&"],
                String(decoding: word, as: UTF8.self))
    default: return false
    }
}

/// What stands between separators, without what is empty.
@inline(never)
func fields(_ bytes: [UInt8], _ separator: UInt8) -> [[UInt8]] {
    var fields = [[UInt8]]()
    var field = [UInt8]()
    for byte in bytes + [separator] {
        if byte != separator {
            field.append(byte)
        } else if !field.isEmpty {
            fields.append(field)
            field = []
        }
    }
    return fields
}
