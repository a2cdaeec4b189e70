import ConfigParser
import System

/// What the checks of meaning may ask of the machine, or of an image that lies unpacked in a folder: questions about files, as
/// closures, so that every case is tested without a file. Nothing here changes anything.

/// An image as the checks see it.
final class ImageView {
    /// What lies at a path, links followed; nil where that cannot be found out (no permission).
    var kind: (Bytes) -> FileKind? = { _ in .missing }
    /// Whether a regular file can be executed by anybody.
    var isProgram: (Bytes) -> Bool = { _ in false }
    /// The first bytes of a program; nil where it cannot be read.
    var beginning: (Bytes) -> Bytes? = { _ in nil }
    /// The whole of a file, or why it cannot be read.
    var contents: (Bytes) -> Contents = { _ in .missing }
    /// The users and groups.
    var accounts = Accounts(passwd: [], group: [])
    /// The environment to expect in the container, as far as it is known.
    var environment = Environment()

    /// What came of reading a file.
    enum Contents {
        case bytes(Bytes)
        case missing
        case unreadable(Errno)
    }

    init() {}

    /// The machine itself, or the image in a folder.
    init(_ tree: FileTree, environment: Environment) {
        do throws(Errno) {
            accounts = try Accounts(in: tree)
        } catch {
            // Descriptors ran out: users are then looked for in empty files, and said to be missing.
            accounts = Accounts(passwd: [], group: [])
        }
        self.environment = environment
        kind = { path in
            do throws(Errno) {
                return try tree.kind(path)
            } catch {
                return error.saysMissing ? .missing : nil
            }
        }
        isProgram = { path in
            do throws(Errno) {
                return try tree.isProgram(path)
            } catch {
                return false
            }
        }
        beginning = { path in
            do throws(Errno) {
                return try readBeginning(tree.place(of: path), count: 256)
            } catch {
                return nil
            }
        }
        contents = { path in
            do throws(Errno) {
                return .bytes(try readFile(tree.place(of: path), limit: LaunchContext.largestEnvironmentFile))
            } catch {
                return error.saysMissing ? .missing : .unreadable(error)
            }
        }
    }
}
