import ConfigParser
import Runtime

/// `--plan` for programs: as JSON, and as a graph in the languages of Graphviz and Mermaid. The same facts as in the text,
/// from the same graph. An arrow goes from a service to what it waits for; the picture is drawn from right to left, so that
/// time goes as people read.

/// `--format` of `--plan`.
enum PlanFormat: Sendable { case text, json, dot, mermaid }

extension Plan {
    /// The plan in a format, ending in a newline.
    func text(as format: PlanFormat) -> String {
        switch format {
        case .text: return text
        case .json: return json
        case .dot: return drawing(isDot: true)
        case .mermaid: return drawing(isDot: false)
        }
    }

    /// What a service waits for among what boots, as the text names it. `before` in the file of the other is an `after`.
    private func waits(_ index: Int) -> [(service: Int, kind: String)] {
        var waits = [(service: Int, kind: String)]()
        for edge in graph.edges.indices.contains(index) ? graph.edges[index] : [] {
            guard graph.boots(edge.service), services.indices.contains(edge.service.index) else { continue }
            let kind: String
            switch edge.kind {
            case .requires: kind = "requires"
            case .wants: kind = "wants"
            case .after, .before: kind = "after"
            case .implicit: kind = "oneshot"
            }
            waits.append((edge.service.index, kind))
        }
        return waits
    }

    /// Whether a condition does not hold now, so that it would be skipped.
    private func isSkipped(_ service: Service) -> Bool {
        for condition in service.when where holds(condition) == false { return true }
        return false
    }

    // MARK: - JSON

    private var json: String {
        var json = JSONWriter(pretty: true)
        json.beginObject()
        json.key("services")
        json.beginArray()
        for (number, wave) in graph.waves.enumerated() {
            for id in wave { write(id.index, wave: number + 1, &json) }
        }
        for index in services.indices where !graph.boots(ServiceID(index: index)) { write(index, wave: nil, &json) }
        json.endArray()
        json.key("masked")
        write(masked, &json)
        json.key("templates")
        json.beginArray()
        for template in templates {
            json.beginObject()
            json.field("name", template)
            json.key("instances")
            write(instances(of: template), &json)
            json.endObject()
        }
        json.endArray()
        json.key("main")
        writeMain(&json)
        json.endObject()
        return say("%\n", String(decoding: json.bytes, as: UTF8.self))
    }

    private func write(_ index: Int, wave: Int?, _ json: inout JSONWriter) {
        guard services.indices.contains(index) else { return }
        let service = services[index]
        json.beginObject()
        json.field("name", service.name)
        json.field("type", word(for: service.type))
        json.key("starts")
        json.boolean(wave != nil)
        if let wave {
            json.key("wave")
            json.integer(wave)
        }
        switch graph.reasons.indices.contains(index) ? graph.reasons[index] : .notStarted {
        case .main: json.field("because", "main")
        case .autostart: json.field("because", "autostart")
        case .requiredBy(let other): writeReason("requires", other, &json)
        case .wantedBy(let other): writeReason("wants", other, &json)
        case .notStarted: json.field("because", "nothing")
        }
        if !reason(index).isEmpty { json.field("reason", reason(index)) }
        if wave != nil {
            json.key("waits-for")
            json.beginArray()
            for wait in waits(index) {
                json.beginObject()
                json.field("service", services[wait.service].name)
                json.field("kind", wait.kind)
                json.endObject()
            }
            json.endArray()
        }
        if let ready = service.ready { json.field("up-when", words(for: ready.readiness)) }
        json.key("conditions")
        json.beginArray()
        for condition in service.when {
            json.beginObject()
            json.field("only-if", words(for: condition))
            json.key("holds")
            if let isMet = holds(condition) { json.boolean(isMet) } else { json.literal("null") }
            json.endObject()
        }
        json.endArray()
        json.key("skipped")
        json.boolean(isSkipped(service))
        json.endObject()
    }

    private func writeReason(_ verb: String, _ other: ServiceID, _ json: inout JSONWriter) {
        json.field("because", verb)
        if services.indices.contains(other.index) { json.field("by", services[other.index].name) }
    }

    private func writeMain(_ json: inout JSONWriter) {
        var program: MainProgram?
        if let main = graph.main, services.indices.contains(main.index) {
            program = MainProgram(services[main.index], arguments: arguments, isExecutable: isExecutable)
        }
        guard let program else { return json.literal("null") }
        json.beginObject()
        json.key("command")
        write(program.command, &json)
        json.field("shown", program.words)
        json.field("reason", program.reason)
        json.endObject()
    }

    private func write(_ texts: [String], _ json: inout JSONWriter) {
        json.beginArray()
        for text in texts { json.string(text) }
        json.endArray()
    }

    // MARK: - Graphs

    /// Names hold nothing that would have to be escaped in either language. What is skipped now is drawn dashed, what may
    /// fail without harm (`wants`, `after`) is a dotted arrow.
    private func drawing(isDot: Bool) -> String {
        var text = isDot ? "digraph \"hermes-init\" {\n  rankdir=RL\n  node [shape=box]\n" : "flowchart RL\n"
        var arrows = ""
        for wave in graph.waves {
            if isDot { text += "  { rank=same\n" }
            for id in wave where services.indices.contains(id.index) {
                let service = services[id.index]
                let number = String(id.index)
                let skipped = isSkipped(service)
                let style = skipped ? (isDot ? " style=dashed" : ":::skipped") : ""
                text += say(shape(service.type, isDot), number, service.name, style)
                for wait in waits(id.index) {
                    var pattern = wait.kind == "requires" ? "  s% -->|%| s%\n" : "  s% -.->|%| s%\n"
                    var words = (wait.kind, String(wait.service))
                    if isDot {
                        pattern = "  s% -> s% [label=\"%\"]\n"
                        if wait.kind != "requires" { pattern = "  s% -> s% [label=\"%\" style=dotted]\n" }
                        words = (words.1, words.0)
                    }
                    arrows += say(pattern, number, words.0, words.1)
                }
            }
            if isDot { text += "  }\n" }
        }
        return text + arrows + (isDot ? "}\n" : "  classDef skipped stroke-dasharray: 5 5\n")
    }

    /// A box with the number, the name and the style of a service, as a pattern for `say`.
    private func shape(_ type: ServiceType, _ isDot: Bool) -> String {
        switch type {
        case .longrun: return isDot ? "    s% [label=\"%\"%]\n" : "  s%[\"%\"]%\n"
        case .oneshot: return isDot ? "    s% [label=\"%\" shape=ellipse%]\n" : "  s%([\"%\"])%\n"
        case .main: return isDot ? "    s% [label=\"%\" peripheries=2%]\n" : "  s%[[\"%\"]]%\n"
        case .group: return isDot ? "    s% [label=\"%\" shape=folder%]\n" : "  s%{{\"%\"}}%\n"
        }
    }
}
