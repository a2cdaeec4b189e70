import CSystem
import ConfigParser
import System

/// Who a process runs as: from `user`, `group` and `groups` to numbers, with the reason where that cannot be. Decides with
/// what it is given and makes no system call itself, so that every case can be tested as any user.

/// The IDs the init itself has; what it may change follows from them.
struct OwnIdentity: Sendable {
    var uid: UInt32
    var gid: UInt32
    var isRoot: Bool { uid == 0 }

    static func current() -> OwnIdentity { OwnIdentity(uid: geteuid(), gid: getegid()) }
}

/// What a process is to be.
struct ProcessIdentity: Equatable, Sendable {
    /// What to change, in the order groups, gid, uid; nil: left as the init has it.
    var groups: [UInt32]?
    var gid: UInt32?
    var uid: UInt32?
    /// HOME, USER, LOGNAME and SHELL for a service with a `user`; nil without one.
    var account: Account?
}

/// Why a service cannot be run as who its file says.
struct IdentityError: Error, Equatable {
    var message: String
}

/// Finds out who a service runs as.
/// - Parameters:
///   - user, group, groups: the expanded values of those keys; nil where a key is not set. Names or numbers.
///   - accounts: /etc/passwd and /etc/group.
///   - own: who the init is.
///   - remedy: what to do where it may not be that user.
func resolveIdentity(
    user: Bytes?, group: Bytes?, groups: [Bytes]?, accounts: Accounts, own: OwnIdentity,
    remedy: String = LaunchContext.remedyInFile
) throws(IdentityError) -> ProcessIdentity {
    var identity = ProcessIdentity()
    if let user {
        let account = try findAccount(user, accounts)
        identity.account = account
        identity.uid = account.uid
        identity.gid = account.gid
        identity.groups = accounts.groups(of: account.name, primary: account.gid)
    }
    if let group {
        let gid = try findGroup(group, accounts)
        identity.gid = gid
        if identity.groups != nil, groups == nil, let account = identity.account {
            identity.groups = accounts.groups(of: account.name, primary: gid)
        }
    }
    if let groups {
        var list = [UInt32]()
        for name in groups { list.append(try findGroup(name, accounts)) }
        identity.groups = list
    }
    if own.isRoot { return identity }
    return try withoutPrivilege(
        identity, user: user, groupIsGiven: group != nil, groupsAreGiven: groups != nil, own: own,
        remedy: remedy)
}

/// An init that is not root can run a service as itself and as nobody else.
private func withoutPrivilege(
    _ wanted: ProcessIdentity, user: Bytes?, groupIsGiven: Bool, groupsAreGiven: Bool, own: OwnIdentity,
    remedy: String
) throws(IdentityError) -> ProcessIdentity {
    if let uid = wanted.uid, uid != own.uid {
        throw IdentityError(
            message: say(
                "cannot run as user % (uid %): hermes-init itself runs as uid % and only root may change it; %",
                user?.shown ?? String(uid), String(uid), String(own.uid), remedy))
    }
    if groupIsGiven, let gid = wanted.gid, gid != own.gid {
        throw IdentityError(
            message: say(
                "cannot run with gid %: hermes-init itself runs as uid % with gid % and only root may change it; %",
                String(gid), String(own.uid), String(own.gid), remedy))
    }
    if groupsAreGiven {
        throw IdentityError(
            message: say(
                """
                cannot set supplementary groups (`groups`): hermes-init runs as uid % and only root may set them; \
                %
                """, String(own.uid), remedy))
    }
    return ProcessIdentity(groups: nil, gid: nil, uid: nil, account: wanted.account)
}

private func findAccount(_ user: Bytes, _ accounts: Accounts) throws(IdentityError) -> Account {
    if let account = accounts.account(named: user) { return account }
    if let uid = Accounts.decimal(user) {
        if let account = accounts.account(uid: uid) { return account }
        // A number needs no entry. Its group is the same number: the alternative, 0, would be a gift.
        return Account(
            name: user, uid: uid, gid: uid, home: Bytes("/"), shell: Bytes("/bin/sh"))
    }
    var message = say("cannot run as user %: there is no such user in /etc/passwd", user.shown)
    if let near = nearest(to: user.shown, among: accounts.userNames) { message += say("; did you mean %?", near) }
    throw IdentityError(message: say("%; add it to the image (useradd), or give a numeric ID", message))
}

private func findGroup(_ group: Bytes, _ accounts: Accounts) throws(IdentityError) -> UInt32 {
    if let gid = accounts.gid(ofGroup: group) { return gid }
    if let gid = Accounts.decimal(group) { return gid }
    throw IdentityError(
        message: say(
            """
            cannot run with group %: there is no such group in /etc/group; add it to the image (groupadd), or \
            give a numeric ID
            """, group.shown))
}
