import ConfigParser
import System

/// `notice`: says something to whoever reads the log, where the conditions of its service hold: that a variable of an older
/// image has no effect any more, that a default had better be changed. It changes nothing and always succeeds.
enum Notice {
    static let plugin = Plugin(
        name: "notice",
        summary: "Says something in the log",
        keys: [Key("text", .templates, required: true, "What is said: a line, or several")],
        run: run)

    private static func run(_ options: StageOptions, _ context: StageContext) -> Int32 {
        for line in options.strings("text") { context.report.say(line.shown) }
        return 0
    }
}
