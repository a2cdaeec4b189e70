import CSystem
import ConfigParser
import System

/// `find-executable`: the first executable of one of some names below a folder, exported as a variable. For programs that
/// are installed somewhere below a versioned folder (a browser). It matches whole names only, so that no library which
/// happens to be executable is taken, reads folders and changes nothing, and follows no symbolic link below its folder.
enum FindExecutable {
    static let plugin = Plugin(
        name: "find-executable",
        summary: "Looks below a folder for an executable and exports its path",
        keys: [
            Key(
                "in", .template, required: true,
                "The folder, with all that lies below it; symbolic links below it are not followed"),
            Key(
                "names", .templates, required: true,
                "Whole names of files, the preferred one first; of one name the first by path"),
            Key(
                "export", .text, required: true,
                "The variable that gets the path; left alone where it is set and not empty"),
        ],
        run: run)

    /// A tree of browsers is a few levels deep; a tree that is deeper than this, or larger, is no such tree.
    private static let deepest = 32
    private static let mostFolders = 100_000

    private static func run(_ options: StageOptions, _ context: StageContext) -> Int32 {
        guard let folder = options.string("in"), let variable = options.string("export") else { return 1 }
        let report = context.report
        let name = String(decoding: variable, as: UTF8.self)
        if let value = context.environment.value(name), !value.isEmpty { return 0 }
        let names = options.strings("names")
        var search = Search(names: names)
        search.walk(folder)
        if let failure = search.failure {
            report.say("cannot look below %: %", failure.path.shown, failure.error.text)
        }
        guard let found = search.best else {
            // Nothing to find is no failure: the program may be installed later, or not wanted.
            report.say("found none of the names below %", folder.shown)
            return 0
        }
        guard report.export(name, found) else { return 1 }
        report.say("%=%", name, found.shown)
        return 0
    }

    /// The walk: folders by name, so that the same tree always gives the same answer.
    private struct Search {
        let names: [Bytes]
        var best: Bytes?
        private var rank: Int
        private(set) var failure: (path: Bytes, error: Errno)?
        private var folders = 0

        init(names: [Bytes]) {
            self.names = names
            rank = names.count
        }

        mutating func walk(_ root: Bytes) {
            // A list instead of recursion; the last is taken first.
            var waiting: [(path: Bytes, depth: Int)] = [(root, 0)]
            while let next = waiting.popLast(), rank > 0 {
                folders &+= 1
                if folders > FindExecutable.mostFolders { return }
                let entries: [Bytes]
                do throws(Errno) {
                    entries = try listFolder(next.path)
                } catch {
                    if failure == nil { failure = (next.path, error) }
                    continue
                }
                for place in order(entries).reversed() {
                    let entry = entries[place]
                    let path = next.path + [0x2F] + entry
                    if isFolderItself(path) {
                        if next.depth < FindExecutable.deepest { waiting.append((path, next.depth &+ 1)) }
                    } else {
                        consider(entry, path)
                    }
                }
            }
        }

        private mutating func consider(_ name: Bytes, _ path: Bytes) {
            guard let place = names.firstIndex(of: name), place < rank, isExecutable(path) else { return }
            rank = place
            best = path
        }
    }
}
