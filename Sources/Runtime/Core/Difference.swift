import ConfigParser

/// What is different between the services that are known and those that the files describe now: which slot each has, what came
/// and went, and which of them would be another process. Pure: it compares by value, spans aside, and knows nothing of states;
/// what follows from a difference is decided in Reconfigure.

/// What became of a set of services.
public struct Difference: Sendable {
    /// By slot: those of the files; vacant where there is none. A service keeps its slot; a new one gets the first free one.
    public var services: [Service] = []
    /// Not there before, or removed and not down yet.
    public var added: [ServiceID] = []
    /// Not there any more.
    public var removed: [ServiceID] = []
    /// Different in anything; where it stands alone does not count.
    public var changed: [ServiceID] = []
    /// Of those, the ones whose process would be another.
    public var restarted: [ServiceID] = []
    /// Of those, the ones whose `[when]` is another.
    public var rechecked: [ServiceID] = []
    /// No file describes the main program any more, and no command was given: it stays what it was.
    public var mainIsKept = false

    /// Compares.
    /// - Parameters:
    ///   - old: by slot, as they were read last.
    ///   - isLeaving: by slot: it was removed and is not down yet; it keeps its slot, for itself only.
    ///   - new: as they were read now, in any order, no name twice. The main program has the slot of the old one, whatever its
    ///     name; where there was none before, it is left out.
    ///   - environment: that of init.toml, before and now.
    public init(
        old: [Service], isLeaving: [Bool], new: [Service],
        environment: (old: [EnvironmentChange], new: [EnvironmentChange])
    ) {
        var slots = NameIndex()
        var oldMain: Int?
        for index in old.indices where !old[index].isVacant {
            if old[index].type == .main { oldMain = index } else { slots[old[index].name] = index }
        }
        services = [Service](repeating: Service.vacant, count: old.count)
        let isSameEnvironment = Difference.same(environment.old, environment.new)
        var homeless: [Service] = []
        for service in new {
            guard let slot = service.type == .main ? oldMain : slots[service.name] else {
                if service.type != .main { homeless.append(service) }
                continue
            }
            services[slot] = service
        }
        if let oldMain, services[oldMain].isVacant {
            // What runs is not taken away from the container; without its file it waits for nobody.
            mainIsKept = true
            services[oldMain] = old[oldMain]
            services[oldMain].requires = []
            services[oldMain].wants = []
            services[oldMain].after = []
            services[oldMain].before = []
        }
        for index in old.indices where !old[index].isVacant {
            let id = ServiceID(index: index)
            let isGone = isLeaving.indices.contains(index) && isLeaving[index]
            if services[index].isVacant {
                if !isGone { removed.append(id) }
            } else if isGone {
                added.append(id)
            } else {
                let (before, now) = (old[index], services[index])
                let isOther =
                    Difference.process(of: before) != Difference.process(of: now)
                    || !isSameEnvironment && now.type != .group && !(now.type == .main && now.file == nil)
                let hasOtherConditions = Difference.conditions(of: before) != Difference.conditions(of: now)
                if isOther { restarted.append(id) }
                if hasOtherConditions { rechecked.append(id) }
                if isOther || hasOtherConditions || Difference.rest(of: before) != Difference.rest(of: now) {
                    changed.append(id)
                }
            }
        }
        var free = 0
        for service in homeless {
            while free < services.count && (!services[free].isVacant || free < old.count && !old[free].isVacant) {
                free &+= 1
            }
            if free == services.count { services.append(service) } else { services[free] = service }
            added.append(ServiceID(index: free))
        }
    }

    /// Whether a service that runs would have to be started again to be that one.
    public static func processDiffers(_ old: Service, _ new: Service) -> Bool { process(of: old) != process(of: new) }

    private static func same(_ old: [EnvironmentChange], _ new: [EnvironmentChange]) -> Bool {
        var (one, other) = (Digest(), Digest())
        one.add(old)
        other.add(new)
        return one == other
    }

    // MARK: - Each key, once

    /// What its process is made of.
    static func process(of service: Service) -> Digest {
        var digest = Digest()
        switch service.type {
        case .longrun: digest.add(0)
        case .oneshot: digest.add(1)
        case .main: digest.add(2)
        case .group: digest.add(3)
        }
        switch service.action {
        case .command(let words):
            digest.add(0)
            digest.add(words)
        case .script(let text, _):
            digest.add(1)
            digest.add(text)
        case .plugin(let name, let options):
            digest.add(2)
            digest.add(name.name)
            digest.add(options)
        case .nothing: digest.add(3)
        }
        switch service.route {
        case .append: digest.add(0)
        case .replace: digest.add(1)
        case .auto: digest.add(2)
        }
        digest.add(service.user)
        digest.add(service.group)
        digest.add(service.groups)
        digest.add(service.directory)
        digest.add(service.umask)
        digest.add(service.stdin == .inherit)
        digest.add(service.environmentFiles.count)
        for file in service.environmentFiles {
            digest.add(file.path)
            digest.add(file.mayBeMissing)
        }
        digest.add(service.environment)
        digest.add(service.environmentClear)
        digest.add(service.nice)
        digest.add(service.oomScoreAdjust)
        digest.add(service.limits.count)
        for limit in service.limits {
            digest.add(limit.name.rawValue)
            digest.add(limit.soft)
            digest.add(limit.hard)
        }
        digest.add(service.security.noNewPrivileges)
        digest.add(service.security.keepGroups)
        digest.add(service.security.capabilities?.count)
        for number in service.security.capabilities ?? [] { digest.add(Int(number)) }
        digest.add(service.resources != nil)
        if let resources = service.resources {
            digest.add(resources.memoryMax)
            digest.add(resources.memoryHigh)
            digest.add(resources.cpuMax)
            digest.add(resources.cpuWeight)
            digest.add(resources.pidsMax)
        }
        // What its process was given to tell of itself.
        switch service.ready?.readiness {
        case .descriptor(let number): digest.add(Int(number))
        case .systemd: digest.add(-1)
        case .log, .probe, nil: digest.add(-2)
        }
        if case .watchdog(let interval) = service.health?.check { digest.add(interval) } else { digest.add(-1) }
        switch service.log.to {
        case .prefix: digest.add(0)
        case .inherit: digest.add(1)
        case .json: digest.add(2)
        case .null: digest.add(3)
        case .raw: digest.add(4)
        }
        digest.add(service.log.file)
        digest.add(service.log.makesFolder)
        digest.add(Int(service.log.maxSize))
        digest.add(service.log.keep)
        digest.add(service.log.timestamps)
        return digest
    }

    /// What must hold before it starts.
    static func conditions(of service: Service) -> Digest {
        var digest = Digest()
        digest.add(service.when)
        return digest
    }

    /// What holds from now on without another process.
    static func rest(of service: Service) -> Digest {
        var digest = readiness(of: service)
        digest.bytes += health(of: service).bytes
        digest.add(service.description)
        // What was asked decides it then.
        digest.add(service.autostart || service.remember)
        digest.add(service.autostartWhen)
        digest.add(service.remember)
        digest.add(service.optional)
        digest.add(service.essential)
        for list in [service.requires, service.wants, service.after, service.before] {
            digest.add(list.count)
            for reference in list { digest.add(reference.name) }
        }
        digest.add(service.startTimeout)
        switch service.restart.policy {
        case .always: digest.add(0)
        case .onFailure: digest.add(1)
        case .never: digest.add(2)
        }
        digest.add(service.restart.delay)
        digest.add(service.restart.factor)
        digest.add(service.restart.maxDelay)
        digest.add(service.restart.jitter)
        digest.add(service.restart.resetAfter)
        digest.add(service.restart.limit)
        digest.add(service.restart.within)
        digest.add(service.restart.successCodes)
        digest.add(service.restart.neverAfter)
        digest.add(Int(service.stop.signal.number))
        digest.add(service.stop.signalIsExplicit)
        digest.add(service.stop.timeout)
        digest.add(service.stop.command)
        switch service.reload {
        case .signal(let signal): digest.add(Int(signal.number))
        case .command(let words):
            digest.add(-1)
            digest.add(words)
        case nil: digest.add(-2)
        }
        return digest
    }

    /// How it is known that it is ready.
    static func readiness(of service: Service) -> Digest {
        var digest = Digest()
        digest.add(service.ready != nil)
        guard let ready = service.ready else { return digest }
        switch ready.readiness {
        case .descriptor(let number): digest.add(Int(number))
        case .systemd: digest.add(-1)
        case .log(let text):
            digest.add(-2)
            digest.add(text)
        case .probe(let probe):
            digest.add(-3)
            digest.add(probe)
        }
        digest.add(ready.interval)
        digest.add(ready.timeout)
        return digest
    }

    /// How its health is watched.
    static func health(of service: Service) -> Digest {
        var digest = Digest()
        digest.add(service.health != nil)
        guard let health = service.health else { return digest }
        switch health.check {
        case .probe(let probe): digest.add(probe)
        case .watchdog(let interval):
            digest.add(-1)
            digest.add(interval)
        }
        digest.add(health.startPeriod)
        digest.add(health.interval)
        digest.add(health.timeout)
        digest.add(health.failures)
        switch health.action {
        case .restart: digest.add(0)
        case .none: digest.add(1)
        case .stopContainer: digest.add(2)
        }
        return digest
    }
}
