import CSystem
import ConfigParser
import System

/// What changes while the container runs: the folders are read again, an instance of a template is made or removed. Everything
/// is read, checked and compared before anything happens; a mistake leaves all as it is, and else the core gets the whole
/// change as one event. Called between two turns of the queue, never from within an effect.

extension Driver {
    /// A service by its name, one that was removed and is not down yet too; nil once it is forgotten.
    func serviceID(named name: String) -> ServiceID? {
        for index in core.services.indices where core.services[index].name == name {
            let id = ServiceID(index: index)
            if core.definition(of: id) != nil { return id }
        }
        return nil
    }

    /// The templates, by the names of their files without the ending ("gateway@").
    var templateNames: [String] { reading.templates.map { $0.service.name } }

    /// Reads the folders again and applies what is different.
    func reload() -> ReloadOutcome {
        handleQueue()
        if let why = reasonAgainstChange { return .refused(say("hermes-init: cannot reload: %\n", why)) }
        let loaded = readAgain(options.folders)
        let renderer = DiagnosticRenderer(sources: loaded.result.sources, color: false)
        let report = renderer.render(loaded.result.diagnostics)
        if loaded.hasErrors { return .refused(report) }
        let configuration = loaded.result.configuration
        let old = definitions
        let difference = Difference(
            old: old, isLeaving: leaving, new: loaded.services,
            environment: (context.settings.environment, configuration.settings.environment))
        var diagnostics = [Diagnostic]()
        guard
            let graph = Graph.build(
                difference.services, masked: configuration.maskedNames, diagnostics: &diagnostics)
        else { return .refused(renderer.render(diagnostics)) }
        if !loaded.result.diagnostics.isEmpty { standardError.append(message: Bytes(report.utf8)) }

        var change = Reconfiguration(
            services: difference.services, graph: graph, settings: effectiveSettings(configuration.settings, options))
        change.restarted = difference.restarted
        change.rechecked = difference.rechecked
        change.changed = difference.changed
        for id in difference.added where graph.boots(id) { change.added.append(id) }
        // Who boots from now on, and did not before. Who is down because somebody asked for it is not idle, and stays down.
        for index in old.indices where !old[index].isVacant {
            let id = ServiceID(index: index)
            if graph.boots(id) && !core.graph.boots(id) && !core.isLeaving(id) { change.added.append(id) }
        }
        let summary = summary(of: difference)
        log(summary.text)
        let sources = context.sources
        reading.templates = configuration.templates
        reading.masked = configuration.maskedNames
        context.settings = configuration.settings
        context.sources = loaded.result.sources
        reading.mainIsKept = difference.mainIsKept
        if asked == nil { startMemory(of: loaded) }
        let control = core.settings.control
        apply(change, olderSources: sources)
        if !control.isSame(as: core.settings.control) { controlChanged(from: control) }
        return .applied(summary)
    }

    /// Makes an instance of a template known; it is not started.
    func makeInstance(_ name: String) -> InstanceOutcome {
        handleQueue()
        if let id = serviceID(named: name), !core.isLeaving(id) { return .exists(id) }
        if let why = reasonAgainstChange {
            return .refused(ControlError(code: "stopping", message: say("cannot make %: %", name, why)))
        }
        guard let (template, instance) = instanceName(name) else {
            return .refused(ControlError(code: "unknown-service", message: say("there is no service %", name)))
        }
        if let why = reasonAgainst(instance: instance, of: template) {
            return .refused(
                ControlError(
                    code: "usage", message: say("% cannot be the name of a service: %", name, why),
                    hint: "the name of an instance is of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or digit")
            )
        }
        for candidate in reading.templates where candidate.service.name == template {
            var services = present
            // The slot that it still has, or the first that is free.
            var slot = serviceID(named: name)?.index ?? 0
            while slot < services.count, core.definition(of: ServiceID(index: slot)) != nil,
                core.services[slot].name != name
            { slot &+= 1 }
            if slot == services.count { services.append(Service.vacant) }
            services[slot] = candidate.instance(instance)
            if let error = apply(services, what: say("cannot make %", name)) { return .refused(error) }
            reading.made.append(name)
            guard let id = serviceID(named: name) else { break }
            return .made(id)
        }
        return .refused(
            ControlError(
                code: "unknown-service", message: say("there is no service %, and no template %", name, template),
                hint: say("write %.toml in a folder of service files, and `hermes-init ctl reload`", template)))
    }

    /// Stops an instance, and forgets it when it is down.
    func removeInstance(_ name: String) -> ControlError? {
        handleQueue()
        guard let id = serviceID(named: name) else {
            return ControlError(code: "unknown-service", message: say("there is no service %", name))
        }
        if core.isLeaving(id) { return nil }
        if let why = reasonAgainstChange {
            return ControlError(code: "stopping", message: say("cannot remove %: %", name, why))
        }
        guard let (template, instance) = instanceName(name) else {
            return ControlError(
                code: "conflict", message: say("cannot remove %: it is no instance of a template", name),
                hint: "take its file away, or mask it, and `hermes-init ctl reload`; `stop` only stops it")
        }
        for candidate in reading.templates where candidate.service.name == template {
            for reference in candidate.instances.names where reference.name == instance {
                return ControlError(
                    code: "conflict",
                    message: say("cannot remove %: `names` of % names it", name, say("%.toml", template)),
                    hint: "take it out there and `hermes-init ctl reload`; `stop` only stops it")
            }
        }
        var services = present
        services[id.index] = Service.vacant
        if let error = apply(services, what: say("cannot remove %", name)) { return error }
        reading.made.removeAll { $0 == name }
        return nil
    }

    // MARK: - Reading

    private var reasonAgainstChange: String? {
        if core.isStopping { return "the container is stopping" }
        if isBare { return "the container was started without service files; start it again with them" }
        return nil
    }

    /// The folders as they are now, with the instances that were asked for.
    @inline(never)
    func readAgain(_ folders: [Bytes]) -> Loaded {
        load(
            folders: folders, areRequired: options.foldersAreRequired, arguments: options.arguments,
            stages: stages, asked: asked?.state, wanted: reading.made)
    }

    /// By slot: what each is by the files.
    private var definitions: [Service] {
        var list = [Service]()
        list.reserveCapacity(core.services.count)
        for index in core.services.indices {
            list.append(core.definition(of: ServiceID(index: index)) ?? Service.vacant)
        }
        return list
    }

    /// The same without those that are leaving.
    private var present: [Service] {
        var list = definitions
        for index in list.indices where core.isLeaving(ServiceID(index: index)) { list[index] = Service.vacant }
        return list
    }

    private var leaving: [Bool] {
        var list = [Bool]()
        for index in core.services.indices { list.append(core.isLeaving(ServiceID(index: index))) }
        return list
    }

    private func summary(of difference: Difference) -> ReloadSummary {
        var summary = ReloadSummary()
        // The main program is never restarted for it.
        var others = difference.restarted
        others.removeAll { $0 == core.main }
        let restarted = SlotSet(others)
        for id in difference.added { summary.added.append(difference.services[id.index].name) }
        for id in difference.removed { summary.removed.append(core.services[id.index].name) }
        for id in others { summary.restarted.append(difference.services[id.index].name) }
        for id in difference.changed where !restarted.has(id) {
            summary.changed.append(difference.services[id.index].name)
        }
        return summary
    }

    // MARK: - Applying

    /// Applies a list by slot, in which one came or went; nothing of it is started. Gives why it cannot be.
    private func apply(_ services: [Service], what: String) -> ControlError? {
        var diagnostics = [Diagnostic]()
        guard let graph = Graph.build(services, masked: reading.masked, diagnostics: &diagnostics) else {
            return ControlError(
                code: "conflict", message: say("%: %", what, diagnostics.first?.title ?? ""),
                hint: "nothing has changed")
        }
        apply(
            Reconfiguration(services: services, graph: graph, settings: core.settings),
            olderSources: context.sources)
        return nil
    }

    private func apply(_ change: Reconfiguration, olderSources sources: SourceMap) {
        growSlots(to: change.services.count)
        for id in change.changed { watchAnew(id, change) }
        statusChanged()
        queue.append(.reconfigured(change))
        handleQueue()
        for index in core.machines.indices {
            var isOld = core.machines[index].isLeaving || core.machines[index].next != nil
            if reading.mainIsKept && core.main?.index == index { isOld = true }
            if !isOld {
                reading.earlier[index] = nil
            } else if reading.earlier[index] == nil {
                reading.earlier[index] = sources
            }
        }
        statusChanged()
    }

    private func growSlots(to count: Int) {
        while processes.count < count {
            processes.append(0)
            groups.append(0)
            stopCommands.append(0)
        }
        if count > Driver.servicesWithinUsualLimit && spawner.descriptorLimit == nil { raiseDescriptorLimit() }
    }

    /// What a service of that slot is launched with: messages name places in the files that its definition is from.
    func context(of index: Int) -> LaunchContext {
        guard let sources = reading.earlier[index] else { return context }
        return context.with(sources)
    }

    /// It is started as what it is by the files now.
    func tookNext(_ index: Int) {
        if !(reading.mainIsKept && core.main?.index == index) { reading.earlier[index] = nil }
    }

    /// Its process goes on under another definition, which may ask for other probes.
    private func watchAnew(_ id: ServiceID, _ change: Reconfiguration) {
        guard processes.indices.contains(id.index), processes[id.index] > 0, !has(change.restarted, id) else { return }
        let service = change.services[id.index]
        let old = core.services[id.index]
        guard
            Difference.readiness(of: old) != Difference.readiness(of: service)
                || Difference.health(of: old) != Difference.health(of: service)
        else { return }
        do throws(LaunchError) {
            let launch = try context.launch(service, isImplicitMain: false)
            let watch = watches[id.index] ?? ServiceWatch()
            if watches[id.index] == nil {
                watch.runs = true
                watches[id.index] = watch
            }
            watch.readiness.target = nil
            watch.health.target = nil
            setTargets(service, watch, launch)
            if case .log(let text) = service.ready?.readiness, case .running = state(of: id) {
                relay.watch(service: id.index, text: Bytes(text.utf8))
            }
        } catch {
            log(say("%: %", service.name, error.failure.message))
        }
    }

    private func has(_ list: [ServiceID], _ id: ServiceID) -> Bool {
        for other in list where other == id { return true }
        return false
    }

    // MARK: - Forgetting

    /// Nothing of a service is left: neither is anything of it here. What its descendants still say is read to its end, under
    /// its name.
    func forget(_ id: ServiceID) {
        let index = id.index
        guard processes.indices.contains(index) else { return }
        endWatch(index)
        watches[index] = nil
        exports[index] = nil
        reloadCommands[index] = nil
        reading.earlier[index] = nil
        backgrounders.removeAll { $0 == index }
        processes[index] = 0
        groups[index] = 0
        // One that was killed and is not reaped yet is nobody's.
        stopCommands[index] = 0
        relay.forget(index)
        cgroups.forget(index)
    }
}
