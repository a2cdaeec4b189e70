import CSystem
import ConfigParser
import System

/// `uid-remap`: gives a user of the image the numbers that the owner of a mounted folder has outside, and the groups of
/// sockets and devices that it should be able to use. Edits /etc/passwd, /etc/group and /etc/gshadow, each at once
/// (AccountEditor.swift says what stays), under the lock that shadow-utils take; what belongs to the user is not looked at.
/// /etc/shadow holds no numbers and stays. Where /etc cannot be written, the init alone is told the numbers.
///
/// It is also where a container that was started as a user it cannot work for is refused.
enum UidRemap {
    static let plugin = Plugin(
        name: "uid-remap",
        summary: "Gives a user the numbers that variables ask for, and the groups of sockets and devices",
        keys: [
            Key("user", .template, required: true, "The user, who is in /etc/passwd"),
            Key(
                "group", .template,
                "The group that gets the new number; the one that has the user's name where it is not set, else its primary one"
            ),
            Key(
                "uid-from", .variables, default: "[]",
                "Variables with the number of the user; the first that is set counts"),
            Key("gid-from", .variables, default: "[]", "The same for the number of the group"),
            Key("min", .integer(from: 0, to: 4_294_967_294), default: "1", "The smallest number that is taken"),
            Key("max", .integer(from: 0, to: 4_294_967_294), default: "65534", "The largest number that is taken"),
            Key(
                "allow-start-as", .templates, default: "[]",
                "Users, by name or number, as which the container may be started beside root and the user itself"),
            Key(
                "refusal", .content,
                "What is said to whoever starts it as another; how to do it right where it is not set"),
            Key(
                "join-groups-of", .pathOrPaths, default: "[]",
                "Files whose group the user joins; the last part of a path can have one `*`"),
        ],
        run: { run($0, $1, etc: Bytes("/etc"), started: geteuid()) })

    /// - Parameters:
    ///   - etc: the folder of passwd and group.
    ///   - started: who the container was started as.
    static func run(_ options: StageOptions, _ context: StageContext, etc: Bytes, started: UInt32) -> Int32 {
        let work = Remapping(options, context, etc)
        return started == 0 ? work.remap() : work.admit(started)
    }
}

/// One of the three files: as it was read and as it is to be.
private struct AccountFile {
    let name: StaticString
    var before = Bytes()
    var after = Bytes()
    /// nil where there is no such file, or it cannot be edited.
    var status: hi_status?

    init(_ name: StaticString) { self.name = name }
    var fileName: Bytes { Bytes(name.description.utf8) }
}

/// One run. A class, since a structure of this size costs code wherever it is handed on.
private final class Remapping {
    private let options: StageOptions
    private let context: StageContext
    private let etc: Bytes
    private let user: Bytes
    private var passwd = AccountFile("passwd")
    private var group = AccountFile("group")
    private var gshadow = AccountFile("gshadow")
    /// Why /etc cannot be edited.
    private var obstacle: String?
    /// The numbers that the user is to have, and the groups that it joins.
    private var uid: UInt32 = 0
    private var gid: UInt32 = 0
    private var joined: [UInt32] = []
    /// What is told where the change was made.
    private var changes: [(done: String, would: String, rest: String)] = []

    init(_ options: StageOptions, _ context: StageContext, _ etc: Bytes) {
        self.options = options
        self.context = context
        self.etc = etc
        user = options.string("user") ?? []
    }

    private var report: StageReport { context.report }

    // MARK: Started as somebody else

    /// The container was not started as root: nothing can be changed, and only some users will do.
    func admit(_ started: UInt32) -> Int32 {
        read(OpenEtc(etc))
        let accounts = Accounts(passwd: passwd.before, group: group.before)
        for name in [user] + options.strings("allow-start-as") {
            guard let uid = accounts.account(named: name)?.uid ?? Accounts.decimal(name), uid == started else {
                continue
            }
            for (list, what) in [("uid-from", "uid"), ("gid-from", "gid")] as [(Literal, String)] {
                guard let (variable, value) = wanted(list), Accounts.decimal(value) != started else { continue }
                report.say(
                    "% asks for % %, but the container was started as user %: only root can change that",
                    variable, what, value.shown, String(started))
            }
            return 0
        }
        report.say("to start the container as user % is not supported", String(started))
        if let refusal = options.string("refusal") {
            report.say(String(decoding: refusal, as: UTF8.self))
            return 1
        }
        var remedy = say("leave out --user: hermes-init starts as root and runs what it starts as %", user.shown)
        let (uids, gids) = (options.strings("uid-from"), options.strings("gid-from"))
        for place in uids.indices {
            remedy += place == 0 ? "; for another number write " : ", or "
            remedy += say("-e %=$(id -u)", uids[place].shown)
            if place < gids.count { remedy += say(" -e %=$(id -g)", gids[place].shown) }
        }
        report.say(remedy)
        return 1
    }

    // MARK: Started as root

    func remap() -> Int32 {
        for byte in user where byte == 0x3A || byte == 0x2C || byte < 0x21 {
            report.say("% cannot be the name of a user", user.shown)
            return 1
        }
        let folder = OpenEtc(etc)
        // Held until the end of the process.
        let lock = context.isDryRun ? nil : takeLock(folder)
        defer { withExtendedLifetime(lock) {} }
        read(folder)
        let accounts = Accounts(passwd: passwd.before, group: group.before)
        guard let account = accounts.account(named: user) else {
            report.say(
                "there is no user % in %/passwd; add it to the image (useradd), or mend `user`", user.shown,
                etc.shown)
            return 1
        }
        (uid, gid) = (account.uid, account.gid)
        if let number = number("uid-from", "uid", account.uid) { uid = number }
        let wantedGID = number("gid-from", "gid", account.gid)
        if let wantedGID { gid = wantedGID }
        changeNumbers(account, accounts)
        if wantedGID != nil { changeGroup(account, accounts) }
        joinGroups(accounts)
        return finish(folder)
    }

    /// The variable of a list that counts: the first that is set, and not to nothing.
    private func wanted(_ list: Literal) -> (variable: String, value: Bytes)? {
        for name in options.strings(list) {
            let variable = String(decoding: name, as: UTF8.self)
            if let value = context.environment.value(variable), !value.isEmpty { return (variable, value) }
        }
        return nil
    }

    /// The number that variables ask for; a value that will not do is reported and ignored.
    private func number(_ list: Literal, _ what: String, _ current: UInt32) -> UInt32? {
        guard let (variable, value) = wanted(list) else { return nil }
        let (low, high) = (options.integer("min") ?? 1, options.integer("max") ?? 65_534)
        if let number = Accounts.decimal(value), Int64(number) >= low, Int64(number) <= high { return number }
        report.say(
            say(
                "cannot use %=%: it is no number from % to %", variable, Bytes(value.prefix(40)).shown, String(low),
                String(high)) + say("; % keeps % %", user.shown, what, String(current)))
        return nil
    }

    private func changeNumbers(_ account: Account, _ accounts: Accounts) {
        if uid != account.uid {
            passwd.after = AccountEditor.setting(
                passwd.after, of: user, field: 2, to: Bytes(String(uid).utf8), atLeast: 7)
            var rest = say("the uid of % from % to %", user.shown, String(account.uid), String(uid))
            if let other = accounts.account(uid: uid) { rest += say(", which % has too", other.name.shown) }
            changes.append(("changed", "change", rest))
        }
        if gid != account.gid {
            passwd.after = AccountEditor.setting(
                passwd.after, of: user, field: 3, to: Bytes(String(gid).utf8), atLeast: 7)
            changes.append(
                ("changed", "change", say("the gid of % from % to %", user.shown, String(account.gid), String(gid))))
        }
    }

    /// Gives the group its number, whatever the user's line says: a run that was cut off may have changed one of the two.
    private func changeGroup(_ account: Account, _ accounts: Accounts) {
        var name = options.string("group")
        if name == nil {
            name = accounts.gid(ofGroup: user) != nil ? user : AccountNames.group(group.before, gid: account.gid)
        }
        guard let name else { return }
        guard let old = accounts.gid(ofGroup: name) else {
            return report.say("there is no group % in %/group", name.shown, etc.shown)
        }
        if old == gid { return }
        group.after = AccountEditor.setting(group.after, of: name, field: 2, to: Bytes(String(gid).utf8), atLeast: 3)
        var rest = say("the number of group % from % to %", name.shown, String(old), String(gid))
        if let other = AccountNames.group(group.before, gid: gid) { rest += say(", which % has too", other.shown) }
        changes.append(("changed", "change", rest))
    }

    // MARK: Groups of files

    private func joinGroups(_ accounts: Accounts) {
        for pattern in options.strings("join-groups-of") {
            for path in matches(pattern) {
                var number: UInt32 = 0
                if path.withCString({ hi_group_of($0, &number) }) == 0 { join(number, path) }
            }
        }
    }

    /// The paths that a path with one `*` in its last part stands for; the path itself without one.
    private func matches(_ pattern: Bytes) -> [Bytes] {
        guard let star = pattern.lastIndex(of: 0x2A), let slash = pattern.lastIndex(of: 0x2F), slash < star else {
            return [pattern]
        }
        let folder = Bytes(pattern[...slash])
        let (front, back) = (pattern[(slash &+ 1)..<star], pattern[(star &+ 1)...])
        // A folder that is not there has nothing in it.
        guard let names = try? listFolder(folder) else { return [] }
        var paths = [Bytes]()
        for place in order(names) {
            let name = names[place]
            if name.count >= front.count &+ back.count && name.prefix(front.count).elementsEqual(front)
                && name.suffix(back.count).elementsEqual(back)
            {
                paths.append(folder + name)
            }
        }
        return paths
    }

    private func join(_ number: UInt32, _ path: Bytes) {
        if number == gid || number == UInt32.max { return }
        for other in joined where other == number { return }
        joined.append(number)
        if let name = AccountNames.group(group.after, gid: number) {
            let before = group.after.count
            group.after = AccountEditor.adding(group.after, member: user, to: name)
            gshadow.after = AccountEditor.adding(gshadow.after, member: user, to: name)
            if group.after.count == before { return }
            changes.append(
                (
                    "added", "add",
                    say("% to group % (%), which % belongs to", user.shown, name.shown, String(number), path.shown)
                ))
            return
        }
        let name = newName(path, number)
        group.after = AccountEditor.adding(
            group.after, line: name + Bytes(say(":x:%:", String(number)).utf8) + user)
        if gshadow.status != nil {
            gshadow.after = AccountEditor.adding(gshadow.after, line: name + Bytes(":!::") + user)
        }
        changes.append(
            (
                "created", "create",
                say("group % (%) for %, which % belongs to", name.shown, String(number), user.shown, path.shown)
            ))
    }

    /// "hostdocker" for /run/docker.sock; with the number behind it where that is the name of another group.
    private func newName(_ path: Bytes, _ number: UInt32) -> Bytes {
        var name = Bytes("host")
        let start = path.lastIndex(of: 0x2F).map { $0 &+ 1 } ?? 0
        for byte in path[start...].prefix(16) {
            let lower = byte | 0x20
            guard lower >= 0x61 && lower <= 0x7A else { break }
            name.append(lower)
        }
        if AccountEditor.fields(group.after, of: name, atLeast: 1) == nil { return name }
        return name + Bytes(say("-%", String(number)).utf8)
    }

    // MARK: The files

    /// Every tool of shadow-utils takes this lock (lckpwdf(3)). Nobody holds it for long; where it cannot be had in five
    /// seconds, the files are left alone.
    private func takeLock(_ folder: OpenEtc) -> FileDescriptor? {
        guard let etc = folder.folder else { return nil }
        do throws(Errno) {
            let file = try etc.open([Bytes(".pwd.lock")], O_WRONLY | O_CREAT, mode: 0o600)
            for _ in 0..<500 {
                if hi_lock_file(file.number) == 0 { return file }
                hi_pause(10)
            }
            obstacle = say("somebody holds the lock %/.pwd.lock", self.etc.shown)
        } catch {
            obstacle = say("cannot lock %/.pwd.lock: %", self.etc.shown, error.text)
        }
        return nil
    }

    private func read(_ folder: OpenEtc) {
        if let error = folder.error { obstacle = say("cannot use %: %", etc.shown, error.text) }
        read(&passwd, folder)
        read(&group, folder)
        read(&gshadow, folder)
    }

    private func read(_ file: inout AccountFile, _ folder: OpenEtc) {
        do throws(Errno) {
            if let etc = folder.folder {
                let open = try etc.open([file.fileName], O_RDONLY | O_NONBLOCK)
                file.status = try open.status()
                file.before = try readToEnd(open, limit: 4 << 20)
            }
        } catch {
            // Through a link, which is not edited, it can be read all the same.
            file.status = nil
            let path = etc + [0x2F] + file.fileName
            file.before = (try? readFile(path, limit: 4 << 20)) ?? []
        }
        file.after = file.before
    }

    /// Writes what differs. Groups come first: a user whose group is not there yet would be worse than a group too many.
    private func finish(_ folder: OpenEtc) -> Int32 {
        if changes.isEmpty { return 0 }
        if !context.isDryRun {
            for file in [gshadow, group, passwd] where obstacle == nil && file.after != file.before {
                obstacle = write(file, folder)
            }
        }
        guard let obstacle else {
            for change in changes { context.changed(change.done, change.would, change.rest) }
            return 0
        }
        report.say(
            say(
                "%; what hermes-init starts as % gets uid %, gid % all the same, other programs go by the file",
                obstacle,
                user.shown, String(uid), String(gid)))
        return report.setUser(user, uid: uid, gid: gid, groups: joined) ? 0 : 1
    }

    /// The reason where it cannot be written.
    private func write(_ file: AccountFile, _ folder: OpenEtc) -> String? {
        let path = say("%/%", etc.shown, file.name.description)
        guard let etc = folder.folder, let status = file.status else {
            return say("refusing to change %: it is a symbolic link, or cannot be read", path)
        }
        do throws(Errno) {
            try etc.write(file.fileName, mode: status.permissions, replacing: true) { (open) throws(Errno) in
                try open.write(file.after)
                if hi_change_owner(open.number, status.uid, status.gid) < 0 { throw Errno.current }
            }
            return nil
        } catch {
            return say("cannot write %: %", path, error.text)
        }
    }
}

/// The folder of the files, held open.
private struct OpenEtc {
    var folder: OpenFolder?
    var error: Errno?

    init(_ path: Bytes) {
        do throws(Errno) {
            folder = try OpenFolder.top().folder(try PathParts(path).names)
        } catch {
            self.error = error
        }
    }
}

/// What Accounts does not tell.
private enum AccountNames {
    /// The name of the first group of a number.
    static func group(_ file: Bytes, gid: UInt32) -> Bytes? {
        for line in file.split(separator: 0x0A) {
            let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
            guard fields.count >= 3, let name = fields.first, Accounts.decimal(fields[2]) == gid, !name.isEmpty,
                name.first != 0x2B, name.first != 0x2D, name.first != 0x23
            else { continue }
            return Bytes(name)
        }
        return nil
    }
}
