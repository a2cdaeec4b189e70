import CSystem
import ConfigParser
import System

/// `ctl status --watch`: the table drawn anew in its place, like top, until q is pressed. It takes the terminal's second screen,
/// so that what stood there comes back, and gives the terminal back whichever way it ends.

extension CtlSession {
    /// SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP and SIGWINCH.
    private static let caught: UInt64 = {
        var set: UInt64 = 0
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH] { set |= 1 << UInt64(signal - 1) }
        return set
    }()

    mutating func watch() throws(CtlFailure) {
        guard look.columns != nil else {
            throw CtlFailure(.usage, "--watch needs a terminal", ["docker exec -it gives one"])
        }
        let signals = hi_catch_signals(CtlSession.caught)
        connection.signals = signals
        let hasKeys = hi_begin_keys(0)
        beginScreen()
        var failure: CtlFailure?
        do throws(CtlFailure) {
            try redraw(signals, hasKeys: hasKeys)
        } catch {
            failure = error
        }
        endScreen()
        if let failure { throw failure }
    }

    private func beginScreen() { _ = writeAll(1, "\u{1B}[?1049h\u{1B}[?25l".bytes) }

    private func endScreen() {
        _ = writeAll(1, "\u{1B}[?25h\u{1B}[?1049l".bytes)
        hi_end_keys(0)
    }

    private mutating func redraw(_ signals: Int32, hasKeys: Bool) throws(CtlFailure) {
        var isOver = false
        while !isOver {
            let answer = try status(request.names)
            var rows: Int32 = 0
            let columns = Int(hi_terminal_columns(1, &rows))
            look.columns = columns > 0 ? columns : 80
            _ = writeAll(1, WatchFrame.text(answer, look, rows: rows > 0 ? Int(rows) : 24).bytes)
            let ready = hi_wait_for_input(hasKeys ? 0 : -1, signals, -1, 1000)
            if ready & 1 != 0 {
                var key: UInt8 = 0
                // q, Q, or the end of the input.
                if read(0, &key, 1) <= 0 || key | 0x20 == 0x71 { isOver = true }
            }
            while case let signal = hi_next_signal(signals), signal > 0 {
                if signal == SIGTSTP {
                    endScreen()
                    _ = kill(getpid(), SIGSTOP)
                    _ = hi_begin_keys(0)
                    beginScreen()
                } else if signal != SIGWINCH {
                    isOver = true
                }
            }
        }
    }
}

/// One picture of `--watch`. Pure.
enum WatchFrame {
    /// Drawn over what is there: each line clears what is left of the old one, and the end clears what is below.
    static func text(_ answer: StatusAnswer, _ look: Look, rows: Int) -> String {
        var lines = answer.lines(look)
        let room = max(1, rows &- 1)
        if lines.count > room {
            let more = lines.count &- room &+ 1
            lines.removeLast(more)
            lines.append(look.paint(say("… % more", String(more)), .dim))
        }
        var text = "\u{1B}[H"
        for line in lines { text += say("%\u{1B}[K\r\n", line) }
        return say("%%\u{1B}[K\u{1B}[J", text, look.paint("q ends", .dim))
    }
}
