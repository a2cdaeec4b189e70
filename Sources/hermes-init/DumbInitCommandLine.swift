import ConfigParser
import Runtime

/// The command line that the program has where it is called `dumb-init`: dumb-init 1.2's options and variables with its
/// meaning and exit codes. Everything that it says goes to standard error, the help and the version too, as there.
///
/// Unless in single-child mode the main program gets a session of its own and signals go to its group; a terminal's stop
/// signals become SIGSTOP there, since the orphaned group that the session is would not be stopped by them (setpgid(2),
/// termios). The short messages are dumb-init's own, to the letter, since callers compare them; the help is ours.
enum DumbInitCommandLine {
    /// Reads the arguments, `arguments[0]` being the name.
    static func parse(_ arguments: [[UInt8]], environment: (String) -> [UInt8]?) -> Invocation {
        let name = shown(arguments.first ?? bytes(of: "dumb-init"))
        var isSingleChild = false
        var isVerbose = false
        // By signal: nil where nothing was said, 0 where it is not to be forwarded.
        var rewrites = [Int?](repeating: nil, count: lastSignal + 1)

        var scanner = OptionScanner(arguments, flags: "hvVc", valued: "r", long: longOptions)
        while let option = scanner.next() {
            switch option {
            case .flag(UInt8(ascii: "h")):
                return answer(version + help(name), 0)
            case .flag(UInt8(ascii: "V")):
                return answer(version, 0)
            case .flag(UInt8(ascii: "v")):
                isVerbose = true
            case .flag(UInt8(ascii: "c")):
                isSingleChild = true
            case .valued(UInt8(ascii: "r"), let value):
                guard let (from, to) = rewrite(value) else { return answer(rewriteUsage, 1) }
                rewrites[from] = to
            case .mistake(let mistake):
                return answer(say("%: %\n", name, mistake), 1)
            case .flag, .valued:
                // Every letter that the scanner was given stands above.
                return answer(say("%: cannot read the options\n", name), 1)
            }
        }
        if scanner.rest.isEmpty {
            return answer(say("Usage: % [option] program [args]\nTry % --help for full usage.\n", name, name), 1)
        }
        if let value = environment("DUMB_INIT_DEBUG"), isWord(value, "1") { isVerbose = true }
        if let value = environment("DUMB_INIT_SETSID"), isWord(value, "0") { isSingleChild = true }
        if !isSingleChild {
            for signal in [SignalNumber.terminalStop, .terminalInput, .terminalOutput] {
                let index = Int(signal.number)
                if rewrites[index] == nil { rewrites[index] = Int(SignalNumber.stop.number) }
            }
        }

        var options = BootOptions()
        options.standIn = .dumbInit
        options.becomesSubreaper = false
        options.suspendsItself = true
        options.forwardsToGroup = !isSingleChild
        options.mainGetsSession = !isSingleChild
        if isVerbose { options.verbosity = 3 }
        options.arguments = scanner.rest
        for (from, to) in rewrites.enumerated() {
            guard let to, let signal = SignalNumber(Int32(truncatingIfNeeded: from)) else { continue }
            options.rewrites.append((signal: signal, to: SignalNumber(Int32(truncatingIfNeeded: to))))
        }
        return .boot(options)
    }

    /// The last signal that can be rewritten: those beyond are real-time signals.
    private static let lastSignal = 31

    private static let longOptions = [
        LongOption("help", "h"), LongOption("single-child", "c"), LongOption("rewrite", "r"),
        LongOption("verbose", "v"), LongOption("version", "V"),
    ]

    /// `SIGNAL:SIGNAL` in numbers. Text behind the second is not looked at, as with scanf(3).
    private static func rewrite(_ text: [UInt8]) -> (from: Int, to: Int)? {
        guard let (from, behind) = leadingNumber(text[...]), behind.first == 0x3A,
            let (to, _) = leadingNumber(behind.dropFirst()),
            from >= 1 && from <= lastSignal && to >= 0 && to <= lastSignal
        else { return nil }
        return (from, to)
    }

    private static func answer(_ text: String, _ exitCode: Int32) -> Invocation {
        .answer(Answer(text, stream: .standardError, exitCode: exitCode))
    }

    private static let version = say("dumb-init v%\n", Version.dumbInit)

    private static let rewriteUsage = """
        Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
        This option can be specified multiple times.
        Use --help for full usage.

        """

    private static func help(_ name: String) -> String {
        "Usage: " + name + " [option] command [[arg] ...]\n" + """

            Runs a command as the one that a container is for, hands signals on to it, and
            reaps orphans. This is \(Version.line), called by the name of dumb-init.
            Services are started too, where service files are found.

            Options:
               -c, --single-child   Send signals to the command alone, and leave it in the
                                    session that it would have been in.
               -r, --rewrite s:r    Send signal number r where s comes in. To not send a
                                    signal at all, rewrite it to 0. Numbers are 1 to 31.
                                    Can be repeated.
               -v, --verbose        Say on stderr what happens.
               -h, --help           Print this help.
               -V, --version        Print the version.

            Variables:
               DUMB_INIT_DEBUG=1    as --verbose
               DUMB_INIT_SETSID=0   as --single-child

            """
    }
}
