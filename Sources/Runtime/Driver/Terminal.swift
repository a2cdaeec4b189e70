import CSystem
import System

/// The terminal of the container, which belongs to the main program: as its foreground process group, or with a session of
/// its own where the init is called dumb-init.
struct Terminal {
    /// Descriptor 0 is a terminal whose foreground process group is the init's own.
    let isForeground: Bool
    /// Descriptors 0 and 1 are terminals.
    let isTerminal: Bool
    /// Giving up the terminal makes the kernel send SIGHUP and SIGCONT to its foreground group, the init among it: one of
    /// each is to be dropped.
    private(set) var dropsHangup = false
    private(set) var dropsContinue = false

    init() {
        let isInput = isatty(0) == 1
        isTerminal = isInput && isatty(1) == 1
        isForeground = isInput && hi_foreground_group(0) == getpgrp()
    }

    /// Lets go of the controlling terminal, for the session of the main program to take it. Gives the reason where there
    /// is none to let go of.
    mutating func giveUp() -> Errno? {
        guard hi_give_up_terminal(0) == 0 else { return Errno.current }
        if getsid(0) == getpid() {
            dropsHangup = true
            dropsContinue = true
        }
        return nil
    }

    /// Whether this signal is one that giving up the terminal brought.
    mutating func drops(_ signal: Int32) -> Bool {
        if signal == SIGHUP && dropsHangup {
            dropsHangup = false
            return true
        }
        if signal == SIGCONT && dropsContinue {
            dropsContinue = false
            return true
        }
        return false
    }

    /// Makes the init's own group the foreground group again, for whoever started it in a shell.
    func takeBack() {
        if isForeground { _ = tcsetpgrp(0, getpgrp()) }
    }
}
