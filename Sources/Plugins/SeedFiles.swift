import CSystem
import ConfigParser
import System

/// How `seed` writes files: whether one is to be written at all, where its content comes from, and a tree of them. Whatever the
/// source is, a template, a variable, random bytes, it is an open file here, and there is one way to write it.

extension SeedWork {
    /// How deep a source may be: the copy recurses.
    private static let deepest = 64

    func file(_ entry: StageOptions, _ place: Place) throws(Errno) {
        let path = entry.string("path") ?? []
        let condition = entry.string("if") ?? []
        let isAlways = condition == Bytes("always")
        let old = try present(place)
        if let old, !isAlways {
            guard condition == Bytes("empty"), try isEmpty(old, place) else { return }
        }
        var mode = entry.mode("mode")
        let source: FileDescriptor
        if let from = entry.string("from") {
            let status: hi_status
            do throws(Errno) {
                let origin = try volume.locate(from)
                source = try origin.base.open(origin.names, O_RDONLY | O_NONBLOCK | O_NOCTTY)
                status = try source.status()
                if !status.isFile && !status.isFolder { throw Errno(ENOTSUP) }
            } catch {
                return tell(error, volume.shown(from), "read")
            }
            if let old, status.isFolder != old.isFolder { throw Errno(old.isFolder ? EISDIR : ENOTDIR) }
            if status.isFolder {
                return try copyTree(OpenFolder(source), status, from, to: place, path, isFresh: old == nil || !isAlways)
            }
            mode = mode ?? status.mode & 0o777
        } else {
            let content = try content(entry, "content")
            // A variable that is not set gives no file.
            if content.isEmpty { return }
            if entry.integer("random") != nil && old == nil { mode = mode ?? 0o600 }
            source = try memory(content)
        }
        if try write(source, to: place, mode: mode, like: nil, isNew: old == nil) {
            context.changed("wrote", "write", volume.shown(path))
        }
    }

    // MARK: One file

    /// Writes a file if it is not there with that content and mode. False where there was nothing to do.
    /// - Parameters:
    ///   - mode: nil: that of the file that is replaced, or as the umask has it.
    ///   - like: whose owner it gets; nil: that of the file that is replaced.
    ///   - isNew: there was none; one that appeared in the meantime stays.
    func write(
        _ source: FileDescriptor, to place: Place, mode: UInt32?, like: hi_status?, isNew: Bool
    ) throws(Errno) -> Bool {
        guard let name = place.names.last else { throw .isFolder }
        if isDryRun && isNew { return true }
        let folder = try place.base.makeFolder(Array(place.names.dropLast()), mode: 0o777) { _ in }
        return try write(source, folder, name, mode: mode, like: like, isNew: isNew)
    }

    @inline(never)
    private func write(
        _ source: FileDescriptor, _ folder: OpenFolder, _ name: Bytes, mode: UInt32?, like: hi_status?, isNew: Bool
    ) throws(Errno) -> Bool {
        var old: hi_status?
        if !isNew {
            let present = try openFile((folder, [name]))
            let isRight = mode.map { $0 == present.status.permissions } ?? true
            if isRight, try SeedWork.isSame(source, present.file) { return false }
            if lseek(source.number, 0, SEEK_SET) < 0 { throw Errno.current }
            old = present.status
        }
        if isDryRun { return true }
        let owner = like ?? old
        do throws(Errno) {
            try folder.write(name, mode: mode ?? old?.permissions ?? SeedWork.maskedMode(), replacing: !isNew) {
                target throws(Errno) in
                var chunk = Bytes(repeating: 0, count: 65_536)
                while case let count = try SeedWork.fill(&chunk, source), count > 0 {
                    try target.write(chunk.prefix(count))
                }
                // One that takes the place of another's stays his, as far as that is possible.
                if let owner, owner.uid != geteuid() || owner.gid != getegid() {
                    _ = hi_change_owner(target.number, owner.uid, owner.gid)
                }
            }
        } catch {
            if error.code != EEXIST || !isNew { throw error }
            return false
        }
        return true
    }

    /// Whether two open files hold the same bytes from where they are.
    private static func isSame(_ first: FileDescriptor, _ second: FileDescriptor) throws(Errno) -> Bool {
        var left = Bytes(repeating: 0, count: 65_536)
        var right = left
        while true {
            let count = try fill(&left, first)
            if try fill(&right, second) != count { return false }
            if count == 0 { return true }
            if memcmp(left, right, count) != 0 { return false }
        }
    }

    /// Fills a chunk as far as the file goes.
    @inline(never)
    private static func fill(_ chunk: inout Bytes, _ file: FileDescriptor) throws(Errno) -> Int {
        var filled = 0
        while filled < chunk.count {
            let count = chunk.withUnsafeMutableBytes {
                CSystem.read(file.number, $0.baseAddress?.advanced(by: filled), $0.count &- filled)
            }
            if count < 0 {
                if hi_errno() == EINTR { continue }
                throw Errno.current
            }
            if count == 0 { break }
            filled &+= count
        }
        return filled
    }

    private func isEmpty(_ status: hi_status, _ place: Place) throws(Errno) -> Bool {
        if status.isFile { return status.size == 0 }
        if !status.isFolder { return false }
        var isEmpty = true
        try OpenFolder(try place.base.open(place.names, O_RDONLY | O_DIRECTORY)).names { _ in isEmpty = false }
        return isEmpty
    }

    // MARK: Trees

    private func copyTree(
        _ source: OpenFolder, _ status: hi_status, _ from: Bytes, to place: Place, _ path: Bytes, isFresh: Bool
    ) throws(Errno) {
        leftOut = FirstNames()
        var isChanged = isFresh
        if !isFresh {
            let target = OpenFolder(try place.base.open(place.names, O_RDONLY | O_DIRECTORY))
            isChanged = try tree(source, to: target, depth: 0)
        } else if !isDryRun {
            try freshTree(source, status, to: place)
        }
        if leftOut.count > 0 {
            context.report.say("left out of %: neither file, folder nor link: %", from.shown, leftOut.text)
        }
        if isChanged { context.changed("copied", "copy", say("% to %", from.shown, volume.shown(path))) }
    }

    /// A new tree is made under another name and renamed when it is whole.
    private func freshTree(_ source: OpenFolder, _ status: hi_status, to place: Place) throws(Errno) {
        guard let name = place.names.last else { throw .isFolder }
        let folder = try place.base.makeFolder(Array(place.names.dropLast()), mode: 0o777) { _ in }
        let temporary = OpenFolder.temporaryName(name)
        try removeLeftover(folder, temporary)
        let target = try folder.makeFolder([temporary], mode: 0o700) { _ in }
        do throws(Errno) {
            _ = try tree(source, to: target, depth: 0)
            try setMode(of: target, status)
            try target.sync()
            try folder.rename(temporary, to: name, replacing: true)
        } catch {
            try? removeLeftover(folder, temporary)
            throw error
        }
        try folder.sync()
    }

    /// Lays what lies in one folder over another; gives whether that changed anything.
    /// - Parameter source: open for reading.
    func tree(_ source: OpenFolder, to target: OpenFolder, depth: Int) throws(Errno) -> Bool {
        if depth > SeedWork.deepest { throw Errno(ENAMETOOLONG) }
        var names = [Bytes]()
        try source.names { names.append($0) }
        var isChanged = false
        for number in order(names) {
            let name = names[number]
            let status = try source.status(name)
            let old = try present((target, [name]))
            if status.isFolder {
                if isDryRun && old == nil {
                    isChanged = true
                    continue
                }
                let from = OpenFolder(try source.open([name], O_RDONLY | O_DIRECTORY))
                let to = try target.makeFolder([name], mode: 0o700) { _ in }
                if try tree(from, to: to, depth: depth &+ 1) { isChanged = true }
                if old == nil {
                    try setMode(of: to, status)
                    isChanged = true
                }
            } else if status.isFile {
                let from = try openFile((source, [name]))
                let mode = from.status.mode & 0o777
                if try write(from.file, target, name, mode: mode, like: nil, isNew: old == nil) { isChanged = true }
            } else if !status.isLink {
                leftOut.add(name.shown)
            } else if old == nil {
                isChanged = true
                if !isDryRun { try copyLink(source, target, name) }
            }
        }
        return isChanged
    }

    private func setMode(of folder: OpenFolder, _ status: hi_status) throws(Errno) {
        let number = folder.descriptor.number
        if hi_change_mode(number, ".", number, status.mode & 0o777) < 0 { throw Errno.current }
    }

    /// A link, as the link that it is.
    private func copyLink(_ source: OpenFolder, _ target: OpenFolder, _ name: Bytes) throws(Errno) {
        let result = name.withCString { hi_copy_link(source.descriptor.number, target.descriptor.number, $0) }
        if result < 0 && hi_errno() != EEXIST { throw Errno.current }
    }

    /// Removes the copy of a run that was cut off. In a folder of somebody else the name may mean a folder that this user
    /// could not empty himself; there only an empty one is removed.
    private func removeLeftover(_ folder: OpenFolder, _ name: Bytes) throws(Errno) {
        do throws(Errno) {
            let leftover = OpenFolder(try folder.open([name], O_RDONLY | O_DIRECTORY))
            let isOwn = try folder.status().uid == geteuid()
            if try leftover.status().uid == geteuid(), isOwn {
                try SeedWork.empty(leftover, depth: 0)
            }
        } catch {
            if error == .noEntry { return }
            throw error
        }
        try folder.remove(name, isFolder: true)
    }

    private static func empty(_ folder: OpenFolder, depth: Int) throws(Errno) {
        if depth > deepest { throw Errno(ENAMETOOLONG) }
        var names = [Bytes]()
        try folder.names { names.append($0) }
        for name in names {
            let isFolder = try folder.status(name).isFolder
            if isFolder { try empty(OpenFolder(try folder.open([name], O_RDONLY | O_DIRECTORY)), depth: depth &+ 1) }
            try folder.remove(name, isFolder: isFolder)
        }
    }

    // MARK: Values

    /// A text of the options, or the random bytes in its place as hex.
    func content(_ entry: StageOptions, _ key: Literal) throws(Errno) -> Bytes {
        guard let count = entry.integer("random") else { return entry.string(key) ?? [] }
        var bytes = Bytes(repeating: 0, count: Int(max(1, min(count, 256))))
        if bytes.withUnsafeMutableBytes({ hi_random($0.baseAddress, $0.count) }) < 0 { throw Errno.current }
        var text = Bytes()
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] { text.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit) }
        }
        return text
    }

    /// An open file with that content.
    func memory(_ content: Bytes) throws(Errno) -> FileDescriptor {
        let number = content.withUnsafeBytes { hi_memory_file($0.baseAddress, $0.count) }
        if number < 0 || lseek(number, 0, SEEK_SET) < 0 { throw Errno.current }
        return FileDescriptor(owning: number)
    }

    private static func maskedMode() -> UInt32 {
        let mask = umask(0o077)
        umask(mask)
        return 0o666 & ~UInt32(mask)
    }
}
