import CSystem
import CTestSupport
import ConfigParser
import System
import Testing

@testable import Plugins

@Suite("seed")
struct SeedTests {
    let folder = TemporaryFolder()
    private var root: (String, StageValue) { ("root", .text(folder("data"))) }

    private func files(_ tables: StageOptions...) -> StageOptions { options(root, ("file", .tables(tables))) }

    @Test("The home of an application, from nothing, and once more without a word", arguments: Kernel.allCases)
    func home(kernel: Kernel) {
        folder.file("templates/.env.example", "# keys\nAPI_SERVER_KEY=\nOTHER=1\n", mode: 0o640)
        let wanted = options(
            root, ("directories", .texts("cron", "logs/gateways")),
            (
                "file",
                .tables([
                    options(("path", .text(".env")), ("from", .text(folder("templates/.env.example")))),
                    options(("path", .text("auth.json")), ("content", .text("{}")), ("mode", .mode(0o600))),
                    options(("path", .text("unset.json")), ("content", .text(""))),
                    options(("path", .text("deep/er/key")), ("random", .integer(32))),
                ])
            ),
            (
                "line",
                .tables([options(("path", .text(".env")), ("key", .text("API_SERVER_KEY")), ("random", .integer(32)))])
            ),
            ("remove", .tables([options(("path", .text("gateway.pid")))])))
        let first = run(Seed.run, wanted, kernel: kernel)
        let path = folder("data")
        #expect(
            first
                == Outcome(
                    code: 0,
                    lines: [
                        "made the folder \(path)", "made the folder \(path)/cron",
                        "made the folder \(path)/logs/gateways",
                        "wrote \(path)/.env", "wrote \(path)/auth.json", "wrote \(path)/deep/er/key",
                        "set API_SERVER_KEY in \(path)/.env",
                    ]))
        #expect(folder.names("data") == [".env", "auth.json", "cron", "deep", "logs"])
        #expect(folder.mode("data/.env") == 0o640 && folder.mode("data/auth.json") == 0o600)
        #expect(folder.content("data/auth.json") == "{}")
        let key = folder.content("data/deep/er/key") ?? ""
        #expect(key.utf8.count == 64 && key.allSatisfy { $0.isHexDigit } && folder.mode("data/deep/er/key") == 0o600)
        let lines = (folder.content("data/.env") ?? "").split(separator: "\n")
        #expect(lines.count == 3 && lines[0] == "# keys" && lines[2] == "OTHER=1")
        #expect(lines[1].hasPrefix("API_SERVER_KEY=") && lines[1].utf8.count == 15 + 64)
        folder.file("data/gateway.pid", "17")
        #expect(
            run(Seed.run, wanted, kernel: kernel) == Outcome(code: 0, lines: ["removed \(path)/gateway.pid"]))
        #expect(run(Seed.run, wanted, kernel: kernel) == Outcome(code: 0))
    }

    @Test(
        "A file is written where it is missing, where it is empty, or always",
        arguments: [
            ("missing", nil, "new"), ("missing", "", ""), ("missing", "old", "old"), ("empty", nil, "new"),
            ("empty", "", "new"), ("empty", "old", "old"), ("always", nil, "new"), ("always", "old", "new"),
            ("always", "new", "new"),
        ] as [(String, String?, String)], [false, true])
    func conditions(_ row: (condition: String, before: String?, after: String), fromFile: Bool) {
        folder.folder("data")
        folder.file("template", "new")
        if let before = row.before { folder.file("data/f", before) }
        let source = fromFile ? ("from", StageValue.text(folder("template"))) : ("content", .text("new"))
        let wanted = files(options(("path", .text("f")), source, ("if", .text(row.condition))))
        let outcome = run(Seed.run, wanted)
        #expect(outcome.code == 0)
        #expect(outcome.lines == (row.before == row.after ? [] : ["wrote \(folder.path)/data/f"]))
        #expect(folder.content("data/f") == row.after)
        #expect(folder.names("data") == ["f"])
        #expect(run(Seed.run, wanted) == Outcome(code: 0))
    }

    @Test(
        "A tree is copied whole with its modes and links; what is none of these is left out", arguments: Kernel.allCases
    )
    func tree(kernel: Kernel) {
        folder.file("template/a", "A", mode: 0o750)
        folder.file("template/b/c", "C", mode: 0o600)
        folder.folder("template/b", mode: 0o710)
        folder.link("template/l", to: "b/c")
        #expect(test_make_special(folder("template/fifo"), CChar(bitPattern: UInt8(ascii: "f"))) == 0)
        // What a run that was cut off has left.
        folder.file("data/.copy.hermes-init/old/x")
        let wanted = files(options(("path", .text("copy")), ("from", .text(folder("template")))))
        let outcome = run(Seed.run, wanted, kernel: kernel)
        #expect(
            outcome
                == Outcome(
                    code: 0,
                    lines: [
                        "left out of \(folder.path)/template: neither file, folder nor link: fifo",
                        "copied \(folder.path)/template to \(folder.path)/data/copy",
                    ]))
        #expect(folder.names("data") == ["copy"] && folder.names("data/copy") == ["a", "b", "l"])
        #expect(folder.content("data/copy/l") == "C" && folder.status("data/copy/l")?.isLink == true)
        #expect(folder.mode("data/copy/a") == 0o750 && folder.mode("data/copy/b") == 0o710)
        #expect(folder.mode("data/copy/b/c") == 0o600 && folder.mode("data/copy") == 0o755)
        folder.file("data/copy/a", "mine")
        #expect(run(Seed.run, wanted, kernel: kernel) == Outcome(code: 0))
        #expect(folder.content("data/copy/a") == "mine")
    }

    @Test("A tree that is always copied replaces what differs and keeps the rest")
    func treeAlways() {
        folder.file("template/a", "A")
        folder.file("template/b/c", "C")
        folder.file("data/copy/a", "mine")
        folder.file("data/copy/other", "kept")
        let wanted = files(
            options(("path", .text("copy")), ("from", .text(folder("template"))), ("if", .text("always"))))
        #expect(
            run(Seed.run, wanted).lines == ["copied \(folder.path)/template to \(folder.path)/data/copy"])
        #expect(folder.content("data/copy/a") == "A" && folder.content("data/copy/b/c") == "C")
        #expect(folder.content("data/copy/other") == "kept")
        #expect(run(Seed.run, wanted) == Outcome(code: 0))
        let empty = files(options(("path", .text("e")), ("from", .text(folder("template"))), ("if", .text("empty"))))
        folder.folder("data/e")
        #expect(run(Seed.run, empty).code == 0)
        #expect(folder.names("data/e") == ["a", "b"])
    }

    @Test("Files are removed, in each folder where the path has a *, if they hold what is asked for")
    func remove() {
        for name in ["pid", "profiles/a/pid", "profiles/b/pid", "profiles/.hidden/pid", "profiles/c/other"] {
            folder.file("data/" + name, "1")
        }
        folder.file("data/profiles/file")
        folder.file("data/.method", "docker\n")
        folder.file("data/.method2", "pip\n")
        folder.folder("data/folder")
        let wanted = options(
            root,
            (
                "remove",
                .tables([
                    options(("path", .text("pid"))), options(("path", .text("profiles/*/pid"))),
                    options(("path", .text("nothing/*/pid"))),
                    options(("path", .text(".method")), ("if-content", .text("docker"))),
                    options(("path", .text(".method2")), ("if-content", .text("docker"))),
                ])
            ))
        let path = folder("data")
        #expect(
            run(Seed.run, wanted)
                == Outcome(
                    code: 0,
                    lines: [
                        "removed \(path)/pid", "removed \(path)/profiles/a/pid", "removed \(path)/profiles/b/pid",
                        "removed \(path)/.method",
                    ]))
        #expect(folder.status("data/profiles/.hidden/pid") != nil && folder.status("data/.method2") != nil)
        let wrong = options(root, ("remove", .tables([options(("path", .text("folder")))])))
        #expect(run(Seed.run, wrong) == Outcome(code: 1, lines: ["cannot remove \(path)/folder: Is a directory"]))
    }

    @Test("Nothing is written, read or removed through a link", arguments: Kernel.allCases)
    func links(kernel: Kernel) {
        folder.file("outside/secret", "secret")
        folder.file("data/good/x", "1")
        folder.link("data/out", to: folder("outside"))
        folder.link("data/secret", to: folder("outside/secret"))
        folder.link("data/dangling", to: folder("outside/new"))
        let content = ("content", StageValue.text("bad"))
        let always = ("if", StageValue.text("always"))
        let wanted = options(
            root, ("directories", .texts("out", "out/new", "good/../x")),
            (
                "file",
                .tables([
                    options(("path", .text("out/new")), content), options(("path", .text("secret")), content, always),
                    options(("path", .text("dangling")), content),
                    options(("path", .text("out/secret")), content, always),
                    options(("path", .text("copy")), ("from", .text("secret"))),
                    options(("path", .text("copy")), ("from", .text("out/secret"))),
                ])
            ),
            ("line", .tables([options(("path", .text("secret")), ("key", .text("K")), ("value", .text("v")))])),
            (
                "remove",
                .tables([
                    options(("path", .text("out/secret"))), options(("path", .text("secret"))),
                    options(("path", .text("*/secret"))),
                ])
            ))
        let outcome = run(Seed.run, wanted, kernel: kernel)
        #expect(outcome.code == 0)
        let names = [
            "out", "out/new", "good/../x", "out/new", "secret", "dangling", "out/secret", "secret", "out/secret",
            "secret",
            "out/secret", "secret", "dangling/secret", "out/secret", "secret/secret",
        ]
        let expected = names.map { name -> String in
            let path = "refusing \(folder.path)/data/\(name): "
            return path + (name == "good/../x" ? "it must not hold .." : "it is, or leads through, a symbolic link")
        }
        #expect(outcome.lines == expected)
        #expect(folder.names("outside") == ["secret"] && folder.content("outside/secret") == "secret")
        #expect(folder.names("data") == ["dangling", "good", "out", "secret"])
        folder.link("data-link", to: "data")
        let linked = options(("root", .text(folder("data-link"))), ("directories", .texts("new")))
        #expect(
            run(Seed.run, linked, kernel: kernel)
                == Outcome(
                    code: 0,
                    lines: ["refusing \(folder.path)/data-link: it is, or leads through, a symbolic link"]))
    }

    @Test("What cannot be done is told and fails, and the rest is done")
    func failures() {
        folder.file("data/file")
        folder.folder("data/folder")
        let content = ("content", StageValue.text("x"))
        let wanted = options(
            root, ("directories", .texts("file", "file/below", "made")),
            (
                "file",
                .tables([
                    options(("path", .text("folder")), content, ("if", .text("always"))),
                    options(("path", .text("a")), ("from", .text(folder("nothing")))),
                    options(("path", .text("b")), content),
                ])
            ),
            ("line", .tables([options(("path", .text("folder")), ("key", .text("K")), ("value", .text("v")))])))
        let outcome = run(Seed.run, wanted)
        let path = folder("data")
        #expect(outcome.code == 1)
        #expect(
            outcome.lines == [
                "cannot make the folder \(path)/file: Not a directory",
                "cannot make the folder \(path)/file/below: Not a directory", "made the folder \(path)/made",
                "cannot write \(path)/folder: Is a directory",
                "cannot read \(folder.path)/nothing: No such file or directory", "wrote \(path)/b",
                "cannot write \(path)/folder: Is a directory",
            ])
    }

    @Test("A full or read-only file system is told in plain words, and the old file stays", .enabled(if: isRoot))
    func fullAndReadOnly() {
        let folder = folder
        folder.folder("data")
        withOwnMounts {
            #expect(test_mount_memory(folder("data"), "size=16k") == 0)
            folder.file("data/f", "old")
            let large = StageValue.string(Bytes(repeating: 0x78, count: 100_000))
            let wanted = options(
                ("root", .text(folder("data"))),
                ("file", .tables([options(("path", .text("f")), ("content", large), ("if", .text("always")))])))
            let path = folder("data/f")
            func stage() -> Outcome {
                let log = FileDescriptor(owning: hi_memory_file("", 0))
                let code = Seed.run(wanted, StageContext(report: StageReport(log: log.number)))
                return Outcome(code: code, lines: text(of: log).split(separator: "\n").map(String.init))
            }
            #expect(stage() == Outcome(code: 1, lines: ["cannot write \(path): no space is left on its file system"]))
            #expect(folder.content("data/f") == "old" && folder.names("data") == ["f"])
            #expect(test_make_read_only(folder("data")) == 0)
            #expect(stage() == Outcome(code: 1, lines: ["cannot write \(path): the file system is read-only"]))
            #expect(folder.content("data/f") == "old")
        }
    }

    @Test("As another user, what is made belongs to that user, and what he may not write is told", .enabled(if: isRoot))
    func asUser() {
        folder.folder("data", owner: alice)
        folder.folder("data/locked")
        let wanted = options(
            root, ("directories", .texts("a/b")),
            (
                "file",
                .tables([
                    options(("path", .text("a/f")), ("content", .text("x"))),
                    options(("path", .text("locked/f")), ("content", .text("x"))),
                ])
            ))
        let outcome = run(Seed.run, wanted, as: alice)
        #expect(outcome.code == 1)
        #expect(outcome.lines.last == "cannot write \(folder.path)/data/locked/f: Permission denied")
        #expect(folder.owner("data/a/b") == alice && folder.owner("data/a/f") == alice)
        // Root replaces a file of the user's: it stays the user's.
        let replace = files(
            options(("path", .text("a/f")), ("content", .text("y")), ("if", .text("always"))))
        #expect(run(Seed.run, replace).code == 0)
        #expect(folder.content("data/a/f") == "y" && folder.owner("data/a/f") == alice)
    }

    @Test("A dry run says what it would do and does nothing")
    func dryRun() {
        folder.file("template", "x")
        let tables = options(
            root, ("directories", .texts("d")),
            (
                "file",
                .tables([
                    options(("path", .text("f")), ("from", .text(folder("template")))),
                    options(("path", .text("d/g")), ("content", .text("x"))),
                ])
            ),
            ("line", .tables([options(("path", .text(".env")), ("key", .text("K")), ("value", .text("v")))])),
            ("remove", .tables([options(("path", .text("pid")))])))
        let path = folder("data")
        _ = run(Seed.run, tables, isDryRun: true)
        #expect(folder.names() == ["template"])
        folder.file("data/pid")
        let outcome = run(Seed.run, tables, isDryRun: true)
        #expect(
            outcome
                == Outcome(
                    code: 0,
                    lines: [
                        "would make the folder \(path)/d", "would write \(path)/f", "would write \(path)/d/g",
                        "would set K in \(path)/.env", "would remove \(path)/pid",
                    ]))
        #expect(folder.names("data") == ["pid"])
    }
}

@Suite("seed: lines of dotenv files")
struct SeedLineTests {
    @Test(
        "A key gets a value where it is absent or empty, and every other byte stays",
        arguments: [
            ("", "K=v\n"), ("A=1\n", "A=1\nK=v\n"), ("A=1", "A=1\nK=v\n"), ("A=1\r\n", "A=1\r\nK=v\r\n"),
            ("K=\nB=2\n", "K=v\nB=2\n"), ("K=\r\nB=2\r\n", "K=v\r\nB=2\r\n"), ("K=", "K=v"), ("K=  \nB", "K=v  \nB"),
            ("export K=\"\"\n", "export K=v\n"), ("  K = ''\n", "  K =v\n"), ("#K=\n", "#K=\nK=v\n"),
            ("KK=\n", "KK=\nK=v\n"),
            ("K=\nK=\n", "K=\nK=v\n"), ("K=1\nK=\n", "K=1\nK=v\n"), ("A=\"\nK=\n\"\n", "A=\"\nK=\n\"\nK=v\n"),
            ("A='x\n", "A='x\nK=v\n"), ("K=1\n", nil), ("K=\nK=1\n", nil), ("export K='x y'\n", nil), ("K=#x\n", nil),
        ] as [(String, String?)])
    func lines(before: String, after: String?) {
        let changed = SeedLine.setting(Bytes("K".utf8), to: Bytes("v".utf8), in: Bytes(before.utf8))
        #expect(changed.map { String(decoding: $0, as: UTF8.self) } == after)
    }

    @Test(
        "A value comes back as it was",
        arguments: [
            "plain", "a b", "it's", "say \"$HOME\" `x` \\n 'q'", "#", "two\nlines", "two\nlines'", " x ", "\\", "ä=b",
            "'", "\"",
        ])
    func values(value: String) throws {
        let text = try #require(SeedLine.setting(Bytes("K".utf8), to: Bytes(value.utf8), in: Bytes("K=\nA=1\n".utf8)))
        #expect(SeedLine.value(of: Bytes("K".utf8), in: text) == Bytes(value.utf8))
        #expect(SeedLine.value(of: Bytes("A".utf8), in: text) == Bytes("1".utf8))
        #expect(SeedLine.setting(Bytes("K".utf8), to: Bytes(value.utf8), in: text) == nil)
    }
}
