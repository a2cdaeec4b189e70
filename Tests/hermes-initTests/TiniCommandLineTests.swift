import ConfigParser
import Runtime
import Testing

@testable import hermes_init

/// What tini 0.19 makes of a command line, as seen with the program itself. Where its getopt takes options from behind the
/// program, hermes-init does not; those cases are marked.
@Suite("The command line of tini")
struct TiniCommandLineTests {
    @Test(
        "The program and its words",
        arguments: [
            ("tini true", "boot <true>"), ("/usr/bin/tini -- true", "boot <true>"), ("tini-static true", "boot <true>"),
            ("tini -g -- --version", "boot <--version>"), ("tini -- -- true", "boot <--> <true>"),
            ("tini -vvv true", "boot <true>"), ("tini -e3 true", "boot <true>"), ("tini -ge3 true", "boot <true>"),
            ("tini -gp SIGTERM true", "boot <true>"), ("tini - a", "boot <-> <a>"), ("tini ''", "boot <>"),
            ("tini echo -- a", "boot <echo> <a>"), ("tini -g echo -- a", "boot <echo> <a>"),
            ("tini echo -- -- a", "boot <echo> <--> <a>"), ("tini -- echo -- a", "boot <echo> <--> <a>"),
            ("tini -- --version --", "boot <--version> <-->"),
            // Not as tini with glibc, which refuses the first and takes -v of the second for itself.
            ("tini -gs sh -c true", "boot <sh> <-c> <true>"), ("tini echo -v a", "boot <echo> <-v> <a>"),
        ])
    func program(line: String, expected: String) {
        #expect(parse(line).summary == expected)
    }

    @Test("With POSIXLY_CORRECT the -- behind the program stays")
    func posixlyCorrect() {
        #expect(parse("tini echo -- a", ["POSIXLY_CORRECT": ""]).summary == "boot <echo> <--> <a>")
    }

    @Test("Without options it is no subreaper, signals the process alone, and warns")
    func defaults() throws {
        let options = try #require(parse("tini true").boot)
        #expect(
            options.standIn == .tini && !options.becomesSubreaper && !options.forwardsToGroup
                && !options.warnsWhenReaping)
        #expect(!options.mainGetsSession && !options.suspendsItself && options.rewrites.isEmpty)
        #expect(options.codesThatBecomeZero.isEmpty && options.parentDeathSignal == nil && options.verbosity == 1)
        #expect(strings(options.folders) == strings(BootOptions.defaultFolders) && !options.foldersAreRequired)
    }

    @Test("Each option does its own", arguments: ["-s", "-g", "-w"])
    func flags(flag: String) throws {
        let options = try #require(parse("tini \(flag) true").boot)
        #expect(options.becomesSubreaper == (flag == "-s"))
        #expect(options.forwardsToGroup == (flag == "-g"))
        #expect(options.warnsWhenReaping == (flag == "-w"))
    }

    @Test("A variable that is set, even to nothing, is as the option", arguments: ["", "0", "1"])
    func variables(value: String) {
        #expect(parse("tini true", ["TINI_SUBREAPER": value]).boot?.becomesSubreaper == true)
        #expect(parse("tini true", ["TINI_KILL_PROCESS_GROUP": value]).boot?.forwardsToGroup == true)
    }

    @Test(
        "-v counts from 1, and TINI_VERBOSITY takes its place",
        arguments: [
            ("tini true", nil, 1), ("tini -v true", nil, 2), ("tini -vv true", nil, 3), ("tini -v -vv true", nil, 4),
            ("tini -vvv true", "0", 0), ("tini true", "3", 3), ("tini true", " 2x", 2), ("tini true", "", 0),
            ("tini true", "loud", 0), ("tini true", "-1", -1), ("tini true", "99999999999999999999999", 999_999_999),
        ])
    func verbosity(line: String, variable: String?, expected: Int) {
        #expect(parse(line, variable.map { ["TINI_VERBOSITY": $0] } ?? [:]).boot?.verbosity == expected)
    }

    @Test("-e takes each of the 256 exit codes", arguments: [0...255])
    func codes(all: ClosedRange<Int32>) {
        for code in all { #expect(parse("tini -e \(code) true").boot?.codesThatBecomeZero == [code]) }
    }

    @Test("-e can be repeated, and reads a number as strtol does")
    func moreCodes() {
        #expect(parse("tini -e 1 -e143 -ge 2 true").boot?.codesThatBecomeZero == [1, 143, 2])
        #expect(parse("tini -e +7 -e -0 -e 007 -e '' true").boot?.codesThatBecomeZero == [7, 0, 7, 0])
    }

    @Test("-p takes the signals that tini knows, by their full names")
    func parentDeathSignal() {
        #expect(parse("tini -p SIGTERM true").boot?.parentDeathSignal == .terminate)
        #expect(parse("tini -pSIGKILL true").boot?.parentDeathSignal == .kill)
        #expect(parse("tini -p SIGSYS true").boot?.parentDeathSignal?.number == 31)
        #expect(parse("tini -p SIGHUP -p SIGINT true").boot?.parentDeathSignal == .interrupt)
    }

    @Test("-h prints the help with every option and variable, exit code 0")
    func help() throws {
        for line in ["tini -h", "tini -gh", "tini -g -h true", "tini -h --bogus"] {
            let answer = try #require(parse(line).answer)
            #expect(answer.exitCode == 0 && answer.stream == .standardOutput)
            #expect(answer.text.hasPrefix("tini (tini version 0.19.0"))
            #expect(answer.text.split(separator: "\n").allSatisfy { $0.count <= 80 })
            for option in ["-h", "-s", "-p SIGNAL", "-v", "-w", "-g", "-e EXIT_CODE", "-l", "--version"] {
                #expect(answer.text.contains("\n  " + option + " "))
            }
            for name in ["TINI_SUBREAPER", "TINI_KILL_PROCESS_GROUP", "TINI_VERBOSITY"] {
                #expect(answer.text.contains("  " + name + " "))
            }
        }
    }

    @Test("--version is the version where it is the one argument")
    func version() throws {
        let answer = try #require(parse("tini --version").answer)
        #expect(answer.text.hasPrefix("tini version 0.19.0"))
        #expect(answer.exitCode == 0 && answer.stream == .standardOutput)
        #expect(parse("tini --version true").answer?.exitCode == 1)
        #expect(parse("tini -g --version").answer?.exitCode == 1)
    }

    @Test("-l prints the license")
    func license() throws {
        let answer = try #require(parse("tini -l").answer)
        #expect(answer.text.hasPrefix("MIT License\n") && answer.text.hasSuffix("SOFTWARE.\n"))
        #expect(answer.exitCode == 0 && answer.stream == .standardOutput)
    }

    @Test(
        "A mistake: exit code 1, on standard error",
        arguments: [
            ("tini", "no program to run", true), ("tini -g", "no program to run", true),
            ("tini --", "no program to run", true), ("tini -x true", "invalid option -- 'x'", true),
            ("tini -gx true", "invalid option -- 'x'", true), ("tini --bogus true", "invalid option -- '-'", true),
            ("tini -p", "option requires an argument -- 'p'", true), ("tini -ge", "requires an argument -- 'e'", true),
            ("tini -p SIGFOO true", "Not a valid option for -p: SIGFOO", false),
            ("tini -p TERM true", "Not a valid option for -p: TERM", false),
            ("tini -p sigterm true", "Not a valid option for -p: sigterm", false),
            ("tini -p 15 true", "Not a valid option for -p: 15", false),
            ("tini -p SIGPWR true", "Not a valid option for -p: SIGPWR", false),
            ("tini -p -- true", "Not a valid option for -p: --", false),
            ("tini -p SIG true", "Not a valid option for -p: SIG", false),
            ("tini -e 256 true", "Not a valid option for -e: 256", false),
            ("tini -e -1 true", "Not a valid option for -e: -1", false),
            ("tini -e x true", "Not a valid option for -e: x", false),
            ("tini -e 1x true", "Not a valid option for -e: 1x", false),
            ("tini -e true", "Not a valid option for -e: true", false),
            ("tini -e 99999999999999999999 true", "Not a valid option for -e: 999", false),
            ("tini -p BAD -h", "Not a valid option for -p: BAD", false),
        ])
    func mistakes(line: String, message: String, showsUsage: Bool) throws {
        let answer = try #require(parse(line).answer)
        #expect(answer.exitCode == 1 && answer.stream == .standardError)
        #expect(answer.text.hasPrefix("tini: "))
        #expect(answer.text.contains(message))
        #expect(answer.text.contains("Usage: tini") == showsUsage)
    }
}
