import CSystem
import ConfigParser
import System

/// `tui-detect`: finds out whether the main program is one that fills the terminal, and then keeps the terminal for it: from
/// there on nothing else writes to it, neither services nor the init. It is such a program where it was asked for, by an
/// argument or a variable; without a terminal it cannot run, and the boot is refused with the reason.
enum TuiDetect {
    static let plugin = Plugin(
        name: "tui-detect",
        summary: "Keeps the terminal for a main program that fills the screen",
        keys: [
            Key(
                "flags", .templates, default: "[\"--tui\"]",
                "Arguments of the main program that ask for it; what stands behind `--` is none"),
            Key("env", .variables, default: "[\"HERMES_TUI\"]", "Variables that ask for it by 1, true, yes or on"),
            Key("export", .text, "A variable that becomes 1 where it was asked for"),
        ],
        exports: ["TERM"],
        run: run)

    private static func run(_ options: StageOptions, _ context: StageContext) -> Int32 {
        guard let cause = cause(options, context) else { return 0 }
        let report = context.report
        guard context.isTerminal else {
            report.say(
                "% asks for a program that fills the terminal, but the container has no terminal", cause)
            report.say(
                "give it one: docker run -it …; in a compose file, tty: true and stdin_open: true; or leave that out")
            return 1
        }
        if let name = options.string("export"), !report.export(String(decoding: name, as: UTF8.self), [0x31]) {
            return 1
        }
        let term = context.environment.value("TERM") ?? []
        if term.isEmpty || term == Bytes("dumb") {
            if !report.export("TERM", Bytes("xterm-256color")) { return 1 }
        }
        giveSize(context)
        return report.becomeQuiet() ? 0 : 1
    }

    /// What asks for it; nil where nothing does.
    private static func cause(_ options: StageOptions, _ context: StageContext) -> String? {
        let flags = options.strings("flags")
        for argument in context.arguments {
            if argument == Bytes("--") { break }
            for flag in flags where flag == argument { return flag.shown }
        }
        for name in options.strings("env") {
            let variable = String(decoding: name, as: UTF8.self)
            if let value = context.environment.value(variable), isTrue(value) {
                return say("%=%", variable, value.shown)
            }
        }
        return nil
    }

    /// A terminal of a container has no size until the one who attaches to it has told his. A program that asks before that
    /// would draw on nothing. The stage has no terminal itself; its parent has.
    private static func giveSize(_ context: StageContext) {
        if context.isDryRun { return }
        let path = Bytes(say("/proc/%/fd/0", String(getppid())).utf8)
        guard let terminal = try? FileDescriptor.open(path, flags: O_RDWR | O_NOCTTY | O_NONBLOCK) else { return }
        _ = hi_give_terminal_size(terminal.number)
    }
}
