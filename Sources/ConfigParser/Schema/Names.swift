/// Names of services: `[a-z0-9][a-z0-9._-]*`, at most 64 bytes; of an instance of a template two of these with an `@`
/// between them, together at most 64 bytes. A name that is none is told with what is wrong and with the nearest name that
/// would do.

/// Why a name cannot be that of a service.
struct NameProblem {
    /// As it stands behind "cannot be the name of a service: ".
    var why: String
    /// A name made from it that would do.
    var suggestion: String?
}

/// The longest name of a service, in bytes.
let longestServiceName = 64

/// nil where the name is good.
func problem(ofServiceName name: String) -> NameProblem? {
    var why: String?
    var count = 0
    for byte in name.bytes {
        let isAlphanumeric = (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
        let isMark = byte == 0x2E || byte == 0x5F || byte == 0x2D
        if !isAlphanumeric && !(isMark && count > 0) && why == nil {
            if byte >= 0x41 && byte <= 0x5A {
                why = "it has a capital letter"
            } else if byte == 0x20 {
                why = "it has a space"
            } else if isMark {
                why = "it begins with a mark, not with a letter or digit"
            } else {
                why = "it has a character other than a-z, 0-9, `.`, `_` and `-`"
            }
        }
        count &+= 1
    }
    if count == 0 { why = "it is empty" }
    if count > longestServiceName && why == nil { why = "it is longer than 64 bytes" }
    guard let why else { return nil }
    return NameProblem(why: why, suggestion: serviceName(like: name))
}

/// The same where a file refers to a service, which may be an instance of a template.
func problem(ofReference name: String) -> NameProblem? {
    guard name.utf8.contains(0x40) else { return problem(ofServiceName: name) }
    guard let (template, instance) = instanceName(name) else {
        return NameProblem(why: "it is a template, not one of its instances", suggestion: nil)
    }
    return problem(ofInstance: instance, of: template)
}

/// nil where a template can have an instance of that name.
/// - Parameter template: with its `@`.
func problem(ofInstance name: String, of template: String) -> NameProblem? {
    let stem = String(decoding: template.utf8.dropLast(), as: UTF8.self)
    if var problem = problem(ofServiceName: stem) ?? problem(ofServiceName: name) {
        problem.suggestion = nil
        if let first = serviceName(like: stem), let second = serviceName(like: name) {
            problem.suggestion = say("%@%", first, second)
        }
        return problem
    }
    if template.utf8.count &+ name.utf8.count <= longestServiceName { return nil }
    return NameProblem(why: say("with %, it is longer than 64 bytes", template), suggestion: nil)
}

/// Why a template can have no instance of that name, as it stands behind a colon; nil where it can.
/// - Parameter template: with its `@`.
public func reasonAgainst(instance name: String, of template: String) -> String? {
    problem(ofInstance: name, of: template)?.why
}

/// A good name that looks like another; nil where nothing of it can be kept.
private func serviceName(like name: String) -> String? {
    var bytes = [UInt8]()
    for byte in name.bytes {
        if bytes.count == longestServiceName { break }
        if byte >= 0x41 && byte <= 0x5A {
            bytes.append(byte &+ 0x20)
        } else if (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x30 && byte <= 0x39) {
            bytes.append(byte)
        } else if bytes.isEmpty {
            continue
        } else if byte == 0x2E || byte == 0x5F {
            bytes.append(byte)
        } else if bytes.last != 0x2D {
            bytes.append(0x2D)
        }
    }
    while bytes.last == 0x2D { bytes.removeLast() }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
}

extension OpenTable {
    /// The services that a key names: each a good name, none of them the service itself, none twice.
    /// - Parameter isInstance: they are instances of that service, without its name before them.
    func references(_ key: String, of service: String, isInstance: Bool = false) -> [Reference] {
        guard let strings = strings(key) else { return [] }
        var references = [Reference]()
        references.reserveCapacity(strings.count)
        var places = NameIndex()
        for (text, span) in strings {
            let problem = isInstance ? problem(ofInstance: text, of: service) : problem(ofReference: text)
            if let problem {
                report(key, text, span, problem, isInstance: isInstance)
                continue
            }
            if text == service {
                reading.contradiction(say("% lists itself in `%`", service, key), at: span, help: "take it out")
                continue
            }
            // A dictionary pays off only where a walk over the few names before would not do.
            var first: Int?
            if strings.count > 8 {
                first = places[text]
                places[text] = references.count
            } else {
                first = references.firstIndex { $0.name == text }
            }
            if let first, first < references.count {
                reading.warning(
                    "duplicate-name", say("% stands twice in `%`", shown(text), key), at: span,
                    context: [.init(references[first].span, "first named here")], help: "take one of them out")
                places[text] = first
                continue
            }
            references.append(Reference(name: text, span: span))
        }
        return references
    }

    private func report(_ key: String, _ text: String, _ span: Span, _ problem: NameProblem, isInstance: Bool) {
        var help = "use the name of a service file without its ending"
        if let suggestion = problem.suggestion { help = say("did you mean \"%\"?", suggestion) }
        if text.utf8.last == 0x40 { help = say("name one of its instances, such as \"%1\"", text) }
        if isInstance { help = "write what stands behind the @: a letter a-z or a digit, then also `.`, `_` and `-`" }
        let what = isInstance ? "an instance" : "a service"
        reading.error(
            "bad-name", say("% in `%` cannot be the name of %: %", shown(text), key, what, problem.why), at: span,
            help: help)
    }
}

/// Whether a name can be that of a service or of an instance of a template.
public func isServiceName(_ name: String) -> Bool { problem(ofReference: name) == nil }
