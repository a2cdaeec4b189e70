import CSystem
import ConfigParser
import System

/// Requests that are answered when a fact is reached: start, stop, restart, reload of services, remove, wait. Each
/// change on the way is a line of its own. A service is known by its place and its name, since the place can be taken
/// by another one.

/// What is waited for.
enum WaitingGoal {
    /// That all are up, or down. `asked`: because of this request, which then fails as soon as it will not come true.
    case state(up: Bool, asked: Bool)
    /// That the commands of [reload] have ended.
    case reloaded
    /// That they are gone.
    case removed

    /// What a verb that asks something of services waits for.
    init(_ verb: ControlVerb) {
        switch verb {
        case .stop: self = .state(up: false, asked: true)
        case .reload: self = .reloaded
        case .remove: self = .removed
        default: self = .state(up: true, asked: true)
        }
    }
}

/// A client that waits.
final class WaitingJob {
    /// One service that is waited for.
    struct Target {
        let name: String
        let id: ServiceID
        var isReached = false
        /// How its [reload] ended.
        var reload: ControlError?
    }

    let goal: WaitingGoal
    var targets: [Target]
    let deadline: Instant?

    init(_ goal: WaitingGoal, _ targets: [Target], deadline: Instant?) {
        self.goal = goal
        self.targets = targets
        self.deadline = deadline
    }
}

/// How one of them is doing.
private enum Progress {
    case pending, reached
    case failed(ControlError)
}

extension Driver {
    // MARK: - Asking

    /// Asks the core for each of the services, in the order of the request. Who waits hears of it from the first change
    /// on.
    func act(_ client: ControlClient, _ request: ControlRequest, _ list: [ServiceID]) {
        if request.waits {
            var waited = list
            if request.verb == .restart || request.verb == .reload {
                waited = []
                for id in list { waited += core.processes(behind: id) }
            }
            wait(client, request, waited, WaitingGoal(request.verb))
        }
        for id in list {
            guard services.indices.contains(id.index) else { continue }
            if let error = act(request.verb, id) { return client.fail(error) }
        }
        if !request.waits { client.finish() }
    }

    private func act(_ verb: ControlVerb, _ id: ServiceID) -> ControlError? {
        let name = services[id.index].name
        switch verb {
        case .start, .restart:
            noteAsked(id, up: true)
            ask(.requested(id, verb == .start ? .start : .restart))
        case .stop:
            let effects = ask(.requested(id, .stop))
            if let why = Driver.refusal(effects, id), !isDown(id) {
                return ControlError(code: "conflict", message: say("cannot stop %: %", name, why))
            }
            noteAsked(id, up: false)
        case .reload:
            for member in core.processes(behind: id) {
                let effects = ask(.requested(member, .reload))
                if let why = Driver.refusal(effects, member) {
                    return ControlError(
                        code: "conflict", message: say("cannot reload %: %", services[member.index].name, why))
                }
            }
        default:
            if let error = removeInstance(name) { return error }
            noteAsked(id, up: false)
            noteChanges()
        }
        return nil
    }

    /// Why the core passed over a request.
    private static func refusal(_ effects: [Effect], _ id: ServiceID) -> String? {
        for effect in effects {
            if case .announce(.passedOver(let other, _, let why)) = effect, other == id { return why }
        }
        return nil
    }

    /// Begins to wait.
    func wait(_ client: ControlClient, _ request: ControlRequest, _ list: [ServiceID], _ goal: WaitingGoal) {
        var targets = [WaitingJob.Target]()
        for id in list where services.indices.contains(id.index) {
            targets.append(WaitingJob.Target(name: services[id.index].name, id: id))
        }
        client.job = .waiting(WaitingJob(goal, targets, deadline: request.timeout.map { monotonicNow + $0 }))
    }

    // MARK: - What comes of it

    /// A state changed: a line for each client that waits for that service.
    func tellWaiting(_ client: ControlClient, _ job: WaitingJob, _ change: StateChange) {
        for place in job.targets.indices where job.targets[place].id == change.id && isThere(job.targets[place]) {
            if case .state(up: true, _) = job.goal, change.to.isReached { job.targets[place].isReached = true }
            writeState(client, job.targets[place])
        }
    }

    private func writeState(_ client: ControlClient, _ target: WaitingJob.Target) {
        guard let report = report(of: target.id) else { return }
        let words = statusWords(target.id.index, report)
        client.streamLine {
            $0.field("name", target.name)
            $0.field("state", report.state.word)
            $0.field("words", words)
        }
    }

    /// A reload ended.
    func tellReload(_ id: ServiceID, _ error: ControlError?) {
        for client in control.clients {
            guard let client, case .waiting(let job) = client.job, case .reloaded = job.goal else { continue }
            for place in job.targets.indices where job.targets[place].id == id {
                job.targets[place].reload = error
                job.targets[place].isReached = error == nil
            }
        }
    }

    private func isThere(_ target: WaitingJob.Target) -> Bool {
        services.indices.contains(target.id.index) && services[target.id.index].name == target.name
    }

    /// Looks whether it has come to an end.
    func advanceWaiting(_ client: ControlClient, _ job: WaitingJob) {
        var isPending = false
        for place in job.targets.indices where !job.targets[place].isReached {
            switch progress(job.targets[place], job.goal) {
            case .pending: isPending = true
            case .reached: job.targets[place].isReached = true
            case .failed(let error): return client.fail(error)
            }
        }
        if !isPending { client.finish() }
    }

    private func progress(_ target: WaitingJob.Target, _ goal: WaitingGoal) -> Progress {
        let name = target.name
        guard isThere(target), let report = report(of: target.id) else {
            if case .state(up: true, _) = goal { return .failed(failure(name, "was removed")) }
            return .reached
        }
        switch goal {
        case .removed: return .pending
        case .reloaded:
            if let error = target.reload { return .failed(error) }
            if core.isReloading(target.id) { return .pending }
            if services[target.id.index].reload.isSignal { return .reached }
            return .failed(failure(name, "ended before its [reload] command did"))
        case .state(up: false, let asked):
            if report.state.isDown { return .reached }
            if asked && !core.isStopping && report.state.isOnItsWay && !core.isToStop(target.id) {
                return .failed(failure(name, "was asked to start again"))
            }
            return .pending
        case .state(up: true, let asked): return up(target, report, asked: asked)
        }
    }

    private func up(_ target: WaitingJob.Target, _ report: ServiceReport, asked: Bool) -> Progress {
        let name = target.name
        let words = statusWords(target.id.index, report)
        switch report.state {
        case .up, .done: return .reached
        case .failed(let cause): return .failed(failure(name, say("failed: %", cause.text(Names(services: services)))))
        case .ended: return .failed(failure(name, say("%, and its restart policy does not start it again", words)))
        case .skipped:
            // It was not started, so it has said nothing of it.
            return .failed(failure(name, say("was skipped: %", skipReason(target.id.index)), hint: nil))
        case .stopped where asked && !core.isStopping: return .failed(failure(name, "was stopped"))
        case .backingOff where asked:
            return .failed(
                failure(
                    name, words,
                    hint: say("\"logs %\" may say why; \"wait --up %\" waits for the next tries", name, name)))
        case .idle, .waiting, .checking, .starting, .running, .backingOff, .stopping, .stopped:
            if core.isStopping { return .failed(ControlError(code: "stopping", message: "the container is stopping")) }
            return .pending
        }
    }

    private func failure(_ name: String, _ what: String) -> ControlError {
        failure(name, what, hint: say("\"logs %\" may say why", name))
    }

    private func failure(_ name: String, _ what: String, hint: String?) -> ControlError {
        ControlError(code: "failed", message: say("% %", name, what), hint: hint)
    }

    private func isDown(_ id: ServiceID) -> Bool { state(of: id)?.isDown ?? true }

    /// Its timeout is over.
    func giveUpWaiting(_ client: ControlClient, _ job: WaitingJob) {
        var text = ""
        for target in job.targets where !target.isReached {
            guard text.utf8.count < 200, let report = report(of: target.id) else { continue }
            text += say("%% (%)", text.isEmpty ? "" : ", ", target.name, statusWords(target.id.index, report))
        }
        var hint: String? = "what was asked for goes on"
        if case .state(_, asked: false) = job.goal { hint = nil }
        client.fail(ControlError(code: "timeout", message: say("not in time: %", text), hint: hint))
    }

    /// The container ends.
    func endWaiting(_ client: ControlClient, _ job: WaitingJob) {
        advanceWaiting(client, job)
        if client.job == nil { return }
        client.fail(ControlError(code: "stopping", message: "the container is stopping"))
    }
}

extension ServiceState {
    /// What `start` wants.
    var isReached: Bool {
        switch self {
        case .up, .done: return true
        default: return false
        }
    }

    /// What `stop` wants: nothing runs, and nothing will by itself.
    var isDown: Bool {
        switch self {
        case .idle, .stopped, .failed, .ended, .skipped: return true
        case .waiting, .checking, .starting, .running, .up, .backingOff, .stopping, .done: return false
        }
    }

    /// It runs, or will.
    var isOnItsWay: Bool {
        switch self {
        case .waiting, .checking, .starting, .running, .up, .backingOff: return true
        case .idle, .stopped, .failed, .ended, .skipped, .stopping, .done: return false
        }
    }
}

extension Optional where Wrapped == ReloadPolicy {
    /// It is told by a signal, of which nobody knows when it is done.
    var isSignal: Bool {
        if case .signal = self { return true }
        return false
    }
}
