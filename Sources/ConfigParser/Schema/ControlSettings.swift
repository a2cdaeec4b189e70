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

    /// Whether the other says the same.
    public func isSame(as other: ControlSettings) -> Bool {
        if mode != other.mode || !areSame(http, other.http) || operators.count != other.operators.count { return false }
        for (one, another) in zip(operators, other.operators) {
            if !areSame(one.user, another.user) || !areSame(one.group, another.group) { return false }
            if one.services.count != another.services.count { return false }
            for (name, rival) in zip(one.services, another.services) where !(name == rival) { return false }
        }
        return true
    }
}

/// Whether two texts that may be missing are the same, byte by byte.
public func areSame(_ one: String?, _ other: String?) -> Bool {
    guard let one, let other else { return one == nil && other == nil }
    return one == other
}
