import CSystem
import ConfigParser
import System
import Testing

@testable import Runtime

extension TemporaryFolder {
    fileprivate func read(_ name: String) -> String? {
        do throws(Errno) { return try readFile(self(name), limit: 4096).shown } catch { return nil }
    }
    fileprivate func exists(_ name: String) -> Bool { fileKind(self(name)) != .missing }
}

/// Cgroups on a tree of ordinary files; what only the kernel can show is in Tests/Integration/test_cgroups.py.
@Suite("Driver: cgroups")
struct DriverCgroupsTests {
    private static let nowhere = Span(file: FileID(index: 0), start: 0, end: 0)

    @Test(
        "The container's own group, by the kernel's two lists",
        arguments: [
            // A container with a cgroup namespace.
            ("0::/\n", "/ /sys/fs/cgroup ro - cgroup2 cgroup rw", "/sys/fs/cgroup", true),
            // Both hierarchies.
            (
                "5:memory:/x\n0::/\n",
                "/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                    + "/ /sys/fs/cgroup/unified rw shared:7 - cgroup2 cgroup2 rw", "/sys/fs/cgroup/unified", true
            ),
            // The host's namespace.
            ("0::/docker/a\n", "/ /sys/fs/cgroup rw - cgroup2 c rw", "/sys/fs/cgroup/docker/a", false),
            // Only its own part of the tree is mounted.
            ("0::/docker/a\n", "/docker/a /c rw - cgroup2 c rw", "/c", true),
            ("0::/docker/a/b\n", "/docker/a /c rw - cgroup2 c rw", "/c/b", false),
            // The last of two lies over the first.
            ("0::/\n", "/ /a rw - cgroup2 c rw\n/ /b rw - cgroup2 c rw", "/b", true),
            ("0::/\n", "/ /my\\040cgroups\\134 rw - cgroup2 c rw", "/my cgroups\\", true),
            // None.
            ("0::/docker/ab\n", "/docker/a /c rw - cgroup2 c rw", nil, false),
            ("0::/../x\n", "/ /c rw - cgroup2 c rw", nil, false),
            ("5:memory:/x\n", "/ /c rw - cgroup2 c rw", nil, false),
            ("0::/\n", "/ /c rw - tmpfs cgroup2 rw", nil, false),
            ("", "", nil, false), ("0::", "- cgroup2", nil, false), ("0::/\n", "/ /c - cgroup2", nil, false),
        ] as [(String, String, String?, Bool)])
    func find(cgroup: String, mounts: String, folder: String?, isRoot: Bool) {
        let lines = mounts.split(separator: "\n").map { "31 23 0:28 " + $0 }.joined(separator: "\n")
        let place = Cgroups.find(cgroup: Bytes(cgroup.utf8), mountinfo: Bytes(lines.utf8))
        #expect(place?.folder == folder)
        #expect((place?.isRootOfView ?? false) == isRoot)
    }

    @Test("[resources] as files of the kernel")
    func settings() {
        var resources = ResourcePolicy(span: Self.nowhere)
        #expect(resources.settings.isEmpty)
        resources.memoryMax = .of(64 << 20)
        resources.memoryHigh = .unlimited
        resources.cpuMax = .of(1500)
        resources.cpuWeight = 50
        resources.pidsMax = .of(100)
        let lines = resources.settings.map { $0.controller + " " + $0.file + "=" + $0.value.shown }
        #expect(
            lines == [
                "memory memory.max=67108864", "memory memory.high=max", "pids pids.max=100", "cpu cpu.weight=50",
                "cpu cpu.max=150000 100000",
            ])
        resources.cpuMax = .unlimited
        #expect(resources.settings.last?.value == Bytes("max 100000".utf8))
        resources.cpuMax = .of(1)
        #expect(resources.settings.last?.value == Bytes("1000 100000".utf8))
        resources.cpuMax = .of(.max)
        #expect(resources.settings.last?.value == Bytes("9223372036854775807 100000".utf8))
    }

    private static func service(_ change: (inout ResourcePolicy) -> Void = { _ in }, limited: Bool = true) -> Service {
        var service = Service(name: "web")
        if limited {
            var resources = ResourcePolicy(span: nowhere)
            change(&resources)
            service.resources = resources
        }
        return service
    }

    /// A tree with these controllers.
    private static func tree(_ folder: TemporaryFolder, _ controllers: String, isRoot: Bool = true) -> Cgroups {
        folder.file("cgroup.controllers", controllers + "\n")
        return Cgroups(place: Cgroups.Place(folder: folder.path, isRootOfView: isRoot), extraFlags: O_CREAT)
    }

    @Test("A service with [resources] gets a group with its files, and the controllers are given on twice")
    func limited() throws {
        let folder = TemporaryFolder()
        let cgroups = Self.tree(folder, "cpu memory pids", isRoot: false)
        let service = Self.service {
            $0.memoryMax = .of(4096)
            $0.cpuMax = .of(500)
        }
        let membership = try #require(try cgroups.membership(service, 3, isOrdinary: true))
        #expect(membership.isRequired && membership.name == Bytes("web.service".utf8))
        #expect(folder.read("hermes-init/web.service/memory.max") == "4096")
        #expect(folder.read("hermes-init/web.service/cpu.max") == "50000 100000")
        #expect(folder.read("cgroup.subtree_control") == "+cpuory")
        #expect(folder.read("hermes-init/cgroup.subtree_control") == "+cpuory")
        // Killed whole, and only where it has one.
        cgroups.kill(3)
        cgroups.kill(4)
        #expect(folder.read("hermes-init/web.service/cgroup.kill") == "1")
        // The next init beside it takes the next name.
        let other = Self.tree(folder, "cpu memory pids")
        #expect(try other.membership(Self.service(limited: false), 0, isOrdinary: true)?.isRequired == false)
        other.kill(0)
        #expect(folder.exists("hermes-init.2"))
    }

    @Test("Members are the processes of the group; a kill for want of memory is seen once")
    func facts() throws {
        let folder = TemporaryFolder()
        let cgroups = Self.tree(folder, "memory")
        #expect(cgroups.members(0).isEmpty && !cgroups.wasOutOfMemory(0))
        _ = try cgroups.membership(Self.service { $0.memoryMax = .of(1) }, 0, isOrdinary: true)
        #expect(cgroups.members(0).isEmpty && !cgroups.wasOutOfMemory(0))
        folder.file("hermes-init/web.service/cgroup.procs", "12\n0\nx\n99999999999\n14\n")
        #expect(cgroups.members(0) == [12, 0, 14])
        folder.file("hermes-init/web.service/memory.events", "low 0\noom 7\noom_kill 1\noom_group_kill 0\n")
        #expect(cgroups.wasOutOfMemory(0) && !cgroups.wasOutOfMemory(0))
        folder.file("hermes-init/web.service/memory.events", "oom_kill 3\n")
        #expect(cgroups.wasOutOfMemory(0))
    }

    @Test("Who gets a group: in the container's own tree all ordinary services, elsewhere only those with [resources]")
    func whoGetsOne() throws {
        let plain = Self.service(limited: false)
        for (isRoot, isOrdinary, gets) in [
            (true, true, true), (true, false, false), (false, true, false), (false, false, false),
        ] {
            let folder = TemporaryFolder()
            let cgroups = Self.tree(folder, "", isRoot: isRoot)
            #expect((try cgroups.membership(plain, 0, isOrdinary: isOrdinary) != nil) == gets)
            #expect(folder.exists("hermes-init") == gets)
        }
    }

    @Test("What cannot be limited is refused with the reason and the remedy; the others run without a group")
    func refusals() throws {
        let folder = TemporaryFolder()
        let cgroups = Self.tree(folder, "cpu")
        let said = try refusal(cgroups, Self.service { $0.pidsMax = .of(5) })
        #expect(said.contains("cannot set pids-max ([resources]): the controller pids is not in "), "\(said)")
        #expect(said.contains("docker run --memory"))
        #expect(try cgroups.membership(Self.service(limited: false), 1, isOrdinary: true) != nil)

        let gone = Cgroups(
            place: Cgroups.Place(folder: "/proc/no/such", isRootOfView: true), extraFlags: O_CREAT)
        #expect(try gone.membership(Self.service(limited: false), 1, isOrdinary: true) == nil)
        let why = try refusal(gone, Self.service { $0.pidsMax = .of(5) })
        #expect(why.contains("/proc/no/such, cannot be written (No such file or directory)"), "\(why)")
    }

    @Test("A value that the kernel refuses is told")
    func refusedValue() throws {
        let folder = TemporaryFolder()
        let cgroups = Self.tree(folder, "pids")
        // Without O_CREAT, as a file that is not there is refused by the kernel.
        let strict = Cgroups(place: Cgroups.Place(folder: folder.path, isRootOfView: true), extraFlags: 0)
        folder.file("cgroup.subtree_control", "")
        _ = cgroups
        let said = try refusal(strict, Self.service { $0.pidsMax = .of(5) })
        #expect(said.contains("cannot give on the controller pids"), "\(said)")
    }

    private func refusal(_ cgroups: Cgroups, _ service: Service) throws -> String {
        do throws(LaunchError) {
            _ = try cgroups.membership(service, 0, isOrdinary: true)
        } catch {
            #expect(error.failure.code == 78 && !error.failure.isTransient)
            return error.failure.message
        }
        Issue.record("it was not refused")
        return ""
    }
}
