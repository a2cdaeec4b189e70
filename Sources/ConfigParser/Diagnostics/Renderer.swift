/// Diagnostics as plain text for a person, in the form that compilers use: title and code, place, the line with a mark
/// under the wrong text, other places that explain it, notes, help. Never shows a byte of a file that a terminal would
/// act on, and never more of a line than fits beside the mark. Decides nothing: what there is to say stands in the
/// `Diagnostic`.

/// Shows diagnostics to a person.
public struct DiagnosticRenderer {
    private let sources: SourceMap
    private let color: Bool

    /// Columns of a line that are shown at most, and how many of them before the mark where the line is cut.
    private static let widest = 100
    private static let lead = 40

    /// - Parameters:
    ///   - sources: the files that the spans lie in.
    ///   - color: with ANSI colours, for a terminal.
    public init(sources: SourceMap, color: Bool) {
        self.sources = sources
        self.color = color
    }

    /// All of them in the order given, an empty line between, and a last line that counts them; empty for none.
    public func render(_ all: [Diagnostic]) -> String {
        guard !all.isEmpty else { return "" }
        var text = ""
        var errors = 0
        var files = [Int]()
        for diagnostic in all {
            text += say("%\n", render(diagnostic))
            if diagnostic.severity == .error { errors += 1 }
            if let file = diagnostic.primary?.span.file { files.append(Int(file.index)) }
        }
        var fileCount = 0
        var last: Int?
        for place in order(files) where files[place] != last {
            last = files[place]
            fileCount += 1
        }
        var parts = [String]()
        if errors > 0 { parts.append(counted(errors, "error")) }
        if errors < all.count { parts.append(counted(all.count - errors, "warning")) }
        text += parts[0] + (parts.count > 1 ? say(", %", parts[1]) : "")
        if fileCount > 0 { text += say(" in %", counted(fileCount, "file")) }
        return say("%\n", text)
    }

    /// One diagnostic; ends in a line feed.
    public func render(_ diagnostic: Diagnostic) -> String {
        let isError = diagnostic.severity == .error
        let accent = isError ? "1;31" : "1;33"
        var labels = [Diagnostic.Label]()
        if let primary = diagnostic.primary { labels.append(primary) }
        labels += diagnostic.context
        var width = 1
        for label in labels {
            if let place = sources.location(of: label.span) { width = max(width, String(place.line).utf8.count) }
        }
        let gutter = String(repeating: " ", count: width + 2)

        var text = paint(isError ? "error" : "warning", accent) + paint(say(": %", visible(diagnostic.title)), "1")
        text += say(" [%]\n", diagnostic.code)
        var index = 0
        while index < labels.count {
            guard let file = sources.file(labels[index].span.file), let place = sources.location(of: labels[index].span)
            else {
                index += 1
                continue
            }
            let arrow = index == 0 && diagnostic.primary != nil ? "--> " : "::: "
            text += say("%%%:", String(repeating: " ", count: width + 1), paint(arrow, "1;34"), visible(file.path))
            text += say("%:%\n%%\n", String(place.line), String(place.column), gutter, paint("|", "1;34"))
            let line = Excerpt(file.bytes, around: Int(labels[index].span.start), widest: Self.widest, lead: Self.lead)
            let number = String(place.line)
            let padding = String(repeating: " ", count: width + 1 - number.utf8.count)
            text += padding + paint(say("% |", number), "1;34") + (line.text.isEmpty ? "" : " ") + line.text + "\n"
            // Marks on the same line share it.
            var isFirst = true
            while index < labels.count,
                isFirst || isShown(labels[index].span, on: place.line, line, of: labels[index - 1])
            {
                let isPrimary = index == 0 && diagnostic.primary != nil
                text += say("%% ", gutter, paint("|", "1;34"))
                text += say("%\n", mark(labels[index], line, isPrimary: isPrimary, accent))
                isFirst = false
                index += 1
            }
        }
        for note in diagnostic.notes { text += remark("note", note, gutter) }
        if let help = diagnostic.help { text += remark("help", help, gutter) }
        return text
    }

    /// Whether a further label lies on a line that is shown, in the part of it that is shown.
    private func isShown(_ span: Span, on line: Int, _ excerpt: Excerpt, of other: Diagnostic.Label) -> Bool {
        guard span.file == other.span.file && sources.location(of: span)?.line == line else { return false }
        return Int(span.start) >= excerpt.start && Int(span.start) <= excerpt.end
    }

    private func mark(_ label: Diagnostic.Label, _ line: Excerpt, isPrimary: Bool, _ accent: String) -> String {
        let (column, width) = line.columns(Int(label.span.start), Int(label.span.end))
        var text = String(repeating: isPrimary ? "^" : "-", count: width)
        if !label.text.isEmpty { text += say(" %", visible(label.text)) }
        return String(repeating: " ", count: column) + paint(text, isPrimary ? accent : "1;34")
    }

    /// A note or help line; further lines of it are set under the first.
    private func remark(_ kind: String, _ text: String, _ gutter: String) -> String {
        var shown = [UInt8]()
        for byte in visible(text).bytes {
            shown.append(byte)
            if byte == 0x0A { shown += Array(gutter.utf8) + [UInt8](repeating: 0x20, count: 8) }
        }
        return say("%%%: %\n", gutter, paint("= ", "1;34"), paint(kind, "1"), String(decoding: shown, as: UTF8.self))
    }

    private func counted(_ count: Int, _ word: String) -> String {
        say("% %%", String(count), word, count == 1 ? "" : "s")
    }

    /// SGR of ECMA-48.
    @inline(never)
    private func paint(_ text: String, _ style: String) -> String {
        color ? say("\u{1B}[%m%\u{1B}[0m", style, text) : text
    }
}

/// The part of a line around a place, as it is shown.
private struct Excerpt {
    /// The bytes of the file that are shown.
    var start: Int
    var end: Int
    var text = ""
    private var cells: [Cell] = []
    /// The column of each cell, and of the end.
    private var columns: [Int] = []

    /// How far from the place the ends of the line are looked for. A long line is never walked whole.
    private static let reach = 400

    init(_ bytes: [UInt8], around place: Int, widest: Int, lead: Int) {
        let place = min(max(place, 0), bytes.count)
        start = place
        while start > 0 && bytes[start - 1] != 0x0A && place - start < Self.reach { start -= 1 }
        end = place
        while end < bytes.count && bytes[end] != 0x0A && end - place < Self.reach { end += 1 }
        var isCutBefore = start > 0 && bytes[start - 1] != 0x0A
        var isCutAfter = end < bytes.count && bytes[end] != 0x0A
        // A cut never parts a character.
        while isCutBefore && start < place && bytes[start] & 0xC0 == 0x80 { start += 1 }
        while isCutAfter && end > place && bytes[end] & 0xC0 == 0x80 { end -= 1 }
        if !isCutAfter && end < bytes.count && end > start && bytes[end - 1] == 0x0D { end -= 1 }
        if start == 0 && end >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF { start = min(3, place) }

        // Too wide: what lies far before the place goes first.
        measure(bytes)
        if (columns.last ?? 0) > widest || isCutBefore || isCutAfter {
            let column = self.columns(place, place).column
            var first = 0
            while first < cells.count && column - columns[first] > lead { first += 1 }
            if first > 0 {
                isCutBefore = true
                start = cells[first - 1].offset + cells[first - 1].length
                measure(bytes)
            }
            var count = cells.count
            while count > 0 && columns[count] > widest { count -= 1 }
            if count < cells.count {
                isCutAfter = true
                end = cells[count].offset
                measure(bytes)
            }
        }
        var shown = [UInt8]()
        for cell in cells { append(cell, of: bytes, to: &shown) }
        text = String(decoding: shown, as: UTF8.self)
        if isCutAfter { text += "…" }
        if isCutBefore {
            text = say("…%", text)
            for index in columns.indices { columns[index] += 1 }
        }
    }

    private mutating func measure(_ bytes: [UInt8]) {
        cells = []
        columns = [0]
        var offset = start
        var column = 0
        while offset < end {
            let next = cell(bytes, offset, end, column: column)
            cells.append(next)
            offset += next.length
            column += next.width
            columns.append(column)
        }
    }

    /// The column, from 0, and width of a range of the file as far as it is shown; at least one column wide.
    func columns(_ from: Int, _ to: Int) -> (column: Int, width: Int) {
        var first = 0
        while first < cells.count && cells[first].offset + cells[first].length <= from { first += 1 }
        var last = first
        while last < cells.count && cells[last].offset < to { last += 1 }
        return (columns[first], max(columns[last] - columns[first], 1))
    }
}
