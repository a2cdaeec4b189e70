import ConfigParser

@testable import Runtime

/// The graph and the restart rules once more, written for the simulation without a look at the core's: loops until nothing
/// changes, names instead of indices, no care for time.

struct Rules {
    enum Outcome { case good, bad, again }

    var boots: [Bool]
    /// Is there only because another wants it: its failure is borne.
    var isBorne: [Bool]
    /// What a service that boots waits for, of those that boot.
    var waits: [[(other: Int, isRequiring: Bool)]]
    /// Who waits for it, also by way of others.
    var holders: [[Int]]

    init(_ services: [Service]) {
        let count = services.count
        func index(_ reference: Reference) -> Int? { services.firstIndex { $0.name == reference.name } }
        boots = services.map { $0.autostart || $0.type == .main }
        var isChanging = true
        while isChanging {
            isChanging = false
            for (place, service) in services.enumerated() where boots[place] {
                for other in (service.requires + service.wants).compactMap(index) where !boots[other] {
                    boots[other] = true
                    isChanging = true
                }
            }
        }
        isBorne = services.map { !$0.autostart && $0.type != .main }
        waits = Array(repeating: [], count: count)
        for (place, service) in services.enumerated() where boots[place] {
            for other in service.requires.compactMap(index) { isBorne[other] = false }
            var others = Set((service.wants + service.after).compactMap(index))
            for (other, candidate) in services.enumerated()
            where candidate.before.contains(where: { $0.name == service.name }) { others.insert(other) }
            let required = Set(service.requires.compactMap(index))
            for other in others.union(required).sorted() where boots[other] {
                waits[place].append((other, required.contains(other)))
            }
        }
        if let main = services.firstIndex(where: { $0.type == .main }) {
            for (place, service) in services.enumerated()
            where service.type == .oneshot && boots[place] && !Rules.reach(waits, from: place).contains(main)
                && !waits[main].contains(where: { $0.other == place })
            {
                waits[main].append((place, false))
            }
        }
        holders = Array(repeating: [], count: count)
        for place in services.indices {
            for other in Rules.reach(waits, from: place) { holders[other].append(place) }
        }
    }

    private static func reach(_ waits: [[(other: Int, isRequiring: Bool)]], from start: Int) -> Set<Int> {
        var found: Set<Int> = []
        var open = [start]
        while let place = open.popLast() {
            for (other, _) in waits[place] where found.insert(other).inserted { open.append(other) }
        }
        return found
    }

    /// What the end of a process means.
    func outcome(_ service: Service, _ status: ExitStatus) -> Outcome {
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
