import Runtime
import Testing

@testable import hermes_init

@Suite("The command line of hermes-init")
struct InvocationTests {
    @Test(
        "Options before -- are the init's, everything behind it is the main program's",
        arguments: [
            ("hermes-init", "boot"),
            ("hermes-init --", "boot"),
            ("hermes-init -- sleep 1", "boot <sleep> <1>"),
            ("hermes-init -- --version", "boot <--version>"),
            ("hermes-init -- --help", "boot <--help>"),
            ("hermes-init -- --check", "boot <--check>"),
            ("hermes-init -- --config x", "boot <--config> <x>"),
            ("hermes-init -- -- a", "boot <--> <a>"),
            ("hermes-init -- check", "boot <check>"),
            ("hermes-init -- ''", "boot <>"),
            ("hermes-init --config a -- b", "boot [a] <b>"),
            ("hermes-init --config=a --config b", "boot [a,b]"),
            ("hermes-init --config=a=b", "boot [a=b]"),
            ("hermes-init --config -x", "boot [-x]"),
            ("/usr/local/bin/hermes-init -- a", "boot <a>"),
            ("-hermes-init -- a", "boot <a>"),
            ("anything -- a", "boot <a>"),
            ("tini2 -- -g", "boot <-g>"),
        ])
    func boots(line: String, expected: String) {
        #expect(parse(line).summary == expected)
    }

    @Test(
        "check and plan are asked for by option or by word, in any order with --config",
        arguments: [
            ("hermes-init --check", "check"),
            ("hermes-init check", "check"),
            ("hermes-init check --config a", "check [a]"),
            ("hermes-init --config a --check", "check [a]"),
            ("hermes-init --config a check", "check [a]"),
            ("hermes-init check --", "check"),
            ("hermes-init --plan", "plan"),
            ("hermes-init plan", "plan"),
            ("hermes-init plan -- chat -q hi", "plan <chat> <-q> <hi>"),
            ("hermes-init --plan --config a --config=b -- --tui", "plan [a,b] <--tui>"),
            ("hermes-init --plan --format text", "plan"),
            ("hermes-init --format=json --plan", "plan as json"),
            ("hermes-init plan --format dot -- a", "plan <a> as dot"),
            ("hermes-init plan --format mermaid", "plan as mermaid"),
            ("hermes-init --schema", "schema service"),
            ("hermes-init schema service", "schema service"),
            ("hermes-init --schema init", "schema settings"),
            ("hermes-init schema drop-in", "schema dropIn"),
        ])
    func modes(line: String, expected: String) {
        #expect(parse(line).summary == expected)
    }

    @Test(
        "toml and explain read the words behind them themselves",
        arguments: [
            ("hermes-init toml", "toml"),
            ("hermes-init toml -", "toml"),
            ("hermes-init toml a.toml --typed --toml=1.0", "toml typed 1.0 <a.toml>"),
            ("hermes-init toml --toml=1.1 -- --typed", "toml <--typed>"),
            ("hermes-init toml a b", "answer 64 err"),
            ("hermes-init toml --toml=2.0", "answer 64 err"),
            ("hermes-init toml --help", "answer 0 out"),
            ("hermes-init --help toml", "answer 0 out"),
            ("hermes-init --config a toml", "answer 64 err"),
            ("hermes-init explain", "answer 0 out"),
            ("hermes-init explain bad-value", "answer 0 out"),
            ("hermes-init explain --help", "answer 0 out"),
            ("hermes-init explain bad-valu", "answer 64 err"),
            ("hermes-init check explain", "answer 64 err"),
            ("hermes-init health", "health"),
            ("hermes-init health --help", "answer 0 out"),
            ("hermes-init --help health", "answer 0 out"),
            ("hermes-init health web", "answer 64 err"),
            ("hermes-init --config a health", "answer 64 err"),
        ])
    func tools(line: String, expected: String) {
        #expect(parse(line).summary == expected)
    }

    @Test("Without --config the three usual folders are read, weakest first, and may be missing")
    func usualFolders() {
        let options = parse("hermes-init").boot
        #expect(
            options.map { strings($0.folders) } == [
                "/usr/lib/hermes-init.d", "/etc/hermes-init.d", "/run/hermes-init.d",
            ])
        #expect(options?.foldersAreRequired == false)
        #expect(options?.standIn == nil)
        #expect(options?.becomesSubreaper == true)
    }

    @Test("No argument at all, not even a name, is a boot")
    func empty() {
        #expect(Invocation.parse(arguments: []) { _ in nil }.summary == "boot")
        #expect(Invocation.parse(arguments: [[]]) { _ in nil }.summary == "boot")
    }

    @Test(
        "Called as init, every word is the main program's",
        arguments: [
            ("init", "boot"), ("/sbin/init --version", "boot <--version>"), ("init -- a", "boot <--> <a>"),
            ("init --config x", "boot <--config> <x>"), ("init check", "boot <check>"),
        ])
    func calledInit(line: String, expected: String) {
        #expect(parse(line).summary == expected)
    }

    @Test(
        "The version goes to standard output",
        arguments: ["--version", "-V", "check --version", "--config a --version"])
    func version(words: String) {
        #expect(parse("hermes-init " + words).answer == Answer("hermes-init \(Version.number)\n"))
    }

    @Test(
        "Help is of the mode that it stands with",
        arguments: [
            ("--help", HelpTopic.general), ("-h", .general), ("--config a -h", .general), ("check --help", .check),
            ("--check -h", .check), ("--help check", .check), ("plan --help", .plan), ("--plan --help", .plan),
            ("-h --plan", .plan), ("--help other", .general),
        ])
    func help(words: String, topic: HelpTopic) {
        #expect(parse("hermes-init " + words).answer == Answer(topic.text))
    }

    @Test(
        "Help fits in 80 columns and ends with a newline",
        arguments: [.general, .check, .plan, .health, .stage, .ctl, .completion]
            + CtlVerb.allCases.map { HelpTopic.verb($0) })
    func helpWidth(topic: HelpTopic) {
        #expect(topic.text.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(topic.text.hasSuffix("\n") && !topic.text.hasSuffix("\n\n"))
    }

    @Test(
        "Wrong usage: exit code 64, on standard error, and what to write instead",
        arguments: [
            ("sleep 1", "sleep is no subcommand", "to run it as the main program write: hermes-init -- sleep 1"),
            ("--config a sleep 1", "sleep is no subcommand", "write: hermes-init --config a -- sleep 1"),
            ("chek", "chek is no subcommand", "did you mean: hermes-init check\n"),
            ("plam", "plam is no subcommand", "did you mean: hermes-init plan\n"),
            ("shema", "shema is no subcommand", "did you mean: hermes-init schema\n"),
            ("schema services", "there is no schema of services", "write one of: service, drop-in, init"),
            ("schema init init", "schema takes one word at most", "write one of"),
            ("--schema --config a", "schema reads no files and runs no program", "write: hermes-init --schema"),
            ("--plan --format xml", "plan has no format xml", "write one of: text, json, dot, mermaid"),
            ("--format json", "--format is an option of --plan and --check", "leave it out"),
            ("help", "help is no subcommand", "did you mean: hermes-init --help\n"),
            ("version", "version is no subcommand", "did you mean: hermes-init --version\n"),
            ("ctx status", "ctx is no subcommand", "did you mean: hermes-init ctl"),
            ("-", "- is no subcommand", "hermes-init -- -"),
            ("'' a", "'' is no subcommand", "hermes-init -- '' a"),
            ("--chek", "there is no option --chek", "did you mean: --check\n"),
            ("--conf=a", "there is no option --conf", "hermes-init -- --conf=a"),
            ("--tui", "there is no option --tui", "to give it to the main program write: hermes-init -- --tui"),
            ("-g", "there is no option -g", "hermes-init -- -g"),
            ("-Vh", "there is no option -Vh", "hermes-init -- -Vh"),
            ("--config", "--config needs a folder", "--config /etc/hermes-init.d"),
            ("--config=", "--config needs a folder", ""),
            ("--config ''", "--config needs a folder", ""),
            ("--config -- a", "--config needs a folder", ""),
            ("--check=yes", "--check takes no value", ""),
            ("--check --plan", "check, plan and schema cannot be asked for at once", ""),
            ("check plan", "check takes no words: cannot use plan", ""),
            ("check etc", "check takes no words: cannot use etc", "--config etc"),
            ("check --tui", "there is no option --tui", "hermes-init --check --help"),
            ("check -- a", "check runs no program: cannot use a", "leave out"),
            ("plan chat -q", "plan takes the main program's words behind \"--\"", "write: hermes-init plan -- chat -q"),
        ])
    func mistakes(words: String, title: String, remedy: String) throws {
        let answer = try #require(parse("hermes-init " + words).answer)
        #expect(answer.exitCode == 64)
        #expect(answer.stream == .standardError)
        #expect(answer.text.hasPrefix("hermes-init: " + title + "\n"))
        #expect(remedy.isEmpty || answer.text.contains(remedy))
        #expect(answer.text.contains("--help\" tells more\n"))
    }

    @Test("health: 0 where all is well; else 1, never 2, with a line for each service that is not, or the reason")
    func health() {
        var status = StatusText(process: 7, start: [])
        #expect(Health.answer(.status(status)) == Answer("0 services are well\n"))
        status.lines = [.init(isWell: true, name: "web", words: "up")]
        #expect(Health.answer(.status(status)) == Answer("1 service is well\n"))
        status.lines.append(.init(isWell: false, name: "api", words: "not ready yet"))
        #expect(Health.answer(.status(status)) == Answer("api: not ready yet\n", exitCode: 1))
        for other in [HealthAnswer.nobody, .unusable(path: "/run/hermes-init/status", "it belongs to user 7")] {
            let answer = Health.answer(other)
            #expect(answer.exitCode == 1 && answer.stream == .standardError && answer.text.hasSuffix("\n"))
        }
    }

    @Test("A word near to nothing gets no suggestion")
    func noSuggestion() throws {
        #expect(try !#require(parse("hermes-init sleep").answer).text.contains("did you mean"))
    }

    @Test("check says nothing of a main program that it would not run")
    func checkHasNoMain() throws {
        #expect(try !#require(parse("hermes-init check --tui").answer).text.contains("main program"))
    }

    @Test("Arguments are bytes: what is not UTF-8 reaches the main program as it is")
    func bytesStay() {
        let word: [UInt8] = [0xFF, 0x80, 0x0A]
        let invocation = Invocation.parse(arguments: [utf8("hermes-init"), utf8("--"), word]) { _ in nil }
        #expect(invocation.boot?.arguments == [word])
    }

    @Test("Whatever the words are, reading them ends, and those behind -- arrive", arguments: [0x5EED as UInt64])
    func anyWords(seed: UInt64) {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let pieces = [
            "-", "--", "=", "config", "check", "plan", "e", "p", "r", "SIGTERM", "1:2", "255", "version", "h", "é",
        ]
        for _ in 0..<20_000 {
            var words: [[UInt8]] = []
            for _ in 0..<random(5) {
                var word: [UInt8] = []
                for _ in 0..<random(4) { word += utf8(pieces[random(pieces.count)]) }
                if random(20) == 0 { word.append(UInt8(random(256))) }
                words.append(word)
            }
            let name = utf8(["hermes-init", "tini", "dumb-init"][random(3)])
            if case .answer(let answer) = Invocation.parse(arguments: [name] + words, environment: { _ in nil }) {
                #expect(!answer.text.isEmpty)
            }
            guard !words.isEmpty else { continue }
            let invocation = Invocation.parse(arguments: [name, utf8("--")] + words) { _ in nil }
            #expect(invocation.boot?.arguments == words)
        }
    }

    @Test("A mistake never puts a control character or a broken byte on the terminal")
    func controlCharacters() throws {
        for word: [UInt8] in [[0x1B, 0x5B, 0x32, 0x4A], [0xFF, 0x41], [0x2D, 0x2D, 0x07, 0xC2, 0x9B]] {
            let answer = try #require(Invocation.parse(arguments: [utf8("x"), word]) { _ in nil }.answer)
            #expect(
                answer.text.unicodeScalars.allSatisfy {
                    $0 == "\n" || ($0.value >= 0x20 && $0.value < 0x7F)
                })
        }
    }

    @Test("A huge mistake is shown short")
    func long() throws {
        let words = [utf8("hermes-init")] + [[UInt8]](repeating: utf8("word"), count: 100_000)
        let answer = try #require(Invocation.parse(arguments: words) { _ in nil }.answer)
        #expect(answer.text.utf8.count < 1_000)
        let one = [utf8("hermes-init"), [UInt8](repeating: 0x61, count: 1_000_000)]
        #expect(try #require(Invocation.parse(arguments: one) { _ in nil }.answer).text.utf8.count < 1_000)
    }

    @Test(
        "Words are quoted so that a shell reads them again",
        arguments: [
            ("sleep", "sleep"), ("", "''"), ("two words", "'two words'"), ("it's", "'it'\\''s'"), ("a\tb", "$'a\\tb'"),
            ("$HOME", "'$HOME'"), ("grün", "grün"), ("a=b:c", "a=b:c"), ("*", "'*'"), ("~", "'~'"),
        ])
    func quoting(word: String, expected: String) {
        #expect(quoted(utf8(word)) == expected)
    }
}
