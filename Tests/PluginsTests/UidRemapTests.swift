import CSystem
import ConfigParser
import System
import Testing

@testable import Plugins

/// A folder with the files of users and groups, which is not /etc.
private final class Etc {
    let path: Bytes
    static let passwd =
        "# users\nroot:x:0:0:root:/root:/bin/sh\nhermes:x:10000:10000::/opt/data:/bin/sh\nother:x:99:99:::\n"
    static let group = "root:x:0:\nstaff:x:20:\nhermes:x:10000:\ndocker:x:998:a\n"

    init(passwd: String = Etc.passwd, group: String = Etc.group, gshadow: String? = nil) {
        var number: UInt64 = 0
        withUnsafeMutableBytes(of: &number) { _ = hi_random($0.baseAddress, $0.count) }
        path = Bytes(("/tmp/hermes-init-etc-" + String(number)).utf8)
        _ = path.withCString { hi_make_folder(AT_FDCWD, $0, 0o755) }
        write("passwd", passwd)
        write("group", group)
        if let gshadow { write("gshadow", gshadow) }
    }

    deinit {
        for name in (try? listFolder(path)) ?? [] {
            _ = (path + [0x2F] + name).withCString { hi_remove(AT_FDCWD, $0, false) }
        }
        _ = path.withCString { hi_remove(AT_FDCWD, $0, true) }
    }

    func file(_ name: String) -> Bytes { path + Bytes(("/" + name).utf8) }

    func write(_ name: String, _ text: String) {
        let number = file(name).withCString { hi_open($0, O_WRONLY | O_CREAT | O_TRUNC) }
        try? FileDescriptor(owning: number).write(Bytes(text.utf8))
    }

    func text(_ name: String) -> String {
        String(decoding: (try? readFile(file(name), limit: 1 << 20)) ?? [], as: UTF8.self)
    }
}

private struct Run {
    var code: Int32
    var said: String
    var records: String
}

@Suite("uid-remap")
struct UidRemapTests {
    private func run(
        _ etc: Etc, _ environment: [String], started: UInt32 = 0, isDryRun: Bool = false,
        _ more: [(String, StageValue)] = []
    ) -> Run {
        var options = StageOptions()
        options.set("user", .string(Bytes("hermes".utf8)))
        options.set("uid-from", .strings([Bytes("HERMES_UID".utf8), Bytes("PUID".utf8)]))
        options.set("gid-from", .strings([Bytes("HERMES_GID".utf8), Bytes("PGID".utf8)]))
        options.set("min", .integer(1))
        options.set("max", .integer(65_534))
        for (name, value) in more { options.set(name, value) }
        let log = FileDescriptor(owning: hi_memory_file("", 0))
        let records = FileDescriptor(owning: hi_memory_file("", 0))
        let context = StageContext(
            environment: Environment(entries: environment.map { Bytes($0.utf8) }), isDryRun: isDryRun,
            report: StageReport(log: log.number, exports: records.number))
        let code = UidRemap.run(options, context, etc: etc.path, started: started)
        func text(_ file: FileDescriptor) -> String {
            _ = lseek(file.number, 0, SEEK_SET)
            return String(decoding: (try? readToEnd(file, limit: 1 << 20)) ?? [], as: UTF8.self)
        }
        return Run(code: code, said: text(log), records: text(records))
    }

    @Test("Nothing is asked for: nothing is said, written or exported")
    func nothing() {
        let etc = Etc()
        let result = run(etc, ["HERMES_UID=", "PATH=/bin"])
        #expect(result.code == 0 && result.said == "" && result.records == "")
        #expect(etc.text("passwd") == Etc.passwd && etc.text("group") == Etc.group)
    }

    @Test("The numbers of the first variable that is set are taken, and a second run does nothing")
    func numbers() {
        let etc = Etc()
        let environment = ["PUID=5", "HERMES_UID=1000", "PGID=1001"]
        let result = run(etc, environment)
        #expect(result.code == 0 && result.records == "")
        #expect(
            result.said == """
                changed the uid of hermes from 10000 to 1000
                changed the gid of hermes from 10000 to 1001
                changed the number of group hermes from 10000 to 1001

                """)
        #expect(etc.text("passwd") == Etc.passwd.replacing("hermes:x:10000:10000", with: "hermes:x:1000:1001"))
        #expect(etc.text("group") == Etc.group.replacing("hermes:x:10000", with: "hermes:x:1001"))
        #expect(run(etc, environment).said == "")
    }

    @Test("A dry run tells the same and writes nothing")
    func dryRun() {
        let etc = Etc()
        let result = run(etc, ["PUID=5"], isDryRun: true)
        #expect(result.code == 0 && result.said == "would change the uid of hermes from 10000 to 5\n")
        #expect(etc.text("passwd") == Etc.passwd)
        #expect((try? listFolder(etc.path))?.count == 2)
    }

    @Test(
        "A value that is no number of the range is reported and ignored",
        arguments: ["0", "65535", "-1", "+5", "1e3", "0x10", " 5", "5 ", "99999999999", "hermes", "5\n"])
    func bad(value: String) {
        let etc = Etc()
        let result = run(etc, ["HERMES_UID=" + value, "PUID=5"])
        #expect(result.code == 0 && result.said.contains("cannot use HERMES_UID="))
        #expect(result.said.contains("hermes keeps uid 10000"))
        #expect(etc.text("passwd") == Etc.passwd)
    }

    @Test("A number that will not do leaves the group alone too, whatever numbers it and the user have")
    func badGroup() {
        let etc = Etc(passwd: Etc.passwd.replacing("10000:10000", with: "10000:20"))
        #expect(run(etc, ["PGID=x"]).said.contains("cannot use PGID=x"))
        #expect(etc.text("group") == Etc.group)
    }

    @Test("A number that another has is taken all the same, and told")
    func taken() {
        let etc = Etc()
        let result = run(etc, ["PUID=99", "PGID=20"])
        #expect(result.code == 0)
        #expect(result.said.contains("from 10000 to 99, which other has too"))
        #expect(result.said.contains("number of group hermes from 10000 to 20, which staff has too"))
        #expect(etc.text("passwd").contains("hermes:x:99:20:") && etc.text("group").contains("hermes:x:20:\n"))
        #expect(etc.text("group").contains("staff:x:20:\n"))
    }

    @Test("What was cut off between two files is finished by the next run")
    func half() {
        let etc = Etc(group: Etc.group.replacing("hermes:x:10000", with: "hermes:x:1001"))
        #expect(run(etc, ["PGID=1001"]).said == "changed the gid of hermes from 10000 to 1001\n")
        #expect(etc.text("passwd").contains("hermes:x:10000:1001:"))
    }

    @Test("The user joins the groups of files: known ones, one that has no entry, and the one with number 0")
    func groups() {
        let etc = Etc(gshadow: "docker:!::a\n")
        let socket = etc.file("docker.sock")
        etc.write("docker.sock", "")
        let paths = StageValue.strings([socket, etc.file("docker.s*"), etc.file("no*"), etc.file("none")])
        func give(_ number: UInt32) {
            if let file = try? FileDescriptor.open(socket, flags: O_RDONLY) {
                _ = hi_change_owner(file.number, UInt32.max, number)
            }
        }
        give(998)
        #expect(run(etc, [], [("join-groups-of", paths)]).code == 0)
        #expect(etc.text("group").contains("docker:x:998:a,hermes\n"))
        #expect(etc.text("gshadow") == "docker:!::a,hermes\n")
        give(4711)
        let result = run(etc, [], [("join-groups-of", paths)])
        #expect(result.said.contains("created group hostdocker (4711) for hermes"))
        #expect(etc.text("group").hasSuffix("hostdocker:x:4711:hermes\n"))
        #expect(etc.text("gshadow").hasSuffix("hostdocker:!::hermes\n"))
        #expect(run(etc, [], [("join-groups-of", paths)]).said == "")
        give(4712)
        #expect(run(etc, [], [("join-groups-of", paths)]).said.contains("created group hostdocker-4712 (4712)"))
        give(0)
        #expect(run(etc, [], [("join-groups-of", paths)]).said.contains("added hermes to group root (0)"))
        give(10000)
        #expect(run(etc, [], [("join-groups-of", paths)]).said == "")
    }

    @Test("A link in the place of a file is refused; the init is told the numbers")
    func link() {
        let etc = Etc()
        etc.write("real", Etc.passwd)
        _ = etc.file("passwd").withCString { hi_remove(AT_FDCWD, $0, false) }
        _ = etc.file("passwd").withCString { hi_make_link(AT_FDCWD, $0, "real") }
        let result = run(etc, ["PUID=5", "PGID=6"])
        #expect(result.code == 0 && result.said.contains("refusing to change") && result.said.contains("/passwd"))
        #expect(result.records == "=user hermes 5 6\0")
        #expect(etc.text("real") == Etc.passwd)
    }

    @Test("A user that is not there is an error with a remedy")
    func noUser() {
        let etc = Etc(passwd: "root:x:0:0:::\n")
        let result = run(etc, ["PUID=5"])
        #expect(result.code == 1 && result.said.contains("there is no user hermes in"))
    }

    @Test("A container that is started as another user is refused, with the way to do it right")
    func refusal() {
        let etc = Etc()
        let result = run(etc, [], started: 1234)
        #expect(result.code == 1)
        #expect(result.said.contains("to start the container as user 1234 is not supported"))
        #expect(
            result.said.contains("-e HERMES_UID=$(id -u) -e HERMES_GID=$(id -g), or -e PUID=$(id -u) -e PGID=$(id -g)"))
        let own = run(etc, [], started: 1234, [("refusal", .string(Bytes("Ask Bob.".utf8)))])
        #expect(own.code == 1 && own.said.hasSuffix("not supported\nAsk Bob.\n"))
    }

    @Test("The user itself, and those who are named, may start it; what they cannot have is told")
    func allowed() {
        let etc = Etc()
        #expect(run(etc, [], started: 10000).said == "")
        let result = run(etc, ["PUID=5"], started: 10000)
        #expect(
            result.code == 0 && result.said.contains("PUID asks for uid 5, but the container was started as user 10000")
        )
        let named = StageValue.strings([Bytes("1234".utf8), Bytes("other".utf8)])
        #expect(run(etc, [], started: 1234, [("allow-start-as", named)]).code == 0)
        #expect(run(etc, [], started: 99, [("allow-start-as", named)]).code == 0)
        #expect(run(etc, [], started: 98, [("allow-start-as", named)]).code == 1)
        #expect(etc.text("passwd") == Etc.passwd)
    }
}

extension String {
    /// The text with every occurrence of another one replaced.
    fileprivate func replacing(_ text: String, with other: String) -> String {
        var result = Bytes()
        var rest = Bytes(utf8)[...]
        let wanted = Bytes(text.utf8)
        while !rest.isEmpty {
            if rest.starts(with: wanted) {
                result += Bytes(other.utf8)
                rest = rest.dropFirst(wanted.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
