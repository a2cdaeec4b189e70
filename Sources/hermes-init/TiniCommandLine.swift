import ConfigParser
import Runtime

/// The command line that the program has where it is called `tini` or `tini-static`: tini 0.19's options and variables with
/// tini's meaning and exit codes, so that an image which pins `/usr/bin/tini -g --` needs no other change than the file.
///
/// Options end at the first word that is none, so `tini sh -c true` runs, where tini with glibc's getopt would take `-c`
/// for an option of its own and refuse. The `--` of tini's own synopsis, `tini PROGRAM -- ARGS`, is taken out as there,
/// unless one stood before PROGRAM or POSIXLY_CORRECT is set. Our wording; the options, codes and variables are tini's interface.
enum TiniCommandLine {
    /// Reads the arguments, `arguments[0]` being the name.
    static func parse(_ arguments: [[UInt8]], environment: (String) -> [UInt8]?) -> Invocation {
        let name = lastComponent(arguments.first ?? bytes(of: "tini"))
        if arguments.count == 2 && isWord(arguments[1], "--version") { return .answer(Answer(say("%\n", version))) }

        var options = BootOptions()
        options.standIn = .tini
        options.becomesSubreaper = false
        var scanner = OptionScanner(arguments, flags: "hvwgls", valued: "pe")
        while let option = scanner.next() {
            switch option {
            case .flag(UInt8(ascii: "h")):
                return .answer(Answer(help(name)))
            case .flag(UInt8(ascii: "l")):
                return .answer(Answer(license))
            case .flag(UInt8(ascii: "s")):
                options.becomesSubreaper = true
            case .flag(UInt8(ascii: "g")):
                options.forwardsToGroup = true
            case .flag(UInt8(ascii: "w")):
                options.warnsWhenReaping = true
            case .flag(UInt8(ascii: "v")):
                options.verbosity += 1
            case .valued(UInt8(ascii: "p"), let value):
                guard let signal = parentDeathSignal(value) else {
                    return failure(
                        name,
                        say("Not a valid option for -p: % (write the name of a signal, such as SIGTERM)", shown(value)))
                }
                options.parentDeathSignal = signal
            case .valued(UInt8(ascii: "e"), let value):
                guard let code = exitCode(value) else {
                    return failure(
                        name, say("Not a valid option for -e: % (write a number from 0 to 255)", shown(value)))
                }
                options.codesThatBecomeZero.append(code)
            case .mistake(let mistake):
                return failure(name, mistake, help(name))
            case .flag, .valued:
                // Every letter that the scanner was given stands above.
                return failure(name, "cannot read the options", help(name))
            }
        }

        options.arguments = scanner.rest
        if options.arguments.isEmpty {
            return failure(name, say("no program to run: write % -- PROGRAM [ARGS]", quoted(name)), help(name))
        }
        if !scanner.sawDashes && options.arguments.count > 1 && isWord(options.arguments[1], "--")
            && environment("POSIXLY_CORRECT") == nil
        {
            options.arguments.remove(at: 1)
        }
        if environment("TINI_SUBREAPER") != nil { options.becomesSubreaper = true }
        if environment("TINI_KILL_PROCESS_GROUP") != nil { options.forwardsToGroup = true }
        if let verbosity = environment("TINI_VERBOSITY") {
            options.verbosity = leadingNumber(verbosity[...])?.value ?? 0
        }
        return .boot(options)
    }

    static let version = say("tini version % - %", Version.tini, Version.line)

    private static func failure(_ name: [UInt8], _ message: String, _ usage: String = "") -> Invocation {
        .answer(Answer(say("%: %\n%", shown(name), message, usage), stream: .standardError, exitCode: 1))
    }

    /// The signals that tini knows, by their full names only.
    private static func parentDeathSignal(_ name: [UInt8]) -> SignalNumber? {
        for (number, known) in SignalNumber.names.enumerated() where number > 0 {
            // tini knows neither SIGSTKFLT, SIGIO nor SIGPWR.
            if number == 16 || number == 29 || number == 30 { continue }
            if name.elementsEqual(bytes(of: "SIG") + bytes(of: known)) {
                return SignalNumber(Int32(truncatingIfNeeded: number))
            }
        }
        return nil
    }

    /// As strtol(3) reads it, whole: an empty text is 0.
    private static func exitCode(_ text: [UInt8]) -> Int32? {
        if text.isEmpty { return 0 }
        guard let (value, rest) = leadingNumber(text[...]), rest.isEmpty, value >= 0 && value <= 255 else { return nil }
        return Int32(truncatingIfNeeded: value)
    }

    private static func help(_ name: [UInt8]) -> String {
        let name = shown(name)
        return name + " (" + version + ")\n" + "Usage: " + name + " [OPTIONS] [--] PROGRAM [ARGS] | --version\n" + """

            Runs PROGRAM under the supervision of a valid init process: hermes-init, called
            by the name of tini. Services are started too, where service files are found.

            Options:

              --version     print the version (only as the one argument there is)
              -h            print this help
              -s            become the subreaper of all below, where this is not PID 1
              -p SIGNAL     get SIGNAL when the parent process dies, as in "-p SIGKILL"
              -v            be more verbose; up to three times
              -w            say so when an orphaned process is reaped
              -g            send signals to the whole process group of PROGRAM
              -e EXIT_CODE  give 0 where PROGRAM ended with EXIT_CODE (0 to 255); can be
                            repeated
              -l            print the license

            Variables:

              TINI_SUBREAPER           if it is set: -s
              TINI_KILL_PROCESS_GROUP  if it is set: -g
              TINI_VERBOSITY           a number, in place of -v: 0 fatal errors only, 1
                                       warnings (default), 2 information, 3 debugging,
                                       4 everything


            """
    }

    private static let license = """
        MIT License

        Copyright (c) 2026 The hermes-init authors

        Permission is hereby granted, free of charge, to any person obtaining a copy
        of this software and associated documentation files (the "Software"), to deal
        in the Software without restriction, including without limitation the rights
        to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
        copies of the Software, and to permit persons to whom the Software is
        furnished to do so, subject to the following conditions:

        The above copyright notice and this permission notice shall be included in all
        copies or substantial portions of the Software.

        THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
        IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
        FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
        AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
        LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
        OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
        SOFTWARE.

        """
}

/// The decimal number that a text begins with, as atoi(3), strtol(3) and scanf(3) read one: white space, a sign, digits.
/// - Returns: the number, held within ±999,999,999, and what is behind it; nil where no digit comes.
func leadingNumber(_ text: ArraySlice<UInt8>) -> (value: Int, rest: ArraySlice<UInt8>)? {
    var rest = text.drop { $0 == 0x20 || ($0 >= 0x09 && $0 <= 0x0D) }
    var isNegative = false
    if let sign = rest.first, sign == 0x2B || sign == 0x2D {
        isNegative = sign == 0x2D
        rest = rest.dropFirst()
    }
    guard let first = rest.first, first >= 0x30 && first <= 0x39 else { return nil }
    var value = 0
    while let digit = rest.first, digit >= 0x30 && digit <= 0x39 {
        value = min(value &* 10 &+ Int(digit &- 0x30), 999_999_999)
        rest = rest.dropFirst()
    }
    return (isNegative ? -value : value, rest)
}
