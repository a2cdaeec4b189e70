import CSystem
import ConfigParser
import System

/// The status of the container in a file, for `hermes-init health`, which Docker's HEALTHCHECK runs as whatever user: one line
/// for the init, one for each service. It lies in a folder of the init's own and is replaced whole, so that who reads it sees
/// one moment and never a part. Where there is no folder that can be written, there is no file, and nothing else changes.

/// The file.
struct StatusFile {
    /// Where it may lie, the first that can be had.
    static let folders = ["/run/hermes-init", "/dev/shm/hermes-init"]
    static let name = "status"

    private enum Place { case unknown, none, folder(FileDescriptor) }
    private var place = Place.unknown
    private var written = Bytes()
    private var hasExports = false
    /// What the kernel said of the last folder that could not be had.
    private(set) var failure = Errno(0)

    /// Whether there is a place for it. The first call finds or makes it.
    mutating func isPossible() -> Bool {
        switch place {
        case .none: return false
        case .folder: return true
        case .unknown:
            for path in StatusFile.folders {
                let number = Bytes(path.utf8).withCString { hi_open_own_folder($0) }
                if number >= 0 {
                    place = .folder(FileDescriptor(owning: number))
                    // What a former life left there is not to be believed.
                    replace([])
                    _ = Bytes(ExportsText.name.utf8).withCString { hi_remove_file(number, $0) }
                    return true
                }
                failure = Errno.current
            }
            place = .none
            return false
        }
    }

    /// Writes it, where it says something else than before. What fails is tried again with the next change.
    mutating func write(_ text: Bytes) {
        if text == written && has(StatusFile.name) { return }
        var isWritten = replace(text)
        if !isWritten && Errno.current == .noEntry {
            // Somebody has removed the folder.
            place = .unknown
            isWritten = isPossible() && replace(text)
        }
        written = isWritten ? text : []
    }

    /// Whether a file is in the folder still.
    private func has(_ name: String) -> Bool {
        guard case .folder(let folder) = place else { return false }
        var status = hi_status()
        return Bytes(name.utf8).withCString { hi_read_status(folder.number, $0, &status) } == 0
    }

    /// What stages exported was written, and somebody has removed it.
    var hasLostExports: Bool { hasExports && !has(ExportsText.name) }

    /// Writes what stages exported beside it, for nobody but the init's own user and root.
    mutating func write(exports text: Bytes) -> Bool {
        guard isPossible() else { return false }
        hasExports = true
        return replace(text, ExportsText.name, mode: 0o600)
    }

    @discardableResult
    private func replace(_ text: Bytes, _ name: String = StatusFile.name, mode: mode_t = 0o644) -> Bool {
        guard case .folder(let folder) = place else { return false }
        return Bytes(name.utf8).withCString { name in
            text.withUnsafeBytes { hi_replace_file(folder.number, name, $0.baseAddress, $0.count, mode) } == 0
        }
    }

    /// Takes both away: the init ends.
    func remove() {
        guard case .folder(let folder) = place else { return }
        _ = Bytes(StatusFile.name.utf8).withCString { hi_remove_file(folder.number, $0) }
        if hasExports { _ = Bytes(ExportsText.name.utf8).withCString { hi_remove_file(folder.number, $0) } }
    }
}

/// What stands in the file. Lines of words; the first is "hermes-init 1", with the init's process and its start in ticks (so
/// that a file of a former life is not believed); then one for each service: "+" or "-", whether it is as it should be, its
/// name, and in words what it is doing. Made by the init, read by `hermes-init health`.
public struct StatusText: Equatable, Sendable {
    /// One service.
    public struct Line: Equatable, Sendable {
        /// Whether it is as it should be.
        public var isWell: Bool
        /// Its name.
        public var name: String
        /// What it is doing.
        public var words: String
        /// One line.
        public init(isWell: Bool, name: String, words: String) {
            self.isWell = isWell
            self.name = name
            self.words = words
        }
    }

    /// The init's process, as it sees it itself.
    public var process: Int32
    /// When it was started, as /proc has it; empty where that is not mounted.
    public var start: Bytes
    /// The services that are to be there.
    public var lines: [Line] = []

    /// Of that init.
    public init(process: Int32, start: Bytes) {
        self.process = process
        self.start = start
    }

    private static let heading = Bytes("hermes-init 1 ")

    /// As it stands in the file.
    public var bytes: Bytes {
        var text = StatusText.heading
        text += Bytes(String(process).utf8)
        text.append(0x20)
        text += start
        text.append(0x0A)
        for line in lines {
            text += [line.isWell ? 0x2B : 0x2D, 0x20]
            text += Bytes(line.name.utf8)
            text.append(0x20)
            text += Bytes(line.words.utf8)
            text.append(0x0A)
        }
        return text
    }

    /// Reads it back; nil where it is something else.
    public init?(_ bytes: Bytes) {
        let lines = bytes.split(separator: 0x0A)
        guard let first = lines.first, first.starts(with: StatusText.heading) else { return nil }
        let words = first.dropFirst(StatusText.heading.count).split(
            separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2, let number = Accounts.decimal(words[0]), let process = Int32(exactly: number) else {
            return nil
        }
        self.init(process: process, start: Bytes(words[1]))
        for line in lines.dropFirst() {
            let words = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
            guard words.count == 3, words[0].elementsEqual([0x2B]) || words[0].elementsEqual([0x2D]) else { return nil }
            self.lines.append(
                Line(
                    isWell: words[0].first == 0x2B, name: Bytes(words[1]).shown, words: Bytes(words[2]).shown))
        }
    }
}

/// What `hermes-init health` finds out.
public enum HealthAnswer: Equatable, Sendable {
    indirect case status(StatusText)
    /// No init is there, or none that keeps a status.
    case nobody
    /// There is a file at that path that is not to be believed, or cannot be read.
    case unusable(path: String, String)
}

/// Looks for the status of the init that runs here.
public func readHealth() -> HealthAnswer {
    var problem: HealthAnswer?
    for folder in StatusFile.folders {
        let path = say("%/%", folder, StatusFile.name)
        let bytes = Bytes(path.utf8)
        var folderStatus = hi_file()
        guard Bytes(folder.utf8).withCString({ hi_lstat($0, &folderStatus) }) == 0 else { continue }
        do throws(Errno) {
            let text = try readFile(bytes, limit: 1 << 22)
            // Written by a former life, or by one that is only beginning.
            if text.isEmpty { continue }
            guard hi_is_directory(folderStatus.mode), let status = StatusText(text) else {
                problem = .unusable(path: path, "it was not written by hermes-init")
                continue
            }
            let fields = ProcessRelations.fields(of: status.process)
            guard ProcessRelations.start(fields) ?? [] == status.start else { continue }
            var process = hi_file()
            let hasProcess =
                Bytes((say("/proc/%", String(status.process))).utf8).withCString { hi_lstat($0, &process) } == 0
            let owner = folderStatus.user
            guard owner == 0 || owner == geteuid() || hasProcess && owner == process.user else {
                problem = .unusable(path: path, say("it belongs to user %", String(owner)))
                continue
            }
            return .status(status)
        } catch {
            if error != .noEntry { problem = .unusable(path: path, error.text) }
        }
    }
    return problem ?? .nobody
}

/// Where the status file and the control socket may lie, the first that can be had.
public var statusFolders: [String] { StatusFile.folders }
