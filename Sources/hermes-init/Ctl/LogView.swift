import ConfigParser
import Runtime

/// `ctl logs` and `ctl events`: lines as they come. Pure: each line is made from one line of the answer.

/// Lines of output, behind the names of their services where there are several.
struct LogView {
    /// The colours of the names, one after the other by the name.
    private static let inks = ["36", "33", "32", "35", "34", "96", "93", "92", "95", "94"]

    var look: Look
    /// Names stand in front, this wide; 0: they do not.
    var nameWidth = 0
    var hasTimes = false

    /// - Parameter names: whose lines are to come, as far as that is known.
    init(_ names: [String], _ look: Look, hasTimes: Bool) {
        self.look = look
        self.hasTimes = hasTimes
        if names.count == 1 { return }
        nameWidth = 4
        for name in names { nameWidth = min(24, max(nameWidth, columns(of: name))) }
    }

    /// One line, ended. In a pipe the line is what the service wrote, byte for byte.
    func text(_ line: JSONValue) -> String {
        if let dropped = line.integer("dropped") {
            return say(
                "%\n", look.paint(say("… % lost: they came faster than they were read", count(dropped, "line")), .bad))
        }
        var text = ""
        if nameWidth > 0 {
            let name = line.text("name") ?? "?"
            var number = 0
            for byte in name.bytes { number = (number &* 31 &+ Int(byte)) % 9973 }
            let head = say("% |", fitted(name, to: nameWidth, padding: nameWidth))
            text += say("% ", look.paint(head, code: LogView.inks[number % LogView.inks.count]))
        }
        if hasTimes { text += say("% ", look.paint(time(line), .dim)) }
        let content = line.text("line") ?? ""
        text += look.columns == nil ? content : tame(content, colors: look.hasColor)
        return say("%\n", text)
    }
}

/// One line of `ctl events`, ended; empty for what is only for programs.
func eventText(_ line: JSONValue, _ look: Look) -> String {
    var text = ""
    if let dropped = line.integer("dropped") {
        text = look.paint(say("… % lost: they came faster than they were read", count(dropped, "event")), .bad)
    } else if let name = line.text("name") {
        let state = line.text("to") ?? ""
        text = say("% %", look.paint(time(line), .dim), look.paint(fitted(name, to: 64), .bold))
        text += say(": % → ", fitted(ServiceStatus.shown(line.text("from") ?? ""), to: 64))
        text += look.paint(fitted(ServiceStatus.shown(state), to: 64), ServiceStatus.ink(ofState: state, isWell: true))
        if let words = line.text("words"), words != state {
            text += look.paint(say(" (%)", fitted(words, to: 400)), .dim)
        }
    } else if let words = line.text("text") {
        text = say("% %", look.paint(time(line), .dim), tame(words))
    }
    return text.isEmpty ? "" : say("%\n", text)
}
