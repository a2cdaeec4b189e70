import CSystem
import ConfigParser
import System

/// A cgroup (v2) for each service, where the container's own may be written: at a service's end and at its stop it is killed
/// whole, so that no descendant survives, however it hid; and `[resources]` are the files of that group.
///
///     /sys/fs/cgroup               the container's own
///       hermes-init                made by the init
///         web.service              made and entered by the service's process, between clone and exec
///         init                     where the init moves to, with all that was in the container's own: only for [resources],
///                                  since a group that gives controllers on may hold no process itself
///
/// Not in it: the main program, unless it has [resources], and the commands of [stop], [reload], [ready] and [health], which
/// would be killed with the service that they are for. Where the tree that can be seen is not the container's own (a machine,
/// a shell of it), groups are made only for services with [resources]. Waits for nothing, and no service without [resources]
/// depends on any of it.
final class Cgroups {
    /// A folder of the cgroup tree that the init is in.
    struct Place: Equatable {
        var folder: String
        /// It is the root of all that can be seen, as in a container with a cgroup namespace.
        var isRootOfView: Bool
    }

    /// How a process gets into its group.
    struct Membership {
        /// The folder above it.
        var base: FileDescriptor
        var name: Bytes
        /// The service has [resources]: it must not run outside.
        var isRequired: Bool

        /// Fills the part of a request that is about this.
        func fill(_ request: UnsafeMutablePointer<hi_request>) {
            request.pointee.cgroup_folder = base.number
            request.pointee.cgroup_required = isRequired
            withUnsafeMutableBytes(of: &request.pointee.cgroup) { room in
                // The request was zeroed; the last byte ends the text.
                for (place, byte) in name.prefix(room.count &- 1).enumerated() { room[place] = byte }
            }
        }
    }

    private var place: Place?
    private var hasLooked: Bool
    private var hasGlanced = false
    /// Flags for opening a file of the tree; in a test's tree of ordinary files, with O_CREAT.
    private let extraFlags: Int32
    /// The init's own folder in it, once it was asked for; why there is none.
    private var base: FileDescriptor?
    private var basePath = ""
    private var refusal: String?
    private var enabled = [String]()
    /// By service: what it has been given.
    private var groups: [Group?] = []
    /// Of services that were forgotten, where something was left in them.
    private var abandoned: [String] = []
    private struct Group {
        var path: String
        var settings = [ResourceSetting]()
        var isLimited: Bool { !settings.isEmpty }
        var kills: Int64 = 0
    }

    /// Looks for the container's cgroup when the first service starts.
    init() {
        hasLooked = false
        extraFlags = 0
    }

    /// For tests: in this place, which may be made of ordinary files.
    init(place: Place, extraFlags: Int32) {
        self.place = place
        self.extraFlags = extraFlags
        hasLooked = true
    }

    // MARK: - A service's life

    /// The group that a service's process is to enter; nil: it stays where the init is.
    /// - Parameter isOrdinary: neither the main program nor a stage, which get a group only for [resources].
    func membership(_ service: Service, _ index: Int, isOrdinary: Bool) throws(LaunchError) -> Membership? {
        look(isNeeded: service.resources != nil)
        guard service.resources != nil || isOrdinary && place?.isRootOfView == true else { return nil }
        let name = say("%.service", service.name)
        if base == nil && refusal == nil { makeBase() }
        if service.resources == nil, let old = group(index), old.isLimited {
            do throws(Refusal) { try limit(name, Cgroups.changes(from: old.settings, to: [])) } catch {}
        }
        if let resources = service.resources {
            do throws(Refusal) {
                let changes = Cgroups.changes(from: group(index)?.settings ?? [], to: resources.settings)
                if !changes.isEmpty || group(index) == nil { try limit(name, changes) }
            } catch {
                throw LaunchError(code: LaunchCode.configuration, message: error.message)
            }
        }
        guard let base else { return nil }
        while groups.count <= index { groups.append(nil) }
        if groups[index] == nil { groups[index] = Group(path: say("%/%/", basePath, name)) }
        groups[index]?.settings = service.resources?.settings ?? []
        return Membership(base: base, name: Bytes(name.utf8), isRequired: service.resources != nil)
    }

    /// Kills all that is in the group of a service. Nothing happens where it has none. Needs Linux 5.14.
    func kill(_ index: Int) {
        guard let group = group(index) else { return }
        _ = write(say("%cgroup.kill", group.path), Bytes("1"))
    }

    /// Up to 64 processes in the group of a service; empty where it has none.
    func members(_ index: Int) -> [Int32] {
        guard let group = group(index) else { return [] }
        return Array(numbers(say("%cgroup.procs", group.path)).prefix(64))
    }

    /// What the group of a service uses: bytes of memory, where the controller is given on, and milliseconds of processor
    /// time; nil where it has none.
    func use(_ index: Int) -> (memory: Int64?, processor: Int64?) {
        guard let group = group(index) else { return (nil, nil) }
        var processor: Int64?
        for line in contents(say("%cpu.stat", group.path)).split(separator: 0x0A)
        where line.starts(with: "usage_usec ".utf8) {
            processor = wholeNumber(line.dropFirst(11)).map { $0 / 1000 }
        }
        let memory = contents(say("%memory.current", group.path))
        return (wholeNumber(memory.prefix { $0 != 0x0A }), processor)
    }

    /// A process of that service was killed: whether the kernel did it for want of memory since the last time.
    func wasOutOfMemory(_ index: Int) -> Bool {
        guard let group = group(index), group.isLimited else { return false }
        let count = Cgroups.value("oom_kill", in: contents(say("%memory.events", group.path)))
        groups[index]?.kills = count
        return count > group.kills
    }

    /// A service was forgotten: its group goes when it is empty.
    func forget(_ index: Int) {
        guard let group = group(index) else { return }
        groups[index] = nil
        abandoned.append(group.path)
        removeAbandoned()
    }

    /// What was killed a moment ago may still be on its way out: then it is tried again with the next one.
    private func removeAbandoned() {
        abandoned.removeAll { path in
            for group in groups { if let group, group.path == path { return true } }
            return Bytes(path.utf8).withCString { $0.map { rmdir($0) } ?? 0 } == 0 || Errno.current.code != EBUSY
        }
    }

    /// What is to be written where a group has those settings: the new ones that differ, and none where one is gone.
    static func changes(from old: [ResourceSetting], to new: [ResourceSetting]) -> [ResourceSetting] {
        var list = [ResourceSetting]()
        for setting in new where !old.contains(where: { $0 == setting }) { list.append(setting) }
        for var setting in old where !new.contains(where: { $0.file.utf8.elementsEqual(setting.file.utf8) }) {
            setting.value = Bytes((setting.key.utf8.elementsEqual("cpu-weight".utf8) ? "100" : "max").utf8)
            list.append(setting)
        }
        return list
    }

    /// Takes the empty groups away. Where the tree is the container's own it goes with the container.
    func remove() {
        guard base != nil, !(place?.isRootOfView == true && getpid() == 1) else { return }
        for group in groups { if let group { removeFolder(group.path) } }
        removeAbandoned()
        removeFolder(say("%/init", basePath))
        removeFolder(basePath)
    }

    // MARK: - The tree

    /// - Parameter isNeeded: for [resources], wherever the tree is.
    private func look(isNeeded: Bool) {
        if hasLooked { return }
        if !isNeeded {
            // All mounts of a machine take the kernel as long to show as a start takes, and where a tree is the container's own
            // it is at its usual place, and not the machine's root, which has no such file.
            if hasGlanced { return }
            hasGlanced = true
            if fileKind(Bytes("/sys/fs/cgroup/cgroup.type")) == .missing
                && fileKind(Bytes("/sys/fs/cgroup/unified/cgroup.type")) == .missing
            {
                return
            }
        }
        hasLooked = true
        do throws(Errno) {
            let groups = try readFile(Bytes("/proc/self/cgroup"), limit: 1 << 16)
            let mounts = try readFile(Bytes("/proc/self/mountinfo"), limit: 1 << 20)
            place = Cgroups.find(cgroup: groups, mountinfo: mounts)
            // The root of the machine's own tree is nobody's group, and has no such file.
            if let found = place, fileKind(Bytes((say("%/cgroup.type", found.folder)).utf8)) == .missing {
                place?.isRootOfView = false
            }
        } catch {
            place = nil
        }
    }

    /// The folder of the cgroup v2 that a process is in.
    /// - Parameters:
    ///   - cgroup: /proc/self/cgroup (cgroups(7)).
    ///   - mountinfo: /proc/self/mountinfo (proc_pid_mountinfo(5)).
    static func find(cgroup: Bytes, mountinfo: Bytes) -> Place? {
        var path: ArraySlice<UInt8>?
        for line in cgroup.split(separator: 0x0A) where line.starts(with: "0::/".utf8) { path = line.dropFirst(3) }
        guard let path, !path.starts(with: "/..".utf8) else { return nil }
        var found: Place?
        for line in mountinfo.split(separator: 0x0A) {
            let fields = line.split(separator: 0x20)
            guard let dash = fields.firstIndex(where: { $0.elementsEqual("-".utf8) }), dash >= 6,
                dash &+ 1 < fields.count, fields[dash &+ 1].elementsEqual("cgroup2".utf8)
            else { continue }
            let root = fields[3].elementsEqual("/".utf8) ? [] : fields[3]
            guard path.starts(with: root) else { continue }
            let rest = path.dropFirst(root.count)
            // "/a" is no part of "/ab".
            if let next = rest.first, next != 0x2F { continue }
            let isRoot = rest.isEmpty || rest.elementsEqual("/".utf8)
            // The last one lies over those before it.
            let folder = unescaped(fields[4]) + (isRoot ? [] : Bytes(rest))
            found = Place(folder: String(decoding: folder, as: UTF8.self), isRootOfView: isRoot)
        }
        return found
    }

    /// `\040` and its like (proc_pid_mountinfo(5)).
    private static func unescaped(_ text: ArraySlice<UInt8>) -> Bytes {
        var bytes = Bytes()
        var rest = text
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == 0x5C, digits.count == 3, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x37 }) {
                bytes.append(digits.reduce(0) { $0 &* 8 &+ ($1 &- 0x30) })
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// The number behind a word at the beginning of a line; 0 where there is none.
    static func value(_ name: String, in text: Bytes) -> Int64 {
        for line in text.split(separator: 0x0A) {
            let fields = line.split(separator: 0x20)
            if fields.count == 2, fields[0].elementsEqual(name.utf8) { return Int64(Accounts.decimal(fields[1]) ?? 0) }
        }
        return 0
    }

    /// The first free name: another init may share the container's group.
    private func makeBase() {
        guard let place else {
            refusal = "there is no cgroup v2 tree that it could see (/proc/self/cgroup, /proc/self/mountinfo)"
            return
        }
        for number in 1...64 {
            basePath = say("%/hermes-init", place.folder)
            if number > 1 { basePath += say(".%", String(number)) }
            guard let error = makeFolder(basePath) else { break }
            if error.code == EEXIST && number < 64 { continue }
            refusal = say("the container's cgroup, %, cannot be written (%)", place.folder, error.text)
            return
        }
        do throws(Errno) {
            base = try FileDescriptor.open(Bytes(basePath.utf8), flags: O_RDONLY | O_DIRECTORY)
        } catch {
            refusal = say("cannot open %: %", basePath, error.text)
        }
    }

    // MARK: - [resources]

    private struct Refusal: Error { var message: String }

    private func limit(_ name: String, _ settings: [ResourceSetting]) throws(Refusal) {
        for setting in settings {
            if let why = refusal ?? enable(setting.controller) {
                throw Refusal(
                    message: say(
                        """
                        %start the container with cgroups that can be written (docker run --security-opt \
                        writable-cgroups=true, podman run --security-opt unmask=/sys/fs/cgroup), or limit the \
                        container as a whole (docker run --memory, --cpus, --pids-limit) and take [resources] out \
                        of the file
                        """, say("cannot set % ([resources]): %; ", setting.key, why)))
            }
        }
        let group = say("%/%/", basePath, name)
        _ = makeFolder(group)
        for setting in settings {
            if let error = write(group + setting.file, setting.value) {
                throw Refusal(
                    message: say(
                        "cannot set % ([resources]) to %: %", setting.key, setting.value.shown, error.text))
            }
        }
    }

    /// Gives a controller on to the services' groups. Gives why that cannot be.
    func enable(_ controller: String) -> String? {
        guard let place else { return nil }
        for known in enabled where known == controller { return nil }
        var isThere = false
        for word in contents(say("%/cgroup.controllers", place.folder)).split(whereSeparator: { $0 <= 0x20 })
        where word.elementsEqual(controller.utf8) {
            isThere = true
        }
        if !isThere {
            return say(
                "the controller % is not in %/cgroup.controllers: the host keeps it, or uses cgroup v1 for it",
                controller, place.folder)
        }
        let word = Bytes((say("+%", controller)).utf8)
        for folder in [place.folder, basePath] {
            let file = say("%/cgroup.subtree_control", folder)
            var error = write(file, word)
            if error?.code == EBUSY {
                empty(place.folder)
                error = write(file, word)
            }
            if error?.code == EBUSY {
                return say("a process that is not of this container is in its cgroup, %", place.folder)
            }
            if let error { return say("cannot give on the controller % (%): %", controller, file, error.text) }
        }
        enabled.append(controller)
        return nil
    }

    /// Moves the init, and what else is there, into a group below: one that gives controllers on may hold no process.
    private func empty(_ folder: String) {
        let leaf = say("%/init", basePath)
        _ = makeFolder(leaf)
        // Twice, for what was born meanwhile.
        for _ in 1...2 {
            for process in numbers(say("%/cgroup.procs", folder)) where process > 0 {
                _ = write(say("%/cgroup.procs", leaf), Bytes(String(process).utf8))
            }
        }
    }

    // MARK: - Files

    private func group(_ index: Int) -> Group? { groups.indices.contains(index) ? groups[index] : nil }

    private func makeFolder(_ path: String) -> Errno? {
        Bytes(path.utf8).withCString { $0.map { mkdir($0, 0o755) } ?? -1 } == 0 ? nil : .current
    }

    private func removeFolder(_ path: String) { _ = Bytes(path.utf8).withCString { $0.map { rmdir($0) } } }

    private func numbers(_ path: String) -> [Int32] {
        var list = [Int32]()
        for line in contents(path).split(separator: 0x0A) {
            if let number = Accounts.decimal(line), number <= Int32.max { list.append(Int32(number)) }
        }
        return list
    }

    private func contents(_ path: String) -> Bytes {
        do throws(Errno) { return try readFile(Bytes(path.utf8), limit: 1 << 16) } catch { return [] }
    }

    private func write(_ path: String, _ text: Bytes) -> Errno? {
        do throws(Errno) {
            let file = try FileDescriptor.open(Bytes(path.utf8), flags: O_WRONLY | extraFlags)
            let count = text.withUnsafeBytes { CSystem.write(file.number, $0.baseAddress, $0.count) }
            return count < 0 ? Errno.current : nil
        } catch {
            return error
        }
    }
}

/// A file of a cgroup that a line of [resources] stands for.
struct ResourceSetting: Equatable {
    var key: String
    var controller: String
    var file: String
    var value: Bytes
}

extension ResourcePolicy {
    /// The files to write (cgroup-v2, admin guide of the kernel).
    var settings: [ResourceSetting] {
        var list = [ResourceSetting]()
        func add(_ key: String, _ controller: String, _ file: String, _ amount: Amount?) {
            guard let amount else { return }
            var value = Bytes("max")
            if case .of(let number) = amount { value = Bytes(String(number).utf8) }
            list.append(ResourceSetting(key: key, controller: controller, file: file, value: value))
        }
        add("memory-max", "memory", "memory.max", memoryMax)
        add("memory-high", "memory", "memory.high", memoryHigh)
        add("pids-max", "pids", "pids.max", pidsMax)
        add("cpu-weight", "cpu", "cpu.weight", cpuWeight.map { .of(Int64($0)) })
        if let cpuMax {
            // A share of a period of 100 ms, in microseconds; the kernel takes no less than one millisecond.
            var share = cpuMax
            if case .of(let thousandths) = cpuMax {
                let (product, overflow) = thousandths.multipliedReportingOverflow(by: 100)
                share = .of(overflow ? .max : max(1000, product))
            }
            add("cpu-max", "cpu", "cpu.max", share)
            list[list.count &- 1].value += Bytes(" 100000")
        }
        return list
    }
}
