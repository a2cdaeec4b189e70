/// The readers of `[restart]` and `[stop]`, of exit codes and of signals.

/// What a `[restart]` table sets; nil where it leaves a default.
struct RestartChanges {
    var policy: RestartPolicy.Policy?
    var delay: Interval?
    var factor: Double?
    var maxDelay: Interval?
    var jitter: Double?
    var resetAfter: Interval?
    var limit: Int?
    var within: Interval?
    var successCodes: [ExitCondition]?
    var neverAfter: [ExitCondition]?

    /// Lays them over a policy. A delay without a max-delay of its own is not cut by the default for max-delay, and the
    /// other way round: what was written holds.
    func apply(to policy: inout RestartPolicy) {
        if let value = self.policy { policy.policy = value }
        if let value = delay { policy.delay = value }
        if let value = factor { policy.factor = value }
        if let value = maxDelay { policy.maxDelay = value }
        if let value = jitter { policy.jitter = value }
        if let value = resetAfter { policy.resetAfter = value }
        if let value = limit { policy.limit = value }
        if let value = within { policy.within = value }
        if let value = successCodes { policy.successCodes = value }
        if let value = neverAfter { policy.neverAfter = value }
        if policy.delay > policy.maxDelay {
            if maxDelay == nil { policy.maxDelay = policy.delay } else { policy.delay = policy.maxDelay }
        }
    }
}

extension OpenTable {
    /// The keys of a `[restart]` table.
    func restartChanges() -> RestartChanges {
        var changes = RestartChanges()
        switch choice("policy") ?? "" {
        case "always": changes.policy = .always
        case "on-failure": changes.policy = .onFailure
        case "never": changes.policy = .never
        default: break
        }
        changes.delay = duration("delay")
        changes.factor = number("factor", "1 or more")
        changes.maxDelay = duration("max-delay")
        changes.jitter = number("jitter", "from 0 to 1")
        changes.resetAfter = duration("reset-after")
        var help = "write a number such as 5"
        if case .integer(0)? = value("limit")?.kind { help = "to start it only once, write policy = \"never\"" }
        changes.limit = integer("limit", help: help)
        changes.within = duration("within")
        changes.successCodes = exitConditions("success-codes")
        changes.neverAfter = exitConditions("never-after")
        if let delay = changes.delay, let longest = changes.maxDelay, delay > longest {
            reading.contradiction(
                "`delay` is longer than `max-delay`", at: valueSpan("delay"), beside: valueSpan("max-delay"),
                "the longest wait", help: "raise `max-delay`, or lower `delay`")
        }
        return changes
    }

    /// The keys of a `[stop]` table.
    func stopPolicy() -> StopPolicy {
        var policy = StopPolicy()
        if let signal = signal("signal") {
            policy.signal = signal
            policy.signalIsExplicit = true
        }
        if let timeout = duration("timeout") { policy.timeout = timeout }
        policy.command = command("command")
        return policy
    }

    /// A program and its arguments: at least one word, the first not empty.
    func command(_ key: String) -> [Template]? {
        guard let value = value(key), case .array(let values) = value.kind else { return nil }
        guard let first = values.first else {
            reading.error(
                "bad-value", say("`%` names no program", key), at: value.span, "an empty list",
                help: "write the program and its arguments, such as [\"sleep\", \"60\"]")
            return nil
        }
        if case .string(let program) = first.kind, program.isEmpty {
            reading.bad(
                at: first.span, "the first word of `%` cannot be empty: it is the program", key,
                help: "write a program on PATH, or the path of one")
        }
        guard let words = strings(key) else { return nil }
        var templates = [Template]()
        templates.reserveCapacity(words.count)
        for (text, span) in words { templates.append(reading.template(text, span)) }
        return templates
    }

    private func number(_ key: String, _ range: String) -> Double? {
        guard let value = value(key), case .number(let low, let high)? = kind.valueKind(of: key) else { return nil }
        let number: Double
        switch value.kind {
        case .integer(let integer): number = Double(integer)
        case .float(let float): number = float
        default: return nil
        }
        // A NaN fails both comparisons.
        if number >= Double(low) && number <= Double(high) { return number }
        reading.bad(at: value.span, "`%` must be %", key, range, help: say("write a number %", range))
        return nil
    }

    /// A signal that a process can be told something with.
    func signal(_ key: String) -> SignalNumber? {
        guard let value = value(key) else { return nil }
        var signal: SignalNumber?
        switch value.kind {
        case .string(let text):
            signal = reading.signal(text, value.span, also: [])
        case .integer(let number):
            signal = Int32(exactly: number).flatMap { SignalNumber($0) }
            if signal == nil {
                reading.bad(
                    at: value.span, "there is no signal %", String(number),
                    help: "write a signal such as \"SIGTERM\", or its number, 1 to 64")
            }
        default: return nil
        }
        guard let signal else { return nil }
        if signal == .stop || signal == .continue {
            let effect = signal == .stop ? "suspends a process instead of ending it" : "only wakes a suspended process"
            reading.bad(
                at: value.span, "`%` cannot be %: it %", key, signal.name, effect,
                help: "write \"SIGTERM\", or the signal on which the program stops in order")
            return nil
        }
        return signal
    }

    private func exitConditions(_ key: String) -> [ExitCondition]? {
        guard case .array(let values)? = value(key)?.kind else { return nil }
        var conditions = [ExitCondition]()
        conditions.reserveCapacity(values.count)
        for value in values {
            switch value.kind {
            case .integer(let code):
                if code >= 0 && code <= 255 {
                    conditions.append(.code(Int32(truncatingIfNeeded: code)))
                } else {
                    reading.bad(
                        at: value.span, "there is no exit code %", String(code),
                        help: "write a number from 0 to 255, or a signal such as \"SIGTERM\"")
                }
            case .string(let text):
                if let first = text.utf8.first, first >= 0x30 && first <= 0x39 {
                    reading.bad(
                        at: value.span, "cannot tell whether % is an exit code or a signal", shown(text),
                        help: "write an exit code without quotes, and a signal by its name, such as \"SIGTERM\"")
                } else if let signal = reading.signal(text, value.span, also: []) {
                    conditions.append(.signal(signal))
                }
            default: reportElement(key, value, "an exit code or the name of a signal")
            }
        }
        return conditions
    }
}

extension Reading {
    /// A signal by its name; an error with a suggestion where there is none, in which `also` are further good words.
    func signal(_ text: String, _ span: Span, also words: [String]) -> SignalNumber? {
        if let signal = SignalNumber(name: text) { return signal }
        var help = "write a signal such as \"SIGTERM\""
        if !words.isEmpty { help = say("write %, or a signal such as \"SIGTERM\"", quotedChoice(words)) }
        if let near = nearest(to: text, among: words) ?? nearestSignal(text) { help = say("did you mean \"%\"?", near) }
        bad(at: span, "there is no signal %", shown(text), help: help)
        return nil
    }

    private func nearestSignal(_ text: String) -> String? {
        guard text.utf8.count <= 16 else { return nil }
        var word = [UInt8]()
        for byte in text.bytes { word.append(byte >= 0x61 && byte <= 0x7A ? byte &- 0x20 : byte) }
        if !same(word.prefix(3), "SIG") { word = [UInt8]("SIG") + word }
        var names = [String]()
        for number in Int32(1)...31 {
            if let signal = SignalNumber(number) { names.append(signal.name) }
        }
        return nearest(to: String(decoding: word, as: UTF8.self), among: names)
    }
}
