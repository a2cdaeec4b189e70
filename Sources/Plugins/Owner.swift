import CSystem
import ConfigParser
import System

/// To whom something is given, as chown(1) has it: `user`, `user:group`, `user:` (with the user's own group) or `:group`, by
/// name or by number. A number needs no entry in /etc/passwd.
struct Owner {
    /// The number of the user; nil where it is left as it is.
    let uid: UInt32?
    /// The number of the group; nil where it is left as it is.
    let gid: UInt32?
    /// For people: as it was written, and its numbers.
    let shown: String
    /// What belongs to the user already keeps its group.
    var keepsGroup = false

    /// Gives the owner, or why there is none.
    static func parse(_ text: Bytes, _ accounts: Accounts) -> (owner: Owner?, mistake: String) {
        let parts = text.split(separator: 0x3A, maxSplits: 1, omittingEmptySubsequences: false)
        let user = Bytes(parts.first ?? [])
        var uid: UInt32?
        var gid: UInt32?
        if !user.isEmpty {
            let account = accounts.account(named: user)
            uid = account?.uid ?? Accounts.decimal(user)
            guard let number = uid else {
                return (
                    nil, say("there is no user % in /etc/passwd; write a name that is there, or a number", user.shown)
                )
            }
            if parts.count > 1 && parts[1].isEmpty { gid = (account ?? accounts.account(uid: number))?.gid ?? number }
        }
        if parts.count > 1 && !parts[1].isEmpty {
            let group = Bytes(parts[1])
            gid = accounts.gid(ofGroup: group) ?? Accounts.decimal(group)
            if gid == nil {
                return (
                    nil, say("there is no group % in /etc/group; write a name that is there, or a number", group.shown)
                )
            }
        }
        if uid == nil && gid == nil { return (nil, "it names neither a user nor a group") }
        var numbers = uid.map { String($0) } ?? ""
        if let gid { numbers += say(":%", String(gid)) }
        let isNumeric = text == numbers.bytes
        let name = text.last == 0x3A ? Bytes(text.dropLast()) : text
        return (Owner(uid: uid, gid: gid, shown: isNumeric ? numbers : say("% (%)", name.shown, numbers)), "")
    }

    /// Whether a file has another owner.
    @inline(__always)
    func differs(from status: hi_status) -> Bool {
        if let uid {
            if status.uid != uid { return true }
            if keepsGroup { return false }
        }
        if let gid, status.gid != gid { return true }
        return false
    }
}
