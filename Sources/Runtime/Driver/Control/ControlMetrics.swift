import CSystem
import ConfigParser
import System

/// Numbers for monitoring: of each service, and of the init itself. What the kernel is asked of each process is asked
/// for a few of them in each turn; then the text is written family by family, as fast as its reader takes it.

/// An answer that is made of numbers.
final class MetricsJob {
    /// What is known of one service.
    struct Facts {
        var name: String
        var isUp: Bool
        var isReady: Bool
        var isWell: Bool
        var restarts: Int
        var lastExit: Int32?
        /// Milliseconds since 1970.
        var start: Int64?
        var use: ResourceUse
    }

    var facts: [Facts] = []
    var next = 0
    var family = -1
    var text: OpenMetrics
    /// The body of an HTTP answer; else a text in JSON.
    let isHTTP: Bool

    init(plain: Bool, isHTTP: Bool) {
        text = OpenMetrics(plain: plain)
        self.isHTTP = isHTTP
    }

    /// The families with a value for each service.
    static let families: [(name: String, isCounter: Bool, unit: String, help: String)] = [
        ("hermes_init_service_up", false, "", "Whether the service is up, or done."),
        ("hermes_init_service_ready", false, "", "Whether the service is ready."),
        ("hermes_init_service_well", false, "", "Whether the service is as it should be."),
        ("hermes_init_service_restarts", true, "", "How often the service was started again."),
        ("hermes_init_service_last_exit_code", false, "", "The exit code of its last process, or 128 and the signal."),
        ("hermes_init_service_start_time_seconds", false, "seconds", "When its process was started, since 1970."),
        ("hermes_init_service_memory_bytes", false, "bytes", "The memory of the service."),
        ("hermes_init_service_cpu_seconds", true, "seconds", "The processor time of the service."),
    ]
}

extension MetricsJob.Facts {
    /// The value of a family; nil where there is none.
    func value(_ family: Int) -> String? {
        switch family {
        case 0: return isUp ? "1" : "0"
        case 1: return isReady ? "1" : "0"
        case 2: return isWell ? "1" : "0"
        case 3: return String(restarts)
        case 4: return lastExit.map { String($0) }
        case 5: return start.map { decimalText(thousandths: $0) }
        case 6: return use.memory.map { String($0) }
        default: return use.processor.map { decimalText(thousandths: $0) }
        }
    }
}

extension Driver {
    /// Goes on with the answer.
    func advanceMetrics(_ client: ControlClient, _ job: MetricsJob) {
        while job.next < services.count {
            if !control.takeStep() { return }
            let index = job.next
            job.next &+= 1
            if let facts = facts(index) { job.facts.append(facts) }
        }
        if job.family < 0 {
            if !job.isHTTP { client.output.append(Bytes("{\"metrics\":\"")) }
            writeOwn(&job.text)
            pass(client, job)
            job.family = 0
        }
        while job.family < MetricsJob.families.count {
            if client.output.count >= ControlClient.readyForMore || !control.takeStep() { return }
            let family = MetricsJob.families[job.family]
            job.text.begin(family.name, isCounter: family.isCounter, unit: family.unit, help: family.help)
            for facts in job.facts {
                if let value = facts.value(job.family) { job.text.sample(service: facts.name, value) }
            }
            pass(client, job)
            job.family &+= 1
        }
        job.text.end()
        pass(client, job)
        if job.isHTTP {
            client.job = nil
            client.isClosing = true
        } else {
            client.output.append(Bytes("\"}\n"))
            client.finish()
        }
    }

    private func pass(_ client: ControlClient, _ job: MetricsJob) {
        let bytes = job.text.take()
        if job.isHTTP {
            client.output.append(bytes)
            return
        }
        var json = JSONWriter(pretty: false)
        json.string(String(decoding: bytes, as: UTF8.self))
        client.output.append(Bytes(json.bytes.dropFirst().dropLast()))
    }

    private func facts(_ index: Int) -> MetricsJob.Facts? {
        let id = ServiceID(index: index)
        guard services.indices.contains(index), !services[index].name.isEmpty, let report = report(of: id) else {
            return nil
        }
        let process = element(processes, id) ?? 0
        var start: Int64?
        if let moment = core.processStart(id) { start = unixTime(moment) }
        return MetricsJob.Facts(
            name: services[index].name, isUp: report.state.isReached, isReady: report.isReady,
            isWell: report.isAsWanted, restarts: report.restarts, lastExit: report.lastExit?.containerCode,
            start: start,
            use: process > 0 ? use(of: index, process) : ResourceUse())
    }

    /// Milliseconds since 1970.
    func unixTime(_ moment: Instant) -> Int64 {
        hi_realtime_milliseconds() &- (monotonicNow.nanoseconds &- moment.nanoseconds) / 1_000_000
    }

    /// The init itself, and its container.
    private func writeOwn(_ text: inout OpenMetrics) {
        func gauge(_ name: String, _ unit: String, _ help: String, _ value: String) {
            text.begin(name, isCounter: false, unit: unit, help: help)
            text.sample(value)
        }
        text.begin("hermes_init_build_info", isCounter: false, help: "The version of hermes-init.")
        text.sample(service: options.version, label: "version", "1")
        let timings = control.timings
        gauge(
            "hermes_init_boot_seconds", "seconds", "How long the boot took, or takes until now.",
            decimalText(thousandths: timings.done ?? timings.milliseconds(monotonicNow)))
        gauge("hermes_init_boot_done", "", "Whether the boot is done.", timings.done == nil ? "0" : "1")
        gauge("hermes_init_stopping", "", "Whether the container stops.", core.isStopping ? "1" : "0")
        gauge("hermes_init_control_clients", "", "Connections to the control server.", String(control.count))
        let start = unixTime(
            Instant(nanoseconds: monotonicNow.nanoseconds &- timings.milliseconds(monotonicNow) &* 1_000_000))
        gauge(
            "process_start_time_seconds", "seconds", "When hermes-init was started, since 1970.",
            decimalText(thousandths: start))
        let fields = ProcessRelations.fields(of: own)
        if fields.count > 21, let user = wholeNumber(fields[11]), let system = wholeNumber(fields[12]),
            let pages = wholeNumber(fields[21])
        {
            text.begin(
                "process_cpu_seconds", isCounter: true, unit: "seconds", help: "The processor time of hermes-init.")
            text.sample(decimalText(thousandths: (user &+ system) &* 10))
            gauge(
                "process_resident_memory_bytes", "bytes", "The memory of hermes-init.",
                String(pages &* hi_page_size()))
        }
        do throws(Errno) {
            let files = try listFolder(Bytes("/proc/self/fd"))
            gauge("process_open_fds", "", "The descriptors that hermes-init has open.", String(files.count))
        } catch {
            // Without /proc the number is not known.
        }
    }
}
