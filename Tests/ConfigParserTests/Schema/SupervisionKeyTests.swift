/// `[ready]`, `[health]`, `[reload]`, `[log]` and `start-timeout`: how a service is watched.

import Testing

@testable import ConfigParser

/// A way of asking in one word, for comparison.
private func told(_ probe: Probe) -> String {
    switch probe {
    case .tcp(let address): "tcp \(expanded(address) ?? "")"
    case .unix(let path): "unix \(expanded(path) ?? "")"
    case .http(let url): "http \(expanded(url) ?? "")"
    case .path(let path): "path \(expanded(path) ?? "")"
    case .command(let words): "command \(words.map { expanded($0) ?? "" })"
    }
}

private func told(_ readiness: Readiness?) -> String {
    switch readiness {
    case .descriptor(let number)?: "descriptor \(number)"
    case .systemd?: "systemd"
    case .log(let text)?: "log \(text)"
    case .probe(let probe)?: told(probe)
    case nil: "nothing"
    }
}

private func told(_ reload: ReloadPolicy?) -> String {
    switch reload {
    case .signal(let signal)?: signal.name
    case .command(let words)?: "command \(words.map { expanded($0) ?? "" })"
    case nil: "nothing"
    }
}

@Suite("How a service is watched")
struct SupervisionKeyTests {
    static let run = "command = [\"a\"]\n"

    @Test(
        "Each way to be ready is read",
        arguments: [
            ("notify = 3", "descriptor 3"), ("notify = 1023", "descriptor 1023"), ("notify = \"systemd\"", "systemd"),
            ("tcp = \"127.0.0.1:80\"", "tcp 127.0.0.1:80"), ("tcp = \"[::1]:${P:-1}\"", "tcp [::1]:1"),
            ("unix = \"/run/a.sock\"", "unix /run/a.sock"), ("path = \"/run/${A:-b}\"", "path /run/b"),
            ("http = \"http://localhost/ok\"", "http http://localhost/ok"), ("log = \"ready!\"", "log ready!"),
            ("command = [\"b\", \"${C:-d}\"]", "command [\"b\", \"d\"]"),
        ])
    func ready(line: String, expected: String) throws {
        let ready = try service(SupervisionKeyTests.run + "[ready]\n" + line).ready
        #expect(told(ready?.readiness) == expected)
        #expect(ready?.interval == .milliseconds(250) && ready?.timeout == .seconds(60))
    }

    @Test("The times of [ready] are read")
    func readyTimes() throws {
        let service = try service(
            SupervisionKeyTests.run
                + "start-timeout = \"2m\"\n[ready]\npath = \"/a\"\ninterval = \"1s\"\ntimeout = 0.5")
        #expect(service.ready?.interval == .seconds(1) && service.ready?.timeout == .milliseconds(500))
        #expect(service.startTimeout == .seconds(120))
    }

    @Test("The whole of [health] is read, and its defaults")
    func health() throws {
        let health = try #require(
            try service(
                SupervisionKeyTests.run
                    + """
                    [health]
                    http = "http://127.0.0.1:8080/health"
                    start-period = "30s"
                    interval = 5
                    timeout = "1s"
                    failures = 2
                    action = "stop-container"
                    """
            ).health)
        #expect(health.startPeriod == .seconds(30) && health.interval == .seconds(5) && health.timeout == .seconds(1))
        #expect(health.failures == 2 && health.action == .stopContainer)
        guard case .probe(let probe) = health.check else {
            Issue.record("no probe")
            return
        }
        #expect(told(probe) == "http http://127.0.0.1:8080/health")
        let usual = try #require(try service(SupervisionKeyTests.run + "[health]\ncommand = [\"b\"]").health)
        #expect(usual.startPeriod == .seconds(0) && usual.interval == .seconds(10) && usual.timeout == .seconds(3))
        #expect(usual.failures == 3 && usual.action == .restart)
        let none = try service(SupervisionKeyTests.run + "[health]\nunix = \"/a\"\naction = \"none\"").health?.action
        #expect(none == HealthAction.none)
    }

    @Test("A watchdog goes with systemd's protocol, and one miss is enough")
    func watchdog() throws {
        let health = try #require(
            try service(
                SupervisionKeyTests.run
                    + "[ready]\nnotify = \"systemd\"\n[health]\nwatchdog = \"20s\"\nstart-period = 5\naction = \"none\""
            ).health)
        guard case .watchdog(let interval) = health.check else {
            Issue.record("no watchdog")
            return
        }
        #expect(interval == .seconds(20) && health.failures == 1 && health.startPeriod == .seconds(5))
    }

    @Test(
        "[reload] is read",
        arguments: [("signal = \"HUP\"", "SIGHUP"), ("command = [\"b\", \"-s\"]", "command [\"b\", \"-s\"]")])
    func reload(line: String, expected: String) throws {
        #expect(told(try service(SupervisionKeyTests.run + "[reload]\n" + line).reload) == expected)
    }

    @Test("The main program can be watched and reloaded like a longrun")
    func main() throws {
        let service = try service(
            "type = \"main\"\ncommand = [\"a\"]\n[ready]\ntcp = \"localhost:80\"\n[health]\ntcp = \"localhost:80\"\n"
                + "[reload]\nsignal = \"SIGUSR1\"", name: "main")
        #expect(told(service.ready?.readiness) == "tcp localhost:80" && told(service.reload) == "SIGUSR1")
        #expect(service.log.to == .inherit)
    }

    @Test("The whole of [log] is read, over the defaults of init.toml")
    func log() throws {
        let own = "[log]\nto = \"json\"\nfile = \"/var/log/a\"\nmax-size = \"64K\"\nkeep = 0\ntimestamps = false"
        let log = try service(SupervisionKeyTests.run + own).log
        #expect(log.to == .json && literal(log.file) == "/var/log/a" && log.maxSize == 65536 && log.keep == 0)
        #expect(!log.timestamps)
        let usual = try service(SupervisionKeyTests.run).log
        #expect(usual.to == .prefix && usual.file == nil && usual.maxSize == 1 << 20 && usual.keep == 10)
        #expect(usual.timestamps)

        let settings = "[log]\nto = \"null\"\nfile = \"/log/${HERMES_INIT_SERVICE}\"\nkeep = 3\nmax-size = 8192"
        let mixed = try service(SupervisionKeyTests.run + "[log]\nkeep = 4\nto = \"prefix\"", settings: settings).log
        #expect(mixed.to == .prefix && mixed.keep == 4 && mixed.maxSize == 8192 && mixed.file != nil)
        #expect(try service(SupervisionKeyTests.run, settings: settings).log.to == .null)
        // What inherits has no output that could be written to a file; the main program inherits by default.
        let inherited = try service(SupervisionKeyTests.run + "[log]\nto = \"inherit\"", settings: settings).log
        #expect(inherited.to == .inherit && inherited.file == nil)
        let main = try service("type = \"main\"", name: "main", settings: settings).log
        #expect(main.to == .inherit && main.file == nil)
        let piped = try service("type = \"main\"\n[log]\nto = \"json\"", name: "main", settings: settings).log
        #expect(piped.to == .json && piped.file != nil)
    }

    @Test(
        "A size is a number of bytes or a number with a unit",
        arguments: [
            ("4096", 4096), ("\"4096\"", 4096), ("\"4K\"", 4096), ("\"64K\"", 65536), ("\"1MiB\"", 1 << 20),
            ("\"3G\"", 3 << 30), ("\"2GiB\"", 2 << 30), ("\"8388607T\"", 8_388_607 << 40),
            ("9223372036854775807", .max), ("\"9223372036854775807\"", .max),
        ] as [(String, Int64)])
    func size(text: String, bytes: Int64) throws {
        let own = "[log]\nfile = \"/a\"\nmax-size = \(text)"
        #expect(try service(SupervisionKeyTests.run + own).log.maxSize == bytes)
    }

    @Test(
        "What is no size is refused with what is wrong",
        arguments: [
            ("\"\"", "is empty"), ("\"K\"", "\"K\" is no number"), ("\"64k\"", "\"k\" is no unit"),
            ("\"64KB\"", "\"KB\" is no unit"), ("\"1.5M\"", "\".5M\" is no unit"), ("\"1 M\"", "\" M\" is no unit"),
            ("\"-1\"", "negative"), ("\"8388608T\"", "too large"), ("\"99999999999999999999\"", "too large"),
            ("\"9223372036854775807K\"", "too large"), ("4095", "4096 bytes or more"), ("-1", "4096 bytes or more"),
            ("\"1\"", "4096 bytes or more"), ("\"64MK\"", "is no unit"), ("\"0\"", "4096 bytes or more"),
        ])
    func badSize(text: String, why: String) throws {
        let result = ConfigurationReader.read([
            file("web.toml", SupervisionKeyTests.run + "[log]\nfile = \"/a\"\nmax-size = \(text)")
        ])
        #expect(ConfigParserTests.told(result) == ["bad-value: \(text)"])
        let title = try #require(result.diagnostics.first).title
        #expect(title.contains(why) && title.contains("`max-size`"), "\(title)")
    }

    @Test(
        "A mistake in what is asked is told with its place and its remedy",
        arguments: [
            Bad.line("[ready]\nnotify = 1", "contradiction", "1", "from 3"),
            Bad.line("[ready]\nnotify = -1", "bad-value", "-1", "from 3"),
            Bad.line("[ready]\nnotify = 1024", "bad-value", "1024", "1023"),
            Bad.line("[ready]\nnotify = \"3\"", "bad-value", "\"3\"", "without quotes"),
            Bad.line("[ready]\nnotify = \"sytemd\"", "bad-value", "\"sytemd\"", "\"systemd\""),
            Bad.line("[ready]\nnotify = true", "wrong-type", "true", "\"systemd\""),
            Bad.line("[ready]\ntcp = 80", "wrong-type", "80", "quotes"),
            Bad.line("[ready]\ntpc = \"a:80\"", "unknown-key", "tpc", "`tcp`"),
            Bad.line("[ready]\nlog = \"\"", "bad-value", "\"\"", "the line"),
            Bad.line("[ready]\nlog = \"a\\nb\"", "bad-value", "\"a\\nb\"", "the line"),
            Bad.line("[ready]\nunix = \"run/a\"", "bad-value", "\"run/a\"", "/"),
            Bad.line(
                "[ready]\nunix = \"/\(String(repeating: "a", count: 107))\"", "bad-value",
                "\"/\(String(repeating: "a", count: 107))\"", "shorter"),
            Bad.line("[ready]\npath = \"\"", "bad-value", "\"\""),
            Bad.line("[ready]\ncommand = []", "bad-value", "[]"),
            Bad.line("[ready]\npath = \"/a\"\ninterval = 0", "bad-value", "0"),
            Bad.line("[ready]\npath = \"/a\"\ntimeout = \"1\"", "bad-value", "\"1\"", "ms"),
            Bad.line("[health]\npath = \"/a\"\nunix = \"/a\"", "unknown-key", "path", "[ready]"),
            Bad.line("[health]\nunix = \"/a\"\nfailures = 0", "bad-value", "0", "from 1 to 1000"),
            Bad.line("[health]\nunix = \"/a\"\naction = \"reboot\"", "bad-value", "\"reboot\"", "\"stop-container\""),
            Bad.line("[reload]\nsignal = \"KILL\"", "bad-value", "\"KILL\"", "SIGHUP"),
            Bad.line("[reload]\nsignal = \"SIGSTOP\"", "bad-value", "\"SIGSTOP\""),
            Bad.line("[reload]\nsignal = \"SIGHPU\"", "bad-value", "\"SIGHPU\"", "\"SIGHUP\""),
            Bad.line("[log]\nto = \"jsno\"", "bad-value", "\"jsno\"", "\"json\""),
            Bad.line("[log]\nfile = \"a.log\"", "bad-value", "\"a.log\"", "/"),
            Bad.line("[log]\nfile = \"/a\"\nkeep = 1001", "bad-value", "1001", "from 0 to 1000"),
            Bad.line("start-timeout = 0", "bad-value", "0"),
            Bad.line("[ready]", "missing-key", "[ready]", "[ready]"),
            Bad.line("[health]\ninterval = 1", "missing-key", "[health]", "[health]"),
            Bad.line("[reload]", "missing-key", "[reload]"),
        ])
    func mistake(bad: Bad) { bad.check(as: "web.toml") }

    @Test(
        "What cannot stand together is told",
        arguments: [
            Bad.line("[ready]\ntcp = \"a:1\"\nnotify = 3", "contradiction", "tcp", "keep one"),
            Bad.line("[health]\nunix = \"/a\"\ncommand = [\"a\"]", "contradiction", "command", "keep one"),
            Bad.line("[reload]\ncommand = [\"a\"]\nsignal = \"HUP\"", "contradiction", "command", "keep one"),
            Bad.line("[ready]\nnotify = 3\ninterval = 1", "contradiction", "interval", "`interval`"),
            Bad.line("[ready]\nlog = \"a\"\ninterval = 1", "contradiction", "interval", "`interval`"),
            Bad.line("[health]\nwatchdog = 1", "contradiction", "watchdog", "\"systemd\""),
            Bad.line("[ready]\nnotify = 3\n[health]\nwatchdog = 1", "contradiction", "watchdog", "\"systemd\""),
            Bad.line(
                "[ready]\nnotify = \"systemd\"\n[health]\nwatchdog = 1\nfailures = 2", "contradiction", "failures"),
            Bad.line(
                "[ready]\nnotify = \"systemd\"\n[health]\nwatchdog = 1\ntimeout = 2", "contradiction", "timeout"),
            Bad.line("[log]\nto = \"inherit\"\nfile = \"/a\"", "contradiction", "file", "\"prefix\""),
            Bad.line("[log]\nmax-size = \"1M\"", "contradiction", "max-size", "file = "),
            Bad.line("[log]\nkeep = 1", "contradiction", "keep", "file = "),
            Bad.line("[log]\ntimestamps = true", "contradiction", "timestamps", "file = "),
            Bad.line("[log]\nmake-folder = true", "contradiction", "make-folder", "file = "),
            Bad.line("[ready]\nlog = \"a\"\n[log]\nto = \"inherit\"", "contradiction", "log", "\"prefix\""),
            Bad.line("type = \"oneshot\"\n[ready]\nnotify = 3", "contradiction", "ready", "start-timeout"),
            Bad.line("type = \"oneshot\"\n[health]\nunix = \"/a\"", "contradiction", "health"),
            Bad.line("type = \"oneshot\"\n[reload]\nsignal = \"HUP\"", "contradiction", "reload"),
            Bad.line("type = \"main\"\n[ready]\nlog = \"a\"", "contradiction", "log", "\"prefix\""),
            Bad.line("type = \"main\"\n[log]\nfile = \"/a\"", "contradiction", "file", "\"prefix\""),
            Bad("plugin = \"a\"\n[ready]\nnotify = 3", "contradiction", "ready"),
            Bad("type = \"group\"\n[ready]\nnotify = 3", "contradiction", "ready", "group"),
            Bad("type = \"group\"\nstart-timeout = 3", "contradiction", "start-timeout", "group"),
            Bad("type = \"group\"\n[log]\nto = \"json\"", "contradiction", "log", "group"),
            Bad("script = \"#!/bin/bash\\na\"\n[ready]\nnotify = 3", "contradiction", "3", "notify = 4"),
        ])
    func contradiction(bad: Bad) {
        bad.check(as: "web.toml")
        let diagnostic = ConfigurationReader.read([file("web.toml", bad.text)]).diagnostics.first
        let isAlone = ["make-folder", "max-size", "keep", "timestamps"].contains(bad.mark)
        let isMain = bad.text.contains("\"main\"")
        let isLoneWatchdog = bad.mark == "watchdog" && !bad.text.contains("ready")
        #expect((diagnostic?.context.isEmpty == false) == !(isAlone || isMain || isLoneWatchdog))
    }

    @Test("A script that sh reads from its arguments leaves descriptor 3 free")
    func scriptAndNotify() throws {
        #expect(told(try service("script = \"a\"\n[ready]\nnotify = 3").ready?.readiness) == "descriptor 3")
    }

    @Test("A drop-in completes a table")
    func dropIns() {
        let result = ConfigurationReader.read([
            file("web.toml", "command = [\"a\"]\n[ready]\ntimeout = 5"),
            dropIn("web.toml", "10.toml", "[ready]\ntcp = \"localhost:80\""),
        ])
        #expect(ConfigParserTests.told(result) == [])
        #expect(result.configuration.services.first?.ready?.timeout == .seconds(5))
    }
}

@Suite("Addresses")
struct AddressTests {
    private func parse(_ text: String, isHTTP: Bool) -> AddressText? {
        guard case .address(let address) = AddressText.parse([UInt8](text.utf8), isHTTP: isHTTP) else { return nil }
        return address
    }

    @Test(
        "HOST:PORT is taken apart",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1", 80), ("localhost:65535", "localhost", 65535), ("[::1]:1", "::1", 1),
            ("[::ffff:10.0.0.1]:8080", "::ffff:10.0.0.1", 8080), ("db-1.internal_net:5432", "db-1.internal_net", 5432),
            ("a:0080", "a", 80), ("a:\u{0}", "a", 0), ("\u{0}:80", "\u{0}", 80), ("\u{0}", "\u{0}", 0),
            ("[\u{0}]:80", "\u{0}", 80), ("[::1]\u{0}", "::1", 0), ("a\u{0}", "a\u{0}", 0),
        ])
    func tcp(text: String, host: String, port: UInt16) {
        let address = parse(text, isHTTP: false)
        #expect(address?.host == [UInt8](host.utf8) && address?.port == port)
        #expect(address?.isIPv6 == text.hasPrefix("["))
    }

    @Test(
        "A URL is taken apart",
        arguments: [
            ("http://a", "a", 80), ("http://a:81/", "a", 81), ("http://[::1]:8/b?c=d:e", "::1", 8),
            ("http://a?b", "a", 80), ("http://[::1]/x", "::1", 80), ("http://a\u{0}/b", "a\u{0}", 0),
            ("\u{0}/b", "", 0), ("http://a:\u{0}", "a", 0), ("http://a/\u{0}", "a", 80),
        ])
    func http(text: String, host: String, port: UInt16) {
        let address = parse(text, isHTTP: true)
        #expect(address?.host == [UInt8](host.utf8) && address?.port == port)
    }

    @Test(
        "What is no address is refused with what is wrong",
        arguments: [
            ("tcp", "localhost", "port is missing"), ("tcp", "localhost:", "\"\" is no port"),
            ("tcp", ":80", "host is"),
            ("tcp", "a:0", "\"0\" is no port"), ("tcp", "a:65536", "\"65536\" is no port"), ("tcp", "a:b", "no port"),
            ("tcp", "a:99999999999999999999", "is no port"), ("tcp", "::1:80", "brackets"), ("tcp", "[::1]", "port is"),
            ("tcp", "[::1", "] is missing"), ("tcp", "[::1]80", "behind the ]"), ("tcp", "[a.b]:80", "no IPv6"),
            ("tcp", "[1]:80", "no IPv6"), ("tcp", "[::1%eth0]:80", "no IPv6"), ("tcp", "[]:80", "host is missing"),
            ("tcp", "http://a:80", "not HOST:PORT"), ("tcp", "a b:80", "a space"), ("tcp", "größe:80", "no name"),
            ("tcp", "a*:80", "no name"),
            ("tcp", "${A:-a}:${B:-c}", "\"c\" is no port"), ("tcp", "a:${B:-0}", "\"0\" is no port"),
            ("http", "https://a", "not https"), ("http", "a:80/b", "http://"), ("http", "http:///b", "host is missing"),
            ("http", "http://a:0/", "no port"), ("http", "http://u@a/", "no name"), ("http", "http://a/b c", "a space"),
            ("http", "http://::1/", "brackets"), ("http", "ftp://${A}", "http://"),
        ])
    func mistake(kind: String, text: String, why: String) throws {
        for table in ["ready", "health"] {
            let result = ConfigurationReader.read([
                file("web.toml", "command = [\"a\"]\n[\(table)]\n\(kind) = \"\(text)\"")
            ])
            #expect(told(result) == ["bad-value: \"\(text)\""])
            let title = try #require(result.diagnostics.first).title
            #expect(title.contains(why) && title.contains("`\(kind)`"), "\(title)")
        }
    }

    @Test(
        "What is not known yet is not refused",
        arguments: [
            ("tcp", "${A}"), ("tcp", "${A:-}"), ("tcp", "${A:?no A}:80"), ("tcp", "127.0.0.1:${PORT}"),
            ("tcp", "[${A}]:${B}"), ("tcp", "${A:-[::1]}:${B:-${C:-80}}"), ("http", "${A}/b"),
            ("http", "http://${A}${B}"), ("http", "${A:-http://a:80}/b"), ("tcp", "a:8${B}"),
        ])
    func unknown(kind: String, text: String) throws {
        _ = try service("command = [\"a\"]\n[ready]\n\(kind) = \"\(text)\"")
    }
}
