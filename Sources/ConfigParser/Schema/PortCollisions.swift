/// Two services that cannot both listen where their files say. Only what is certain is told: a file says where a service
/// listens by its own `[ready]`, and what two conditions allow together is not known. A function of services, for `--check`.

/// An address that a service is asked at.
public struct AskedAddress: Sendable {
    /// HOST:PORT, in the form that two of the same have in common.
    public var text: String
    /// The value in the file.
    public var span: Span
}

/// The addresses of `[ready]` and then of `[health]` at which a service is asked by tcp or http, as far as they are known:
/// every variable has its default, and one with a variable that has none is left out.
public func addresses(of service: Service) -> [AskedAddress] {
    var found = [AskedAddress]()
    if case .probe(let probe)? = service.ready?.readiness, let address = address(probe) { found.append(address) }
    if case .probe(let probe)? = service.health?.check, let address = address(probe) { found.append(address) }
    return found
}

private func address(_ probe: Probe) -> AskedAddress? {
    let template: Template
    var isHTTP = false
    switch probe {
    case .tcp(let address): template = address
    case .http(let url):
        template = url
        isHTTP = true
    case .unix, .path, .command: return nil
    }
    guard case .address(let address) = AddressText.parse(template.withDefaults, isHTTP: isHTTP), address.port != 0,
        !address.host.contains(0)
    else { return nil }
    var host = [UInt8]()
    for byte in address.host { host.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) }
    // All of these reach a program that listens at 127.0.0.1.
    if same(host[...], "localhost") || same(host[...], "0.0.0.0") { host = "127.0.0.1".bytes }
    if same(host[...], "::") { host = "::1".bytes }
    let text = String(decoding: host, as: UTF8.self)
    return AskedAddress(
        text: say(address.isIPv6 ? "[%]:%" : "%:%", text, String(address.port)), span: template.span)
}

/// A warning for each service whose `[ready]` asks at an address at which that of another service asks already: only one of
/// them can listen there, and its answers would be taken for those of the other. Two services that both have a `[when]` are
/// taken for alternatives of each other. Time is linear in the number of services.
public func portCollisions(_ services: [Service]) -> [Diagnostic] {
    var diagnostics = [Diagnostic]()
    var owners = NameIndex()
    for (index, service) in services.enumerated() {
        guard case .probe(let probe)? = service.ready?.readiness, let own = address(probe) else { continue }
        guard let other = owners[own.text], other < services.count,
            case .probe(let probe)? = services[other].ready?.readiness, let first = address(probe)
        else {
            owners[own.text] = index
            continue
        }
        if !services[other].when.isEmpty {
            // One that always runs is the better to compare the next with.
            if service.when.isEmpty { owners[own.text] = index } else { continue }
        }
        diagnostics.append(
            Diagnostic(
                .warning, code: "port-collision",
                say("% and % cannot both listen at %", services[other].name, service.name, own.text),
                at: .init(own.span), context: [.init(first.span, say("% is asked here already", services[other].name))],
                notes: ["only one program can listen there, and its answers would count for both services"],
                help: "give one of them another port, or put right where it is asked"))
    }
    return diagnostics
}
