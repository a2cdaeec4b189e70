import CSystem
import ConfigParser
import System

/// From a service to what its process is to be: words, environment, identity, directory. Everything that a file can get
/// wrong at this point, a variable that is not set, a user that is not there, is found here, before there is a process.
/// Opens and reads files, changes nothing.

/// What a process is made from, all numbers and bytes.
struct Launch {
    /// Paths to try in order, as execvp(3) does.
    var candidates: [Bytes] = []
    var arguments: [Bytes] = []
    var environment = Environment()
    var directory: Bytes?
    var identity = ProcessIdentity()
    var umask: UInt32?
    var execution = Execution()
    /// The text of a script with a `#!` line of its own, to be found at descriptor 3.
    var script: Bytes?
    /// The file of `[log]`, absolute.
    var logFile: Bytes?
    /// A stage that runs in the child instead of a program.
    var stage: StageLaunch?
    /// Where the program tells that it is ready, and the number of that descriptor in it.
    var notify: (source: FileDescriptor, target: Int32)?
    /// The child puts its process ID behind WATCHDOG_PID= in its environment.
    var tellsOwnProcess = false
    /// What an executable plugin finds on its standard input; nil for every other program.
    var input: Bytes?
}

/// What every launch draws on. One place, since the driver asks it for everything and it has some fifty words.
final class LaunchContext {
    /// The environment that the container was started with, and what stages exported.
    var environment: Environment
    var settings: Settings
    /// The container's arguments.
    var arguments: [Bytes]
    var own: OwnIdentity
    var sources: SourceMap
    var stages = Stages.none
    /// Users that a stage gave other numbers, where /etc cannot be written.
    var users: [UserNumbers] = []
    /// The exit code where a process may not be what it is to be, and what to do about it.
    var refusalCode = LaunchCode.notExecutable
    var remedy = LaunchContext.remedyInFile

    init(
        environment: Environment, settings: Settings, arguments: [Bytes], own: OwnIdentity, sources: SourceMap,
        stages: Stages = .none
    ) {
        self.environment = environment
        self.settings = settings
        self.arguments = arguments
        self.own = own
        self.sources = sources
        self.stages = stages
    }

    /// The same for other files.
    func with(_ sources: SourceMap) -> LaunchContext {
        let other = LaunchContext(
            environment: environment, settings: settings, arguments: arguments, own: own, sources: sources,
            stages: stages)
        other.users = users
        other.refusalCode = refusalCode
        other.remedy = remedy
        return other
    }
}

/// Why there can be no process.
final class LaunchError: Error {
    let failure: SpawnFailure

    init(_ failure: SpawnFailure) { self.failure = failure }

    /// A failure that another try would not mend.
    init(code: Int32, message: String) {
        failure = SpawnFailure(code: code, isTransient: false, message: message)
    }
}

/// Exit codes for what fails before the program runs: those of the shell and of sysexits.h.
enum LaunchCode {
    static let notFound: Int32 = 127
    static let notExecutable: Int32 = 126
    static let configuration: Int32 = 78
    static let system: Int32 = 71
}

extension LaunchContext {
    /// The launch of a service's own process.
    func launch(_ service: Service, isImplicitMain: Bool) throws(LaunchError) -> Launch {
        // Without a file there is nothing to add: the program gets what the container got.
        if isImplicitMain { return try implicitMain() }
        var launch = try prepare(service)
        switch service.action {
        case .command(let words):
            launch.arguments = try expand(words, launch.environment, "command")
        case .script(let text, _):
            try takeScript(text, service, &launch)
            return launch
        case .plugin(let name, let table):
            if let known = stages.table(name.name) {
                try takeStage(known, table, &launch)
            } else {
                try takeExternal(name.name, table, &launch)
            }
            return launch
        case .nothing:
            break
        }
        if service.type == .main {
            let path = launch.environment.value("PATH")
            launch.arguments = mainCommand(
                route: service.route, command: launch.arguments, arguments: arguments,
                isProgram: { isProgram($0, path: path) })
        }
        launch.candidates = try find(launch.arguments, launch.environment)
        return launch
    }

    /// The launch of the command of `[stop]` or `[reload]`. MAINPID is the process that it is about.
    func command(
        _ words: [Template], of service: Service, process: Int32, key: String
    ) throws(LaunchError) -> Launch {
        var launch = try prepare(service)
        launch.environment.set("MAINPID", Bytes(String(process).utf8))
        return try command(words, like: launch, key: key)
    }

    /// A command that is run as a service was.
    func command(_ words: [Template], like service: Launch, key: String) throws(LaunchError) -> Launch {
        var launch = service
        launch.script = nil
        launch.stage = nil
        launch.input = nil
        launch.arguments = try expand(words, launch.environment, key)
        launch.candidates = try find(launch.arguments, launch.environment)
        return launch
    }

    /// The launch of a program that is none of the service's own, with everything else as the service has it.
    func program(_ words: [Bytes], like service: Service) throws(LaunchError) -> Launch {
        var launch = try prepare(service)
        launch.arguments = words
        launch.candidates = try find(words, launch.environment)
        return launch
    }

    /// For a service that may not be who its file says.
    static let remedyInFile = "start the container as root, or as that user (--user), or take the key out of the file"

    private func implicitMain() throws(LaunchError) -> Launch {
        var launch = Launch()
        launch.environment = environment
        launch.arguments = arguments
        launch.candidates = try find(arguments, environment)
        return launch
    }

    /// Identity, environment and directory: what the process and its stop command have in common.
    private func prepare(_ service: Service) throws(LaunchError) -> Launch {
        var launch = Launch()
        var environment = service.environmentClear ? Environment() : self.environment
        // Before all else, so that [environment] can speak of it, and once more after it, since it is not its to change.
        environment.setInstance(of: service)
        try apply(settings.environment, to: &environment)
        launch.identity = try identity(of: service, environment)
        if let account = launch.identity.account {
            environment.set("HOME", account.home.isEmpty ? [0x2F] : account.home)
            environment.set("USER", account.name)
            environment.set("LOGNAME", account.name)
            environment.set("SHELL", account.shell.isEmpty ? Bytes("/bin/sh") : account.shell)
        }
        for file in service.environmentFiles { try read(file, into: &environment) }
        try apply(service.environment, to: &environment)
        environment.set("HERMES_INIT_SERVICE", Bytes(service.name.utf8))
        environment.setInstance(of: service)
        if let directory = service.directory {
            launch.directory = try expand(directory, environment, "directory")
        }
        if let file = service.log.file { launch.logFile = try logFile(file, environment) }
        launch.umask = service.umask
        launch.execution = Execution(service)
        if launch.execution.capabilities != nil,
            let why = launch.execution.refusal(permitted: hi_permitted_capabilities())
        {
            throw LaunchError(code: refusalCode, message: why)
        }
        launch.environment = environment
        return launch
    }

    private func logFile(_ file: Template, _ environment: Environment) throws(LaunchError) -> Bytes {
        let path = try expand(file, environment, "[log] file")
        if path.first == 0x2F { return path }
        throw LaunchError(
            code: LaunchCode.configuration,
            message: say(
                "cannot use % as [log] file%: write the whole path, from the root", path.shown, place(file.span)))
    }

    /// The users and groups as the files in /etc have them, with the numbers that stages gave.
    func readAccounts() throws(Errno) -> Accounts {
        var accounts = try Accounts.read()
        for user in users { accounts.renumber(user.name, uid: user.uid, gid: user.gid, groups: user.groups) }
        return accounts
    }

    private func identity(of service: Service, _ environment: Environment) throws(LaunchError) -> ProcessIdentity {
        if service.user == nil && service.group == nil && service.groups == nil { return ProcessIdentity() }
        var user: Bytes?
        if let template = service.user { user = try expand(template, environment, "user") }
        var group: Bytes?
        if let template = service.group { group = try expand(template, environment, "group") }
        var groups: [Bytes]?
        if let templates = service.groups { groups = try expand(templates, environment, "groups") }
        let accounts: Accounts
        do throws(Errno) { accounts = try readAccounts() } catch { throw LaunchError(cloneFailure(error)) }
        do throws(IdentityError) {
            var identity = try resolveIdentity(
                user: user, group: group, groups: groups, accounts: accounts, own: own, remedy: remedy)
            if service.security.keepGroups, let list = identity.groups {
                identity.groups = joined(list, keeping: ownGroups())
            }
            return identity
        } catch {
            throw LaunchError(code: refusalCode, message: error.message)
        }
    }

    private func apply(_ changes: [EnvironmentChange], to environment: inout Environment) throws(LaunchError) {
        for change in changes {
            if let value = change.value {
                environment.set(change.name, try expand(value, environment, say("[environment] %", change.name)))
            } else {
                environment.unset(change.name)
            }
        }
    }

    /// The most that is read of a dotenv file.
    static let largestEnvironmentFile = 1 << 20

    private func read(_ file: EnvironmentFile, into environment: inout Environment) throws(LaunchError) {
        let path = try expand(file.path, environment, "environment-files")
        let bytes: Bytes
        do throws(Errno) {
            bytes = try readFile(path, limit: LaunchContext.largestEnvironmentFile)
        } catch {
            if error == .noEntry && file.mayBeMissing { return }
            if error.isTransient { throw LaunchError(cloneFailure(error)) }
            var message = say("cannot read % (environment-files): %", path.shown, error.text)
            if error == .noEntry {
                message += say("; write \"-%\" if it may be missing", path.shown)
            }
            throw LaunchError(code: LaunchCode.configuration, message: message)
        }
        let (entries, mistakes) = parseDotenv(bytes)
        if let mistake = mistakes.first {
            throw LaunchError(
                code: LaunchCode.configuration,
                message: say(
                    "cannot use % (environment-files): line %: %", path.shown, String(mistake.line), mistake.what))
        }
        for entry in entries { environment.set(entry.name, entry.value) }
    }

    func expand(
        _ templates: [Template], _ environment: Environment, _ key: String
    ) throws(LaunchError) -> [Bytes] {
        var words = [Bytes]()
        for template in templates { words.append(try expand(template, environment, key)) }
        return words
    }

    func expand(_ template: Template, _ environment: Environment, _ key: String) throws(LaunchError) -> Bytes {
        let text: Bytes
        do throws(ExpansionError) {
            text = try template.expand { environment.value($0) }
        } catch {
            var message = say("% is not set", error.variable)
            if let wanted = error.message, !wanted.isEmpty { message = say("%: %", error.variable, wanted) }
            message += say(" (%%); set it when the container is started (docker run -e ", key, place(error.span))
            message += say("%=…) or give it a default: ${%:-…}", error.variable, error.variable)
            throw LaunchError(code: LaunchCode.configuration, message: message)
        }
        // A NUL would end the text early without a word.
        if text.contains(0) {
            throw LaunchError(
                code: LaunchCode.configuration, message: say("%% contains a NUL byte", key, place(template.span)))
        }
        return text
    }

    /// ", /etc/hermes-init.d/web.toml:3:9", or nothing where the file is not known.
    private func place(_ span: Span) -> String {
        guard let file = sources.file(span.file), let location = sources.location(of: span) else { return "" }
        return say(", %:%:%", file.path, String(location.line), String(location.column))
    }

    private func find(_ words: [Bytes], _ environment: Environment) throws(LaunchError) -> [Bytes] {
        guard let first = words.first, !first.isEmpty else {
            throw LaunchError(
                code: LaunchCode.notFound,
                message: "the name of the program is empty; write the program as the first word of `command`")
        }
        return candidates(for: first, path: environment.value("PATH"))
    }

    /// A text that fits into one argument goes to the shell as such (MAX_ARG_STRLEN is 128 KiB); a longer one, and one for
    /// another interpreter, lies in memory behind descriptor 3.
    private static let longestArgument = 100_000

    private func takeScript(_ text: String, _ service: Service, _ launch: inout Launch) throws(LaunchError) {
        let bytes = Bytes(text.utf8)
        let path = Bytes("/proc/self/fd/3")
        if bytes.starts(with: "#!".utf8) {
            launch.script = bytes
            let line = bytes.prefix { $0 != 0x0A }.dropFirst(2)
            // execve(2): the interpreter, and all the rest of the line as one argument.
            let trimmed = line.drop(while: isBlank)
            let interpreter = Bytes(trimmed.prefix { !isBlank($0) })
            var argument = trimmed.dropFirst(interpreter.count).drop(while: isBlank)
            while let last = argument.last, isBlank(last) { argument = argument.dropLast() }
            guard !interpreter.isEmpty else {
                throw LaunchError(
                    code: LaunchCode.notExecutable, message: "the first line of `script` names no interpreter after #!")
            }
            launch.candidates = [interpreter]
            launch.arguments = argument.isEmpty ? [interpreter, path] : [interpreter, Bytes(argument), path]
            return
        }
        let shell = Bytes("/bin/sh")
        launch.candidates = [shell]
        if bytes.count <= LaunchContext.longestArgument {
            launch.arguments = [shell, Bytes("-e"), Bytes("-c"), bytes, Bytes(service.name.utf8)]
        } else {
            launch.script = bytes
            launch.arguments = [shell, Bytes("-e"), path]
        }
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
