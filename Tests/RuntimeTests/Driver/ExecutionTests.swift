import CSystem
import ConfigParser
import System
import Testing

@testable import Runtime

@Suite("Driver: what a process is held to")
struct DriverExecutionTests {
    private static let nowhere = Span(file: FileID(index: 0), start: 0, end: 0)

    private static func execution() -> Execution {
        var service = Service(name: "web")
        service.limits = [
            LimitChange(.nofile, soft: 100, hard: 65536, span: nowhere),
            LimitChange(.memlock, soft: nil, hard: nil, span: nowhere),
            LimitChange(.as, soft: 1, hard: 2, span: nowhere),
        ]
        service.nice = -5
        service.oomScoreAdjust = -500
        service.security.noNewPrivileges = true
        service.security.capabilities = [10, 13, 40]
        return Execution(service)
    }

    private static func failure(
        _ stage: hi_stage, _ error: Int32, _ candidate: Int32 = 0, ceiling: UInt64 = 20000, permitted: UInt64 = 0
    ) -> String? {
        let report = hi_report(stage: Int32(bitPattern: stage.rawValue), error: error, candidate: candidate)
        return execution().failure(report, ownCeiling: { _ in ceiling }, permitted: permitted)
    }

    @Test(
        "Each step says what was asked, why it could not be, and what to do",
        arguments: [
            (
                failure(HI_STAGE_LIMITS, EPERM),
                ["limit nofile to 65536", "ceiling is 20000", "CAP_SYS_RESOURCE", "docker run --ulimit nofile=65536"]
            ),
            (failure(HI_STAGE_LIMITS, EPERM, permitted: 1 << 24), ["limit nofile to 65536", "/proc/sys/fs/nr_open"]),
            (failure(HI_STAGE_LIMITS, EPERM, 1), ["limit memlock to unlimited", "--ulimit memlock=-1"]),
            (
                failure(HI_STAGE_LIMITS, EPERM, 1, ceiling: .max),
                ["limit memlock to unlimited", "ceiling is unlimited"]
            ),
            (failure(HI_STAGE_LIMITS, EPERM, 2), ["limit as to 2", "start the container with a higher one"]),
            (failure(HI_STAGE_LIMITS, EINVAL, 2), ["cannot set the limit as to 2: Invalid argument"]),
            (failure(HI_STAGE_LIMITS, EPERM, -1), ["cannot restore the limit of open files"]),
            (failure(HI_STAGE_LIMITS, EPERM, 99), ["cannot restore the limit of open files"]),
            (failure(HI_STAGE_NICE, EACCES), ["nice to -5", "CAP_SYS_NICE", "--cap-add SYS_NICE"]),
            (failure(HI_STAGE_OOM_SCORE, EACCES), ["oom-score-adj to -500", "--cap-add SYS_RESOURCE"]),
            (failure(HI_STAGE_OOM_SCORE, ENOENT), ["oom-score-adj to -500: No such file"]),
            (
                failure(HI_STAGE_BOUNDING_SET, EPERM, 21),
                ["drop CAP_SYS_ADMIN", "--cap-add SETPCAP", "no-new-privileges"]
            ),
            (failure(HI_STAGE_CAPABILITIES, EPERM), ["set its capabilities"]),
            (failure(HI_STAGE_PRIVILEGES, EINVAL), ["no-new-privileges: Invalid argument"]),
            (failure(HI_STAGE_CGROUP, EBUSY), ["cgroup ([resources]): Device or resource busy"]),
        ] as [(String?, [String])])
    func words(said: String?, parts: [String]) throws {
        let said = try #require(said)
        for part in parts { #expect(said.contains(part), "\(part): \(said)") }
    }

    @Test("Other steps are not its affair")
    func others() {
        for stage in [HI_STAGE_EXEC, HI_STAGE_UID, HI_STAGE_DESCRIPTORS, HI_STAGE_NONE] {
            #expect(Self.failure(stage, EPERM) == nil)
        }
    }

    @Test("A capability that the init has not got is named with its remedy; the lowest first")
    func refusal() throws {
        let execution = Self.execution()
        #expect(execution.refusal(permitted: .max) == nil)
        let said = try #require(execution.refusal(permitted: 1 << 10))
        #expect(said.contains("CAP_NET_RAW") && said.contains("--cap-add NET_RAW"))
        #expect(Execution().refusal(permitted: 0) == nil)
    }

    @Test("The request holds it in numbers", arguments: [(UInt32(0), false), (4001, true)])
    func request(uid: UInt32, ambient: Bool) throws {
        let strings: Bytes = [0]
        let request = try #require(hi_request_create(strings, 1, 1, 0, 0, false, nil, 0))
        defer { hi_request_free(request) }
        #expect(request.pointee.cgroup_folder == -1)
        Self.execution().fill(request, uid: uid)
        #expect(request.pointee.limit_count == 3)
        #expect(request.pointee.limits.0.values.rlim_cur == 100 && request.pointee.limits.0.values.rlim_max == 65536)
        #expect(request.pointee.limits.1.values.rlim_cur == hi_unlimited())
        #expect(request.pointee.set_nice && request.pointee.nice == -5)
        #expect(request.pointee.set_oom_score && request.pointee.oom_score == -500)
        #expect(request.pointee.capabilities == 1 << 10 | 1 << 13 | 1 << 40)
        #expect(request.pointee.ambient == ambient && request.pointee.no_new_privileges)
        for number: Int32 in -1...20 { hi_request_limit(request, number, 1, 1) }
        #expect(request.pointee.limit_count == 9)
    }

    @Test("keep-groups puts those of the init behind those of the user, each once")
    func groups() {
        #expect(joined([4001, 4010], keeping: [0, 4010, 5]) == [4001, 4010, 0, 5])
        #expect(joined([1], keeping: []) == [1])
    }

    @Test(
        "The group and the session of a process",
        arguments: [
            ("12 (a b) (c) S 1 77 78 0 -1 4194560", Int32(77), Int32(78)), ("", 0, 0), ("12 (x", 0, 0),
            ("12 (x) S 1", 0, 0), ("12 (x) S 1 -1 -1 0", 0, 0),
        ])
    func stat(text: String, group: Int32, session: Int32) {
        #expect(groupAndSession(Bytes(text.utf8)) == (group, session))
    }

    @Test(
        "Sizes as people write them",
        arguments: [
            (Int64(64 << 20), "64 MiB"), (4096, "4 KiB"), (1 << 40, "1 TiB"), (1 << 50, "1024 TiB"),
            (1000, "1000 bytes"),
            (0, "0 bytes"),
        ])
    func sizes(bytes: Int64, text: String) { #expect(sizeForPeople(bytes) == text) }

    @Test("Out of memory, with its own limit where it has one")
    func outOfMemory() {
        var resources = ResourcePolicy(span: Self.nowhere)
        #expect(outOfMemoryText(resources) == "was killed by the kernel: out of memory")
        resources.memoryMax = .of(64 << 20)
        #expect(outOfMemoryText(resources) == "was killed by the kernel: out of memory (memory-max 64 MiB)")
    }
}
