import ConfigParser

@testable import Runtime

/// The graph and the meaning of an end once more, written for the simulation without a look at the core's: loops until nothing
/// changes, no care for time. And what the judge needs of each service, without its texts, which cost more to copy than
/// everything else.

struct Rules {
    enum Outcome { case good, bad, again }

    /// What a service says, in numbers.
    struct Facts {
        var type: ServiceType
        var isOptional, isEssential, hasConditions, hasStopCommand, isNotified, isWatchdog: Bool
        var policy: RestartPolicy.Policy
        var delay, maxDelay, resetAfter, within, stopTimeout, startTimeout: Int64
        var limit: Int?
        var factor, jitter: Double
        var stopSignal: SignalNumber
        /// -1: no [ready], or no probe of it, or no patience with one try.
        var readyTimeout, readyInterval, readyPatience: Int64
        /// -1: no [health].
        var healthInterval, healthTimeout, startPeriod: Int64
        var failures: Int
        var action: HealthAction
        var reloadSignal: SignalNumber?
        var hasReloadCommand: Bool
        var hasReady: Bool { readyTimeout >= 0 }
        var hasHealth: Bool { healthInterval >= 0 }
    }

    var facts: [Facts]
    var boots: [Bool]
    /// Is there only because another wants it: its failure is borne.
    var isBorne: [Bool]
    /// What a service waits for; what it does not require counts only where both take part.
    var waits: [[(other: Int, isRequiring: Bool)]]
    /// What is started with it.
    var needs: [[Int]]
    var requires: [[Int]]
    /// Who requires it.
    var requiredBy: [[Int]]

    init(_ services: [Service]) {
        facts = services.map(Facts.init)
        let count = services.count
        func index(_ reference: Reference) -> Int? { services.firstIndex { $0.name == reference.name } }
        boots = services.map { $0.autostart || $0.type == .main }
        requires = services.map { $0.requires.compactMap(index) }
        needs = services.map { ($0.requires + $0.wants).compactMap(index) }
        requiredBy = Array(repeating: [], count: count)
        for (place, list) in requires.enumerated() {
            for other in list { requiredBy[other].append(place) }
        }
        var isChanging = true
        while isChanging {
            isChanging = false
            for place in services.indices where boots[place] {
                for other in needs[place] where !boots[other] {
                    boots[other] = true
                    isChanging = true
                }
            }
        }
        isBorne = services.map { !$0.autostart && $0.type != .main }
        waits = Array(repeating: [], count: count)
        for (place, service) in services.enumerated() {
            if boots[place] { for other in requires[place] { isBorne[other] = false } }
            var others = (needs[place] + service.after.compactMap(index))
            for (other, candidate) in services.enumerated()
            where candidate.before.contains(where: { $0.name == service.name }) { others.append(other) }
            for other in others where !waits[place].contains(where: { $0.other == other }) {
                waits[place].append((other, requires[place].contains(other)))
            }
        }
        guard let main = services.firstIndex(where: { $0.type == .main }) else { return }
        for (place, service) in services.enumerated() where service.type == .oneshot && boots[place] {
            if reach(from: place, where: { _ in true }).contains(main) { continue }
            if !waits[main].contains(where: { $0.other == place }) { waits[main].append((place, false)) }
        }
    }

    /// All that a service waits for, also by way of others, among some.
    func reach(from start: Int, where takesPart: (Int) -> Bool) -> [Int] {
        var found: [Int] = []
        var open = [start]
        while let place = open.popLast() {
            for (other, _) in waits[place] where takesPart(other) && !found.contains(other) {
                found.append(other)
                open.append(other)
            }
        }
        return found
    }

    /// What the end of a process means.
    static func outcome(_ service: Service, _ status: ExitStatus) -> Outcome {
        let ending: ExitCondition
        switch status {
        case .exited(let code): ending = .code(code)
        case .signaled(let signal, _): ending = .signal(signal)
        }
        let isGood = service.restart.successCodes.contains(ending)
        let isFinal = service.restart.neverAfter.contains(ending)
        if service.type == .oneshot {
            if isGood { return .good }
            return service.restart.policy == .onFailure && !isFinal ? .again : .bad
        }
        let wantsMore = service.restart.policy == .always || (service.restart.policy == .onFailure && !isGood)
        if wantsMore && !isFinal { return .again }
        return isGood ? .good : .bad
    }
}

extension Rules.Facts {
    init(_ service: Service) {
        type = service.type
        isOptional = service.optional
        isEssential = service.essential
        hasConditions = !service.when.isEmpty
        hasStopCommand = service.stop.command != nil
        policy = service.restart.policy
        delay = service.restart.delay.nanoseconds
        maxDelay = service.restart.maxDelay.nanoseconds
        resetAfter = service.restart.resetAfter.nanoseconds
        within = service.restart.within.nanoseconds
        stopTimeout = service.stop.timeout.nanoseconds
        startTimeout = service.startTimeout?.nanoseconds ?? -1
        limit = service.restart.limit
        factor = service.restart.factor
        jitter = service.restart.jitter
        stopSignal = service.stop.signal
        readyTimeout = service.ready?.timeout.nanoseconds ?? -1
        readyInterval = -1
        readyPatience = -1
        isNotified = false
        switch service.ready?.readiness {
        case .descriptor, .systemd, .log: isNotified = true
        case .probe(let probe):
            readyInterval = max(service.ready?.interval.nanoseconds ?? 0, 10_000_000)
            if case .command = probe {} else { readyPatience = 3_000_000_000 }
        case nil: break
        }
        healthInterval = -1
        healthTimeout = -1
        isWatchdog = false
        switch service.health?.check {
        case .watchdog(let interval):
            isWatchdog = true
            healthInterval = max(interval.nanoseconds, 10_000_000)
        case .probe:
            healthInterval = max(service.health?.interval.nanoseconds ?? 0, 10_000_000)
            healthTimeout = service.health?.timeout.nanoseconds ?? 0
        case nil: break
        }
        startPeriod = service.health?.startPeriod.nanoseconds ?? 0
        failures = service.health?.failures ?? 0
        action = service.health?.action ?? .none
        hasReloadCommand = false
        switch service.reload {
        case .signal(let signal): reloadSignal = signal
        case .command: hasReloadCommand = true
        case nil: break
        }
    }
}
