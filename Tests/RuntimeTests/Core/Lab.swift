import ConfigParser

@testable import Runtime

/// A core on the bench: services by name, time that a test moves, and effects as lines that read like a log, so that a
/// test is a short story.

/// A service with what a test says about it.
func make(
    _ name: String, _ type: ServiceType = .longrun, requires: [String] = [], wants: [String] = [], after: [String] = [],
    before: [String] = [], change: (inout Service) -> Void = { _ in }
) -> Service {
    func references(_ names: [String]) -> [Reference] { names.map { Reference(name: $0, span: nowhere) } }
    var service = Service(name: name)
    service.type = type
    service.requires = references(requires)
    service.wants = references(wants)
    service.after = references(after)
    service.before = references(before)
    service.restart.jitter = 0
    if type == .main { service.restart.policy = .never }
    change(&service)
    return service
}

extension Service {
    /// "always", "on-failure" or "never".
    mutating func restarts(_ policy: RestartPolicy.Policy) { restart.policy = policy }
}

struct Lab {
    var core: Core
    var services: [Service]
    var now: Int64 = 0
    /// What was said, as people read it.
    var said: [String] = []

    init(_ services: [Service], settings: Settings = Settings(), options: Core.Options = Core.Options()) {
        self.services = services
        var diagnostics: [Diagnostic] = []
        guard let graph = Graph.build(services, diagnostics: &diagnostics) else {
            preconditionFailure("\(diagnostics.map(\.title))")
        }
        core = Core(services: services, settings: settings, graph: graph, options: options)
    }

    func id(_ name: String) -> ServiceID {
        ServiceID(index: services.firstIndex { $0.name == name } ?? services.count)
    }

    /// Gives an event and tells the effects, without the announcements.
    mutating func send(_ event: Event) -> [String] {
        describe(core.handle(event, at: Instant(nanoseconds: now)))
    }

    mutating func boot() -> [String] { send(.boot) }
    mutating func up(_ name: String) -> [String] { send(.execSucceeded(id(name))) }
    mutating func exit(_ name: String, _ code: Int32 = 0) -> [String] { send(.exited(id(name), .exited(code: code))) }
    mutating func die(_ name: String, _ number: Int32 = 15) -> [String] {
        send(.exited(id(name), .signaled(signal(number), coreDumped: false)))
    }
    mutating func cannotStart(_ name: String, _ code: Int32 = 127, isTransient: Bool = false) -> [String] {
        send(.spawnFailed(id(name), SpawnFailure(code: code, isTransient: isTransient, message: "cannot run it")))
    }
    mutating func ask(_ request: Request, _ name: String) -> [String] { send(.requested(id(name), request)) }
    mutating func probed(_ name: String, _ purpose: ProbePurpose, _ failure: String? = nil) -> [String] {
        send(.probed(id(name), purpose, failure.map { .failed($0) } ?? .passed))
    }
    mutating func hear(_ signal: SignalNumber) -> [String] { send(.signal(signal)) }

    /// Lets time pass: each deadline in it is met at its moment.
    mutating func wait(milliseconds: Int64) -> [String] {
        let end = now + milliseconds * 1_000_000
        var lines: [String] = []
        while let next = core.nextDeadline, next.nanoseconds <= end {
            now = max(now, next.nanoseconds)
            lines += send(.deadlinePassed)
        }
        now = end
        return lines
    }

    mutating func wait(_ seconds: Int64) -> [String] { wait(milliseconds: seconds * 1000) }

    /// Boots, and lets every exec succeed at once; the oneshots succeed too.
    mutating func bootAll() {
        var lines = boot()
        while let line = lines.first {
            lines.removeFirst()
            guard line.hasPrefix("spawn ") else { continue }
            let name = String(line.dropFirst(6))
            lines += up(name)
            if services[id(name).index].type == .oneshot { lines += exit(name) }
        }
    }

    mutating func describe(_ effects: [Effect]) -> [String] {
        var lines: [String] = []
        for effect in effects {
            switch effect {
            case .checkConditions(let id): lines.append("check \(services[id.index].name)")
            case .spawn(let id): lines.append("spawn \(services[id.index].name)")
            case .signal(let id, let signal): lines.append("\(signal.name) \(services[id.index].name)")
            case .signalGroup(let id, let signal): lines.append("\(signal.name) group of \(services[id.index].name)")
            case .runStopCommand(let id): lines.append("stop command of \(services[id.index].name)")
            case .killStopCommand(let id): lines.append("kill stop command of \(services[id.index].name)")
            case .probe(let id, let purpose): lines.append("probe \(purpose) of \(services[id.index].name)")
            case .cancelProbe(let id, let purpose):
                lines.append("cancel probe \(purpose) of \(services[id.index].name)")
            case .runReloadCommand(let id): lines.append("reload command of \(services[id.index].name)")
            case .killReloadCommand(let id): lines.append("kill reload command of \(services[id.index].name)")
            case .signalStragglers(let signal): lines.append("\(signal.name) stragglers")
            case .suspendSelf: lines.append("suspend")
            case .forget(let id): lines.append("forget \(services[id.index].name)")
            case .announce(let announcement): said.append(announcement.text(services: services))
            case .exit(let code): lines.append("exit \(code)")
            }
        }
        return lines
    }

    func state(_ name: String) -> String {
        switch core.state(of: id(name)) {
        case .idle: return "idle"
        case .waiting: return "waiting"
        case .checking: return "checking"
        case .starting: return "starting"
        case .running: return "running"
        case .up: return "up"
        case .backingOff: return "backing off"
        case .stopping(.command): return "stop command"
        case .stopping(.commandAlone): return "stop command alone"
        case .stopping(.signaled): return "signaled"
        case .stopping(.killed): return "killed"
        case .done: return "done"
        case .skipped: return "skipped"
        case .ended: return "ended"
        case .stopped: return "stopped"
        case .failed: return "failed"
        case nil: return "unknown"
        }
    }
}
