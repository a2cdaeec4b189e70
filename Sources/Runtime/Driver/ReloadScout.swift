import CSystem
import ConfigParser
import System

/// A reload reads what the files name: folders, what `from` finds, programs of stages, paths of conditions. Any of it may lie on a
/// volume that does not answer, and PID 1 must not wait there. So a copy of it (clone without exec) does the same first and
/// changes nothing; what it got through, PID 1 gets through a moment later. While the copy hangs, or when it dies of what it
/// read, nothing is reloaded, and who asked is told. The copy never answers anything but that it came to its end.
final class ReloadScout {
    /// How long it may take.
    static let time = Interval.seconds(10)

    private var reports: FileDescriptor?
    private var process: Int32 = 0
    private var dying: [Int32] = []
    /// It took too long, and was killed; a process that waits for a disk may be there for long all the same.
    private(set) var isLost = false
    /// It has ended, and what it was for is to be done; whether it came to its end.
    private var cameThrough: Bool?

    /// It is at work.
    var isOut: Bool { process > 0 }

    /// Sends it out, where none is.
    /// - Parameter reads: what it does; runs in the copy.
    func send(_ loop: EventLoop, _ reads: () -> Void) throws(Errno) {
        if isOut { return }
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        try loop.mustAddReader(readEnd, Token(.scout))
        let child = hi_fork_writer(writeEnd.number, writeEnd.number)
        if child < 0 {
            let error = Errno.current
            loop.remove(readEnd.number)
            throw error
        }
        if child == 0 {
            reads()
            do throws(Errno) { try writeEnd.write([0x2B]) } catch {}
            hi_exit(0)
        }
        (process, reports, isLost) = (child, readEnd, false)
        withExtendedLifetime(writeEnd) {}
    }

    /// It said that it is done, or ended.
    func ready(_ loop: EventLoop) {
        guard let reports else { return }
        var byte: UInt8 = 0
        let count = read(reports.number, &byte, 1)
        if count < 0 { return }
        loop.remove(reports.number)
        self.reports = nil
        dying.append(process)
        process = 0
        cameThrough = !isLost && count > 0
        isLost = false
    }

    /// It takes too long.
    func giveUp() {
        if isOut && !isLost { _ = kill(process, SIGKILL) }
        isLost = isOut
    }

    /// Whether one came back since this was asked last, and came to its end.
    func takeResult() -> Bool? {
        var signal: Int32 = 0
        for place in dying.indices.reversed() where hi_reap_writer(dying[place], &signal) { dying.remove(at: place) }
        defer { cameThrough = nil }
        return cameThrough
    }
}

extension Driver {
    /// `reload` without a name.
    func reloadConfiguration(_ client: ControlClient) {
        if control.scout.isLost { return client.fail(ControlError.hungFolders) }
        do throws(Errno) {
            try control.scout.send(loop) {
                // The copy has left the working directory.
                let here = Bytes(say("/proc/%/cwd/", String(own)).utf8)
                _ = readAgain(options.folders.map { $0.first == 0x2F ? $0 : here + $0 })
            }
            client.job = .reading(until: monotonicNow + ReloadScout.time)
        } catch {
            // There is no process to be had: it has to go without.
            answerReload(client, reload())
        }
    }

    /// The copy came back: what it read is read in earnest, also where nobody waits for the answer any more.
    func finishReload() {
        guard let isThrough = control.scout.takeResult() else { return }
        // There is a turn for that, a moment later, in which the copy is reaped if it is not yet.
        statusChanged()
        let outcome = isThrough ? reload() : nil
        for client in control.clients {
            guard let client, case .reading? = client.job else { continue }
            if let outcome {
                answerReload(client, outcome)
            } else {
                client.fail(
                    ControlError(
                        code: "failed",
                        message: "the process that reads the files first was killed; nothing was changed"))
            }
        }
    }

    private func answerReload(_ client: ControlClient, _ outcome: ReloadOutcome) {
        switch outcome {
        case .applied(let summary):
            client.line {
                $0.texts("added", summary.added)
                $0.texts("removed", summary.removed)
                $0.texts("restarted", summary.restarted)
                $0.texts("changed", summary.changed)
            }
            client.finish()
        case .refused(let report):
            client.fail(
                ControlError(
                    code: "configuration", message: "the configuration is wrong, so nothing was changed",
                    hint: "mend the files and ask again"), report: report)
        }
    }
}

extension ControlError {
    /// Somewhere a volume does not answer.
    static var hungFolders: ControlError {
        ControlError(
            code: "failed",
            message: say(
                "reading the configuration takes longer than %; nothing was changed", ReloadScout.time.forPeople),
            hint: "does a volume hang that holds service files, or what `from` or a path in them names?")
    }
}
