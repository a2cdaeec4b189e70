import CSystem
import CTestSupport
import ConfigParser
import System
import Testing

@testable import Plugins

private let toAlice = ("owner", StageValue.text("61001:61001"))

@Suite("chown", .enabled(if: isRoot))
struct ChownTests {
    private let folder = TemporaryFolder()
    private var root: (String, StageValue) { ("root", .text(folder.path)) }

    @Test("Only what belongs to somebody else is touched, and a second run touches nothing", arguments: Kernel.allCases)
    func trees(kernel: Kernel) {
        for name in ["tree/a", "tree/b/c", "tree/b/d/e", "other/f"] { folder.file(name, owner: bob) }
        folder.file("tree/mine", owner: alice)
        let before = folder.status("tree/mine")?.changed
        let wanted = options(toAlice, root, ("trees", .texts("tree", "missing")))
        let first = run(Chown.run, wanted, kernel: kernel)
        #expect(first.code == 0)
        // Three files, and the folders of root.
        #expect(first.lines.count == 1)
        #expect(first.lines.first?.hasPrefix("gave 6 entries in \(folder.path)/tree to 61001:61001: ") == true)
        #expect(first.lines.first?.hasSuffix(" and 3 more") == true)
        for name in ["tree", "tree/a", "tree/b", "tree/b/c", "tree/b/d", "tree/b/d/e"] {
            #expect(folder.owner(name) == alice)
            #expect(folder.status(name)?.gid == alice)
        }
        #expect(folder.status("tree/mine")?.changed == before)
        #expect(folder.owner("other/f") == bob && folder.owner("") == 0)
        let changed = folder.status("tree/b/c")?.changed
        #expect(run(Chown.run, wanted, kernel: kernel) == Outcome(code: 0))
        #expect(folder.status("tree/b/c")?.changed == changed)
        folder.file("tree/b/new", owner: 0)
        #expect(
            run(Chown.run, wanted, kernel: kernel).lines
                == ["gave 1 entry in \(folder.path)/tree to 61001:61001: b/new"])
    }

    @Test("With keep-group what belongs to the user already keeps its group", arguments: Kernel.allCases)
    func keepGroup(kernel: Kernel) {
        folder.file("tree/mine", owner: alice)
        folder.file("tree/root", owner: 0)
        #expect(chown(folder("tree/mine"), alice, bob) == 0)
        let keep = ("keep-group", StageValue.boolean(true))
        let wanted = options(toAlice, root, keep, ("trees", .texts("tree")))
        #expect(
            run(Chown.run, wanted, kernel: kernel).lines
                == ["gave 2 entries in \(folder.path)/tree to 61001:61001: root, ."])
        #expect(folder.status("tree/mine")?.gid == bob && folder.status("tree/root")?.gid == alice)
        let both = options(toAlice, root, ("trees", .texts("tree")))
        #expect(
            run(Chown.run, both, kernel: kernel).lines
                == ["gave 1 entry in \(folder.path)/tree to 61001:61001: mine"])
    }

    @Test("A path is given without what lies in it; the root is one that is named `.`", arguments: Kernel.allCases)
    func paths(kernel: Kernel) {
        folder.file("logs/gateways/x")
        folder.file(".env")
        let wanted = options(toAlice, root, ("paths", .texts(".", "logs/gateways", ".env", "none", "none/too")))
        #expect(
            run(Chown.run, wanted, kernel: kernel).lines
                == ["gave \(folder.path)/logs/gateways, \(folder.path)/.env, \(folder.path) to 61001:61001"])
        #expect(folder.owner("logs/gateways") == alice && folder.owner(".env") == alice && folder.owner("") == alice)
        #expect(folder.owner("logs") == 0 && folder.owner("logs/gateways/x") == 0)
        #expect(run(Chown.run, wanted, kernel: kernel) == Outcome(code: 0))
    }

    @Test("Modes are set where they differ", arguments: Kernel.allCases)
    func modes(kernel: Kernel) {
        folder.file("a", owner: bob, mode: 0o666)
        folder.file("b", owner: alice, mode: 0o640)
        folder.folder("c")
        let modes = StageValue.modeOf(("a", 0o600), ("b", 0o640), ("c", 0o2770), ("d", 0o600))
        let outcome = run(Chown.run, options(toAlice, root, ("modes", modes)), kernel: kernel)
        #expect(
            outcome.lines == [
                "set the mode of \(folder.path)/a to 0600 (it was 0666)",
                "set the mode of \(folder.path)/c to 02770 (it was 0755)",
            ])
        #expect(folder.mode("a") == 0o600 && folder.mode("c") == 0o2770 && folder.owner("a") == bob)
    }

    @Test("The root is made with its parents and given away; the parents are not", arguments: Kernel.allCases)
    func create(kernel: Kernel) {
        let path = folder("a/b/c")
        let wanted = options(toAlice, ("root", .text(path)), ("create", .boolean(true)))
        #expect(
            run(Chown.run, wanted, kernel: kernel).lines == ["made the folder \(path)", "gave \(path) to 61001:61001"])
        #expect(folder.owner("a/b/c") == alice && folder.owner("a/b") == 0 && folder.mode("a/b/c") == 0o755)
        #expect(run(Chown.run, wanted, kernel: kernel) == Outcome(code: 0))
        let missing = options(toAlice, ("root", .text(folder("none"))))
        #expect(
            run(Chown.run, missing, kernel: kernel)
                == Outcome(code: 0, lines: ["there is no folder \(folder.path)/none; nothing to do below it"]))
    }

    @Test("A path that is, or leads through, a link is refused, and the others are done", arguments: Kernel.allCases)
    func links(kernel: Kernel) {
        folder.file("outside/secret")
        folder.folder("root")
        folder.link("root/tree", to: folder("outside"))
        folder.link("root/file", to: "../outside/secret")
        folder.file("root/good")
        let wanted = options(
            toAlice, ("root", .text(folder("root"))), ("trees", .texts("tree", "tree/below", "..", "good")),
            ("paths", .texts("file", "tree/secret", "../outside/secret")),
            ("modes", .modeOf(("file", 0o600), ("tree/secret", 0o600))))
        let outcome = run(Chown.run, wanted, kernel: kernel)
        #expect(outcome.code == 0)
        let link = ": it is, or leads through, a symbolic link"
        let path = "refusing " + folder("root/")
        let expected: [String] = [
            path + "tree" + link, path + "tree/below" + link, path + "..: it must not hold ..",
            "gave \(folder.path)/root/good to 61001:61001",
            path + "file" + link, path + "tree/secret" + link, path + "../outside/secret: it must not hold ..",
            path + "file" + link, path + "tree/secret" + link,
        ]
        #expect(outcome.lines == expected)
        #expect(folder.owner("outside") == 0 && folder.owner("outside/secret") == 0)
        #expect(folder.mode("outside/secret") == 0o644 && folder.owner("root/good") == alice)
        folder.link("root-link", to: "root")
        let linked = options(toAlice, ("root", .text(folder("root-link"))), ("create", .boolean(true)))
        #expect(run(Chown.run, linked, kernel: kernel).lines == ["refusing \(folder.path)/root-link" + link])
        let through = options(toAlice, ("root", .text(folder("root-link/new"))), ("create", .boolean(true)))
        #expect(run(Chown.run, through, kernel: kernel).lines == ["refusing \(folder.path)/root-link/new" + link])
        #expect(folder.names("root") == ["file", "good", "tree"])
    }

    @Test("A link within a tree is given itself, and what it leads to is not", arguments: Kernel.allCases)
    func linkInTree(kernel: Kernel) {
        folder.file("outside/secret")
        folder.folder("tree")
        folder.link("tree/file", to: folder("outside/secret"))
        folder.link("tree/folder", to: folder("outside"))
        let outcome = run(Chown.run, options(toAlice, root, ("trees", .texts("tree"))), kernel: kernel)
        #expect(outcome.code == 0 && outcome.lines.count == 1)
        #expect(folder.owner("tree/file") == alice && folder.owner("tree/folder") == alice)
        #expect(folder.owner("outside") == 0 && folder.owner("outside/secret") == 0)
    }

    @Test("A file with another link is given only if it was of the same owner as the tree", arguments: Kernel.allCases)
    func hardLinks(kernel: Kernel) {
        folder.folder("tree", owner: bob)
        folder.file("outside/root")
        folder.file("outside/bob", owner: bob)
        #expect(link(folder("outside/root"), folder("tree/root")) == 0)
        #expect(link(folder("outside/bob"), folder("tree/bob")) == 0)
        let wanted = options(
            toAlice, root, ("trees", .texts("tree")), ("paths", .texts("tree/root")),
            ("modes", .modeOf(("tree/root", 0o600))))
        let outcome = run(Chown.run, wanted, kernel: kernel)
        #expect(outcome.code == 0)
        #expect(folder.owner("outside/root") == 0 && folder.mode("outside/root") == 0o644)
        #expect(folder.owner("outside/bob") == alice)
        let path = folder("tree/root")
        #expect(
            outcome.lines.last
                == "refusing 3 entries: a device, or a file that has another name elsewhere and another owner: \(path), \(path), \(path)"
        )
        // Now the tree is alice's; a file of bob's that lies in it by a link is not hers to have.
        folder.file("outside/late", owner: bob)
        #expect(link(folder("outside/late"), folder("tree/late")) == 0)
        _ = run(Chown.run, wanted, kernel: kernel)
        #expect(folder.owner("outside/late") == bob)
    }

    @Test("Devices are refused; fifos, sockets and odd names are given", arguments: Kernel.allCases)
    func kinds(kernel: Kernel) {
        folder.folder("tree")
        #expect(test_make_special(folder("tree/device"), CChar(bitPattern: UInt8(ascii: "n"))) == 0)
        #expect(test_make_special(folder("tree/fifo"), CChar(bitPattern: UInt8(ascii: "f"))) == 0)
        #expect(test_make_special(folder("tree/socket"), CChar(bitPattern: UInt8(ascii: "s"))) == 0)
        folder.file("tree/new\nline")
        let odd = Bytes(folder("tree/").utf8) + [0xFF, 0xFE]
        #expect(odd.withCString { hi_make_folder(AT_FDCWD, $0, 0o755) } == 0)
        let outcome = run(Chown.run, options(toAlice, root, ("trees", .texts("tree"))), kernel: kernel)
        #expect(outcome.code == 0)
        #expect(
            outcome.lines.last
                == "refusing 1 entry: a device, or a file that has another name elsewhere and another owner: \(folder.path)/tree/device"
        )
        for name in ["fifo", "socket", "new\nline"] { #expect(folder.owner("tree/" + name) == alice) }
        var status = hi_status()
        #expect(odd.withCString { hi_read_status(AT_FDCWD, $0, &status) } == 0 && status.uid == alice)
        #expect(folder.owner("tree/device") == 0)
    }

    @Test("Set-user-ID is not handed over", arguments: Kernel.allCases)
    func setUserID(kernel: Kernel) {
        folder.file("tree/program", mode: 0o4755)
        _ = run(Chown.run, options(toAlice, root, ("trees", .texts("tree"))), kernel: kernel)
        #expect(folder.owner("tree/program") == alice && folder.mode("tree/program") == 0o755)
    }

    @Test("Another mount within a tree is left alone, of the same file system too", arguments: Kernel.allCases)
    func mounts(kernel: Kernel) {
        let folder = folder
        folder.file("outside/secret")
        folder.folder("tree/memory")
        folder.folder("tree/bound")
        folder.file("tree/file")
        withOwnMounts {
            #expect(test_mount_memory(folder("tree/memory"), "size=64k") == 0)
            folder.file("tree/memory/x")
            #expect(test_bind(folder("outside"), folder("tree/bound")) == 0)
            #expect(test_bind(folder("outside/secret"), folder("tree/file")) == 0)
            let wanted = options(toAlice, ("root", .text(folder.path)), ("trees", .texts("tree", "tree/memory")))
            // In this thread, which has the mounts.
            let log = FileDescriptor(owning: hi_memory_file("", 0))
            if kernel == .old { #expect(test_use_old_kernel() == 0) }
            #expect(Chown.run(wanted, StageContext(report: StageReport(log: log.number))) == 0)
            #expect(folder.owner("tree") == alice)
            // It was named itself.
            #expect(folder.owner("tree/memory") == alice && folder.owner("tree/memory/x") == alice)
            if kernel == .current { #expect(folder.owner("outside/secret") == 0 && folder.owner("outside") == 0) }
        }
    }

    @Test("What cannot be changed is one warning, and the boot goes on", arguments: Kernel.allCases)
    func readOnly(kernel: Kernel) {
        let folder = folder
        folder.file("tree/a/b")
        folder.file("c")
        withOwnMounts {
            #expect(test_make_read_only(folder.path) == 0)
            let wanted = options(
                toAlice, ("root", .text(folder.path)), ("create", .boolean(true)), ("trees", .texts("tree")),
                ("paths", .texts("c", ".")))
            let log = FileDescriptor(owning: hi_memory_file("", 0))
            if kernel == .old { #expect(test_use_old_kernel() == 0) }
            #expect(Chown.run(wanted, StageContext(report: StageReport(log: log.number))) == 0)
            let lines = text(of: log).split(separator: "\n")
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix("warning: ") == true)
            #expect(lines.first?.hasSuffix("(the file system is read-only)") == true)
        }
    }

    @Test("A user without the right gets one warning; an immutable file is one, and the others are given")
    func noRight() {
        folder.file("tree/a")
        folder.file("tree/b")
        let wanted = options(toAlice, root, ("trees", .texts("tree")))
        let outcome = run(Chown.run, wanted, as: bob)
        let reason = "(no right to: a rootless container, a missing capability CHOWN, or an immutable file)"
        #expect(outcome.code == 0 && outcome.lines.count == 1)
        #expect(outcome.lines.first?.hasPrefix("warning: 3 entries could not be given to 61001:61001: ") == true)
        #expect(outcome.lines.first?.hasSuffix(reason) == true)
        guard test_make_immutable(folder("tree/b"), true) == 0 else { return }
        let second = run(Chown.run, wanted)
        #expect(test_make_immutable(folder("tree/b"), false) == 0)
        #expect(
            second.lines.last == "warning: 1 entry could not be given to 61001:61001: \(folder.path)/tree/b \(reason)")
        #expect(folder.owner("tree/a") == alice && folder.owner("tree/b") == 0)
    }

    @Test("A dry run says what it would do and does nothing")
    func dryRun() {
        folder.file("tree/a")
        folder.file("b", mode: 0o644)
        let wanted = options(
            toAlice, root, ("trees", .texts("tree")), ("paths", .texts("b")),
            ("modes", .modeOf(("b", 0o600))))
        #expect(
            run(Chown.run, wanted, isDryRun: true).lines == [
                "would give 2 entries in \(folder.path)/tree to 61001:61001: a, .",
                "would give \(folder.path)/b to 61001:61001",
                "would set the mode of \(folder.path)/b to 0600 (it was 0644)",
            ])
        #expect(folder.owner("tree/a") == 0 && folder.mode("b") == 0o644)
        let create = options(toAlice, ("root", .text(folder("new"))), ("create", .boolean(true)))
        #expect(run(Chown.run, create, isDryRun: true).lines == ["would make the folder \(folder.path)/new"])
        #expect(folder.status("new") == nil)
    }

    @Test("A tree that is deeper than can be held open is told of, and the rest is done")
    func deep() throws {
        var here = try OpenFolder(FileDescriptor.open(Bytes(folder.path.utf8), flags: O_RDONLY))
        for _ in 0..<600 {
            #expect(hi_make_folder(here.descriptor.number, "d", 0o755) == 0)
            here = try here.folder([[0x64]])
        }
        let outcome = run(Chown.run, options(toAlice, root, ("trees", .texts("d"))))
        #expect(outcome.code == 0 && outcome.lines.count == 2)
        #expect(outcome.lines.first?.hasPrefix("gave 512 entries in ") == true)
        #expect(outcome.lines.last?.hasSuffix(": deeper than 512 folders") == true)
        #expect(folder.owner("d") == alice)
    }

    @Test("A long walk says how far it is")
    func progress() {
        folder.file("tree/a/b", owner: alice)
        folder.folder("tree", owner: alice)
        folder.folder("tree/a", owner: alice)
        let outcome = run({ Chown.run($0, $1, interval: 0) }, options(toAlice, root, ("trees", .texts("tree"))))
        #expect(
            outcome.lines == [
                "looked at 1 entry in \(folder.path)/tree so far, now in \(folder.path)/tree; 0 changed",
                "looked at 2 entries in \(folder.path)/tree so far, now in \(folder.path)/tree/a; 0 changed",
            ])
    }

    @Test("Without a root, paths are absolute")
    func absolute() {
        folder.file("a")
        let wanted = options(toAlice, ("paths", .texts(folder("a"))))
        #expect(run(Chown.run, wanted).lines == ["gave \(folder.path)/a to 61001:61001"])
        #expect(
            run(Chown.run, options(toAlice, ("paths", .texts("a"))))
                == Outcome(code: 1, lines: ["cannot change a: write it as an absolute path, or set `root`"]))
        #expect(
            run(Chown.run, options(toAlice, ("root", .texts("a"))))
                == Outcome(code: 0))
        #expect(
            run(Chown.run, options(toAlice, ("root", .text("data"))))
                == Outcome(code: 1, lines: ["cannot use the root data: write it as an absolute path, or set `root`"]))
    }
}

@Suite("chown: owners")
struct OwnerTests {
    private static let accounts = Accounts(
        passwd: Bytes("root:x:0:0::/root:/bin/sh\nhermes:x:10000:10001::/opt/data:/bin/sh\n".utf8),
        group: Bytes("root:x:0:\nhermes:x:10001:\nvideo:x:44:\n".utf8))

    @Test(
        "An owner is a user, a group, or both, by name or number",
        arguments: [
            ("hermes", 10000, nil, "hermes (10000)"), ("hermes:", 10000, 10001, "hermes (10000:10001)"),
            ("hermes:video", 10000, 44, "hermes:video (10000:44)"), (":video", nil, 44, ":video (:44)"),
            ("10000", 10000, nil, "10000"), ("99:100", 99, 100, "99:100"), ("99:", 99, 99, "99 (99:99)"),
            ("10000:", 10000, 10001, "10000 (10000:10001)"), (":100", nil, 100, ":100"),
        ] as [(String, UInt32?, UInt32?, String)])
    func owners(text: String, uid: UInt32?, gid: UInt32?, shown: String) {
        let owner = Owner.parse(Bytes(text.utf8), Self.accounts).owner
        #expect(owner?.uid == uid && owner?.gid == gid && owner?.shown == shown)
    }

    @Test(
        "What is none is told with the remedy",
        arguments: [
            ("", "it names neither a user nor a group"), (":", "it names neither a user nor a group"),
            ("nobody", "there is no user nobody in /etc/passwd; write a name that is there, or a number"),
            ("hermes:x", "there is no group x in /etc/group; write a name that is there, or a number"),
            ("4294967295", "there is no user 4294967295 in /etc/passwd; write a name that is there, or a number"),
        ])
    func mistakes(text: String, mistake: String) {
        let parsed = Owner.parse(Bytes(text.utf8), Self.accounts)
        #expect(parsed.owner == nil && parsed.mistake == mistake)
    }

    @Test("A stage with an owner that is not there fails")
    func unknown() {
        let outcome = run(Chown.run, options(("owner", .text("no-such-user"))))
        #expect(outcome.code == 1)
        #expect(
            outcome.lines == [
                "cannot use the owner \"no-such-user\": there is no user no-such-user in /etc/passwd; write a name that is there, or a number"
            ])
    }
}
