import CSystem
import ConfigParser
import System

/// Giving files to an owner as root, in folders whose owner may be hostile: which files may be given, and how one is held while
/// that is decided. Only this file changes an owner or a mode.
///
/// A name is opened once, as a descriptor that stands for the file itself (O_PATH, links not followed); what is decided
/// and what is done concern that descriptor. Another name that is put in its place meanwhile changes nothing. What is left:
///
/// - **Hard links.** A user can often make a link to a file of somebody else (always, where fs.protected_hardlinks is 0), so a
///   file with more than one link may lie outside as well. It is given away only if its owner is the one whom the
///   whole tree belonged to, and is not root: then it was that user's already. Else it is refused.
/// - **A link that is taken away at the right moment.** A file of which the link in the tree was removed after it was opened
///   counts one link, the one outside. Every change of the number of links stamps the file (ctime), so a file that was stamped
///   since it was opened is not decided upon, but looked at again a moment later.
/// - **Devices** are never given: to own the node of a disk is to own the disk.
/// - Programs with set-user-ID or capabilities: the kernel takes both away at a change of owner.
final class Handover {
    let owner: Owner
    let isDryRun: Bool
    /// How often it still waits for a file that was stamped just now, 5 ms each.
    private var patience = 40

    /// What was left as it is, for the report.
    private(set) var refused = FirstNames()
    private(set) var failed = FirstNames()
    private(set) var failure: Errno?

    init(owner: Owner, isDryRun: Bool) {
        self.owner = owner
        self.isDryRun = isDryRun
    }

    /// A file that is held.
    struct Held {
        /// Where it had its name when it was opened.
        let folder: FileDescriptor
        let file: FileDescriptor
        let status: hi_status
    }

    /// Opens what has a name in a folder, if it may be changed.
    /// - Parameters:
    ///   - former: whom the tree belonged to.
    ///   - differs: whether there is something to change in a file of that status.
    ///   - path: the whole path, for the report.
    func hold(
        _ folder: FileDescriptor, _ name: UnsafePointer<CChar>?, former: UInt32, differs: (hi_status) -> Bool,
        path: @autoclosure () -> String
    ) throws(Errno) -> Held? {
        while true {
            let before = hi_file_clock()
            let number = hi_open_beneath(folder.number, name, HI_O_PATH, 0)
            if number < 0 { throw Errno.current }
            let file = FileDescriptor(owning: number)
            let status = try file.status()
            if !differs(status) || status.links == 0 { return nil }
            if status.isFolder { return Held(folder: folder, file: file, status: status) }
            if hi_is_device(status.mode) || (status.links > 1 && !isOwn(status, former)) {
                refused.add(refused.isFull ? "" : path())
                return nil
            }
            if status.links > 1 || !wasStamped(status, since: before) {
                return Held(folder: folder, file: file, status: status)
            }
            if patience == 0 {
                refused.add(refused.isFull ? "" : path())
                return nil
            }
            patience &-= 1
            hi_pause(5)
        }
    }

    /// Whether a file with several links belongs to whom the tree belonged to, or to whom it is given.
    private func isOwn(_ status: hi_status, _ former: UInt32) -> Bool {
        status.uid == former && former != 0 || owner.uid.map { status.uid == $0 } ?? false
    }

    /// Whether the file may have been stamped after a moment. File systems stamp with a clock that is up to 10 ms old, and some
    /// in whole or even seconds. A stamp from the future, of a machine without a clock, is none that was made now.
    private func wasStamped(_ status: hi_status, since moment: Int64) -> Bool {
        let slack: Int64 = status.changed % 1_000_000_000 == 0 ? 2_000_000_000 : 10_000_000
        return status.changed >= moment &- slack && status.changed <= hi_file_clock() &+ 10_000_000
    }

    /// Gives a file to the owner. False where that failed, which is told in the report.
    func give(_ file: FileDescriptor, path: @autoclosure () -> String) -> Bool {
        if isDryRun { return true }
        if hi_change_owner(file.number, owner.uid ?? UInt32.max, owner.gid ?? UInt32.max) == 0 { return true }
        fail(Errno.current, path())
        return false
    }

    /// Tells of a file that could not be looked at or changed. One that vanished meanwhile is no failure.
    func fail(_ error: Errno, _ path: @autoclosure () -> String) {
        if error == .noEntry || error.code == ESTALE { return }
        if failure == nil { failure = error }
        failed.add(failed.isFull ? "" : path())
    }

    /// Whether the warning of `tell` says this already.
    func warns(of error: Errno) -> Bool { failed.count > 0 && failure?.code == error.code }

    /// What was left, in a line each.
    func tell(_ report: StageReport) {
        if refused.count > 0 {
            report.say(
                "refusing %: a device, or a file that has another name elsewhere and another owner: %",
                entries(refused.count), refused.text)
        }
        guard let failure, failed.count > 0 else { return }
        report.say(
            "warning: % could not be given to %: % (%)", entries(failed.count), owner.shown, failed.text,
            Handover.reason(failure))
    }

    private static func reason(_ error: Errno) -> String {
        switch error.code {
        case EPERM: return "no right to: a rootless container, a missing capability CHOWN, or an immutable file"
        case EROFS: return "the file system is read-only"
        case EINVAL: return "that number is not known in this user namespace"
        default: return error.text
        }
    }
}
