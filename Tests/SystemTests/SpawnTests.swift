import CSystem
import System
import Testing

/// The child between clone and exec, with real processes. One at a time: spawn.c is written for a program of one thread.
@Suite("Spawn", .serialized)
struct SpawnTests {
    /// How a child came out: what it reported, and its wait status.
    private struct Outcome: Equatable {
        var stage: UInt32 = 0
        var error: Int32 = 0
        var candidate: Int32 = 0
        var code: Int32 = -1
    }

    private static func request(
        _ candidates: [String], _ arguments: [String], _ environment: [String] = [], directory: String? = nil,
        groups: [UInt32] = []
    ) -> UnsafeMutablePointer<hi_request>? {
        var strings = Bytes()
        for text in candidates + arguments + environment + (directory.map { [$0] } ?? []) {
            strings += Bytes(text.utf8) + [0]
        }
        return hi_request_create(
            strings, strings.count, candidates.count, arguments.count, environment.count, directory != nil, groups,
            groups.count)
    }

    private static func run(
        _ made: UnsafeMutablePointer<hi_request>?, _ change: (inout hi_request) -> Void = { _ in }
    ) throws -> Outcome {
        let request = try #require(made)
        let null = try FileDescriptor.open(Bytes("/dev/null".utf8), flags: O_RDWR)
        let (readEnd, end) = try FileDescriptor.pipe()
        var writeEnd: FileDescriptor? = consume end
        request.pointee.standard = (null.number, null.number, null.number)
        request.pointee.new_session = true
        request.pointee.report = writeEnd?.number ?? -1
        change(&request.pointee)
        let process = hi_spawn(request)
        try #require(process > 0)
        // The end of the pipe comes only when nobody has it open for writing.
        writeEnd = nil
        var ready = pollfd(fd: readEnd.number, events: Int16(POLLIN), revents: 0)
        #expect(poll(&ready, 1, 60_000) == 1)
        var report = hi_report()
        let count = withUnsafeMutableBytes(of: &report) { CSystem.read(readEnd.number, $0.baseAddress, $0.count) }
        var status: Int32 = 0
        #expect(waitpid(process, &status, 0) == process)
        hi_request_free(request)
        withExtendedLifetime(null) {}
        var outcome = Outcome(code: status >> 8 & 0xFF)
        if count == MemoryLayout<hi_report>.size {
            outcome.stage = UInt32(bitPattern: report.stage)
            outcome.error = report.error
            outcome.candidate = report.candidate
        } else {
            #expect(count == 0)
        }
        return outcome
    }

    /// The same without a report pipe: the child tells in this memory.
    private static func runSilently(
        _ made: UnsafeMutablePointer<hi_request>?, _ change: (inout hi_request) -> Void = { _ in }
    ) throws -> Outcome {
        let request = try #require(made)
        let null = try FileDescriptor.open(Bytes("/dev/null".utf8), flags: O_RDWR)
        request.pointee.standard = (null.number, null.number, null.number)
        request.pointee.new_session = true
        request.pointee.report = -1
        change(&request.pointee)
        let process = hi_spawn(request)
        try #require(process > 0)
        var status: Int32 = 0
        #expect(waitpid(process, &status, 0) == process)
        #expect(hi_has_left(request))
        let told = request.pointee.told
        hi_request_free(request)
        withExtendedLifetime(null) {}
        return Outcome(
            stage: UInt32(bitPattern: told.stage), error: told.error, candidate: told.candidate,
            code: status >> 8 & 0xFF)
    }

    @Test("Without a report pipe a child tells the same in the init's memory")
    func silently() throws {
        #expect(try Self.runSilently(Self.request(["/bin/true"], ["true"])) == Outcome(code: 0))
        let shell = Self.request(["/nothing/sh", "/bin/sh"], ["sh", "-c", "test ! -e /proc/self/fd/9 && exit 7"])
        #expect(try Self.runSilently(shell) == Outcome(code: 7))
        let denied = Outcome(stage: HI_STAGE_EXEC.rawValue, error: EACCES, candidate: 1, code: 127)
        #expect(try Self.runSilently(Self.request(["/nothing", "/etc/passwd", "/nowhere"], ["x"])) == denied)
        let directory = try Self.runSilently(Self.request(["/bin/true"], ["x"], directory: "/nothing"))
        #expect(directory == Outcome(stage: HI_STAGE_DIRECTORY.rawValue, error: ENOENT, code: 127))
        let descriptors = try Self.runSilently(Self.request(["/bin/true"], ["x"])) { $0.standard.1 = 999_999 }
        #expect(descriptors == Outcome(stage: HI_STAGE_DESCRIPTORS.rawValue, error: EBADF, code: 127))
    }

    @Test("Without a report pipe a child is known to be on its way until its exec, and to run after it")
    func onItsWay() throws {
        // Opening this for writing waits for somebody who reads.
        let folder = TemporaryFolder()
        #expect(mkdir("\(folder.path)/group", 0o755) == 0)
        #expect(mkfifo("\(folder.path)/group/cgroup.procs", 0o644) == 0)
        let place = try FileDescriptor.open(Bytes(folder.path.utf8), flags: O_RDONLY | O_DIRECTORY)
        let null = try FileDescriptor.open(Bytes("/dev/null".utf8), flags: O_RDWR)
        for isKilled in [false, true] {
            let request = try #require(Self.request(["/bin/sleep"], ["sleep", "1000"]))
            request.pointee.standard = (null.number, null.number, null.number)
            request.pointee.report = -1
            request.pointee.cgroup_folder = place.number
            withUnsafeMutableBytes(of: &request.pointee.cgroup) { $0.copyBytes(from: "group".utf8) }
            let process = hi_spawn(request)
            try #require(process > 0)
            #expect(!hi_has_left(request))
            var reader: FileDescriptor?
            if isKilled {
                #expect(kill(process, SIGKILL) == 0)
            } else {
                reader = try FileDescriptor.open(Bytes("\(folder.path)/group/cgroup.procs".utf8), flags: O_RDONLY)
                while !hi_has_left(request) { usleep(100) }
                #expect(request.pointee.told.stage == 0)
                #expect(kill(process, SIGTERM) == 0)
            }
            var status: Int32 = 0
            #expect(waitpid(process, &status, 0) == process)
            #expect(status & 0x7F == (isKilled ? SIGKILL : SIGTERM))
            #expect(hi_has_left(request))
            #expect(request.pointee.told.stage == 0)
            hi_request_free(request)
            withExtendedLifetime(reader) {}
        }
        withExtendedLifetime((place, null)) {}
    }

    @Test("A child with memory of its own needs a report pipe")
    func ownMemory() throws {
        let request = try #require(Self.request(["/bin/true"], ["true"]))
        request.pointee.report = -1
        request.pointee.set_oom_score = true
        let (process, error) = (hi_spawn(request), hi_errno())
        #expect(process == -1 && error == EINVAL)
        hi_request_free(request)
    }

    @Test(
        "Counts that do not fit the strings make no request", arguments: [(4, 0, 0), (1, 3, 0), (1, 1, 2), (0, 0, 4)])
    func wrongCounts(candidates: Int, arguments: Int, environment: Int) {
        let strings = Bytes("a\0b\0c\0".utf8)
        #expect(hi_request_create(strings, strings.count, candidates, arguments, environment, false, nil, 0) == nil)
        #expect(hi_request_create(strings, strings.count, 1, 1, 1, true, nil, 0) == nil)
        #expect(hi_request_create(strings, strings.count - 1, 1, 1, 1, false, nil, 0) == nil)
    }

    @Test("A request holds its lists, each ended by NULL, and an empty one is allowed")
    func lists() throws {
        let request = try #require(Self.request(["/c"], ["a", ""], ["E=1"], directory: "/d", groups: [7, 8]))
        #expect(request.pointee.candidates[1] == nil)
        #expect(request.pointee.arguments[1].map { Bytes(cString: $0) } == [])
        #expect(request.pointee.arguments[2] == nil)
        #expect(Bytes(cString: request.pointee.environment[0]) == Bytes("E=1".utf8))
        #expect(Bytes(cString: request.pointee.directory) == Bytes("/d".utf8))
        #expect(request.pointee.groups[1] == 8 && request.pointee.group_count == 2)
        hi_request_free(request)
        let empty = try #require(hi_request_create(nil, 0, 0, 0, 0, false, nil, 0))
        #expect(empty.pointee.candidates[0] == nil)
        hi_request_free(empty)
        hi_request_free(nil)
    }

    @Test("The program runs, with its arguments, its environment and its directory, and nothing is reported")
    func runs() throws {
        #expect(try Self.run(Self.request(["/bin/true"], ["true"])) == Outcome(code: 0))
        let check =
            "test \"$A\" = 'b c' && test \"$1\" = 'x y' && test \"$(pwd)\" = / && test $(umask) = 0027 && exit 7"
        let request = Self.request(
            ["/nothing/sh", "/bin/sh"], ["sh", "-c", check, "sh", "x y"], ["A=b c", "PATH=/usr/bin:/bin"],
            directory: "/")
        let outcome = try Self.run(request) {
            $0.set_umask = true
            $0.umask = 0o027
        }
        #expect(outcome == Outcome(code: 7))
    }

    @Test(
        "The signals to ignore are ignored in the program, and its mask is the one asked for",
        arguments: ["SigIgn:.*0000000000001000", "SigBlk:.*0000000000000200"])
    func signals(line: String) throws {
        // SigIgn and SigBlk of proc(5): bit n-1 for signal n.
        let request = Self.request(["/usr/bin/grep", "/bin/grep"], ["grep", "-q", line, "/proc/self/status"])
        let outcome = try Self.run(request) {
            $0.ignored_signals = 1 << 12
            $0.default_signals = ~(1 << 12)
            $0.signal_mask = 1 << 9
        }
        #expect(outcome == Outcome(code: 0))
    }

    @Test("A script lies behind descriptor 3, and no other descriptor of the init is open")
    func script() throws {
        let text = Bytes(
            "test \"$(ls /proc/$$/fd | tr '\\n' ' ')\" = '0 1 10 2 3 ' || test -e /proc/$$/fd/3 && exit 5".utf8)
        let file = FileDescriptor(owning: text.withUnsafeBytes { hi_memory_file($0.baseAddress, $0.count) })
        let number = file.number
        let outcome = try Self.run(
            Self.request(["/bin/sh"], ["sh", "/proc/self/fd/3"], ["PATH=/usr/bin:/bin"])
        ) { $0.script = number }
        #expect(outcome == Outcome(code: 5))
        withExtendedLifetime(file) {}
    }

    @Test(
        "The descriptor of readiness gets its number, whatever lies there in the init, and nothing else stays open",
        arguments: [4, 9, 300] as [Int32], [false, true])
    func notify(target: Int32, withScript: Bool) throws {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        let script = Bytes("echo >&\(target)".utf8)
        let file = FileDescriptor(owning: script.withUnsafeBytes { hi_memory_file($0.baseAddress, $0.count) })
        // Every number up to 300 is something of the init, so that each target is somebody's place.
        var others = [FileDescriptor]()
        while (others.last?.number ?? 0) < 320 {
            others.append(try FileDescriptor.open(Bytes("/dev/null".utf8), flags: O_RDONLY))
        }
        let (listRead, listWrite) = try FileDescriptor.pipe()
        let list = "for n in {0..400}; do [ -e /proc/$$/fd/$n ] && [ $n != 255 ] && echo $n; done; echo >&\(target)"
        let words = withScript ? ["bash", "/proc/self/fd/3"] : ["bash", "-c", list]
        let numbers = (writeEnd.number, file.number, listWrite.number)
        let outcome = try Self.run(Self.request(["/bin/bash"], words, ["PATH=/usr/bin:/bin"])) {
            $0.notify_source = numbers.0
            $0.notify_target = target
            if withScript { $0.script = numbers.1 }
            $0.standard.1 = numbers.2
        }
        #expect(outcome == Outcome(code: 0))
        var byte: UInt8 = 0
        #expect(CSystem.read(readEnd.number, &byte, 1) == 1 && byte == 0x0A)
        var text = Bytes(repeating: 0, count: 200)
        let count = CSystem.read(listRead.number, &text, text.count)
        if !withScript {
            let words = String(decoding: text.prefix(max(0, count)), as: UTF8.self)
            #expect(words.split(separator: "\n").compactMap { Int32($0) } == [0, 1, 2, target])
        }
        withExtendedLifetime((writeEnd, file, listWrite, others)) {}
    }

    @Test("A program finds its own process ID behind WATCHDOG_PID", arguments: ["WATCHDOG_PID=0000000000", "X=1"])
    func ownProcess(entry: String) throws {
        let outcome = try Self.run(
            Self.request(
                ["/bin/sh"], ["sh", "-c", "[ \"${WATCHDOG_PID-$$}\" = $$ ] && [ ${X-1} = 1 ]"], ["A=b", entry])
        ) { $0.tell_own_process = true }
        #expect(outcome == Outcome(code: 0))
    }

    @Test("Where nothing is there, the first candidate is named; a denial counts more than an absence")
    func exec() throws {
        let missing = Outcome(stage: HI_STAGE_EXEC.rawValue, error: ENOENT, candidate: 0, code: 127)
        #expect(try Self.run(Self.request(["/nothing", "/nothing/else"], ["x"])) == missing)
        let denied = Outcome(stage: HI_STAGE_EXEC.rawValue, error: EACCES, candidate: 1, code: 127)
        #expect(try Self.run(Self.request(["/nothing", "/etc/passwd", "/nowhere"], ["x"])) == denied)
        let passedOver = Self.request(["/etc/passwd", "/bin/true"], ["x"])
        #expect(try Self.run(passedOver) == Outcome(code: 0))
    }

    @Test("A script whose interpreter is missing is told of itself, not passed over")
    func interpreter() throws {
        let folder = TemporaryFolder()
        let path = folder.file("script", "#!/nothing\n", mode: 0o755).shown
        let outcome = try Self.run(Self.request(["/nowhere", path, "/bin/true"], ["x"]))
        #expect(outcome == Outcome(stage: HI_STAGE_EXEC.rawValue, error: ENOENT, candidate: 1, code: 127))
    }

    @Test("A file without #! is refused, or given to the shell where that is asked for")
    func shellFallback() throws {
        let folder = TemporaryFolder()
        let path = folder.file("script", "exit $(($1 + 2))\n", mode: 0o755).shown
        let refused = try Self.run(Self.request([path], [path, "4"]))
        #expect(refused == Outcome(stage: HI_STAGE_EXEC.rawValue, error: ENOEXEC, candidate: 0, code: 127))
        let run = try Self.run(Self.request([path], [path, "4"])) { $0.shell_fallback = true }
        #expect(run == Outcome(code: 6))
    }

    @Test("A directory that is not there, and a descriptor that is not open, are reported with their stage")
    func stages() throws {
        let directory = try Self.run(Self.request(["/bin/true"], ["x"], directory: "/nothing"))
        #expect(directory == Outcome(stage: HI_STAGE_DIRECTORY.rawValue, error: ENOENT, code: 127))
        let descriptors = try Self.run(Self.request(["/bin/true"], ["x"])) { $0.standard.1 = 999_999 }
        #expect(descriptors == Outcome(stage: HI_STAGE_DESCRIPTORS.rawValue, error: EBADF, code: 127))
    }

    @Test("The user is changed before the directory is entered", .enabled(if: geteuid() == 0))
    func userBeforeDirectory() throws {
        let folder = TemporaryFolder()
        #expect(chmod(folder.path, 0o700) == 0)
        let outcome = try Self.run(Self.request(["/bin/true"], ["x"], directory: folder.path, groups: [65_534])) {
            $0.set_groups = true
            ($0.set_gid, $0.gid) = (true, 65_534)
            ($0.set_uid, $0.uid) = (true, 65_534)
        }
        #expect(outcome == Outcome(stage: HI_STAGE_DIRECTORY.rawValue, error: EACCES, code: 127))
    }

    @Test("Without the right to change them, groups, group and user are each reported", .enabled(if: geteuid() != 0))
    func withoutPrivilege() throws {
        let groups = try Self.run(Self.request(["/bin/true"], ["x"])) { $0.set_groups = true }
        #expect(groups == Outcome(stage: HI_STAGE_GROUPS.rawValue, error: EPERM, code: 127))
        let group = try Self.run(Self.request(["/bin/true"], ["x"])) { ($0.set_gid, $0.gid) = (true, 65_533) }
        #expect(group == Outcome(stage: HI_STAGE_GID.rawValue, error: EPERM, code: 127))
        let user = try Self.run(Self.request(["/bin/true"], ["x"])) { ($0.set_uid, $0.uid) = (true, 65_533) }
        #expect(user == Outcome(stage: HI_STAGE_UID.rawValue, error: EPERM, code: 127))
    }

    @Test("More groups than the kernel takes are reported", .enabled(if: geteuid() == 0))
    func tooManyGroups() throws {
        let groups = [UInt32](repeating: 5, count: 65_537)
        let outcome = try Self.run(Self.request(["/bin/true"], ["x"], groups: groups)) { $0.set_groups = true }
        #expect(outcome == Outcome(stage: HI_STAGE_GROUPS.rawValue, error: EINVAL, code: 127))
    }

    @Test("A group is made of the process at once, so that a signal to it arrives")
    func group() throws {
        let request = try #require(Self.request(["/bin/sleep"], ["sleep", "1000"]))
        let null = try FileDescriptor.open(Bytes("/dev/null".utf8), flags: O_RDWR)
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        request.pointee.standard = (null.number, null.number, null.number)
        request.pointee.report = writeEnd.number
        let process = hi_spawn(request)
        try #require(process > 0)
        #expect(hi_kill_group(process, SIGKILL) == 0)
        var status: Int32 = 0
        #expect(waitpid(process, &status, 0) == process)
        #expect(status & 0x7F == SIGKILL)
        hi_request_free(request)
        withExtendedLifetime((null, readEnd, writeEnd)) {}
    }

    @Test("No signal is ever sent to everything or to the init's own group by a number that is none")
    func noGroup() {
        #expect(hi_kill_group(0, SIGTERM) == -1)
        #expect(hi_kill_group(1, SIGTERM) == -1)
        #expect(hi_kill_group(-1, SIGTERM) == -1)
    }
}
