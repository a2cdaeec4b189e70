import CSystem
import ConfigParser
import System

/// The loop of the init: one thread, one epoll. It sees facts (a signal, a death, a report, a moment), hands them to the core,
/// and carries out what the core says. It decides nothing itself; it polls nothing; it waits only in epoll_wait.
final class Driver {
    var core: Core
    /// By slot.
    var services: [Service] { core.services }
    var reading = Reading()
    let context: LaunchContext
    let stages: Stages
    /// By service: where the exports of a stage that runs arrive.
    var exports: [Int: FileDescriptor] = [:]
    let options: BootOptions
    let voice: StandInVoice?
    let inherited: InheritedSignals
    let loop: EventLoop
    let signals: FileDescriptor
    let timer: FileDescriptor
    let null: FileDescriptor
    let standardOutput: ContainerOutput
    let standardError: ContainerOutput
    let relay: OutputRelay
    /// Once a full-screen program is to have the terminal.
    var quiet: Quiet?
    let spawner: Spawner
    var terminal: Terminal
    var stragglers = Stragglers()
    let cgroups = Cgroups()
    /// The services of which it was said that their program puts itself in the background.
    var backgrounders: [Int] = []
    let own = getpid()

    var owners: [Int32: ProcessOwner] = [:]
    /// By service: its process while there is one, and the process group it had last.
    var processes: [Int32]
    var groups: [Int32]
    var stopCommands: [Int32]
    /// By service: the command of `[reload]` that runs, and what is watched of those with a `[ready]` or `[health]`.
    var reloadCommands: [Int: Int32] = [:]
    var watches: [Int: ServiceWatch] = [:]
    var lastGeneration: UInt32 = 0
    var statusFile = StatusFile()
    /// What it holds is old, and is written anew at that moment; the core's revision when that was looked at.
    var statusIsOld = false
    var statusDue: Instant?
    /// How long it is old.
    var statusDelay = Driver.statusDelay
    var statusRevision: UInt64 = 0
    var statusStart = Bytes()
    var toldOfMissingStatus = false
    /// The next wait begins with giving memory back; when that is to be so, and when it was so last.
    var restsNext = false
    var restDue: Instant?
    var lastRest = Instant(nanoseconds: 0)
    let control = ControlServer()
    /// What was asked of services with `remember`; nil where none has it.
    var asked: AskedMemory?
    /// All that stages exported, as it stands in the file for `hermes-init exec`.
    var exported = StageRecords()
    /// What the wait may do with signals by itself, and the core's revision when it was asked.
    var forwarding = PlainForwarding()
    var forwardingRevision: UInt64 = 0
    var queue: [Event] = []
    var armed: Instant?
    /// The loop could not be asked.
    var isBlind = false
    var mayHaveMoreToReap = false
    var hasChildren = true
    var waitsForStragglers = false
    var exitCode: Int32?

    /// Deaths looked at in one turn, so that a flood of orphans does not keep a service's restart waiting.
    static let reapedInOneTurn = 1024

    init(
        core: Core, context: LaunchContext, stages: Stages,
        options: BootOptions,
        voice: StandInVoice?, inherited: InheritedSignals, output: (standard: ContainerOutput, error: ContainerOutput),
        terminal: Terminal, null: FileDescriptor
    ) throws(Errno) {
        self.null = null
        self.core = core
        self.context = context
        self.stages = stages
        self.options = options
        self.voice = voice
        self.inherited = inherited
        self.terminal = terminal
        (standardOutput, standardError) = output
        loop = try EventLoop()
        let signalNumber = hi_signalfd()
        if signalNumber < 0 { throw Errno.current }
        signals = FileDescriptor(owning: signalNumber)
        let timerNumber = timerfd_create(CLOCK_MONOTONIC, O_CLOEXEC | O_NONBLOCK)
        if timerNumber < 0 { throw Errno.current }
        timer = FileDescriptor(owning: timerNumber)
        relay = OutputRelay(standardOutput: standardOutput, standardError: standardError, loop: loop)
        spawner = Spawner(inheritedIgnored: inherited.ignored, loop: loop)
        let count = core.services.count
        processes = [Int32](repeating: 0, count: count)
        groups = [Int32](repeating: 0, count: count)
        stopCommands = [Int32](repeating: 0, count: count)
        try loop.mustAddReader(signals, Token(.signals))
        try loop.mustAddReader(timer, Token(.timer))
        if count > Driver.servicesWithinUsualLimit { raiseDescriptorLimit() }
    }

    /// From the first event to the exit code.
    func run() -> Int32 {
        openControl()
        queue.append(.boot)
        pump()
        while exitCode == nil {
            arm()
            turn()
            pump()
        }
        statusFile.remove()
        closeControl()
        if options.standIn == .dumbInit { tellSession() }
        endQuiet()
        finishAsked()
        finishOutput()
        terminal.takeBack()
        cgroups.remove()
        return exitCode ?? 0
    }

    /// As dumb-init does at its end: SIGTERM to what is left of the main program's session, and no waiting. With
    /// --single-child that is nobody.
    func tellSession() {
        if options.mainGetsSession, let main = core.main {
            sendToGroup(.terminate, of: main)
        } else {
            tell(.forwarded(SIGTERM))
        }
        tell(.ends(code: exitCode ?? 0))
    }

    /// A reader that is stuck when everything is over gets this long, in milliseconds.
    static let lastWriteTime: Int32 = 1000

    /// There was no service file at all when the container was started.
    var isBare: Bool { core.options.isBare }

    // MARK: - The log

    func announce(_ announcement: Announcement) {
        controlHeard(announcement)
        if announcement.severity.rawValue >= core.settings.logLevel.rawValue {
            log(announcement.text(services: services), announcement.severity)
        }
    }

    /// A step that the program which the init stands in for would tell of.
    func tell(_ step: StandInStep) {
        if let voice, let line = voice.line(step) { standardError.append(message: Bytes((say("%\n", line)).utf8)) }
    }

    /// A line on the container's stderr.
    func log(_ text: String, _ severity: AnnouncementSeverity = .warning) {
        controlLogged(text, severity)
        standardError.append(message: Bytes((say("hermes-init: %\n", text)).utf8))
    }

    // MARK: - Descriptors

    /// Below this many services the usual limit of 1,024 descriptors has room for their pipes.
    static let servicesWithinUsualLimit = 200

    /// A service's pipes take four descriptors in the init. Its children get the limit back that it was started with.
    func raiseDescriptorLimit() {
        var before = rlimit()
        if hi_raise_descriptor_limit(&before) { spawner.descriptorLimit = before }
    }
}

/// The signal mask and the ignored signals that the init was started with: the main program gets them back.
struct InheritedSignals {
    var mask: UInt64
    var ignored: UInt64

    /// Blocks every signal; from here on nothing that a signal can do is lost.
    static func block() -> InheritedSignals {
        let mask = hi_block_all_signals()
        let ignored = hi_ignored_signals()
        // Ignored, the kernel would reap by itself and no exit status would ever arrive.
        hi_default_signal(SIGCHLD)
        return InheritedSignals(mask: mask, ignored: ignored)
    }
}
