import ConfigParser

@testable import Runtime

/// Another configuration in the middle of a life: services come, go and come back, and keys of all kinds are other ones. What was
/// done is kept beside it, so that nobody has to compare anything to know.

/// What was done to one service.
struct Edit {
    var isNew = false
    var process = false
    var conditions = false
    var readiness = false
    var health = false
    var limit = false
    var rest = false

    var text: String {
        [
            isNew ? "new" : "", process ? "process" : "", conditions ? "when" : "", readiness ? "ready" : "",
            health ? "health" : "", rest ? "rest" : "",
        ].filter { !$0.isEmpty }.joined(separator: ", ")
    }
}

extension Life {
    mutating func reconfigure() throws {
        if judge.isStopping { return }
        // By slot, as the driver knows them.
        var old: [Service] = []
        var isLeaving: [Bool] = []
        for index in judge.all.indices {
            let one = judge.all[index]
            old.append(one.isVacant ? Service.vacant : judge.next[index] ?? judge.services[index])
            isLeaving.append(one.isRemoved)
        }
        var wanted: [Service] = []
        for index in old.indices where !old[index].isVacant && !isLeaving[index] { wanted.append(old[index]) }
        var edits: [String: Edit] = [:]
        for _ in 0..<1 + dice.roll(4) { change(&wanted, &edits) }
        // Nobody requires what is not there.
        let names = wanted.map(\.name)
        for index in wanted.indices {
            let edges = wanted[index].requires.count + wanted[index].wants.count
            wanted[index].requires.removeAll { !names.contains($0.name) }
            wanted[index].wants.removeAll { !names.contains($0.name) }
            if edges != wanted[index].requires.count + wanted[index].wants.count {
                edits[wanted[index].name, default: Edit()].rest = true
            }
        }

        let difference = Difference(old: old, isLeaving: isLeaving, new: wanted, environment: ([], []))
        var diagnostics: [Diagnostic] = []
        guard let graph = Graph.build(difference.services, diagnostics: &diagnostics) else {
            throw Violation(text: "no graph: \(diagnostics.map(\.title))")
        }
        var settings = judge.settings
        if dice.chance(20) { settings.shutdownTimeout = dice.pick([.seconds(9), .seconds(1)]) }
        var change = Reconfiguration(services: difference.services, graph: graph, settings: settings)
        change.restarted = difference.restarted
        change.rechecked = difference.rechecked
        change.changed = difference.changed
        let startsNew = !dice.chance(15)
        for id in difference.added where graph.boots(id) && startsNew { change.added.append(id) }
        for index in old.indices where !old[index].isVacant && !isLeaving[index] {
            let id = ServiceID(index: index)
            if graph.boots(id) && !core.graph.boots(id) { change.added.append(id) }
        }

        var bySlot: [Int: Edit] = [:]
        for (index, service) in change.services.enumerated() where !service.isVacant {
            if let edit = edits[service.name] { bySlot[index] = edit }
            if index >= old.count || old[index].isVacant || isLeaving[index] { bySlot[index] = Edit(isNew: true) }
        }
        try compare(difference, bySlot, old, wanted)
        judge.edits = bySlot
        while processes.count < change.services.count {
            processes.append(nil)
            stopCommands.append(0)
            reloads.append(0)
            probes.append(0)
            owners.append(0)
            plan.services.append(Service.vacant)
        }
        for (index, service) in change.services.enumerated() where !service.isVacant { plan.services[index] = service }
        try deliver(.reconfigured(change))
        judge.edits = [:]
    }

    /// The difference is what was done.
    private func compare(_ found: Difference, _ edits: [Int: Edit], _ old: [Service], _ wanted: [Service]) throws {
        func isThere(_ list: [ServiceID], _ index: Int) -> Bool { list.contains(ServiceID(index: index)) }
        for index in found.services.indices {
            let edit = edits[index] ?? Edit()
            if found.services[index].isVacant { continue }
            let isRight =
                isThere(found.added, index) == edit.isNew
                && isThere(found.restarted, index) == edit.process && isThere(found.rechecked, index) == edit.conditions
            if !isRight { throw Violation(text: "the difference of \(found.services[index].name) is wrong") }
        }
        for service in wanted where !found.services.contains(where: { $0.name == service.name }) {
            throw Violation(text: "\(service.name) has no slot")
        }
        for index in found.services.indices where index < old.count && !old[index].isVacant {
            let service = found.services[index]
            if !service.isVacant && service.name != old[index].name {
                throw Violation(text: "\(service.name) has the slot of \(old[index].name)")
            }
        }
    }

    // MARK: - Edits

    private func rank(_ name: String) -> Int {
        if name == "main" { return plan.mainRank }
        return 2 * (Plan.names.firstIndex(of: name) ?? 0)
    }

    private mutating func change(_ list: inout [Service], _ edits: inout [String: Edit]) {
        switch dice.roll(7) {
        case 0: add(&list, &edits)
        case 1:
            let place = dice.place(in: list)
            guard list.indices.contains(place), list[place].type != .main else { return }
            edits[list[place].name] = nil
            list.remove(at: place)
        case 2:
            let place = dice.place(in: list)
            guard list.indices.contains(place) else { return }
            list[place].umask = list[place].umask == nil ? 0o22 : nil
            edits[list[place].name, default: Edit()].process.toggle()
        case 3, 4: edit(&list, &edits)
        default: connect(&list, &edits)
        }
    }

    private mutating func add(_ list: inout [Service], _ edits: inout [String: Edit]) {
        let names = Plan.names.filter { name in !list.contains { $0.name == name } && edits[name] == nil }
        guard !names.isEmpty else { return }
        let name = names[dice.roll(names.count)]
        // One that was just taken out would be no new one.
        for index in judge.all.indices where judge.services[index].name == name {
            if !judge.all[index].isVacant && !judge.all[index].isRemoved { return }
        }
        list.append(Plan.service(named: name, &dice))
        for _ in 0..<2 { connect(&list, &edits, from: list.count - 1) }
    }

    private mutating func edit(_ list: inout [Service], _ edits: inout [String: Edit]) {
        let place = dice.place(in: list)
        guard list.indices.contains(place) else { return }
        let name = list[place].name
        var edit = edits[name] ?? Edit()
        switch dice.roll(10) {
        case 0: list[place].optional = list[place].type != .main && !list[place].optional
        case 1: list[place].essential = list[place].type == .longrun && !list[place].essential
        case 2: list[place].autostart = list[place].type == .main || !list[place].autostart
        case 3:
            list[place].when = list[place].when.isEmpty ? [.tty(true)] : []
            edit.conditions.toggle()
        case 4: list[place].stop.timeout = dice.pick([.seconds(10), .seconds(1)])
        case 5: list[place].stop.command = list[place].stop.command == nil ? Plan.command : nil
        case 6:
            list[place].restart.limit = dice.pick([nil, 1, 3])
            list[place].restart.policy = dice.pick([.always, .onFailure, .never])
        case 7:
            guard list[place].type == .longrun else { return }
            list[place].reload = dice.pick([nil, .command(Plan.command), .signal(.hangup)])
        case 8:
            // Only between ways that change nothing for the process.
            guard list[place].type == .longrun, !edit.readiness else { return }
            switch list[place].ready?.readiness {
            case .systemd, .descriptor: return
            case .log, .probe:
                if dice.chance(30) {
                    list[place].ready = nil
                } else {
                    let isThree = list[place].ready?.timeout == .seconds(3)
                    list[place].ready?.timeout = isThree ? .seconds(5) : .seconds(3)
                }
            case nil:
                var ready = ReadyPolicy(.probe(.tcp(Plan.text)))
                ready.timeout = .seconds(7)
                list[place].ready = ready
            }
            edit.readiness = true
        default:
            guard list[place].type == .longrun, !edit.health else { return }
            switch list[place].health?.check {
            case .watchdog: return
            case .probe:
                if dice.chance(30) {
                    list[place].health = nil
                } else {
                    list[place].health?.failures += 1
                    list[place].health?.interval = .seconds(1)
                }
            case nil:
                var health = HealthPolicy(.probe(.http(Plan.text)))
                health.interval = .milliseconds(700)
                health.action = dice.pick([.restart, .none, .stopContainer])
                list[place].health = health
            }
            edit.health = true
        }
        edit.rest = true
        edits[name] = edit
    }

    private mutating func connect(_ list: inout [Service], _ edits: inout [String: Edit], from start: Int? = nil) {
        let place = start ?? dice.place(in: list)
        let other = dice.place(in: list)
        guard list.indices.contains(place), list.indices.contains(other),
            rank(list[other].name) < rank(list[place].name)
        else { return }
        let target = list[other].name
        let reference = Reference(name: target, span: nowhere)
        edits[list[place].name, default: Edit()].rest = true
        if list[place].requires.contains(where: { $0.name == target }) {
            list[place].requires.removeAll { $0.name == target }
            return
        }
        switch dice.roll(5) {
        case 0, 1: list[place].requires.append(reference)
        case 2: list[place].wants.append(reference)
        case 3: list[place].after.append(reference)
        default: list[place].after = []
        }
    }
}
