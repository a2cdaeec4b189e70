import CSystem
import ConfigParser
import Runtime
import System

/// `hermes-init exec`: a program run as a service would be run, or as a user; and `hermes-init shim`: the same by a file that
/// stands in for a program, so that whoever runs that program as root runs it as the service does. Runtime does it; here are
/// the words.

extension ExecRequest {
    /// Reads `[--config DIR]... [--like SERVICE] [--user U[:G]] [--here] [--] CMD [ARG...]`, the words behind `exec`. Gives nil
    /// where help is asked for.
    static func read(_ words: ArraySlice<[UInt8]>) throws(UsageError) -> ExecRequest? {
        var request = ExecRequest()
        var named = [[UInt8]]()
        var rest = words
        // The first word that is no option is the program, as it is for env(1).
        while let word = rest.first, word.first == 0x2D {
            rest = rest.dropFirst()
            if isWord(word, "--") { break }
            if isWord(word, "--help") || isWord(word, "-h") { return nil }
            if isWord(word, "--here") {
                request.staysHere = true
                continue
            }
            let option = [UInt8](word.prefix { $0 != 0x3D })
            guard isWord(option, "--config") || isWord(option, "--like") || isWord(option, "--user") else {
                throw UsageError(
                    title: say("exec has no option %", quoted([word])),
                    remedy: "it has --like SERVICE, --user USER[:GROUP], --here and --config DIR", topic: .exec)
            }
            let value = option.count < word.count ? [UInt8](word[(option.count + 1)...]) : rest.popFirst() ?? []
            if value.isEmpty {
                throw UsageError(
                    title: say("% needs a value", quoted([option])),
                    remedy: "such as: hermes-init exec --like web -- sh", topic: .exec)
            }
            if isWord(option, "--config") {
                named.append(value)
            } else if isWord(option, "--like") {
                request.service = value
            } else {
                try request.take(user: value)
            }
        }
        request.command = [[UInt8]](rest)
        if request.service == nil && request.user == nil {
            throw UsageError(
                title: "exec needs to know as whom", remedy: "write --like SERVICE, --user USER, or both", topic: .exec)
        }
        if request.command.first?.isEmpty ?? true {
            throw UsageError(
                title: "exec needs a program", remedy: "such as: hermes-init exec --like web -- sh", topic: .exec)
        }
        if !named.isEmpty { (request.folders, request.foldersAreRequired) = (named, true) }
        return request
    }

    /// USER or USER:GROUP.
    fileprivate mutating func take(user value: [UInt8]) throws(UsageError) {
        let parts = value.split(separator: 0x3A, maxSplits: 1, omittingEmptySubsequences: false)
        user = [UInt8](parts[0])
        group = parts.count > 1 ? [UInt8](parts[1]) : nil
        if parts[0].isEmpty || group?.isEmpty == true {
            throw UsageError(
                title: say("--user cannot be %", quoted([value])),
                remedy: "write USER or USER:GROUP, by names or numbers",
                topic: .exec)
        }
    }

    /// Becomes the program; gives what is to be said where that failed.
    @inline(never)
    func answer() -> Answer {
        ExecRequest.answer(
            execute(self) { _ = tell(Answer(say("hermes-init exec: %\n", $0), stream: .standardError)) },
            by: "hermes-init exec")
    }

    /// - Parameters:
    ///   - caller: who says it.
    ///   - remedy: what else may be done where it was refused.
    fileprivate static func answer(_ failure: ExecFailure, by caller: String, remedy: String = "") -> Answer {
        switch failure {
        case .message(let text, let code):
            return Answer(
                say("%: %%\n", caller, text, code == 77 ? remedy : ""), stream: .standardError, exitCode: code)
        case .configuration(let result):
            return Check.refusal(result, graph: [], color: ColorChoice.automatic.isWanted(.ofProcess(), on: 2))
                ?? Answer("", exitCode: 78)
        }
    }
}

/// A shim: a file whose first line is `#!/usr/local/bin/hermes-init shim`, a comment to TOML, in the place of a program. Run by
/// root it becomes the program as a service would be; run by anybody else, which a service is too, the program unchanged.
struct Shim: Equatable {
    var like: [UInt8]?
    var user: [UInt8]?
    var command: [[UInt8]] = []
    /// A variable; root stays root where it is 1, true, yes or on.
    var unless: [UInt8]?
    var folders: [[UInt8]] = []

    static let keys = "like, user, command, unless-env and config"

    /// A shim of a table; nil and what is wrong.
    static func read(_ table: Table) -> (Shim?, mistake: String) {
        var shim = Shim()
        for entry in table.entries {
            var words = [[UInt8]]()
            var isList = false
            switch entry.value.kind {
            case .string(let text): words = [[UInt8](text.utf8)]
            case .array(let values):
                isList = true
                for value in values {
                    guard case .string(let text) = value.kind else {
                        return (nil, say("% is no list of strings", entry.key))
                    }
                    words.append([UInt8](text.utf8))
                }
            default: return (nil, say("% is no string", entry.key))
            }
            let wantsList = entry.key == "command" || entry.key == "config"
            if wantsList != isList { return (nil, say("% is no %", entry.key, wantsList ? "list" : "string")) }
            if entry.key == "like" {
                shim.like = words.first
            } else if entry.key == "user" {
                shim.user = words.first
            } else if entry.key == "unless-env" {
                shim.unless = words.first
            } else if entry.key == "command" {
                shim.command = words
            } else if entry.key == "config" {
                shim.folders = words
            } else {
                return (nil, say("it has no key %: there are %", entry.key, keys))
            }
        }
        guard let program = shim.command.first, program.first == 0x2F else {
            return (nil, "the first word of command is not the whole path of a program")
        }
        if shim.like == nil && shim.user == nil {
            return (nil, "it does not say like = \"SERVICE\" or user = \"USER\"")
        }
        return (shim, "")
    }

    /// Becomes the program of a shim; gives what is to be said where that failed.
    /// - Parameters:
    ///   - path: the file.
    ///   - arguments: what it was called with.
    @inline(never)
    static func answer(_ path: [UInt8], _ arguments: ArraySlice<[UInt8]>) -> Answer {
        let name = path.shown
        func failure(_ text: String) -> Answer {
            Answer(say("hermes-init: cannot use %: %\n", name, text), stream: .standardError, exitCode: 78)
        }
        let bytes: Bytes
        do throws(Errno) { bytes = try readFile(path, limit: 1 << 16) } catch { return failure(error.text) }
        var diagnostics = [Diagnostic]()
        var sources = SourceMap()
        let table = TOMLParser.parse(
            file: sources.add(path: name, bytes: bytes), bytes: bytes, diagnostics: &diagnostics)
        if !diagnostics.isEmpty {
            let text = DiagnosticRenderer(sources: sources, color: false).render(Diagnostic.sorted(diagnostics))
            return Answer(text, stream: .standardError, exitCode: 78)
        }
        let (known, mistake) = read(table)
        guard let shim = known else { return failure(mistake) }
        if isSameFile(path, shim.command[0]) { return failure("its command is the shim itself, which would never end") }
        let command = shim.command + arguments
        let unless = shim.unless.map { String(decoding: $0, as: UTF8.self) }
        let isLeft = unless.flatMap { Environment.ofProcess().value($0) }.map(isTrue) ?? false
        if geteuid() != 0 || isLeft { return ExecRequest.answer(execute(unchanged: command), by: name) }
        var request = ExecRequest()
        request.service = shim.like
        request.command = command
        // Who runs a program chose where.
        request.staysHere = true
        if !shim.folders.isEmpty { (request.folders, request.foldersAreRequired) = (shim.folders, true) }
        if let user = shim.user {
            do throws(UsageError) { try request.take(user: user) } catch { return failure(error.title) }
        }
        let failed = execute(request) { _ = tell(Answer(say("%: %\n", name, $0), stream: .standardError)) }
        return ExecRequest.answer(
            failed, by: name, remedy: unless.map { say("; %=1 leaves it to root", $0) } ?? "")
    }
}

/// Whether two paths lead to one file.
private func isSameFile(_ one: Bytes, _ other: Bytes) -> Bool {
    var first = hi_file()
    var second = hi_file()
    return one.withCString { hi_stat($0, &first) } == 0 && other.withCString { hi_stat($0, &second) } == 0
        && first.device == second.device && first.inode == second.inode
}
