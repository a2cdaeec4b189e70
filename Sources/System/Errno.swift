import CSystem

/// The reason that the kernel gave for a call that failed (errno(3)).
public struct Errno: Error, Hashable, Sendable {
    /// The number of the error.
    public let code: Int32
    /// An error by its number.
    public init(_ code: Int32) { self.code = code }

    /// That of the last call that failed.
    public static var current: Errno { Errno(hi_errno()) }

    /// ENOENT
    public static let noEntry = Errno(ENOENT)
    /// EPERM
    public static let notPermitted = Errno(EPERM)
    /// EACCES
    public static let denied = Errno(EACCES)
    /// EAGAIN
    public static let again = Errno(EAGAIN)
    /// ENOMEM
    public static let outOfMemory = Errno(ENOMEM)
    /// ENFILE: the whole machine has too many files open.
    public static let fileTableFull = Errno(ENFILE)
    /// EMFILE: this process has.
    public static let tooManyFiles = Errno(EMFILE)
    /// ENOEXEC
    public static let badFormat = Errno(ENOEXEC)
    /// ETXTBSY
    public static let textBusy = Errno(ETXTBSY)
    /// EISDIR
    public static let isFolder = Errno(EISDIR)
    /// EFBIG
    public static let tooLarge = Errno(EFBIG)

    /// A lookup found that there is nothing.
    public var saysMissing: Bool { self == .noEntry || code == ENOTDIR || code == ELOOP || code == ENAMETOOLONG }

    /// "No such file or directory" (strerror(3)).
    public var text: String {
        @inline(never)
        get { String(decoding: Bytes(cString: strerror(code)), as: UTF8.self) }
    }

    /// Lack of processes, memory or descriptors, or a full disk: may go better later.
    public var isTransient: Bool {
        switch code {
        case EAGAIN, ENOMEM, ENFILE, EMFILE, ENOBUFS, ENOSPC, EINTR: return true
        default: return false
        }
    }
}
