import ConfigParser
import System

/// What the init says where it is called `tini` or `dumb-init`: on request (-v, -w, their variables) it tells each step in
/// the form of that program, because scripts and test suites look for those lines. Words only; nothing is decided here.

/// Which program the init stands in for.
public enum StandIn: Sendable, Equatable { case tini, dumbInit }

/// A step that those programs tell of.
enum StandInStep {
    case spawned(process: Int32, program: Bytes)
    case cannotExecute(program: Bytes, Errno)
    case hasSession
    case cannotGiveUpTerminal(Errno)
    case received(Int32)
    case droppedHandOff(Int32)
    case rewrote(Int32, to: Int32)
    case forwarded(Int32)
    case ignored(Int32)
    case reaped(process: Int32, isMain: Bool, ExitStatus)
    case reapsNothing
    case ends(code: Int32)
}

/// Says the steps, as far as the verbosity asks for them.
struct StandInVoice {
    let program: StandIn
    /// As `BootOptions.verbosity`.
    let verbosity: Int
    let warnsWhenReaping: Bool
    let own: Int32

    /// The line for a step; nil where that program would say nothing.
    func line(_ step: StandInStep) -> String? {
        switch program {
        case .tini: return tiniLine(step)
        case .dumbInit: return dumbInitLine(step)
        }
    }

    private func tiniLine(_ step: StandInStep) -> String? {
        switch step {
        case .spawned(let process, let program):
            return tagged("INFO ", 2, say("Spawned child process '%' with pid '%'", program.shown, String(process)))
        case .cannotExecute(let program, let error):
            return tagged("FATAL", 0, say("exec % failed: %", program.shown, error.text))
        case .received(let signal):
            if signal == SignalNumber.child.number { return tagged("DEBUG", 3, "Received SIGCHLD") }
            return tagged("DEBUG", 3, say("Passing signal: '%'", name(signal)))
        case .reaped(let process, let isMain, let status):
            guard isMain else {
                let reaped = say("Reaped zombie process with pid=%", String(process))
                return warnsWhenReaping ? tagged("WARN ", 1, reaped) : tagged("DEBUG", 3, reaped)
            }
            let line = tagged("DEBUG", 3, say("Reaped child with pid: '%'", String(process)))
            return joined(line, tagged("INFO ", 2, ending(status)))
        case .reapsNothing:
            return tagged(
                "WARN ", 1,

                """
                tini is neither PID 1 nor a subreaper: orphans go to somebody else, so zombie reaping won't \
                work here; start it with -s, set TINI_SUBREAPER, or make it PID 1
                """)
        case .hasSession, .cannotGiveUpTerminal, .droppedHandOff, .rewrote, .forwarded, .ignored, .ends: return nil
        }
    }

    private func dumbInitLine(_ step: StandInStep) -> String? {
        let isVerbose = verbosity >= 3
        switch step {
        case .cannotExecute(let program, let error):
            return say("[dumb-init] %: %", program.shown, error.text)
        case .reapsNothing: return nil
        default: if !isVerbose { return nil }
        }
        switch step {
        case .spawned(let process, _): return say("[dumb-init] Child spawned with PID %.", String(process))
        case .hasSession: return "[dumb-init] setsid complete."
        case .cannotGiveUpTerminal(let error):
            return say(
                "[dumb-init] Unable to detach from controlling tty (errno=% %).", String(error.code), error.text)
        case .received(let signal): return say("[dumb-init] Received signal %.", String(signal))
        case .droppedHandOff(let signal):
            return say("[dumb-init] Ignoring tty hand-off signal %.", String(signal))
        case .rewrote(let from, let to):
            return say("[dumb-init] Translating signal % to %.", String(from), String(to))
        case .forwarded(let signal): return say("[dumb-init] Forwarded signal % to children.", String(signal))
        case .ignored(let signal):
            return say("[dumb-init] Not forwarding signal % to children (ignored).", String(signal))
        case .reaped(let process, _, .exited(let code)):
            return say("[dumb-init] A child with PID % exited with exit status %.", String(process), String(code))
        case .reaped(let process, _, .signaled(let signal, _)):
            return say(
                "[dumb-init] A child with PID % was terminated by signal %.", String(process), String(signal.number))
        case .ends(let code): return say("[dumb-init] Child exited with status %. Goodbye.", String(code))
        case .cannotExecute, .reapsNothing: return nil
        }
    }

    private func tagged(_ level: String, _ least: Int, _ text: String) -> String? {
        verbosity >= least ? say("[% tini (%)] %", level, String(own), text) : nil
    }

    private func ending(_ status: ExitStatus) -> String {
        switch status {
        case .exited(let code): return say("Main child exited normally (with status '%')", String(code))
        case .signaled(let signal, _):
            return say("Main child exited with signal (with signal '%')", signal.name)
        }
    }

    private func joined(_ first: String?, _ second: String?) -> String? {
        guard let first else { return second }
        guard let second else { return first }
        return say("%\n%", first, second)
    }

    private func name(_ signal: Int32) -> String { SignalNumber(signal)?.name ?? String(signal) }
}
