import CSystem
import ConfigParser
import Plugins
import Runtime
import System

/// The entry: from argc and argv to one of the modes. SwiftPM links `main` to this name, and musl gives a C constructor no
/// arguments; that is why it is no `main.swift`.
@c(hermes_init_main)
public func entry(_ count: Int32, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
    var arguments = [Bytes]()
    var next = words
    while arguments.count < Int(count), let pointer = next, let word = pointer.pointee {
        arguments.append(Bytes(cString: word))
        next = pointer.advanced(by: 1)
    }
    let environment = Environment.ofProcess()
    switch Invocation.parse(arguments: arguments, environment: { environment.value($0) }) {
    case .boot(var options):
        options.version = Version.number
        return boot(options, stages: builtIn)
    case .check(let options):
        hi_arena_begin()
        return tell(
            Check.report(
                check(request(options), environment: environment, stages: builtIn), options,
                color: options.color.isWanted(environment, on: 1)))
    case .plan(let folders, let arguments, let format):
        hi_arena_begin()
        return tell(plan(folders, arguments, environment, format))
    case .timings(let folders, let arguments, let picture):
        return timings(folders, arguments, environment, picture)
    case .ctl(let request):
        return CtlSession.run(request, environment)
    case .complete(let words):
        return tell(Answer(Completion(services: { CtlSession.names(environment) }).lines(words)))
    case .schema(let subject):
        return tell(Answer(jsonSchema(of: subject, plugins: builtIn.tables)))
    case .stage(let request):
        return tell(request.answer(stages: builtIn))
    case .exec(let request):
        return tell(request.answer())
    case .shim(let path, let words):
        return tell(Shim.answer(path, words))
    case .toml(let request):
        hi_arena_begin()
        return tell(request.answer())
    case .health:
        return tell(Health.answer(readHealth()))
    case .answer(let answer):
        return tell(answer)
    }
}

/// What the runtime is to check; reads the one file from standard input where it stands there.
private func request(_ options: CheckOptions) -> CheckRequest {
    var request = CheckRequest()
    request.folders = options.folders.paths
    request.foldersAreRequired = options.folders.areRequired
    request.root = options.root
    request.looksAtMachine = !options.isFilesOnly
    if let name = options.inputName {
        var content: InputFile.Content
        do throws(Errno) {
            let bytes = try readAll(0, limit: largestConfigurationFile)
            content = bytes.isEmpty ? .mask : .bytes(bytes)
        } catch {
            content = .unreadable(error.text)
        }
        request.single = InputFile(
            path: name.shown, name: lastComponent(name).shown, dropIn: nil, content: content)
    }
    return request
}

extension ColorChoice {
    /// Whether to colour what goes to a descriptor; no-color.org.
    func isWanted(_ environment: Environment, on descriptor: Int32) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .automatic: return isatty(descriptor) == 1 && (environment.value("NO_COLOR") ?? []).isEmpty
        }
    }
}

private func plan(
    _ folders: ConfigurationFolders, _ arguments: [Bytes], _ environment: Environment, _ format: PlanFormat
)
    -> Answer
{
    let loaded = load(folders: folders.paths, areRequired: folders.areRequired, arguments: arguments, stages: builtIn)
    guard !loaded.hasErrors, let graph = loaded.graph else {
        return Check.refusal(loaded.result, graph: [], color: ColorChoice.automatic.isWanted(environment, on: 2))
            ?? Check.report(loaded.result, graph: [], folders: folders)
    }
    var plan = Plan(services: loaded.services, graph: graph)
    plan.arguments = arguments
    plan.reasons = loaded.reasons
    plan.note = loaded.askedProblem ?? ""
    plan.templates = loaded.result.configuration.templateNames
    plan.masked = loaded.result.configuration.maskedNames
    let judge = ConditionContext(arguments: arguments, environment: environment)
    plan.holds = { judge.holds($0) }
    plan.isExecutable = { isProgram($0, path: environment.value("PATH")) }
    return Answer(plan.text(as: format))
}

/// The plan, and behind it how long the last boot took; with a file only that, as a picture.
private func timings(
    _ folders: ConfigurationFolders, _ arguments: [Bytes], _ environment: Environment, _ picture: Bytes?
) -> Int32 {
    var request = CtlRequest(.blame)
    request.picture = picture ?? []
    if picture == nil {
        let code = tell(plan(folders, arguments, environment, .text))
        if code == 0 { _ = writeAll(1, [0x0A]) }
        if code != 0 { return code }
    }
    return CtlSession.run(request, environment)
}

/// Prints an answer; these modes are not PID 1 and may wait for their reader.
func tell(_ answer: Answer) -> Int32 {
    let descriptor: Int32 = answer.stream == .standardOutput ? 1 : 2
    let bytes = Bytes(answer.text.utf8)
    // A full disk or a closed pipe: what was asked for was not said.
    if !writeAll(descriptor, bytes) { return answer.exitCode == 0 ? 74 : answer.exitCode }
    return answer.exitCode
}

/// The registry of Plugins as the runtime wants it.
let builtIn = Stages(
    tables: Registry.plugins.map { $0.table },
    run: { name, options, surroundings in
        plugin(name)?.run(
            options,
            StageContext(
                environment: surroundings.environment, arguments: surroundings.arguments,
                isTerminal: surroundings.isTerminal, isDryRun: surroundings.isDryRun,
                accounts: surroundings.accounts)) ?? 1
    })

private func plugin(_ name: String) -> Plugin? {
    for plugin in Registry.plugins where plugin.name == name { return plugin }
    return nil
}
