import ConfigParser
import Runtime

/// `ctl status`: the table of all services, and one service in detail. Pure functions of the answers.

extension StatusAnswer {
    /// The table, one line about the whole, and a line for each service that is not as it should be.
    func lines(_ look: Look) -> [String] {
        var table = TextTable()
        table.column("NAME", least: 12)
        table.column("STATE", least: 11)
        table.column("SINCE", least: 7, isRight: true)
        table.column("PID", least: 7, isRight: true)
        table.column("RESTARTS", least: 8, isRight: true)
        table.column("MEMORY", least: 8, isRight: true)
        table.column("READY", least: 5)
        table.column("LAST EXIT", least: 9)
        for service in services {
            let ready = service.pid == nil && service.type != "group" ? "-" : service.isReady ? "yes" : "no"
            table.add((look.hasColor ? say("% ", service.dot) : "") + service.name)
            table.add(service.shownState, service.ink)
            table.add(service.age.map { age($0) } ?? "-")
            table.add(service.pid.map { String($0) } ?? "-")
            table.add(String(service.restarts), service.restarts == 0 ? .dim : .plain)
            table.add(service.memory.map { size($0) } ?? "-")
            table.add(ready)
            table.add(service.lastExit.isEmpty ? "-" : service.lastExit, .dim)
        }
        var lines = table.lines(look)
        lines.append("")
        lines.append(summary(look))
        for service in services where !service.isWell {
            let reason = service.reason.isEmpty ? service.shownState : service.reason
            var line = say("  %: %", service.name, reason)
            if !service.lastExit.isEmpty && service.words == service.state { line += say(" (%)", service.lastExit) }
            lines.append(look.paint(fitted(line, to: look.columns ?? Int.max), service.ink == .bad ? .bad : .busy))
        }
        return lines
    }

    /// "12 services, 1 is not well; booted in 0.3 s, up for 3m 12s".
    func summary(_ look: Look) -> String {
        var bad = 0
        for service in services where !service.isWell { bad &+= 1 }
        var text = count(services.count, "service")
        if services.isEmpty {
            text = "no services"
        } else if bad == 0 {
            text += services.count == 1 ? ", and it is well" : ", all well"
        } else {
            text += say(", %%", String(bad), bad == 1 ? " is not well" : " are not well")
        }
        if !isBooted {
            text += "; booting"
        } else if let boot {
            text += say("; booted in %", seconds(boot))
        }
        if let uptime { text += say(", up for %", age(uptime)) }
        if isStopping { text += "; the container is stopping" }
        return look.paint(fitted(text, to: look.columns ?? Int.max), bad == 0 && !isStopping ? .dim : .bold)
    }
}

/// One service in detail.
struct ServiceDetail {
    var status: ServiceStatus
    /// The answer to `show`; nil where it was refused.
    var shown: JSONValue?
    /// Its last lines; nil where they were refused.
    var output: [JSONValue]?

    func lines(_ look: Look) -> [String] {
        var title = say("% ", look.paint(status.dot, status.ink))
        title += look.paint(fitted(status.name, to: 64), .bold)
        if !status.description.isEmpty { title += say("  %", fitted(status.description, to: 400)) }
        var lines = [title]
        func row(_ name: String, _ text: String) {
            if text.isEmpty { return }
            let head = say("%%  ", String(repeating: " ", count: max(0, 11 &- name.utf8.count)), look.paint(name, .dim))
            lines.append(head + fitted(text, to: 4096))
        }
        var state = status.shownState
        if let pid = status.pid { state += say(" (pid %)", String(pid)) }
        if let age = status.age { state += say(" for %", hermes_init.age(age)) }
        row("state", state)
        row("why", status.reason)
        if status.pid != nil { row("ready", status.isReady ? "yes" : "no") }
        row("type", say(status.isOptional ? "%, optional" : "%", status.type))
        row("memory", status.memory.map { size($0) } ?? "")
        if status.pid != nil || status.restarts > 0 { row("restarts", String(status.restarts)) }
        let because = status.lastExitBecause
        row("last exit", because.isEmpty ? status.lastExit : say("%, told to end: %", status.lastExit, because))
        if let shown {
            row("waits for", others(shown.items("waits-for")))
            row("needed by", others(shown.items("needed-by")))
            row("files", joined(shown.texts("files").isEmpty ? [shown.text("file") ?? ""] : shown.texts("files")))
        }
        lines.append("")
        guard let output else {
            lines.append(look.paint("its output may be read by root and operators", .dim))
            return lines
        }
        if output.isEmpty {
            let hasRun = status.pid != nil || status.restarts > 0 || !status.lastExit.isEmpty
            lines.append(look.paint(hasRun ? "nothing of its output is kept" : "it has written nothing", .dim))
        }
        for line in output {
            var text = say("% ", look.paint(time(line), .dim))
            text += tame(line.text("line") ?? "", colors: look.hasColor)
            lines.append(text)
        }
        return lines
    }

    /// "db (up), cache (wants, failed)".
    private func others(_ items: [JSONValue]) -> String {
        var names = [String]()
        for item in items {
            if case .string(let name) = item {
                names.append(name)
                continue
            }
            var words = [String]()
            if let kind = item.text("kind"), kind != "requires" {
                // Of those behind it, the answer tells only whether they need it.
                words.append(kind == "waits" ? "not required" : kind)
            }
            if let state = item.text("state") { words.append(ServiceStatus.shown(state)) }
            names.append(say(words.isEmpty ? "%" : "% (%)", item.text("name") ?? "?", joined(words)))
        }
        return joined(names)
    }
}

/// The moment of a line of output or of an event.
func time(_ line: JSONValue) -> String { line.integer("time").map { timestamp($0) } ?? "" }
