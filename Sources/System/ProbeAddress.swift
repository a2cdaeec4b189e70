import CSystem

/// Where a probe goes, from the text of a service file: `HOST:PORT` of `tcp`, `http://HOST[:PORT][/PATH]` of `http`, and the
/// names of /etc/hosts. For the probes of services and for the stage wait-for. Pure: nothing is opened here.

/// The host of an address.
public enum ProbeHost: Equatable, Sendable {
    /// 4 or 16 bytes, in network order.
    case address(Bytes)
    /// 127.0.0.1, then ::1.
    case localhost
    /// To be looked up in /etc/hosts.
    case name(Bytes)
}

/// A port of a host.
public struct ProbeAddress: Equatable, Sendable {
    /// Where.
    public var host: ProbeHost
    /// 1 to 65535.
    public var port: UInt16

    /// 127.0.0.1 and ::1.
    public static let loopback: [Bytes] = [[127, 0, 0, 1], Bytes(repeating: 0, count: 15) + [1]]
}

/// What is wrong with an address, for the end of a message.
public struct ProbeMistake: Error, Equatable {
    /// Words.
    public var text: String

    init(_ text: String) { self.text = text }
}

private let colon: UInt8 = 0x3A
private let slash: UInt8 = 0x2F

extension ProbeAddress {
    /// Reads `HOST:PORT` or `[IPv6]:PORT`.
    /// - Parameter defaultPort: stands in where no port is written; nil: it must be.
    public static func parse(_ text: Bytes, defaultPort: UInt16? = nil) throws(ProbeMistake) -> ProbeAddress {
        if text.contains(slash) { throw ProbeMistake("write it as HOST:PORT, without http:// and path") }
        var rest = text[...]
        var host: ProbeHost
        if rest.first == 0x5B {
            guard let end = rest.firstIndex(of: 0x5D) else { throw ProbeMistake("the ] behind the address is missing") }
            let bytes = addressBytes(rest[1..<end])
            guard bytes.count == 16 else { throw ProbeMistake("between [ and ] belongs an IPv6 address") }
            host = .address(bytes)
            rest = rest[(end &+ 1)...]
        } else {
            let word = rest.prefix { $0 != colon }
            rest = rest.dropFirst(word.count)
            if rest.dropFirst().contains(colon) { throw ProbeMistake("write an IPv6 address as [ADDRESS]:PORT") }
            host = try ProbeHost.parse(word)
        }
        if rest.isEmpty, let defaultPort { return ProbeAddress(host: host, port: defaultPort) }
        guard rest.first == colon else { throw ProbeMistake("write it as HOST:PORT") }
        guard let port = Accounts.decimal(rest.dropFirst()), port >= 1, port <= 65535 else {
            throw ProbeMistake("the port must be a number from 1 to 65535")
        }
        return ProbeAddress(host: host, port: UInt16(truncatingIfNeeded: port))
    }
}

extension ProbeHost {
    fileprivate static func parse(_ word: ArraySlice<UInt8>) throws(ProbeMistake) -> ProbeHost {
        if word.isEmpty { throw ProbeMistake("the host is missing; write 127.0.0.1 for this container") }
        for byte in word where !isNameByte(byte) {
            throw ProbeMistake("the host holds a character that no name has")
        }
        if isSameName(word, Bytes("localhost".utf8)[...]) { return .localhost }
        let bytes = addressBytes(word)
        if bytes.count == 4 { return .address(bytes) }
        return .name(Bytes(word))
    }
}

/// A URL of `http`.
public struct ProbeURL: Equatable, Sendable {
    /// Whom to ask.
    public var address: ProbeAddress
    /// What is sent.
    public var request: Bytes

    /// Reads `http://HOST[:PORT][/PATH]`. Nothing in it can add a line to the request.
    public static func parse(_ text: Bytes) throws(ProbeMistake) -> ProbeURL {
        if isSameName(text.prefix(8), Bytes("https://".utf8)[...]) {
            throw ProbeMistake("https is not spoken; use http://, tcp, or a command such as curl")
        }
        guard isSameName(text.prefix(7), Bytes("http://".utf8)[...]) else {
            throw ProbeMistake("write it as http://HOST:PORT/PATH")
        }
        for byte in text where byte <= 0x20 || byte == 0x7F {
            throw ProbeMistake("a blank or control character stands in it; write a blank as %20")
        }
        let rest = text.dropFirst(7).prefix { $0 != 0x23 }
        let authority = rest.prefix { $0 != slash && $0 != 0x3F }
        if authority.contains(0x40) { throw ProbeMistake("a user name cannot be given in it") }
        let address = try ProbeAddress.parse(Bytes(authority), defaultPort: 80)
        var target = Bytes(rest.dropFirst(authority.count))
        if target.first != slash { target.insert(slash, at: 0) }
        var request = Bytes("GET ".utf8)
        request += target
        request += Bytes(" HTTP/1.1\r\nHost: ".utf8)
        request += Bytes(authority)
        request += Bytes("\r\nUser-Agent: hermes-init\r\nAccept: */*\r\nConnection: close\r\n\r\n".utf8)
        return ProbeURL(address: address, request: request)
    }
}

/// The addresses that a file in the form of hosts(5) gives a name, in the order of the file; the first few of them.
public func addresses(of name: Bytes, inHosts file: Bytes) -> [Bytes] {
    var found = [Bytes]()
    for line in file.split(separator: 0x0A) {
        let words = line.prefix { $0 != 0x23 }.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        guard let first = words.first else { continue }
        for word in words.dropFirst() where isSameName(word, name[...]) {
            let bytes = addressBytes(first)
            if !bytes.isEmpty { found.append(bytes) }
            break
        }
        if found.count >= mostAddresses { break }
    }
    return found
}

/// Of one name, no more are tried.
private let mostAddresses = 8

/// An address from dots or colons; empty where it is none.
private func addressBytes(_ text: ArraySlice<UInt8>) -> Bytes {
    // The longest there is has 45 characters.
    if text.count > 45 || text.contains(0) { return [] }
    var bytes = Bytes(repeating: 0, count: 16)
    let count = Bytes(text).withCString { text in
        bytes.withUnsafeMutableBufferPointer { hi_parse_address(text, $0.baseAddress) }
    }
    return Bytes(bytes.prefix(Int(count)))
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: return true
    default: return false
    }
}

/// Whether two names are the same, whatever the case of their ASCII letters.
private func isSameName(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Bool {
    guard one.count == other.count else { return false }
    for (left, right) in zip(one, other) where lowered(left) != lowered(right) { return false }
    return true
}

private func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
