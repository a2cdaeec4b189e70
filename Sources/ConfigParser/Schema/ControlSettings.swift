/// `[control]` of init.toml: who may ask the running init for what. It says nothing of how that is done.

/// One of `operators`: a user or a group that may do more than read the status.
public struct Operator: Sendable {
    /// A name or a number; nil where `group` is set.
    public var user: String?
    /// A name or a number; nil where `user` is set.
    public var group: String?
    /// Names of services, in which `*` stands for any text; empty: all of them, and the init itself (`shutdown`, `reload`).
    public var services: [String] = []
    /// Where it stands in init.toml.
    public var span: Span
    /// Nobody yet.
    public init(span: Span) { self.span = span }
}

/// What everybody who is no operator may do (`mode`).
public enum ControlMode: Sendable {
    /// Read the status.
    case status
    /// Nothing: only root, the init's own user and operators are answered.
    case operators
    /// There is no socket.
    case off
}

/// `[control]`.
public struct ControlSettings: Sendable {
    /// `mode`.
    public var mode = ControlMode.status
    /// `operators`.
    public var operators: [Operator] = []
    /// `http`: a numeric address and port for `/metrics`, `/health` and `/ready`; nil: none.
    public var http: String?
    /// Where `http` stands.
    public var httpSpan: Span?
    /// The defaults.
    public init() {}
}
