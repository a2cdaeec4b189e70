import CSystem
import ConfigParser
import System

/// The host's side of stages: what the runtime knows of plugins. A stage that is built in runs in a child made by fork
/// without exec; any other `plugin` is an executable, which is started as every program is. The `hermes-init` module makes
/// `Stages` from the registry of Plugins, since the two modules do not know each other. What stages leave behind is taken
/// by StageRecords.swift.

/// The stages that are built in, as the runtime sees them.
public struct Stages: Sendable {
    /// What a stage sees beside its options.
    public struct Surroundings: Sendable {
        /// The environment that a process of its service would get.
        public var environment: Environment
        /// The arguments of the main program, as the container got them.
        public var arguments: [Bytes]
        /// The container's stdin and stdout are a terminal.
        public var isTerminal: Bool
        /// Nothing is to be changed; what would be is told.
        public var isDryRun: Bool
        /// The users and groups with the numbers that earlier stages gave; nil: as the files in /etc have them.
        public var accounts: Accounts?
    }

    /// The options of each.
    public let tables: [OptionTable]
    /// Runs a stage to its end, in a child that was made for it. Gives the exit code.
    public let run: @Sendable (String, StageOptions, Surroundings) -> Int32

    /// Made from a registry: the options of each plugin, and how to run one.
    public init(
        tables: [OptionTable], run: @escaping @Sendable (String, StageOptions, Surroundings) -> Int32
    ) {
        self.tables = tables
        self.run = run
    }

    /// No stages at all.
    public static let none = Stages(tables: [], run: { _, _, _ in 1 })

    /// The options of a built-in stage; nil where there is none of that name.
    func table(_ name: String) -> OptionTable? {
        for table in tables where table.plugin == name { return table }
        return nil
    }
}

/// A stage that is about to run.
struct StageLaunch {
    var name: String
    var options: StageOptions
}

extension LaunchContext {
    /// A stage that is built in: its options with the variables put in.
    func takeStage(_ known: OptionTable, _ table: Table, _ launch: inout Launch) throws(LaunchError) {
        // The mistakes were told when the file was read.
        var ignored = [Diagnostic]()
        let templates = known.read(table, sources: sources, diagnostics: &ignored)
        let environment = launch.environment
        let options = try templates.expand { (template, name) throws(LaunchError) in
            try expand(template, environment, say("[options] %", name))
        }
        launch.stage = StageLaunch(name: known.plugin, options: options)
        launch.arguments = [Bytes(known.plugin.utf8)]
    }

    /// An executable: it reads its options as JSON from its standard input. JSON is text, so bytes that are not UTF-8 in the
    /// value of a variable become U+FFFD.
    func takeExternal(_ name: String, _ table: Table, _ launch: inout Launch) throws(LaunchError) {
        guard let path = externalPlugin(name) else {
            throw LaunchError(
                code: LaunchCode.notFound,
                message: say("there is no plugin %, and no executable %%", name, pluginFolder, name))
        }
        let environment = launch.environment
        let value = try Value(.table(table), table.span).mappingStrings { (text, span) throws(LaunchError) in
            var ignored = [Diagnostic]()
            let template = Template.parse(text, span: span, sources: sources, diagnostics: &ignored)
            return String(decoding: try expand(template, environment, "[options]"), as: UTF8.self)
        }
        if case .table(let table) = value.kind { launch.input = JSONForm.text(table, typed: false) }
        launch.candidates = [path]
        launch.arguments = [path]
    }
}

/// Where an executable is looked for that a `plugin` without a `/` names.
private let pluginFolder = "/usr/lib/hermes-init/plugins/"

/// Where the executable lies that a `plugin` names which is not built in, if it is there.
func externalPath(_ name: String) -> Bytes {
    name.utf8.contains(0x2F) ? Bytes(name.utf8) : Bytes((pluginFolder + name).utf8)
}

/// The executable that a `plugin` names which is not built in; nil where there can be none.
private func externalPlugin(_ name: String, _ isThere: (Bytes) -> Bool = isExecutable) -> Bytes? {
    let path = externalPath(name)
    // A path is tried when the stage starts, as that of a command: its image may not be here.
    return name.utf8.contains(0x2F) || isThere(path) ? path : nil
}

extension Stages {
    /// What is wrong with the stages that services name: unknown plugins, and options that they do not take.
    /// - Parameter isThere: whether an executable is at a path.
    func check(
        _ services: [Service], sources: SourceMap, _ diagnostics: inout [Diagnostic],
        isThere: (Bytes) -> Bool = isExecutable
    ) {
        for service in services {
            // The reader has told of an empty name.
            guard case .plugin(let name, let table) = service.action, name.name != "" else { continue }
            if let known = self.table(name.name) {
                _ = known.read(table, sources: sources, diagnostics: &diagnostics)
            } else if externalPlugin(name.name, isThere) != nil {
                _ = Value(.table(table), table.span).mappingStrings { (text, span) in
                    _ = Template.parse(text, span: span, sources: sources, diagnostics: &diagnostics)
                    return ""
                }
            } else {
                report(name, &diagnostics)
            }
        }
    }

    private func report(_ name: Reference, _ diagnostics: inout [Diagnostic]) {
        var names = [String]()
        var list = ""
        for table in tables {
            names.append(table.plugin)
            list += (list.isEmpty ? "" : ", ") + table.plugin
        }
        var help = say("the plugins of this version: %", list)
        if let near = nearest(to: name.name, among: names) { help = say("did you mean \"%\"?", near) }
        diagnostics.append(
            Diagnostic(
                code: "unknown-plugin", say("there is no plugin \"%\"", name.name), at: Diagnostic.Label(name.span),
                notes: [say("nor is %% an executable", pluginFolder, name.name)], help: help))
    }
}
