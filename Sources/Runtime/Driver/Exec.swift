import CSystem
import ConfigParser
import System

/// A program run as a service would be run, from outside (`hermes-init exec`, and the shims of images): by exec in this very
/// process, so that its process ID, descriptors, terminal, signals and exit code are the caller's. It is no child of the init
/// and is not supervised. Who and what it is to be is found by the code that starts services (Launch.swift), and carried out
/// by the steps that a child goes through (spawn.c). Reads the files of that one service, init.toml, and what stages
/// exported, and no other files of the configuration; changes nothing outside its own process.

/// What `exec` was asked for.
public struct ExecRequest: Sendable, Equatable {
    /// The configuration folders, weakest first, and whether each must be there.
    public var folders: [[UInt8]] = BootOptions.defaultFolders
    /// Folders that were named must be there; of the usual ones any may be missing.
    public var foldersAreRequired = false
    /// The service that it is to be like; nil: all but the user stays as it is.
    public var service: [UInt8]?
    /// The user, and the group, that it is to have instead of the service's.
    public var user: [UInt8]?
    /// Only with a user. It is then the only group.
    public var group: [UInt8]?
    /// It stays in the folder that it was started in.
    public var staysHere = false
    /// The program and its arguments; not empty.
    public var command: [[UInt8]] = []
    /// Nothing asked for.
    public init() {}
}

/// Why the program does not run.
public indirect enum ExecFailure: Error {
    /// One line without a newline, and an exit code.
    case message(String, code: Int32)
    /// The files of the service are wrong.
    case configuration(ReadResult)
}

/// The exit code where a process may not be what it is to be: EX_NOPERM of sysexits.h.
private let refusedCode: Int32 = 77

/// Becomes the program. Comes back only where that fails; the process should end then.
/// - Parameter tell: takes a line for standard error, of what is wrong and no reason to end.
public func execute(_ request: ExecRequest, tell: (String) -> Void) -> ExecFailure {
    do throws(ExecFailure) {
        var (service, result) = try read(request)
        if let user = request.user { service.become(user, request.group) }
        if request.staysHere { service.directory = nil }
        let context = LaunchContext(
            environment: .ofProcess(), settings: result.configuration.settings, arguments: [], own: .current(),
            sources: result.sources)
        context.refusalCode = refusedCode
        context.remedy = "run it as root (docker exec --user root), or as that user"
        // With a user alone nothing is changed but the user, whose numbers may be in there.
        if request.service != nil || context.own.isRoot {
            let (records, problem) = readExports(
                isExpected: request.service != nil && context.settings.control.mode != .off)
            if let problem { tell(problem) }
            context.users = records.users
            if request.service != nil {
                // Of the caller, who may be a service.
                context.environment.unset("HERMES_INIT_INSTANCE")
                for (name, value) in records.exports { context.environment.set(name, value) }
            }
        }
        return become(try launch(request, service, context))
    } catch {
        return error
    }
}

/// Becomes a program as it stands, changing nothing else. Comes back only where that fails.
public func execute(unchanged command: [[UInt8]]) -> ExecFailure {
    var launch = Launch()
    launch.environment = .ofProcess()
    launch.arguments = command
    launch.candidates = candidates(for: command.first ?? [], path: launch.environment.value("PATH"))
    return become(launch)
}

private func launch(
    _ request: ExecRequest, _ service: Service, _ context: LaunchContext
) throws(ExecFailure) -> Launch {
    do throws(LaunchError) {
        var launch = try context.program(request.command, like: service)
        // Without a service there is no name to tell but the caller's.
        if request.service == nil {
            launch.environment.unset("HERMES_INIT_SERVICE")
            if let own = context.environment.value("HERMES_INIT_SERVICE") {
                launch.environment.set("HERMES_INIT_SERVICE", own)
            }
        }
        // It needs a privilege to say what holds already.
        if let groups = launch.identity.groups, isSameSet(groups, ownGroups()) { launch.identity.groups = nil }
        return launch
    } catch {
        throw .message(error.failure.message, code: error.failure.code)
    }
}

private func become(_ launch: Launch) -> ExecFailure {
    guard let request = launch.request() else {
        return .message(say("cannot run it: %", Errno.outOfMemory.text), code: LaunchCode.system)
    }
    let report = hi_become(request)
    let failure = spawnFailure(report, launch, firstLine: firstLineOfFile)
    let isRefusal = report.error == EPERM || report.error == EACCES
    let stage = hi_stage(UInt32(bitPattern: report.stage))
    return .message(
        failure.message, code: stage != HI_STAGE_EXEC && isRefusal ? refusedCode : failure.code)
}

private func isSameSet(_ one: [UInt32], _ other: [UInt32]) -> Bool {
    one.allSatisfy { other.contains($0) } && other.allSatisfy { one.contains($0) }
}

extension Service {
    /// Another user takes the place of the service's, with all that was said of its groups.
    fileprivate mutating func become(_ name: Bytes, _ group: Bytes?) {
        func literal(_ text: Bytes) -> Template {
            Template(parts: [.literal(text)], span: Span(file: FileID(index: -1), start: 0, end: 0))
        }
        user = literal(name)
        self.group = group.map(literal)
        // Only root may say which groups; another user has to have them already.
        groups = geteuid() == 0 ? group.map { [literal($0)] } : nil
        security.keepGroups = false
    }
}

// MARK: - The files of one service

/// The service, and what else was read: init.toml.
private func read(_ request: ExecRequest) throws(ExecFailure) -> (Service, ReadResult) {
    guard let wanted = request.service else { return (Service(name: "exec"), ReadResult()) }
    let name = String(decoding: wanted, as: UTF8.self)
    guard isServiceName(wanted) else { throw unknown(name, request) }
    var diagnostics = [Diagnostic]()
    let files = readFiles(
        of: ["init", instanceName(name)?.template ?? name], in: request.folders,
        areRequired: request.foldersAreRequired, diagnostics: &diagnostics)
    var result = ConfigurationReader.read(files)
    result.diagnostics = diagnostics + result.diagnostics
    for diagnostic in result.diagnostics where diagnostic.severity == .error { throw .configuration(result) }
    guard let service = result.configuration.service(named: name) else { throw unknown(name, request) }
    if service.type == .group {
        throw .message(say("cannot run a program like %: it is a group and runs nothing itself", name), code: 64)
    }
    return (service, result)
}

extension Configuration {
    /// A service by its name: one that has a file of its own, or an instance of a template.
    func service(named name: String) -> Service? {
        for service in services where service.name == name { return service }
        guard let (template, instance) = instanceName(name) else { return nil }
        for known in templates where known.service.name == template { return known.instance(instance) }
        return nil
    }
}

/// `[a-z0-9][a-z0-9._-]*`, and one more such behind an `@`, at most 64 bytes: what a file may be sought for.
private func isServiceName(_ name: Bytes) -> Bool {
    var instances = 0
    var isFirst = true
    for byte in name {
        switch byte {
        case 0x61...0x7A, 0x30...0x39: isFirst = false
        case 0x2E where !isFirst, 0x5F where !isFirst, 0x2D where !isFirst: continue
        case 0x40 where !isFirst:
            instances &+= 1
            isFirst = true
        default: return false
        }
    }
    return !isFirst && instances <= 1 && name.count <= 64 && name != Bytes("init")
}

private func unknown(_ name: String, _ request: ExecRequest) -> ExecFailure {
    var known = [String]()
    var folders = ""
    for folder in request.folders {
        folders += (folders.isEmpty ? "" : ", ") + folder.shown
        guard let files = try? listFolder(folder) else { continue }
        for file in files where file.suffix(5).elementsEqual(".toml".utf8) {
            known.append(String(decoding: file.dropLast(5), as: UTF8.self))
        }
    }
    var text = say("there is no service %: its file is in none of %", Bytes(name.utf8).shown, folders)
    if let near = nearest(to: name, among: known) { text += say("; did you mean %?", near) }
    return .message(text, code: 64)
}
