import ConfigParser
import System

/// Checks against a machine or an image: that the users, programs, folders and files which a service names are there, and the
/// variables set. Only what is written without a variable is looked for, since the container may set that. What cannot be
/// looked at for want of a permission counts as there.

/// The environment that a service will get, as far as it can be known beforehand.
struct ExpectedEnvironment {
    var values: Environment
    /// Variables that will be set, to what is not known.
    var unknown: [String] = []

    func isSet(_ name: String) -> Bool { has(unknown, name) || values.value(name) != nil }

    /// The text of a template; nil where it is not known.
    @inline(never)
    func expand(_ template: Template) -> Bytes? {
        do throws(ExpansionError) {
            return try template.expand { has(unknown, $0) ? nil : values.value($0) }
        } catch {
            return nil
        }
    }

    @inline(never)
    mutating func set(_ name: String, _ value: Bytes?) {
        if let value { values.set(name, value) } else { unknown.append(name) }
    }
}

/// More variables than this are not gone through; a boot would take long over them, too.
private let mostVariables = 500

extension MeaningCheck {
    func checkMachine(_ service: Service, _ view: ImageView) {
        checkAccounts(of: service, view)
        guard service.environment.count &+ settings.environment.count <= mostVariables else { return }
        unset = NameIndex()
        var environment = ExpectedEnvironment(values: service.environmentClear ? Environment() : view.environment)
        if !service.environmentClear {
            environment.unknown = exported
            for condition in service.when {
                switch condition {
                case .environmentTrue(let name), .environmentEquals(let name, _): environment.unknown.append(name)
                case .environmentUnset, .pathExists, .pathMissing, .tty, .root, .main: break
                }
            }
            // What the runtime of a container gives to each.
            if isImage { environment.unknown += ["HOME", "HOSTNAME"] }
        }
        apply(settings.environment, &environment)
        if let user = service.user {
            checkVariables([user], environment)
            let account = user.literal.flatMap { view.accounts.account(named: $0) }
            environment.set("HOME", account?.home)
            environment.set("SHELL", account?.shell)
            environment.set("USER", user.literal)
            environment.set("LOGNAME", user.literal)
        }
        for file in service.environmentFiles {
            checkVariables([file.path], environment)
            checkEnvironmentFile(file, service, view, &environment)
        }
        apply(service.environment, &environment)
        environment.set("HERMES_INIT_SERVICE", Bytes(service.name.utf8))

        if let group = service.group { checkVariables([group], environment) }
        if let directory = service.directory { checkVariables([directory], environment) }
        if let groups = service.groups { checkVariables(groups, environment) }
        let directory = checkDirectory(of: service, view)
        var search = ProgramSearch(view: view, path: standardPath, directory: directory)
        if has(environment.unknown, "PATH") {
            search.path = nil
        } else if let path = environment.values.value("PATH") {
            search.path = path
        }
        switch service.action {
        case .command(let words):
            checkVariables(words, environment)
            checkProgram(words, service, search)
        case .script(let text, let span): checkScript(text, span, service, search)
        case .plugin, .nothing: break
        }
        if let words = service.stop.command {
            environment.set("MAINPID", [])
            checkVariables(words, environment)
            checkProgram(words, service, search)
        }
    }

    private func apply(
        _ changes: [EnvironmentChange], _ environment: inout ExpectedEnvironment
    ) {
        for change in changes {
            guard let value = change.value else {
                environment.values.unset(change.name)
                continue
            }
            checkVariables([value], environment)
            environment.set(change.name, environment.expand(value))
        }
    }

    // MARK: - Variables

    /// Variables that nobody sets and that have no default. `${NAME:?…}` says itself that the container has to set it.
    private func checkVariables(
        _ templates: [Template], _ environment: ExpectedEnvironment
    ) {
        for template in templates {
            for part in template.parts {
                guard case .variable(let name, .none, let span) = part, !environment.isSet(name), unset[name] == nil
                else { continue }
                unset[name] = 0
                warn(
                    "unset-variable", say("% is not set here and has no default", name), at: span,
                    note: "a service of which a variable is not set does not start",
                    help: say("set it when the container is started (docker run -e %=…), ", name)
                        + say("give it a default: ${%:-…}, or say that it has to be set: ${%:?why}", name, name))
            }
        }
    }

    // MARK: - Users and groups

    private func checkAccounts(of service: Service, _ view: ImageView) {
        if let user = service.user, let name = user.literal, Accounts.decimal(name) == nil,
            view.accounts.account(named: name) == nil
        {
            var help = "add it to the image (useradd), or give a numeric ID"
            if let near = nearest(to: name.shown, among: view.accounts.userNames) {
                help = say("did you mean \"%\"?", near)
            }
            fail("unknown-user", say("there is no user % in /etc/passwd", name.shown), at: user.span, help: help)
        }
        if let group = service.group { checkGroup(group, view) }
        if let groups = service.groups {
            for group in groups { checkGroup(group, view) }
        }
    }

    @inline(never)
    private func checkGroup(_ group: Template, _ view: ImageView) {
        guard let name = group.literal, Accounts.decimal(name) == nil, view.accounts.gid(ofGroup: name) == nil else {
            return
        }
        fail(
            "unknown-group", say("there is no group % in /etc/group", name.shown), at: group.span,
            help: "add it to the image (groupadd), or give a numeric ID")
    }

    // MARK: - Folders and files

    /// The working directory, where it is known.
    private func checkDirectory(of service: Service, _ view: ImageView) -> Bytes? {
        guard let template = service.directory, let path = template.literal, path.first == 0x2F else { return nil }
        switch view.kind(path) {
        case .missing:
            let title = say("the working directory % does not exist", path.shown)
            lack("bad-directory", title, path, service, at: template.span, help: "add it to the image (mkdir -p)")
        case .regular, .nullDevice, .other:
            fail(
                "bad-directory", say("the working directory % is no folder", path.shown), at: template.span,
                help: "name a folder")
        case .folder, nil: break
        }
        return path
    }

    private func checkEnvironmentFile(
        _ file: EnvironmentFile, _ service: Service, _ view: ImageView, _ environment: inout ExpectedEnvironment
    ) {
        guard let path = environment.expand(file.path), path.first == 0x2F else {
            environment.unknown.append("PATH")
            return
        }
        let code = "bad-environment-file"
        switch view.contents(path) {
        case .bytes(let bytes):
            let (entries, mistakes) = parseDotenv(bytes)
            for place in entries.indices where place < mostVariables {
                environment.set(entries[place].name, entries[place].value)
            }
            guard let first = mistakes.first else { return }
            var notes = [String]()
            for place in mistakes.indices where place > 0 && place < 6 {
                notes.append(say("line %: %", String(mistakes[place].line), mistakes[place].what))
            }
            fail(
                code, say("cannot use %: line %: %", path.shown, String(first.line), first.what), at: file.path.span,
                notes: notes, help: "write each line as NAME=value")
        case .missing:
            if file.mayBeMissing { return }
            lack(
                code, say("the file % does not exist", path.shown), path, service, at: file.path.span,
                help: say("add it to the image, or write \"-%\" if it may be missing", path.shown))
        case .unreadable(let error):
            environment.unknown.append("PATH")
            if error == .denied { return }
            fail(
                code, say("cannot read %: %", path.shown, error.text), at: file.path.span,
                help: "name a file of NAME=value lines")
        }
    }

    /// What is not there: an error, unless it may come to be there before the service starts.
    private func lack(
        _ code: String, _ title: String, _ path: Bytes, _ service: Service, at span: Span, help: String
    ) {
        var isMade = isSingle
        // Folders that a container fills when it starts; of /var only /var/run.
        var parts = fields(path, 0x2F)
        if parts.count > 1, String(decoding: parts[0], as: UTF8.self) == "var" { parts.removeFirst() }
        if let first = parts.first, has(["run", "tmp", "dev", "proc", "sys"], String(decoding: first, as: UTF8.self)) {
            isMade = true
        }
        if let graph, let index = names[service.name], index >= 0 {
            for edge in graph.edges[index] where services[edge.service.index].type == .oneshot { isMade = true }
        }
        for condition in service.when {
            if case .pathExists = condition { isMade = true }
        }
        if isMade {
            warn(code, title, at: span, note: "something may make it before the service starts", help: help)
        } else {
            fail(code, title, at: span, help: help)
        }
    }

    @inline(never)
    private func fail(_ code: String, _ title: String, at span: Span, notes: [String] = [], help: String) {
        tell(.error, code, title, at: span, notes: notes, help: help)
    }

    // MARK: - Programs

    private func checkProgram(_ words: [Template], _ service: Service, _ search: ProgramSearch) {
        guard let first = words.first, let word = first.literal else { return }
        checkProgram(word, first.span, service, search, isScript: false)
    }

    /// `script`: /bin/sh, or what stands behind `#!`.
    private func checkScript(_ text: String, _ span: Span, _ service: Service, _ search: ProgramSearch) {
        let bytes = text.bytes
        guard isScript(bytes) else {
            checkProgram(Bytes("/bin/sh".utf8), span, service, search, isScript: true)
            return
        }
        for word in interpreter(bytes) { checkProgram(word, span, service, search, isScript: true) }
    }

    private func checkProgram(
        _ word: Bytes, _ span: Span, _ service: Service, _ search: ProgramSearch, isScript: Bool
    ) {
        let what = (isScript ? "the interpreter " : "the program ") + word.shown
        var code = "program-not-found"
        var title: String
        var help = "add it to the image, or mend its name"
        var severity = Diagnostic.Severity.error
        let found = search.find(word)
        let path = found.path.shown
        switch found.problem {
        case .none: return
        case .missing:
            title = say(word.contains(0x2F) ? "cannot find %" : "cannot find % on PATH", what)
            for condition in service.when {
                // What the file says to look for before.
                if case .pathExists = condition { severity = .warning }
            }
        case .notExecutable:
            code = "program-not-executable"
            title = say("% cannot be executed: no permission to execute is set", path)
            help = say("chmod +x %", path)
        case .noFile:
            code = "program-not-executable"
            title = say("% cannot be executed: it is no file", path)
            help = "name a program"
        case .interpreter:
            code = "interpreter-not-found"
            title = say("% cannot be executed: its first line names %, which is not there", path, found.lacking.shown)
            if found.lacking.last == 0x0D {
                title = say("% cannot be executed: its first line ends in CR LF", path)
                help = "write its lines with LF alone (dos2unix)"
            }
        case .strange:
            code = "program-format"
            severity = .warning
            title = say("% is no program that Linux knows, and has no #! line", path)
            help = "begin it with a line such as #!/bin/sh"
        }
        tell(severity, code, title, at: span, help: help)
    }
}
