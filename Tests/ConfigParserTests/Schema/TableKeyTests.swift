/// The tables of a service file, `[when]`, `[restart]` and `[stop]`, and init.toml.

import ConfigParser
import Testing

@Suite("The tables of a service file")
struct TableKeyTests {
    @Test("Every condition is read")
    func conditions() throws {
        let service = try service(
            """
            command = ["a"]
            [when]
            env = ["A", "B"]
            env-set = "D"
            env-unset = "C"
            path-exists = ["/a", "/${B}"]
            path-missing = "/c"
            tty = true
            root = false
            main = [["gateway", "run"], ["dashboard"]]
            main-not = ["gateway", "list"]
            env-equals = { MODE = "fast", LEVEL = 3 }
            """)
        let told = service.when.map { condition in
            switch condition {
            case .environmentTrue(let name): "true \(name)"
            case .environmentSet(let name): "set \(name)"
            case .environmentUnset(let name): "unset \(name)"
            case .environmentEquals(let name, let value): "\(name)=\(value)"
            case .pathExists(let path): "exists \(expanded(path, ["B": "b"]) ?? "")"
            case .pathMissing(let path): "missing \(expanded(path) ?? "")"
            case .tty(let value): "tty \(value)"
            case .root(let value): "root \(value)"
            case .main(let lists): "main \(lists)"
            case .mainNot(let lists): "main-not \(lists)"
            }
        }
        #expect(
            told == [
                "true A", "true B", "set D", "unset C", "MODE=fast", "LEVEL=3", "exists /a", "exists /b", "missing /c",
                "tty true",
                "root false", "main [[\"gateway\", \"run\"], [\"dashboard\"]]", "main-not [[\"gateway\", \"list\"]]",
            ])
    }

    @Test("One list of words is one alternative")
    func oneList() throws {
        let service = try service("command = [\"a\"]\n[when]\nmain = [\"gateway\", \"run\"]")
        guard case .main(let lists)? = service.when.first else {
            Issue.record("no condition")
            return
        }
        #expect(lists == [["gateway", "run"]])
    }

    @Test("The whole of [restart] is read")
    func restart() throws {
        let restart = try service(
            """
            command = ["a"]
            [restart]
            policy = "on-failure"
            delay = "500ms"
            factor = 1.5
            max-delay = "1m30s"
            jitter = 0
            reset-after = 5
            limit = 3
            within = 0.5
            success-codes = [0, 3, "SIGTERM"]
            never-after = [78, "INT"]
            """
        ).restart
        #expect(restart.policy == .onFailure && restart.delay == .milliseconds(500) && restart.factor == 1.5)
        #expect(restart.maxDelay == .seconds(90) && restart.jitter == 0 && restart.resetAfter == .seconds(5))
        #expect(restart.limit == 3 && restart.within == .milliseconds(500))
        #expect(restart.successCodes == [.code(0), .code(3), .signal(.terminate)])
        #expect(restart.neverAfter == [.code(78), .signal(.interrupt)])
    }

    @Test("A delay that is set raises the default of max-delay, and a max-delay that is set lowers that of delay")
    func delays() throws {
        let long = try service("command = [\"a\"]\n[restart]\ndelay = \"2m\"").restart
        #expect(long.delay == .seconds(120) && long.maxDelay == .seconds(120))
        let short = try service("command = [\"a\"]\n[restart]\nmax-delay = \"10ms\"").restart
        #expect(short.delay == .milliseconds(10) && short.maxDelay == .milliseconds(10))
    }

    @Test("The whole of [stop] is read", arguments: ["\"SIGQUIT\"", "\"quit\"", "3", "\"3\""])
    func stop(signal: String) throws {
        let stop = try service(
            "command = [\"a\"]\n[stop]\nsignal = \(signal)\ntimeout = \"2s\"\ncommand = [\"b\", \"${C}\"]"
        ).stop
        #expect(stop.signal == .quit && stop.signalIsExplicit && stop.timeout == .seconds(2))
        #expect(stop.command?.map { expanded($0, ["C": "c"]) } == ["b", "c"])
    }

    @Test("SIGKILL is allowed as the signal to stop with, and a timeout of zero")
    func stopAtOnce() throws {
        let stop = try service("command = [\"a\"]\n[stop]\nsignal = \"SIGKILL\"\ntimeout = 0").stop
        #expect(stop.signal == .kill && stop.timeout == .seconds(0))
    }

    @Test(
        "A mistake in a table is told with its place and its remedy",
        arguments: [
            Bad.line("[when]\nenvironment = [\"A\"]", "unknown-key", "environment", "above its first [table]"),
            Bad.line("[when]\ntty = \"yes\"", "wrong-type", "\"yes\""),
            Bad.line("[when]\nenv = [\"A=1\"]", "bad-name", "\"A=1\""),
            Bad.line("[when]\nenv = 1", "wrong-type", "1"),
            Bad.line("[when]\nenv-equals = [\"A=1\"]", "wrong-type", "[\"A=1\"]"),
            Bad.line("[when]\nenv-equals.A = true", "wrong-type", "true", "quotes"),
            Bad.line("[when]\npath-exists = \"\"", "bad-value", "\"\""),
            Bad.line("[when]\nmain = \"gateway\"", "wrong-type", "\"gateway\"", "brackets"),
            Bad.line("[when]\nmain = []", "bad-value", "[]"),
            Bad.line("[when]\nmain = [[]]", "bad-value", "[]"),
            Bad.line("[when]\nmain = [\"a\", [\"b\"]]", "wrong-type", "[\"b\"]", "brackets of its own"),
            Bad.line("[when]\nmain = [[\"b\"], \"a\"]", "wrong-type", "\"a\"", "brackets of its own"),
            Bad.line("[when]\nmain = [[1]]", "wrong-type", "1"),
            Bad.line("[restart]\npolicy = \"allways\"", "bad-value", "\"allways\"", "\"always\""),
            Bad.line("[restart]\npolicy = true", "wrong-type", "true"),
            Bad.line("[restart]\nfactor = 0.5", "bad-value", "0.5", "1 or more"),
            Bad.line("[restart]\nfactor = nan", "bad-value", "nan"),
            Bad.line("[restart]\nfactor = \"2\"", "wrong-type", "\"2\""),
            Bad.line("[restart]\njitter = 1.5", "bad-value", "1.5", "from 0 to 1"),
            Bad.line("[restart]\njitter = -0.1", "bad-value", "-0.1"),
            Bad.line("[restart]\nlimit = 0", "bad-value", "0", "policy = \"never\""),
            Bad.line("[restart]\nlimit = -1", "bad-value", "-1"),
            Bad.line("[restart]\nlimit = 9223372036854775807", "bad-value", "9223372036854775807"),
            Bad.line("[restart]\nlimit = 1.5", "wrong-type", "1.5"),
            Bad.line("[restart]\nwithin = 0", "bad-value", "0"),
            Bad.line("[restart]\ndelay = -1", "bad-value", "-1", "0 or more"),
            Bad.line("[restart]\ndelay = \"5s\"\nmax-delay = \"1s\"", "contradiction", "\"5s\"", "max-delay"),
            Bad.line("[restart]\nsuccess-codes = 0", "wrong-type", "0", "[0"),
            Bad.line("[restart]\nsuccess-codes = [256]", "bad-value", "256", "255"),
            Bad.line("[restart]\nsuccess-codes = [-1]", "bad-value", "-1"),
            Bad.line("[restart]\nsuccess-codes = [\"15\"]", "bad-value", "\"15\"", "without quotes"),
            Bad.line("[restart]\nnever-after = [\"SIGTREM\"]", "bad-value", "\"SIGTREM\"", "\"SIGTERM\""),
            Bad.line("[restart]\nnever-after = [true]", "wrong-type", "true"),
            Bad.line("[stop]\nsignal = \"SIGSTOP\"", "bad-value", "\"SIGSTOP\"", "SIGTERM"),
            Bad.line("[stop]\nsignal = \"CONT\"", "bad-value", "\"CONT\"", "SIGTERM"),
            Bad.line("[stop]\nsignal = 0", "bad-value", "0", "1 to 64"),
            Bad.line("[stop]\nsignal = 65", "bad-value", "65"),
            Bad.line("[stop]\nsignal = 99999999999", "bad-value", "99999999999"),
            Bad.line("[stop]\nsignal = \"term1\"", "bad-value", "\"term1\"", "\"SIGTERM\""),
            Bad.line("[stop]\nkill = 1", "unknown-key", "kill"),
            Bad.line("[stop]\ncommand = [\"\"]", "bad-value", "\"\""),
        ])
    func mistake(bad: Bad) { bad.check(as: "web.toml") }

    @Test(
        "A duration is a number of seconds or numbers with units",
        arguments: [
            ("\"500ms\"", 500), ("\"10s\"", 10_000), ("\"1m30s\"", 90_000), ("\"2h\"", 7_200_000),
            ("\"1h30m\"", 5_400_000), ("\"1d\"", 86_400_000), ("\"1d2h3m4s5ms\"", 93_784_005), ("\"0s\"", 0),
            ("7", 7000),
            ("0.25", 250), ("0.0015", nil), ("\"36525d\"", 3_155_760_000_000),
        ] as [(String, Int64?)])
    func duration(text: String, milliseconds: Int64?) throws {
        let timeout = try service("command = [\"a\"]\n[stop]\ntimeout = \(text)").stop.timeout
        #expect(timeout == milliseconds.map { .milliseconds($0) } ?? Interval(nanoseconds: 1_500_000))
    }

    @Test(
        "What is no duration is refused with what is wrong",
        arguments: [
            ("\"\"", "empty"), ("\"10\"", "unit is missing"), ("\"s\"", "number is missing"), ("\"-1s\"", "negative"),
            ("\"1 s\"", "\" s\" is no unit"), ("\"1.5s\"", "\".\" is no unit"), ("\"1w\"", "\"w\" is no unit"),
            ("\"30s1m\"", "not in order"), ("\"1s1s\"", "not in order"), ("\"36526d\"", "longer than 100 years"),
            ("\"99999999999999999999s\"", "longer than 100 years"), ("\"9223372036854775807d\"", "longer"),
            ("\"1m30\"", "unit is missing"), ("3155760001", "longer"), ("9223372036854775807", "longer"),
            ("-0.5", "negative"), ("inf", "longer"), ("-inf", "negative"), ("nan", "longer"),
        ])
    func badDuration(text: String, why: String) throws {
        let result = ConfigurationReader.read([file("web.toml", "command = [\"a\"]\n[stop]\ntimeout = \(text)")])
        #expect(told(result) == ["bad-value: \(text)"])
        let title = try #require(result.diagnostics.first).title
        #expect(title.contains(why) && title.contains("`timeout`"), "\(title)")
    }
}

@Suite("init.toml")
struct SettingsTests {
    func settings(_ text: String) -> Settings {
        let result = ConfigurationReader.read([file("init.toml", text)])
        #expect(told(result) == [])
        #expect(result.configuration.services.isEmpty)
        return result.configuration.settings
    }

    @Test("Every key is read")
    func everyKey() {
        let settings = settings(
            """
            shutdown-timeout = "25s"
            log-level = "warning"
            [environment]
            LANG = "C.UTF-8"
            DEBUG = false
            [signals]
            SIGHUP = "forward-group"
            usr1 = "ignore"
            INT = "stop"
            "SIGRTMIN+3" = "SIGTERM"
            TERM = "quit"
            USR2 = "forward"
            WINCH = "reload"
            """)
        #expect(settings.shutdownTimeout == .seconds(25) && settings.logLevel == .warning)
        #expect(settings.environment.map(\.name) == ["LANG", "DEBUG"])
        #expect(settings.environment.map { literal($0.value) } == ["C.UTF-8", nil])
        #expect(settings.signals.map(\.signal.number) == [1, 10, 2, 37, 15, 12, 28])
        #expect(
            settings.signals.map(\.action) == [
                .forwardGroup, .ignore, .stop, .rewrite(.terminate), .rewrite(.quit), .forward, .reload,
            ])
    }

    @Test("Without the file the defaults hold")
    func defaults() {
        let settings = ConfigurationReader.read([]).configuration.settings
        #expect(settings.shutdownTimeout == .seconds(9) && settings.environment.isEmpty && settings.signals.isEmpty)
        #expect(settings.logLevel == .info)
    }

    @Test("Its [restart] is the default of every service, but for the policy of what is no longrun")
    func restartDefaults() throws {
        let defaults = "[restart]\npolicy = \"on-failure\"\ndelay = \"3s\"\nlimit = 5"
        let longrun = try service("command = [\"a\"]", settings: defaults).restart
        #expect(longrun.policy == .onFailure && longrun.delay == .seconds(3) && longrun.limit == 5)
        let oneshot = try service("type = \"oneshot\"\ncommand = [\"a\"]", settings: defaults).restart
        #expect(oneshot.policy == .never && oneshot.delay == .seconds(3))
        let own = try service("command = [\"a\"]\n[restart]\npolicy = \"never\"\ndelay = 1", settings: defaults).restart
        #expect(own.policy == .never && own.delay == .seconds(1) && own.limit == 5)
        let always = "[restart]\npolicy = \"always\""
        #expect(try service("type = \"oneshot\"\ncommand = [\"a\"]", settings: always).restart.policy == .never)
    }

    @Test(
        "A mistake in it is told with its place and its remedy",
        arguments: [
            Bad("shutdown-timeout = 0", "bad-value", "0", "10s"),
            Bad("shutdown-timeout = true", "wrong-type", "true"),
            Bad("command = [\"a\"]", "unknown-key", "command", "a service file"),
            Bad("log-level = \"information\"", "bad-value", "\"information\"", "\"info\""),
            Bad("log-level = 3", "wrong-type", "3", "\"warning\""),
            Bad("[log]\nfile = \"/var/log/all.log\"", "contradiction", "\"/var/log/all.log\"", "HERMES_INIT_SERVICE"),
            Bad("[log]\nmax-size = 4095", "bad-value", "4095"),
            Bad("[ready]\ntcp = \"localhost:1\"", "unknown-key", "ready", "a service file"),
            Bad("shutdown-timout = 1", "unknown-key", "shutdown-timout", "`shutdown-timeout`"),
            Bad("[signals]\nSIGKILL = \"stop\"", "bad-value", "SIGKILL", "take it out"),
            Bad("[signals]\nSTOP = \"stop\"", "bad-value", "STOP"),
            Bad("[signals]\nCHLD = \"stop\"", "bad-value", "CHLD"),
            Bad("[signals]\nSIGHPU = \"stop\"", "bad-value", "SIGHPU", "\"SIGHUP\""),
            Bad("[signals]\nHUP = \"stop\"\nSIGHUP = \"ignore\"", "duplicate-name", "SIGHUP"),
            Bad("[signals]\nHUP = \"forwrd\"", "bad-value", "\"forwrd\"", "\"forward\""),
            Bad("[signals]\nHUP = \"relod\"", "bad-value", "\"relod\"", "\"reload\""),
            Bad("[signals]\nHUP = 1", "wrong-type", "1"),
            Bad("[environment]\nA = 1.0", "wrong-type", "1.0"),
            Bad("[restart]\nlimit = 0", "bad-value", "0"),
        ])
    func mistake(bad: Bad) { bad.check(as: "init.toml") }
}
