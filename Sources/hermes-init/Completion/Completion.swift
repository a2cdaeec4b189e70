import ConfigParser
import Runtime
import System

/// What a shell may offer for the word at the cursor: a pure function of the words before it and of the names of services,
/// which are asked for only where they could stand. Says nothing where nothing fits; never an error, which would stand in the
/// middle of somebody's command line.
struct Completion {
    /// The names of the services that are there; nothing where no init runs.
    var services: () -> [String]

    /// Candidates, a line each: the word, a tab, what it means. `:files` and `:folders` leave it to the shell.
    /// - Parameter words: those behind the program's name; the last is the one to be completed, and may be empty.
    @inline(never)
    func lines(_ words: [[UInt8]]) -> String {
        var before = [String]()
        for word in words.dropLast() { before.append(String(decoding: word, as: UTF8.self)) }
        let current = words.last ?? []
        var text = ""
        for candidate in candidates(before, String(decoding: current, as: UTF8.self)) {
            if candidate.word.bytes.first == 0x3A {
                text += say("%\n", candidate.word)
            } else if candidate.word.bytes.starts(with: current) {
                text += say("%\t%\n", candidate.word, candidate.summary)
            }
        }
        return text
    }

    struct Candidate {
        var word: String
        var summary = ""
    }

    /// A subcommand, and what can stand behind it.
    struct Command {
        var name: String
        var summary: String
        /// Options; those with a value end in "=" and the values: words with bars between, `:files`, `:folders`.
        var options: [String] = []
        /// What its words are: as the values above, or `:services`.
        var words = ""
    }

    static let commands = [
        Command(name: "ctl", summary: "ask the init that runs here, or tell it what to do"),
        Command(
            name: "check", summary: "check the service files",
            options: [
                "--config=:folders", "--root=:folders", "--format=text|json|sarif|github", "--strict",
                "--color=auto|always|never", "--files-only", "--stdin-name=:files",
            ]),
        Command(
            name: "plan", summary: "what would start, in which order",
            options: ["--config=:folders", "--format=text|json|dot|mermaid", "--timings", "--svg=:files"]),
        Command(name: "schema", summary: "the JSON Schema of the files", words: "service|drop-in|init"),
        Command(
            name: "stage", summary: "run one stage by hand", options: ["--dry-run", "--config=:folders"],
            words: ":services"),
        Command(
            name: "exec", summary: "run a program as a service would be run, or as a user",
            options: ["--like=:services", "--user", "--here", "--config=:folders"], words: ":files"),
        Command(name: "shim", summary: "the interpreter of a file that stands in for a program", words: ":files"),
        Command(name: "health", summary: "whether every service is well"),
        Command(name: "explain", summary: "what the code of a message means", words: ":codes"),
        Command(
            name: "toml", summary: "a TOML file as JSON", options: ["--typed", "--toml=1.0|1.1"], words: ":files"),
        Command(name: "completion", summary: "the completion of a shell", words: "bash|zsh|fish"),
    ]

    func candidates(_ before: [String], _ current: String) -> [Candidate] {
        // Behind "--" stand the words of a program.
        if has(before, "--") { return [] }
        var command: Command?
        var place = 0
        // Options of a boot may stand in front: --config DIR.
        while place < before.count, command == nil {
            for known in Completion.commands
            where before[place] == known.name || before[place] == say("--%", known.name) {
                command = known
            }
            place &+= 1
        }
        let isOption = current.bytes.first == 0x2D
        guard let command else {
            if let last = before.last, last == "--config" { return [Candidate(word: ":folders")] }
            if isOption { return named(["--config", "--check", "--plan", "--schema", "--version", "--help", "--"]) }
            var all = [Candidate]()
            for known in Completion.commands { all.append(Candidate(word: known.name, summary: known.summary)) }
            return all
        }
        var rest = [String]()
        // bash may hand over "=" as a word of its own.
        for word in before[place...] where word != "=" { rest.append(word) }
        if command.name == "ctl" { return verbs(rest, isOption) }
        if let last = rest.last {
            for option in command.options {
                let (name, value) = split(option)
                if name == last && !value.isEmpty { return values(value) }
            }
        }
        if isOption {
            var names = ["--help"]
            for option in command.options { names.append(split(option).name) }
            return named(names)
        }
        return values(command.words)
    }

    private func split(_ option: String) -> (name: String, value: String) {
        let bytes = option.bytes
        guard let equals = bytes.firstIndex(of: 0x3D) else { return (option, "") }
        return (
            String(decoding: bytes[..<equals], as: UTF8.self), String(decoding: bytes[(equals + 1)...], as: UTF8.self)
        )
    }

    private func values(_ words: String) -> [Candidate] {
        if words == ":services" { return named(services()) }
        if words == ":codes" { return named(Explanation.codes) }
        if words.bytes.first == 0x3A { return [Candidate(word: words)] }
        var all = [String]()
        for word in words.bytes.split(separator: 0x7C) { all.append(String(decoding: word, as: UTF8.self)) }
        return named(all)
    }

    private func named(_ words: [String]) -> [Candidate] {
        var all = [Candidate]()
        for word in words { all.append(Candidate(word: word)) }
        return all
    }

    /// Behind `ctl`.
    private func verbs(_ rest: [String], _ isOption: Bool) -> [Candidate] {
        var verb: CtlVerb?
        var words = [String]()
        var pending: CtlOptions.Info?
        for word in rest {
            if pending != nil {
                pending = nil
                continue
            }
            if word.bytes.first == 0x2D {
                for info in CtlOptions.table where !info.value.isEmpty && (word == info.name || word == info.letter) {
                    pending = info
                }
            } else if verb == nil {
                verb = CtlVerb.named(word.bytes)
                if verb == nil { return [] }
            } else {
                words.append(word)
            }
        }
        if let pending {
            if pending.option == .color { return named(ColorChoice.words) }
            return pending.option == .svg ? [Candidate(word: ":files")] : []
        }
        var all = [Candidate]()
        if isOption {
            let options = verb?.info.options.union(.common) ?? .common
            for info in CtlOptions.table where options.contains(info.option) {
                all.append(Candidate(word: info.name, summary: info.summary))
            }
            return all
        }
        guard let verb else {
            for verb in CtlVerb.allCases { all.append(Candidate(word: verb.name, summary: verb.info.summary)) }
            return all
        }
        switch verb.info.words {
        case .none, .code: return []
        case .oneName: if !words.isEmpty { return [] }
        case .signalAndNames:
            if words.isEmpty { return named(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"]) }
        case .anyNames, .names: break
        }
        for name in services() where !has(words, name) { all.append(Candidate(word: name)) }
        return all
    }
}
