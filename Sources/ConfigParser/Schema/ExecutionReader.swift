/// The readers of what a process may use and may do: `nice`, `oom-score-adj`, `[limits]`, `[security]` and `[resources]`.

extension Reading {
    /// What a process may use and may do.
    func readExecution(_ keys: OpenTable, _ service: inout ServiceFields) {
        service.nice = keys.integer("nice").map { Int32(truncatingIfNeeded: $0) }
        service.oomScoreAdjust = keys.integer("oom-score-adj").map { Int32(truncatingIfNeeded: $0) }
        service.limits = keys.open("limits")?.limits() ?? []
        if let security = keys.open("security") {
            service.security = security.securityPolicy()
            if service.security.keepGroups, keys.keySpan("user") == nil && keys.keySpan("groups") == nil {
                contradiction(
                    "`keep-groups` cannot stand without a `user`", at: security.valueSpan("keep-groups"),
                    help: "add the `user`, or take `keep-groups` out: without one, it has the groups of the init anyway"
                )
            }
        }
        service.resources = keys.open("resources")?.resourcePolicy()
    }
}

extension OpenTable {
    /// Each limit, in the order of the file.
    func limits() -> [LimitChange] {
        var limits = [LimitChange]()
        for entry in table.entries {
            guard case .limit(let unit)? = kind.valueKind(of: entry.key) else { continue }
            for name in LimitName.allCases where name.name == entry.key {
                if let limit = limit(name, unit, entry.value) { limits.append(limit) }
            }
        }
        return limits
    }

    /// N, "soft:hard", "unlimited".
    private func limit(_ name: LimitName, _ unit: Unit, _ value: Value) -> LimitChange? {
        var limit = LimitChange(name, soft: nil, hard: nil, span: value.span)
        switch value.kind {
        case .integer(let number):
            if number < 0 {
                reading.bad(
                    at: value.span, "`%` cannot be negative", name.name, help: "write 0 or more, or \"unlimited\"")
                return nil
            }
            limit.soft = UInt64(number)
            limit.hard = limit.soft
            return limit
        case .string(let text):
            let bytes = text.bytes
            let colon = bytes.firstIndex(of: 0x3A)
            guard let soft = part(bytes[..<(colon ?? bytes.count)], name, unit, value.span) else { return nil }
            limit.soft = soft
            limit.hard = soft
            if let colon {
                guard let hard = part(bytes[colon...].dropFirst(), name, unit, value.span) else { return nil }
                limit.hard = hard
            }
            // An infinite one is the largest number.
            if limit.soft ?? .max > limit.hard ?? .max {
                reading.contradiction(
                    say("the soft limit of `%` is above the hard one", name.name), at: value.span,
                    help: "write the smaller one first: \"soft:hard\"")
                return nil
            }
            return limit
        default: return nil
        }
    }

    /// One of the two; the outer nil is an error that was told, the inner "unlimited".
    private func part(_ bytes: ArraySlice<UInt8>, _ name: LimitName, _ unit: Unit, _ span: Span) -> UInt64?? {
        if same(bytes, "unlimited") { return .some(nil) }
        let text = String(decoding: bytes, as: UTF8.self)
        let parsed: ParsedNumber
        switch unit {
        case .bytes: parsed = .size(text)
        case .seconds: parsed = .seconds(text)
        default: parsed = .count(text)
        }
        guard let number = number(parsed, of: name.name, at: span) else { return nil }
        return .some(UInt64(truncatingIfNeeded: number))
    }

    func securityPolicy() -> SecurityPolicy {
        var policy = SecurityPolicy()
        policy.noNewPrivileges = boolean("no-new-privileges") ?? false
        policy.keepGroups = boolean("keep-groups") ?? false
        guard let names = strings("capabilities") else { return policy }
        var places = [Span?](repeating: nil, count: Capability.names.count)
        for (text, span) in names {
            guard let number = capability(text, span) else { continue }
            if let first = places[number] {
                reading.warning(
                    "duplicate-name", say("% stands twice in `capabilities`", shown(text)), at: span,
                    context: [.init(first, "first named here")], help: "take one of them out")
            } else {
                places[number] = span
            }
        }
        var kept = [Int32]()
        for number in places.indices where places[number] != nil { kept.append(Int32(truncatingIfNeeded: number)) }
        policy.capabilities = kept
        return policy
    }

    /// The number of a capability; an error with the nearest name where there is none.
    private func capability(_ text: String, _ span: Span) -> Int? {
        let word = Capability.word(text)
        for (number, name) in Capability.names.enumerated() where same(word[...], name) { return number }
        var help = "write a name of capabilities(7), such as \"NET_BIND_SERVICE\""
        if same(word[...], "ALL") {
            help = "leave `capabilities` out to keep all that the container has"
        } else {
            var names = [String]()
            for name in Capability.names { names.append(name.description) }
            if let near = nearest(to: String(decoding: word, as: UTF8.self), among: names) {
                help = say("did you mean \"%\"?", near)
            }
        }
        reading.bad(at: span, "there is no capability %", shown(text), help: help)
        return nil
    }

    func resourcePolicy() -> ResourcePolicy? {
        var policy = ResourcePolicy(span: table.span)
        policy.memoryMax = amount("memory-max")
        policy.memoryHigh = amount("memory-high")
        policy.cpuMax = amount("cpu-max")
        policy.cpuWeight = integer("cpu-weight")
        policy.pidsMax = amount("pids-max")
        if case .of(let most)? = policy.memoryMax, case .of(let high)? = policy.memoryHigh, high > most {
            reading.contradiction(
                "`memory-high` is above `memory-max`, and so never reached", at: valueSpan("memory-high"),
                beside: valueSpan("memory-max"), "beyond this it is killed",
                help: "lower `memory-high`, or raise `memory-max`")
        }
        return table.entries.isEmpty ? nil : policy
    }

    /// A size, a count of one or more, or processors in thousandths; or "max".
    private func amount(_ key: String) -> ResourcePolicy.Amount? {
        guard let value = value(key), case .amount(let unit)? = kind.valueKind(of: key) else { return nil }
        if case .string(let text) = value.kind {
            if text == "max" { return .unlimited }
            if nearest(to: text, among: ["max"]) != nil || text == "unlimited" || unit != .bytes {
                reading.bad(
                    at: value.span, "`%` cannot be %", key, shown(text),
                    help: say("write %, or \"max\" for no limit", unit.example(3)))
                return nil
            }
        }
        switch (unit, value.kind) {
        case (.bytes, _): return size(key, from: 4096).map { .of($0) }
        case (.count, .integer(let count)) where count >= 1: return .of(count)
        // The kernel grants no less than one of a hundred milliseconds.
        case (.processors, .integer(let count)) where count >= 1 && count <= 10_000: return .of(count &* 1000)
        case (.processors, .float(let count)) where count >= 0.01 && count <= 10_000:
            return .of(Int64(count * 1000 + 0.5))
        case (.count, .integer), (.processors, .integer), (.processors, .float):
            reading.bad(
                at: value.span, "`%` must be %", key, unit == .count ? "1 or more" : "from 0.01 to 10000",
                help: say("write %, or \"max\" for no limit", unit.example(3)))
        default: break
        }
        return nil
    }
}

/// The capabilities of Linux, by name.
public enum Capability {
    /// Without CAP_, by number (capabilities(7)).
    static let names: [StaticString] = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    /// "CAP_NET_RAW" for 13; a number that is not known as such.
    public static func name(_ number: Int32) -> String {
        let place = Int(number)
        if place >= 0 && place < names.count { return say("CAP_%", names[place].description) }
        return say("capability %", String(number))
    }

    /// In capital letters, without CAP_.
    static func word(_ text: String) -> [UInt8] {
        var word = [UInt8]()
        for byte in text.bytes { word.append(byte >= 0x61 && byte <= 0x7A ? byte &- 0x20 : byte) }
        return same(word.prefix(4), "CAP_") ? [UInt8](word.dropFirst(4)) : word
    }
}
