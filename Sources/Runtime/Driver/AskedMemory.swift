import CSystem
import ConfigParser
import System

/// The file in which it is kept which services were asked up or down, `asked` in the state directory: how it is read at boot,
/// and how it is written while the container runs. A disk can take for ever, so the init never writes itself: a copy of it
/// does (clone without exec), and says through a pipe how that went. What is asked while one writes is written by one more
/// after it, however much it was. Every path is walked from the root without following a link, and the file is replaced
/// whole, so that whoever owns the folder can make this fail and nothing else.

/// What was found at boot.
public enum AskedReading: Sendable {
    /// Nobody has asked anything yet, or nothing that is kept.
    case nothing
    indirect case state(AskedState)
    /// There is a file that is none; the text says why.
    case corrupt(String)
    /// It cannot be read; the text says why.
    case unreadable(String)

    /// The names of the file, and of the one that a corrupt one becomes.
    static let name = "asked"
    static let corruptName = "asked.corrupt"

    /// Reads the file of a state directory.
    public static func read(_ folder: Bytes) -> AskedReading {
        let bytes: Bytes
        do throws(Errno) {
            let parts = try PathParts(folder + Bytes("/asked"))
            // O_NONBLOCK: opening a fifo would wait for its writer.
            let file = try OpenFolder.top().open(parts.names, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            guard try file.status().isFile else { return .corrupt("it is not a regular file") }
            bytes = try readToEnd(file, limit: AskedState.largestFile)
        } catch {
            if error == .noEntry || error.code == ENOTDIR { return .nothing }
            if error == .tooLarge { return .corrupt("it is larger than 1 MiB") }
            return .unreadable(reason(error))
        }
        do throws(AskedState.Mistake) {
            return .state(try AskedState(bytes))
        } catch {
            return .corrupt(error.reason)
        }
    }

    /// What it says, where it can be believed.
    public var state: AskedState {
        if case .state(let state) = self { return state }
        return AskedState()
    }

    /// What the log says of it; nil where there is nothing to say.
    func line(_ folder: String) -> String? {
        let end = ": %; so services start as if nobody had asked anything"
        switch self {
        case .nothing, .state: return nil
        case .corrupt(let reason):
            return say("cannot use %/asked" + end + ". The boot keeps it as asked.corrupt", folder, reason)
        case .unreadable(let reason): return say("cannot read %/asked" + end, folder, reason)
        }
    }

    /// The kernel's word, with what it means here.
    static func reason(_ error: Errno) -> String {
        error.code == ELOOP ? "a symbolic link is in its path, and none is followed" : error.text
    }
}

/// Why nothing can be kept in a state directory that may not be there yet; nil where it can, as far as that can be known
/// before. Waits for nothing but the lookup.
func reasonAgainstKeeping(in folder: Bytes) -> String? {
    var path = folder
    while true {
        if path.withCString({ hi_access($0, W_OK | X_OK) }) == 0 { return nil }
        let error = Errno.current
        guard error == .noEntry, let slash = path.lastIndex(of: 0x2F), path.count > 1 else {
            return AskedReading.reason(error)
        }
        path = slash == 0 ? [0x2F] : Bytes(path[..<slash])
    }
}

/// What was asked, and the writing of it.
final class AskedMemory {
    /// What is known now.
    private(set) var state: AskedState
    private let folder: Bytes
    /// There is a file that has to make room first.
    private var setsAside: Bool
    /// Something is not written yet.
    private var isOld = false
    /// What the writer says, and by its end, that it has ended.
    private var reports: FileDescriptor?
    private var process: Int32 = 0
    /// It was said that nothing can be kept.
    private var hasTold: Bool

    /// - Parameters:
    ///   - folder: the state directory.
    ///   - hasTold: it was said already that nothing can be kept there.
    init(_ reading: AskedReading, folder: Bytes, hasTold: Bool) {
        state = reading.state
        self.folder = folder
        self.hasTold = hasTold
        setsAside = false
        if case .corrupt = reading { setsAside = true }
        isOld = setsAside
    }

    /// Whether something waits to be written, and nobody writes.
    var needsWriter: Bool {
        isOld && process == 0 && (notBefore == 0 || notBefore <= hi_monotonic_nanoseconds())
    }

    /// Somebody asked for a service with `remember`. Takes it down; `flush` has it written.
    func note(name: String, up: Bool) {
        if !state.note(name, up: up) { return }
        isOld = true
        notBefore = 0
    }

    /// At the end of each turn: starts a writer where one is needed and none is at work.
    /// - Returns: a line for the log.
    func flush(_ loop: EventLoop) -> String? {
        reap()
        guard needsWriter else { return nil }
        do throws(Errno) {
            let (readEnd, writeEnd) = try FileDescriptor.pipe()
            try loop.mustAddReader(readEnd, Token(.asked))
            let child = hi_fork_writer(writeEnd.number, writeEnd.number)
            if child < 0 { throw Errno.current }
            if child == 0 {
                // A copy of the init: nothing of the loop is touched, and it ends here.
                AskedMemory.save(state, in: folder, setsAside: setsAside, reports: writeEnd)
                hi_exit(0)
            }
            (process, reports, isOld) = (child, readEnd, false)
            withExtendedLifetime(writeEnd) {}
            return nil
        } catch {
            return failed(error.text, again: AskedMemory.startAgain)
        }
    }

    /// The writer said something or ended.
    /// - Returns: a line for the log.
    func reportReady(_ loop: EventLoop) -> String? {
        guard let reports else { return nil }
        var text = Bytes(repeating: 0, count: 256)
        var count = -1
        text.withUnsafeMutableBytes { buffer in
            do throws(Errno) { count = try reports.read(into: buffer) } catch { count = -1 }
        }
        if count < 0 { return nil }
        loop.remove(reports.number)
        self.reports = nil
        dying.append(process)
        process = 0
        reap()
        if count == 0 {
            // It was killed, with the file as it was: once more, with whatever else was asked.
            isOld = true
            triesLeft &-= 1
            if triesLeft > 0 { return nil }
            triesLeft = AskedMemory.mostTries
            return failed("the process that writes it was killed", again: AskedMemory.writeAgain)
        }
        triesLeft = AskedMemory.mostTries
        if text[0] == 0x2B {
            setsAside = false
            hasTold = false
            return nil
        }
        return failed(String(decoding: text[1..<count], as: UTF8.self), again: AskedMemory.writeAgain)
    }

    /// The container ends: waits until all is written, but no longer than until a moment of CLOCK_MONOTONIC in nanoseconds.
    /// - Returns: a line for the log.
    func finish(_ loop: EventLoop, until end: Int64) -> String? {
        var line: String?
        // Once more, whatever was met before.
        notBefore = 0
        while process > 0 || needsWriter {
            line = flush(loop) ?? line
            guard let reports else { break }
            let left = (end &- hi_monotonic_nanoseconds()) / 1_000_000
            if left <= 0 { break }
            _ = hi_poll_one(reports.number, false, Int32(truncatingIfNeeded: left))
            line = reportReady(loop) ?? line
        }
        return line
    }

    /// Ended, but not reaped yet: its end of the pipe is closed a little before. On a busy machine there may be two.
    private var dying: [Int32] = []
    private var triesLeft = AskedMemory.mostTries
    private static let mostTries = 3
    /// Not before that moment of CLOCK_MONOTONIC.
    private var notBefore: Int64 = 0
    /// There was no process to be had; the writer could not write.
    private static let startAgain: Int64 = 1_000_000_000
    private static let writeAgain: Int64 = 60_000_000_000

    private func reap() {
        var signal: Int32 = 0
        for place in dying.indices.reversed() where hi_reap_writer(dying[place], &signal) { dying.remove(at: place) }
    }

    /// It is tried again after so many nanoseconds, when the loop has a turn for whatever reason; at once where something else
    /// is asked; and at the end.
    private func failed(_ reason: String, again after: Int64) -> String? {
        isOld = true
        notBefore = hi_monotonic_nanoseconds() &+ after
        if hasTold { return nil }
        hasTold = true
        return AskedMemory.cannotKeep(folder.shown, reason)
    }

    /// What is said where nothing can be kept.
    static func cannotKeep(_ folder: String, _ reason: String) -> String {
        say(

            """
            cannot keep in % which services were asked up or down: %. It is forgotten when the container \
            ends; mount a volume there, or set `state-directory` in init.toml
            """, folder, reason)
    }

    /// In the writer: "+" in the pipe where all went well, else "-" and the reason.
    private static func save(_ state: AskedState, in folder: Bytes, setsAside: Bool, reports: FileDescriptor) {
        var answer = Bytes("+")
        do throws(Errno) {
            let place = try OpenFolder.top().makeFolder(PathParts(folder).names, mode: 0o755) { _ in }
            let name = Bytes(AskedReading.name.utf8)
            if setsAside {
                try place.rename(name, to: Bytes(AskedReading.corruptName.utf8), replacing: true)
                try place.sync()
            }
            if !setsAside || !state.isEmpty {
                let bytes = state.bytes
                try place.write(name, mode: 0o600, replacing: true) { (file) throws(Errno) in try file.write(bytes) }
            }
        } catch {
            answer = Bytes("-") + AskedReading.reason(error).bytes.prefix(200)
        }
        do throws(Errno) { try reports.write(answer) } catch {}
    }
}
