/// The reader of a service file: from its table, drop-ins already laid over it, to a `Service`. Knows the combinations that
/// make no sense; knows nothing of other services.

extension Reading {
    /// Reads a service and tells of every mistake in it.
    ///
    /// - Parameters:
    ///   - file: the service file itself, where what is missing is told.
    ///   - defaults: what init.toml says of every service.
    func service(name: String, table: Table, file: FileID, defaults: ServiceDefaults) -> Service {
        let keys = OpenTable(table, .service, self)
        var service = ServiceFields(name: name)
        service.file = file
        let (type, isTypeSure) = type(keys)
        service.type = type
        if let text = keys.text("description") {
            service.description = text
            if text.utf8.contains(0x0A) {
                bad(
                    at: keys.valueSpan("description"), "`description` must be one line",
                    help: "put the rest into a comment")
            }
        }
        service.action = action(keys, type, isTypeSure)
        readInstances(keys, &service)
        service.optional = keys.boolean("optional") ?? false
        service.essential = keys.boolean("essential") ?? false

        service.requires = keys.references("requires", of: name)
        service.wants = keys.references("wants", of: name)
        service.after = keys.references("after", of: name)
        service.before = keys.references("before", of: name)
        service.when = keys.open("when")?.conditions() ?? []

        readProcess(keys, &service)
        service.restart = restart(keys, service.type, defaults.restart)
        if let stop = keys.open("stop") { service.stop = stop.stopPolicy() }
        readExecution(keys, &service)
        readSupervision(keys, &service, defaults.log, isTypeSure)
        if isTypeSure { reportContradictions(keys, service) }
        reportLonelyOptions(keys, type)
        return Service(service)
    }

    /// Its type, and whether that is what was meant: where `type` is misspelt, nothing that follows from it is told.
    private func type(_ keys: OpenTable) -> (ServiceType, isSure: Bool) {
        switch keys.choice("type") ?? "" {
        case "longrun": return (.longrun, true)
        case "oneshot": return (.oneshot, true)
        case "main": return (.main, true)
        case "group": return (.group, true)
        default:
            let isSure = keys.keySpan("type") == nil && !has(keys.meant, "type")
            return (keys.keySpan("plugin") == nil ? .longrun : .oneshot, isSure)
        }
    }

    /// What the service does: at most one of `command`, `script` and `plugin`.
    private func action(_ keys: OpenTable, _ type: ServiceType, _ isTypeSure: Bool) -> Action {
        var action = Action.nothing
        var first: (key: String, span: Span)?
        for key in ["command", "script", "plugin"] {
            guard let span = keys.keySpan(key) else { continue }
            if let first {
                contradiction(
                    say("`%` cannot stand beside `%`", key, first.key), at: span, beside: first.span,
                    "what runs is already said here", help: "keep one of `command`, `script` and `plugin`")
            } else {
                first = (key, span)
            }
        }
        if let command = keys.command("command") {
            action = .command(command)
        } else if let script = keys.text("script") {
            action = .script(script, keys.valueSpan("script"))
            if script.utf8.allSatisfy({ $0 == 0x20 || ($0 >= 0x09 && $0 <= 0x0D) }) {
                bad(at: keys.valueSpan("script"), "`script` is empty", help: "write what is to be run")
            }
        } else if let plugin = keys.text("plugin") {
            var options = Table(span: keys.valueSpan("plugin"))
            if case .table(let table)? = keys.value("options")?.kind { options = table }
            action = .plugin(name: Reference(name: plugin, span: keys.valueSpan("plugin")), options: options)
            if plugin.isEmpty {
                bad(at: keys.valueSpan("plugin"), "`plugin` cannot be empty", help: "name a stage")
            }
        }
        var isMeant = false
        for key in keys.meant where key == "command" || key == "script" || key == "plugin" { isMeant = true }
        if first == nil && !isMeant && isTypeSure && (type == .longrun || type == .oneshot) {
            let place = keys.value("type")?.span ?? startOfFile(keys)
            let kind = type == .longrun ? "longrun" : "oneshot"
            error(
                "missing-key", say("a % needs a `command`, a `script` or a `plugin`", kind), at: place,
                notes: keys.keySpan("type") == nil ? ["without a `type`, a service is a longrun"] : [],
                help: "write what it runs, such as command = [\"sleep\", \"60\"], or make it a group: type = \"group\"")
        }
        return action
    }

    private func startOfFile(_ keys: OpenTable) -> Span {
        Span(file: keys.table.span.file, start: 0, end: 0)
    }

    /// `user` to `environment-clear`.
    private func readProcess(_ keys: OpenTable, _ service: inout ServiceFields) {
        switch keys.choice("route") ?? "" {
        case "replace": service.route = .replace
        case "auto": service.route = .auto
        default: service.route = .append
        }
        if let value = keys.value("user") { service.user = account("user", value) }
        if let value = keys.value("group") { service.group = account("group", value) }
        if case .array(let values)? = keys.value("groups")?.kind {
            var groups = [Template]()
            for value in values {
                switch value.kind {
                case .string, .integer: if let group = account("groups", value) { groups.append(group) }
                default: keys.reportElement("groups", value, "a name or a number")
                }
            }
            service.groups = groups
        }
        service.directory = keys.template("directory")
        if let value = keys.value("umask") { service.umask = mode("umask", value, digits: 3) }
        switch keys.choice("stdin") ?? "" {
        case "inherit": service.stdin = .inherit
        case "null": service.stdin = .null
        default: service.stdin = service.type == .main ? .inherit : .null
        }
        for path in keys.paths("environment-files") ?? [] {
            if let file = environmentFile(path) { service.environmentFiles.append(file) }
        }
        service.environment = environment(keys.entries("environment"))
        service.environmentClear = keys.boolean("environment-clear") ?? false
    }

    /// A user or group: a name, or a number of a user or group.
    func account(_ key: String, _ value: Value) -> Template? {
        switch value.kind {
        case .integer(let number):
            // 4294967295 is -1, which setuid(2) and chown(2) take for "leave it".
            if number >= 0 && number < 4_294_967_295 { return Template(literal: String(number), span: value.span) }
            bad(
                at: value.span, "`%` cannot be %", key, String(number),
                help: "write a number from 0 to 4294967294, or a name")
        case .string(let text):
            if text.isEmpty {
                bad(at: value.span, "`%` cannot be empty", key, help: "write a name or a number")
                return nil
            }
            let template = template(text, value.span)
            for part in template.parts {
                if case .literal(let bytes) = part, bytes.contains(0x3A) {
                    bad(
                        at: value.span, "`%` cannot hold a `:`", key,
                        help: key == "user" ? accountHelp(text) : "write one name or number")
                    return nil
                }
            }
            return template
        default: break
        }
        return nil
    }

    private func accountHelp(_ text: String) -> String {
        let bytes = [UInt8](text.utf8)
        guard let colon = bytes.firstIndex(of: 0x3A), !bytes.contains(0x24) else {
            return "write the group as a key of its own: `group`"
        }
        let user = String(decoding: bytes[..<colon], as: UTF8.self)
        let group = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
        return say("write user = % and group = %", shown(user), shown(group))
    }

    /// "022", 0o022; not 22, which is 0o26.
    /// - Parameter digits: how many there can be; 4 for a mode of a file.
    func mode(_ key: String, _ value: Value, digits most: Int) -> UInt32? {
        var help: String?
        var digits: ArraySlice<UInt8>
        switch value.kind {
        case .string(let text): digits = [UInt8](text.utf8)[...]
        case .integer(let number):
            if number == 0 { return 0 }
            let source = self.source(value.span)
            guard same(source.prefix(2), "0o") else {
                let text = String(number)
                if text.utf8.count <= most && text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x37 }) {
                    help = say("write it as \"0%\" or 0o%", text, text)
                }
                bad(
                    at: value.span, "`%` is an octal number, and % is not written as one", key, text,
                    help: help ?? modeHelp(most))
                return nil
            }
            digits = source.dropFirst(2)
        default: return nil
        }
        var mode: UInt32 = 0
        var isGood = !digits.isEmpty && digits.count <= 16
        for digit in digits where digit != 0x5F {
            guard digit >= 0x30 && digit <= 0x37 else {
                isGood = false
                break
            }
            mode = (mode & 0o777_777) &* 8 &+ UInt32(digit &- 0x30)
        }
        if isGood && mode <= (most == 3 ? 0o777 : 0o7777) { return mode }
        bad(
            at: value.span, "`%` must be octal digits up to %", key, most == 3 ? "777" : "7777",
            help: help ?? modeHelp(most))
        return nil
    }

    private func modeHelp(_ digits: Int) -> String {
        digits == 3 ? "write it as \"022\" or 0o022" : "write it as \"0640\" or 0o640"
    }

    /// Takes off the leading `-`.
    private func environmentFile(_ path: Template) -> EnvironmentFile? {
        var path = path
        guard case .literal(let bytes)? = path.parts.first, bytes.first == 0x2D else {
            return EnvironmentFile(path: path, mayBeMissing: false)
        }
        if bytes.count > 1 { path.parts[0] = .literal([UInt8](bytes.dropFirst())) } else { path.parts.removeFirst() }
        if path.parts.isEmpty {
            bad(at: path.span, "there is no path behind the `-`", help: "write a path such as \"-/etc/web.env\"")
            return nil
        }
        return EnvironmentFile(path: path, mayBeMissing: true)
    }

    /// Built in, then init.toml, then the service's own.
    private func restart(_ keys: OpenTable, _ type: ServiceType, _ defaults: RestartChanges) -> RestartPolicy {
        var policy = RestartPolicy()
        defaults.apply(to: &policy)
        if type != .longrun { policy.policy = .never }
        guard let own = keys.open("restart") else { return policy }
        own.restartChanges().apply(to: &policy)
        if type == .oneshot && policy.policy == .always {
            contradiction(
                "a oneshot cannot be restarted `always`: once it succeeded it is done", at: own.valueSpan("policy"),
                help: "write policy = \"on-failure\" to try it again until it succeeds")
        }
        return policy
    }

    private func reportLonelyOptions(_ keys: OpenTable, _ type: ServiceType) {
        guard let span = keys.keySpan("options"), keys.keySpan("plugin") == nil, !has(keys.meant, "plugin"),
            type != .group
        else { return }
        contradiction(
            "[options] cannot stand without a `plugin`", at: span,
            help: "name the stage: plugin = \"…\", or take [options] out")
    }

    private func reportContradictions(_ keys: OpenTable, _ service: ServiceFields) {
        if service.type == .group {
            for entry in keys.table.entries where keys.kind.key(entry.key)?.needsProcess == true {
                contradiction(
                    say("a group cannot have `%`: it has no process", entry.key), at: entry.keySpan,
                    beside: keys.valueSpan("type"), "made a group here",
                    help: say("take `%` out, or give it to the services that the group requires", entry.key))
            }
            return
        }
        if keys.keySpan("plugin") != nil, service.type != .oneshot {
            contradiction(
                say("a plugin is a oneshot: it cannot be a %", service.type == .main ? "main" : "longrun"),
                at: keys.valueSpan("type"), beside: keys.valueSpan("plugin"), "the plugin", help: "take `type` out")
        }
        if let span = keys.keySpan("route"), service.type != .main {
            error(
                "contradiction", "only the main program can have a `route`", at: span,
                context: keys.keySpan("type") == nil ? [] : [.init(keys.valueSpan("type"), "not the main program")],
                help: keys.keySpan("type") == nil ? "add type = \"main\"" : "take `route` out")
        } else if service.name == "main" && keys.keySpan("type") == nil {
            warning(
                "main-without-type", "main.toml does not say its type, so it is not the main program but a longrun",
                at: startOfFile(keys), help: "add type = \"main\", or give the file another name")
        }
        reportOneshot(keys, service)
        if service.type == .main && (!service.autostart || !service.autostartWhen.isEmpty) {
            contradiction(
                say(
                    "the main program cannot have %: the container lives for it",
                    service.autostart ? "[autostart]" : "`autostart` = false"),
                at: keys.valueSpan("autostart"), help: "take `autostart` out")
        }
        if service.type == .main && service.remember {
            contradiction(
                "the main program cannot have `remember`: the container lives for it", at: keys.valueSpan("remember"),
                help: "take `remember` out")
        }
        if service.optional && service.essential {
            error(
                "contradiction", "`optional` and `essential` cannot both be true", at: keys.valueSpan("essential"),
                context: [.init(keys.valueSpan("optional"), "its failure counts as done")],
                notes: ["an essential service stops the container when it fails, an optional one does not"],
                help: "keep one of them")
        }
    }
}
