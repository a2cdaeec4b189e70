import CSystem
import ConfigParser
import System

/// What happens, as it happens: log lines out of the services' rings, and events. A reader of logs has a place in each
/// ring and takes lines as fast as it reads, so that nothing is kept for it but the ring; what it misses is counted.
/// Events are written to the clients as they come.

/// A client that reads log lines.
final class LogJob {
    /// Its place in what one service said.
    struct Cursor {
        let name: String
        let service: Int
        var ring: OutputRing?
        /// The next line; before it is known, nil.
        var place: Int?
        /// Where it ends, for one that does not follow.
        var stop = Int.max
        /// The number of the next line, as the ring counts them.
        var line = 0
    }

    var cursors: [Cursor] = []
    let lines: Int?
    /// Milliseconds since 1970.
    let since: Int64?
    let follows: Bool
    /// Every service that it may see, those too that are made later.
    let isAll: Bool
    var ringsMade = -1

    init(lines: Int?, since: Int64?, follows: Bool, isAll: Bool) {
        self.lines = lines
        self.since = since
        self.follows = follows
        self.isAll = isAll
    }
}

/// A client that hears events.
final class EventsJob {
    /// Lines of the init's own log, too.
    let withLog: Bool
    init(withLog: Bool) { self.withLog = withLog }
}

extension Driver {
    // MARK: - Jobs

    /// Goes on with what a client waits for.
    func advance(_ client: ControlClient, _ now: Instant) {
        switch client.job {
        case .listing(let job): advanceListing(client, job)
        case .waiting(let job): advanceWaiting(client, job)
        case .logs(let job): advanceLogs(client, job)
        case .events: client.tellDropped()
        case .reading: break
        case .metrics(let job): advanceMetrics(client, job)
        case nil: break
        }
    }

    /// Its client is gone.
    func endJob(_ client: ControlClient) {
        if case .logs(let job) = client.job {
            client.job = nil
            stopCounting(job)
        }
        client.job = nil
    }

    // MARK: - Events

    /// States that changed since the last event: into the record of the boot, and to whom it concerns.
    func noteChanges() {
        for change in core.takeChanges() {
            let id = change.id
            guard services.indices.contains(id.index), core.graph.edges.indices.contains(id.index) else { continue }
            control.timings.note(id, change.to, at: change.at, edges: core.graph.edges[id.index])
            if control.count == 0 { continue }
            for client in control.clients {
                guard let client else { continue }
                switch client.job {
                case .waiting(let job): tellWaiting(client, job, change)
                case .events: tellEvent(client, change)
                case .listing, .logs, .metrics, .reading, nil: break
                }
            }
        }
    }

    private func tellEvent(_ client: ControlClient, _ change: StateChange) {
        guard let report = report(of: change.id) else { return }
        let words = statusWords(change.id.index, report)
        client.streamLine {
            $0.number("time", Int(hi_realtime_milliseconds()))
            $0.field("event", "state")
            $0.field("name", services[change.id.index].name)
            $0.field("from", change.from.word)
            $0.field("to", change.to.word)
            $0.field("words", words)
        }
    }

    /// The init says something on the container's stderr.
    func controlLogged(_ text: String, _ severity: AnnouncementSeverity) {
        if control.count == 0 { return }
        let level: String
        switch severity {
        case .debug: level = "debug"
        case .info: level = "info"
        case .warning: level = "warning"
        case .error: level = "error"
        }
        for client in control.clients {
            guard let client, case .events(let job) = client.job, job.withLog else { continue }
            client.streamLine {
                $0.number("time", Int(hi_realtime_milliseconds()))
                $0.field("event", "log")
                $0.field("level", level)
                $0.field("text", text)
            }
        }
    }

    /// What the core announces, of which the server keeps a little.
    func controlHeard(_ announcement: Announcement) {
        if !control.isOpen { return }
        switch announcement {
        case .skipped(let id, let unmet):
            while control.skipReasons.count <= id.index { control.skipReasons.append("") }
            control.skipReasons[id.index] = unmet
        case .reloaded(let id, _): tellReload(id, nil)
        case .reloadFailed(let id, let status):
            tellReload(id, reloadFailure(id, say("its [reload] command %", status.forPeople)))
        case .reloadKilled(let id):
            tellReload(id, reloadFailure(id, "its [reload] command took too long and was killed"))
        default: break
        }
    }

    private func reloadFailure(_ id: ServiceID, _ what: String) -> ControlError {
        let name = services.indices.contains(id.index) ? services[id.index].name : ""
        return ControlError(code: "failed", message: say("cannot reload %: %; it goes on as before", name, what))
    }

    // MARK: - Logs

    /// Begins to read.
    func readLogs(_ client: ControlClient, _ request: ControlRequest, _ list: [ServiceID], _ rights: ControlRights) {
        var since: Int64?
        if let back = request.since { since = hi_realtime_milliseconds() &- back.nanoseconds / 1_000_000 }
        let job = LogJob(
            lines: request.lines, since: since, follows: request.follows, isAll: request.names.isEmpty)
        for id in list where services.indices.contains(id.index) {
            let name = services[id.index].name
            if rights.allows(.service(name)) { add(name, id.index, job) }
        }
        job.ringsMade = relay.ringsMade
        client.job = .logs(job)
    }

    private func add(_ name: String, _ service: Int, _ job: LogJob) {
        job.cursors.append(LogJob.Cursor(name: name, service: service))
    }

    /// Services that have said nothing before, or were not there.
    private func lookForRings(_ client: ControlClient, _ job: LogJob) {
        if job.ringsMade == relay.ringsMade { return }
        job.ringsMade = relay.ringsMade
        guard job.isAll, let rights = client.rights else { return }
        var known = NameIndex()
        for cursor in job.cursors { known[cursor.name] = 1 }
        for (index, service) in services.enumerated()
        where !service.name.isEmpty && known[service.name] == nil && rights.allows(.service(service.name)) {
            add(service.name, index, job)
        }
    }

    private func advanceLogs(_ client: ControlClient, _ job: LogJob) {
        lookForRings(client, job)
        for place in job.cursors.indices where job.cursors[place].place == nil {
            let cursor = job.cursors[place]
            guard services.indices.contains(cursor.service), services[cursor.service].name == cursor.name,
                let ring = relay.ring(cursor.service)
            else { continue }
            // The first look costs most: some of them in each turn.
            if !control.takeStep() { return }
            begin(&job.cursors[place], ring, job)
        }
        client.tellDropped()
        while let place = oldest(job) {
            if client.output.count >= ControlClient.readyForMore || !control.takeStep() { return }
            tellLine(client, job, place)
        }
        if !job.follows {
            var missing = [String]()
            for cursor in job.cursors where !job.isAll && cursor.ring == nil {
                if services.indices.contains(cursor.service), services[cursor.service].log.to == .inherit {
                    missing.append(cursor.name)
                }
            }
            stopCounting(job)
            client.finish { if !missing.isEmpty { $0.texts("not-kept", missing) } }
        }
    }

    private func begin(_ cursor: inout LogJob.Cursor, _ ring: OutputRing, _ job: LogJob) {
        cursor.ring = ring
        var place = ring.start
        if let lines = job.lines { place = max(place, ring.place(ofLast: lines)) }
        if let since = job.since { place = max(place, ring.place(since: since)) }
        cursor.place = place
        if job.follows {
            ring.isCounting = true
            cursor.line = ring.lines &- ring.countLines(from: place)
        } else {
            cursor.stop = ring.end
        }
    }

    /// The cursor with the oldest line.
    private func oldest(_ job: LogJob) -> Int? {
        var found: Int?
        var best = Int64.max
        for place in job.cursors.indices {
            guard let ring = job.cursors[place].ring, let at = job.cursors[place].place else { continue }
            if at >= ring.end || at >= job.cursors[place].stop { continue }
            let time = ring.time(at: at)
            if time < best || found == nil {
                best = time
                found = place
            }
        }
        return found
    }

    private func tellLine(_ client: ControlClient, _ job: LogJob, _ index: Int) {
        guard let ring = job.cursors[index].ring, var place = job.cursors[index].place else { return }
        if place < ring.start {
            // It was not read in time.
            place = ring.start
            if job.follows {
                let line = ring.lines &- ring.countLines(from: place)
                client.dropped &+= max(0, line &- job.cursors[index].line)
                job.cursors[index].line = line
                client.tellDropped()
            }
        }
        guard let line = ring.line(at: place) else {
            job.cursors[index].place = ring.end
            return
        }
        job.cursors[index].place = line.next
        job.cursors[index].line &+= 1
        if let since = job.since, line.time < since { return }
        client.line {
            $0.field("name", job.cursors[index].name)
            $0.number("time", Int(line.time))
            $0.field("stream", line.isError ? "stderr" : "stdout")
            $0.field("line", String(decoding: line.text, as: UTF8.self))
        }
    }

    /// Where nobody follows any more, lines need not be counted.
    private func stopCounting(_ job: LogJob) {
        if !job.follows { return }
        for client in control.clients {
            if let client, case .logs(let other) = client.job, other !== job, other.follows { return }
        }
        for cursor in job.cursors { cursor.ring?.isCounting = false }
    }
}
