/// Addresses of probes as files have them: HOST:PORT and http://HOST:PORT/PATH, in which variables may not be known yet. The
/// probe reads them again when they are. Looks no name up.

/// An address, taken apart as far as it is known.
struct AddressText: Equatable {
    /// A name or an address, without brackets; empty where it is not known yet.
    var host: [UInt8] = []
    /// It stood in brackets: an IPv6 address.
    var isIPv6 = false
    /// 1 to 65535; 0 where it is not known yet.
    var port: UInt16 = 0

    /// An address, or why a text is none.
    enum Parsed {
        case address(AddressText)
        /// What is wrong, as it stands behind "cannot read the address: ", and what to do.
        indirect case mistake(String, help: String)
    }

    private static let example = "write HOST:PORT, such as \"127.0.0.1:8080\" or \"[::1]:8080\""
    private static let httpExample = "write http://HOST:PORT/PATH, such as \"http://127.0.0.1:8080/health\""

    /// Reads an address.
    /// - Parameters:
    ///   - text: its bytes; a 0 stands for text that is not known yet.
    ///   - isHTTP: http://HOST[:PORT][/PATH] rather than HOST:PORT.
    static func parse(_ text: [UInt8], isHTTP: Bool) -> Parsed {
        var address = AddressText()
        var rest = text[...]
        let help = isHTTP ? httpExample : example
        for byte in text where (byte <= 0x20 && byte != 0) || byte == 0x7F {
            return .mistake("it holds a space or a control character", help: help)
        }
        if isHTTP {
            if rest.first == 0 { return .address(address) }
            if same(rest.prefix(8), "https://") {
                return .mistake(
                    "hermes-init speaks http, not https",
                    help:
                        "write a plain http address, or a program that can: command = [\"curl\", \"-fsS\", \"https://…\"]"
                )
            }
            if !same(rest.prefix(7), "http://") { return .mistake("it does not begin with http://", help: help) }
            rest = rest.dropFirst(7)
            let end = rest.firstIndex { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 } ?? rest.endIndex
            rest = rest[..<end]
        } else if rest.contains(0x2F) {
            return .mistake("it has a / and so is not HOST:PORT", help: help)
        }
        var port: ArraySlice<UInt8>?
        if rest.first == 0x5B {
            guard let close = rest.firstIndex(of: 0x5D) else { return .mistake("the ] is missing", help: help) }
            address.isIPv6 = true
            address.host = [UInt8](rest[..<close].dropFirst())
            rest = rest[close...].dropFirst()
            if rest.first == 0x3A {
                port = rest.dropFirst()
            } else if let next = rest.first, next != 0 {
                return .mistake("behind the ] there must be a : and the port", help: help)
            }
        } else {
            let colon = rest.lastIndex(of: 0x3A)
            address.host = [UInt8](rest[..<(colon ?? rest.endIndex)])
            if let colon { port = rest[colon...].dropFirst() }
            if address.host.contains(0x3A) {
                return .mistake("an IPv6 address must stand in brackets", help: help)
            }
        }
        let isKnown = !text.contains(0)
        if address.host.isEmpty { return .mistake("the host is missing", help: help) }
        for byte in address.host {
            let isDigit = byte >= 0x30 && byte <= 0x3A
            let letter = byte | 0x20
            if byte == 0 || isDigit || byte == 0x2E || (letter >= 0x61 && letter <= (address.isIPv6 ? 0x66 : 0x7A)) {
                continue
            }
            if !address.isIPv6 && (byte == 0x2D || byte == 0x5F) { continue }
            return .mistake(
                say(address.isIPv6 ? "% is no IPv6 address" : "% is no name of a host", word(address.host)), help: help
            )
        }
        if address.isIPv6 && isKnown && !address.host.contains(0x3A) {
            return .mistake(say("% is no IPv6 address", word(address.host)), help: help)
        }
        guard let port else {
            if isHTTP { address.port = rest.contains(0) ? 0 : 80 }
            return isHTTP || !isKnown ? .address(address) : .mistake("the port is missing", help: help)
        }
        if port.contains(0) { return .address(address) }
        guard case .number(let number) = ParsedNumber.count(String(decoding: port, as: UTF8.self)),
            number >= 1 && number <= 65535
        else {
            return .mistake(
                say("% is no port", word([UInt8](port))), help: "a port is a number from 1 to 65535")
        }
        address.port = UInt16(truncatingIfNeeded: number)
        return .address(address)
    }

    private static func word(_ bytes: [UInt8]) -> String { shown(String(decoding: bytes, as: UTF8.self)) }
}

extension Template {
    /// The text where every variable has its default; a 0 stands for one that has none, or an empty one.
    var withDefaults: [UInt8] { Template.withDefaults(parts) }

    // As deep as defaults may lie in each other: the parser allows eight.
    private static func withDefaults(_ parts: [Part]) -> [UInt8] {
        var text = [UInt8]()
        for part in parts {
            switch part {
            case .literal(let bytes): text += bytes
            case .variable(_, .value(let parts), _) where !parts.isEmpty: text += withDefaults(parts)
            case .variable: text.append(0)
            }
        }
        return text
    }
}

extension OpenTable {
    /// An address, checked as far as it is known.
    @inline(never)
    func address(_ key: String, isHTTP: Bool) -> Template? {
        guard let template = template(key) else { return nil }
        guard case .mistake(let why, let help) = AddressText.parse(template.withDefaults, isHTTP: isHTTP) else {
            return template
        }
        reading.bad(at: template.span, "cannot read the address of `%`: %", key, why, help: help)
        return nil
    }

    /// A path that does not depend on a working directory, as far as it is known.
    @inline(never)
    func absolutePath(_ key: String, longest: Int = 4095) -> Template? {
        guard let template = template(key) else { return nil }
        let text = template.withDefaults
        guard let first = text.first else { return template }
        if first != 0x2F && first != 0 {
            reading.bad(
                at: template.span, "`%` must be an absolute path", key,
                help: "begin it with /, since hermes-init and the service may run in different folders")
        } else if text.count > longest {
            reading.bad(
                at: template.span, "`%` is longer than the % bytes that such a path can have", key, String(longest),
                help: "choose a shorter path")
        } else {
            return template
        }
        return nil
    }
}
