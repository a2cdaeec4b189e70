import CSystem
import ConfigParser
import System

/// `wait-for`: waits until something outside of the container answers: a port, a socket, a page; or until there is something
/// at a path. It is for what no service of this container starts; those are waited for by `requires` and [ready]. Being a
/// stage it may wait; names are looked up anew for each try, since whoever is waited for may not have an address yet.
enum WaitFor {
    static let plugin = Plugin(
        name: "wait-for",
        summary: "Waits until a port, a socket or a page answers, or something is at a path",
        keys: [
            Key("tcp", .templates, "HOST:PORT, or several: a connection to each is accepted"),
            Key("unix", .pathOrPaths, "Unix stream sockets: a connection to each is accepted"),
            Key("path", .pathOrPaths, "Paths: there is something at each"),
            Key("http", .templates, "http://HOST:PORT/PATH, or several: GET of each is answered with 2xx or 3xx"),
            Key(
                "timeout", .duration(moreThanZero: true), default: "60s",
                "How long it may take; then the stage has failed"),
        ],
        alternatives: ["tcp", "unix", "path", "http"],
        run: run)

    /// Milliseconds between two tries; the longest that one try may take.
    private static let pause: Int32 = 200
    private static let longestTry: Int64 = 5000

    private static func run(_ options: StageOptions, _ context: StageContext) -> Int32 {
        let timeout = options.duration("timeout")?.nanoseconds ?? 60_000_000_000
        let (end, carry) = hi_monotonic_nanoseconds().addingReportingOverflow(timeout)
        for key: Literal in ["tcp", "unix", "path", "http"] {
            for target in options.strings(key) {
                guard let probe = Target(key.text, target, context) else { return 1 }
                if context.isDryRun {
                    context.report.say("would wait for %", probe.shown)
                    continue
                }
                var reason = ""
                while true {
                    let left = carry ? longestTry : (end &- hi_monotonic_nanoseconds()) / 1_000_000
                    guard left > 0 else {
                        context.report.say("waited for % in vain: %", probe.shown, reason)
                        return 1
                    }
                    guard let failure = probe.fails(within: Int32(truncatingIfNeeded: min(left, longestTry))) else {
                        break
                    }
                    reason = failure
                    hi_pause(min(pause, Int32(truncatingIfNeeded: min(left, longestTry))))
                }
            }
        }
        return 0
    }
}

/// One of the things that are waited for.
private struct Target {
    private let key: String
    private let text: Bytes
    /// nil for a path or a Unix socket.
    private var address: ProbeAddress?
    private var request = Bytes()

    /// nil, and the reason was said, where it is no address.
    init?(_ key: String, _ text: Bytes, _ context: StageContext) {
        self.key = key
        self.text = text
        do throws(ProbeMistake) {
            if key == "tcp" { address = try ProbeAddress.parse(text) }
            if key == "http" {
                let url = try ProbeURL.parse(text)
                address = url.address
                request = url.request
            }
        } catch {
            context.report.say("cannot read the address % of `%`: %", text.shown, key, error.text)
            return nil
        }
    }

    var shown: String { say("% (%)", text.shown, key) }

    /// One try. Gives why it failed, nil where it did not.
    func fails(within milliseconds: Int32) -> String? {
        if key == "path" { return fileKind(text) == .missing ? "there is nothing" : nil }
        guard let address else {
            var probe = SocketProbe(place: text, addresses: [], port: 0, request: [])
            let step = probe.begin(unix: text)
            return follow(&probe, step, milliseconds)
        }
        // One that does not answer is not to keep the next from being tried.
        var reason: String? = say("% has no address", text.shown)
        for host in addresses(of: address.host, milliseconds) {
            var probe = SocketProbe(place: text, addresses: [host], port: address.port, request: request)
            let step = probe.begin()
            reason = follow(&probe, step, milliseconds)
            if reason == nil { return nil }
        }
        return reason
    }

    /// Waits for each step, to the end of a try.
    private func follow(_ probe: inout SocketProbe, _ first: SocketProbe.Step, _ milliseconds: Int32) -> String? {
        var step = first
        while true {
            var writes = false
            switch step {
            case .done(.passed): return nil
            case .done(.failed(let reason)): return reason
            case .writable: writes = true
            case .readable: break
            }
            guard let socket = probe.socket, hi_poll_one(socket.number, writes, milliseconds) != 0 else {
                return "no answer"
            }
            step = probe.goOn()
        }
    }

    private func addresses(of host: ProbeHost, _ milliseconds: Int32) -> [Bytes] {
        switch host {
        case .address(let bytes): return [bytes]
        case .localhost: return ProbeAddress.loopback
        case .name(let name):
            var hosts = [hi_host](repeating: hi_host(), count: 8)
            let count = name.withCString { name in
                hosts.withUnsafeMutableBufferPointer { hi_resolve(name, $0.baseAddress, Int32($0.count), milliseconds) }
            }
            var found = [Bytes]()
            for host in hosts.prefix(Int(max(0, count))) {
                found.append(withUnsafeBytes(of: host.bytes) { Bytes($0.prefix(Int(host.length))) })
            }
            return found
        }
    }
}
