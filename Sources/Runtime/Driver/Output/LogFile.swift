import CSystem
import ConfigParser
import System

/// One log file, as the process that writes it has it: opened as its user and with no more than that user's rights, never
/// through a symbolic link, written at line ends only, rotated by renaming (NAME → NAME.1 → … → NAME.keep). What cannot be
/// written is lost, counted, and told of: at once, then once a minute, and when it is over. Waits for the disk; never runs in
/// the init itself.
final class LogFile {
    /// How often it is looked whether the file is still where it was, and tried again to open one: milliseconds.
    private static let lookAfter: Int64 = 1000
    /// How often a trouble that lasts is told of.
    private static let tellAfter: Int64 = 60_000
    private static let newline: UInt8 = 0x0A

    private let request: LogFileRequest
    private let folders: [Bytes]
    private let name: Bytes
    private var folder: FileDescriptor?
    private var file: FileDescriptor?
    private var identity = hi_file()
    private var size: Int64 = 0
    /// Above this it is rotated; more than `max-size` where the rotation failed.
    private var limit: Int64
    private var time = Timestamp()
    /// On the clock of `now`.
    private var nextLook: Int64 = 0
    /// Its folder is made where it is missing.
    private var makesFolder: Bool

    private var trouble: String?
    private var lostLines = 0
    private var nextTelling: Int64 = 0
    private var message: String?

    /// The path is absolute; `..` and empty parts of it are taken as they come.
    init(_ request: LogFileRequest) {
        self.request = request
        limit = request.maxSize
        makesFolder = request.makesFolder
        var parts = [Bytes]()
        for part in request.path.split(separator: 0x2F) where part.count != 1 || part.first != 0x2E {
            parts.append(Bytes(part))
        }
        name = parts.popLast() ?? []
        folders = parts
    }

    /// What is to be said on the log now, once.
    func takeMessage() -> String? {
        defer { message = nil }
        return message
    }

    private static func now() -> Int64 { hi_monotonic_nanoseconds() / 1_000_000 }

    /// From now on the process has the rights of the user of this file.
    func actAsItsUser() {
        guard let groups = request.groups else { return hi_act_as(request.user, request.group, nil, 0) }
        // One more than there are: the address of an empty list could be none, which would mean something else.
        (groups + [0]).withUnsafeBufferPointer { list in
            hi_act_as(request.user, request.group, list.baseAddress, groups.count)
        }
    }

    /// Writes whole lines, as whoever the process acts as.
    /// - Parameters:
    ///   - time: when they came, in milliseconds since 1970.
    ///   - stamped: memory for the lines with their time.
    func write(_ lines: UnsafePointer<UInt8>, _ count: Int, time milliseconds: Int64, through stamped: ByteQueue) {
        let now = LogFile.now()
        if now >= nextLook {
            nextLook = now &+ LogFile.lookAfter
            look()
        }
        if file == nil {
            lose(lines, count)
        } else if request.timestamps {
            stamp(lines, count, milliseconds, to: stamped)
            if let first = stamped.first { put(first, stamped.count) }
            stamped.drop(stamped.count)
        } else {
            put(lines, count)
        }
        tell(now)
    }

    private func stamp(_ lines: UnsafePointer<UInt8>, _ count: Int, _ milliseconds: Int64, to queue: ByteQueue) {
        var text = (0, 0, 0, UInt8(0x20))
        withUnsafeMutableBytes(of: &text) { raw in
            guard let stamp = raw.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            time.write(milliseconds, to: stamp)
            var place = 0
            while place < count {
                let length = min(count &- place, hi_line_length(lines.advanced(by: place), count &- place) &+ 1)
                guard let room = queue.room(Timestamp.length &+ 1 &+ length) else { return }
                memcpy(room, stamp, Timestamp.length &+ 1)
                memcpy(room.advanced(by: Timestamp.length &+ 1), lines.advanced(by: place), length)
                queue.commit(Timestamp.length &+ 1 &+ length)
                place &+= length
            }
        }
    }

    // MARK: - Writing

    /// Writes as many lines as fit, rotates, and so on.
    private func put(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        var place = 0
        while place < count {
            var length = count &- place
            if Int64(length) > limit &- size {
                length = fitting(bytes.advanced(by: place), length)
                if length == 0 {
                    rotate()
                    if file == nil { break }
                    continue
                }
            }
            let written = append(bytes.advanced(by: place), length)
            place &+= written
            if written < length { break }
        }
        if place < count { lose(bytes.advanced(by: place), count &- place) } else { recovered() }
    }

    /// How much can be written before the file is full: whole lines. A line that alone is too large gets a file of its own.
    private func fitting(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var length = Int(max(0, min(Int64(count), limit &- size)))
        while length > 0 && bytes[length &- 1] != LogFile.newline { length &-= 1 }
        if length > 0 || size > 0 { return length }
        return min(count, hi_line_length(bytes, count) &+ 1)
    }

    /// Writes lines at the end. Gives the length of the whole lines that were written; less than asked: it could not.
    private func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        guard let file else { return 0 }
        var done = 0
        while done < count {
            let written = CSystem.write(file.number, bytes.advanced(by: done), count &- done)
            if written > 0 {
                done &+= written
                continue
            }
            let error = Errno.current
            if written < 0 && error.code == EINTR { continue }
            trouble = refusal(error, at: request.path)
            var whole = done
            while whole > 0 && bytes[whole &- 1] != LogFile.newline { whole &-= 1 }
            // No half of a line stays behind.
            if whole < done { _ = ftruncate(file.number, off_t(size &+ Int64(whole))) }
            size &+= Int64(whole)
            return whole
        }
        size &+= Int64(count)
        return count
    }

    private func rotate() {
        let isDone = request.keep == 0 ? remove() : moveUp()
        if isDone {
            file = nil
            open()
        } else {
            // To write on beats to lose lines; the next try is due when it has grown by as much again.
            limit = size &+ request.maxSize
            let error = Errno.current
            message = say(
                "%: cannot rotate its log file %: %; it grows beyond max-size", request.name.shown,
                request.path.shown, error.text)
        }
    }

    private func remove() -> Bool {
        guard let folder else { return false }
        return name.withCString { hi_unlink_at(folder.number, $0) } == 0 || Errno.current == .noEntry
    }

    private func moveUp() -> Bool {
        guard let folder else { return false }
        var number = request.keep
        while number > 0 {
            let to = name + Bytes((say(".%", String(number))).utf8)
            number &-= 1
            let from = number == 0 ? name : name + Bytes((say(".%", String(number))).utf8)
            let result = from.withCString { from in
                to.withCString { to in
                    hi_rename_at(folder.number, from, to)
                }
            }
            if result < 0 && Errno.current != .noEntry { return false }
        }
        return true
    }

    // MARK: - Opening

    /// Whether the file still lies at its path; opens it anew where it does not.
    private func look() {
        guard file != nil else { return open() }
        var there = hi_file()
        if let found = enter(), name.withCString({ hi_stat_at(found.number, $0, &there) }) == 0,
            there.device == identity.device, there.inode == identity.inode
        {
            folder = found
            return
        }
        open()
    }

    private func open() {
        file = nil
        folder = nil
        guard let found = enter() else { return }
        let number = name.withCString { hi_open_log(found.number, $0) }
        if number < 0 {
            trouble = refusal(Errno.current, at: request.path)
            return
        }
        let opened = FileDescriptor(owning: number)
        _ = hi_fstat(number, &identity)
        size = identity.size
        limit = request.maxSize
        // The one that wrote it last may have been killed in the middle of a line.
        let last = hi_last_byte(number, size)
        if last >= 0 && last != Int32(LogFile.newline) && CSystem.write(number, "\n", 1) == 1 { size &+= 1 }
        (folder, file) = (found, opened)
    }

    /// Opens the folder, from the root, one part after the other.
    private func enter() -> FileDescriptor? {
        var number = hi_root_folder()
        var path = Bytes()
        for (index, part) in folders.enumerated() where number >= 0 {
            let parent = FileDescriptor(owning: number)
            path += [0x2F] + part
            number = part.withCString { hi_enter_folder(parent.number, $0) }
            if number < 0 && makesFolder && index == folders.count &- 1 && Errno.current == .noEntry {
                // Somebody removed the folder of a log; its user may make it again.
                _ = part.withCString { hi_make_folder_at(parent.number, $0) }
                number = part.withCString { hi_enter_folder(parent.number, $0) }
            }
            if number < 0 { trouble = refusal(Errno.current, at: path) }
            withExtendedLifetime(parent) {}
        }
        if number < 0 { return nil }
        makesFolder = true
        return FileDescriptor(owning: number)
    }

    // MARK: - Words

    private func refusal(_ error: Errno, at path: Bytes) -> String {
        let place = path.shown
        switch error.code {
        case ELOOP:
            return say("% is a symbolic link, and a log is never written through one; write the path without it", place)
        case ENOENT where path.count < request.path.count:
            return say(
                "the folder % does not exist; make it in the image or mount it, as a folder that user % may write to",
                place, String(request.user))
        case ENOTDIR: return say("% is no folder", place)
        case EISDIR: return say("% is a folder", place)
        case ENOTSUP: return say("% is no regular file", place)
        case EACCES, EPERM:
            return say(
                "%: %; user % needs the right to write it, and to enter each folder above", place, error.text,
                String(request.user))
        case ENOSPC, EDQUOT:
            return say("%: %; make room, or set a smaller max-size or keep in [log]", place, error.text)
        default: return say("%: %", place, error.text)
        }
    }

    private func lose(_ lines: UnsafePointer<UInt8>, _ count: Int) {
        var place = 0
        while place < count {
            place &+= hi_line_length(lines.advanced(by: place), count &- place) &+ 1
            lostLines &+= 1
        }
    }

    private func tell(_ now: Int64) {
        guard let trouble, lostLines > 0, now >= nextTelling else { return }
        nextTelling = now &+ LogFile.tellAfter
        message = say(
            "%: cannot write its log file: %; until that is mended its lines are not in it (% so far)",
            request.name.shown, trouble,
            String(lostLines))
    }

    private func recovered() {
        guard trouble != nil else { return }
        trouble = nil
        nextTelling = 0
        if lostLines > 0 {
            message = say(
                "%: writes its log file % again; % lines are not in it", request.name.shown, request.path.shown,
                String(lostLines))
        }
        lostLines = 0
    }
}
