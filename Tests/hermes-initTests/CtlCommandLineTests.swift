import ConfigParser
import Testing

@testable import hermes_init

@Suite("hermes-init ctl: the command line")
struct CtlCommandLineTests {
    @Test(
        "What is asked of the init",
        arguments: [
            ("status", "status"), ("status web db", "status web db"), ("--color never status", "status"),
            ("status --watch", "status"), ("list --names", "list"), ("tree web", "graph"), ("blame --svg x", "blame"),
            ("logs -fn 20 web", "logs -f -n 20 web"),
            ("logs --follow --lines=3 --since=10m", "logs -f -n 3 --since=600"),
            ("logs --since 1500ms", "logs --since=2"), ("start --no-wait web", "start --no-wait web"),
            ("stop web --timeout 1m30s", "stop --timeout=90000ms web"),
            ("start --timeout=30 a", "start --timeout=30000ms a"),
            ("wait web", "wait --up web"), ("wait --down web", "wait --down web"), ("reload", "reload"),
            ("reload web", "reload web"), ("signal SIGHUP a b", "signal SIGHUP a b"),
            ("signal --group 9 a", "signal --group 9 a"), ("shutdown", "shutdown"), ("shutdown 255", "shutdown 255"),
            ("show web", "show web"), ("start -- -odd", "start \"-odd\""), ("metrics --plain", "metrics --plain"),
            ("start ''", "start \"\""),
        ])
    func requests(words: String, line: String) {
        #expect(parse("hermes-init ctl " + words).summary == "ctl <" + line + ">")
    }

    @Test("A word with blanks, quotes or a line end stays one word of one line")
    func quoting() {
        #expect(
            String(decoding: CtlRequest.line(["a b", "c\"\\", "d\ne", ""]), as: UTF8.self) == #""a b" "c\"\\" "d e" """#
        )
    }

    @Test(
        "Wrong usage says what to write",
        arguments: [
            ("nope", "ctl has no verb nope", "the verbs are status"),
            ("statsu", "ctl has no verb statsu", "did you mean: hermes-init ctl status"),
            ("--json", "ctl needs a verb", "such as"),
            ("start", "needs the name of a service", "write: hermes-init ctl start NAME..."),
            ("show a b", "takes the name of one service", "ctl show NAME"),
            ("events web", "takes no words", "ctl events"),
            ("signal SIGHUP", "takes a signal, and the names", "ctl signal SIGNAL NAME..."),
            ("shutdown 256", "0 to 255", "[CODE]"), ("shutdown x", "0 to 255", "[CODE]"),
            ("shutdown 1 2", "0 to 255", ""),
            ("status --follow", "ctl status has no option --follow", "it has --watch, --json"),
            ("logs --folow", "ctl has no option --folow", "did you mean: --follow"),
            ("start --timeout", "--timeout needs a value", "such as 30s"),
            ("start --timeout=x a", "cannot be x", "30s"),
            ("logs -n -1", "--lines cannot be -1", ""), ("logs -n 99999999999999999999", "--lines cannot be", ""),
            ("status --json=1", "--json takes no value", ""),
            ("--color status", "--color cannot be status", "auto, always"),
            ("wait --up --down a", "not both", ""), ("status -w --json", "not both", ""),
        ])
    func mistakes(words: String, title: String, remedy: String) throws {
        let answer = try #require(parse("hermes-init ctl " + words).answer)
        #expect(answer.exitCode == 64 && answer.stream == .standardError)
        #expect(answer.text.contains(title), "\(answer.text)")
        #expect(remedy.isEmpty || answer.text.contains(remedy), "\(answer.text)")
    }

    @Test("No more than the init takes in one line") func tooLong() throws {
        let words = String(repeating: "name ", count: 900)
        let answer = try #require(parse("hermes-init ctl start " + words).answer)
        #expect(answer.text.contains("4,095 bytes"))
    }

    @Test(
        "Help, of ctl and of a verb",
        arguments: [
            ("", HelpTopic.ctl), ("--help", .ctl), ("help", .ctl), ("status --help", .verb(.status)),
            ("help logs", .verb(.logs)), ("start -h", .verb(.start)), ("--help status", .verb(.status)),
        ])
    func help(words: String, topic: HelpTopic) {
        #expect(parse("hermes-init ctl " + words).answer == Answer(topic.text))
    }

    @Test("Help names every verb and every option of it") func helpIsWhole() {
        for verb in CtlVerb.allCases {
            #expect(HelpTopic.ctl.text.contains("\n  " + verb.name + " "))
            for info in CtlOptions.table where verb.info.options.union(.common).contains(info.option) {
                #expect(HelpTopic.verb(verb).text.contains(info.name), "\(verb.name) \(info.name)")
            }
        }
    }

    @Test(
        "--plan --timings",
        arguments: [
            ("--plan --timings", "timings"), ("plan --timings --svg x -- a", "timings <a> into x"),
            ("--timings plan", "timings"),
        ])
    func timings(words: String, what: String) { #expect(parse("hermes-init " + words).summary == what) }

    @Test(
        "--timings and --svg belong to the plan",
        arguments: ["--timings", "plan --svg x", "plan --timings --format json"])
    func timingsMistakes(words: String) { #expect(parse("hermes-init " + words).answer?.exitCode == 64) }
}

@Suite("hermes-init completion")
struct CompletionTests {
    static func words(_ line: String) -> [String] {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map { utf8(String($0)) }
        let completion = Completion(services: { ["web", "worker", "gateway@writer"] })
        return completion.lines(words).split(separator: "\n").map { String($0.split(separator: "\t")[0]) }
    }

    @Test(
        "What can stand there",
        arguments: [
            ("c", ["ctl", "check", "completion"]), ("ctl st", ["status", "start", "stop"]),
            ("ctl start w", ["web", "worker"]), ("ctl start web w", ["worker"]), ("ctl show web ", []),
            ("ctl --json start gate", ["gateway@writer"]), ("ctl signal SIGT", ["SIGTERM"]),
            ("ctl signal SIGTERM we", ["web"]), ("ctl start --no", ["--no-wait"]),
            ("ctl --color ", ["auto", "always", "never"]),
            ("ctl --color = al", ["always"]), ("ctl logs -n ", []), ("ctl logs -n 5 wo", ["worker"]),
            ("ctl blame --svg ", [":files"]),
            ("ctl nope ", []), ("--config ", [":folders"]), ("check --format s", ["sarif"]),
            ("--check --root ", [":folders"]),
            ("completion ", ["bash", "zsh", "fish"]), ("explain unknown-k", ["unknown-key"]), ("stage we", ["web"]),
            ("exec --l", ["--like"]), ("exec --like w", ["web", "worker"]), ("exec --user root ./", [":files"]),
            ("schema ", ["service", "drop-in", "init"]), ("plan --ti", ["--timings"]), ("-- ", []), ("-- ctl st", []),
            ("nope ", Completion.commands.map(\.name)),
        ])
    func candidates(line: String, words: [String]) { #expect(CompletionTests.words(line) == words) }

    @Test("Every verb and every option of it") func whole() {
        #expect(CompletionTests.words("ctl ") == CtlVerb.allCases.map(\.name))
        for verb in CtlVerb.allCases {
            let expected = CtlOptions.table.filter { verb.info.options.union(.common).contains($0.option) }.map(\.name)
            #expect(CompletionTests.words("ctl " + verb.name + " -") == expected)
        }
    }

    @Test("A script for each shell, and an error for another") func scripts() {
        for shell in ["bash", "zsh", "fish"] {
            let answer = parse("hermes-init completion " + shell).answer
            #expect(answer?.exitCode == 0 && answer?.text.contains("completion words") == true)
        }
        for words in ["", " tcsh", " bash zsh"] {
            #expect(parse("hermes-init completion" + words).answer?.exitCode == 64)
        }
        #expect(parse("hermes-init completion words ctl st").summary == "complete <ctl> <st>")
    }
}
