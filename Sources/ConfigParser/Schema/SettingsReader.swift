/// The readers of init.toml and of the tables whose keys the user chooses: environments and signals.

/// What init.toml says of every service.
struct ServiceDefaults {
    var restart = RestartChanges()
    var log = LogPolicy()
}

extension Reading {
    /// init.toml, and the defaults that it sets for every service.
    func settings(_ table: Table) -> (settings: Settings, defaults: ServiceDefaults) {
        let file = OpenTable(table, .settings, self)
        var settings = Settings()
        if let timeout = file.duration("shutdown-timeout") { settings.shutdownTimeout = timeout }
        settings.environment = environment(file.entries("environment"))
        settings.signals = signals(file.entries("signals"))
        switch file.choice("log-level") ?? "" {
        case "error": settings.logLevel = .error
        case "warning": settings.logLevel = .warning
        case "debug": settings.logLevel = .debug
        default: break
        }
        var defaults = ServiceDefaults()
        if let restart = file.open("restart") { defaults.restart = restart.restartChanges() }
        if let log = file.open("log") { log.readLog(&defaults.log) }
        reportSharedFile(defaults.log)
        if let control = file.open("control") { settings.control = control.control() }
        if let folder = file.text("state-directory") {
            if folder.utf8.first == 0x2F {
                settings.stateDirectory = folder
            } else {
                bad(
                    at: file.valueSpan("state-directory"), "`%` must be an absolute path", "state-directory",
                    help: "begin it with /, such as \"/var/lib/hermes-init\"")
            }
        }
        return (settings, defaults)
    }

    /// An `[environment]` table.
    func environment(_ entries: [Table.Entry]) -> [EnvironmentChange] {
        var changes = [EnvironmentChange]()
        changes.reserveCapacity(entries.count)
        for entry in entries {
            guard isVariable(entry.key, entry.keySpan) else { continue }
            let span = entry.value.span
            let value: Template?
            switch entry.value.kind {
            case .string(let text): value = template(text, span)
            case .integer(let number): value = Template(literal: String(number), span: span)
            case .boolean(let isSet): value = isSet ? Template(literal: "true", span: span) : nil
            default:
                var help = "write its text in quotes"
                if case .table = entry.value.kind { help = "put a name that holds a dot in quotes" }
                if case .float = entry.value.kind {
                    help = "put the number in quotes, so that its digits stay as they are"
                }
                error(
                    "wrong-type",
                    say(
                        "the variable % takes a string, an integer, true or false, not %", shown(entry.key),
                        entry.value.kind.phrase), at: span, help: help)
                continue
            }
            changes.append(EnvironmentChange(name: entry.key, value: value, span: entry.keySpan))
        }
        return changes
    }

    /// The `[signals]` table: each signal once, however it is spelt.
    private func signals(_ entries: [Table.Entry]) -> [(signal: SignalNumber, action: SignalAction)] {
        var rules = [(signal: SignalNumber, action: SignalAction)]()
        var places = [Span?](repeating: nil, count: 65)
        for entry in entries {
            guard let signal = signal(entry.key, entry.keySpan, also: []) else { continue }
            let index = Int(signal.number)
            if let first = places[index] {
                error(
                    "duplicate-name", say("% stands twice in [signals]", signal.name), at: entry.keySpan,
                    context: [.init(first, "first named here")], help: "take one of them out")
                continue
            }
            places[index] = entry.keySpan
            if let reason = fixedReason(signal) {
                bad(
                    at: entry.keySpan, "[signals] cannot set what is done with %: %", signal.name, reason,
                    help: "take it out")
                continue
            }
            if let action = action(entry.value) { rules.append((signal, action)) }
        }
        return rules
    }

    /// Why a signal cannot be forwarded, rewritten or ignored.
    private func fixedReason(_ signal: SignalNumber) -> String? {
        switch signal {
        case .kill: return "it ends a process at once, without the process hearing of it"
        case .stop: return "it suspends a process without the process hearing of it"
        case .child: return "the init itself needs it, to learn which processes ended"
        default: return nil
        }
    }

    private func action(_ value: Value) -> SignalAction? {
        let words = SignalAction.words
        guard case .string(let text) = value.kind else {
            error(
                "wrong-type", say("an action for a signal is a string, not %", value.kind.phrase), at: value.span,
                help: say("write %, or the name of another signal", quotedChoice(words)))
            return nil
        }
        switch text {
        case "forward": return .forward
        case "forward-group": return .forwardGroup
        case "stop": return .stop
        case "reload": return .reload
        case "ignore": return .ignore
        default:
            if let other = SignalNumber(name: text) { return .rewrite(other) }
            var help = say("write %, or a signal such as \"SIGTERM\"", quotedChoice(words))
            if let near = nearest(to: text, among: words) { help = say("did you mean \"%\"?", near) }
            bad(at: value.span, "there is no action or signal %", shown(text), help: help)
            return nil
        }
    }
}
