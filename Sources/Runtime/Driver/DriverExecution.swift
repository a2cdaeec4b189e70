import CSystem
import ConfigParser
import System

/// What the driver knows of a process beyond its exit status: that the kernel killed it for want of memory, and that it left
/// descendants behind, as a program does that puts itself in the background. Both are said before the core says what comes
/// of the end. Bounded work: a flood of orphans costs no more than their reaping.

extension Driver {
    /// The group that a process is to enter; nil for what stays with the init.
    func cgroup(of owner: ProcessOwner, _ launch: Launch, isMain: Bool) throws(LaunchError) -> Cgroups.Membership? {
        guard case .service(let index) = owner, !isImplicitMain(index) else { return nil }
        return try cgroups.membership(services[index], index, isOrdinary: !isMain && launch.stage == nil)
    }

    /// A service's process ended: says what its exit status does not.
    func explainEnd(_ index: Int, _ process: Int32, _ status: ExitStatus) {
        switch status {
        case .signaled(.kill, _):
            if cgroups.wasOutOfMemory(index) {
                log(say("%: %", services[index].name, outOfMemoryText(services[index].resources)))
            }
        case .exited(code: 0):
            reportDescendants(index, process)
        case .exited, .signaled:
            break
        }
    }

    /// Says that a program put itself in the background, once for each service.
    private func reportDescendants(_ index: Int, _ process: Int32) {
        let now = Instant(nanoseconds: hi_monotonic_nanoseconds())
        guard !core.isStopping, ServiceID(index: index) != core.main, !backgrounders.contains(index),
            core.machines.indices.contains(index),
            core.machines[index].lastStart.interval(until: now) < Driver.quickEnd
        else { return }
        // Who was told to end may well have children that do not know it yet.
        if case .stopping = core.machines[index].state { return }
        // Many oneshots end at boot, and each look at /proc takes as long as a start: of these only what stayed in its group.
        if services[index].type == .oneshot && kill(-process, 0) < 0 { return }
        var left = cgroups.members(index).first { owners[$0] == nil }
        var isKilled = left != nil
        if left == nil {
            left = orphan(of: services[index].name, process)
            isKilled = left.map { membership($0).group == process } ?? false
        }
        guard let left else { return }
        backgrounders.append(index)
        log(
            backgroundText(
                services[index].name, left, commandName(left), isKilled: isKilled,
                isOneshot: services[index].type == .oneshot))
    }

    /// A program that ends later than this did not put itself in the background.
    static let quickEnd = Interval.seconds(10)

    /// The most orphans that are looked at.
    private static let mostOrphans = 64

    /// A child of the init that it did not start, and that comes from that service: by its session or group, or by its
    /// environment, where that may be read.
    private func orphan(of service: String, _ process: Int32) -> Int32? {
        let path = Bytes((say("/proc/self/task/%/children", String(own))).utf8)
        let mark = Bytes((say("HERMES_INIT_SERVICE=%", service)).utf8)
        let children: Bytes
        do throws(Errno) { children = try readFile(path, limit: 1 << 16) } catch { return nil }
        // The youngest stand at the end.
        for word in children.split(separator: 0x20).suffix(Driver.mostOrphans).reversed() {
            guard let number = Accounts.decimal(word), number <= Int32.max else { continue }
            let child = Int32(number)
            if owners[child] != nil || child == process { continue }
            let its = membership(child)
            if its.group == process || its.session == process
                || environment(of: child).contains(where: { $0.elementsEqual(mark) })
            {
                return child
            }
        }
        return nil
    }

    private func environment(of process: Int32) -> [ArraySlice<UInt8>] {
        processFile(process, "environ").split(separator: 0)
    }

    private func membership(_ process: Int32) -> (group: Int32, session: Int32) {
        groupAndSession(processFile(process, "stat"))
    }

    private func commandName(_ process: Int32) -> String {
        Bytes(processFile(process, "comm").prefix { $0 != 0x0A }).shown
    }

    private func processFile(_ process: Int32, _ name: String) -> Bytes {
        let path = Bytes((say("/proc/%/%", String(process), name)).utf8)
        do throws(Errno) { return try readFile(path, limit: 1 << 16) } catch { return [] }
    }
}

/// The fifth and sixth field of /proc/PID/stat (proc_pid_stat(5)); 0 where they cannot be read.
func groupAndSession(_ text: Bytes) -> (group: Int32, session: Int32) {
    guard let end = text.lastIndex(of: 0x29) else { return (0, 0) }
    let fields = text[end...].split(separator: 0x20, maxSplits: 5)
    guard fields.count > 4 else { return (0, 0) }
    func number(_ place: Int) -> Int32 {
        Accounts.decimal(fields[place]).flatMap { $0 <= Int32.max ? Int32($0) : nil } ?? 0
    }
    return (number(3), number(4))
}

/// What is said of a program that ends at once and leaves a descendant.
func backgroundText(_ service: String, _ process: Int32, _ name: String, isKilled: Bool, isOneshot: Bool) -> String {
    say("%: its process ended and left process % (%) behind, which is not supervised; ", service, String(process), name)
        + (isKilled ? "what it left is killed. " : "what it left goes on until the container stops. ")
        + (isOneshot
            ? "Make a service (type = \"longrun\") of what is to go on"
            : """
            A program that puts itself in the background must not: have it run in the foreground (most have \
            an option: --foreground, -f, \"daemon off;\"), or tell its MAINPID (notify = \"systemd\" in \
            [ready])
            """)
}

/// What is said of a service whose process was killed within its own limit of memory.
func outOfMemoryText(_ resources: ResourcePolicy?) -> String {
    var text = "was killed by the kernel: out of memory"
    if case .some(.of(let bytes)) = resources?.memoryMax { text += say(" (memory-max %)", sizeForPeople(bytes)) }
    return text
}

/// "64 MiB": in the largest unit that it is a whole number of.
func sizeForPeople(_ bytes: Int64) -> String {
    var number = bytes
    var place = 0
    let units = [" bytes", " KiB", " MiB", " GiB", " TiB"]
    while number > 0 && number % 1024 == 0 && place < units.count &- 1 {
        number /= 1024
        place &+= 1
    }
    return String(number) + units[place]
}
