import ConfigParser

/// Who may ask for what. Pure: who is at the other end of the socket was said by the kernel, and the names of users and
/// groups are looked up by a closure.

/// What a verb needs.
public enum ControlAccess: Equatable, Sendable {
    /// To read how the container is doing.
    case status
    /// To be an operator, of whatever.
    case anyOperator
    /// To act on a service, or to see more of it than its state.
    case service(String)
    /// To act on the container itself.
    case container
}

/// Who asks.
public struct ControlPeer: Sendable {
    /// The numbers that the kernel gives (SO_PEERCRED).
    public var user: UInt32
    /// The same of its group.
    public var group: UInt32
    /// The name of the user in /etc/passwd; empty where it has none.
    public var name: String
    /// The other groups that /etc/group lists it in.
    public var groups: [UInt32]

    /// Somebody.
    public init(user: UInt32, group: UInt32, name: String = "", groups: [UInt32] = []) {
        self.user = user
        self.group = group
        self.name = name
        self.groups = groups
    }

    /// "hermes (uid 1000)".
    var words: String { name.isEmpty ? say("uid %", String(user)) : say("% (uid %)", name, String(user)) }
}

/// What one peer may do.
public struct ControlRights: Sendable {
    /// Everything.
    public var isFull: Bool
    /// It may read the status.
    public var mayRead: Bool
    /// The services that it may act on; `*` stands for any text.
    public var patterns: [String] = []
    private var who: String

    /// - Parameters:
    ///   - own: the user that the init runs as.
    ///   - number: the number of a user or (`isGroup`) a group, by name or as digits; nil: there is none.
    public init(
        _ peer: ControlPeer, own: UInt32, settings: ControlSettings,
        number: (_ name: String, _ isGroup: Bool) -> UInt32?
    ) {
        who = peer.words
        isFull = peer.user == 0 || peer.user == own
        var isOperator = isFull
        for entry in settings.operators {
            guard ControlRights.isMeant(peer, entry, number) else { continue }
            isOperator = true
            if entry.services.isEmpty { isFull = true }
            patterns += entry.services
        }
        mayRead = isOperator || settings.mode == .status
    }

    private static func isMeant(
        _ peer: ControlPeer, _ entry: Operator, _ number: (String, Bool) -> UInt32?
    ) -> Bool {
        // Who has no number here is nobody that could be named.
        if peer.user == .max { return false }
        if let user = entry.user { return number(user, false) == peer.user }
        guard let name = entry.group, let group = number(name, true) else { return false }
        return peer.group == group || peer.groups.contains(group)
    }

    /// Whether it may.
    public func allows(_ access: ControlAccess) -> Bool {
        switch access {
        case .status: return mayRead
        case .anyOperator: return isFull || !patterns.isEmpty
        case .container: return isFull
        case .service(let name):
            if isFull { return true }
            for pattern in patterns where ControlRights.matches(pattern.bytes, name.bytes) { return true }
            return false
        }
    }

    /// Why it may not, and how it could.
    public func refusal(_ verb: String, _ access: ControlAccess) -> ControlError {
        var what = verb
        var services = ""
        if case .service(let name) = access {
            what += say(" %", shown(name, quotes: false))
            services = say(", services = [\"%\"]", shown(name, quotes: false))
        }
        return ControlError(
            code: "refused",
            message: say("% may not ask for: %; only root, the user of hermes-init and operators may", who, what),
            hint: say(
                "ask as root, or name the user in init.toml: [control] operators = [{ user = \"NAME\"% }]", services))
    }

    /// Whether a text is that of a pattern, in which `*` stands for any text. As long as the one times the other at
    /// worst.
    static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var place = 0
        var at = 0
        var star: Int?
        var resume = 0
        while at < text.count {
            if place < pattern.count && pattern[place] == 0x2A {
                star = place
                resume = at
                place &+= 1
            } else if place < pattern.count && pattern[place] == text[at] {
                place &+= 1
                at &+= 1
            } else if let before = star {
                place = before &+ 1
                resume &+= 1
                at = resume
            } else {
                return false
            }
        }
        while place < pattern.count && pattern[place] == 0x2A { place &+= 1 }
        return place == pattern.count
    }
}
