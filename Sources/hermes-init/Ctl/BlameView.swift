import ConfigParser

/// `ctl blame` and `--plan --timings`: what took how long at the last boot, as bars in a terminal and as a picture (SVG). Pure
/// functions of the answer to `blame`. Moments are milliseconds since the boot began.
struct BlameView {
    struct Bar {
        var name: String
        /// When it was to start, when it did, and when it was up.
        var asked: Int
        var started: Int
        var up: Int?
        var waitedFor: String
        /// It is one of those that decided how long the boot took.
        var isCritical = false
    }

    var bars: [Bar] = []
    var total = 0
    var critical: [String] = []

    mutating func add(_ line: JSONValue) {
        let asked = max(0, line.integer("asked") ?? 0)
        let started = max(asked, line.integer("started") ?? asked)
        bars.append(
            Bar(
                name: line.text("name") ?? "?", asked: asked, started: started,
                up: line.integer("up").map { max(started, $0) }, waitedFor: line.text("waited-for") ?? ""))
    }

    /// The last line of the answer.
    mutating func finish(_ line: JSONValue) {
        critical = line.texts("critical")
        total = max(0, line.integer("total") ?? 0)
        var starts = [Int]()
        for place in bars.indices {
            bars[place].isCritical = has(critical, bars[place].name)
            starts.append(bars[place].started)
        }
        var sorted = [Bar]()
        for place in order(starts) { sorted.append(bars[place]) }
        bars = sorted
    }

    /// Where the scale ends; at least 1.
    private var end: Int {
        var end = max(1, total)
        for bar in bars { end = max(end, bar.up ?? bar.started) }
        return end
    }

    /// "booted in 1.2 s; home, db, web decided how long it took".
    var heading: String {
        var text = total > 0 ? say("the boot took %", seconds(total)) : "the boot is not done yet"
        if !critical.isEmpty {
            text += say("; % decided that", joined(critical, last: " and "))
        }
        return text
    }

    private func duration(_ bar: Bar) -> String {
        bar.up.map { seconds($0 &- bar.started) } ?? "not up"
    }

    func lines(_ look: Look) -> [String] {
        var lines = [look.paint(fitted(heading, to: 4096), .bold)]
        if bars.isEmpty { return lines }
        var nameWidth = 4
        for bar in bars { nameWidth = min(24, max(nameWidth, columns(of: bar.name))) }
        let width = max(10, min(100, (look.columns ?? 80) &- nameWidth &- 14))
        let end = end
        func place(_ moment: Int) -> Int {
            min(width, moment.multipliedReportingOverflow(by: width).partialValue / end)
        }
        for bar in bars {
            let begin = min(place(bar.asked), width &- 1)
            let middle = max(begin, min(place(bar.started), width &- 1))
            let stop = max(middle &+ 1, place(bar.up ?? end))
            var text = say("%%  ", bar.isCritical ? "* " : "  ", fitted(bar.name, to: nameWidth, padding: nameWidth))
            text += String(repeating: " ", count: begin)
            text += look.paint(String(repeating: "░", count: middle &- begin), .dim)
            let ink = bar.up == nil ? Ink.bad : bar.isCritical ? .busy : .good
            text += look.paint(String(repeating: bar.up == nil ? "▒" : "█", count: stop &- middle), ink)
            text += String(repeating: " ", count: max(0, width &- stop))
            let time = duration(bar)
            text += String(repeating: " ", count: max(1, 10 &- time.utf8.count)) + time
            lines.append(text)
        }
        return lines
    }

    // MARK: - The picture

    /// An SVG of its own: no script, no font but the viewer's, nothing from elsewhere.
    var picture: String {
        let end = end
        let left = 200
        let width = 900
        let row = 22
        let height = 70 &+ bars.count &* row
        func place(_ moment: Int) -> Int { left &+ moment.multipliedReportingOverflow(by: width).partialValue / end }
        let size = (String(left &+ width &+ 120), String(height))
        var text = say(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 % %" font-family="sans-serif" font-size="12">
            <title>hermes-init: the boot</title>
            <rect width="%" height="%" fill="#fff"/>

            """, size.0, size.1, size.0, size.1)
        text += say("<text x=\"12\" y=\"22\" font-size=\"14\">%</text>\n", xml(heading))
        let bottom = String(height &- 8)
        let step = BlameView.step(end)
        var tick = 0
        while tick <= end {
            let x = String(place(tick))
            text += say("<line x1=\"%\" y1=\"48\" x2=\"%\" y2=\"%\" stroke=\"#ddd\"/>\n", x, x, bottom)
            text += say("<text x=\"%\" y=\"42\" text-anchor=\"middle\" fill=\"#666\">%</text>\n", x, seconds(tick))
            tick = tick &+ step
        }
        var top = 54
        for bar in bars {
            let base = String(top &+ 13)
            text += say("<text x=\"%\" y=\"%\" text-anchor=\"end\">%</text>\n", String(left &- 8), base, xml(bar.name))
            let started = place(bar.started)
            let stop = place(bar.up ?? end)
            text += rectangle(from: place(bar.asked), to: started, top: top, color: "#cfd8dc")
            text += rectangle(
                from: started, to: max(started &+ 2, stop), top: top,
                color: bar.up == nil ? "#c62828" : bar.isCritical ? "#ef6c00" : "#2e7d32")
            let note = bar.waitedFor.isEmpty ? "" : say(", waited for %", bar.waitedFor)
            text += say(
                "<text x=\"%\" y=\"%\" fill=\"#666\">%</text>\n", String(max(started &+ 2, stop) &+ 6), base,
                xml(duration(bar) + note))
            top &+= row
        }
        return say("%</svg>\n", text)
    }

    private func rectangle(from: Int, to: Int, top: Int, color: String) -> String {
        if to <= from { return "" }
        return say("<rect x=\"%\" y=\"%\" width=\"%\" height=\"18\" ", String(from), String(top), String(to &- from))
            + say("fill=\"%\"/>\n", color)
    }

    /// 1, 2 or 5 times a power of ten, so that there are 5 to 12 lines.
    private static func step(_ end: Int) -> Int {
        var step = 1
        var turn = 0
        while end / step > 12 && step < Int.max / 16 {
            step = turn % 3 == 1 ? step / 2 &* 5 : step &* 2
            turn &+= 1
        }
        return step
    }

    /// Text between tags, also for attributes; what XML cannot hold is shown by its number.
    private func xml(_ text: String) -> String {
        var result = [UInt8]()
        for byte in fitted(text, to: 200).bytes {
            switch byte {
            case 0x26: result += "&amp;".bytes
            case 0x3C: result += "&lt;".bytes
            case 0x3E: result += "&gt;".bytes
            case 0x22: result += "&quot;".bytes
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
