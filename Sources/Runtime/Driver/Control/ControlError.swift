import ConfigParser

/// Why a request was not carried out: a word for programs, and a sentence for people with what to do about it.
public final class ControlError: Error, Equatable {
    /// usage, refused, unknown-service, unknown-verb, failed, timeout, busy, stopping, conflict or configuration.
    public let code: String
    /// What, and why: one sentence without a full stop.
    public let message: String
    /// What to do; nil where that is plain.
    public let hint: String?

    /// An error.
    @inline(never)
    public init(code: Literal, message: String, hint: String? = nil) {
        self.code = code.text
        self.message = message
        self.hint = hint
    }

    /// An error whose code was read.
    @_disfavoredOverload
    public init(code: String, message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// The same in every part.
    public static func == (left: ControlError, right: ControlError) -> Bool {
        left.code == right.code && left.message == right.message && (left.hint ?? "") == (right.hint ?? "")
    }
}
