import CSystem
import CTestSupport
import ConfigParser
import System
import Testing

@testable import Plugins

/// Both stages as root in a folder of somebody who swaps what lies there for links, hard links too, as fast as he can: nothing
/// outside of it may change. One at a time: there is one enemy.
@Suite("An enemy in the folder", .enabled(if: isRoot), .serialized)
struct EnemyTests {
    // In memory: the enemy is quicker there.
    private let folder = TemporaryFolder(inMemory: true)
    private let rounds: UInt64 = 12_000

    private func prepare() {
        folder.file("outside/secret", "secret", mode: 0o600)
        folder.file("outside/linked", "linked", mode: 0o600)
        for name in ["file", ".env", "pid", "deep/x"] { folder.file("outside/" + name, "outside") }
        folder.folder("inside", owner: bob, mode: 0o777)
        for name in ["tree", "a", "data"] { folder.folder("inside/" + name, owner: bob, mode: 0o777) }
    }

    private func expectOutsideUntouched() {
        #expect(folder.names("outside") == [".env", "deep", "file", "linked", "pid", "secret"])
        #expect(folder.names("outside/deep") == ["x"])
        for name in ["", "/secret", "/linked", "/file", "/.env", "/pid", "/deep", "/deep/x"] {
            #expect(folder.owner("outside" + name) == 0, "outside\(name)")
        }
        #expect(folder.mode("outside") == 0o755 && folder.mode("outside/deep") == 0o755)
        #expect(folder.mode("outside/secret") == 0o600 && folder.mode("outside/linked") == 0o600)
        #expect(folder.mode("outside/.env") == 0o644)
        #expect(folder.content("outside/secret") == "secret" && folder.content("outside/linked") == "linked")
        for name in ["file", ".env", "pid", "deep/x"] { #expect(folder.content("outside/" + name) == "outside") }
        // Nor did a secret come in: what alice or bob can read holds none.
        for name in ["inside", "inside/tree", "inside/a", "inside/data"] {
            guard folder.status(name)?.isFolder == true else { continue }
            for entry in folder.names(name) {
                let path = name + "/" + entry
                guard let status = folder.status(path), status.isFile,
                    status.inode != folder.status("outside/linked")?.inode
                else { continue }
                let isSecret = status.uid == 0 && status.mode & 0o077 == 0
                let text = folder.content(path) ?? ""
                #expect(isSecret || !(text.hasPrefix("linked") || text.hasPrefix("secret")), "\(path)")
            }
        }
    }

    /// On a slow machine the enemy is done with its rounds before the stage has run that often.
    private static let fewestRuns = 6

    private func fight(_ stage: @escaping Stage, _ options: StageOptions, kernel: Kernel) {
        test_enemy_start(folder("inside"), folder("outside"), bob)
        var runs = 0
        let log = FileDescriptor(owning: hi_open("/dev/null", O_WRONLY))
        inThread {
            if kernel == .old { #expect(test_use_old_kernel() == 0) }
            while test_enemy_rounds() < rounds || runs < EnemyTests.fewestRuns {
                _ = stage(options, StageContext(report: StageReport(log: log.number, exports: -1)))
                runs += 1
            }
        }
        test_enemy_stop()
    }

    @Test("chown changes nothing outside", arguments: Kernel.allCases)
    func chown(kernel: Kernel) {
        prepare()
        let wanted = options(
            ("owner", .text("61001")), ("root", .text(folder("inside"))), ("create", .boolean(true)),
            ("trees", .texts("tree", "a", "data")),
            ("paths", .texts(".", "file", ".env", "pid", "tree/file", "a/file", "data/deep", "data/secret")),
            ("modes", .modeOf(("file", 0o640), ("a/file", 0o640), ("tree", 0o777), ("data/secret", 0o644))))
        fight(Chown.run, wanted, kernel: kernel)
        expectOutsideUntouched()
    }

    @Test("seed changes nothing outside", arguments: Kernel.allCases)
    func seed(kernel: Kernel) {
        prepare()
        folder.file("template/x", "template")
        folder.file("template/file", "template")
        func table(_ path: String, _ entries: (String, StageValue)...) -> StageOptions {
            var table = StageOptions()
            table.set("path", .text(path))
            for entry in entries { table.set(entry.0, entry.1) }
            return table
        }
        let always = ("if", StageValue.text("always"))
        let wanted = options(
            ("root", .text(folder("inside"))), ("directories", .texts("tree/new", "a/deep", "data/deep/er")),
            (
                "file",
                .tables([
                    table("tree/file", ("random", .integer(8)), always), table("file", ("random", .integer(8)), always),
                    table("a/file", ("content", .text("a")), ("if", .text("empty"))),
                    table("data/secret", ("content", .text("a")), always),
                    table("data/deep/x", ("content", .text("a")), always),
                    table("a", ("from", .text(folder("template"))), always),
                    table("data/copy", ("from", .text(folder("template"))), ("if", .text("empty"))),
                ])
            ),
            (
                "line",
                .tables([
                    table(".env", ("key", .text("K")), ("value", .text("v"))),
                    table("tree/.env", ("key", .text("K")), ("value", .text("v"))),
                    table("data/.env", ("key", .text("K")), ("value", .text("v"))),
                ])
            ),
            (
                "remove",
                .tables([
                    table("pid"), table("tree/pid"), table("data/pid"), table("*/pid"), table("data/*/x"),
                    table("data/file", ("if-content", .text("outside"))),
                ])
            ))
        fight(Seed.run, wanted, kernel: kernel)
        expectOutsideUntouched()
    }
}
