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
    var result = ConfigurationReader.read(files, keepsTables: true)
    var graph: Graph?
    if request.single == nil {
        let loaded = complete(result, arguments: [], stages: stages)
        result = loaded.result
        graph = loaded.graph
    } else {
        stages.check(result.configuration.services, &result.diagnostics)
    }
    let meaning = MeaningCheck(result, graph: graph, isSingle: request.single != nil)
    if request.looksAtMachine {
        // Of an image it is not known what its containers are given, but for what all of them are.
        var expected = environment
        if request.root != nil {
            expected = Environment()
            expected.set("PATH", standardPath)
        }
        meaning.view = ImageView(tree, environment: expected)
        meaning.isImage = request.root != nil
    }
    meaning.run()
    result.diagnostics = Diagnostic.sorted(folderDiagnostics + result.diagnostics + meaning.diagnostics)
    for span in meaning.secrets { result.sources.hide(span) }
    result.tables = []
    return result
}

/// The checks of meaning: a function of what was read and of what the view answers.
final class MeaningCheck {
    let services: [Service]
    /// What the services were read from.
    let tables: [Table]
    let settings: Settings
    /// What was found wrong before.
    private let mistakes: [Diagnostic]
    /// nil where it is wrong, or not known.
    let graph: Graph?
    /// One file without the others.
    let isSingle: Bool
    /// nil: nothing but the files is looked at.
    var view: ImageView?
    /// The view is of an image, not of what runs here.
    var isImage = false

    var diagnostics: [Diagnostic] = []
    /// Where secrets stand in the files.
    var secrets: [Span] = []

    /// More than this of one service is not told: a file of a million mistakes must not cost more than its own size.
    private static let most = 100
    private var told = 0
    /// The services by their names; -1 for those that are masked or broken.
    var names = NameIndex()
    private var suggestions = 0
    /// Variables that stages export.
    var exported: [String] = []
    /// Those variables of the service at hand that were told of.
    var unset = NameIndex()

    init(_ result: ReadResult, graph: Graph?, isSingle: Bool = false) {
        services = result.configuration.services
        tables = result.tables
        settings = result.configuration.settings
        mistakes = result.diagnostics
        self.graph = graph
        self.isSingle = isSingle
        for name in result.configuration.maskedNames { names[name] = -1 }
        for name in result.configuration.brokenNames { names[name] = -1 }
        for index in services.indices {
            names[services[index].name] = index
            guard case .plugin(_, let options) = services[index].action,
                case .string(let variable)? = options.entry("export")?.value.kind
            else { continue }
            exported.append(variable)
        }
    }

    /// Checks everything. A service whose file has an error is left alone: what it means is not known.
    func run() {
        var wrong = NameIndex()
        for diagnostic in mistakes where diagnostic.severity == .error {
            guard let file = diagnostic.primary?.span.file, diagnostic.code != "graph-cycle",
                diagnostic.code != "graph-missing-service"
            else { continue }
            wrong[String(file.index)] = 0
        }
        for index in services.indices where index < tables.count {
            let service = services[index]
            if let file = service.file, wrong[String(file.index)] != nil { continue }
            told = 0
            checkConditions(of: service, tables[index])
            checkEffects(of: service, tables[index])
            if !isSingle {
                checkOrder(service.after, "after")
                checkOrder(service.before, "before")
            }
            checkSecrets(service.environment)
            if case .command(let words) = service.action { checkShellWords(words) }
            if let words = service.stop.command { checkShellWords(words) }
            if let view { checkMachine(service, view) }
        }
        told = 0
        checkSecrets(settings.environment)
        checkStopTimes()
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

    /// `after` and `before` may name what is not there; mostly it is a slip.
    private func checkOrder(_ references: [Reference], _ key: String) {
        for reference in references where names[reference.name] == nil && reference.name != "main" {
            var help = "take it out, or add the service"
            suggestions &+= 1
            if suggestions <= 16 {
                var all = [String]()
                for service in services { all.append(service.name) }
                if let near = nearest(to: reference.name, among: all) { help = say("did you mean \"%\"?", near) }
            }
            warn(
                "no-effect", say("\"%\" in `%` has no effect: there is no such service", reference.name, key),
                at: reference.span, help: help)
        }
    }
}
