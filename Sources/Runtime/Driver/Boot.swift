import CSystem
import ConfigParser
import System

/// The beginning of a boot, in the order that loses nothing: signals are blocked and the three standard descriptors made
/// sure of before a file is read; everything is read and checked before a process is started.

/// The files of a boot, read and checked: what `--check` and `--plan` show and what a boot starts from.
public struct Loaded: Sendable {
    /// What the files say, with everything that is wrong in them and between them.
    public var result: ReadResult
    /// In the order of the graph's IDs: the services of the files, the instances of templates, and the main program where no
    /// file names one. `autostart` is what holds for this boot.
    public var services: [Service]
    /// By service: why it starts at boot or not, where `autostart` alone does not say it; else empty.
    public var reasons: [String] = []
    /// What was asked before, where a service has `remember`.
    public var asked = AskedReading.nothing
    /// Whether a service or template has `remember`.
    public var remembers: Bool {
        let described = result.configuration.described
        for place in described.indices where described[place].remember { return true }
        return false
    }
    /// The place of that main program in `services`.
    public var implicitMain: Int?
    /// nil where something is wrong.
    public var graph: Graph?

    /// Why what was asked before is not known, in a line; nil where it is.
    public var askedProblem: String? { asked.line(result.configuration.settings.stateDirectory) }

    /// No file was found at all.
    public var isBare: Bool { result.sources.files.isEmpty }

    /// Whether a boot has to be refused.
    public var hasErrors: Bool {
        for diagnostic in result.diagnostics where diagnostic.severity == .error { return true }
        return graph == nil
    }
}

/// Reads the folders and checks what is in them.
/// - Parameters:
///   - folders: weakest first; each must be there where `areRequired`.
///   - arguments: the container's; they make a main program where no file does.
///   - stages: the plugins that services may name.
///   - asked: what is known to have been asked; nil: as the file in the state directory says.
///   - wanted: instances of templates that are to be there, whatever the files and the folders of `from` say.
public func load(
    folders: [Bytes], areRequired: Bool, arguments: [Bytes], stages: Stages, asked: AskedState? = nil,
    wanted: [String] = [], environment: Environment = .ofProcess()
) -> Loaded {
    var folderDiagnostics = [Diagnostic]()
    let files = readFolders(folders, areRequired: areRequired, diagnostics: &folderDiagnostics)
    var result = ConfigurationReader.read(files)
    result.diagnostics = folderDiagnostics + result.diagnostics
    let context = ConditionContext(arguments: arguments, environment: environment)
    var start = BootFacts(instances: InstancePlace(environment: context.environment), context: context, wanted: wanted)
    if let asked { start.asked = .state(asked) }
    return complete(result, arguments: arguments, stages: stages, start: start)
}

/// What decides, beside the files, which services there are and which of them start.
struct BootFacts {
    /// Where instances are looked for; nil: nowhere.
    var instances: InstancePlace?
    /// What `[autostart]` is judged by; nil: it counts as true.
    var context: ConditionContext?
    /// Instances that are to be there.
    var wanted: [String] = []
    /// nil: to be read where it is needed.
    var asked: AskedReading?

    /// Nothing but the files.
    static var none: BootFacts { BootFacts(asked: .nothing) }
}

/// What was read, with the main program where no file names one, the stages checked, and the graph.
/// - Parameter isThere: whether an executable is at a path.
func complete(
    _ read: ReadResult, arguments: [Bytes], stages: Stages, start: BootFacts = .none,
    isThere: (Bytes) -> Bool = isExecutable
) -> Loaded {
    var loaded = Loaded(result: read, services: [])
    if loaded.remembers {
        loaded.asked = start.asked ?? AskedReading.read(read.configuration.settings.stateDirectory.bytes)
    }
    var result = read
    var services = result.configuration.services
    services += makeInstances(
        result.configuration, wanted: start.wanted, asked: loaded.asked.state.up, place: start.instances,
        diagnostics: &result.diagnostics)
    var implicitMain: Int?
    if !arguments.isEmpty, !services.contains(where: { $0.type == .main }) {
        var main = Service(name: services.contains(where: { $0.name == "main" }) ? "main program" : "main")
        main.type = .main
        main.restart.policy = .never
        main.log.to = .inherit
        implicitMain = services.count
        services.append(main)
    }
    if let context = start.context { loaded.reasons = decideAutostart(&services, loaded.asked.state, context) }
    stages.check(result.configuration.described, sources: result.sources, &result.diagnostics, isThere: isThere)
    let first = result.diagnostics.count
    // A template must be right although it has no instance yet.
    let spare = placeholders(result.configuration.templates, services)
    if !spare.isEmpty {
        _ = Graph.build(
            services + spare, masked: result.configuration.maskedNames, diagnostics: &result.diagnostics)
    }
    if result.diagnostics.count == first {
        loaded.graph = Graph.build(
            services, masked: result.configuration.maskedNames, diagnostics: &result.diagnostics)
    }
    explainInstances(&result.diagnostics, from: first, result.configuration, services + spare)
    (loaded.result, loaded.services, loaded.implicitMain) = (result, services, implicitMain)
    return loaded
}

/// An instance, under a name that no real one has, of each template that has none.
private func placeholders(_ templates: [ServiceTemplate], _ services: [Service]) -> [Service] {
    var placeholders = [Service]()
    if templates.isEmpty { return placeholders }
    var known = NameIndex()
    for place in services.indices {
        if let (template, _) = instanceName(services[place].name) { known[template] = 0 }
    }
    for place in templates.indices where known[templates[place].service.name] == nil {
        placeholders.append(templates[place].instance("INSTANCE"))
    }
    return placeholders
}

/// Boots: the whole life of the container. Gives its exit code.
/// - Parameter stages: the plugins that services may name.
public func boot(_ options: BootOptions, stages: Stages) -> Int32 {
    hi_keep_memory()
    let inherited = InheritedSignals.block()
    let closed = openMissingDescriptors()
    let standardOutput = ContainerOutput(descriptor: 1)
    let standardError = isSameFile(1, 2) ? standardOutput : ContainerOutput(descriptor: 2)

    /// Ends before there is a loop.
    func giveUp(_ text: String, code: Int32) -> Int32 {
        standardError.append(message: Bytes(text.utf8))
        standardError.drain(milliseconds: timeForReport)
        return code
    }

    for name in closed {
        standardError.append(
            message: Bytes(
                (say(
                    """
                    hermes-init: % was closed when the container started; /dev/null stands in for it. Give it one \
                    where the container is started (docker run -i, or a redirection)\n
                    """, name)).utf8))
    }
    becomeReaper(options)
    let environment = Environment.ofProcess()
    let loaded = load(
        folders: options.folders, areRequired: options.foldersAreRequired, arguments: options.arguments, stages: stages,
        environment: environment)
    // no-color.org
    let wantsColor = isatty(2) == 1 && (environment.value("NO_COLOR") ?? []).isEmpty
    let renderer = DiagnosticRenderer(sources: loaded.result.sources, color: wantsColor)
    guard !loaded.hasErrors, let graph = loaded.graph else {
        let text =
            say(
                """
                %hermes-init: the configuration is wrong, so nothing was started; mend the files above \
                (hermes-init --check shows the same without booting)\n
                """, renderer.render(loaded.result.diagnostics))
        return giveUp(text, code: LaunchCode.configuration)
    }
    if !loaded.result.diagnostics.isEmpty {
        standardError.append(message: Bytes(renderer.render(loaded.result.diagnostics).utf8))
    }
    if loaded.services.isEmpty {
        let text =
            say(
                """
                hermes-init: there is nothing to run: no command was given and no service file was found in %. \
                Write hermes-init -- COMMAND, or add a service file\n
                """, shown(options.folders))
        return giveUp(text, code: usageCode)
    }

    var terminal = Terminal()
    let voice = options.standIn.map {
        StandInVoice(
            program: $0, verbosity: options.verbosity, warnsWhenReaping: options.warnsWhenReaping, own: getpid())
    }
    func tell(_ step: StandInStep) {
        if let line = voice?.line(step) { standardError.append(message: Bytes((say("%\n", line)).utf8)) }
    }
    if options.mainGetsSession, let error = terminal.giveUp() { tell(.cannotGiveUpTerminal(error)) }
    if getpid() != 1 && !hi_is_subreaper() { tell(.reapsNothing) }
    let context = LaunchContext(
        environment: environment, settings: loaded.result.configuration.settings, arguments: options.arguments,
        own: .current(), sources: loaded.result.sources, stages: stages)
    var step = ""
    do throws(Errno) {
        step = "open /dev/null"
        let null = try FileDescriptor.open(Bytes("/dev/null"), flags: O_RDONLY)
        step = "set up the event loop"
        let driver = try Driver(
            core: core(loaded, graph, options), context: context, stages: stages, options: options, voice: voice,
            inherited: inherited,
            output: (standardOutput, standardError), terminal: terminal, null: null)
        driver.startMemory(of: loaded)
        driver.reading.templates = loaded.result.configuration.templates
        driver.reading.masked = loaded.result.configuration.maskedNames
        let code = driver.run()
        // Here, since what the driver holds would be given back piece by piece first; the kernel does it at once.
        hi_exit(options.codesThatBecomeZero.contains(code) ? 0 : code)
    } catch {
        return giveUp(
            say("hermes-init: cannot %: %; %\n", step, error.text, remedy(error)), code: LaunchCode.system)
    }
}

/// What to do where the boot cannot have what it needs of the kernel.
private func remedy(_ error: Errno) -> String {
    switch error.code {
    case EMFILE, ENFILE: "raise the limit on open files (docker run --ulimit nofile=…)"
    case ENOMEM: "give the container more memory"
    case ENOENT, ENOTDIR, ENXIO, ENODEV:
        "mount the usual devices at /dev, as container runtimes do (mount --bind /dev ROOT/dev)"
    default: "a seccomp or security profile may forbid it"
    }
}

/// EX_USAGE of sysexits.h.
private let usageCode: Int32 = 64

/// How long a reader of the report may take, in milliseconds, before the init ends all the same.
private let timeForReport: Int32 = 5000

private func core(_ loaded: Loaded, _ graph: Graph, _ options: BootOptions) -> Core {
    var coreOptions = Core.Options()
    coreOptions.seed = UInt64(bitPattern: hi_monotonic_nanoseconds()) ^ UInt64(UInt32(bitPattern: getpid())) << 40
    coreOptions.isBare = loaded.isBare
    coreOptions.forwardsToGroup = options.forwardsToGroup
    coreOptions.suspendsItself = options.suspendsItself
    coreOptions.skipsStragglers = options.standIn != nil && getpid() != 1
    let settings = effectiveSettings(loaded.result.configuration.settings, options)
    return Core(services: loaded.services, settings: settings, graph: graph, options: coreOptions)
}

/// What init.toml says, with the rewrites of the command line where it says nothing.
func effectiveSettings(_ read: Settings, _ options: BootOptions) -> Settings {
    var settings = read
    for rewrite in options.rewrites where !settings.signals.contains(where: { $0.signal == rewrite.signal }) {
        settings.signals.append((rewrite.signal, rewrite.to.map { .rewrite($0) } ?? .ignore))
    }
    return settings
}

private func shown(_ folders: [Bytes]) -> String {
    var text = ""
    for folder in folders { text += (text.isEmpty ? "" : ", ") + folder.shown }
    return text
}

/// Orphans come to the init of their own accord where it is PID 1; elsewhere it asks for them (PR_SET_CHILD_SUBREAPER).
private func becomeReaper(_ options: BootOptions) {
    if getpid() != 1 && options.becomesSubreaper { hi_become_subreaper() }
    if let signal = options.parentDeathSignal { hi_set_parent_death_signal(signal.number) }
}

/// The standard descriptors must be open before anything else is opened, or a pipe of the init would take their place.
/// Gives the names of those that were not.
private func openMissingDescriptors() -> [String] {
    var closed = [String]()
    for (number, name) in ["stdin", "stdout", "stderr"].enumerated() where !hi_is_open(Int32(number)) {
        closed.append(name)
        // The lowest free number, which is this one; kept for the whole life.
        _ = hi_open_null()
    }
    return closed
}

/// Whether two descriptors lead to the same pipe, terminal or file.
private func isSameFile(_ one: Int32, _ other: Int32) -> Bool {
    var first = hi_file()
    var second = hi_file()
    return hi_fstat(one, &first) == 0 && hi_fstat(other, &second) == 0 && first.device == second.device
        && first.inode == second.inode && first.special == second.special
}
