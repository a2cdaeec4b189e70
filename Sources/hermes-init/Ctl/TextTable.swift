import ConfigParser

/// Text as `ctl` lays it out: colours, times and sizes for people, and tables that fit a terminal. Pure.

/// A colour, by what it says.
enum Ink: Sendable {
    case plain, good, busy, bad, dim, bold

    var code: String {
        switch self {
        case .plain: ""
        case .good: "32"
        case .busy: "33"
        case .bad: "31"
        case .dim: "2"
        case .bold: "1"
        }
    }
}

/// What text is made for.
struct Look: Sendable {
    var hasColor = false
    /// Columns of the terminal; nil in a pipe, where nothing is cut.
    var columns: Int?

    /// A text in a colour.
    @inline(never)
    func paint(_ text: String, _ ink: Ink) -> String { paint(text, code: ink.code) }

    @inline(never)
    func paint(_ text: String, code: String) -> String {
        hasColor && !code.isEmpty && !text.isEmpty ? say("\u{1B}[%m%\u{1B}[0m", code, text) : text
    }
}

/// "12s", "3m 12s", "5h 2m", "3d 4h".
@inline(never)
func age(_ milliseconds: Int) -> String {
    let seconds = max(0, milliseconds) / 1000
    if seconds < 60 { return say("%s", String(seconds)) }
    var parts: (Int, String, Int, String) = (seconds / 60, "m ", seconds % 60, "s")
    if seconds >= 3600 { parts = (seconds / 3600, "h ", seconds / 60 % 60, "m") }
    if seconds >= 86_400 { parts = (seconds / 86_400, "d ", seconds / 3600 % 24, "h") }
    return String(parts.0) + parts.1 + String(parts.2) + parts.3
}

/// "350 ms", "2.1 s", "3m 12s".
@inline(never)
func seconds(_ milliseconds: Int) -> String {
    let time = max(0, milliseconds)
    if time >= 60_000 { return age(time) }
    if time < 1000 { return say("% ms", String(time)) }
    return say("%.% s", String(time / 1000), String(time / 100 % 10))
}

/// "512 B", "12.3 MiB".
@inline(never)
func size(_ bytes: Int) -> String {
    var tenths = max(0, bytes).multipliedReportingOverflow(by: 10).partialValue
    var unit = 0
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while tenths >= 10_240 && unit < units.count - 1 {
        tenths /= 1024
        unit &+= 1
    }
    let fraction = unit == 0 || tenths >= 1000 ? "" : say(".%", String(tenths % 10))
    return say("%% %", String(tenths / 10), fraction, units[unit])
}

/// Columns of text with a heading. Too wide for the terminal, the last column and the first become narrower,
/// then the others, down to what is the least that tells something; what still does not fit is left out from the right.
struct TextTable {
    private struct Column {
        var title: String
        /// It is made no narrower than this.
        var least: Int
        var isRight: Bool
    }
    private struct Entry {
        var text: String
        var ink: Ink
    }

    private var columns: [Column] = []
    /// Row by row.
    private var entries: [Entry] = []

    @inline(never)
    mutating func column(_ title: String, least: Int = 4, isRight: Bool = false) {
        columns.append(Column(title: title, least: least, isRight: isRight))
    }

    /// The next entry of the row; the one behind the last column begins a new row.
    @inline(never)
    mutating func add(_ text: String, _ ink: Ink = .plain) { entries.append(Entry(text: text, ink: ink)) }

    /// The lines, the heading first; none ends in a blank.
    func lines(_ look: Look) -> [String] {
        var all = [Entry]()
        var widths = [Int]()
        for column in columns {
            all.append(Entry(text: column.title, ink: .bold))
            widths.append(0)
        }
        all += entries
        for (place, entry) in all.enumerated() {
            widths[place % columns.count] = max(widths[place % columns.count], ConfigParser.columns(of: entry.text))
        }
        if let limit = look.columns { fit(&widths, limit) }
        var lines = [String]()
        var start = 0
        while start < all.count {
            lines.append(line(all[start...], widths, look))
            start &+= columns.count
        }
        return lines
    }

    private func fit(_ widths: inout [Int], _ limit: Int) {
        var total = 0
        for width in widths { total &+= width &+ 2 }
        var over = total &- 2 &- limit
        // The last column first, then the first, then from the right.
        for turn in widths.indices {
            let place = turn == 0 ? widths.count &- 1 : turn == 1 ? 0 : widths.count &- turn
            let less = min(max(0, over), max(0, widths[place] &- columns[place].least))
            widths[place] &-= less
            over &-= less
        }
        while over > 0, widths.count > 1, let last = widths.popLast() { over &-= last &+ 2 }
    }

    private func line(_ row: ArraySlice<Entry>, _ widths: [Int], _ look: Look) -> String {
        var text = ""
        /// Blanks that stand in front of the next text, so that none end the line.
        var gap = 0
        for (entry, place) in zip(row, widths.indices) {
            let cell = fitted(entry.text, to: widths[place])
            let blanks = widths[place] &- ConfigParser.columns(of: cell)
            if columns[place].isRight { gap &+= blanks }
            if !cell.isEmpty {
                text += String(repeating: " ", count: max(0, gap)) + look.paint(cell, entry.ink)
                gap = 0
            }
            gap &+= columns[place].isRight ? 2 : blanks &+ 2
        }
        return text
    }
}
