import CSystem
import ConfigParser
import System

/// What a stage leaves behind: records that wait in a pipe when it has ended. A stage that is built in writes them with a
/// NUL behind each; `NAME=value` is a variable for everything that starts from now on, and a record that begins with `=` is
/// for the init itself. An executable plugin writes lines, variables only. Only a stage that did its work is listened to,
/// and one whose records cannot be used has failed: half of its exports would be worse than none. Reads a pipe that nobody
/// need write to any more, never waits, and takes no more than a pipe holds.

/// A user whose numbers are not those of /etc/passwd, because a stage could not write there.
struct UserNumbers: Equatable {
    var name: Bytes
    var uid: UInt32
    var gid: UInt32
    /// Further groups it is in.
    var groups: [UInt32]
}

/// What one stage leaves behind.
struct StageRecords: Equatable {
    var exports: [(name: String, value: Bytes)] = []
    /// `=quiet`: services' output is kept off the terminal.
    var isQuiet = false
    /// `=user NAME UID GID GID,GID…`
    var users: [UserNumbers] = []

    static func == (left: StageRecords, right: StageRecords) -> Bool {
        left.exports.count == right.exports.count
            && zip(left.exports, right.exports).allSatisfy { $0.name == $1.name && $0.value == $1.value }
            && left.isQuiet == right.isQuiet && left.users == right.users
    }

    /// All that a stage may leave behind, in bytes.
    static let most = 64 * 1024
    /// What the pipe is to hold. A pipe keeps pages, each filled to a half at least, so what fits into `most` always fits
    /// into this.
    static let pipeSize: Int32 = 256 * 1024

    /// Reads what a stage wrote.
    /// - Parameters:
    ///   - isExternal: of an executable plugin.
    ///   - most: as many bytes are allowed.
    /// - Returns: nil and the reason where it cannot be used.
    static func parse(
        _ bytes: Bytes, isExternal: Bool, most: Int = StageRecords.most
    ) -> (StageRecords?, mistake: String) {
        if bytes.count > most { return (nil, "it exported more than 64 KiB") }
        var records = StageRecords()
        for record in bytes.split(separator: isExternal ? 0x0A : 0) {
            guard let equals = record.firstIndex(of: 0x3D), !record.contains(0),
                equals > record.startIndex || !isExternal
            else {
                return (
                    nil,
                    say("it wrote % to descriptor 3, which is no NAME=value", Bytes(record.prefix(100)).shown)
                )
            }
            let value = Bytes(record[equals...].dropFirst())
            if equals > record.startIndex {
                records.exports.append((String(decoding: record[..<equals], as: UTF8.self), value))
            } else if !records.take(value) {
                return (nil, say("its record =% is not known", value.shown))
            }
        }
        if isExternal, let last = bytes.last, last != 0x0A {
            return (nil, "the last line that it wrote to descriptor 3 has no end")
        }
        return (records, "")
    }

    /// A record for the init. False where it is none that this version knows.
    private mutating func take(_ record: Bytes) -> Bool {
        let words = record.split(separator: 0x20)
        guard let first = words.first else { return false }
        if first.elementsEqual("quiet".utf8) {
            isQuiet = true
            return true
        }
        guard first.elementsEqual("user".utf8), words.count >= 4, let uid = Accounts.decimal(words[2]),
            let gid = Accounts.decimal(words[3])
        else { return false }
        var groups = [UInt32]()
        if words.count > 4 {
            for group in words[4].split(separator: 0x2C) {
                if let number = Accounts.decimal(group) { groups.append(number) }
            }
        }
        users.append(UserNumbers(name: Bytes(words[1]), uid: uid, gid: gid, groups: groups))
        return true
    }
}

/// Everything that waits in a stage's pipe, a little more than is allowed at most.
func readRecords(_ pipe: FileDescriptor) -> Bytes {
    var bytes = Bytes()
    var chunk = Bytes(repeating: 0, count: 16 * 1024)
    while bytes.count <= StageRecords.most {
        var count = 0
        chunk.withUnsafeMutableBytes { buffer in
            do throws(Errno) { count = try pipe.read(into: buffer) } catch { count = 0 }
        }
        if count == 0 { break }
        bytes += chunk[..<count]
    }
    return bytes
}

extension Driver {
    /// What a stage leaves behind holds for everything that starts from now on. Gives how the stage ended, which is a
    /// failure where its records cannot be used.
    func takeRecords(_ index: Int, _ status: ExitStatus) -> ExitStatus {
        guard let pipe = exports.removeValue(forKey: index), status == .exited(code: 0) else { return status }
        var isExternal = false
        if case .plugin(let name, _) = services[index].action { isExternal = stages.table(name.name) == nil }
        let (records, mistake) = StageRecords.parse(readRecords(pipe), isExternal: isExternal)
        guard let records else {
            log(say("%: cannot use what the plugin exports: %", services[index].name, mistake))
            return .exited(code: 1)
        }
        for (name, value) in records.exports { context.environment.set(name, value) }
        context.users += records.users
        keepExports(records)
        if records.isQuiet { becomeQuiet() }
        return status
    }
}
