import CSystem
import System

/// Starts processes and learns how far they came. A start is under way from the clone until the report pipe says that the
/// program runs (its end is closed by the exec) or how far the child came. A process of which that need not be known at once
/// has no such pipe: it is looked at whether it runs when the loop is awake anyway, and at its end. Waits for nothing.

/// What a process is for.
enum ProcessOwner: Equatable {
    case service(Int)
    case stopCommand(Int)
    case reloadCommand(Int)
    /// The command of a `[ready]` or `[health]`.
    case probe(Int, ProbePurpose)

    /// The service that it belongs to.
    var service: Int {
        switch self {
        case .service(let index), .stopCommand(let index), .reloadCommand(let index), .probe(let index, _): return index
        }
    }
}

/// How a start ended.
indirect enum SpawnOutcome {
    case running
    case failed(hi_report, Launch)
}

/// Things of the process that do not come from its service file.
struct SpawnOptions {
    /// What becomes descriptors 0, 1 and 2.
    var standard: (input: Int32, output: Int32, error: Int32)
    var newSession = true
    var takesForeground = false
    var takesTerminal = false
    var keepsDescriptors = false
    var shellFallback = false
    var signalMask: UInt64 = 0
    /// Signals that stay ignored, out of those that the init was started with.
    var ignoredSignals: UInt64 = 0
    /// For a stage: where its exports go, and what runs in the child.
    var exports: FileDescriptor?
    var stage: ((StageLaunch, Environment) -> Int32)?
    /// The group that it enters.
    var cgroup: Cgroups.Membership?
    /// It need not be known at once that the program runs.
    var isSilent = false
}

/// The starts that are under way.
final class Spawner {
    private struct Pending {
        var owner: ProcessOwner
        var process: Int32
        /// nil: the child tells in its request, and nobody is told when it has.
        var report: FileDescriptor?
        /// The child runs in this memory until its exec.
        var request: UnsafeMutablePointer<hi_request>
        var launch: Launch
        var generation: UInt32
    }

    private var pending: [Pending?] = []
    private var free: [Int] = []
    private var nextGeneration: UInt32 = 0
    /// Requests of children that failed and were not reaped yet: such a child may still be on its stack.
    private var dying: [Int32: UnsafeMutablePointer<hi_request>] = [:]

    /// Starts without a report pipe of which nothing is known yet.
    private(set) var silent = 0
    /// Children run in the init's memory here, as far as is known.
    private var sharesMemory = true

    /// The signals that were ignored when the init was started.
    private let inheritedIgnored: UInt64
    /// The limit of open files that the init was started with, where it has raised its own since.
    var descriptorLimit: rlimit?

    private let loop: EventLoop

    init(inheritedIgnored: UInt64, loop: EventLoop) {
        self.inheritedIgnored = inheritedIgnored
        self.loop = loop
    }

    /// Starts a process. Gives its ID; `Errno` where there could be none (clone(2), pipe2(2)).
    func spawn(_ launch: Launch, owner: ProcessOwner, options: SpawnOptions) throws(Errno) -> Int32 {
        var scriptFile: FileDescriptor?
        if let script = launch.script {
            let number = script.withUnsafeBytes { hi_memory_file($0.baseAddress, $0.count) }
            if number < 0 { throw Errno.current }
            scriptFile = FileDescriptor(owning: number)
        }
        var inputFile: FileDescriptor?
        if let input = launch.input {
            let number = input.withUnsafeBytes { hi_memory_file($0.baseAddress, $0.count) }
            if number < 0 { throw Errno.current }
            inputFile = FileDescriptor(owning: number)
            _ = lseek(number, 0, SEEK_SET)
        }
        guard let request = launch.request() else { throw .outOfMemory }
        fill(request, launch, options)
        if let inputFile { request.pointee.standard.0 = inputFile.number }
        if let notify = launch.notify {
            request.pointee.notify_source = notify.source.number
            request.pointee.notify_target = notify.target
        }
        request.pointee.tell_own_process = launch.tellsOwnProcess
        request.pointee.script = scriptFile?.number ?? options.exports?.number ?? -1

        nextGeneration &+= 1
        let slot = free.last ?? pending.count
        let token = Token(.report, index: slot, generation: nextGeneration)
        var process: Int32 = -1
        var report: FileDescriptor?
        // The child needs them: they must not be closed after their last use in Swift.
        withExtendedLifetime((scriptFile, inputFile, options)) {
            if options.isSilent && sharesMemory && !request.pointee.set_oom_score {
                request.pointee.report = -1
                process = hi_spawn(request)
                sharesMemory = process > 0 || Errno.current.code != EINVAL
                if sharesMemory { return }
            }
            // A report is shorter than any pipe, so that the child's end never waits either.
            guard let (readEnd, writeEnd) = try? FileDescriptor.boundedPipe(), loop.addReader(readEnd, token) else {
                return
            }
            report = readEnd
            request.pointee.report = writeEnd.number
            withExtendedLifetime(writeEnd) {
                if let stage = launch.stage, let run = options.stage {
                    process = hi_fork(request)
                    // In the child, a copy of the init: nothing of the loop is touched, and it ends here.
                    if process == 0 { hi_exit(run(stage, launch.environment)) }
                } else {
                    process = hi_spawn(request)
                }
            }
        }
        if process < 0 {
            let error = Errno.current
            hi_request_free(request)
            throw error
        }
        let entry = Pending(
            owner: owner, process: process, report: report, request: request, launch: launch,
            generation: token.generation)
        if free.popLast() == nil { pending.append(entry) } else { pending[slot] = entry }
        if report == nil { silent &+= 1 }
        return process
    }

    /// Looks at the starts without a report pipe: calls `body` with each that has come to its program, or has failed.
    func lookAtSilent(_ body: (ProcessOwner, Int32, SpawnOutcome) -> Void) {
        if silent == 0 { return }
        for slot in pending.indices where pending[slot] != nil && pending[slot]?.report == nil {
            guard let entry = pending[slot], let outcome = Spawner.outcome(entry, isGone: false) else { continue }
            settle(slot, entry, outcome)
            body(entry.owner, entry.process, outcome)
        }
    }

    /// Looks at the report of a start. nil while nothing is known, or where the token is an old one.
    func reportReady(_ token: Token) -> (owner: ProcessOwner, process: Int32, outcome: SpawnOutcome)? {
        guard pending.indices.contains(token.index), let entry = pending[token.index],
            entry.generation == token.generation, let outcome = Spawner.outcome(entry, isGone: false)
        else { return nil }
        settle(token.index, entry, outcome)
        return (entry.owner, entry.process, outcome)
    }

    /// A process was reaped. Gives how its start ended if that was not known yet: the report is read before the death counts.
    func processReaped(_ process: Int32) -> SpawnOutcome? {
        if let request = dying.removeValue(forKey: process) {
            hi_request_free(request)
            return nil
        }
        if free.count == pending.count { return nil }
        for slot in pending.indices where pending[slot]?.process == process {
            guard let entry = pending[slot] else { continue }
            let outcome = Spawner.outcome(entry, isGone: true) ?? .running
            settle(slot, entry, outcome)
            if let request = dying.removeValue(forKey: process) { hi_request_free(request) }
            return outcome
        }
        return nil
    }

    private func settle(_ slot: Int, _ entry: Pending, _ outcome: SpawnOutcome) {
        if let report = entry.report {
            // Closing is not enough: a child that is still on its way to its exec has the pipe too, and the loop would be
            // told of it without end.
            loop.remove(report.number)
        } else {
            silent &-= 1
        }
        pending[slot] = nil
        free.append(slot)
        switch outcome {
        case .running: hi_request_free(entry.request)
        case .failed: dying[entry.process] = entry.request
        }
    }

    private static func outcome(_ entry: Pending, isGone: Bool) -> SpawnOutcome? {
        guard let pipe = entry.report else {
            if !isGone && !hi_has_left(entry.request) { return nil }
            let told = entry.request.pointee.told
            return told.stage == 0 ? .running : .failed(told, entry.launch)
        }
        var report = hi_report()
        let size = MemoryLayout<hi_report>.size
        var count = 0
        var failure: Errno?
        withUnsafeMutableBytes(of: &report) { buffer in
            do throws(Errno) { count = try pipe.read(into: buffer) } catch { failure = error }
        }
        if let failure {
            // Another child that is still on its way to its exec may hold the pipe's other end.
            return failure == .again && !isGone ? nil : .running
        }
        return count == size ? .failed(report, entry.launch) : .running
    }

    private func fill(_ request: UnsafeMutablePointer<hi_request>, _ launch: Launch, _ options: SpawnOptions) {
        request.pointee.standard = (options.standard.input, options.standard.output, options.standard.error)
        request.pointee.new_session = options.newSession
        request.pointee.take_foreground = options.takesForeground
        request.pointee.take_terminal = options.takesTerminal
        request.pointee.keep_descriptors = options.keepsDescriptors
        request.pointee.shell_fallback = options.shellFallback
        request.pointee.signal_mask = options.signalMask
        request.pointee.ignored_signals = options.ignoredSignals
        request.pointee.default_signals = inheritedIgnored & ~options.ignoredSignals
        if let cgroup = options.cgroup { cgroup.fill(request) }
        if let limit = descriptorLimit {
            request.pointee.set_descriptor_limit = true
            request.pointee.descriptor_limit = limit
        }
    }
}

extension Launch {
    /// All that makes a process this one, in numbers and bytes for spawn.c; nil where memory is short. Its descriptors, signals
    /// and session are the caller's to fill in.
    func request() -> UnsafeMutablePointer<hi_request>? {
        let lists = [candidates, arguments, environment.entries, directory.map { [$0] } ?? []]
        var room = 0
        for list in lists {
            for text in list { room &+= text.count &+ 1 }
        }
        let strings = Bytes(unsafeUninitializedCapacity: room) { buffer, count in
            guard let first = UnsafeMutableRawPointer(buffer.baseAddress) else { return }
            for list in lists {
                for text in list {
                    text.withUnsafeBytes { text in
                        // A NUL would shift all that comes behind it: /etc/passwd can hold one.
                        count &+= hi_copy_text(first + count, text.baseAddress, text.count)
                    }
                }
            }
        }
        let groups = identity.groups ?? []
        let made = strings.withUnsafeBufferPointer { bytes in
            groups.withUnsafeBufferPointer { groups in
                hi_request_create(
                    bytes.baseAddress, bytes.count, candidates.count, arguments.count, environment.entries.count,
                    directory != nil, groups.baseAddress, groups.count)
            }
        }
        guard let request = made else { return nil }
        request.pointee.set_groups = identity.groups != nil
        if let gid = identity.gid {
            request.pointee.set_gid = true
            request.pointee.gid = gid
        }
        if let uid = identity.uid {
            request.pointee.set_uid = true
            request.pointee.uid = uid
        }
        if let umask {
            request.pointee.set_umask = true
            request.pointee.umask = umask
        }
        execution.fill(request, uid: identity.uid ?? geteuid())
        return request
    }
}
