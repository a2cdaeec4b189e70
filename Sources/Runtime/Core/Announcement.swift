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
}

/// Something to log.
public enum Announcement: Equatable, Sendable {
    /// A longrun, or the main program, runs.
    case up(ServiceID)
    /// A oneshot succeeded, after so long.
    case done(ServiceID, after: Interval)
    /// A group whose members are all up.
    case complete(ServiceID)
    case skipped(ServiceID, unmet: String)
    /// A longrun ended after so long, and its policy says that this was that.
    case ended(ServiceID, ExitStatus, after: Interval)
    /// It ended after so long and starts again in `delay`; `quickDeaths` is 0 where it had been up for long.
    case restarting(ServiceID, ExitStatus, after: Interval, delay: Interval, quickDeaths: Int)
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
        case .up, .done, .skipped, .ended, .stillRunning, .stopping: return .info
        case .restarting, .retrying, .killed, .shutdownTimeout, .stopForced, .stragglersKilled: return .warning
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
            return name[id] + ": up"
        case .done(let id, let after):
            return name[id] + ": done after " + after.forPeople
        case .complete(let id):
            return name[id] + ": all of it is up"
        case .skipped(let id, let unmet):
            return name[id] + ": skipped: " + unmet
        case .ended(let id, let status, let after):
            return name[id] + ": " + status.forPeople + " after " + after.forPeople + "; not started again"
        case .restarting(let id, let status, let after, let delay, let quickDeaths):
            return name[id] + ": " + status.forPeople + " after " + after.forPeople + "; starting it again "
                + (delay.nanoseconds > 0 ? "in " + delay.forPeople : "at once")
                + (quickDeaths > 1 ? " (" + ordinal(quickDeaths) + " quick death in a row)" : "")
        case .retrying(let id, let failure, let delay):
            return name[id] + ": cannot start: " + failure.message + "; trying again in " + delay.forPeople
        case .failed(let id, let failure, let isOptional, let neededBy, let stopsWith):
            var text = name[id] + ": failed: " + failure.text(name)
            if isOptional && stopsWith == nil { text += "; it is optional, so the others go on" }
            if !neededBy.first.isEmpty { text += "; needed by: " + name.list(neededBy) }
            if let stopsWith { text += "; stopping the container with code " + String(stopsWith) }
            return text
        case .stillRunning(let id, let after, let waiting):
            var text = name[id] + ": still running after " + after.forPeople
            if !waiting.first.isEmpty {
                let isOne = waiting.first.count == 1 && waiting.more == 0
                text += "; " + name.list(waiting) + (isOne ? " waits for it" : " wait for it")
            }
            return text
        case .stopping(let cause):
            return "stopping (" + cause.text(name) + ")"
        case .killed(let id, .some(let signal), let after):
            return name[id] + ": ignored " + signal.name + " for " + after.forPeople + "; killed"
        case .killed(let id, .none, let after):
            return name[id] + ": its stop command had not ended after " + after.forPeople + "; both killed"
        case .shutdownTimeout(let timeout, let left):
            return "the stop took longer than shutdown-timeout (" + timeout.forPeople + "); killing "
                + (left.first.isEmpty ? "what is left" : "all that is left: " + name.list(left))
        case .stopForced(let left):
            return "told to stop three times; killing "
                + (left.first.isEmpty ? "what is left" : "all that is left: " + name.list(left))
        case .stragglersKilled(let after):
            return "some processes ignored SIGTERM for " + after.forPeople + "; killing them"
        case .signalUnheard(let signal):
            return signal.name + " ignored: no main program runs that it could be forwarded to"
        }
    }
}

/// Looks up names; an ID of another list has the name "?".
struct Names {
    let services: [Service]

    subscript(id: ServiceID) -> String {
        services.indices.contains(id.index) ? services[id.index].name : "?"
    }

    /// "a, b and 3 more".
    func list(_ list: ServiceList) -> String {
        var text = ""
        for (place, id) in list.first.enumerated() { text += (place == 0 ? "" : ", ") + self[id] }
        if list.more > 0 { text += " and " + String(list.more) + " more" }
        return text
    }
}

extension Failure {
    /// "exited with code 3", "requires api, which failed because of db (exited with code 3)".
    fileprivate func text(_ name: Names) -> String {
        guard let direct = chain.first, let root = chain.last else { return cause.text }
        var text = "requires " + name[direct] + ", which failed"
        if chain.count > 1 {
            for between in chain.dropFirst().dropLast() { text += " because of " + name[between] + ", which failed" }
            text += " because of " + name[root]
        }
        return text + " (" + cause.text + ")"
    }
}

extension Failure.Cause {
    fileprivate var text: String {
        switch self {
        case .ended(let status): return status.forPeople
        case .spawn(let failure): return failure.message
        case .limit(let starts, let within, let last):
            let count = starts == 1 ? "once" : String(starts) + " times"
            let text = "started " + count + " within " + within.forPeople + ", which is its limit"
            guard let last else { return text }
            return text + "; the last time it " + last.forPeople
        }
    }
}

extension StopCause {
    fileprivate func text(_ name: Names) -> String {
        switch self {
        case .signal(let signal): return signal.name
        case .mainEnded(let status): return "main " + status.forPeople
        case .essentialEnded(let id, let status): return name[id] + " is essential and " + status.forPeople
        case .failed(let id): return name[id] + " failed"
        }
    }
}

extension ExitStatus {
    /// "exited with code 3", "was ended by SIGSEGV (core dumped)".
    var forPeople: String {
        switch self {
        case .exited(let code): return "exited with code " + String(code)
        case .signaled(let signal, let coreDumped):
            return "was ended by " + signal.name + (coreDumped ? " (core dumped)" : "")
        }
    }
}

extension Interval {
    /// "350 ms", "2.1 s", "45 s", "3 min 20 s", "5 h 2 min": as exact as a person cares for.
    var forPeople: String {
        let milliseconds = max(nanoseconds, 0) / 1_000_000
        if milliseconds < 1000 { return String(milliseconds) + " ms" }
        if milliseconds < 9950 {
            let tenths = (milliseconds &+ 50) / 100
            return tenths % 10 == 0
                ? String(tenths / 10) + " s" : String(tenths / 10) + "." + String(tenths % 10) + " s"
        }
        let seconds = (milliseconds &+ 500) / 1000
        if seconds < 60 { return String(seconds) + " s" }
        if seconds < 3600 {
            return String(seconds / 60) + " min" + (seconds % 60 == 0 ? "" : " " + String(seconds % 60) + " s")
        }
        let minutes = seconds / 60
        return String(minutes / 60) + " h" + (minutes % 60 == 0 ? "" : " " + String(minutes % 60) + " min")
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
