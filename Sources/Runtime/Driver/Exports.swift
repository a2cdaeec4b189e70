import CSystem
import ConfigParser
import System

/// What stages exported, in a file beside the status, for `hermes-init exec`: a process that is started from outside gets what a
/// service gets. Values may be secrets, so only the init's own user and root may read it; and what is in it becomes the
/// environment of programs, so it is believed only where nobody but root and the reader can have written it. The init writes
/// it whole (rename), in a file system in memory, and never reads it.

/// What stands in the file: the records that stages make, each ended by a NUL; before them one that names the init, so that
/// what a former life left is not believed.
enum ExportsText {
    static let name = "exports"
    /// All of it, in bytes. What an exec takes is less (2 MiB with the usual stack, execve(2)).
    static let most = 4 << 20
    private static let heading = Bytes("=init ")

    /// As it stands in the file.
    /// - Parameters:
    ///   - process: the init, as it sees itself.
    ///   - start: when it was started, as /proc has it.
    static func bytes(_ records: StageRecords, process: Int32, start: Bytes) -> Bytes {
        var text = heading + Bytes(String(process).utf8) + [0x20] + start + [0]
        for (name, value) in records.exports {
            text += Bytes(name.utf8)
            text.append(0x3D)
            text += value
            text.append(0)
        }
        for user in records.users {
            text += Bytes("=user ") + user.name + Bytes((say(" % %", String(user.uid), String(user.gid))).utf8)
            for (place, group) in user.groups.enumerated() {
                text.append(place == 0 ? 0x20 : 0x2C)
                text += Bytes(String(group).utf8)
            }
            text.append(0)
        }
        return text
    }

    /// Reads it back; nil where it is something else.
    static func parse(_ bytes: Bytes) -> (records: StageRecords, process: Int32, start: Bytes)? {
        guard bytes.starts(with: heading), bytes.last == 0, let end = bytes.firstIndex(of: 0) else { return nil }
        let words = bytes[heading.count..<end].split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2, let number = Accounts.decimal(words[0]), let process = Int32(exactly: number),
            let records = StageRecords.parse(Bytes(bytes[end...]), isExternal: false, most: most).0
        else { return nil }
        return (records, process, Bytes(words[1]))
    }
}

extension Driver {
    /// Writes the file anew where a stage left something behind that a later process gets.
    func keepExports(_ records: StageRecords) {
        if records.exports.isEmpty && records.users.isEmpty { return }
        let isFirst = exported.exports.isEmpty && exported.users.isEmpty
        for (name, value) in records.exports {
            exported.exports.removeAll { $0.name == name }
            exported.exports.append((name, value))
        }
        exported.users += records.users
        if !writeExports() && isFirst { tellOfMissingFolder("hermes-init exec will not know what stages exported") }
    }

    /// False where there is no place for the file.
    @discardableResult
    func writeExports() -> Bool {
        if statusStart.isEmpty { statusStart = ProcessRelations.start(ProcessRelations.fields(of: own)) ?? [] }
        return statusFile.write(exports: ExportsText.bytes(exported, process: own, start: statusStart))
    }
}

/// What stages of the init that runs here exported.
/// - Parameters:
///   - folders: where the file may lie.
///   - isExpected: an init that runs here has one of them.
/// - Returns: nothing where there is no init, or none that has a stage; and a sentence where there is a file that cannot be
///   used, or not be read by this user.
func readExports(
    _ folders: [String] = StatusFile.folders, isExpected: Bool = false
) -> (records: StageRecords, problem: String?) {
    var problem: String?
    var isNowhere = true
    for path in folders {
        let place = say("%/%", path, ExportsText.name)
        do throws(Errno) {
            let folder = Bytes(path.utf8).withCString { hi_open_trusted_folder($0) }
            if folder < 0 {
                if Errno.current != .noEntry { isNowhere = false }
                throw Errno.current
            }
            isNowhere = false
            let holder = FileDescriptor(owning: folder)
            let file = Bytes(ExportsText.name.utf8).withCString { hi_open_trusted_file(holder.number, $0) }
            if file < 0 {
                let error = Errno.current
                // Here the init keeps its files, and it exported nothing.
                if error == .noEntry { break }
                throw error
            }
            let bytes = try readToEnd(FileDescriptor(owning: file), limit: ExportsText.most)
            guard let (records, process, start) = ExportsText.parse(bytes) else { throw Errno(EINVAL) }
            // Else it was left by a former life.
            if ProcessRelations.start(ProcessRelations.fields(of: process)) ?? [] == start { return (records, nil) }
        } catch {
            // A folder of anybody's that has no such file means nothing.
            var status = hi_file()
            if Bytes(place.utf8).withCString({ hi_lstat($0, &status) }) == 0 { problem = refusal(place, error) }
        }
    }
    if isExpected && isNowhere && isInitHere() {
        problem = say(
            """
            goes without what stages exported: the init that runs here has no folder %; one that was removed comes back \
            with the next change of a service's state
            """, StatusFile.folders[0])
    }
    return (StageRecords(), problem)
}

/// Whether process 1 is called as this one is.
private func isInitHere() -> Bool {
    do throws(Errno) {
        return try readFile(Bytes("/proc/1/comm".utf8), limit: 64) == readFile(Bytes("/proc/self/comm".utf8), limit: 64)
    } catch {
        return false
    }
}

private func refusal(_ path: String, _ error: Errno) -> String {
    var text = say("goes without what stages exported: cannot use %: ", path)
    switch error {
    case .denied: text += "only root and the init's own user may read it"
    case .notPermitted: text += "it can be written by somebody who is neither root nor the caller"
    case Errno(ELOOP), Errno(ENOTDIR): text += "it is a link"
    case Errno(EINVAL): text += "it was not written by hermes-init"
    case .tooLarge: text += "it is too large"
    default: text += error.text
    }
    return text
}
