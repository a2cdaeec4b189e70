/// From the files of the configuration folders to a `Configuration`: the one entry of this module for the rest of the
/// program. Reads no file itself; the caller brings the bytes, so that the same code serves the boot, `--check` and tests.

/// A file that was found in a configuration folder, in the order weakest folder first.
public struct InputFile: Sendable {
    /// What was found in the place of the file.
    public enum Content: Sendable {
        case bytes([UInt8])
        /// Empty, or a link to /dev/null: masks the file of that name in weaker folders.
        case mask
        /// It cannot be used; the text says why ("Permission denied", "is a folder").
        case unreadable(String)
    }
    /// As it is shown: "/etc/hermes-init.d/web.toml".
    public var path: String
    /// The name of the service file, "web.toml" (for a drop-in that of the file it is laid over).
    public var name: String
    /// The name of the drop-in, "10-port.toml" of web.d/10-port.toml; nil for the service file itself.
    public var dropIn: String?
    /// Its bytes, or what it is instead.
    public var content: Content
    /// A file that was found.
    public init(path: String, name: String, dropIn: String?, content: Content) {
        self.path = path
        self.name = name
        self.dropIn = dropIn
        self.content = content
    }
}

/// What was read, and everything that is wrong with it, in file and line order.
public struct ReadResult: Sendable {
    /// What the files say, as far as they could be made sense of.
    public var configuration = Configuration()
    /// Every mistake, in the order of files and lines.
    public var diagnostics: [Diagnostic] = []
    /// The files that the places in all of this refer to.
    public var sources = SourceMap()
    /// Nothing read, nothing wrong.
    public init() {}
}

/// The largest file that is read, in bytes (1 MiB).
public let largestConfigurationFile = 1 << 20

/// The reader of configuration folders.
public struct ConfigurationReader {
    /// Reads every file, checks it and fills in the defaults.
    ///
    /// Of files with one name the last counts; the others are not looked into. Time and memory are linear in the size of
    /// the files.
    /// - Parameters:
    ///   - files: what the folders hold, weakest folder first.
    ///   - inspect: is shown each service and each template in the order of the names, the table that it was read from
    ///     with its drop-ins laid over it, and whether that was without a mistake. Tables are not kept.
    /// - Returns: all that could be made sense of, and every mistake. Names of plugins, and whether the services that are
    ///   named exist, are not checked here.
    public static func read(
        _ files: [InputFile], inspect: (Service, Table, _ isSound: Bool) -> Void = { _, _, _ in }
    ) -> ReadResult {
        var reader = ConfigurationReader()
        let groups = fileGroups(files)
        var layers = [[Layer]]()
        layers.reserveCapacity(groups.count)
        for group in groups { layers.append(reader.load(group)) }

        // First init.toml, since the services need its defaults.
        var defaults = ServiceDefaults()
        for (group, layers) in zip(groups, layers) where group.name == settingsName && !layers.isEmpty {
            let parsed = reader.parse(layers)
            let reading = Reading(sources: reader.result.sources)
            (reader.result.configuration.settings, defaults) = reading.settings(parsed.table)
            reader.keep(reading, parsed)
        }
        for (group, layers) in zip(groups, layers) where group.name != settingsName && !layers.isEmpty {
            let parsed = reader.parse(layers)
            let reading = Reading(sources: reader.result.sources)
            let service = reading.service(
                name: group.name, table: parsed.table, file: layers[0].file, defaults: defaults)
            reader.keep(reading, parsed)
            if !service.isTemplate { reader.checkMain(service, parsed.table) }
            var isSound = parsed.firstErrors.isEmpty
            for diagnostic in reading.diagnostics where diagnostic.severity == .error { isSound = false }
            inspect(service, parsed.table, isSound)
            if service.isTemplate {
                var template = ServiceTemplate(service: service)
                template.instances = reading.instances
                reader.result.configuration.templates.append(template)
            } else {
                reader.result.configuration.services.append(service)
            }
        }
        reader.result.diagnostics = Diagnostic.sorted(reader.result.diagnostics)
        return reader.result
    }

    /// A file that counts.
    private struct Layer {
        var file: FileID
        var bytes: [UInt8]
    }

    /// The files of one service as one table.
    private struct Parsed {
        var table: Table
        var overrides = Overrides()
        /// Where the first syntax error is, for each file that has one.
        var firstErrors: [Span] = []
    }

    /// The name of init.toml.
    private static let settingsName = "init"

    private var result = ReadResult()
    private var storage = Document.Storage()
    /// Where the main program says that it is one.
    private var main: (name: String, span: Span)?

    private init() {}

    /// Gives the files of a group that are to be parsed, the service file first; none where the group makes no service.
    private mutating func load(_ group: FileGroup) -> [Layer] {
        let isSettings = group.name == ConfigurationReader.settingsName
        let isTemplate = group.name.utf8.last == 0x40
        let stem = isTemplate ? String(decoding: group.name.utf8.dropLast(), as: UTF8.self) : group.name
        // A mask can take away one instance of a template, too.
        let problem = isTemplate ? problem(ofServiceName: stem) : problem(ofReference: stem)
        if case .mask? = group.base?.content {
            if !isSettings && problem == nil { result.configuration.maskedNames.append(group.name) }
            return []
        }
        if let problem, !isSettings {
            reportName(group, problem)
            return []
        }
        if group.name.utf8.contains(0x40), !isTemplate || stem == "main" || stem == ConfigurationReader.settingsName {
            reportTemplate(group, stem: stem)
            return []
        }
        guard let base = group.base ?? (isSettings ? group.dropIns.first : nil) else {
            reportMissingBase(group)
            return []
        }
        var layers = [Layer]()
        if let layer = load(base) {
            layers.append(layer)
        } else if !isSettings {
            result.configuration.brokenNames.append(group.name)
        }
        let isBaseBad = layers.isEmpty
        for dropIn in group.base == nil ? group.dropIns.dropFirst() : group.dropIns[...] {
            if let layer = load(dropIn) { layers.append(layer) }
        }
        return isBaseBad && !isSettings ? [] : layers
    }

    private mutating func load(_ file: InputFile) -> Layer? {
        switch file.content {
        case .bytes(let bytes) where bytes.count <= largestConfigurationFile:
            return Layer(file: result.sources.add(path: file.path, bytes: bytes), bytes: bytes)
        case .bytes:
            report(
                file.path, "unreadable-file", say("cannot read %: it is larger than 1 MiB", file.path),
                help: "a service file is a few lines; make it smaller, or move it out of the folder")
        case .unreadable(let reason):
            report(
                file.path, "unreadable-file", say("cannot read %: %", file.path, reason),
                help: "make it a readable file, or remove it")
        case .mask: break
        }
        return nil
    }

    private mutating func report(_ path: String, _ code: String, _ title: String, notes: [String] = [], help: String) {
        let file = result.sources.add(path: path, bytes: [])
        let span = Span(file: file, start: 0, end: 0)
        result.diagnostics.append(Diagnostic(code: code, title, at: .init(span), notes: notes, help: help))
    }

    private mutating func reportName(_ group: FileGroup, _ problem: NameProblem) {
        guard let path = (group.base ?? group.dropIns.first)?.path else { return }
        var help = "use a name such as web-server.toml"
        if let suggestion = problem.suggestion { help = say("rename it to %.toml", suggestion) }
        report(
            path, "bad-name", say("% cannot be the name of a service: %", shown(group.name), problem.why),
            notes: ["a name is a letter a-z or a digit, then letters, digits, `.`, `_` and `-`, at most 64 bytes"],
            help: help)
    }

    /// An instance has no file of its own, and two names are no templates.
    private mutating func reportTemplate(_ group: FileGroup, stem: String) {
        guard let path = (group.base ?? group.dropIns.first)?.path else { return }
        guard let (template, instance) = instanceName(stem) else {
            let what = stem == "main" ? "there is one main program" : "init.toml holds settings"
            report(
                path, "bad-name", say("%@ cannot be the name of a template: %", stem, what),
                help: "give the template another name")
            return
        }
        report(
            path, "instance-file", say("cannot use %: an instance has no file of its own", path),
            help: say(
                "describe all of them in %.toml, and name this one there: names = [\"%\"] below a line [instances]",
                template, instance))
    }

    private mutating func reportMissingBase(_ group: FileGroup) {
        // A masked drop-in without a base leaves nothing to say.
        guard let first = group.dropIns.first else { return }
        result.configuration.brokenNames.append(group.name)
        report(
            first.path, "missing-base", say("cannot lay % over %.toml: there is no such file", first.path, group.name),
            help: say("add %.toml to one of the folders, or remove this drop-in", group.name))
    }

    /// Parses the layers of a service and lays them over each other.
    private mutating func parse(_ layers: [Layer]) -> Parsed {
        var tables = [Table]()
        var firstErrors = [Span]()
        for layer in layers {
            let before = result.diagnostics.count
            tables.append(
                TOMLParser.parse(
                    file: layer.file, bytes: layer.bytes, storage: &storage, diagnostics: &result.diagnostics))
            var first: Span?
            for diagnostic in result.diagnostics[before...] {
                guard case .error = diagnostic.severity, let span = diagnostic.primary?.span else { continue }
                if span.start < first?.start ?? .max { first = span }
            }
            if let first { firstErrors.append(first) }
        }
        var overrides = Overrides()
        let table = merged(tables, overrides: &overrides)
        return Parsed(table: table, overrides: overrides, firstErrors: firstErrors)
    }

    /// Takes over the mistakes of a service. Where a file is no TOML, what stands behind the first error may have been
    /// misread, and what seems to be missing may be what was not understood: of such a file only what is sure is told.
    private mutating func keep(_ reading: Reading, _ parsed: Parsed) {
        for var diagnostic in reading.diagnostics {
            guard let primary = diagnostic.primary else { continue }
            if !parsed.firstErrors.isEmpty {
                if diagnostic.code == "missing-key" || diagnostic.code == "contradiction" { continue }
                if diagnostic.code == "main-without-type" { continue }
                var isSure = true
                for first in parsed.firstErrors where first.file == primary.span.file {
                    isSure = primary.span.start < first.start
                }
                if !isSure { continue }
            }
            if let under = parsed.overrides.under(primary.span) {
                diagnostic.context.append(.init(under, "this is what it replaces"))
            }
            result.diagnostics.append(diagnostic)
        }
        if reading.untold > 0, let last = reading.diagnostics.last?.primary {
            result.diagnostics.append(
                Diagnostic(
                    code: "too-many-mistakes", say("% more mistakes here are not shown", String(reading.untold)),
                    at: .init(last.span), help: "mend those above first"))
        }
    }

    /// There is one main program.
    private mutating func checkMain(_ service: Service, _ table: Table) {
        guard service.type == .main, let span = table.entry("type")?.value.span else { return }
        guard let first = main else {
            main = (service.name, span)
            return
        }
        result.diagnostics.append(
            Diagnostic(
                code: "duplicate-main", say("% cannot be the main program: % is it already", service.name, first.name),
                at: .init(span, "the second"), context: [.init(first.span, "the first")],
                help: "make one of them a longrun, or mask its file"))
    }
}
