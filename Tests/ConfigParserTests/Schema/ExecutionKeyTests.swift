/// `nice`, `oom-score-adj`, `[limits]`, `[security]` and `[resources]`: what a process may use and may do.

import ConfigParser
import Testing

@Suite("What a process may use and may do")
struct ExecutionKeyTests {
    static let run = "command = [\"a\"]\n"

    /// "nofile 1024:4096", "-" for unlimited.
    private func told(_ limits: [LimitChange]) -> [String] {
        limits.map { limit in
            limit.name.name + " " + (limit.soft.map { "\($0)" } ?? "-") + ":" + (limit.hard.map { "\($0)" } ?? "-")
        }
    }

    @Test("Every limit is read, in the order of the file")
    func limits() throws {
        let limits = try service(
            ExecutionKeyTests.run
                + """
                nice = -20
                oom-score-adj = 1000
                [limits]
                stack = "8M"
                nofile = 1024
                nproc = "512:1024"
                core = 0
                memlock = "64K:1MiB"
                as = "unlimited"
                fsize = "1G:unlimited"
                data = "unlimited:unlimited"
                cpu = "90:2m"
                """)
        #expect(limits.nice == -20 && limits.oomScoreAdjust == 1000)
        #expect(
            told(limits.limits) == [
                "stack 8388608:8388608", "nofile 1024:1024", "nproc 512:1024", "core 0:0", "memlock 65536:1048576",
                "as -:-", "fsize 1073741824:-", "data -:-", "cpu 90:120",
            ])
        let bare = try service(ExecutionKeyTests.run)
        #expect(bare.nice == nil && bare.oomScoreAdjust == nil && bare.limits.isEmpty && bare.resources == nil)
    }

    @Test(
        "Processor time is a number of seconds or a duration",
        arguments: [("30", 30), ("\"30\"", 30), ("\"1m30s\"", 90), ("\"1h\"", 3600), ("\"2000ms\"", 2)])
    func cpu(text: String, seconds: UInt64) throws {
        let limit = try service(ExecutionKeyTests.run + "[limits]\ncpu = \(text)").limits.first
        #expect(limit?.soft == seconds && limit?.hard == seconds)
    }

    @Test("[security] is read, capabilities by any spelling, in the order of their numbers")
    func security() throws {
        let service = try service(
            ExecutionKeyTests.run
                + """
                user = "www-data"
                [security]
                no-new-privileges = true
                keep-groups = true
                capabilities = ["NET_BIND_SERVICE", "cap_chown", "CAP_CHECKPOINT_RESTORE", "sys_ptrace"]
                """)
        #expect(service.security.noNewPrivileges && service.security.keepGroups)
        #expect(service.security.capabilities == [0, 10, 19, 40])
        #expect(Capability.name(10) == "CAP_NET_BIND_SERVICE" && Capability.name(40) == "CAP_CHECKPOINT_RESTORE")
        #expect(Capability.name(41) == "capability 41" && Capability.name(-1) == "capability -1")
        let none = try ConfigParserTests.service(ExecutionKeyTests.run + "[security]\ncapabilities = []").security
        #expect(none.capabilities == [] && !none.noNewPrivileges && !none.keepGroups)
        #expect(try ConfigParserTests.service(ExecutionKeyTests.run).security.capabilities == nil)
    }

    /// The number of an amount; -1 for "max".
    private func number(_ amount: ResourcePolicy.Amount?) -> Int64? {
        switch amount {
        case .of(let number)?: number
        case .unlimited?: -1
        case nil: nil
        }
    }

    @Test("[resources] is read")
    func resources() throws {
        let some = try #require(
            try service(
                ExecutionKeyTests.run
                    + """
                    [resources]
                    memory-max = "512M"
                    memory-high = 268435456
                    cpu-max = 1.5
                    cpu-weight = 10000
                    pids-max = 64
                    """
            ).resources)
        #expect(number(some.memoryMax) == 512 << 20 && number(some.memoryHigh) == 256 << 20)
        #expect(number(some.cpuMax) == 1500 && some.cpuWeight == 10_000 && number(some.pidsMax) == 64)
        let none = try #require(
            try service(
                ExecutionKeyTests.run
                    + "[resources]\nmemory-max = \"max\"\nmemory-high = \"1G\"\ncpu-max = \"max\"\npids-max = \"max\""
            ).resources)
        #expect(number(none.memoryMax) == -1 && number(none.cpuMax) == -1 && number(none.pidsMax) == -1)
        #expect(none.cpuWeight == nil)
        #expect(try service(ExecutionKeyTests.run + "[resources]").resources == nil)
        let whole = try service(ExecutionKeyTests.run + "[resources]\ncpu-max = 10000").resources
        #expect(number(whole?.cpuMax) == 10_000_000 && number(whole?.memoryMax) == nil)
        let least = try service(ExecutionKeyTests.run + "[resources]\ncpu-max = 0.01").resources
        #expect(number(least?.cpuMax) == 10)
    }

    @Test(
        "A mistake is told with its place and its remedy",
        arguments: [
            Bad.line("nice = 20", "bad-value", "20", "from -20 to 19"),
            Bad.line("nice = \"19\"", "wrong-type", "\"19\""),
            Bad.line("oom-score-adj = -1001", "bad-value", "-1001", "from -1000 to 1000"),
            Bad.line("[limits]\nfiles = 1", "unknown-key", "files"),
            Bad.line("[limits]\nnofle = 1", "unknown-key", "nofle", "`nofile`"),
            Bad.line("nofile = 1", "unknown-key", "nofile", "[limits]"),
            Bad.line("[limits]\nnofile = -1", "bad-value", "-1", "\"unlimited\""),
            Bad.line("[limits]\nnofile = \"64K\"", "bad-value", "\"64K\"", "no unit"),
            Bad.line("[limits]\nnofile = \"1:\"", "bad-value", "\"1:\"", "4096"),
            Bad.line("[limits]\nnofile = \":1\"", "bad-value", "\":1\""),
            Bad.line("[limits]\nnofile = \"1:2:3\"", "bad-value", "\"1:2:3\""),
            Bad.line("[limits]\nnofile = \"infinity\"", "bad-value", "\"infinity\""),
            Bad.line("[limits]\nnofile = 1.5", "wrong-type", "1.5", "\"1024:4096\""),
            Bad.line("[limits]\nnproc = [1, 2]", "wrong-type", "[1, 2]"),
            Bad.line("[limits]\nstack = \"8MB\"", "bad-value", "\"8MB\"", "MiB"),
            Bad.line("[limits]\nstack = true", "wrong-type", "true", "\"512M\""),
            Bad.line("[limits]\nas = \"99999999T\"", "bad-value", "\"99999999T\"", "smaller"),
            Bad.line("[limits]\ncpu = \"500ms\"", "bad-value", "\"500ms\"", "90s"),
            Bad.line("[limits]\ncpu = \"1w\"", "bad-value", "\"1w\"", "ms, s, m"),
            Bad.line("[limits]\nnofile = \"2:1\"", "contradiction", "\"2:1\"", "smaller one first"),
            Bad.line("[limits]\nstack = \"unlimited:8M\"", "contradiction", "\"unlimited:8M\""),
            Bad.line("[security]\ncapabilities = [\"NET_BIND\"]", "bad-value", "\"NET_BIND\"", "capabilities(7)"),
            Bad.line(
                "[security]\ncapabilities = [\"CAP_SYS_PTRCE\"]", "bad-value", "\"CAP_SYS_PTRCE\"", "\"SYS_PTRACE\""),
            Bad.line("[security]\ncapabilities = [\"all\"]", "bad-value", "\"all\"", "leave"),
            Bad.line("[security]\ncapabilities = [10]", "wrong-type", "10"),
            Bad.line("[security]\ncapabilities = \"chown\"", "wrong-type", "\"chown\"", "brackets"),
            Bad.line("[security]\ncapabilities = [\"chown\", \"CAP_CHOWN\"]", "duplicate-name", "\"CAP_CHOWN\""),
            Bad.line("[security]\nkeep-groups = true", "contradiction", "true", "`user`"),
            Bad.line("group = 5\n[security]\nkeep-groups = true", "contradiction", "true", "`user`"),
            Bad.line("[security]\nkeep-groups = \"yes\"", "wrong-type", "\"yes\""),
            Bad.line("[resources]\nmemory-max = 512", "bad-value", "512", "\"64M\""),
            Bad.line("[resources]\nmemory-max = \"unlimited\"", "bad-value", "\"unlimited\"", "\"max\""),
            Bad.line("[resources]\nmemory-max = 1.5", "wrong-type", "1.5", "\"max\""),
            Bad.line("[resources]\nmemory-high = \"2G\"\nmemory-max = \"1G\"", "contradiction", "\"2G\"", "raise"),
            Bad.line("[resources]\ncpu-max = 0", "bad-value", "0", "processors"),
            Bad.line("[resources]\ncpu-max = 0.001", "bad-value", "0.001"),
            Bad.line("[resources]\ncpu-max = nan", "bad-value", "nan"),
            Bad.line("[resources]\ncpu-max = 10001", "bad-value", "10001"),
            Bad.line("[resources]\ncpu-max = \"50%\"", "bad-value", "\"50%\"", "1.5"),
            Bad.line("[resources]\ncpu-weight = 0", "bad-value", "0", "from 1 to 10000"),
            Bad.line("[resources]\npids-max = 0", "bad-value", "0", "100"),
            Bad.line("[resources]\npids-max = \"64\"", "bad-value", "\"64\"", "100"),
            Bad.line("[resources]\npids-max = 1.5", "wrong-type", "1.5"),
            Bad("type = \"group\"\nnice = 1", "contradiction", "nice", "group"),
            Bad("type = \"group\"\n[limits]\nnofile = 1", "contradiction", "limits", "group"),
            Bad("type = \"group\"\n[resources]\npids-max = 1", "contradiction", "resources", "group"),
        ])
    func mistake(bad: Bad) { bad.check(as: "web.toml") }
}
