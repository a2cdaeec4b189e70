import ConfigParser
import Runtime

/// `--plan` in text form: what a boot would start, in which order, and why something would be left out. Made from the
/// same graph that the boot uses, so that the two cannot disagree. A pure function: what depends on the machine (whether
/// a condition holds, whether a word names a program) is asked of closures, and left open where there are none.
///
/// At most 80 columns wide as long as names are no longer than `nameWidth`; a list that is longer goes on underneath.
struct Plan {
    /// Every service, as the graph was built from them.
    var services: [Service]
    var graph: Graph
    /// By service: why it starts or not where `autostart` in its file does not say it; empty or missing where that does.
    var reasons: [String] = []
    /// Names of templates, with their `@`.
    var templates: [String] = []
    /// What is not as it should be, and may make the boot differ; empty where there is nothing to say.
    var note = ""
    /// Names of services that are switched off by an empty file or a link to /dev/null.
    var masked: [String] = []
    /// The container's arguments.
    var arguments: [[UInt8]] = []
    /// Whether a condition of `[when]` holds now; nil where that cannot be said before the services run.
    var holds: (Condition) -> Bool? = { _ in nil }
    /// Whether a word names an executable file on the main program's PATH; nil where that is not known.
    var isExecutable: ([UInt8]) -> Bool? = { _ in nil }

    private static let width = 80
    /// The widest the column of names gets.
    private static let nameWidth = 24

    /// The plan, ending in a newline.
    var text: String {
        let waves = graph.waves
        var starting = 0
        for wave in waves { starting += wave.count }
        let staying = services.count - starting + masked.count
        var text = count(starting, "service") + (starting == 1 ? " starts" : " start")
        if starting > 0 { text += say(", in %", count(waves.count, "wave")) }
        if staying > 0 { text += say("; %%", String(staying), staying == 1 ? " does not" : " do not") }
        text += "\n"
        let column = nameColumn
        for (number, wave) in waves.enumerated() {
            text += say("%wave %\n", number == 0 ? "\n" : "", String(number + 1))
            for id in wave where services.indices.contains(id.index) {
                let service = services[id.index]
                let head = say("%  %", padded(service.name, to: column), padded(word(for: service.type), to: 7))
                text += row(head, indent: column + 13, details(of: service, id))
            }
        }
        text += mainText
        return text + notStartedText(column) + templatesText + (note.isEmpty ? "" : say("\nnote: %\n", note))
    }

    /// Why a service starts or not, where its file alone does not say it; empty where it does.
    func reason(_ index: Int) -> String { reasons.indices.contains(index) ? reasons[index] : "" }

    /// What the instances of a template are called.
    @inline(never)
    func instances(of template: String) -> [String] {
        var names: [String] = []
        for place in services.indices {
            if let (owner, name) = instanceName(services[place].name), owner == template { names.append(name) }
        }
        return names
    }

    private static let mostNames = 12

    private var templatesText: String {
        var text = ""
        var column = 0
        for name in templates { column = max(column, min(name.utf8.count, Plan.nameWidth)) }
        for name in templates {
            let names = instances(of: name)
            var detail = say("no instance now; hermes-init ctl start %NAME makes one", name)
            if !names.isEmpty {
                detail = say("%: %", count(names.count, "instance"), joined([String](names.prefix(Plan.mostNames))))
                if names.count > Plan.mostNames { detail += say(" and % more", String(names.count - Plan.mostNames)) }
            }
            text += row(padded(name, to: column), indent: column + 4, [detail])
        }
        return text.isEmpty ? "" : say("\ntemplates\n%", text)
    }

    /// What `id` waits for, why it starts where that is not plain, and its conditions.
    private func details(of service: Service, _ id: ServiceID) -> [String] {
        var lists: [(kind: Edge.Kind, verb: String, names: [String])] = [
            (.requires, "requires ", []), (.wants, "wants ", []), (.after, "after ", []), (.implicit, "", []),
        ]
        for edge in graph.edges.indices.contains(id.index) ? graph.edges[id.index] : [] {
            guard graph.boots(edge.service), services.indices.contains(edge.service.index) else { continue }
            // `before` in the other's file is an `after` seen from here.
            let kind = edge.kind == .before ? .after : edge.kind
            for index in lists.indices where lists[index].kind == kind {
                lists[index].names.append(services[edge.service.index].name)
            }
        }
        var details: [String] = []
        for (kind, verb, names) in lists where !names.isEmpty {
            details.append(kind == .implicit ? "after all oneshots" : verb + joined(names))
        }
        switch graph.reasons.indices.contains(id.index) ? graph.reasons[id.index] : .notStarted {
        case .requiredBy(let other): details.append(say("%, but % requires it", notByItself(id), name(of: other)))
        case .wantedBy(let other): details.append(say("%, but % wants it", notByItself(id), name(of: other)))
        case .autostart:
            if !reason(id.index).isEmpty { details.append(reason(id.index)) }
            for condition in service.autostartWhen where reason(id.index).isEmpty {
                details.append(say("by itself only if % (so it is now)", words(for: condition)))
            }
        case .main, .notStarted: break
        }
        for condition in service.when {
            var line = say("only if %", words(for: condition))
            if let isMet = holds(condition) { line += isMet ? " (so it is now)" : " (not so now: skipped)" }
            details.append(line)
        }
        if let ready = service.ready { details.append(say("up when %", words(for: ready.readiness))) }
        return details
    }

    /// The main program as it would be run.
    private var mainText: String {
        guard let main = graph.main, services.indices.contains(main.index) else {
            if arguments.isEmpty { return "\nno main program: supervises the services until told to stop\n" }
            return say("\nmain program\n%", row(quoted(arguments), indent: 4, []))
        }
        let program = MainProgram(services[main.index], arguments: arguments, isExecutable: isExecutable)
        return say(
            "\nmain program\n%%", row(program.words, indent: 4, []),
            program.reason.isEmpty ? "" : say("    %\n", program.reason))
    }

    private func notStartedText(_ column: Int) -> String {
        var text = ""
        for (index, service) in services.enumerated() where !graph.boots(ServiceID(index: index)) {
            let reason = say("%, and nothing that starts requires or wants it", notByItself(ServiceID(index: index)))
            text += row(padded(service.name, to: column), indent: column + 4, [reason])
        }
        for name in masked {
            let reason = "masked: a stronger folder has an empty file, or a link to /dev/null, of this name"
            text += row(padded(name, to: column), indent: column + 4, [reason])
        }
        return text.isEmpty ? "" : say("\nnot started\n%", text)
    }

    private func notByItself(_ id: ServiceID) -> String {
        reason(id.index).isEmpty ? "autostart = false" : reason(id.index)
    }

    // MARK: - Layout

    private var nameColumn: Int {
        var column = 0
        for service in services { column = max(column, service.name.utf8.count) }
        for name in masked { column = max(column, name.utf8.count) }
        return min(column, Plan.nameWidth)
    }

    /// A line that begins with `head`, with the details underneath each other from column `indent` on; a detail that is too
    /// long for the line is broken at spaces. Counts bytes, which is the number of columns for names and numbers.
    private func row(_ head: String, indent: Int, _ details: [String]) -> String {
        var line: [UInt8] = [0x20, 0x20] + [UInt8](head.utf8)
        if details.isEmpty {
            while line.last == 0x20 { line.removeLast() }
        }
        var text: [UInt8] = []
        func finishLine(nextFrom margin: Int) {
            text += line
            text.append(0x0A)
            line = [UInt8](repeating: 0x20, count: margin)
        }
        for (number, detail) in details.enumerated() {
            if number > 0 || line.count > indent { finishLine(nextFrom: indent) }
            while line.count < indent { line.append(0x20) }
            var word: [UInt8] = []
            var isFirst = true
            for byte in [UInt8](detail.utf8) + [0x20] {
                if byte != 0x20 {
                    word.append(byte)
                    continue
                }
                if !isFirst && line.count + 1 + word.count > Plan.width {
                    finishLine(nextFrom: indent + 2)
                } else if !isFirst {
                    line.append(0x20)
                }
                line += word
                word = []
                isFirst = false
            }
        }
        finishLine(nextFrom: 0)
        return String(decoding: text, as: UTF8.self)
    }

    private func name(of id: ServiceID) -> String {
        services.indices.contains(id.index) ? services[id.index].name : "another"
    }
}
