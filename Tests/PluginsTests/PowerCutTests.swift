import CSystem
import CTestSupport
import ConfigParser
import System
import Testing

@testable import Plugins

/// What is on the disk at every system call of `seed`: each is stopped before it is made, and what lies there then is what a
/// power cut or a SIGKILL would leave.
@Suite("seed: a power cut at any system call")
struct PowerCutTests {
    private final class Record {
        var calls: [String] = []
        var look: () -> Void = {}
        var body: () -> Void = {}
        var log: UInt64 = 0
    }

    /// Runs a body; `look` is called before each of its calls, whose names are given, those to the log left out. Nil where
    /// the kernel cannot stop a thread so.
    private func watch(log: FileDescriptor, _ body: @escaping () -> Void, look: @escaping () -> Void) -> [String]? {
        let record = Record()
        (record.body, record.look, record.log) = (body, look, UInt64(log.number))
        let result = test_watch(
            { if let record = $0 { Unmanaged<Record>.fromOpaque(record).takeUnretainedValue().body() } },
            { context, number, argument in
                guard let context else { return }
                let record = Unmanaged<Record>.fromOpaque(context).takeUnretainedValue()
                record.look()
                let name = String(cString: test_call_name(number))
                if name != "write" || argument != record.log { record.calls.append(name) }
            }, Unmanaged.passUnretained(record).toOpaque())
        return result == 0 ? record.calls : nil
    }

    @Test(
        "There is the old file or the new one, and the next run ends the work",
        arguments: ["missing", "empty", "always"])
    func files(condition: String) throws {
        let folder = TemporaryFolder()
        folder.folder("data")
        folder.file("template/a/b", "tree")
        folder.file("template/c", "tree")
        if condition == "empty" { folder.file("data/f") }
        if condition == "always" { folder.file("data/f", "old") }
        folder.file("data/.env", "A=1\nK=\n", mode: 0o640)
        func stage(_ root: String) -> Int32 {
            let file = options(("path", .text("f")), ("content", .text("new content")), ("if", .text(condition)))
            let tree = options(("path", .text("tree")), ("from", .text(folder("template"))), ("if", .text(condition)))
            let line = options(("path", .text(".env")), ("key", .text("K")), ("value", .text("v")))
            let wanted = options(
                ("root", .text(folder(root))), ("file", .tables([file, tree])), ("line", .tables([line])))
            let log = FileDescriptor(owning: hi_open("/dev/null", O_WRONLY))
            return Seed.run(wanted, StageContext(report: StageReport(log: log.number, exports: -1)))
        }
        var cuts: [String] = []
        let log = FileDescriptor(owning: hi_open("/dev/null", O_WRONLY))
        let calls = watch(log: log) {
            #expect(stage("data") == 0)
        } look: {
            let text = folder.content("data/f")
            let old: String? = condition == "missing" ? nil : condition == "empty" ? "" : "old"
            #expect(text == old || text == "new content")
            let line = folder.content("data/.env")
            #expect(line == "A=1\nK=\n" || line == "A=1\nK=v\n")
            // Under its name a tree is whole or not there.
            #expect(
                folder.status("data/tree") == nil
                    || folder.names("data/tree") == ["a", "c"] && folder.content("data/tree/a/b") == "tree")
            let cut = "cut-\(cuts.count)"
            cuts.append(cut)
            folder.folder(cut)
            let target = try? OpenFolder(FileDescriptor.open(Bytes(folder(cut).utf8), flags: O_RDONLY))
            let source = try? OpenFolder(FileDescriptor.open(Bytes(folder("data").utf8), flags: O_RDONLY))
            if let source, let target, let volume = try? Volume(root: nil) {
                _ = try? SeedWork(volume, StageContext()).tree(source, to: target, depth: 0)
            }
        }
        guard calls != nil else { return }
        #expect(cuts.count > 30)
        for cut in cuts {
            #expect(stage(cut) == 0)
            #expect(folder.names(cut) == [".env", "f", "tree"], "\(cut)")
            #expect(folder.content(cut + "/f") == "new content" && folder.content(cut + "/.env") == "A=1\nK=v\n")
            #expect(folder.content(cut + "/tree/a/b") == "tree" && folder.content(cut + "/tree/c") == "tree")
            #expect(folder.mode(cut + "/.env") == 0o640)
        }
    }

    @Test("What is written is on the disk before it gets its name, and the name is before the stage goes on")
    func order() throws {
        let folder = TemporaryFolder()
        let file = options(("path", .text("f")), ("content", .text("new")))
        let wanted = options(("root", .text(folder.path)), ("file", .tables([file])))
        let log = FileDescriptor(owning: hi_open("/dev/null", O_WRONLY))
        let calls = watch(log: log) {
            #expect(Seed.run(wanted, StageContext(report: StageReport(log: log.number, exports: -1))) == 0)
        } look: {
        }
        guard let calls else { return }
        // The first write is the content, into a file in memory.
        let changes = calls.filter { $0 != "open" }
        #expect(changes == ["write", "unlink", "write", "fchmod", "fsync", "rename", "fsync"])
    }
}
