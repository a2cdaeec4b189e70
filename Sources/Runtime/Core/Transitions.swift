import ConfigParser

/// What each event means in each state of a service: one table, every pair in it, the impossible ones too. What is done
/// then stands in Start, Exit and StopOne. The events of readiness and health have a table of their own, in Watch, and
/// requests in Requests.

/// An event of one service.
enum ServiceEvent: Sendable {
    case conditionsHold
    case conditionsUnmet(String)
    case execSucceeded
    case spawnFailed(SpawnFailure)
    case exited(ExitStatus)
    case stopCommandEnded
    case deadline
}

extension Core {
    mutating func step(_ id: ServiceID, _ event: ServiceEvent) {
        guard let state = state(of: id) else { return }
        switch (state, event) {

        // The answer about `[when]`.
        case (.checking, .conditionsHold):
            if !isFree(id) {
                // What it waits for changed in the meantime; the conditions are looked at again later.
                become(id, .waiting)
            } else {
                start(id)
            }
        case (.checking, .conditionsUnmet(let unmet)):
            announce(.skipped(id, unmet: unmet))
            become(id, .skipped)
        case (.idle, .conditionsHold), (.waiting, .conditionsHold), (.starting, .conditionsHold),
            (.running, .conditionsHold), (.up, .conditionsHold), (.backingOff, .conditionsHold),
            (.stopping, .conditionsHold), (.done, .conditionsHold), (.skipped, .conditionsHold),
            (.ended, .conditionsHold), (.stopped, .conditionsHold), (.failed, .conditionsHold),
            (.idle, .conditionsUnmet), (.waiting, .conditionsUnmet), (.starting, .conditionsUnmet),
            (.running, .conditionsUnmet), (.up, .conditionsUnmet), (.backingOff, .conditionsUnmet),
            (.stopping, .conditionsUnmet), (.done, .conditionsUnmet), (.skipped, .conditionsUnmet),
            (.ended, .conditionsUnmet), (.stopped, .conditionsUnmet), (.failed, .conditionsUnmet):
            break  // The stop, or a failure, came before the answer.

        // The answer about the spawn.
        case (.starting, .execSucceeded):
            noteExec(id)
        case (.starting, .spawnFailed(let failure)):
            noteSpawnFailure(id, failure)
        case (.stopping(let stage), .spawnFailed(let failure)):
            noteGone(id, stage, .neverRan(failure))
        case (.idle, .execSucceeded), (.waiting, .execSucceeded), (.checking, .execSucceeded),
            (.running, .execSucceeded), (.up, .execSucceeded), (.backingOff, .execSucceeded),
            (.done, .execSucceeded), (.skipped, .execSucceeded), (.ended, .execSucceeded), (.stopped, .execSucceeded),
            (.failed, .execSucceeded):
            break
        case (.stopping, .execSucceeded):
            break  // It was told at once, before its exec was known to succeed.
        case (.idle, .spawnFailed), (.waiting, .spawnFailed), (.checking, .spawnFailed), (.running, .spawnFailed),
            (.up, .spawnFailed), (.backingOff, .spawnFailed), (.done, .spawnFailed), (.skipped, .spawnFailed),
            (.ended, .spawnFailed), (.stopped, .spawnFailed), (.failed, .spawnFailed):
            break

        // The end of the process. Before the exec is known it should not come; where it does, the exec did succeed.
        case (.starting, .exited(let status)):
            noteExec(id)
            noteExit(id, status)
        case (.running, .exited(let status)), (.up, .exited(let status)):
            noteExit(id, status)
        case (.stopping(let stage), .exited(let status)):
            noteGone(id, stage, .ended(status))
        case (.idle, .exited), (.waiting, .exited), (.checking, .exited), (.backingOff, .exited), (.done, .exited),
            (.skipped, .exited), (.ended, .exited), (.stopped, .exited), (.failed, .exited):
            break

        // The end of the stop command.
        case (.stopping(.command), .stopCommandEnded):
            sendStopSignal(id)
        case (.stopping(.commandAlone), .stopCommandEnded):
            noteDown(id)
        case (.stopping(.signaled), .stopCommandEnded), (.stopping(.killed), .stopCommandEnded):
            break
        case (.idle, .stopCommandEnded), (.waiting, .stopCommandEnded), (.checking, .stopCommandEnded),
            (.starting, .stopCommandEnded), (.running, .stopCommandEnded), (.up, .stopCommandEnded),
            (.backingOff, .stopCommandEnded), (.done, .stopCommandEnded), (.skipped, .stopCommandEnded),
            (.ended, .stopCommandEnded), (.stopped, .stopCommandEnded), (.failed, .stopCommandEnded):
            break

        // Its deadline: the next start, the patience with a start or a stop, or the word about a oneshot that takes long.
        case (.backingOff, .deadline):
            startAgain(id)
        case (.stopping(let stage), .deadline):
            losePatience(id, stage)
        case (.starting, .deadline), (.running, .deadline):
            passStartDeadline(id)
        case (.idle, .deadline), (.waiting, .deadline), (.checking, .deadline), (.up, .deadline), (.done, .deadline),
            (.skipped, .deadline), (.ended, .deadline), (.stopped, .deadline), (.failed, .deadline):
            break
        }
    }
}
