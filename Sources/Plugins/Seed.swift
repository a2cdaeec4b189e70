import CSystem
import ConfigParser
import System

/// `seed`: what a folder must hold before the programs start that work in it. Folders, files from a template or a variable, a
/// key of a dotenv file, the removal of what the last life of the container left. It never changes what a user has written:
/// a file that is there stays, unless the options say otherwise.
///
/// A file is written under another name and renamed when it is on the disk, so that a power cut leaves the old one or the
/// new one. Nothing is written through a symbolic link. Unlike `chown`, what cannot be written is a failure.
enum Seed {
    static let plugin = Plugin(
        name: "seed",
        summary: "Makes the folders and files that programs find at their first start",
        keys: [
            Key(
                "root", .template,
                "The folder that the other paths start from, made where it is missing; without it they are absolute"),
            Key(
                "directories", .pathOrPaths, default: "[]",
                "Folders, made where they are missing with what leads to them"),
            Key("file", .tables(file), "Files and trees"),
            Key("line", .tables(line), "Keys of dotenv files"),
            Key("remove", .tables(removal), "Files that must not be there"),
        ],
        run: { run($0, $1) })

    private static let file = OptionTable(
        plugin: "seed", header: "[[options.file]]",
        keys: [
            Key("path", .template, required: true, "What is written, with the folders that lead to it"),
            Key("from", .template, "The file or tree that it is a copy of, with its modes"),
            Key("content", .content, "Its content; where that comes out empty, no file is made"),
            Key("random", .integer(from: 1, to: 256), "So many random bytes, written as hex"),
            Key("mode", .fileMode, "Its mode; that of `from`, 0600 for `random`, else as the umask has it"),
            Key(
                "if", .choice(["missing", "empty", "always"]), default: "missing",
                "When it is written: where there is nothing, where it is missing or empty, or where it differs"),
        ],
        alternatives: ["from", "content", "random"])

    private static let line = OptionTable(
        plugin: "seed", header: "[[options.line]]",
        keys: [
            Key("path", .template, required: true, "The dotenv file; made with the mode 0600 where it is missing"),
            Key("key", .template, required: true, "The key, which gets a value where it is absent or empty"),
            Key("value", .content, "The value; where it comes out empty, nothing is done"),
            Key("random", .integer(from: 1, to: 256), "So many random bytes, written as hex"),
        ],
        alternatives: ["value", "random"])

    private static let removal = OptionTable(
        plugin: "seed", header: "[[options.remove]]",
        keys: [
            Key("path", .template, required: true, "The file; a part of its path that is * means each folder there"),
            Key("if-content", .template, "A text that it must hold, else it stays"),
        ])

    /// Does the work: all of it that can be done, and fails if something could not.
    static func run(_ options: StageOptions, _ context: StageContext) -> Int32 {
        do throws(Errno) {
            let work = SeedWork(try Volume(root: options.string("root")), context)
            return work.run(options)
        } catch {
            context.report.say(complaint((options.string("root") ?? []).shown, error, doing: "use the root"))
            return isRefusal(error) ? 0 : 1
        }
    }

    /// Configuration files are smaller; nothing larger is read into memory.
    static let largestText = 1 << 20
}
