import ConfigParser

/// What the core tells the log: what happened and what comes of it, as data, and how a person reads it. The reader is the
/// one who has nothing but `docker logs`: every line names the service, says what happened in plain words, and says what
/// happens next where that is not plain. The driver puts "hermes-init: " before it.

/// How much a line matters.
public enum AnnouncementSeverity: Int, Comparable, Sendable {
    case debug, info, warning, error
    /// The less important comes first.
    public static func < (left: AnnouncementSeverity, right: AnnouncementSeverity) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// Some services of a list that may be long: the first few, and how many there are besides.
public struct ServiceList: Equatable, Sendable {
    /// How many are named.
    static let most = 8
    /// Those that are named.
    public private(set) var first: [ServiceID] = []
    /// How many there are besides.
    public private(set) var more = 0

    init() {}

    mutating func append(_ id: ServiceID) {
        if first.count < ServiceList.most { first.append(id) } else { more &+= 1 }
    }
}

/// Why the container stops.
public enum StopCause: Equatable, Sendable {
    case signal(SignalNumber)
    case mainEnded(ExitStatus)
    /// An essential service came to an end that its restart policy accepts.
    case essentialEnded(ServiceID, ExitStatus)
    /// A service failed that the container cannot be without.
    case failed(ServiceID)
    /// A service is unhealthy, and its `action` is `stop-container`.
    case unhealthy(ServiceID)
    /// Somebody asked the main program to stop.
    case requested(ServiceID)
    /// Somebody asked the container to stop, with that exit code.
    case asked(code: Int32?)
}

/// Something to log.
public indirect enum Announcement: Equatable, Sendable {
    /// A longrun, or the main program, runs.
    case up(ServiceID)
    /// The same, where it told that it is ready; after its program had run so long.
    case ready(ServiceID, after: Interval)
    /// A oneshot succeeded, after so long.
    case done(ServiceID, after: Interval)
    /// A group whose members are all up.
    case complete(ServiceID)
    case skipped(ServiceID, unmet: String)
    /// A longrun ended after so long, and its policy says that this was that.
    case ended(ServiceID, ExitStatus, after: Interval, beforeReady: Bool)
    /// It ended after so long and starts again in `delay`; `quickDeaths` is 0 where it had been up for long.
    case restarting(
        ServiceID, ExitStatus, after: Interval, delay: Interval, quickDeaths: Int, beforeReady: Bool)
    /// It was stopped for that and starts again in `delay`.
    case restartingStopped(ServiceID, Failure.Cause, delay: Interval, quickDeaths: Int)
    /// Its start took too long (`startTimeout` or `notReady`): it is being stopped. The last readiness probe failed so.
    case tooSlow(ServiceID, Failure.Cause, lastTry: String?)
    /// What is done about it follows from the action.
    case unhealthy(ServiceID, HealthProblem, HealthAction)
    /// After it had been unhealthy for so long.
    case healthyAgain(ServiceID, after: Interval)
    /// It was sent the signal of `[reload]`, or (nil) its command succeeded.
    case reloaded(ServiceID, SignalNumber?)
    case reloadFailed(ServiceID, ExitStatus)
    /// The command took too long.
    case reloadKilled(ServiceID)
    /// Somebody asked; before a stop, those that require it are stopped.
    case requested(ServiceID, Request, first: ServiceList)
    /// Somebody asked what cannot be, or is so already.
    case passedOver(ServiceID, Request, String)
    /// It was not there before.
    case added(ServiceID)
    /// No file describes it any more: it is stopped, and forgotten.
    case removed(ServiceID)
    /// It is described in another way.
    case changed(ServiceID, ChangeEffect)
    /// It was asked to stop, or another that it requires was, and is down.
    case stopped(ServiceID)
    /// It could not be started for want of something; the next try is in `delay`.
    case retrying(ServiceID, SpawnFailure, delay: Interval)
    /// `stopsWith`: the exit code of the container, where it stops because of this.
    case failed(ServiceID, Failure, isOptional: Bool, neededBy: ServiceList, stopsWith: Int32?)
    /// A oneshot takes long; those wait for it.
    case stillRunning(ServiceID, after: Interval, waiting: ServiceList)
    case stopping(StopCause)
    /// Had not ended that long after the signal (or, nil, the stop command) and was killed.
    case killed(ServiceID, ignored: SignalNumber?, after: Interval)
    /// The ceiling of the stop was reached; those were still there.
    case shutdownTimeout(Interval, left: ServiceList)
    /// The third SIGTERM or SIGINT; those were still there.
    case stopForced(left: ServiceList)
    /// Something was left that did not end on SIGTERM.
    case stragglersKilled(after: Interval)
    /// A signal came that nobody is there to be sent.
    case signalUnheard(SignalNumber)
}

extension Announcement {
    /// How much it matters.
    public var severity: AnnouncementSeverity {
        switch self {
        case .signalUnheard, .complete: return .debug
        case .up, .ready, .done, .skipped, .ended, .stillRunning, .stopping, .healthyAgain, .reloaded, .requested,
            .passedOver, .stopped, .added, .removed, .changed:
            return .info
        case .restarting, .restartingStopped, .retrying, .killed, .shutdownTimeout, .stopForced, .stragglersKilled,
            .tooSlow, .unhealthy, .reloadFailed, .reloadKilled:
            return .warning
        case .failed(_, _, let isOptional, _, _): return isOptional ? .warning : .error
        }
    }

    /// The line, without a prefix and without a line end.
    ///
    /// - Parameter services: the list that the core was made with.
    public func text(services: [Service]) -> String {
        let name = Names(services: services)
        switch self {
        case .up(let id):
            return say("%: up", name[id])
        case .ready(let id, let after):
            return say("%: up (ready after %)", name[id], after.forPeople)
        case .done(let id, let after):
            return say("%: done after %", name[id], after.forPeople)
        case .complete(let id):
            return say("%: all of it is up", name[id])
        case .skipped(let id, let unmet):
            return say("%: skipped: %", name[id], unmet)
        case .ended(let id, let status, let after, let isEarly):
            return say("%: % after %%; not started again", name[id], status.forPeople, after.forPeople, early(isEarly))
        case .restarting(let id, let status, let after, let delay, let quickDeaths, let isEarly):
            return say("%: % after %%; ", name[id], status.forPeople, after.forPeople, early(isEarly))
                + again(delay, quickDeaths)
        case .restartingStopped(let id, let cause, let delay, let quickDeaths):
            return say("%: stopped, because it was %; %", name[id], cause.text, again(delay, quickDeaths))
        case .tooSlow(let id, let cause, let lastTry):
            return say(
                "%: %%; stopping it", name[id], cause.text, lastTry.map { say(" (the last try: %)", $0) } ?? "")
        case .unhealthy(let id, let problem, let action):
            let what: String
            switch action {
            case .restart: what = "stopping it"
            case .none: what = "it goes on, because `action` of its [health] is \"none\""
            case .stopContainer: what = "stopping the container with code 1"
            }
            return say("%: unhealthy: %; %", name[id], problem.text, what)
        case .healthyAgain(let id, let after):
            return say("%: healthy again after %", name[id], after.forPeople)
        case .reloaded(let id, let signal):
            return say("%: %", name[id], signal.map { say("sent % to reload", $0.name) } ?? "reloaded")
        case .reloadFailed(let id, let status):
            return say(
                "%: cannot reload: its [reload] command %; it goes on as before", name[id], status.forPeople)
        case .reloadKilled(let id):
            return say("%: cannot reload: its [reload] command took too long and was killed", name[id])
        case .requested(let id, let request, let first):
            return say("%: asked to %", name[id], request.text)
                + (first.first.isEmpty ? "" : say("; stopping first what requires it: %", name.list(first)))
        case .passedOver(let id, let request, let why):
            return say("%: asked to %, which changes nothing: %", name[id], request.text, why)
        case .stopped(let id):
            return say("%: stopped", name[id])
        case .added(let id): return say("%: added", name[id])
        case .removed(let id): return say("%: removed", name[id])
        case .changed(let id, let effect): return say("%: changed%", name[id], effect.text)
        case .retrying(let id, let failure, let delay):
            return say("%: cannot start: %; trying again in %", name[id], failure.message, delay.forPeople)
        case .failed(let id, let failure, let isOptional, let neededBy, let stopsWith):
            var text = say("%: failed: %", name[id], failure.text(name))
            if isOptional && stopsWith == nil { text += "; it is optional, so the others go on" }
            if !neededBy.first.isEmpty { text += say("; needed by: %", name.list(neededBy)) }
            if let stopsWith { text += say("; stopping the container with code %", String(stopsWith)) }
            return text
        case .stillRunning(let id, let after, let waiting):
            var text = say("%: still running after %", name[id], after.forPeople)
            if !waiting.first.isEmpty {
                let isOne = waiting.first.count == 1 && waiting.more == 0
                text += say("; % % for it", name.list(waiting), isOne ? "waits" : "wait")
            }
            return text
        case .stopping(let cause):
            return say("stopping (%)", cause.text(name))
        case .killed(let id, .some(let signal), let after):
            return say("%: ignored % for %; killed", name[id], signal.name, after.forPeople)
        case .killed(let id, .none, let after):
            return say("%: its stop command had not ended after %; both killed", name[id], after.forPeople)
        case .shutdownTimeout(let timeout, let left):
            return say(
                "the stop took longer than shutdown-timeout (%); killing %", timeout.forPeople, name.whatIsLeft(left))
        case .stopForced(let left):
            return say("told to stop three times; killing %", name.whatIsLeft(left))
        case .stragglersKilled(let after):
            return say("some processes ignored SIGTERM for %; killing them", after.forPeople)
        case .signalUnheard(let signal):
            return say("% ignored: no main program runs that it could be forwarded to", signal.name)
        }
    }
}

/// What is added to an end before it was ready.
private func early(_ isEarly: Bool) -> String { isEarly ? ", before it was ready" : "" }

/// "starting it again in 1.9 s (2nd quick death in a row)".
private func again(_ delay: Interval, _ quickDeaths: Int) -> String {
    say(
        "starting it again %%", delay.nanoseconds > 0 ? say("in %", delay.forPeople) : "at once",
        quickDeaths > 1 ? say(" (% quick death in a row)", ordinal(quickDeaths)) : "")
}

extension Request {
    var text: String {
        switch self {
        case .start: return "start"
        case .stop: return "stop"
        case .restart: return "restart"
        case .reload: return "reload"
        }
    }
}

extension HealthProblem {
    /// "connection refused, 3 times in a row".
    var text: String {
        switch self {
        case .probes(1, let why): return why
        case .probes(let count, let why): return say("%, % times in a row", why, String(count))
        case .silent(let time): return say("no WATCHDOG=1 for %", time.forPeople)
        case .saidSo: return "it says so itself (WATCHDOG=trigger)"
        }
    }
}

/// Looks up names; an ID of another list has the name "?".
struct Names {
    let services: [Service]

    subscript(id: ServiceID) -> String {
        services.indices.contains(id.index) ? services[id.index].name : "?"
    }

    /// "all that is left: a, b".
    func whatIsLeft(_ list: ServiceList) -> String {
        list.first.isEmpty ? "what is left" : say("all that is left: %", self.list(list))
    }

    /// "a, b and 3 more".
    @inline(never)
    func list(_ list: ServiceList) -> String {
        var text = ""
        for (place, id) in list.first.enumerated() { text += (place == 0 ? "" : ", ") + self[id] }
        if list.more > 0 { text += say(" and % more", String(list.more)) }
        return text
    }
}

extension Failure {
    /// "exited with code 3", "requires api, which failed because of db (exited with code 3)".
    func text(_ name: Names) -> String {
        guard let direct = chain.first, let root = chain.last else { return cause.text }
        var text = say("requires %, which failed", name[direct])
        if chain.count > 1 {
            for between in chain.dropFirst().dropLast() { text += say(" because of %, which failed", name[between]) }
            text += say(" because of %", name[root])
        }
        return say("% (%)", text, cause.text)
    }
}

extension Failure.Cause {
    var text: String {
        switch self {
        case .ended(let status, let isEarly): return status.forPeople + early(isEarly)
        case .spawn(let failure): return failure.message
        case .limit(let starts, let within, let last):
            let count = starts == 1 ? "once" : say("% times", String(starts))
            let text = say("started % within %, which is its limit", count, within.forPeople)
            guard let last else { return text }
            return say("%; the last time it %", text, last.forPeople)
        case .startTimeout(let time): return say("not up after %, which is all that its start may take", time.forPeople)
        case .notReady(let time): return say("not ready after %", time.forPeople)
        case .unhealthy(let problem): return say("unhealthy (%)", problem.text)
        }
    }
}

extension StopCause {
    fileprivate func text(_ name: Names) -> String {
        switch self {
        case .signal(let signal): return signal.name
        case .mainEnded(let status): return say("main %", status.forPeople)
        case .essentialEnded(let id, let status): return say("% is essential and %", name[id], status.forPeople)
        case .failed(let id): return say("% failed", name[id])
        case .unhealthy(let id): return say("% is unhealthy", name[id])
        case .requested(let id): return say("% was asked to stop", name[id])
        case .asked(.none): return "asked to, over the control socket"
        case .asked(.some(let code)): return say("asked to, over the control socket, with exit code %", String(code))
        }
    }
}

extension ExitStatus {
    /// "exited with code 3", "was ended by SIGSEGV (core dumped)".
    var forPeople: String {
        switch self {
        case .exited(let code): return say("exited with code %", String(code))
        case .signaled(let signal, let coreDumped):
            return say("was ended by %%", signal.name, coreDumped ? " (core dumped)" : "")
        }
    }
}

extension Interval {
    /// "350 ms", "2.1 s", "45 s", "3 min 20 s", "5 h 2 min": as exact as a person cares for.
    var forPeople: String {
        let milliseconds = max(nanoseconds, 0) / 1_000_000
        if milliseconds < 1000 { return say("% ms", String(milliseconds)) }
        if milliseconds < 9950 {
            let tenths = (milliseconds &+ 50) / 100
            return tenths % 10 == 0
                ? say("% s", String(tenths / 10)) : say("%.% s", String(tenths / 10), String(tenths % 10))
        }
        let seconds = (milliseconds &+ 500) / 1000
        if seconds < 60 { return say("% s", String(seconds)) }
        if seconds < 3600 {
            return say("% min%", String(seconds / 60), seconds % 60 == 0 ? "" : say(" % s", String(seconds % 60)))
        }
        let minutes = seconds / 60
        return say("% h%", String(minutes / 60), minutes % 60 == 0 ? "" : say(" % min", String(minutes % 60)))
    }
}

/// "1st", "2nd", "3rd", "11th".
private func ordinal(_ number: Int) -> String {
    let ending: String
    switch (number % 10, number % 100) {
    case (_, 11), (_, 12), (_, 13): ending = "th"
    case (1, _): ending = "st"
    case (2, _): ending = "nd"
    case (3, _): ending = "rd"
    case (_, _): ending = "th"
    }
    return String(number) + ending
}
