import ConfigParser
import Testing

@testable import Runtime

/// What is different between two sets of services, and what each key means for a process that runs.
@Suite("Difference")
struct DifferenceTests {
    /// What a change of a key does.
    enum Effect { case process, conditions, rest }

    static let span = Span(file: FileID(index: 7), start: 3, end: 9)
    static let text = Template(literal: "other", span: span)

    /// Each key of a service once or more, by the name of its property.
    static let changes: [(key: String, effect: Effect, change: @Sendable (inout Service) -> Void)] = [
        ("description", .rest, { $0.description = "x" }),
        ("type", .process, { $0.type = .oneshot }),
        ("action", .process, { $0.action = .command([text]) }),
        ("action", .process, { $0.action = .script("x", span) }),
        (
            "action", .process,
            {
                let value = Value(.array([Value(.boolean(true), span)]), span)
                let table = Table(entries: [Table.Entry(key: "a", keySpan: span, value: value)], span: span)
                $0.action = .plugin(name: Reference(name: "p", span: span), options: table)
            }
        ),
        ("route", .process, { $0.route = .auto }),
        ("autostart", .rest, { $0.autostart = false }),
        ("autostartWhen", .rest, { $0.autostartWhen = [.root(true)] }),
        ("remember", .rest, { $0.remember = true }),
        ("optional", .rest, { $0.optional = true }),
        ("essential", .rest, { $0.essential = true }),
        ("requires", .rest, { $0.requires = [Reference(name: "x", span: span)] }),
        ("wants", .rest, { $0.wants = [Reference(name: "x", span: span)] }),
        ("after", .rest, { $0.after = [Reference(name: "x", span: span)] }),
        ("before", .rest, { $0.before = [Reference(name: "x", span: span)] }),
        ("when", .conditions, { $0.when = [.environmentEquals(name: "A", value: "1")] }),
        ("when", .conditions, { $0.when = [.mainNot([["x"]])] }),
        ("user", .process, { $0.user = text }),
        ("group", .process, { $0.group = text }),
        ("groups", .process, { $0.groups = [] }),
        ("directory", .process, { $0.directory = text }),
        ("umask", .process, { $0.umask = 0 }),
        ("stdin", .process, { $0.stdin = .inherit }),
        ("environmentFiles", .process, { $0.environmentFiles = [EnvironmentFile(path: text, mayBeMissing: true)] }),
        ("environment", .process, { $0.environment = [EnvironmentChange(name: "A", value: nil, span: span)] }),
        ("environmentClear", .process, { $0.environmentClear = true }),
        ("nice", .process, { $0.nice = 0 }),
        ("oomScoreAdjust", .process, { $0.oomScoreAdjust = 0 }),
        ("limits", .process, { $0.limits = [LimitChange(.core, soft: nil, hard: 1, span: span)] }),
        ("security", .process, { $0.security.noNewPrivileges = true }),
        ("security", .process, { $0.security.capabilities = [] }),
        ("security", .process, { $0.security.keepGroups = true }),
        ("resources", .process, { $0.resources = ResourcePolicy(span: span) }),
        (
            "resources", .process,
            {
                $0.resources = ResourcePolicy(span: span)
                $0.resources?.cpuWeight = 3
            }
        ),
        ("startTimeout", .rest, { $0.startTimeout = .seconds(1) }),
        ("restart", .rest, { $0.restart.policy = .never }),
        ("restart", .rest, { $0.restart.delay = .seconds(2) }),
        ("restart", .rest, { $0.restart.factor = 3 }),
        ("restart", .rest, { $0.restart.maxDelay = .seconds(99) }),
        ("restart", .rest, { $0.restart.jitter = 1 }),
        ("restart", .rest, { $0.restart.resetAfter = .seconds(1) }),
        ("restart", .rest, { $0.restart.limit = 3 }),
        ("restart", .rest, { $0.restart.within = .seconds(1) }),
        ("restart", .rest, { $0.restart.successCodes = [.signal(.terminate)] }),
        ("restart", .rest, { $0.restart.neverAfter = [.code(3)] }),
        ("stop", .rest, { $0.stop.signal = .quit }),
        ("stop", .rest, { $0.stop.signalIsExplicit = true }),
        ("stop", .rest, { $0.stop.timeout = .seconds(1) }),
        ("stop", .rest, { $0.stop.command = [text] }),
        ("ready", .rest, { $0.ready = ReadyPolicy(.log("x")) }),
        ("ready", .rest, { $0.ready = ReadyPolicy(.probe(.unix(text))) }),
        ("ready", .process, { $0.ready = ReadyPolicy(.systemd) }),
        ("ready", .process, { $0.ready = ReadyPolicy(.descriptor(3)) }),
        ("health", .rest, { $0.health = HealthPolicy(.probe(.command([text]))) }),
        ("health", .process, { $0.health = HealthPolicy(.watchdog(.seconds(1))) }),
        ("reload", .rest, { $0.reload = .signal(.hangup) }),
        ("reload", .rest, { $0.reload = .command([text]) }),
        ("log", .process, { $0.log.to = .json }),
        ("log", .process, { $0.log.file = text }),
        ("log", .process, { $0.log.to = .raw }),
        ("log", .process, { $0.log.makesFolder = true }),
        ("log", .process, { $0.log.maxSize = 5000 }),
        ("log", .process, { $0.log.keep = 1 }),
        ("log", .process, { $0.log.timestamps = false }),
    ]

    @Test("Each key counts, for what it changes", arguments: changes.indices)
    func counts(index: Int) {
        let (key, effect, change) = Self.changes[index]
        let old = make("a")
        var new = old
        change(&new)
        let difference = Difference(old: [old], isLeaving: [], new: [new], environment: ([], []))
        #expect(difference.restarted.count == (effect == .process ? 1 : 0), "\(key)")
        #expect(difference.rechecked.count == (effect == .conditions ? 1 : 0), "\(key)")
        #expect(difference.changed == [ServiceID(index: 0)], "\(key)")
        // And back.
        #expect(Difference.processDiffers(new, old) == (effect == .process), "\(key)")
        #expect(Difference(old: [new], isLeaving: [], new: [new], environment: ([], [])).changed.isEmpty, "\(key)")
    }

    @Test("No two of these are the same to it")
    func distinct() {
        var seen: [[UInt8]] = []
        for (_, _, change) in Self.changes {
            var service = make("a")
            change(&service)
            let bytes =
                Difference.process(of: service).bytes + Difference.conditions(of: service).bytes
                + Difference.rest(of: service).bytes
            #expect(!seen.contains(bytes))
            seen.append(bytes)
        }
    }

    @Test("No key of a service is forgotten here, nor in Difference: who adds one has to say what its change means")
    func everyKey() throws {
        let known = Set(Self.changes.map(\.key)).union(["name", "file"])
        let fields = try #require(Mirror(reflecting: make("a")).descendant("box", "fields"))
        #expect(Set(Mirror(reflecting: fields).children.compactMap(\.label)) == known)
        func count(_ value: Any) -> Int { Mirror(reflecting: value).children.count }
        #expect(count(RestartPolicy()) == 10)
        #expect(count(StopPolicy()) == 4)
        #expect(count(ReadyPolicy(.systemd)) == 3)
        #expect(count(HealthPolicy(.watchdog(.seconds(1)))) == 6)
        #expect(count(LogPolicy()) == 6)
        #expect(count(SecurityPolicy()) == 3)
        #expect(count(ResourcePolicy(span: Self.span)) == 6)
        #expect(count(LimitChange(.core, soft: nil, hard: nil, span: Self.span)) == 4)
        #expect(count(EnvironmentFile(path: Self.text, mayBeMissing: true)) == 2)
        #expect(count(EnvironmentChange(name: "A", value: nil, span: Self.span)) == 3)
    }

    @Test("Where something stands does not count")
    func spans() {
        func service(_ span: Span) -> Service {
            var service = make("a")
            service.file = span.file
            service.user = Template(
                parts: [
                    .variable(
                        name: "A",
                        fallback: .value([.literal([1]), .variable(name: "B", fallback: .none, span: span)]), span: span
                    )
                ], span: span)
            service.action = .script("x", span)
            service.requires = [Reference(name: "b", span: span)]
            service.limits = [LimitChange(.core, soft: 1, hard: 1, span: span)]
            return service
        }
        let difference = Difference(
            old: [service(nowhere)], isLeaving: [], new: [service(Self.span)], environment: ([], []))
        #expect(difference.changed.isEmpty)
    }

    @Test("What init.toml gives to every service makes another process of each that has one")
    func environment() {
        let change = EnvironmentChange(name: "A", value: Self.text, span: Self.span)
        var implicit = make("main", .main)
        implicit.file = nil
        let services = [make("a"), make("g", .group), make("o", .oneshot), implicit]
        let difference = Difference(old: services, isLeaving: [], new: services, environment: ([], [change]))
        #expect(difference.restarted == [ServiceID(index: 0), ServiceID(index: 2)])
        #expect(
            Difference(old: services, isLeaving: [], new: services, environment: ([change], [change])).changed.isEmpty)
    }

    @Test("A service keeps its slot; a new one gets the first that is free; one that is leaving keeps its own")
    func slots() {
        let old = [make("a"), Service.vacant, make("b"), make("c")]
        let difference = Difference(
            old: old, isLeaving: [false, false, false, true], new: [make("d"), make("e"), make("b"), make("f")],
            environment: ([], []))
        #expect(difference.services.map(\.name) == ["", "d", "b", "", "e", "f"])
        #expect(difference.removed == [ServiceID(index: 0)])
        #expect(difference.added.map(\.index) == [1, 4, 5])
        let again = Difference(
            old: old, isLeaving: [false, false, false, true], new: [make("c")], environment: ([], []))
        #expect(again.added.map(\.index) == [3])
    }

    @Test("The main program keeps its slot whatever its name; without a file it waits for nobody; none comes later")
    func main() {
        var old = make("main program", .main, requires: ["a"])
        old.file = nil
        let difference = Difference(
            old: [make("a"), old], isLeaving: [], new: [make("main", .main), make("a")], environment: ([], []))
        #expect(difference.services.map(\.name) == ["a", "main"])
        let gone = Difference(old: [make("a"), old], isLeaving: [], new: [make("a")], environment: ([], []))
        #expect(gone.mainIsKept && gone.services[1].requires.isEmpty && gone.removed.isEmpty)
        let late = Difference(old: [make("a")], isLeaving: [], new: [make("a"), old], environment: ([], []))
        #expect(late.services.count == 1)
    }
}
