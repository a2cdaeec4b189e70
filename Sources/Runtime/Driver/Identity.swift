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
func resolveIdentity(
    user: Bytes?, group: Bytes?, groups: [Bytes]?, accounts: Accounts, own: OwnIdentity
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
        identity, user: user, groupIsGiven: group != nil, groupsAreGiven: groups != nil, own: own)
}

/// An init that is not root can run a service as itself and as nobody else.
private func withoutPrivilege(
    _ wanted: ProcessIdentity, user: Bytes?, groupIsGiven: Bool, groupsAreGiven: Bool, own: OwnIdentity
) throws(IdentityError) -> ProcessIdentity {
    let remedy = "start the container as root, or as that user (--user), or take the key out of the file"
    if let uid = wanted.uid, uid != own.uid {
        throw IdentityError(
            message: "cannot run as user " + (user?.shown ?? String(uid)) + " (uid " + String(uid)
                + "): hermes-init itself runs as uid " + String(own.uid) + " and only root may change it; " + remedy)
    }
    if groupIsGiven, let gid = wanted.gid, gid != own.gid {
        throw IdentityError(
            message: "cannot run with gid " + String(gid) + ": hermes-init itself runs as uid " + String(own.uid)
                + " with gid " + String(own.gid) + " and only root may change it; " + remedy)
    }
    if groupsAreGiven {
        throw IdentityError(
            message: "cannot set supplementary groups (`groups`): hermes-init runs as uid " + String(own.uid)
                + " and only root may set them; " + remedy)
    }
    return ProcessIdentity(groups: nil, gid: nil, uid: nil, account: wanted.account)
}

private func findAccount(_ user: Bytes, _ accounts: Accounts) throws(IdentityError) -> Account {
    if let account = accounts.account(named: user) { return account }
    if let uid = Accounts.decimal(user) {
        if let account = accounts.account(uid: uid) { return account }
        // A number needs no entry. Its group is the same number: the alternative, 0, would be a gift.
        return Account(
            name: user, uid: uid, gid: uid, home: Bytes("/".utf8), shell: Bytes("/bin/sh".utf8))
    }
    var message = "cannot run as user " + user.shown + ": there is no such user in /etc/passwd"
    if let near = nearest(to: user.shown, among: accounts.userNames) { message += "; did you mean " + near + "?" }
    throw IdentityError(message: message + "; add it to the image (useradd), or give a numeric ID")
}

private func findGroup(_ group: Bytes, _ accounts: Accounts) throws(IdentityError) -> UInt32 {
    if let gid = accounts.gid(ofGroup: group) { return gid }
    if let gid = Accounts.decimal(group) { return gid }
    throw IdentityError(
        message: "cannot run with group " + group.shown
            + ": there is no such group in /etc/group; add it to the image (groupadd), or give a numeric ID")
}
