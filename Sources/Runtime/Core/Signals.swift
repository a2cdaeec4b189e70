import ConfigParser

/// What a signal that is sent to the init means: `[signals]`, the usual actions, forwarding to the main program, keeping a
/// signal for a main program that is not there yet, and the counting of SIGTERM and SIGINT.

/// Signals that came before the main program ran, one bit for each: as with the kernel, a signal that came twice is
/// delivered once.
struct KeptSignals: Sendable {
    var forProcess: UInt64 = 0
    var forGroup: UInt64 = 0

    /// Keeps one. As with the kernel, a signal that stops takes back one that continues, and the other way round.
    mutating func keep(_ signal: SignalNumber, toGroup: Bool) {
        if signal == .continue {
            let stopping =
                KeptSignals.bit(.stop) | KeptSignals.bit(.terminalStop)
                | KeptSignals.bit(.terminalInput) | KeptSignals.bit(.terminalOutput)
            forProcess &= ~stopping
            forGroup &= ~stopping
        } else if signal == .stop || signal.isTerminalStop {
            forProcess &= ~KeptSignals.bit(.continue)
            forGroup &= ~KeptSignals.bit(.continue)
        }
        if toGroup { forGroup |= KeptSignals.bit(signal) } else { forProcess |= KeptSignals.bit(signal) }
    }

    static func bit(_ signal: SignalNumber) -> UInt64 { 1 << UInt64(truncatingIfNeeded: signal.number &- 1) }
}

extension SignalNumber {
    /// SIGTSTP, SIGTTIN, SIGTTOU.
    var isTerminalStop: Bool { self == .terminalStop || self == .terminalInput || self == .terminalOutput }
}

/// The signals that mean no more than that the main program gets them, as things stand.
public struct PlainForwarding: Equatable, Sendable {
    /// One bit for each, that of signal 1 the lowest; 0: none.
    public var signals: UInt64 = 0
    /// They go to the main program's process group.
    public var toGroup = false
}

extension Core {
    /// What `Event.signal` would do nothing for but to forward that signal at once. The driver forwards these without asking
    /// again, as long as no other event has come. What begins a stop, is rewritten, ignored, kept for later, or stops the
    /// init as well, is none of them.
    public var plainForwarding: PlainForwarding {
        guard let main else { return PlainForwarding() }
        switch machines[main.index].state {
        case .running, .up, .stopping(.command), .stopping(.signaled): break
        case .idle, .waiting, .checking, .starting, .backingOff, .stopping(.commandAlone), .stopping(.killed), .done,
            .skipped, .ended, .stopped, .failed:
            return PlainForwarding()
        }
        var plain = PlainForwarding(signals: ~0, toGroup: options.forwardsToGroup)
        if !options.isBare { plain.signals &= ~Core.stopping }
        if options.suspendsItself { plain.signals &= ~Core.suspending }
        for rule in settings.signals {
            switch rule.action {
            case .forward where !plain.toGroup, .forwardGroup where plain.toGroup:
                if !options.suspendsItself || !rule.signal.isTerminalStop {
                    plain.signals |= KeptSignals.bit(rule.signal)
                }
            case .ignore, .forward, .forwardGroup, .reload, .stop, .rewrite:
                plain.signals &= ~KeptSignals.bit(rule.signal)
            }
        }
        // The init's own, whatever a rule says.
        plain.signals &= ~KeptSignals.bit(.child)
        return plain
    }

    private static let stopping = KeptSignals.bit(.terminate) | KeptSignals.bit(.interrupt) | KeptSignals.bit(.quit)
    private static let suspending =
        KeptSignals.bit(.terminalStop) | KeptSignals.bit(.terminalInput) | KeptSignals.bit(.terminalOutput)

    /// How many SIGTERMs and SIGINTs make an end of all patience.
    static let signalsThatForce = 3

    /// A signal was sent to the init.
    mutating func receive(_ signal: SignalNumber) {
        if signal == .child { return }
        var effective = signal
        var action: SignalAction?
        for rule in settings.signals where rule.signal == signal { action = rule.action }
        if case .rewrite(let other) = action {
            // As if that one had come, with its usual action; its own rule does not apply.
            effective = other
            action = nil
        }
        switch action {
        case .ignore: break
        case .forward: forward(effective, toGroup: false, suspending: signal)
        case .forwardGroup: forward(effective, toGroup: true, suspending: signal)
        case .reload: reloadAll()
        case .stop: requestStop(effective, isForwarded: false)
        case .rewrite, .none:
            let isStop = effective == .terminate || effective == .interrupt || effective == .quit
            if isStop && !options.isBare {
                requestStop(effective, isForwarded: true)
            } else {
                forward(effective, toGroup: options.forwardsToGroup, suspending: signal)
            }
        }
    }

    /// A signal that asks for the stop: begins it, and later counts.
    private mutating func requestStop(_ signal: SignalNumber, isForwarded: Bool) {
        if signal == .terminate || signal == .interrupt { stopSignals &+= 1 }
        let told = tellingSignal(for: signal, isForwarded: isForwarded)
        switch phase {
        case .running:
            var hasMain = false
            if let main {
                hasMain = true
                if case .skipped = machines[main.index].state { hasMain = false }
            }
            beginStop(.signal(signal), code: hasMain ? 128 &+ signal.number : 0, forwarding: told)
        case .stopping:
            if stopSignals >= Core.signalsThatForce {
                forceStop()
            } else if let main, case .stopping(.signaled(let first)) = machines[main.index].state {
                // Told by its own stop signal, it is reminded with that.
                let counts = signal == .terminate || signal == .interrupt
                guard let again = told ?? (counts ? first : nil) else { return }
                signalMain(main, again, toGroup: options.forwardsToGroup)
            }
        case .over:
            break
        }
    }

    /// The signal that is forwarded to the main program when that one asks for the stop; nil: it is told as `[stop]` of
    /// its file says. SIGTERM is how containers are stopped, so what the file says takes its place.
    private func tellingSignal(for signal: SignalNumber, isForwarded: Bool) -> SignalNumber? {
        guard isForwarded else { return nil }
        guard signal == .terminate, let main else { return signal }
        let stop = services[main.index].stop
        return stop.signalIsExplicit || stop.command != nil ? nil : signal
    }

    // MARK: - Forwarding

    /// Forwards a signal to the main program, or keeps it until there is one to forward it to.
    private mutating func forward(_ signal: SignalNumber, toGroup: Bool, suspending original: SignalNumber) {
        guard let main else {
            announce(.signalUnheard(signal))
            return
        }
        switch machines[main.index].state {
        case .running, .up, .stopping(.command), .stopping(.signaled):
            signalMain(main, signal, toGroup: toGroup)
            if options.suspendsItself && original.isTerminalStop { emit(.suspendSelf) }
        case .idle, .waiting, .checking, .starting, .backingOff:
            if !isStopping { kept.keep(signal, toGroup: toGroup) }
        case .stopping(.commandAlone), .stopping(.killed):
            // While the container runs, the next run of it hears what this one cannot.
            if isStopping { announce(.signalUnheard(signal)) } else { kept.keep(signal, toGroup: toGroup) }
        case .done, .skipped, .ended, .stopped, .failed:
            announce(.signalUnheard(signal))
        }
    }

    mutating func signalMain(_ main: ServiceID, _ signal: SignalNumber, toGroup: Bool) {
        emit(toGroup ? .signalGroup(main, signal) : .signal(main, signal))
    }

    /// The main program runs: delivers what came before, in the order of the numbers.
    mutating func deliverKeptSignals() {
        guard let main else { return }
        let signals = kept
        kept = KeptSignals()
        guard signals.forProcess | signals.forGroup != 0 else { return }
        for number in Int32(1)...64 {
            guard let signal = SignalNumber(number) else { continue }
            let bit = KeptSignals.bit(signal)
            if signals.forProcess & bit != 0 { signalMain(main, signal, toGroup: false) }
            if signals.forGroup & bit != 0 { signalMain(main, signal, toGroup: true) }
            if (signals.forProcess | signals.forGroup) & bit != 0 && options.suspendsItself && signal.isTerminalStop {
                emit(.suspendSelf)
            }
        }
    }
}
