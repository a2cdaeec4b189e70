/// The readers of `[ready]`, `[health]`, `[reload]` and `[log]`, and what makes no sense among them.

extension Reading {
    /// What tells how a service is watched, and where its output goes.
    func readSupervision(_ keys: OpenTable, _ service: inout ServiceFields, _ defaults: LogPolicy, _ isTypeSure: Bool) {
        service.startTimeout = keys.duration("start-timeout")
        let ready = keys.open("ready")
        service.ready = ready?.readyPolicy()
        let health = keys.open("health")
        service.health = health?.healthPolicy()
        service.reload = keys.open("reload")?.reloadPolicy()

        let log = keys.open("log")
        service.log = defaults
        if service.type == .main { service.log.to = .inherit }
        log?.readLog(&service.log)
        let inherits = service.log.to == .inherit
        if let log, isTypeSure { reportLog(log, inherits: inherits, hasFile: service.log.file != nil) }
        if inherits { service.log.file = nil }

        if let ready, case .log? = service.ready?.readiness, inherits, isTypeSure {
            reportUnseen(ready.keySpan("log"), log, "[ready] cannot have `log`: hermes-init does not see the output")
        }
        if let ready, case .descriptor(3)? = service.ready?.readiness,
            case .script(let text, let span) = service.action,
            same(text.bytes.prefix(2), "#!") || text.utf8.count > 100_000
        {
            contradiction(
                "`notify` cannot be 3: that descriptor holds the `script`", at: ready.valueSpan("notify"), beside: span,
                "its interpreter reads it from descriptor 3", help: "write notify = 4")
        }
        if let health, let span = health.keySpan("watchdog"), case .watchdog? = service.health?.check {
            if case .systemd? = service.ready?.readiness { return }
            if ready?.keySpan("notify") != nil && service.ready == nil { return }
            contradiction(
                "`watchdog` cannot stand without `notify` = \"systemd\" in [ready]: it comes by the same socket",
                at: span, beside: ready?.table.span, "says nothing of systemd's protocol",
                help: "add notify = \"systemd\" to [ready], or ask the service by `http`, `tcp`, `unix` or `command`")
        }
    }

    /// A oneshot is over when it is up: nothing is left that could be asked.
    func reportOneshot(_ keys: OpenTable, _ service: ServiceFields) {
        guard service.type == .oneshot else { return }
        for key in ["ready", "health", "reload"] {
            guard let span = keys.keySpan(key) else { continue }
            let type = keys.value("type")?.span
            contradiction(
                say("a oneshot cannot have `%`: it is up when it has ended", key), at: span,
                beside: type ?? keys.keySpan("plugin"), type == nil ? "a plugin is a oneshot" : "made a oneshot here",
                help: say("take `%` out; how long it may take is said by `start-timeout`", key))
        }
    }

    private func reportLog(_ log: OpenTable, inherits: Bool, hasFile: Bool) {
        if inherits, let span = log.keySpan("file") {
            reportUnseen(span, log, "[log] cannot have `file`: hermes-init does not see the output")
        }
        if hasFile || log.keySpan("file") != nil { return }
        for key in ["make-folder", "max-size", "keep", "timestamps"] {
            guard let span = log.keySpan(key) else { continue }
            contradiction(
                say("`%` cannot stand without a `file`", key), at: span,
                help: say("name the file: file = \"/var/log/web.log\", or take `%` out", key))
        }
    }

    /// Something needs the output of a service that has the container's own descriptors.
    private func reportUnseen(_ span: Span?, _ log: OpenTable?, _ title: String) {
        guard let span else { return }
        let to = log?.value("to")?.span
        contradiction(
            to == nil ? say("%, since the main program inherits the container's", title) : title, at: span, beside: to,
            "its output goes straight to the container's",
            help: "write to = \"prefix\" (or \"json\", \"null\") in [log], which is then no terminal for the program")
    }
}

extension Reading {
    /// A file that init.toml names for every service must not be one file for all of them.
    func reportSharedFile(_ policy: LogPolicy) {
        guard let file = policy.file else { return }
        for part in file.parts {
            if case .variable(let name, _, _) = part, name == "HERMES_INIT_SERVICE" { return }
        }
        contradiction(
            "`file` in init.toml would be one file for all services", at: file.span,
            help: "put the name of the service in: file = \"/var/log/${HERMES_INIT_SERVICE}.log\"")
    }
}

extension OpenTable {
    /// The one key of several that exclude each other; nil, with an error, where there is none. Of two the first counts.
    func alternative() -> String? {
        let names = kind.alternatives
        var first: (key: String, span: Span)?
        for key in names {
            guard let span = keySpan(key) else { continue }
            if let first {
                reading.contradiction(
                    say("`%` cannot stand beside `%` in %", key, first.key, kind.header), at: span, beside: first.span,
                    "is said here already", help: "keep one of them")
            } else {
                first = (key, span)
            }
        }
        if let first { return first.key }
        for name in meant where has(names, name) { return nil }
        var list = ""
        for (place, name) in names.enumerated() {
            if place > 0 { list += place == names.count &- 1 ? " or " : ", " }
            list += say("`%`", name)
        }
        reading.error(
            "missing-key", say("% needs one of %", kind.header, list), at: table.span,
            help: say("add one of them, or take % out", kind.header))
        return nil
    }

    /// Keys that mean nothing beside another.
    private func reportUseless(_ useless: [String], beside key: String, _ why: String) {
        for name in useless {
            guard let span = keySpan(name), let other = keySpan(key) else { continue }
            reading.contradiction(
                say("`%` cannot stand beside `%`: %", name, key, why), at: span, beside: other, "is said here",
                help: say("take `%` out", name))
        }
    }

    private func probe(_ key: String) -> Probe? {
        switch key {
        case "tcp": return address(key, isHTTP: false).map { .tcp($0) }
        case "http": return address(key, isHTTP: true).map { .http($0) }
        // sun_path of unix(7), without the NUL.
        case "unix": return absolutePath(key, longest: 107).map { .unix($0) }
        case "path": return absolutePath(key).map { .path($0) }
        default: return command(key).map { .command($0) }
        }
    }

    func readyPolicy() -> ReadyPolicy? {
        let interval = duration("interval")
        let timeout = duration("timeout")
        guard let key = alternative() else { return nil }
        var readiness: Readiness?
        switch key {
        case "notify": readiness = notify()
        case "log":
            if let text = text(key) {
                if text.isEmpty || text.utf8.contains(0x0A) {
                    reading.error(
                        "bad-value",
                        text.isEmpty
                            ? "`log` cannot be empty" : "`log` cannot hold a line feed: lines are searched one by one",
                        at: valueSpan(key), help: "write a part of the line that the program logs when it is ready")
                } else {
                    readiness = .log(text)
                }
            }
        default: readiness = probe(key).map { .probe($0) }
        }
        if key == "notify" || key == "log" { reportUseless(["interval"], beside: key, "nothing is asked") }
        guard let readiness else { return nil }
        var policy = ReadyPolicy(readiness)
        if let interval { policy.interval = interval }
        if let timeout { policy.timeout = timeout }
        return policy
    }

    /// The largest descriptor that fits into the usual limit of open files.
    static let largestDescriptor = 1023

    private func notify() -> Readiness? {
        guard let value = value("notify") else { return nil }
        var help = "write a descriptor from 3 to 1023, or \"systemd\""
        switch value.kind {
        case .integer(let number) where number >= 3 && number <= OpenTable.largestDescriptor:
            return .descriptor(Int32(truncatingIfNeeded: number))
        case .integer(let number):
            let isStandard = number >= 0 && number < 3
            reading.error(
                isStandard ? "contradiction" : "bad-value",
                say(
                    isStandard
                        ? "`notify` cannot be %: that is one of standard input, output and error"
                        : "`notify` cannot be %", String(number)), at: value.span, help: help)
        case .string(let text):
            if text == "systemd" { return .systemd }
            if nearest(to: text, among: ["systemd"]) != nil { help = "did you mean \"systemd\"?" }
            if case .number = ParsedNumber.count(text) { help = "write the number without quotes" }
            reading.bad(at: value.span, "`notify` cannot be %", shown(text), help: help)
        default: break
        }
        return nil
    }

    func healthPolicy() -> HealthPolicy? {
        let startPeriod = duration("start-period")
        let interval = duration("interval")
        let timeout = duration("timeout")
        let failures = integer("failures")
        let action = choice("action")
        guard let key = alternative() else { return nil }
        let check: HealthCheck?
        if key == "watchdog" {
            reportUseless(["interval", "timeout", "failures"], beside: key, "it is not asked, but tells of itself")
            check = duration(key).map { .watchdog($0) }
        } else {
            check = probe(key).map { .probe($0) }
        }
        guard let check else { return nil }
        var policy = HealthPolicy(check)
        if let startPeriod { policy.startPeriod = startPeriod }
        if let interval { policy.interval = interval }
        if let timeout { policy.timeout = timeout }
        if let failures { policy.failures = failures }
        if key == "watchdog" { policy.failures = 1 }
        switch action ?? "" {
        case "none": policy.action = .none
        case "stop-container": policy.action = .stopContainer
        default: break
        }
        return policy
    }

    func reloadPolicy() -> ReloadPolicy? {
        switch alternative() ?? "" {
        case "command": return command("command").map { .command($0) }
        case "signal":
            guard let signal = signal("signal") else { return nil }
            if signal != .kill { return .signal(signal) }
            reading.bad(
                at: valueSpan("signal"), "`signal` of [reload] cannot be SIGKILL: it ends the process",
                help: "write \"SIGHUP\", or the signal at which the program reads its configuration again")
            return nil
        default: return nil
        }
    }

    /// The keys of a `[log]` table, over what a policy says already.
    func readLog(_ policy: inout LogPolicy) {
        switch choice("to") ?? "" {
        case "prefix": policy.to = .prefix
        case "raw": policy.to = .raw
        case "inherit": policy.to = .inherit
        case "json": policy.to = .json
        case "null": policy.to = .null
        default: break
        }
        if let file = absolutePath("file") { policy.file = file }
        if let makes = boolean("make-folder") { policy.makesFolder = makes }
        if let size = size("max-size", from: 4096) { policy.maxSize = size }
        if let keep = integer("keep") { policy.keep = keep }
        if let timestamps = boolean("timestamps") { policy.timestamps = timestamps }
    }
}
