import CSystem

/// Users and groups as /etc/passwd and /etc/group list them (passwd(5), group(5)). A static program has no NSS; in a
/// container these two files are the truth. Lines that are not of the form are passed over.

/// A line of /etc/passwd.
public struct Account: Equatable, Sendable {
    /// The login name.
    public var name: Bytes
    /// The number of the user.
    public var uid: UInt32
    /// The number of its primary group.
    public var gid: UInt32
    /// The home directory; may be empty.
    public var home: Bytes
    /// The login shell; may be empty, which means /bin/sh.
    public var shell: Bytes

    /// A line by its fields, the password and the comment left out.
    public init(name: Bytes, uid: UInt32, gid: UInt32, home: Bytes, shell: Bytes) {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.home = home
        self.shell = shell
    }
}

/// Both files, as they were read.
public struct Accounts: Sendable {
    private var passwd: Bytes
    private var group: Bytes

    /// From the bytes of the two files.
    public init(passwd: Bytes, group: Bytes) {
        self.passwd = passwd
        self.group = group
    }

    /// Reads both files now. One that is missing or cannot be used counts as empty: numeric IDs work without it. Throws only
    /// what may go better later, lest a lack of descriptors look like a lack of users.
    public static func read() throws(Errno) -> Accounts {
        try Accounts(in: FileTree())
    }

    /// Those of a tree of files.
    public init(in tree: FileTree) throws(Errno) {
        self.init(
            passwd: try Accounts.contents("/etc/passwd", tree), group: try Accounts.contents("/etc/group", tree))
    }

    /// NGROUPS_MAX: setgroups(2) takes no more.
    private static let mostGroups = 65_536

    /// Large directories of users exist; an init reads at most this much of them.
    private static let limit = 4 << 20

    private static func contents(_ path: String, _ tree: FileTree) throws(Errno) -> Bytes {
        do throws(Errno) {
            return try readFile(tree.place(of: Bytes(path.utf8)), limit: limit)
        } catch {
            if error.isTransient { throw error }
            return []
        }
    }

    /// The account of a name.
    public func account(named name: Bytes) -> Account? {
        first { $0.name == name }
    }

    /// The first account of a number.
    public func account(uid: UInt32) -> Account? {
        first { $0.uid == uid }
    }

    /// The lines of a file, without the CR of one that was made elsewhere.
    private static func lines(_ file: Bytes) -> [ArraySlice<UInt8>] {
        var lines = file.split(separator: 0x0A)
        for index in lines.indices where lines[index].last == 0x0D { lines[index].removeLast() }
        return lines
    }

    private func first(where matches: (Account) -> Bool) -> Account? {
        for line in Accounts.lines(passwd) {
            if let account = Accounts.account(line), matches(account) { return account }
        }
        return nil
    }

    private static func account(_ line: ArraySlice<UInt8>) -> Account? {
        let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
        guard fields.count >= 7, let uid = decimal(fields[2]), let gid = decimal(fields[3]) else { return nil }
        return Account(name: Bytes(fields[0]), uid: uid, gid: gid, home: Bytes(fields[5]), shell: Bytes(fields[6]))
    }

    /// The number of a group of that name.
    public func gid(ofGroup name: Bytes) -> UInt32? {
        for line in Accounts.lines(group) {
            let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
            if fields.count >= 3, fields[0].elementsEqual(name), let gid = Accounts.decimal(fields[2]) { return gid }
        }
        return nil
    }

    /// The numbers of the groups that list a user as a member, in the order of the file, with `primary` first (initgroups(3)).
    /// At most 65536, which is all that the kernel takes; one that stands twice in the file does so here.
    public func groups(of user: Bytes, primary: UInt32) -> [UInt32] {
        var found = [primary]
        for line in Accounts.lines(group) {
            let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
            guard fields.count >= 4, let gid = Accounts.decimal(fields[2]), gid != primary else { continue }
            if found.count >= Accounts.mostGroups { break }
            for member in fields[3].split(separator: 0x2C) where member.elementsEqual(user) {
                found.append(gid)
                break
            }
        }
        return found
    }

    /// From now on that user has these numbers, its primary group too, and is in these other groups as well: lines in
    /// front of what the files say, where the first of a name or a number counts.
    public mutating func renumber(_ name: Bytes, uid: UInt32, gid: UInt32, groups: [UInt32]) {
        let old = account(named: name)
        let number = Bytes(String(gid).utf8)
        passwd =
            name + Bytes((":x:" + String(uid) + ":").utf8) + number + [0x3A, 0x3A] + (old?.home ?? []) + [0x3A]
            + (old?.shell ?? []) + [0x0A] + passwd
        var lines = Bytes()
        if let old {
            for line in Accounts.lines(group) {
                let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
                guard fields.count >= 3, Accounts.decimal(fields[2]) == old.gid else { continue }
                lines = Bytes(fields[0]) + Bytes(":x:".utf8) + number + [0x3A, 0x0A]
                break
            }
        }
        for other in groups {
            lines += Bytes((":x:" + String(other) + ":").utf8) + name + [0x0A]
        }
        group = lines + group
    }

    /// Names to suggest where one is not known.
    public var userNames: [String] {
        Accounts.lines(passwd).map { String(decoding: $0.prefix { $0 != 0x3A }, as: UTF8.self) }
    }

    /// A number of at most 32 bits; 4294967295 means "no ID" to the kernel and is none.
    public static func decimal(_ digits: some Collection<UInt8>) -> UInt32? {
        guard !digits.isEmpty && digits.count <= 10 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard digit >= 0x30 && digit <= 0x39 else { return nil }
            value = value &* 10 &+ UInt64(digit &- 0x30)
        }
        return value < UInt64(UInt32.max) ? UInt32(truncatingIfNeeded: value) : nil
    }
}
