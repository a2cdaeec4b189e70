import ConfigParser
import System

/// Checks against a machine or an image: that the users, programs, folders and files which a service names are there, and the
/// variables set. Only what is written without a variable is looked for, since the container may set that. What cannot be
/// looked at for want of a permission counts as there.

/// More variables than this are not gone through; a boot would take long over them, too.
private let mostVariables = 500

extension MeaningCheck {
    func checkMachine(_ service: Service, _ view: ImageView) {
        checkAccounts(of: service, view)
        guard service.environment.count &+ settings.environment.count <= mostVariables else { return }
        unset.removeAll(keepingCapacity: true)
        environment.begin(service.environmentClear ? nil : view)
        if !service.environmentClear {
            // What the runtime of a container gives to each.
            if view.isImage { setUnknown(["HOME", "HOSTNAME"]) }
            setUnknown(exported)
            if isAnyExported { environment.open() }
            for condition in service.when {
                switch condition {
                case .environmentTrue(let name), .environmentSet(let name): environment.set(name, nil)
                case .environmentEquals(let name, let value): environment.set(name, value.bytes)
                case .environmentUnset, .pathExists, .pathMissing, .tty, .root, .main, .mainNot: break
                }
            }
        }
        if service.isTemplate { environment.set("HERMES_INIT_INSTANCE", nil) }
        apply(settings.environment)
        if let user = service.user { setAccount(user, view) }
        if let group = service.group { checkVariables([group]) }
        if let groups = service.groups { checkVariables(groups) }
        for file in service.environmentFiles {
            checkVariables([file.path])
            checkEnvironmentFile(file, service, view)
        }
        apply(service.environment)
        environment.set("HERMES_INIT_SERVICE", service.isTemplate ? nil : service.name.bytes)
        if service.isTemplate { environment.set("HERMES_INIT_INSTANCE", nil) }

        if let directory = service.directory { checkVariables([directory]) }
        let directory = checkDirectory(of: service, view)
        var search = ProgramSearch(view: view, path: standardPath, directory: directory)
        switch environment.value("PATH") {
        case .known(let path): search.path = path
        case .unknown: search.path = nil
        case .unset: break
        }
        switch service.action {
        case .command(let words):
            checkVariables(words)
            checkProgram(words, service, search)
        case .script(let text, let span): checkScript(text, span, service, search)
        case .plugin(let plugin, let options): checkStage(plugin, options, service, search)
        case .nothing: break
        }
        if let file = service.log.file { checkVariables([file]) }
        for template in service.probedPlaces { checkVariables([template]) }
        environment.set("MAINPID", nil)
        for words in service.furtherCommands {
            checkVariables(words)
            checkProgram(words, service, search)
        }
    }

    /// What the account of a service sets.
    private func setAccount(_ user: Template, _ view: ImageView) {
        checkVariables([user])
        guard let name = environment.expand(user) else {
            return setUnknown(["HOME", "USER", "LOGNAME", "SHELL"])
        }
        var account = view.account(name)
        if let number = Accounts.decimal(name) { account = view.accounts.account(uid: number) }
        // A number without an entry leaves them as they are; of a name without one it was told.
        guard let account else { return }
        environment.set("HOME", account.home.isEmpty ? [0x2F] : account.home)
        environment.set("USER", account.name)
        environment.set("LOGNAME", account.name)
        environment.set("SHELL", account.shell.isEmpty ? "/bin/sh".bytes : account.shell)
    }

    private func setUnknown(_ names: [String]) {
        for name in names { environment.set(name, nil) }
    }

    private func apply(_ changes: [EnvironmentChange]) {
        for change in changes {
            guard let value = change.value else {
                environment.unset(change.name)
                continue
            }
            checkVariables([value])
            environment.set(change.name, environment.expand(value))
        }
    }

    // MARK: - Variables

    /// Variables that nobody sets and that have no default. `${NAME:?…}` says itself that the container has to set it.
    private func checkVariables(_ templates: [Template]) {
        for template in templates { checkVariables(in: template.parts) }
    }

    /// Goes as deep as defaults lie in one another, which the parser of templates bounds.
    private func checkVariables(in parts: [Template.Part]) {
        for part in parts {
            guard case .variable(let name, let fallback, let span) = part, case .unset = environment.value(name) else {
                continue
            }
            switch fallback {
            case .error: continue
            case .value(let parts): checkVariables(in: parts)
            case .none:
                if hasToldEnough || has(unset, name) { continue }
                unset.append(name)
                warn(
                    "unset-variable", say("% is not set here and has no default", name), at: span,
                    note: "a service of which a variable is not set does not start",
                    help: say(

                        """
                        set it when the container is started (docker run -e %=…), give it a default: ${%:-…}, \
                        or say that it has to be set: ${%:?why}
                        """, name, name, name))
            }
        }
    }

    /// The variables in the options of a stage, and where it is an executable, that.
    private func checkStage(
        _ plugin: Reference, _ options: Table, _ service: Service, _ search: ProgramSearch
    ) {
        // The mistakes in the options themselves were told when those were checked.
        var ignored = [Diagnostic]()
        if let known = stages.table(plugin.name) {
            return checkVariables(known.read(options, sources: sources, diagnostics: &ignored).templates)
        }
        _ = Value(.table(options), options.span).mappingStrings { (text, span) in
            checkVariables([Template.parse(text, span: span, sources: sources, diagnostics: &ignored)])
            return ""
        }
        // Of a name without an executable behind it was told, too.
        let path = externalPath(plugin.name)
        if plugin.name.utf8.contains(0x2F) || (search.view.knownKind(path) == .regular && search.view.isProgram(path)) {
            checkProgram(path, plugin.span, service, search, isScript: false)
        }
    }

    // MARK: - Users and groups

    private func checkAccounts(of service: Service, _ view: ImageView) {
        if let user = service.user, let name = user.literal, Accounts.decimal(name) == nil,
            view.account(name) == nil
        {
            var help = "add it to the image (useradd), or give a numeric ID"
            if let near = suggestion(for: name.shown, among: { view.userNames }) {
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
        guard let name = group.literal, Accounts.decimal(name) == nil, !view.hasGroup(name) else { return }
        fail(
            "unknown-group", say("there is no group % in /etc/group", name.shown), at: group.span,
            help: "add it to the image (groupadd), or give a numeric ID")
    }

    // MARK: - Folders and files

    /// The working directory, where it is known.
    private func checkDirectory(of service: Service, _ view: ImageView) -> Bytes? {
        guard let template = service.directory, let path = template.literal, path.first == 0x2F else { return nil }
        switch view.knownKind(path) {
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
        _ file: EnvironmentFile, _ service: Service, _ view: ImageView
    ) {
        guard let path = environment.expand(file.path), path.first == 0x2F else {
            return environment.forget()
        }
        let code = "bad-environment-file"
        switch view.contents(path) {
        case .bytes(let bytes):
            let (entries, mistakes) = parseDotenv(bytes)
            if entries.count > mostVariables { return environment.forget() }
            for entry in entries { environment.set(entry.name, entry.value) }
            guard let first = mistakes.first else { return }
            environment.forget()
            var notes = [String]()
            for place in mistakes.indices where place > 0 && place < 6 {
                notes.append(say("line %: %", String(mistakes[place].line), mistakes[place].what))
            }
            fail(
                code, say("cannot use %: line %: %", path.shown, String(first.line), first.what), at: file.path.span,
                notes: notes, help: "write each line as NAME=value")
        case .missing:
            if file.mayBeMissing { return }
            environment.open()
            lack(
                code, say("the file % does not exist", path.shown), path, service, at: file.path.span,
                help: say("add it to the image, or write \"-%\" if it may be missing", path.shown))
        case .unreadable(let error):
            environment.forget()
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
        for reference in service.isTemplate ? service.requires + service.wants + service.after : [] {
            if let index = names[reference.name], index >= 0, services[index].type == .oneshot { isMade = true }
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
            checkProgram(Bytes("/bin/sh"), span, service, search, isScript: true)
            return
        }
        for word in interpreter(bytes) { checkProgram(word, span, service, search, isScript: true) }
    }

    /// What people write first in a line for a shell, and no program has as its name.
    private static let shellWords = [
        "cd", ".", "source", "exec", "export", "set", "unset", "ulimit", "umask", "eval", "trap", "if", "for", "while",
    ]

    private func checkProgram(
        _ word: Bytes, _ span: Span, _ service: Service, _ search: ProgramSearch, isScript: Bool
    ) {
        let found = search.view.program(word, search)
        if case .none = found.problem { return }
        let what = say(isScript ? "the interpreter %" : "the program %", word.shown)
        var code = "program-not-found"
        var title: String
        var help = "add it to the image, or mend its name"
        var severity = Diagnostic.Severity.error
        let path = found.path.shown
        switch found.problem {
        case .none: return
        case .missing:
            title = say(word.contains(0x2F) ? "cannot find %" : "cannot find % on PATH", what)
            let words = fields(word, 0x20)
            if words.count > 1 && !isScript {
                var list = ""
                for word in words { list += say(list.isEmpty ? "\"%\"" : ", \"%\"", word.shown) }
                help = say("write each word as a string of its own: [%]", list)
            } else if has(MeaningCheck.shellWords, word.shown) {
                help = "only a shell knows it: write script = \"…\" in place of `command`"
            }
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
