import CSystem
import CTestSupport
import ConfigParser
import System
import Testing

@testable import Plugins

/// A stage run by a test: in a thread of its own, which may be another user, an old kernel, or have its own mounts.

/// Which system calls there are.
enum Kernel: CaseIterable, Sendable {
    case current
    /// Without openat2(2), statx(2) and fchmodat2(2).
    case old
}

/// A user of the tests; no entry in /etc/passwd is needed.
let alice: UInt32 = 61_001
let bob: UInt32 = 61_002
let isRoot = geteuid() == 0

private final class Job {
    var body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
}

/// Runs a body in a thread of its own.
func inThread(_ body: @escaping () -> Void) {
    let job = Job(body)
    test_in_thread(
        { if let job = $0 { Unmanaged<Job>.fromOpaque(job).takeUnretainedValue().body() } },
        Unmanaged.passUnretained(job).toOpaque())
    withExtendedLifetime(job) {}
}

/// What a stage did.
struct Outcome: Equatable {
    var code: Int32 = -1
    var lines: [String] = []
}

typealias Stage = (StageOptions, StageContext) -> Int32

/// Runs a stage and gives its exit code and what it said.
func run(
    _ stage: @escaping Stage, _ options: StageOptions, kernel: Kernel = .current, as user: UInt32? = nil,
    isDryRun: Bool = false, before: @escaping () -> Void = {}
) -> Outcome {
    let log = FileDescriptor(owning: hi_memory_file("", 0))
    var outcome = Outcome()
    inThread {
        before()
        if kernel == .old { #expect(test_use_old_kernel() == 0) }
        if let user { #expect(test_become(user, user) == 0) }
        let report = StageReport(log: log.number, exports: -1)
        outcome.code = stage(options, StageContext(isDryRun: isDryRun, report: report))
    }
    outcome.lines = text(of: log).split(separator: "\n").map(String.init)
    return outcome
}

func text(of file: FileDescriptor) -> String {
    lseek(file.number, 0, SEEK_SET)
    return String(decoding: (try? readToEnd(file, limit: 1 << 24)) ?? [], as: UTF8.self)
}

/// Options by name.
func options(_ entries: (String, StageValue)...) -> StageOptions {
    var options = StageOptions()
    for entry in entries { options.set(entry.0, entry.1) }
    return options
}

extension StageValue {
    static func text(_ text: String) -> StageValue { .string(Bytes(text.utf8)) }
    static func modeOf(_ entries: (String, UInt32)...) -> StageValue {
        .modes(entries.map { (path: Bytes($0.0.utf8), mode: $0.1) })
    }
    static func texts(_ texts: String...) -> StageValue { .strings(texts.map { Bytes($0.utf8) }) }
}

/// A folder that is gone when the last reference to it goes.
final class TemporaryFolder: @unchecked Sendable {
    let path: String

    init(inMemory: Bool = false) {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = test_make_folder(&buffer, buffer.count, inMemory)
        path = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(chmod(path, 0o755) == 0)
    }

    deinit { test_remove_tree(path) }

    func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// Makes a file with all that lead to it, of an owner.
    @discardableResult
    func file(_ name: String, _ content: String = "", owner: UInt32? = nil, mode: UInt32 = 0o644) -> String {
        if let slash = name.lastIndex(of: "/") { folder(String(name[..<slash])) }
        let number = hi_open(self(name), O_CREAT | O_WRONLY | O_TRUNC)
        #expect(number >= 0)
        let bytes = Bytes(content.utf8)
        #expect(write(number, bytes, bytes.count) == bytes.count)
        #expect(fchmod(number, mode) == 0)
        if let owner { #expect(fchown(number, owner, owner) == 0) }
        close(number)
        return self(name)
    }

    /// Makes a folder with all that lead to it, those of the owner too.
    @discardableResult
    func folder(_ name: String, owner: UInt32? = nil, mode: UInt32 = 0o755) -> String {
        var path = ""
        for part in name.split(separator: "/") {
            path += (path.isEmpty ? "" : "/") + String(part)
            if mkdir(self(path), 0o755) == 0, let owner { #expect(chown(self(path), owner, owner) == 0) }
        }
        #expect(chmod(self(name), mode) == 0)
        if let owner { #expect(chown(self(name), owner, owner) == 0) }
        return self(name)
    }

    func link(_ name: String, to target: String) { #expect(symlink(target, self(name)) == 0) }

    /// The status of a name; links are not followed.
    func status(_ name: String) -> hi_status? {
        var status = hi_status()
        return hi_read_status(AT_FDCWD, name.isEmpty ? path : self(name), &status) == 0 ? status : nil
    }

    func owner(_ name: String) -> UInt32? { status(name)?.uid }
    func mode(_ name: String) -> UInt32? { status(name)?.permissions }

    func content(_ name: String) -> String? {
        guard let file = try? FileDescriptor.open(Bytes(self(name).utf8), flags: O_RDONLY) else { return nil }
        return text(of: file)
    }

    /// What lies in a folder, by name.
    func names(_ name: String = "") -> [String] {
        ((try? listFolder(Bytes((name.isEmpty ? path : self(name)).utf8))) ?? []).map(\.shown).sorted()
    }
}

/// Runs a body in a thread with mounts of its own; without it where that is not allowed.
func withOwnMounts(_ body: @escaping () -> Void) {
    inThread {
        if test_own_mounts() == 0 { body() }
    }
}
