import ConfigParser
import System

/// `--check`: the files as a boot would read them, and then what they mean. What a boot would refuse is found here as the boot
/// finds it; beyond that there is what would fail only when a service starts (a user that is not there), and what cannot
/// have been meant (a condition that never holds). A boot does not look for the latter: it would confine such a
/// failure to its service. Needs no privilege and changes nothing.

/// What to check.
public struct CheckRequest: Sendable {
    /// Weakest first.
    public var folders: [Bytes] = BootOptions.defaultFolders
    /// Each folder must be there.
    public var foldersAreRequired = false
    /// The folder that an image lies unpacked in; nil for this machine.
    public var root: Bytes?
    /// Whether users, programs and folders are looked for at all.
    public var looksAtMachine = true
    /// One service file in place of those of the folders. The services that it names are taken to be there.
    public var single: InputFile?

    /// The folders of a boot, on this machine.
    public init() {}
}

/// Reads and checks. The diagnostics of the result are in file and line order, and no secret that was found stands in its
/// sources any more.
/// - Parameter environment: that of this process, which stands for that of the container where no root is given.
@inline(never)
public func check(_ request: CheckRequest, environment: Environment, stages: Stages) -> ReadResult {
    let tree = FileTree(root: request.root)
    var folderDiagnostics = [Diagnostic]()
    var files = [InputFile]()
    if let single = request.single {
        files = [single]
    } else {
        files = readFolders(
            request.folders, areRequired: request.foldersAreRequired, in: tree, diagnostics: &folderDiagnostics)
    }
    var view: ImageView?
    var place: InstancePlace?
    if request.looksAtMachine {
        // Of an image it is not known what its containers are given, but for what all of them are.
        var expected = environment
        if request.root != nil {
            expected = Environment()
            expected.set("PATH", standardPath)
        }
        view = ImageView(tree, environment: expected)
        view?.isImage = request.root != nil
        place = InstancePlace(tree: tree, environment: expected, isEnvironmentOpen: request.root != nil)
    }
    var result = checkFiles(files, isSingle: request.single != nil, stages: stages, view: view, instances: place)
    result.diagnostics = Diagnostic.sorted(folderDiagnostics + result.diagnostics)
    return result
}

/// Everything that is checked of files that were read.
/// - Parameters:
///   - isSingle: there are other services that are not among the files.
///   - view: the machine or image; nil: only the files are looked at.
///   - instances: where those of templates are looked for; nil: nowhere.
func checkFiles(
    _ files: [InputFile], isSingle: Bool, stages: Stages, view: ImageView?, instances: InstancePlace? = nil
) -> ReadResult {
    let meaning = MeaningCheck(isSingle: isSingle, view: view, stages: stages)
    // Of the files alone it is judged as on this machine.
    let isThere = { (path: Bytes) in
        guard let view else { return isExecutable(path) }
        guard let kind = view.knownKind(path) else { return true }
        return kind == .regular && view.isProgram(path)
    }
    var result = ConfigurationReader.read(files) { meaning.inspect($0, $1, isSound: $2) }
    meaning.services = result.configuration.services
    if isSingle {
        stages.check(
            result.configuration.described, sources: result.sources, &result.diagnostics, isThere: isThere)
    } else {
        var start = BootFacts.none
        start.instances = instances
        let loaded = complete(result, arguments: [], stages: stages, start: start, isThere: isThere)
        result = loaded.result
        meaning.services = loaded.services
        meaning.graph = loaded.graph
    }
    meaning.run(result)
    result.diagnostics = Diagnostic.sorted(result.diagnostics + meaning.diagnostics)
    for span in meaning.secrets { result.sources.hide(span) }
    return result
}

/// The checks of meaning: a function of what was read and of what the view answers. Each service is shown to it while its
/// table is there (`inspect`); the rest waits until all of them are known (`run`).
final class MeaningCheck {
    /// One file without the others.
    let isSingle: Bool
    /// nil: nothing but the files is looked at.
    let view: ImageView?
    /// nil where it is wrong, or not known.
    var graph: Graph?

    /// Those of the graph, by index: instances are among them, their templates are not.
    var services: [Service] = []
    var settings = Settings()
    var sources = SourceMap()
    var diagnostics: [Diagnostic] = []
    /// Where secrets stand in the files.
    var secrets: [Span] = []
    /// Of each file, a service or a template, in the order in which they were shown: its name, whether it has no mistake,
    /// and where its `[stop] timeout` stands.
    private var shown: [(name: String, isSound: Bool, stopTimeout: Span?)] = []
    /// For each service, by index: where the `[stop] timeout` stands.
    var stopTimeouts: [Span?] = []

    /// More than this of one service is not told: a file of a million mistakes must not cost more than its own size.
    private static let most = 100
    private var told = 0
    var hasToldEnough: Bool { told >= MeaningCheck.most }
    /// The services by their names; -1 for those that are masked or broken.
    var names = NameIndex()
    private var suggestions = 0
    let stages: Stages
    /// Variables that stages may export.
    var exported: [String] = []
    /// Some stage may export any variable.
    var isAnyExported = false
    /// The environment that the service at hand will get.
    let environment = ExpectedEnvironment()
    /// Those variables of it that were told of.
    var unset: [String] = []

    init(isSingle: Bool, view: ImageView?, stages: Stages) {
        self.isSingle = isSingle
        self.view = view
        self.stages = stages
    }

    /// Checks what one service says in itself. Of one whose file has a mistake only the secrets are looked for, so that no
    /// report shows them: what it means is not known.
    func inspect(_ service: Service, _ table: Table, isSound: Bool) {
        told = isSound ? 0 : MeaningCheck.most
        var timeout: Span?
        if let stop = table.inner("stop") { timeout = stop.entry("timeout")?.value.span }
        shown.append((service.name, isSound, timeout))
        if case .plugin(let plugin, let options) = service.action { noteExports(plugin.name, options) }
        checkSecrets(service.environment)
        if !isSound { return }
        checkConditions(service.when, of: service, table, "when")
        checkConditions(service.autostartWhen, of: service, table, "autostart")
        checkEffects(of: service, table)
        if case .command(let words) = service.action { checkShellWords(words) }
        for words in service.furtherCommands { checkShellWords(words) }
    }

    /// What a stage may set for the services that start after it.
    private func noteExports(_ plugin: String, _ options: Table) {
        guard let known = stages.table(plugin), let names = known.exports else {
            isAnyExported = true
            return
        }
        exported += names
        if case .string(let name)? = options.entry("export")?.value.kind { exported.append(name) }
    }

    /// Checks what needs all services, and the machine.
    func run(_ result: ReadResult) {
        settings = result.configuration.settings
        sources = result.sources
        for name in result.configuration.maskedNames { names[name] = -1 }
        for name in result.configuration.brokenNames { names[name] = -1 }
        for name in result.configuration.templateNames { names[name] = -1 }
        for index in services.indices {
            names[services[index].name] = index
            // One of its instances stands for a template where the graph is asked.
            if let (template, _) = instanceName(services[index].name) { names[template] = index }
        }
        var places = NameIndex()
        for place in shown.indices { places[shown[place].name] = place }
        for index in services.indices {
            var name = services[index].name
            if let (template, _) = instanceName(name) { name = template }
            var timeout: Span?
            if let place = places[name] { timeout = shown[place].stopTimeout }
            stopTimeouts.append(timeout)
        }
        let described = result.configuration.described
        for service in described {
            guard let place = places[service.name], shown[place].isSound else { continue }
            told = 0
            if !isSingle {
                checkOrder(service, service.after, "after")
                checkOrder(service, service.before, "before")
            }
            if let view { checkMachine(service, view) }
        }
        told = 0
        checkSecrets(settings.environment)
        checkStopTimes()
        if !isSingle { diagnostics += portCollisions(described) }
    }

    @inline(never)
    func tell(
        _ severity: Diagnostic.Severity, _ code: String, _ title: String, at span: Span,
        context: [Diagnostic.Label] = [], notes: [String] = [], help: String
    ) {
        told &+= 1
        if told > MeaningCheck.most { return }
        diagnostics.append(
            Diagnostic(severity, code: code, title, at: .init(span), context: context, notes: notes, help: help))
    }

    @inline(never)
    func warn(_ code: String, _ title: String, at span: Span, note: String = "", help: String) {
        tell(.warning, code, title, at: span, notes: note.isEmpty ? [] : [note], help: help)
    }

    /// The nearest of many names; nil after a few, since each takes as long as there are names.
    func suggestion(for name: String, among all: () -> [String]) -> String? {
        suggestions &+= 1
        return suggestions > 16 ? nil : nearest(to: name, among: all())
    }

    /// `after` and `before` may name what is not there; mostly it is a slip.
    private func checkOrder(_ service: Service, _ references: [Reference], _ key: String) {
        for reference in references where names[reference.name] == nil && reference.name != "main" {
            // An instance that is not there now can be made at any time.
            if let (template, _) = instanceName(reference.name), names[template] != nil { continue }
            var help = "take it out, or add the service"
            let near = suggestion(for: reference.name) {
                var all = [String]()
                for other in services where other.name != service.name { all.append(other.name) }
                return all
            }
            if let near { help = say("did you mean \"%\"?", near) }
            warn(
                "no-effect", say("\"%\" in `%` has no effect: there is no such service", reference.name, key),
                at: reference.span, help: help)
        }
    }
}

extension Service {
    /// The commands beside its own: those of `[stop]`, `[reload]`, `[ready]` and `[health]`.
    var furtherCommands: [[Template]] {
        var commands = [[Template]]()
        if let words = stop.command { commands.append(words) }
        if case .command(let words)? = reload { commands.append(words) }
        for case .command(let words) in probes { commands.append(words) }
        return commands
    }

    /// The addresses and paths at which it is asked.
    var probedPlaces: [Template] {
        var places = [Template]()
        for probe in probes {
            switch probe {
            case .tcp(let place), .unix(let place), .http(let place), .path(let place): places.append(place)
            case .command: break
            }
        }
        return places
    }

    private var probes: [Probe] {
        var probes = [Probe]()
        if case .probe(let probe)? = ready?.readiness { probes.append(probe) }
        if case .probe(let probe)? = health?.check { probes.append(probe) }
        return probes
    }
}

extension Table {
    /// The table of a key.
    func inner(_ key: String) -> Table? {
        guard case .table(let table)? = entry(key)?.value.kind else { return nil }
        return table
    }
}
