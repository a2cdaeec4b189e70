import CSystem
import ConfigParser
import System

/// `show`: one service as it was understood, every key with its default, under the names of the service files; where
/// that came from; and who waits for whom. Values of variables that look like secrets are not shown to anybody.

extension Driver {
    func show(_ client: ControlClient, _ id: ServiceID) {
        guard services.indices.contains(id.index) else { return }
        let service = services[id.index]
        client.line {
            $0.field("name", service.name)
            $0.text("file", service.file.flatMap { context.sources.file($0)?.path })
            $0.texts("files", files(of: service))
            $0.key("configuration")
            service.write(to: &$0)
            writeWaits(id, &$0)
            $0.key("needed-by")
            $0.beginArray()
            for other in core.graph.dependents.indices.contains(id.index) ? core.graph.dependents[id.index] : [] {
                write(other.service, other.isRequiring ? "requires" : "waits", &$0)
            }
            $0.endArray()
        }
        client.finish()
    }

    /// What a service waits for.
    func writeWaits(_ id: ServiceID, _ json: inout JSONWriter) {
        json.key("waits-for")
        json.beginArray()
        for edge in core.graph.edges.indices.contains(id.index) ? core.graph.edges[id.index] : [] {
            write(edge.service, edge.kind.word, &json)
        }
        json.endArray()
    }

    private func write(_ id: ServiceID, _ kind: String, _ json: inout JSONWriter) {
        guard services.indices.contains(id.index) else { return }
        json.beginObject()
        json.field("name", services[id.index].name)
        json.field("kind", kind)
        json.text("state", state(of: id)?.word)
        json.endObject()
    }

    /// The file that decides, and those that were laid over it.
    private func files(of service: Service) -> [String] {
        var files = [String]()
        if let file = service.file, let path = context.sources.file(file)?.path { files.append(path) }
        var folders = [say("/%.d/", service.name)]
        if let template = instanceName(service.name)?.template { folders.append(say("/%.d/", template)) }
        for file in context.sources.files {
            let path = file.path.bytes
            for folder in folders {
                let wanted = folder.bytes
                guard let slash = path.lastIndex(of: 0x2F), slash &+ 1 >= wanted.count,
                    path[(slash &+ 1 &- wanted.count)...slash].elementsEqual(wanted)
                else { continue }
                files.append(file.path)
            }
        }
        return files
    }
}

extension Edge.Kind {
    fileprivate var word: String {
        switch self {
        case .requires: return "requires"
        case .wants: return "wants"
        case .after, .before: return "after"
        case .implicit: return "oneshot"
        }
    }
}

extension Template {
    /// As it is written in a file.
    var text: String { Template.text(parts) }

    private static func text(_ parts: [Part]) -> String {
        var result = ""
        for part in parts {
            switch part {
            case .literal(let bytes): result += String(decoding: bytes, as: UTF8.self)
            case .variable(let name, .none, _): result += say("${%}", name)
            case .variable(let name, .value(let fallback), _): result += say("${%:-%}", name, text(fallback))
            case .variable(let name, .error(let message), _): result += say("${%:?%}", name, message)
            }
        }
        return result
    }
}

extension Service {
    /// Every key, under its name in a file.
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("type", type.word)
        json.field("description", description)
        switch action {
        case .command(let words): json.templates("command", words)
        case .script(let text, _): json.field("script", text)
        case .plugin(let name, let table):
            json.field("plugin", name.name)
            json.key("options")
            json.literal(String(decoding: JSONForm.line(table), as: UTF8.self))
        case .nothing: break
        }
        if type == .main { json.field("route", route == .append ? "append" : route == .replace ? "replace" : "auto") }
        json.flag("autostart", autostart)
        if !autostartWhen.isEmpty { json.conditions("autostart-when", autostartWhen) }
        json.flag("remember", remember)
        json.flag("optional", optional)
        json.flag("essential", essential)
        json.texts("requires", requires.map { $0.name })
        json.texts("wants", wants.map { $0.name })
        json.texts("after", after.map { $0.name })
        json.texts("before", before.map { $0.name })
        json.conditions("when", when)
        json.template("user", user)
        json.template("group", group)
        if let groups { json.templates("groups", groups) }
        json.template("directory", directory)
        json.text("umask", umask.map { octal($0) })
        json.field("stdin", stdin == .null ? "null" : "inherit")
        json.number("nice", nice.map { Int($0) })
        json.number("oom-score-adj", oomScoreAdjust.map { Int($0) })
        json.seconds("start-timeout", startTimeout?.nanoseconds)
        json.texts("environment-files", environmentFiles.map { ($0.mayBeMissing ? "-" : "") + $0.path.text })
        json.flag("environment-clear", environmentClear)
        json.key("environment")
        json.beginObject()
        for change in environment {
            json.key(change.name)
            if let value = change.value { json.string(shownValue(change.name, value)) } else { json.literal("null") }
        }
        json.endObject()
        writePolicies(&json)
        json.endObject()
    }

    /// A secret is `***` for everybody; what is only named by a variable shows that name.
    private func shownValue(_ name: String, _ value: Template) -> String {
        if let literal = value.literal { return looksSecret(name, literal) ? "***" : value.text }
        var hides = false
        for part in value.parts {
            switch part {
            case .literal(let bytes): if looksSecret(name, bytes) { hides = true }
            case .variable(_, .value(let fallback), _):
                if looksSecret(name, Template(parts: fallback, span: value.span).literal ?? []) { hides = true }
            case .variable: break
            }
        }
        return hides ? "***" : value.text
    }

    private func octal(_ number: UInt32) -> String {
        var digits = [UInt8]()
        for shift in [6, 3, 0] { digits.append(0x30 &+ UInt8(truncatingIfNeeded: number >> UInt32(shift) & 7)) }
        return say("0%", String(decoding: digits, as: UTF8.self))
    }

    private func writePolicies(_ json: inout JSONWriter) {
        json.begin("restart")
        json.field(
            "policy", restart.policy == .always ? "always" : restart.policy == .never ? "never" : "on-failure")
        json.seconds("delay", restart.delay.nanoseconds)
        json.key("factor")
        json.literal(decimalText(thousandths: Int64(min(restart.factor, 1e9) * 1000)))
        json.seconds("max-delay", restart.maxDelay.nanoseconds)
        json.key("jitter")
        json.literal(decimalText(thousandths: Int64(restart.jitter * 1000)))
        json.seconds("reset-after", restart.resetAfter.nanoseconds)
        json.number("limit", restart.limit)
        json.seconds("within", restart.within.nanoseconds)
        json.exits("success-codes", restart.successCodes)
        json.exits("never-after", restart.neverAfter)
        json.endObject()
        json.begin("stop")
        json.field("signal", stop.signal.name)
        json.seconds("timeout", stop.timeout.nanoseconds)
        if let command = stop.command { json.templates("command", command) }
        json.endObject()
        if let ready {
            json.begin("ready")
            switch ready.readiness {
            case .descriptor(let number): json.number("notify", Int(number))
            case .systemd: json.field("notify", "systemd")
            case .log(let text): json.field("log", text)
            case .probe(let probe): json.probe(probe)
            }
            json.seconds("interval", ready.interval.nanoseconds)
            json.seconds("timeout", ready.timeout.nanoseconds)
            json.endObject()
        }
        if let health {
            json.begin("health")
            switch health.check {
            case .probe(let probe): json.probe(probe)
            case .watchdog(let time): json.seconds("watchdog", time.nanoseconds)
            }
            json.seconds("start-period", health.startPeriod.nanoseconds)
            json.seconds("interval", health.interval.nanoseconds)
            json.seconds("timeout", health.timeout.nanoseconds)
            json.number("failures", health.failures)
            json.field(
                "action", health.action == .restart ? "restart" : health.action == .none ? "none" : "stop-container")
            json.endObject()
        }
        if let reload {
            json.begin("reload")
            switch reload {
            case .signal(let signal): json.field("signal", signal.name)
            case .command(let words): json.templates("command", words)
            }
            json.endObject()
        }
        json.begin("log")
        switch log.to {
        case .prefix: json.field("to", "prefix")
        case .inherit: json.field("to", "inherit")
        case .json: json.field("to", "json")
        case .null: json.field("to", "null")
        case .raw: json.field("to", "raw")
        }
        json.template("file", log.file)
        json.flag("make-folder", log.makesFolder)
        json.number("max-size", Int(log.maxSize))
        json.number("keep", log.keep)
        json.flag("timestamps", log.timestamps)
        json.endObject()
        json.begin("limits")
        for limit in limits {
            json.key(limit.name.name)
            json.beginArray()
            for value in [limit.soft, limit.hard] {
                if let value { json.literal(String(value)) } else { json.string("unlimited") }
            }
            json.endArray()
        }
        json.endObject()
        json.begin("security")
        json.flag("no-new-privileges", security.noNewPrivileges)
        json.flag("keep-groups", security.keepGroups)
        if let capabilities = security.capabilities {
            json.key("capabilities")
            json.beginArray()
            for capability in capabilities { json.integer(Int(capability)) }
            json.endArray()
        }
        json.endObject()
        if let resources {
            json.begin("resources")
            for setting in resources.settings { json.field(setting.key, setting.value.shown) }
            json.endObject()
        }
    }
}

extension JSONWriter {
    fileprivate mutating func begin(_ name: Literal) {
        key(name)
        beginObject()
    }

    fileprivate mutating func template(_ name: Literal, _ template: Template?) { text(name, template?.text) }

    fileprivate mutating func templates(_ name: Literal, _ list: [Template]) { texts(name, list.map { $0.text }) }

    fileprivate mutating func probe(_ probe: Probe) {
        switch probe {
        case .tcp(let place): field("tcp", place.text)
        case .unix(let place): field("unix", place.text)
        case .http(let place): field("http", place.text)
        case .path(let place): field("path", place.text)
        case .command(let words): templates("command", words)
        }
    }

    fileprivate mutating func exits(_ name: Literal, _ list: [ExitCondition]) {
        key(name)
        beginArray()
        for condition in list {
            switch condition {
            case .code(let code): integer(Int(code))
            case .signal(let signal): string(signal.name)
            }
        }
        endArray()
    }

    fileprivate mutating func conditions(_ name: Literal, _ list: [Condition]) {
        key(name)
        beginArray()
        for condition in list {
            beginObject()
            switch condition {
            case .environmentTrue(let name): field("env", name)
            case .environmentUnset(let name): field("env-unset", name)
            case .environmentEquals(let name, let value):
                begin("env-equals")
                field(name, looksSecret(name, value.bytes) ? "***" : value)
                endObject()
            case .pathExists(let path): field("path-exists", path.text)
            case .pathMissing(let path): field("path-missing", path.text)
            case .tty(let value): flag("tty", value)
            case .root(let value): flag("root", value)
            case .main(let lists): words("main", lists)
            case .environmentSet(let name): field("env-set", name)
            case .mainNot(let lists): words("main-not", lists)
            }
            endObject()
        }
        endArray()
    }

    private mutating func words(_ name: Literal, _ lists: [[String]]) {
        key(name)
        beginArray()
        for list in lists {
            beginArray()
            for word in list { string(word) }
            endArray()
        }
        endArray()
    }
}
