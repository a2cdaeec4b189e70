import CSystem
import ConfigParser
import System

/// What the driver sees: descriptors that are ready, signals, deaths, reports of children, what a stage exported. Each becomes an
/// event for the core, in the order in which it happened.

extension Driver {
    func turn() {
        var ready = [Token]()
        // Something failed and is still to be done: after a rest, what can be done without an event is tried again.
        let isAgain = hi_recover()
        if hi_memory_is_short() { hi_keep_memory() }
        let isBusy = isAgain || mayHaveMoreToReap || control.hasMore
        let rests = restsNext && !isBusy
        if rests { restsNext = false }
        keepForwarding()
        do throws(Errno) {
            try loop.wait(timeout: isBusy ? 0 : -1, rests: rests) { ready.append($0) }
            isBlind = false
        } catch {
            // No input can bring this about. Deaths, signals and deadlines are what supervision needs most, and none of them
            // needs the loop: they are looked at a hundred times a second, until it works again.
            if !isBlind { log(say("cannot wait for events: %; looking for them every 10 ms instead", error.text)) }
            isBlind = true
            hi_stumble()
            readSignals()
            reap()
            queue.append(.deadlinePassed)
            return
        }
        // Before who asks is answered, and before a moment counts that came to pass while it ran.
        spawner.lookAtSilent { spawnSettled($0, $1, $2) }
        if !queue.isEmpty { handleQueue() }
        if isAgain && armed == nil { queue.append(.deadlinePassed) }
        // A report is read before the signals, so that "runs" and "died" are seen in their order.
        // So is what services tell: who sent it can be known only while that process is not reaped.
        for token in ready where token.kind == .report { reportReady(token) }
        for token in ready where token.kind == .notifySocket { notifySocketReady(token) }
        for token in ready where token.kind != .report && token.kind != .notifySocket { handle(token) }
        if mayHaveMoreToReap { reap() }
    }

    func handle(_ token: Token) {
        switch token.kind {
        case .signals: readSignals()
        case .timer:
            var expirations: UInt64 = 0
            _ = read(timer.number, &expirations, MemoryLayout<UInt64>.size)
            armed = nil
            queue.append(.deadlinePassed)
        case .outputs:
            relay.readReady(token.index)
            lookForTexts()
        case .probe: probeReady(token)
        case .notifyPipe: notifyPipeReady(token)
        case .logWriter, .logTimer: logWriterReady(token.kind)
        case .control: acceptClients(token.index)
        case .controlClient: clientReady(token)
        case .asked: askedReady()
        case .scout: control.scout.ready(loop)
        case .straggler:
            stragglers.ended(token.index)
            lookForStragglers()
        // The flush at the end of each turn does the work.
        case .containerOutput, .output, .logSocket, .report, .notifySocket: break
        }
    }

    func reportReady(_ token: Token) {
        guard let (owner, process, outcome) = spawner.reportReady(token) else { return }
        spawnSettled(owner, process, outcome)
    }

    func spawnSettled(_ owner: ProcessOwner, _ process: Int32, _ outcome: SpawnOutcome) {
        switch (owner, outcome) {
        case (.service(let index), .running):
            if isMain(owner) {
                quiet?.drop()
                if options.mainGetsSession { tell(.hasSession) }
            }
            queue.append(.execSucceeded(ServiceID(index: index)))
            watchRuns(index)
        case (.service(let index), .failed(let report, let launch)):
            // What is left of the attempt is reaped without a word.
            owners[process] = nil
            processes[index] = 0
            endWatch(index)
            if isMain(owner) {
                tell(.cannotExecute(program: launch.arguments.first ?? [], Errno(report.error)))
            }
            let failure = spawnFailure(report, launch, firstLine: firstLineOfFile)
            queue.append(.spawnFailed(ServiceID(index: index), failure))
        case (.stopCommand, .running), (.reloadCommand, .running), (.probe, .running): break
        case (.stopCommand(let index), .failed(let report, let launch)):
            owners[process] = nil
            if stopCommands[index] != process { return }
            stopCommands[index] = 0
            log(
                say(
                    "%: [stop] command: %", services[index].name,
                    spawnFailure(report, launch, firstLine: firstLineOfFile).message))
            queue.append(.stopCommandEnded(ServiceID(index: index)))
        case (.reloadCommand(let index), .failed(let report, let launch)):
            owners[process] = nil
            log(
                say(
                    "%: [reload] command: %", services[index].name,
                    spawnFailure(report, launch, firstLine: firstLineOfFile).message))
            reloadCommandEnded(index, nil)
        case (.probe(let index, let purpose), .failed(let report, let launch)):
            owners[process] = nil
            probeCommandFailed(
                index, purpose, process, spawnFailure(report, launch, firstLine: firstLineOfFile))
        }
    }

    /// What the wait may forward by itself until the next event: the core says which signals, and this to whom. None while each
    /// step is to be told of, or while one is yet to be dropped.
    private func keepForwarding() {
        if core.revision != forwardingRevision {
            forwardingRevision = core.revision
            forwarding = plainForwarding()
        }
        var target: Int32 = 0
        if forwarding.signals != 0, voice == nil, !terminal.dropsHangup, !terminal.dropsContinue, let main = core.main {
            target = element(forwarding.toGroup ? groups : processes, main) ?? 0
        }
        // Its own write to a pipe that nobody reads is not forwarded, so who sent that one has to be looked at.
        let signals = target > 1 ? forwarding.signals & ~(1 << UInt64(SIGPIPE - 1)) : 0
        hi_forward(signals, forwarding.toGroup ? 0 &- target : target, self.signals.number, Token(.signals).bits)
    }

    /// Asked for here, so that the core is copied in one place.
    @inline(never)
    private func plainForwarding() -> PlainForwarding { core.plainForwarding }

    func readSignals() {
        var isChild = false
        // One read in a turn: who sends signals without end does not keep the init from its other work.
        withUnsafeTemporaryAllocation(of: hi_signal.self, capacity: Driver.signalsAtOnce) { buffer in
            let count = hi_read_signals(signals.number, buffer.baseAddress, Int32(Driver.signalsAtOnce))
            for entry in buffer.prefix(max(0, Int(count))) {
                if entry.signal == SIGCHLD {
                    isChild = true
                } else {
                    received(entry)
                }
            }
        }
        if isChild {
            tell(.received(SIGCHLD))
            reap()
        }
    }

    static let signalsAtOnce = 32

    func received(_ entry: hi_signal) {
        // Its own write to a pipe that nobody reads.
        if entry.signal == SIGPIPE && entry.sender == own { return }
        tell(.received(entry.signal))
        if terminal.drops(entry.signal) {
            tell(.droppedHandOff(entry.signal))
            return
        }
        for rewrite in options.rewrites where rewrite.signal.number == entry.signal {
            if let other = rewrite.to {
                tell(.rewrote(entry.signal, to: other.number))
            } else {
                tell(.ignored(entry.signal))
            }
        }
        if let signal = SignalNumber(entry.signal) { queue.append(.signal(signal)) }
    }

    func reap() {
        mayHaveMoreToReap = false
        var left = Driver.reapedInOneTurn
        while left > 0 {
            var code: Int32 = 0
            var endedBy: Int32 = 0
            var dumpedCore = false
            let process = hi_reap(&code, &endedBy, &dumpedCore)
            if process <= 0 {
                hasChildren = process == 0
                if !hasChildren { lookForStragglers() }
                return
            }
            left &-= 1
            var status = ExitStatus.exited(code: code)
            if let signal = SignalNumber(endedBy) { status = .signaled(signal, coreDumped: dumpedCore) }
            ended(process, status)
        }
        mayHaveMoreToReap = true
    }

    func ended(_ process: Int32, _ status: ExitStatus) {
        if let outcome = spawner.processReaped(process), let owner = owners[process] {
            spawnSettled(owner, process, outcome)
        }
        guard let owner = owners.removeValue(forKey: process) else {
            tell(.reaped(process: process, isMain: false, status))
            return
        }
        tell(.reaped(process: process, isMain: isMain(owner), status))
        switch owner {
        case .service(let index):
            if livesOn(index) { return }
            processes[index] = 0
            // Its last words stand before what is said of its end, and before what starts because of it says anything.
            relay.processEnded(index)
            // Not where they were given to a user of its own.
            if services[index].type == .oneshot && services[index].user == nil { relay.mayHandOn(index) }
            relay.flush()
            lookForTexts()
            endWatch(index)
            let status = takeRecords(index, status)
            explainEnd(index, process, status)
            queue.append(.exited(ServiceID(index: index), status))
        case .stopCommand(let index):
            // Of a service that was forgotten since, whose slot may be another's.
            if stopCommands[index] != process { return }
            stopCommands[index] = 0
            // As the service's own process, it takes with it what it started.
            _ = hi_kill_group(process, SIGKILL)
            relay.processEnded(index)
            queue.append(.stopCommandEnded(ServiceID(index: index)))
        case .reloadCommand(let index):
            reloadCommandEnded(index, status)
        case .probe(let index, let purpose):
            probeCommandEnded(index, purpose, process, status)
        }
    }

    func lookForStragglers() {
        guard waitsForStragglers, stragglers.areGone(hasChildren: hasChildren) else { return }
        waitsForStragglers = false
        queue.append(.stragglersGone)
    }

    func arm() {
        var deadline = core.nextDeadline
        if let due = statusDue, deadline.map({ due < $0 }) ?? true { deadline = due }
        if let due = restDue, deadline.map({ due < $0 }) ?? true { deadline = due }
        if let due = control.due, deadline.map({ due < $0 }) ?? true { deadline = due }
        if deadline == armed { return }
        armed = deadline
        // 0 disarms; a deadline that is due already fires at once.
        if hi_timer_set(timer.number, deadline.map { max(1, $0.nanoseconds) } ?? 0) < 0 {
            // It will not ring, so it is looked at what is due, and tried again, until it does.
            armed = nil
            hi_stumble()
        }
    }
}
