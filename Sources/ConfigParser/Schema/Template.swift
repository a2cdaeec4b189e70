/// A string of a service file that may name variables: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`; `$${` stands for
/// a literal `${`. Parsed once when the file is read, so that a mistake in it is found by `--check`; expanded when the
/// service starts. Works on bytes: a value of the environment need not be UTF-8. Never split into words.

/// A string with its variables taken apart.
public struct Template: Sendable {
    /// A piece of it.
    public indirect enum Part: Sendable {
        case literal([UInt8])
        case variable(name: String, fallback: Fallback, span: Span)
    }
    /// What stands in for a variable that is not set or is empty.
    public enum Fallback: Sendable {
        case none
        /// `:-`
        case value([Part])
        /// `:?`
        case error(String)
    }
    /// Its pieces, in their order.
    public var parts: [Part]
    /// The value in the file that it was read from.
    public var span: Span

    /// A template of these pieces.
    public init(parts: [Part], span: Span) {
        self.parts = parts
        self.span = span
    }

    /// A template without variables.
    public init(literal text: String, span: Span) {
        self.init(parts: [.literal([UInt8](text.utf8))], span: span)
    }

    /// The text where no variable is in it; nil otherwise.
    public var literal: [UInt8]? {
        if parts.count == 1, case .literal(let bytes) = parts[0] { return bytes }
        var text = [UInt8]()
        for part in parts {
            guard case .literal(let bytes) = part else { return nil }
            text += bytes
        }
        return text
    }
}

/// Why a template could not be expanded.
public struct ExpansionError: Error {
    /// The name of the variable.
    public var variable: String
    /// The text of `:?`, or nil where the name is simply not set.
    public var message: String?
    /// Where the variable is named.
    public var span: Span
    /// An error at that variable.
    public init(variable: String, message: String?, span: Span) {
        self.variable = variable
        self.message = message
        self.span = span
    }
}

extension Template {
    /// Puts in the variables. `lookup` gives a variable's value, nil where it is not set.
    public func expand(_ lookup: (String) -> [UInt8]?) throws(ExpansionError) -> [UInt8] {
        try Template.expand(parts, lookup)
    }

    private static func expand(_ parts: [Part], _ lookup: (String) -> [UInt8]?) throws(ExpansionError) -> [UInt8] {
        var text = [UInt8]()
        for part in parts {
            switch part {
            case .literal(let bytes):
                text += bytes
            case .variable(let name, let fallback, let span):
                let value = lookup(name)
                switch fallback {
                case .none:
                    guard let value else { throw ExpansionError(variable: name, message: nil, span: span) }
                    text += value
                case .value(let parts):
                    if let value, !value.isEmpty { text += value } else { text += try expand(parts, lookup) }
                case .error(let message):
                    guard let value, !value.isEmpty else {
                        throw ExpansionError(variable: name, message: message, span: span)
                    }
                    text += value
                }
            }
        }
        return text
    }
}
