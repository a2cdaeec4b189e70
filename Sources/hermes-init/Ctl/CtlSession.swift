import CSystem
import ConfigParser
import Runtime
import System

/// `hermes-init ctl` at work: asks the init, shows what it says, and ends with the code that tells how it came out. What the
/// lines look like is decided in the views; here is the talking. With `--json` the lines of the init go out as they are.
struct CtlSession {
    let request: CtlRequest
    var connection: CtlConnection
    /// Of standard output.
    var look = Look()
    /// How long the init may take for what it can answer at once.
    private var patience = CtlConnection.patience
    /// The last line of the last answer.
    var last = JSONValue.null
    private var output = Bytes()
    /// When it began, in nanoseconds.
    private let began = hi_monotonic_nanoseconds()

    /// Does what was asked. Gives the exit code.
    @inline(never)
    static func run(_ request: CtlRequest, _ environment: Environment) -> Int32 {
        do throws(CtlFailure) {
            var session = try CtlSession(request, environment)
            return session.run()
        } catch {
            return complain(error, isJSON: request.isJSON)
        }
    }

    init(_ request: CtlRequest, _ environment: Environment, patience: Int = CtlConnection.patience) throws(CtlFailure) {
        self.request = request
        look = CtlSession.look(of: 1, request.color, environment)
        connection = try CtlConnection(environment, patience: patience)
    }

    /// How what goes to a descriptor is to look.
    static func look(of descriptor: Int32, _ color: ColorChoice, _ environment: Environment) -> Look {
        var look = Look(hasColor: color.isWanted(environment, on: descriptor))
        if isatty(descriptor) == 1 {
            let columns = Int(hi_terminal_columns(descriptor, nil))
            look.columns = columns > 0 ? columns : 80
        }
        return look
    }

    /// Tells on standard error; gives the exit code.
    private static func complain(_ failure: CtlFailure, isJSON: Bool) -> Int32 {
        // A reader that is gone needs no message.
        if !failure.title.isEmpty { _ = writeAll(2, failure.text.bytes) }
        return failure.code.rawValue
    }

    private mutating func run() -> Int32 {
        var code: Int32 = 0
        do throws(CtlFailure) {
            if request.waits && request.verb != .logs && request.verb != .events {
                connection.signals = hi_catch_signals(1 << UInt64(SIGINT - 1))
            }
            // What it asks for may reach it as SIGTERM before the answer does. It ends by itself: the init answers at once, and
            // Ctrl-C is another signal.
            if request.verb == .shutdown { _ = hi_catch_signals(1 << UInt64(SIGTERM - 1)) }
            try answer()
            try flush()
        } catch {
            _ = writeAll(1, output)
            output = []
            code = CtlSession.complain(error, isJSON: request.isJSON)
            if error.code == .notReached && !request.isJSON { tellWhy() }
        }
        return code
    }

    private mutating func answer() throws(CtlFailure) {
        if request.isJSON {
            try connection.send(request.line)
            while try next() != nil {}
            return
        }
        let line = request.line
        switch request.verb {
        case .status:
            if request.options.contains(.watch) { return try watch() }
            if request.names.isEmpty { return put(try status([]).lines(look)) }
            try details()
        case .list: try list()
        case .tree:
            var tree = TreeView()
            for line in try ask(line) { tree.add(line) }
            put(try tree.lines(request.names, look))
        case .blame: try blame()
        case .logs: try logs()
        case .events:
            try connection.send(line)
            while let line = try next() { put(eventText(line, look)) }
        case .show:
            for line in try ask(line) { put(ShowView.lines(line, look)) }
        case .start, .stop, .restart, .wait, .remove: try change()
        case .reload: if request.names.isEmpty { try reload() } else { try change() }
        case .signal, .shutdown:
            _ = try ask(line)
            let names = joined(request.names, last: " and ")
            put(request.verb == .signal ? say("sent % to %\n", request.word, names) : "the container stops\n")
        case .metrics:
            for line in try ask(line) { put(line.text("metrics") ?? "") }
        case .version:
            put(say("%, and the init that runs here is %\n", Version.line, fitted(connection.version, to: 40)))
        }
    }

    // MARK: - Lines in and out

    /// The next line of an answer; nil behind the last one. Throws where that says so.
    mutating func next() throws(CtlFailure) -> JSONValue? {
        if !connection.hasLine() { try flush() }
        var patience: Int? = patience
        if request.waits { patience = request.timeout.map { $0 &+ CtlConnection.patience } }
        switch connection.next(within: patience) {
        case .line(let bytes):
            guard let line = JSONValue(bytes) else {
                throw CtlFailure(.noInit, "what listens at the control socket gave an answer that cannot be read")
            }
            if request.isJSON {
                output += bytes
                output.append(0x0A)
            }
            guard line["ok"] != nil else { return line }
            last = line
            if !line.isTrue("ok") { throw CtlFailure(line) }
            return nil
        case .closed:
            throw CtlFailure(.noInit, "the init closed the connection", ["the container may be stopping"])
        case .late: throw CtlFailure(.late, "the init does not answer")
        case .interrupted:
            let isWatch = request.options.contains(.watch)
            var isOver = !isWatch
            // That the terminal has another size shows in the next picture.
            while case let signal = hi_next_signal(connection.signals), signal > 0 {
                if signal != SIGWINCH && signal != SIGTSTP { isOver = true }
            }
            if !isOver { return try next() }
            throw CtlFailure(.interrupted, isWatch ? "" : "no longer waiting; what was asked for goes on")
        }
    }

    /// A whole answer.
    @inline(never)
    mutating func ask(_ line: Bytes) throws(CtlFailure) -> [JSONValue] {
        var lines = [JSONValue]()
        try connection.send(line)
        while let line = try next() { lines.append(line) }
        return lines
    }

    @inline(never)
    mutating func put(_ text: String) {
        output += text.bytes
        // What cannot be written shows at the next flush.
        if output.count > 1 << 16 && writeAll(1, output) { output = [] }
    }

    mutating func put(_ lines: [String]) {
        for line in lines { put(say("%\n", line)) }
    }

    mutating func flush() throws(CtlFailure) {
        let bytes = output
        output = []
        if bytes.isEmpty || writeAll(1, bytes) { return }
        throw CtlFailure(.output, "")
    }

    // MARK: - What is asked

    mutating func status(_ names: [String]) throws(CtlFailure) -> StatusAnswer {
        var answer = StatusAnswer()
        for line in try ask(CtlRequest.line(["status"], names)) { answer.services.append(ServiceStatus(line)) }
        answer.finish(last)
        return answer
    }

    /// `status NAME...`. What the user may not see is left out.
    private mutating func details() throws(CtlFailure) {
        for (place, service) in try status(request.names).services.enumerated() {
            var detail = ServiceDetail(status: service)
            detail.shown = allowed(["show"], [service.name])?.first
            detail.output = allowed(["logs", "-n", "10"], [service.name])
            put((place == 0 ? [] : [""]) + detail.lines(look))
        }
    }

    /// The lines of an answer; nil where it was refused.
    private mutating func allowed(_ words: [String], _ names: [String] = []) -> [JSONValue]? {
        do throws(CtlFailure) {
            return try ask(CtlRequest.line(words, names))
        } catch {
            return nil
        }
    }

    /// For the completion: the names that there are, quickly, or nothing at all.
    static func names(_ environment: Environment) -> [String] {
        var names = [String]()
        do throws(CtlFailure) {
            var session = try CtlSession(CtlRequest(.list), environment, patience: 300)
            session.patience = 300
            for line in try session.ask(session.request.line) {
                if let name = line.text("name"), !line.isTrue("template") { names.append(name) }
            }
        } catch {
            return names
        }
        return names
    }

    private mutating func list() throws(CtlFailure) {
        var table = TextTable()
        table.column("NAME")
        table.column("TYPE")
        table.column("MADE FROM")
        for line in try ask(request.line) {
            let name = fitted(line.text("name") ?? "", to: 256)
            if request.options.contains(.names) {
                put(say("%\n", name))
                continue
            }
            let type = say(line.isTrue("template") ? "%, template" : "%", line.text("type") ?? "")
            table.add(name)
            table.add(type)
            table.add(line.text("instance-of") ?? "", .dim)
        }
        if !request.options.contains(.names) { put(table.lines(look)) }
    }

    /// What the init knows of the last boot.
    mutating func timings() throws(CtlFailure) -> BlameView {
        var view = BlameView()
        for line in try ask("blame".bytes) { view.add(line) }
        view.finish(last)
        return view
    }

    private mutating func blame() throws(CtlFailure) {
        let view = try timings()
        if request.picture.isEmpty { return put(view.lines(look)) }
        try CtlSession.save(view.picture, request.picture)
    }

    /// Writes a file; one that is there is overwritten.
    static func save(_ text: String, _ path: Bytes) throws(CtlFailure) {
        let number = path.withCString { hi_create_file($0) }
        let file = number >= 0 ? FileDescriptor(owning: number) : nil
        if let file, writeAll(file.number, text.bytes) { return }
        throw CtlFailure(.output, say("cannot write %: %", path.shown, Errno.current.text))
    }

    private mutating func logs() throws(CtlFailure) {
        var names = request.names
        if names.isEmpty {
            for line in allowed(["list"]) ?? [] {
                if let name = line.text("name"), !line.isTrue("template") { names.append(name) }
            }
            // Of all services, even where there is one: its name tells which.
            if names.count == 1 { names.append("") }
        }
        let view = LogView(names, look, hasTimes: request.options.contains(.timestamps))
        try connection.send(request.line)
        while let line = try next() { put(view.text(line)) }
        try flush()
        let others = last.texts("not-kept")
        if others.isEmpty { return }
        let text = say(
            "nothing is kept of what % wrote: it went to the container's own output", joined(others, last: " and "))
        _ = writeAll(2, (say("%\n", fitted(text, to: 4096))).bytes)
    }

    /// `reload` without a name: what it came to.
    private mutating func reload() throws(CtlFailure) {
        var summary = ""
        for line in try ask(request.line) {
            let keys: [Literal] = ["added", "removed", "restarted", "changed"]
            for key in keys {
                let names = line.texts(key)
                if names.isEmpty { continue }
                let head = look.paint(fitted(key.text, to: 9, padding: 9), .dim)
                summary += say("%  %%\n", head, joined(names), key.text == "changed" ? " (without a restart)" : "")
            }
        }
        put(summary.isEmpty ? "no service has changed\n" : summary)
    }

    // MARK: - Changes

    /// Asks for a change, tells how it goes on where somebody looks, and what is so then.
    private mutating func change() throws(CtlFailure) {
        try connection.send(request.line)
        var before = ""
        while let line = try next() {
            guard look.columns != nil, let name = line.text("name") else { continue }
            let step = say("  %: %", fitted(name, to: 64), fitted(line.text("words") ?? "", to: 400))
            // Several states have the same words.
            if step != before { put(say("%\n", look.paint(step, .dim))) }
            before = step
        }
        let time = Int((hi_monotonic_nanoseconds() &- began) / 1_000_000)
        if request.verb == .remove || request.verb == .reload {
            let done = request.verb == .remove ? "removed" : "reloaded"
            for name in request.names {
                put(say(request.waits ? "% is %\n" : "% is being %\n", name, done))
            }
            return
        }
        for service in try status(request.names).services {
            var text = say("% is %", look.paint(service.name, .bold), look.paint(service.shownState, service.ink))
            if let pid = service.pid, service.isUp { text += say(" (pid %)", String(pid)) }
            put(request.waits ? say("% after %\n", text, seconds(time)) : say("% now\n", text))
        }
    }

    /// Behind a failure: the last lines of the one service that was asked about.
    private mutating func tellWhy() {
        guard request.names.count == 1, let name = request.names.first else { return }
        switch request.verb {
        case .start, .restart, .wait: break
        default: return
        }
        guard let lines = allowed(["logs", "-n", "5"], [name]), !lines.isEmpty else { return }
        var text = say("  the last lines of %:\n", fitted(name, to: 64))
        for line in lines { text += say("    %\n", tame(line.text("line") ?? "")) }
        _ = writeAll(2, text.bytes)
    }
}

/// Writes all of it, however long that takes; false where it cannot be.
@inline(never)
func writeAll(_ descriptor: Int32, _ bytes: Bytes) -> Bool {
    var written = 0
    while written < bytes.count {
        let count = bytes.withUnsafeBytes {
            write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
        }
        if count < 0 {
            switch Errno.current.code {
            case EINTR: continue
            // Somebody made the terminal non-blocking.
            case EAGAIN: _ = hi_poll_one(descriptor, true, 1000)
            default: return false
            }
            continue
        }
        written += count
    }
    return true
}
