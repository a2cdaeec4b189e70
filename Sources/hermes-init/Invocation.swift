import ConfigParser
import Runtime

/// What the program was called to do: the whole command line, read once, as a value. A pure function of the arguments and
/// of a few variables; nothing is opened, printed or started here, and no argument of the main program is ever read as
/// an option.
///
/// The name that the program was called by decides first: `init` gives every word to the main program; `tini`,
/// `tini-static` and `dumb-init` have the command lines of those programs; every other name is hermes-init. There the first
/// word that is no option and stands before `--` must be a subcommand: a program is only run behind `--`, so that a
/// mistyped subcommand is an error and not a container whose main program cannot be found.
indirect enum Invocation: Sendable {
    /// Boot the services and run the main program.
    case boot(BootOptions)
    /// Read the files, report what is wrong with them, start nothing.
    case check(CheckOptions)
    /// Show what would start, start nothing. The arguments are the main program's.
    case plan(ConfigurationFolders, arguments: [[UInt8]], format: PlanFormat)
    /// The plan, and how long the last boot took; with a file: that as a picture instead.
    case timings(ConfigurationFolders, arguments: [[UInt8]], picture: [UInt8]?)
    /// Print the JSON Schema of the files.
    case schema(SchemaSubject)
    /// A TOML file as JSON.
    case toml(TOMLRequest)
    /// Say whether every service of the init that runs here is well.
    case health
    /// Run one stage by hand, or list them.
    case stage(StageRequest)
    /// Become a program, as a service would be run.
    case exec(ExecRequest)
    /// Become the program that a file stands in for.
    case shim([UInt8], ArraySlice<[UInt8]>)
    /// Ask the init that runs here.
    case ctl(CtlRequest)
    /// What a shell may offer for the last of these words.
    case complete([[UInt8]])
    /// Print this and end: help, the version, or why the command line is wrong.
    case answer(Answer)

    /// Reads a command line.
    /// - Parameters:
    ///   - arguments: argv, with the name of the program in front. May be empty.
    ///   - environment: a variable's value, nil where it is not set.
    static func parse(arguments: [[UInt8]], environment: (String) -> [UInt8]?) -> Invocation {
        let name = lastComponent(arguments.first ?? [])
        if isWord(name, "init") {
            var options = BootOptions()
            options.arguments = [[UInt8]](arguments.dropFirst())
            return .boot(options)
        }
        if isWord(name, "tini") || isWord(name, "tini-static") {
            return TiniCommandLine.parse(arguments, environment: environment)
        }
        if isWord(name, "dumb-init") { return DumbInitCommandLine.parse(arguments, environment: environment) }
        var reader = CommandLineReader([[UInt8]](arguments.dropFirst()))
        return reader.read()
    }
}

/// The folders to read, weakest first, and whether each of them must be there.
struct ConfigurationFolders: Sendable, Equatable {
    var paths: [[UInt8]] = BootOptions.defaultFolders
    /// Folders named by `--config` must be there; of the usual ones any may be missing.
    var areRequired = false
}

/// What `--check` is to look at, and how it is to say what it found.
struct CheckOptions: Sendable, Equatable {
    var folders = ConfigurationFolders()
    /// The folder that an image lies unpacked in.
    var root: [UInt8]?
    var format = CheckFormat.text
    var color = ColorChoice.automatic
    /// Warnings count, too.
    var isStrict = false
    /// Users, programs and folders are not looked for.
    var isFilesOnly = false
    /// The name of the one file that is read from standard input; nil: the folders are read.
    var inputName: [UInt8]?
}

/// `--color`.
enum ColorChoice: Int, Sendable {
    case automatic, always, never
    static let words = ["auto", "always", "never"]
}

/// A text to print, where to, and the exit code that goes with it.
struct Answer: Sendable, Equatable {
    enum Stream: Sendable { case standardOutput, standardError }
    var text: String
    var stream: Stream
    var exitCode: Int32

    init(_ text: String, stream: Stream = .standardOutput, exitCode: Int32 = 0) {
        self.text = text
        self.stream = stream
        self.exitCode = exitCode
    }
}

/// A mistake on the command line: shown on standard error, with exit code 64 (EX_USAGE of sysexits.h).
final class UsageError: Error {
    /// What is wrong, without a full stop.
    let title: String
    /// What to do, each a line.
    let remedies: [String]
    let topic: HelpTopic

    static let exitCode: Int32 = 64

    /// With one remedy, both written down.
    @inline(never)
    convenience init(title: Literal, remedy: Literal, topic: HelpTopic) {
        self.init(title: title.text, remedies: [remedy.text], topic: topic)
    }

    /// With one remedy.
    @inline(never)
    @_disfavoredOverload
    convenience init(title: String, remedy: String, topic: HelpTopic) {
        self.init(title: title, remedies: [remedy], topic: topic)
    }

    @inline(never)
    init(title: String, remedies: [String], topic: HelpTopic = .general) {
        self.title = title
        self.remedies = remedies
        self.topic = topic
    }

    var answer: Answer {
        var text = say("hermes-init: %\n", title)
        for remedy in remedies { text += say("  %\n", remedy) }
        text += say("  \"hermes-init %--help\" tells more\n", topic.command)
        return Answer(text, stream: .standardError, exitCode: UsageError.exitCode)
    }
}

/// Reads hermes-init's own command line, one word after the other.
private struct CommandLineReader {
    /// What was asked for instead of a boot.
    enum Mode { case check, plan, schema }

    let words: [[UInt8]]
    var index = 0
    var mode: Mode?
    var namedFolders: [[UInt8]] = []
    /// The word behind `--format`.
    var format: [UInt8]?
    var subject: SchemaSubject?
    /// `--timings` and `--svg`.
    var showsTimings = false
    var picture: [UInt8]?
    /// What the options of `--check` say, and the first of these options.
    var checkOptions = CheckOptions()
    var checkOption: [UInt8]?
    /// `-` stands there.
    var readsInput = false

    init(_ words: [[UInt8]]) { self.words = words }

    var topic: HelpTopic {
        switch mode {
        case .check: .check
        case .plan: .plan
        case .schema: .schema
        case nil: .general
        }
    }

    mutating func read() -> Invocation {
        do throws(UsageError) {
            return try readWords()
        } catch {
            return .answer(error.answer)
        }
    }

    private mutating func readWords() throws(UsageError) -> Invocation {
        while index < words.count {
            let word = words[index]
            if isWord(word, "--") { return try finish([[UInt8]](words[(index + 1)...])) }
            guard word.count > 1 && word[0] == 0x2D else {
                if let invocation = try readSubcommand(word) { return invocation }
                index += 1
                continue
            }
            if let answer = try readOption(word) { return .answer(answer) }
            index += 1
        }
        return try finish([])
    }

    /// An option; the value in the next word is taken too. Gives an answer where the option asks for one.
    private mutating func readOption(_ word: [UInt8]) throws(UsageError) -> Answer? {
        let equals = word[1] == 0x2D ? word.firstIndex(of: 0x3D) : nil
        let name = [UInt8](word[..<(equals ?? word.count)])
        if isWord(name, "--config") {
            try readFolder(equals.map { [UInt8](word[($0 + 1)...]) })
            return nil
        }
        if isWord(name, "--format") {
            try readFormat(equals.map { [UInt8](word[($0 + 1)...]) })
            return nil
        }
        if try readCheckOption(name, equals.map { [UInt8](word[($0 + 1)...]) }) { return nil }
        if isWord(name, "--svg") {
            picture = try readValue(name, equals.map { [UInt8](word[($0 + 1)...]) }, "a file, such as: --svg boot.svg")
            return nil
        }
        if isWord(name, "--timings") && equals == nil {
            showsTimings = true
            return nil
        }
        let isHelp = isWord(name, "--help") || isWord(name, "-h")
        let isVersion = isWord(name, "--version") || isWord(name, "-V")
        let isCheck = isWord(name, "--check")
        let isSchema = isWord(name, "--schema")
        guard isHelp || isVersion || isCheck || isSchema || isWord(name, "--plan") else { throw unknownOption(name) }
        if equals != nil {
            throw usage(say("% takes no value", quoted([name])), "", topic)
        }
        if isVersion { return Answer(say("%\n", Version.line)) }
        if isHelp { return Answer(helpTopic().text) }
        try choose(isCheck ? .check : isSchema ? .schema : .plan)
        return nil
    }

    /// What `--help` is about: the mode that was named before it or stands right behind it.
    private func helpTopic() -> HelpTopic {
        guard mode == nil, index + 1 < words.count else { return topic }
        let next = words[index + 1]
        if isWord(next, "check") || isWord(next, "--check") { return .check }
        if isWord(next, "plan") || isWord(next, "--plan") { return .plan }
        if isWord(next, "toml") { return .toml }
        if isWord(next, "explain") { return .explain }
        if isWord(next, "health") { return .health }
        if isWord(next, "stage") { return .stage }
        if isWord(next, "exec") { return .exec }
        if isWord(next, "shim") { return .shim }
        if isWord(next, "ctl") { return .ctl }
        if isWord(next, "completion") { return .completion }
        if isWord(next, "schema") || isWord(next, "--schema") { return .schema }
        return topic
    }

    /// An option of `--check`; false where the word is none.
    private mutating func readCheckOption(_ name: [UInt8], _ value: [UInt8]?) throws(UsageError) -> Bool {
        let isStrict = isWord(name, "--strict")
        if isStrict || isWord(name, "--files-only") {
            if value != nil { throw usage(say("% takes no value", quoted([name])), "", .check) }
            if isStrict { checkOptions.isStrict = true } else { checkOptions.isFilesOnly = true }
        } else if isWord(name, "--root") {
            checkOptions.root = try readValue(name, value, "a folder, such as: --root ./image")
        } else if isWord(name, "--stdin-name") {
            checkOptions.inputName = try readValue(name, value, "a name, such as: --stdin-name web.toml")
        } else if isWord(name, "--color") {
            let color = try readChoice(name, value, ColorChoice.words)
            checkOptions.color = ColorChoice(rawValue: color) ?? .automatic
        } else {
            return false
        }
        if checkOption == nil { checkOption = name }
        return true
    }

    /// The value of an option, from behind `=` or from the next word.
    private mutating func readValue(
        _ name: [UInt8], _ value: [UInt8]?, _ example: String
    ) throws(UsageError) -> [UInt8] {
        var result = value ?? []
        if value == nil && index + 1 < words.count && !isWord(words[index + 1], "--") {
            index += 1
            result = words[index]
        }
        if result.isEmpty { throw usage(say("% needs a value", quoted([name])), example, topic) }
        return result
    }

    /// The place of the value among those that an option can have.
    private mutating func readChoice(
        _ name: [UInt8], _ value: [UInt8]?, _ choices: [String]
    ) throws(UsageError) -> Int {
        let remedy = say("write one of: %", joined(choices))
        let word = try readValue(name, value, remedy)
        if let place = choice(word, choices) { return place }
        throw usage(say("% cannot be %", quoted([name]), quoted([word])), remedy, topic)
    }

    /// Which of the words this is.
    private func choice(_ word: [UInt8], _ choices: [String]) -> Int? {
        for place in choices.indices where word.elementsEqual(choices[place].utf8) { return place }
        return nil
    }

    /// The folder of `--config`, from behind `=` or from the next word.
    private mutating func readFolder(_ value: [UInt8]?) throws(UsageError) {
        var folder = value ?? []
        if value == nil && index + 1 < words.count && !isWord(words[index + 1], "--") {
            index += 1
            folder = words[index]
        }
        if folder.isEmpty {
            throw usage("--config needs a folder", "such as: --config /etc/hermes-init.d", topic)
        }
        namedFolders.append(folder)
    }

    /// The word of `--format`, from behind `=` or from the next word; which words there are depends on the mode.
    private mutating func readFormat(_ value: [UInt8]?) throws(UsageError) {
        format = value ?? []
        if value == nil && index + 1 < words.count && !isWord(words[index + 1], "--") {
            index += 1
            format = words[index]
        }
    }

    private func planFormat() throws(UsageError) -> PlanFormat {
        guard let format else { return .text }
        if isWord(format, "text") { return .text }
        if isWord(format, "json") { return .json }
        if isWord(format, "dot") { return .dot }
        if isWord(format, "mermaid") { return .mermaid }
        throw UsageError(
            title: say("plan has no format %", quoted([format])), remedy: "write one of: text, json, dot, mermaid",
            topic: .plan)
    }

    private mutating func choose(_ new: Mode) throws(UsageError) {
        if let mode, mode != new {
            throw usage("check, plan and schema cannot be asked for at once", "write one of them")
        }
        mode = new
    }

    /// A word before `--` that is no option. A subcommand with words of its own reads all of the rest.
    private mutating func readSubcommand(_ word: [UInt8]) throws(UsageError) -> Invocation? {
        if mode == .check {
            if isWord(word, "-") {
                readsInput = true
                return nil
            }
            throw UsageError(
                title: say("check takes no words: cannot use %", quoted([word])),
                remedy: say("a folder is named with: --config %", quoted([word])), topic: .check)
        }
        if mode == .plan {
            throw UsageError(
                title: "plan takes the main program's words behind \"--\"",
                remedy: say("write: %", spelling(endingOptionsAt: index)), topic: .plan)
        }
        if mode == .schema {
            if subject != nil {
                throw UsageError(
                    title: "schema takes one word at most", remedy: "write one of: service, drop-in, init",
                    topic: .schema)
            }
            if isWord(word, "service") { subject = .service }
            if isWord(word, "drop-in") { subject = .dropIn }
            if isWord(word, "init") { subject = .settings }
            if subject != nil { return nil }
            throw UsageError(
                title: say("there is no schema of %", quoted([word])), remedy: "write one of: service, drop-in, init",
                topic: .schema)
        }
        let modes: [(name: StaticString, mode: Mode)] = [("check", .check), ("schema", .schema), ("plan", .plan)]
        for known in modes where isWord(word, known.name) {
            try choose(known.mode)
            return nil
        }
        let isCtl = isWord(word, "ctl")
        let isCompletion = isWord(word, "completion")
        for known: StaticString in ["toml", "explain", "health", "stage", "exec", "shim", "ctl", "completion"]
        where isWord(word, known) {
            if index > 0 {
                throw UsageError(title: say("% stands in front of its options", quoted([word])), remedies: [])
            }
            if isCtl {
                switch try CtlInvocation.read(words.dropFirst()) {
                case .request(let request): return .ctl(request)
                case .help(let topic): return .answer(Answer(topic.text))
                }
            }
            if isCompletion { return try CompletionScripts.answer(words.dropFirst()) }
            if isWord(word, "health") { return try readHealth() }
            if isWord(word, "explain") { return .answer(try Explain.answer(words.dropFirst())) }
            if isWord(word, "exec") {
                guard let request = try ExecRequest.read(words.dropFirst()) else {
                    return .answer(Answer(HelpTopic.exec.text))
                }
                return .exec(request)
            }
            if isWord(word, "shim") {
                guard let path = words.dropFirst().first, path.first != 0x2D else {
                    if words.count > 1 && isWord(words[1], "--help") { return .answer(Answer(HelpTopic.shim.text)) }
                    throw UsageError(
                        title: "shim needs a file",
                        remedy: "it stands on the first line of one: #!/usr/local/bin/hermes-init shim",
                        topic: .shim)
                }
                return .shim(path, words.dropFirst(2))
            }
            if isWord(word, "stage") {
                guard let request = try StageRequest.read(words.dropFirst()) else {
                    return .answer(Answer(HelpTopic.stage.text))
                }
                return .stage(request)
            }
            guard let request = try TOMLRequest.read(words.dropFirst()) else {
                return .answer(Answer(HelpTopic.toml.text))
            }
            return .toml(request)
        }
        var remedies = [say("to run it as the main program write: %", spelling(endingOptionsAt: index))]
        let near = nearest(
            to: String(decoding: word, as: UTF8.self),
            among: [
                "check", "plan", "schema", "ctl", "toml", "explain", "health", "stage", "exec", "shim", "completion",
                "help",
                "version",
            ])
        if let near {
            let isOption = near == "help" || near == "version"
            remedies.insert(say("did you mean: hermes-init %%", isOption ? "--" : "", near), at: 0)
        }
        throw UsageError(title: say("% is no subcommand", quoted([word])), remedies: remedies)
    }

    /// `health` takes nothing but a question for help.
    private func readHealth() throws(UsageError) -> Invocation {
        guard words.count > 1 else { return .health }
        if isWord(words[1], "--help") || isWord(words[1], "-h") { return .answer(Answer(HelpTopic.health.text)) }
        throw UsageError(
            title: say("health takes no words: cannot use %", quoted([words[1]])), remedy: "leave it out",
            topic: .health)
    }

    private func unknownOption(_ name: [UInt8]) -> UsageError {
        var remedies: [String] = []
        let known = [
            "--config", "--check", "--plan", "--schema", "--version", "--help", "--root", "--strict", "--format",
            "--color", "--files-only", "--stdin-name", "--timings", "--svg",
        ]
        if let near = nearest(to: String(decoding: name, as: UTF8.self), among: known) {
            remedies.append(say("did you mean: %", near))
        }
        if mode != .check {
            remedies.append(say("to give it to the main program write: %", spelling(endingOptionsAt: index)))
        }
        return UsageError(title: say("there is no option %", quoted([name])), remedies: remedies, topic: topic)
    }

    /// The command line as it was, with `--` put in before one of the words.
    private func spelling(endingOptionsAt index: Int) -> String {
        quoted([bytes(of: "hermes-init")] + words[..<index] + [bytes(of: "--")] + words[index...])
    }

    private mutating func finish(_ arguments: [[UInt8]]) throws(UsageError) -> Invocation {
        var folders = ConfigurationFolders()
        if !namedFolders.isEmpty { folders = ConfigurationFolders(paths: namedFolders, areRequired: true) }
        if format != nil && mode != .plan && mode != .check {
            throw UsageError(
                title: "--format is an option of --plan and --check", remedy: "leave it out", topic: topic)
        }
        if showsTimings && mode != .plan {
            throw usage("--timings is an option of --plan", "write: hermes-init --plan --timings")
        }
        if showsTimings && format != nil {
            throw usage("--timings is text, or with --svg FILE a picture", "leave out --format", .plan)
        }
        if picture != nil && !showsTimings {
            throw usage("--svg needs --timings", "write: hermes-init --plan --timings --svg boot.svg", .plan)
        }
        if mode != .check, let checkOption {
            throw usage(
                say("% belongs to --check", quoted([checkOption])),
                "add --check, or leave it out", .check)
        }
        switch mode {
        case .check:
            if let first = arguments.first {
                throw usage(
                    say("check runs no program: cannot use %", quoted([first])),
                    "leave out what is behind \"--\"", .check)
            }
            checkOptions.folders = folders
            if let format {
                guard let place = choice(format, CheckFormat.words) else {
                    throw usage(
                        say("check has no format %", quoted([format])),
                        say("write one of: %", joined(CheckFormat.words)), .check)
                }
                checkOptions.format = CheckFormat(rawValue: place) ?? .text
            }
            if readsInput {
                if !namedFolders.isEmpty {
                    throw usage(
                        "a file from standard input is checked by itself", "leave out --config",
                        .check)
                }
                // The file may be meant for any image.
                if checkOptions.root == nil { checkOptions.isFilesOnly = true }
                if checkOptions.inputName == nil { checkOptions.inputName = bytes(of: "stdin.toml") }
            } else if checkOptions.inputName != nil {
                throw usage(
                    "--stdin-name needs a file on standard input", "write: hermes-init --check -",
                    .check)
            }
            return .check(checkOptions)
        case .plan:
            if showsTimings { return .timings(folders, arguments: arguments, picture: picture) }
            return .plan(folders, arguments: arguments, format: try planFormat())
        case .schema:
            if !arguments.isEmpty || !namedFolders.isEmpty {
                throw UsageError(
                    title: "schema reads no files and runs no program",
                    remedy: "write: hermes-init --schema [service|drop-in|init]", topic: .schema)
            }
            return .schema(subject ?? .service)
        case nil:
            var options = BootOptions()
            options.folders = folders.paths
            options.foldersAreRequired = folders.areRequired
            options.arguments = arguments
            return .boot(options)
        }
    }
}

/// With one remedy, or none.
@inline(never)
private func usage(_ title: String, _ remedy: String, _ topic: HelpTopic = .general) -> UsageError {
    UsageError(title: title, remedies: remedy.isEmpty ? [] : [remedy], topic: topic)
}
