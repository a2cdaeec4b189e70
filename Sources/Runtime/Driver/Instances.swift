import CSystem
import ConfigParser
import System

/// Which instances of its templates a container has: those that `names` says, those that `from` finds in a folder, those
/// that were asked up before, each made into a service. Made once at boot and once at each reload; nothing watches the
/// folder in between. What a folder holds is somebody else's: it is listed and asked whether paths are there, nothing in
/// it is opened, and no name from it is more than a name. All is bounded, whatever lies there.

/// Where the folders of `from` are: the machine or an image, and the environment that the variables are from.
struct InstancePlace {
    var tree = FileTree()
    var environment: Environment
    /// Variables that are not set here may be in the container: nothing is said of them.
    var isEnvironmentOpen = false
}

/// `from` with its variables put in, taken apart: "/data/profiles/*/SOUL.md" is the folder "/data/profiles", an empty head
/// and tail, and the rest "/SOUL.md".
struct InstancePattern {
    var folder: Bytes
    /// What stands in the same name before and after the `*`.
    var head: Bytes
    var tail: Bytes
    /// What must be there below a name that matches.
    var rest: Bytes

    /// - Returns: nil where the path, as it came out, is not absolute.
    init?(_ from: Template, _ lookup: (String) -> Bytes?) throws(ExpansionError) {
        var before = Template(parts: [], span: from.span)
        var after = before
        var isBefore = true
        for part in from.parts {
            if case .literal(let bytes) = part, isBefore, let star = bytes.firstIndex(of: 0x2A) {
                before.parts.append(.literal(Bytes(bytes[..<star])))
                after.parts.append(.literal(Bytes(bytes[star...].dropFirst())))
                isBefore = false
            } else if isBefore {
                before.parts.append(part)
            } else {
                after.parts.append(part)
            }
        }
        let left = try before.expand(lookup)
        let right = try after.expand(lookup)
        guard left.first == 0x2F, let slash = left.lastIndex(of: 0x2F) else { return nil }
        folder = slash == 0 ? [0x2F] : Bytes(left[..<slash])
        head = Bytes(left[slash...].dropFirst())
        let end = right.firstIndex(of: 0x2F) ?? right.endIndex
        tail = Bytes(right[..<end])
        rest = Bytes(right[end...])
    }

    /// What the `*` stands for in a name of the folder; nil where the name does not match. A hidden name matches only where
    /// the pattern itself says the dot, as in a shell.
    func match(_ name: Bytes) -> Bytes? {
        guard name.count > head.count &+ tail.count, name.starts(with: head),
            name.suffix(tail.count).elementsEqual(tail), head.first == 0x2E || name.first != 0x2E
        else { return nil }
        return Bytes(name.dropFirst(head.count).dropLast(tail.count))
    }

    /// The path that must be there for a name that matched.
    func path(_ match: Bytes) -> Bytes {
        (folder.count == 1 ? folder : folder + [0x2F]) + head + match + tail + rest
    }
}

/// What was found for a template.
struct FoundInstances {
    /// More instances than this of one template are not made.
    static let most = 1024
    /// More names than this are not looked at; a folder that holds more is no folder of instances.
    static let mostLookedAt = 65536
    /// So many names that cannot be instances are shown.
    private static let mostShown = 10

    /// In the order of the names.
    var names: [String] = []
    /// Names that cannot be those of services, with the reason; the first ones.
    var refused: [String] = []
    var refusedCount = 0
    var hasMore = false

    /// Chooses among what `*` matched.
    /// - Parameter isThere: whether the path that a match makes is there; asked of no more than is needed.
    init(_ matches: [Bytes], of template: String, isThere: (Bytes) -> Bool) {
        for place in order(matches) {
            let match = matches[place]
            guard isThere(match) else { continue }
            // Not UTF-8: what stands in for it is no letter of a name either.
            let name = String(decoding: match, as: UTF8.self)
            if let reason = reasonAgainst(instance: name, of: template) {
                refusedCount &+= 1
                if refused.count < FoundInstances.mostShown { refused.append(say("\"%\": %", match.shown, reason)) }
                continue
            }
            if names.count == FoundInstances.most {
                hasMore = true
                return
            }
            names.append(name)
        }
    }
}

/// The instances of every template, as services, in the order of the templates and of the names.
/// - Parameters:
///   - wanted: names of services that are to be there although no file names them, where their template is: those that
///     were asked for. Others among them are passed over.
///   - asked: the same for those that were asked up in a life before; only templates with `remember` look at them.
///   - place: nil: no folder is looked at.
///   - diagnostics: warnings about what `from` found or did not find are added here.
func makeInstances(
    _ configuration: Configuration, wanted: [String], asked: [String] = [], place: InstancePlace?,
    diagnostics: inout [Diagnostic]
) -> [Service] {
    var services = [Service]()
    if configuration.templates.isEmpty { return services }
    var known = NameIndex()
    for name in configuration.maskedNames { known[name] = 0 }
    // By place: a template is long to copy.
    for at in configuration.templates.indices {
        let template = configuration.templates[at].service.name
        var names = [Bytes]()
        func add(_ name: String) {
            let whole = template + name
            if known[whole] != nil { return }
            known[whole] = 0
            names.append(name.bytes)
        }
        for reference in configuration.templates[at].instances.names { add(reference.name) }
        if let from = configuration.templates[at].instances.from, let place {
            for name in find(from, template, place, &diagnostics) { add(name) }
        }
        for name in configuration.templates[at].service.remember ? wanted + asked : wanted {
            guard let (owner, instance) = instanceName(name), owner == template,
                reasonAgainst(instance: instance, of: owner) == nil
            else { continue }
            add(instance)
        }
        for place in order(names) {
            services.append(configuration.templates[at].instance(String(decoding: names[place], as: UTF8.self)))
        }
    }
    return services
}

/// What `from` of a template finds.
private func find(
    _ from: Template, _ template: String, _ place: InstancePlace, _ diagnostics: inout [Diagnostic]
) -> [String] {
    func warn(_ code: String, _ title: String, notes: [String] = [], help: String) {
        diagnostics.append(
            Diagnostic(.warning, code: code, title, at: .init(from.span), notes: notes, help: help))
    }
    let code = "instances-from"
    let pattern: InstancePattern
    do throws(ExpansionError) {
        guard let made = try InstancePattern(from, { place.environment.value($0) }) else {
            warn(
                code, say("cannot look for instances of %: the path is not absolute", template),
                help: "begin it with /, or set its variables to what begins with /")
            return []
        }
        pattern = made
    } catch {
        if place.isEnvironmentOpen && error.message == nil { return [] }
        warn(
            code, say("cannot look for instances of %: % is not set", template, error.variable),
            help: say(
                "set it when the container is started (docker run -e %=…), or give it a default: ${%:-…}",
                error.variable, error.variable))
        return []
    }
    var matches = [Bytes]()
    var count = 0
    do throws(Errno) {
        let folder = OpenFolder(
            try FileDescriptor.open(
                place.tree.place(of: pattern.folder), flags: O_RDONLY | O_DIRECTORY | O_NONBLOCK))
        var entries = FolderEntries()
        reading: while try entries.read(folder.descriptor) {
            while let entry = entries.next() {
                count &+= 1
                if count > FoundInstances.mostLookedAt { break reading }
                if let match = pattern.match(Bytes(cString: entry.name)) { matches.append(match) }
            }
        }
    } catch {
        // A folder that is not there yet holds no instances.
        if error.code == ENOENT { return [] }
        warn(
            code, say("cannot look for instances of % in %: %", template, pattern.folder.shown, error.text),
            help: "name a folder that the user of the container can read")
        return []
    }
    let needsFolder = !pattern.rest.isEmpty && pattern.rest.allSatisfy { $0 == 0x2F }
    let found = FoundInstances(matches, of: template) { match in
        if pattern.rest.isEmpty { return true }
        var kind = FileKind.missing
        do throws(Errno) { kind = try place.tree.kind(pattern.path(match)) } catch { return false }
        return kind != .missing && (!needsFolder || kind == .folder)
    }
    if found.refusedCount > 0 {
        var notes = found.refused
        if found.refusedCount > notes.count {
            notes.append(say("and % more", String(found.refusedCount &- notes.count)))
        }
        warn(
            "instance-name", say("some of what is in % cannot be an instance of %", pattern.folder.shown, template),
            notes: notes, help: "the others are made; give these names of small letters a-z, digits, `.`, `_` and `-`")
    }
    if found.hasMore || count > FoundInstances.mostLookedAt {
        warn(
            code,
            say(
                "% holds too much: only % instances of % are made", pattern.folder.shown, String(found.names.count),
                template),
            help: "the first ones by their names are; name those that are needed in `names`")
    }
    return found.names
}

/// Graphs know names, not templates: what is missing and could be an instance gets a help of its own. A mistake of a
/// template is told once, not for each of its instances.
/// - Parameter first: the place of the first diagnostic of the graph.
func explainInstances(
    _ diagnostics: inout [Diagnostic], from first: Int, _ configuration: Configuration, _ services: [Service]
) {
    if configuration.templates.isEmpty || first >= diagnostics.count { return }
    var told = [Diagnostic](diagnostics[..<first])
    for var diagnostic in diagnostics[first...] {
        var isTold = false
        for other in told[first...] {
            isTold = isTold || other.code == diagnostic.code && other.primary?.span == diagnostic.primary?.span
        }
        if isTold { continue }
        if diagnostic.code == "graph-missing-service", let span = diagnostic.primary?.span,
            let name = reference(at: span, services), let (owner, instance) = instanceName(name)
        {
            if has(configuration.templateNames, owner) {
                diagnostic.help = say(
                    "add names = [\"%\"] below a line [instances] of %.toml, or take it out; `after` needs no other",
                    instance, owner)
            }
        }
        told.append(diagnostic)
    }
    diagnostics = told
}

private func reference(at span: Span, _ services: [Service]) -> String? {
    for place in services.indices {
        for reference in services[place].requires + services[place].wants where reference.span == span {
            return reference.name
        }
    }
    return nil
}
