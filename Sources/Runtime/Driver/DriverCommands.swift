import CSystem
import ConfigParser
import System

/// What the driver does: each effect of the core, carried out with the fewest system calls, never waiting for any of them.

extension Driver {
    /// Hands the facts to the core until there are none left, then writes what there is to write.
    func pump() {
        control.beginTurn()
        repeat {
            handleQueue()
            keepControl()
        } while !queue.isEmpty
        keepStatus()
        flushAsked()
        relay.flush()
        for output in [standardOutput, standardError] {
            guard let message = output.takeMessage() else { continue }
            log(message)
            standardError.flush(loop)
        }
    }

    /// Hands the facts to the core. Not to be called from within an effect.
    func handleQueue() {
        var next = 0
        while next < queue.count {
            let event = queue[next]
            next &+= 1
            let now = Instant(nanoseconds: hi_monotonic_nanoseconds())
            for effect in core.handle(event, at: now) { perform(effect) }
            noteChanges()
        }
        queue.removeAll(keepingCapacity: queue.capacity <= Driver.reapedInOneTurn)
    }

    func perform(_ effect: Effect) {
        switch effect {
        case .checkConditions(let id): checkConditions(id)
        case .spawn(let id): start(id)
        case .signal(let id, let signal): send(signal, to: id)
        case .signalGroup(let id, let signal): sendToGroup(signal, of: id)
        case .runStopCommand(let id): runStopCommand(id)
        case .killStopCommand(let id):
            guard let process = element(stopCommands, id), process > 0 else { return }
            if hi_kill_group(process, SIGKILL) < 0 { _ = kill(process, SIGKILL) }
        case .probe(let id, let purpose): probe(id, purpose)
        case .cancelProbe(let id, let purpose): cancelProbe(id, purpose)
        case .runReloadCommand(let id): runReloadCommand(id)
        case .killReloadCommand(let id): killReloadCommand(id)
        case .signalStragglers(let signal):
            waitsForStragglers = true
            stragglers.signal(signal.number, except: relay.writer, hasChildren: hasChildren, loop: loop)
            reap()
        case .suspendSelf: _ = kill(own, SIGSTOP)
        case .forget(let id): forget(id)
        case .announce(let announcement): announce(announcement)
        case .exit(let code): exitCode = code
        }
    }

    func element(_ list: [Int32], _ id: ServiceID) -> Int32? {
        list.indices.contains(id.index) ? list[id.index] : nil
    }

    func checkConditions(_ id: ServiceID) {
        guard services.indices.contains(id.index) else { return }
        var environment = context.environment
        environment.setInstance(of: services[id.index])
        let judge = ConditionContext(
            environment: environment, arguments: context.arguments, isTerminal: terminal.isTerminal,
            isRoot: context.own.isRoot, exists: { fileKind($0) != .missing })
        queue.append(.conditionsChecked(id, unmet: unmetCondition(services[id.index].when, judge)))
    }

    func start(_ id: ServiceID) {
        guard services.indices.contains(id.index) else { return }
        let service = services[id.index]
        do throws(LaunchError) {
            tookNext(id.index)
            var launch = try context(of: id.index).launch(service, isImplicitMain: isImplicitMain(id.index))
            try prepareWatch(id.index, &launch)
            let process = try spawn(launch, .service(id.index), isMain: service.type == .main)
            processes[id.index] = process
            groups[id.index] = process
            watchStarted(id.index, process, hasSession: service.type != .main)
            if id == core.main {
                // dumb-init leaves the folder it was started in, so that it can be unmounted. The child has its own.
                if options.standIn == .dumbInit && isBare { hi_leave_folder() }
                tell(.spawned(process: process, program: launch.arguments.first ?? []))
            }
        } catch {
            endWatch(id.index)
            queue.append(.spawnFailed(id, error.failure))
        }
    }

    func runStopCommand(_ id: ServiceID) {
        guard services.indices.contains(id.index), let words = services[id.index].stop.command else {
            queue.append(.stopCommandEnded(id))
            return
        }
        let service = services[id.index]
        do throws(LaunchError) {
            let launch = try context(of: id.index).command(
                words, of: service, process: processes[id.index], key: "[stop] command")
            stopCommands[id.index] = try spawn(launch, .stopCommand(id.index), isMain: false)
        } catch {
            log(say("%: [stop] command: %", service.name, error.failure.message))
            queue.append(.stopCommandEnded(id))
        }
    }

    func spawn(_ launch: Launch, _ owner: ProcessOwner, isMain: Bool) throws(LaunchError) -> Int32 {
        let group = try cgroup(of: owner, launch, isMain: isMain)
        do throws(Errno) {
            var options = try spawnOptions(owner, launch, isMain: isMain)
            options.cgroup = group
            let process = try spawner.spawn(launch, owner: owner, options: options)
            owners[process] = owner
            hasChildren = true
            return process
        } catch {
            throw LaunchError(cloneFailure(error))
        }
    }

    func spawnOptions(
        _ owner: ProcessOwner, _ launch: Launch, isMain: Bool
    ) throws(Errno) -> SpawnOptions {
        let ends = try outputs(of: owner, launch)
        if isMain {
            let inherits = isImplicitMain(owner.service) || services[owner.service].stdin == .inherit
            return SpawnOptions(
                standard: (inherits ? 0 : null.number, ends.output, ends.error),
                newSession: options.mainGetsSession,
                takesForeground: terminal.isForeground && !options.mainGetsSession,
                takesTerminal: options.mainGetsSession, keepsDescriptors: true,
                shellFallback: options.standIn != nil, signalMask: inherited.mask, ignoredSignals: inherited.ignored)
        }
        let index = owner.service
        let input: Int32 = services[index].stdin == .inherit && owner == .service(index) ? 0 : null.number
        var options = SpawnOptions(standard: (input, ends.output, ends.error))
        // What counts of a oneshot is its end. A stage is a fork, and has memory of its own.
        options.isSilent =
            owner == .service(index) && services[index].type == .oneshot && launch.stage == nil && watches[index] == nil
        if launch.stage != nil || launch.input != nil {
            let pipe = try StageRecords.pipe()
            // Or a plugin could not open /dev/fd/3.
            if let user = launch.identity.uid { _ = fchown(pipe.write.number, user, gid_t.max) }
            exports[index] = pipe.read
            options.exports = pipe.write
            let stages = stages
            let (context, isTerminal) = (context, terminal.isTerminal)
            options.stage = {
                stages.run(
                    $0.name, $0.options,
                    Stages.Surroundings(
                        environment: $1, arguments: context.arguments, isTerminal: isTerminal, isDryRun: false,
                        accounts: context.users.isEmpty ? nil : try? context.readAccounts()))
            }
        }
        return options
    }

    /// No file describes it: a command was given to the container.
    func isImplicitMain(_ index: Int) -> Bool {
        core.services[index].type == .main && core.services[index].file == nil
    }

    func isMain(_ owner: ProcessOwner) -> Bool { core.main.map { owner == .service($0.index) } ?? false }

    func send(_ signal: SignalNumber, to id: ServiceID) {
        guard let process = element(processes, id), process > 0 else { return }
        if id == core.main { tell(.forwarded(signal.number)) }
        if kill(process, signal.number) < 0, Errno.current == .notPermitted {
            log(
                say(
                    """
                    %: cannot send %: %; the process has changed its user, and hermes-init may not signal that \
                    one
                    """, services[id.index].name, signal.name, Errno.notPermitted.text))
        }
    }

    func sendToGroup(_ signal: SignalNumber, of id: ServiceID) {
        guard let group = element(groups, id), group > 0 else { return }
        if id == core.main { tell(.forwarded(signal.number)) }
        if signal == .kill { cgroups.kill(id.index) }
        // Before the child has made its group there is only the process.
        if hi_kill_group(group, signal.number) < 0, let process = element(processes, id), process > 0 {
            _ = kill(process, signal.number)
        }
    }
}
