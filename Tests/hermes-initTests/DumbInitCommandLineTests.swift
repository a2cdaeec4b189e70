import ConfigParser
import Runtime
import Testing

@testable import hermes_init

/// What dumb-init 1.2.5 makes of a command line, as seen with the program itself.
@Suite("The command line of dumb-init")
struct DumbInitCommandLineTests {
    /// Rewrites as "20>19", "15>-" where a signal is not forwarded.
    func rewrites(_ line: String, _ environment: [String: String] = [:]) -> [String]? {
        parse(line, environment).boot?.rewrites.map { "\($0.signal.number)>" + ($0.to.map { "\($0.number)" } ?? "-") }
    }

    @Test(
        "The program and its words",
        arguments: [
            ("dumb-init true", "boot <true>"), ("/usr/bin/dumb-init -- true", "boot <true>"),
            ("dumb-init -v -c -- --help", "boot <--help>"), ("dumb-init -vc sh -c x", "boot <sh> <-c> <x>"),
            ("dumb-init echo --help", "boot <echo> <--help>"), ("dumb-init echo -- a", "boot <echo> <--> <a>"),
            ("dumb-init -r1:2 true", "boot <true>"), ("dumb-init --rewrite=1:2 true", "boot <true>"),
            ("dumb-init --rewrite 1:2 true", "boot <true>"), ("dumb-init --sin true", "boot <true>"),
            ("dumb-init --verb true", "boot <true>"), ("dumb-init -- -x", "boot <-x>"),
        ])
    func program(line: String, expected: String) {
        #expect(parse(line).summary == expected)
    }

    @Test("By default the program gets a session, and its group the signals; terminal stops become SIGSTOP")
    func defaults() throws {
        let options = try #require(parse("dumb-init true").boot)
        #expect(
            options.standIn == .dumbInit && options.mainGetsSession && options.forwardsToGroup && options.suspendsItself
        )
        #expect(!options.becomesSubreaper && options.verbosity == 1)
        #expect(rewrites("dumb-init true") == ["20>19", "21>19", "22>19"])
    }

    @Test(
        "In single-child mode it gets no session, and nothing is rewritten unasked",
        arguments: [
            ("dumb-init -c true", [:]), ("dumb-init --single-child true", [:]),
            ("dumb-init true", ["DUMB_INIT_SETSID": "0"]),
        ] as [(String, [String: String])])
    func singleChild(line: String, environment: [String: String]) throws {
        let options = try #require(parse(line, environment).boot)
        #expect(!options.mainGetsSession && !options.forwardsToGroup && options.suspendsItself)
        #expect(options.rewrites.isEmpty)
    }

    @Test("Variables count only with their very value", arguments: ["", "1", "00", "no"])
    func otherSetsid(value: String) {
        #expect(parse("dumb-init true", ["DUMB_INIT_SETSID": value]).boot?.mainGetsSession == true)
    }

    @Test(
        "Verbose by option or variable",
        arguments: [
            ("-v true", nil, 3), ("--verbose true", nil, 3), ("true", "1", 3), ("true", "0", 1), ("true", "11", 1),
            ("true", "", 1), ("true", nil, 1),
        ])
    func verbose(words: String, variable: String?, expected: Int) {
        let environment = variable.map { ["DUMB_INIT_DEBUG": $0] } ?? [:]
        #expect(parse("dumb-init " + words, environment).boot?.verbosity == expected)
    }

    @Test(
        "Rewrites, in the order of the signals",
        arguments: [
            ("-c -r 15:3 true", ["15>3"]), ("-c -r 15:0 true", ["15>-"]), ("-c -r 1:2 -r 15:3 true", ["1>2", "15>3"]),
            ("-c -r 15:3 -r 15:2 true", ["15>2"]), ("-c -r 31:31 true", ["31>31"]), ("-c -r 1:1 true", ["1>1"]),
            ("-r 20:20 true", ["20>20", "21>19", "22>19"]), ("-r 21:0 true", ["20>19", "21>-", "22>19"]),
            ("-c -r 15:12abc true", ["15>12"]), ("-c -r +15:012 true", ["15>12"]),
        ])
    func rewriting(words: String, expected: [String]) {
        #expect(rewrites("dumb-init " + words) == expected)
    }

    @Test(
        "A rewrite that is none: exit code 1 and how it is written",
        arguments: [
            "", "herp", "herp:derp", "15", "15:", ":15", "15::12", "15:derp", "0:1", "-1:1", "32:1", "1:32", "1:-1",
            "99999999999999999999:1", "4294967297:1",
        ])
    func badRewrites(value: String) throws {
        let arguments = [utf8("dumb-init"), utf8("-r"), utf8(value), utf8("true")]
        let answer = try #require(Invocation.parse(arguments: arguments) { _ in nil }.answer)
        #expect(answer.exitCode == 1 && answer.stream == .standardError)
        #expect(
            answer.text == "Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.\n"
                + "This option can be specified multiple times.\nUse --help for full usage.\n")
    }

    @Test(
        "Other mistakes: exit code 1, in the words of getopt",
        arguments: [
            ("dumb-init --yolo true", "dumb-init: unrecognized option '--yolo'\n"),
            ("dumb-init --yolo=1 true", "dumb-init: unrecognized option '--yolo=1'\n"),
            ("dumb-init -x true", "dumb-init: invalid option -- 'x'\n"),
            ("dumb-init -vx true", "dumb-init: invalid option -- 'x'\n"),
            ("/bin/dumb-init -x", "/bin/dumb-init: invalid option -- 'x'\n"),
            ("dumb-init -r", "dumb-init: option requires an argument -- 'r'\n"),
            ("dumb-init --rewrite", "dumb-init: option '--rewrite' requires an argument\n"),
            ("dumb-init --help=3", "dumb-init: option '--help' doesn't allow an argument\n"),
            (
                "dumb-init --ver",
                "dumb-init: option '--ver' is ambiguous; possibilities: '--verbose' '--version'\n"
            ),
            ("dumb-init", "Usage: dumb-init [option] program [args]\nTry dumb-init --help for full usage.\n"),
            ("dumb-init -v --", "Usage: dumb-init [option] program [args]\nTry dumb-init --help for full usage.\n"),
        ])
    func mistakes(line: String, text: String) {
        #expect(parse(line).answer == Answer(text, stream: .standardError, exitCode: 1))
    }

    @Test("The version, on standard error", arguments: ["-V", "--version", "--vers", "-vV", "-V --yolo"])
    func version(words: String) {
        #expect(parse("dumb-init " + words).answer == Answer("dumb-init v1.2.5\n", stream: .standardError))
    }

    @Test("The help, on standard error, names every option", arguments: ["-h", "--help", "--he", "-ch"])
    func help(words: String) throws {
        let answer = try #require(parse("dumb-init " + words).answer)
        #expect(answer.exitCode == 0 && answer.stream == .standardError)
        #expect(answer.text.hasPrefix("dumb-init v1.2.5\nUsage: dumb-init "))
        for option in ["-c, --single-child", "-r, --rewrite", "-v, --verbose", "-h, --help", "-V, --version"] {
            #expect(answer.text.contains("   " + option + " "))
        }
        #expect(answer.text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
}
