import ConfigParser
import System

/// What the checks of meaning may ask of the machine, or of an image that lies unpacked in a folder: questions about files, as
/// closures, so that every case is tested without a file. Each question is asked once and its answer kept for the run, since
/// a thousand services name the same few users and programs. Nothing here changes anything.

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
    /// It is of an image, not of what runs here.
    var isImage = false

    /// What came of reading a file.
    enum Contents {
        case bytes(Bytes)
        case missing
        case unreadable(Errno)
    }

    private var variables = NameIndex()
    private var values: [Bytes] = []
    private var knownKinds = Known<FileKind?>()
    private var knownPrograms = Known<ProgramSearch.Found>()
    private var foundOn: (path: Bytes?, directory: Bytes?)
    private var knownAccounts = Known<Account?>()
    private var knownGroups = Known<Bool>()
    private(set) lazy var userNames = accounts.userNames

    /// - Parameter environment: what to expect in the container, as far as it is known.
    init(environment: Environment) {
        for entry in environment.entries {
            guard let end = entry.firstIndex(of: 0x3D) else { continue }
            let name = Bytes(entry[..<end])
            // The first counts, as getenv(3) has it.
            if variables[bytes: name] != nil { continue }
            variables[bytes: name] = values.count
            values.append(Bytes(entry[(end &+ 1)...]))
        }
    }

    /// The machine itself, or the image in a folder.
    convenience init(_ tree: FileTree, environment: Environment) {
        self.init(environment: environment)
        do throws(Errno) {
            accounts = try Accounts(in: tree)
        } catch {
            // Descriptors ran out: users are then looked for in empty files, and said to be missing.
            accounts = Accounts(passwd: [], group: [])
        }
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

    /// The value of a variable that the container is given.
    func variable(_ name: String) -> Bytes? {
        guard let place = variables[name] else { return nil }
        return values[place]
    }

    /// `kind`, asked once.
    func knownKind(_ path: Bytes) -> FileKind? { knownKinds.answer(path) { kind(path) } }

    /// A user by its name.
    func account(_ name: Bytes) -> Account? { knownAccounts.answer(name) { accounts.account(named: name) } }

    /// Whether there is a group of a name.
    func hasGroup(_ name: Bytes) -> Bool { knownGroups.answer(name) { accounts.gid(ofGroup: name) != nil } }

    /// What a search finds for a word.
    func program(_ word: Bytes, _ search: ProgramSearch) -> ProgramSearch.Found {
        // What was found for a service holds for the next one, as long as that has the same PATH and working directory.
        if search.path != foundOn.path || search.directory != foundOn.directory {
            foundOn = (search.path, search.directory)
            knownPrograms = Known()
        }
        return knownPrograms.answer(word) { search.find(word) }
    }
}

/// Answers by what was asked.
private struct Known<Answer> {
    private var places = NameIndex()
    private var answers: [Answer] = []

    mutating func answer(_ question: Bytes, _ find: () -> Answer) -> Answer {
        if let place = places[bytes: question] { return answers[place] }
        let answer = find()
        places[bytes: question] = answers.count
        answers.append(answer)
        return answer
    }
}
