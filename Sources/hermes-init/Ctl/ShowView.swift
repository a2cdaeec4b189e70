import ConfigParser

/// `ctl show`: the configuration that is in force, as a service file that could have said the same. A pure function of the
/// answer.
enum ShowView {
    static func lines(_ shown: JSONValue, _ look: Look) -> [String] {
        var lines = [String]()
        func comment(_ head: String, _ words: [String]) {
            if !words.isEmpty { lines.append(look.paint(say("# %%", head, fitted(joined(words), to: 4096)), .dim)) }
        }
        let files = shown.texts("files")
        comment("", files.isEmpty ? shown.text("file").map { [$0] } ?? [] : files)
        let keys: [(Literal, String)] = [("waits-for", "waits for "), ("needed-by", "needed by ")]
        for (key, head) in keys {
            var names = [String]()
            for item in shown.items(key) {
                if case .string(let name) = item { names.append(name) } else { names.append(item.text("name") ?? "?") }
            }
            comment(head, names)
        }
        if let configuration = shown["configuration"] { table(configuration, [], look, &lines) }
        return lines
    }

    /// First the values, then the tables, as TOML wants it. No deeper than JSONValue goes.
    private static func table(_ value: JSONValue, _ path: [String], _ look: Look, _ lines: inout [String]) {
        guard case .object(let members) = value else { return }
        for member in members {
            if isTable(member.value) { continue }
            if case .null = member.value { continue }
            lines.append(say("% = %", key(member.key), fitted(text(member.value), to: 65_536)))
        }
        for member in members where isTable(member.value) {
            let inner = path + [key(member.key)]
            var name = ""
            for part in inner { name += (name.isEmpty ? "" : ".") + part }
            if case .array(let items) = member.value {
                for item in items {
                    lines.append("")
                    lines.append(look.paint(say("[[%]]", name), .bold))
                    table(item, inner, look, &lines)
                }
                continue
            }
            lines.append("")
            lines.append(look.paint(say("[%]", name), .bold))
            table(member.value, inner, look, &lines)
        }
    }

    /// A table, or several of them.
    private static func isTable(_ value: JSONValue) -> Bool {
        switch value {
        case .object: return true
        case .array(let items):
            for item in items {
                guard case .object = item else { return false }
            }
            return !items.isEmpty
        default: return false
        }
    }

    private static func key(_ name: String) -> String {
        for byte in name.bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: continue
            default: return text(.string(name))
            }
        }
        return name.isEmpty ? "\"\"" : fitted(name, to: 256)
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: return "\"\""
        case .boolean(let value): return value ? "true" : "false"
        case .number(let thousandths):
            var text = String(thousandths / 1000)
            let fraction = abs(thousandths % 1000)
            if fraction > 0 {
                var digits = String(1000 &+ fraction).bytes[1...]
                while digits.last == 0x30 { digits.removeLast() }
                text += say(".%", String(decoding: digits, as: UTF8.self))
            }
            return text
        case .string(let value):
            var json = JSONWriter(pretty: false)
            json.string(value)
            return String(decoding: json.bytes, as: UTF8.self)
        case .array(let items):
            var all = ""
            for item in items { all += (all.isEmpty ? "" : ", ") + text(item) }
            return say("[%]", all)
        case .object(let members):
            var all = ""
            for member in members {
                all += say("%% = %", all.isEmpty ? " " : ", ", key(member.key), text(member.value))
            }
            return say("{% }", all)
        }
    }
}
