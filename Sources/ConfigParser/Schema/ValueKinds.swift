/// The kinds of values: which types of TOML each takes, and how that is said to a person.

extension ValueKind {
    /// Whether a value of that type of TOML can be read as it.
    func accepts(_ kind: Value.Kind) -> Bool {
        switch (self, kind) {
        case (.text, .string), (.template, .string), (.choice, .string), (.boolean, .boolean), (.integer, .integer),
            (.number, .integer), (.number, .float), (.duration, .string), (.duration, .integer), (.duration, .float),
            (.names, .array), (.command, .array), (.paths, .array), (.pathOrPaths, .string), (.pathOrPaths, .array),
            (.variables, .string), (.variables, .array), (.account, .string), (.account, .integer),
            (.accounts, .array), (.mode, .string), (.mode, .integer), (.signal, .string), (.signal, .integer),
            (.exitConditions, .array), (.wordLists, .array), (.table, .table), (.open, .table), (.size, .string),
            (.size, .integer), (.limit, .string), (.limit, .integer), (.amount, .string), (.amount, .integer),
            (.amount(.processors), .float), (.capabilities, .array), (.notify, .string), (.notify, .integer),
            (.fileMode, .string), (.fileMode, .integer), (.content, .string), (.templates, .string),
            (.templates, .array), (.modes, .table), (.tables, .array), (.flag, .boolean), (.flag, .table),
            (.operators, .array), (.patterns, .array):
            return true
        default:
            return false
        }
    }

    /// What it takes, as it stands in "`key` takes …".
    var phrase: String {
        switch self {
        case .text, .template, .content: return "a string"
        case .templates: return "a string or a list of strings"
        case .modes: return "a table of paths and their modes"
        case .tables(let table): return say("tables below lines %", table.header)
        case .boolean: return "true or false"
        case .flag: return "true, false or a table"
        case .operators: return "a list of users and tables"
        case .patterns: return "a list of names"
        case .integer: return "an integer"
        case .number: return "a number"
        case .duration: return "a duration"
        case .choice: return "a word"
        case .names: return "a list of service names"
        case .command: return "a list of strings"
        case .paths: return "a list of paths"
        case .pathOrPaths: return "a path or a list of paths"
        case .variables: return "a variable's name or a list of them"
        case .account: return "a name or a number"
        case .accounts: return "a list of names and numbers"
        case .mode, .fileMode: return "octal digits"
        case .signal: return "a signal"
        case .exitConditions: return "a list of exit codes and signal names"
        case .wordLists: return "a list of words, or a list of such lists"
        case .size: return "a size"
        case .limit: return "a limit"
        case .amount: return "a limit or \"max\""
        case .capabilities: return "a list of names"
        case .notify: return "a descriptor or \"systemd\""
        case .table: return "a table"
        case .open(let content): return say("a table of %", content.phrase)
        }
    }

    /// How a value of it is written.
    var example: String? {
        switch self {
        case .text, .template, .table, .open, .content: return nil
        case .templates: return "write a string such as \"web\", or several in brackets"
        case .modes: return "write them as \"PATH\" = \"0640\""
        case .tables(let table): return say("write a line % above its keys", table.header)
        case .fileMode: return "write it as \"0640\" or 0o640"
        case .boolean: return "write true or false, without quotes"
        case .flag(let table): return say("write true or false, without quotes, or keys below a line %", table.header)
        case .operators: return "write them in brackets, such as [\"admin\", { group = \"ops\" }]"
        case .patterns: return "write names in brackets, such as [\"gateway@*\"]"
        case .integer: return "write an integer without quotes, such as 5"
        case .number: return "write a number without quotes, such as 1.5"
        case .duration: return "write a duration such as \"500ms\", \"10s\" or \"1m30s\", or a number of seconds"
        case .choice(let words): return say("write %", quotedChoice(words))
        case .names: return "write names in brackets, such as [\"database\"]"
        case .command: return "write the program and its arguments as a list, such as [\"sleep\", \"60\"]"
        case .paths: return "write paths in brackets, such as [\"/etc/web.env\"]"
        case .pathOrPaths: return "write a path such as \"/run/ready\", or several in brackets"
        case .variables: return "write a name such as \"DEBUG\", or several in brackets"
        case .account: return "write a name such as \"www-data\", or a number such as 1000"
        case .accounts: return "write names and numbers in brackets, such as [\"video\", 1000]"
        case .mode: return "write it as \"022\" or 0o022"
        case .signal: return "write a signal such as \"SIGTERM\""
        case .exitConditions: return "write them in brackets, such as [0, 78, \"SIGTERM\"]"
        case .wordLists: return "write words in brackets, such as [\"gateway\", \"run\"]"
        case .size: return "write a size such as \"64K\" or \"1MiB\", or a number of bytes"
        case .limit(let unit):
            return say(
                "write one limit such as %, a soft and a hard one such as \"%:%\", or \"unlimited\"", unit.example(0),
                unit.example(1), unit.example(2))
        case .amount(let unit): return say("write %, or \"max\" for no limit", unit.example(3))
        case .capabilities: return "write names in brackets, such as [\"NET_BIND_SERVICE\"]"
        case .notify: return "write a descriptor such as 3, or \"systemd\""
        }
    }
}

extension Unit {
    /// How one limit is written, a soft and a hard one behind each other, and a limit of a cgroup.
    func example(_ place: Int) -> String {
        let words: [StaticString]
        switch self {
        case .bytes: words = ["\"512M\"", "8M", "unlimited", "a size such as \"512M\""]
        case .count: words = ["4096", "1024", "4096", "a number such as 100"]
        case .seconds: words = ["\"1h\"", "60s", "90s", ""]
        case .processors: words = ["", "", "", "a number of processors such as 1.5"]
        }
        return words[min(max(place, 0), words.count &- 1)].description
    }
}

extension Value.Kind {
    /// Its type with an article, as it stands in "not …".
    var phrase: String {
        switch self {
        case .string: return "a string"
        case .integer: return "an integer"
        case .float: return "a float"
        case .boolean(let value): return value ? "true" : "false"
        case .dateTime: return "a date or time"
        case .array: return "a list"
        case .table: return "a table"
        }
    }
}
