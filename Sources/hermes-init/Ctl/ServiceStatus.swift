import ConfigParser

/// One service as the init tells of it, and its words for people: a line of JSON in which anything may be missing.
struct ServiceStatus {
    private let line: JSONValue
    let name: String
    /// One word, as programs know it.
    let state: String

    init(_ line: JSONValue) {
        self.line = line
        name = line.text("name") ?? "?"
        state = line.text("state") ?? "?"
    }

    @inline(never)
    private func text(_ key: Literal) -> String { line.text(key) ?? "" }

    var type: String { text("type") }
    /// What it is doing, in the init's words.
    var words: String { line.text("words") ?? state }
    var description: String { text("description") }
    var problem: String { text("problem") }
    var pid: Int? { line.integer("pid") }
    var memory: Int? { line.integer("memory") }
    var restarts: Int { line.integer("restarts") ?? 0 }
    /// Milliseconds in this state; nil where it was not started yet.
    var age: Int? { state == "idle" ? nil : line.thousandths("for") }
    var isReady: Bool { line.isTrue("ready") }
    var isWell: Bool { line.isTrue("well") }
    var isOptional: Bool { line.isTrue("optional") }
    var lastExit: String { line["last-exit"].map { ServiceStatus.words(ofExit: $0) } ?? "" }

    /// Why it had been told to end, where it was too slow or unhealthy; else empty.
    var lastExitBecause: String { line["last-exit"]?.text("because") ?? "" }

    /// "exit 78: configuration", "killed by SIGKILL".
    private static func words(ofExit exit: JSONValue) -> String {
        if let signal = exit.text("signal") {
            return say("killed by %%", signal, exit.isTrue("core") ? " (core dumped)" : "")
        }
        guard let code = exit.integer("code") else { return "" }
        var meaning = ""
        // Of sysexits.h, and of shells.
        switch code {
        case 64: meaning = ": usage"
        case 69: meaning = ": unavailable"
        case 70: meaning = ": internal error"
        case 74: meaning = ": input or output"
        case 75: meaning = ": temporary failure"
        case 77: meaning = ": no permission"
        case 78: meaning = ": configuration"
        case 126: meaning = ": cannot be executed"
        case 127: meaning = ": not found"
        case 129...192: meaning = say(": as if killed by signal %", String(code &- 128))
        default: break
        }
        return say("exit %%", String(code), meaning)
    }

    /// What the table shows of the state.
    var shownState: String {
        if !problem.isEmpty && isUp { return "unhealthy" }
        return ServiceStatus.shown(state)
    }

    /// The word of a state, for people.
    static func shown(_ state: String) -> String {
        switch state {
        case "idle": "not started"
        case "backing-off": "restarting"
        case "running": "not ready"
        default: state
        }
    }

    var isUp: Bool { state == "up" }

    /// By its state and whether it is well; a word that is not known is plain.
    var ink: Ink { ServiceStatus.ink(ofState: state, isWell: isWell && problem.isEmpty) }

    static func ink(ofState state: String, isWell: Bool) -> Ink {
        switch state {
        case "up", "done": isWell ? .good : .bad
        case "failed": .bad
        case "idle", "stopped", "skipped", "not-started": .dim
        case "waiting", "checking", "starting", "running", "backing-off", "stopping": .busy
        // It was to run, and has ended.
        case "ended": isWell ? .good : .bad
        default: .plain
        }
    }

    /// A dot in front of the name, on a terminal that has colours.
    var dot: String { state == "idle" || state == "stopped" || state == "skipped" ? "○" : "●" }

    /// Why it is as it is, in one line; empty where its state says it all.
    var reason: String {
        var text = words == state || words == shownState ? "" : words
        if !problem.isEmpty && !contains(text, problem) { text += (text.isEmpty ? "" : ": ") + problem }
        if let because = line.text("skipped-because") { text = say("skipped: %", because) }
        if let nextStart = line.thousandths("next-start") {
            text += contains(text, "again") ? "" : say("%starts again", text.isEmpty ? "" : ", ")
            text += say(" in %", seconds(nextStart))
        }
        return text
    }

    private func contains(_ text: String, _ part: String) -> Bool {
        let text = text.bytes
        let part = part.bytes
        guard part.count <= text.count else { return false }
        for start in 0...(text.count &- part.count) where text[start...].starts(with: part) { return true }
        return false
    }
}

/// The whole answer to `status`.
struct StatusAnswer {
    var services: [ServiceStatus] = []
    var isStopping = false
    /// Milliseconds.
    var uptime: Int?
    var boot: Int?
    var isBooted = true

    /// The last line, the one with `ok`.
    mutating func finish(_ line: JSONValue) {
        isStopping = line.isTrue("stopping")
        uptime = line.thousandths("uptime")
        guard let boot = line["boot"] else { return }
        isBooted = boot.isTrue("done")
        self.boot = boot.thousandths("seconds")
    }
}
