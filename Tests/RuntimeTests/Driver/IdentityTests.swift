import ConfigParser
import System
import Testing

@testable import Runtime

private let accounts = Accounts(
    passwd: Bytes("root:x:0:0::/root:/bin/bash\nhermes:x:1000:1001::/home/hermes:/bin/sh\n123:x:7:8::/:/bin/sh\n".utf8),
    group: Bytes("root:x:0:\nhermes:x:1001:\naudio:x:29:hermes\nvideo:x:44:hermes\n".utf8))
private let root = OwnIdentity(uid: 0, gid: 0)
private let hermes = OwnIdentity(uid: 1000, gid: 1001)

private func resolve(
    user: String? = nil, group: String? = nil, groups: [String]? = nil, as own: OwnIdentity = root
) -> Result<ProcessIdentity, IdentityError> {
    do throws(IdentityError) {
        return .success(
            try resolveIdentity(
                user: user.map { Bytes($0.utf8) }, group: group.map { Bytes($0.utf8) },
                groups: groups.map { $0.map { Bytes($0.utf8) } }, accounts: accounts, own: own))
    } catch {
        return .failure(error)
    }
}

private func message(_ result: Result<ProcessIdentity, IdentityError>) -> String {
    if case .failure(let error) = result { return error.message }
    return ""
}

@Suite("Driver: who a process runs as")
struct DriverIdentityTests {
    @Test(
        "Root changes to the user of a name or number, with its groups, unless others are given",
        arguments: [
            (nil, nil, nil, nil, nil, nil),
            ("hermes", nil, nil, [1001, 29, 44], 1001, 1000),
            ("1000", nil, nil, [1001, 29, 44], 1001, 1000),
            // A name of digits is a name.
            ("123", nil, nil, [8], 8, 7),
            // A number without an entry is its own group, not root's.
            ("4242", nil, nil, [4242], 4242, 4242),
            ("hermes", "audio", nil, [29, 44], 29, 1000),
            ("hermes", "5000", nil, [5000, 29, 44], 5000, 1000),
            ("hermes", nil, ["video", "9"], [44, 9], 1001, 1000),
            ("hermes", "audio", [], [], 29, 1000),
            (nil, "audio", nil, nil, 29, nil),
            (nil, nil, ["audio"], [29], nil, nil),
            ("root", nil, nil, [0], 0, 0),
        ] as [(String?, String?, [String]?, [UInt32]?, UInt32?, UInt32?)])
    func asRoot(
        user: String?, group: String?, groups: [String]?, expected: [UInt32]?, gid: UInt32?, uid: UInt32?
    ) throws {
        let identity = try resolve(user: user, group: group, groups: groups).get()
        #expect(identity.groups == expected && identity.gid == gid && identity.uid == uid)
        #expect((identity.account == nil) == (user == nil))
    }

    @Test("A number without an entry has / as its home")
    func numberWithoutEntry() throws {
        let account = try resolve(user: "4242").get().account
        #expect(account?.home == Bytes("/".utf8) && account?.name == Bytes("4242".utf8))
    }

    @Test("Without root, the init's own user and group are all that can be asked for, and nothing is changed")
    func asUser() throws {
        for (user, group) in [("hermes", nil), ("1000", "hermes"), (nil, "1001")] as [(String?, String?)] {
            let identity = try resolve(user: user, group: group, as: hermes).get()
            #expect(identity.uid == nil && identity.gid == nil && identity.groups == nil)
            #expect((identity.account == nil) == (user == nil))
        }
        let arbitrary = OwnIdentity(uid: 1000, gid: 0)
        #expect(try resolve(user: "hermes", as: arbitrary).get().account?.home == Bytes("/home/hermes".utf8))
    }

    @Test(
        "What cannot be is refused with what, why and what to do",
        arguments: [
            (resolve(user: "hermos"), ["user hermos", "/etc/passwd", "did you mean hermes?", "useradd"]),
            (resolve(user: "zzzzzz"), ["user zzzzzz", "useradd"]),
            (resolve(user: ""), ["cannot run as user"]),
            (resolve(user: "4294967295"), ["no such user"]),
            (resolve(user: "hermes", group: "nope"), ["group nope", "/etc/group", "groupadd"]),
            (resolve(groups: ["audio", "nope"]), ["group nope"]),
            (resolve(user: "root", as: hermes), ["user root (uid 0)", "uid 1000", "--user"]),
            (resolve(user: "4242", as: hermes), ["user 4242", "only root"]),
            (resolve(group: "audio", as: hermes), ["gid 29", "gid 1001", "--user"]),
            (resolve(groups: [], as: hermes), ["`groups`", "only root"]),
        ])
    func refused(result: Result<ProcessIdentity, IdentityError>, parts: [String]) {
        for part in parts { #expect(message(result).contains(part), "\(message(result))") }
    }
}

@Suite("Driver: the main program's words")
struct DriverMainCommandTests {
    private func words(_ text: String) -> [Bytes] { text.split(separator: " ").map { Bytes($0.utf8) } }

    @Test(
        "The container's arguments meet the command by its route",
        arguments: [
            (.append, "serve -p", "", "serve -p"), (.append, "serve", "a b", "serve a b"), (.append, "", "a b", "a b"),
            (.replace, "serve", "", "serve"), (.replace, "serve", "bash -l", "bash -l"),
            (.auto, "serve", "", "serve"), (.auto, "serve", "bash -l", "bash -l"),
            (.auto, "serve", "chat x", "serve chat x"),
            // A word with a leading dash is an option, even where a file has that name.
            (.auto, "serve", "-bash", "serve -bash"), (.auto, "", "chat", "chat"),
        ] as [(Route, String, String, String)])
    func route(route: Route, command: String, arguments: String, expected: String) {
        let result = mainCommand(route: route, command: words(command), arguments: words(arguments)) {
            $0 == Bytes("bash".utf8) || $0 == Bytes("-bash".utf8)
        }
        #expect(result == words(expected))
    }

    @Test("An empty word names no program")
    func emptyWord() {
        #expect(
            mainCommand(route: .auto, command: words("serve"), arguments: [[]]) { _ in false } == words("serve") + [[]])
    }

    @Test(
        "A word is looked for as execvp(3) does",
        arguments: [
            ("/bin/a", "/x", ["/bin/a"]), ("./a", "/x", ["./a"]), ("a/b", nil, ["a/b"]),
            ("a", "/x:/y", ["/x/a", "/y/a"]), ("a", ":/y:", ["./a", "/y/a", "./a"]), ("a", "", ["./a"]),
        ] as [(String, String?, [String])])
    func lookedFor(word: String, path: String?, expected: [String]) {
        #expect(candidates(for: Bytes(word.utf8), path: path.map { Bytes($0.utf8) }).map(\.shown) == expected)
    }

    @Test("Without PATH the usual folders are looked in, and a program is found by its right of execution")
    func usualPath() {
        #expect(candidates(for: Bytes("a".utf8), path: nil).count == 6)
        let folder = TemporaryFolder()
        folder.file("program", mode: 0o755)
        folder.file("text")
        let path = Bytes(("/nothing:" + folder.path).utf8)
        #expect(isProgram(Bytes("program".utf8), path: path))
        #expect(!isProgram(Bytes("text".utf8), path: path))
        #expect(!isProgram([], path: path))
    }
}
