/// The reader of `[when]`.

extension OpenTable {
    /// Every condition, in the order of the documentation.
    func conditions() -> [Condition] {
        var conditions = [Condition]()
        for (name, span) in strings("env") ?? [] where reading.isVariable(name, span) {
            conditions.append(.environmentTrue(name))
        }
        for (name, span) in strings("env-set") ?? [] where reading.isVariable(name, span) {
            conditions.append(.environmentSet(name))
        }
        for (name, span) in strings("env-unset") ?? [] where reading.isVariable(name, span) {
            conditions.append(.environmentUnset(name))
        }
        for entry in entries("env-equals") {
            guard reading.isVariable(entry.key, entry.keySpan) else { continue }
            switch entry.value.kind {
            case .string(let text):
                if reading.hasNoNUL(text, entry.value.span) {
                    conditions.append(.environmentEquals(name: entry.key, value: text))
                }
            case .integer(let number):
                conditions.append(.environmentEquals(name: entry.key, value: String(number)))
            default:
                reading.error(
                    "wrong-type",
                    say("the value of % in `env-equals` is a string, not %", shown(entry.key), entry.value.kind.phrase),
                    at: entry.value.span, help: "put the value in quotes")
            }
        }
        for path in paths("path-exists") ?? [] { conditions.append(.pathExists(path)) }
        for path in paths("path-missing") ?? [] { conditions.append(.pathMissing(path)) }
        if let tty = boolean("tty") { conditions.append(.tty(tty)) }
        if let root = boolean("root") { conditions.append(.root(root)) }
        if let lists = wordLists("main") { conditions.append(.main(lists)) }
        if let lists = wordLists("main-not") { conditions.append(.mainNot(lists)) }
        return conditions
    }

    /// A path or several, none of them empty.
    func paths(_ key: String) -> [Template]? {
        guard let strings = strings(key) else { return nil }
        var paths = [Template]()
        paths.reserveCapacity(strings.count)
        for (text, span) in strings {
            if text.isEmpty {
                reading.bad(at: span, "a path in `%` cannot be empty", key, help: "name a file or folder")
            } else {
                paths.append(reading.template(text, span))
            }
        }
        return paths
    }

    /// `["gateway", "run"]`, or `[["gateway"], ["dashboard"]]`: lists of at least one word.
    private func wordLists(_ key: String) -> [[String]]? {
        guard let value = value(key), case .array(let values) = value.kind else { return nil }
        var lists = [[String]]()
        var words = [String]()
        for element in values {
            switch element.kind {
            case .string(let word):
                if reading.hasNoNUL(word, element.span) { words.append(word) }
                if lists.isEmpty { continue }
            case .array(let inner):
                lists.append(innerWords(key, element, inner))
                if words.isEmpty { continue }
            default:
                reportElement(key, element, "a word or a list of words")
                continue
            }
            reading.error(
                "wrong-type", say("`%` cannot have words beside lists of words", key), at: element.span,
                help: "put each alternative in brackets of its own, such as [[\"gateway\"], [\"dashboard\"]]")
            return nil
        }
        if values.isEmpty { reportNoWord(key, value.span) }
        return words.isEmpty ? lists : [words]
    }

    private func innerWords(_ key: String, _ value: Value, _ elements: [Value]) -> [String] {
        var words = [String]()
        for element in elements {
            if case .string(let word) = element.kind {
                if reading.hasNoNUL(word, element.span) { words.append(word) }
            } else {
                reportElement(key, element, "a word")
            }
        }
        if elements.isEmpty { reportNoWord(key, value.span) }
        return words
    }

    private func reportNoWord(_ key: String, _ span: Span) {
        reading.bad(
            at: span, "`%` needs at least one word: every command begins with none", key,
            help: say("write the first words of the command, such as [\"gateway\", \"run\"], or leave `%` out", key))
    }
}
