import CSystem
import ConfigParser
import System

/// What is told of services one after another: status, list, blame. A few in each turn, so that a thousand services
/// that are told to sixty clients keep nobody waiting.

/// An answer with a line for each service.
final class ListingJob {
    /// Of what.
    enum Kind { case status, list, blame, graph }
    let kind: Kind
    let list: [ServiceID]
    var next = 0
    init(_ kind: Kind, _ list: [ServiceID]) {
        self.kind = kind
        self.list = list
    }
}

/// What the kernel says of a service's process, or of its group where it has one.
struct ResourceUse {
    /// Bytes; nil: not known.
    var memory: Int64?
    /// Milliseconds of processor time.
    var processor: Int64?
}

extension Driver {
    /// Goes on with the answer.
    func advanceListing(_ client: ControlClient, _ job: ListingJob) {
        if job.kind == .blame {
            tellBlame(client, job)
            return
        }
        while job.next < job.list.count {
            if client.output.count >= ControlClient.readyForMore || !control.takeStep() { return }
            let id = job.list[job.next]
            job.next &+= 1
            guard services.indices.contains(id.index), report(of: id) != nil else { continue }
            switch job.kind {
            case .status: tellStatus(client, id)
            case .graph: tellWaits(client, id)
            default: tellName(client, services[id.index])
            }
        }
        if job.kind == .list {
            for name in templateNames {
                client.line {
                    $0.field("name", name)
                    $0.field("type", "longrun")
                    $0.flag("template", true)
                    $0.text("instance-of", nil)
                }
            }
            client.finish()
            return
        }
        if job.kind == .graph { return client.finish() }
        let now = monotonicNow
        let timings = control.timings
        client.finish {
            $0.number("services", job.list.count)
            $0.flag("stopping", core.isStopping)
            $0.seconds("uptime", timings.milliseconds(now) &* 1_000_000)
            $0.key("boot")
            $0.beginObject()
            $0.flag("done", timings.done != nil)
            $0.seconds("seconds", (timings.done ?? timings.milliseconds(now)) &* 1_000_000)
            $0.endObject()
        }
    }

    private func tellName(_ client: ControlClient, _ service: Service) {
        client.line {
            $0.field("name", service.name)
            $0.field("type", service.type.word)
            $0.flag("template", false)
            $0.text("instance-of", instanceName(service.name)?.template)
        }
    }

    /// What it is doing, and what it waits for.
    private func tellWaits(_ client: ControlClient, _ id: ServiceID) {
        guard let report = report(of: id) else { return }
        client.line {
            $0.field("name", services[id.index].name)
            $0.field("type", services[id.index].type.word)
            $0.field("state", report.state.word)
            $0.field("words", statusWords(id.index, report))
            writeWaits(id, &$0)
        }
    }

    private func tellStatus(_ client: ControlClient, _ id: ServiceID) {
        guard let report = report(of: id) else { return }
        let service = services[id.index]
        let now = monotonicNow.nanoseconds
        let age = max(0, now &- report.since.nanoseconds)
        let process = element(processes, id) ?? 0
        let memory = process > 0 ? use(of: id.index, process).memory : nil
        let words = statusWords(id.index, report)
        var problem = report.problem
        if case .failed(let failure) = report.state { problem = failure.text(Names(services: services)) }
        client.line {
            $0.field("name", service.name)
            $0.field("type", service.type.word)
            $0.field("state", report.state.word)
            $0.number("since", Int(hi_realtime_milliseconds() &- age / 1_000_000))
            $0.seconds("for", age)
            $0.number("pid", process > 0 ? Int(process) : nil)
            $0.flag("ready", report.isReady)
            $0.flag("well", report.isAsWanted)
            $0.flag("optional", service.optional)
            $0.number("restarts", report.restarts)
            $0.number("memory", memory.map { Int($0) })
            $0.text("problem", problem)
            $0.key("last-exit")
            Driver.write(report.lastExit, because: report.lastTrouble, &$0)
            $0.field("words", words)
            $0.field("description", service.description)
            $0.flag("autostart", service.autostart)
            var reason: String?
            if case .skipped = report.state { reason = skipReason(id.index) }
            $0.text("skipped-because", reason)
            var next: Int64?
            if case .backingOff(let until) = report.state { next = max(0, until.nanoseconds &- now) }
            $0.seconds("next-start", next)
        }
    }

    private static func write(_ status: ExitStatus?, because trouble: String?, _ json: inout JSONWriter) {
        guard let status else { return json.literal("null") }
        json.beginObject()
        switch status {
        case .exited(let code): json.number("code", Int(code))
        case .signaled(let signal, let coreDumped):
            json.field("signal", signal.name)
            json.flag("core", coreDumped)
        }
        if let trouble { json.field("because", trouble) }
        json.endObject()
    }

    func skipReason(_ index: Int) -> String {
        control.skipReasons.indices.contains(index) ? control.skipReasons[index] : ""
    }

    // MARK: - Blame

    private func tellBlame(_ client: ControlClient, _ job: ListingJob) {
        let entries = control.timings.entries
        while job.next < entries.count {
            if client.output.count >= ControlClient.readyForMore || !control.takeStep() { return }
            let entry = entries[job.next]
            job.next &+= 1
            guard !entry.name.isEmpty, entry.asked != nil else { continue }
            var other: String?
            if let place = entry.waitedFor, entries.indices.contains(place) { other = entries[place].name }
            client.line {
                $0.field("name", entry.name)
                $0.number("asked", entry.asked.map { Int($0) })
                $0.number("started", entry.started.map { Int($0) })
                $0.number("up", entry.up.map { Int($0) })
                $0.text("waited-for", other)
            }
        }
        let timings = control.timings
        client.finish {
            $0.number("total", Int(timings.total))
            $0.texts("critical", timings.critical)
        }
    }

    // MARK: - Memory and time

    /// What a service uses: its cgroup where it has one, else its process alone.
    func use(of index: Int, _ process: Int32) -> ResourceUse {
        let fields = ProcessRelations.fields(of: process)
        var use = ResourceUse()
        if fields.count > 21, let user = wholeNumber(fields[11]), let system = wholeNumber(fields[12]),
            let pages = wholeNumber(fields[21])
        {
            // Ticks of a hundredth of a second, on every machine that Linux runs on.
            use.processor = (user &+ system) &* 10
            use.memory = pages &* hi_page_size()
        }
        let group = cgroups.use(index)
        if let memory = group.memory { use.memory = memory }
        if let processor = group.processor { use.processor = processor }
        return use
    }
}

/// Decimal digits, as the kernel writes its numbers.
func wholeNumber(_ digits: some Collection<UInt8>) -> Int64? {
    guard !digits.isEmpty && digits.count <= 18 else { return nil }
    var value: Int64 = 0
    for digit in digits {
        guard digit >= 0x30 && digit <= 0x39 else { return nil }
        value = value &* 10 &+ Int64(digit &- 0x30)
    }
    return value
}

extension ServiceType {
    var word: String {
        switch self {
        case .longrun: return "longrun"
        case .oneshot: return "oneshot"
        case .main: return "main"
        case .group: return "group"
        }
    }
}
