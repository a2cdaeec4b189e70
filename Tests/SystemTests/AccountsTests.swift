import System
import Testing

private func accounts(_ passwd: String, group: String = "") -> Accounts {
    Accounts(passwd: Bytes(passwd.utf8), group: Bytes(group.utf8))
}

private func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

@Suite("Accounts")
struct AccountsTests {
    private let usual = accounts(
        "root:x:0:0:root:/root:/bin/bash\nhermes:x:1000:1001:A Name,,,:/home/hermes:/bin/sh\nsecond:x:1000:7::/:\n",
        group: "root:x:0:\nhermes:x:1001:\naudio:x:29:other,hermes\nvideo:x:44:hermes\nhermetic:x:45:hermess\n")

    @Test("A user is found by name and, the first of several, by number")
    func lookup() {
        let hermes = Account(
            name: bytes("hermes"), uid: 1000, gid: 1001, home: bytes("/home/hermes"), shell: bytes("/bin/sh"))
        #expect(usual.account(named: bytes("hermes")) == hermes)
        #expect(usual.account(uid: 1000) == hermes)
        #expect(usual.account(named: bytes("herme")) == nil)
        #expect(usual.account(named: bytes("")) == nil)
        #expect(usual.account(uid: 5) == nil)
        #expect(usual.userNames == ["root", "hermes", "second"])
    }

    @Test("The last line need not end")
    func withoutNewline() {
        #expect(accounts("a:x:5:6::/a:/bin/sh").account(named: bytes("a"))?.gid == 6)
        #expect(accounts("", group: "a:x:5:b").gid(ofGroup: bytes("a")) == 5)
    }

    @Test(
        "Lines that are none are passed over: NIS, comments, missing fields, IDs that are no numbers",
        arguments: [
            "+::::::", "+@netgroup::::::", "-bad::::::", "# a:x:5:6::/a:/bin/sh", "a:x:5", "a:x:5:6::/a",
            "a:x::6::/a:/b",
            "a:x:-5:6::/a:/b", "a:x:5:6x::/a:/b", "a:x:4294967295:6::/a:/b", "a:x:99999999999:6::/a:/b", "", ":::::::",
        ])
    func malformed(line: String) {
        let both = accounts(line + "\ngood:x:7:8::/:/bin/sh\n")
        #expect(both.account(named: bytes("a")) == nil)
        #expect(both.account(named: bytes("good"))?.uid == 7)
    }

    @Test("A line that ends in CR LF still has its numbers")
    func carriageReturn() {
        let account = accounts("a:x:5:6::/a:/bin/sh\r\n").account(named: bytes("a"))
        #expect(account?.uid == 5 && account?.home == bytes("/a"))
    }

    @Test("A line that ends in CR LF names its shell and its last member without the CR")
    func carriageReturnAtTheEnd() {
        let both = accounts("a:x:5:6::/a:/bin/sh\r\n", group: "g:x:9:a\r\n")
        #expect(both.account(named: bytes("a"))?.shell == bytes("/bin/sh"))
        #expect(both.groups(of: bytes("a"), primary: 6) == [6, 9])
    }

    @Test("The groups of a user are its own first, then those that list it, each once")
    func groups() {
        #expect(usual.groups(of: bytes("hermes"), primary: 1001) == [1001, 29, 44])
        #expect(usual.groups(of: bytes("nobody"), primary: 9) == [9])
        let twice = accounts("", group: "a:x:5:u\nb:x:5:u\nc:x:6:u,u\nd:x:7\ne:x:y:u\n")
        #expect(twice.groups(of: bytes("u"), primary: 5) == [5, 6])
        #expect(usual.gid(ofGroup: bytes("audio")) == 29)
        #expect(usual.gid(ofGroup: bytes("none")) == nil)
    }

    @Test("The kernel takes 65536 groups and no more are collected")
    func manyGroups() {
        var text = ""
        for gid in 1...66_000 { text += "g:x:\(gid):u\n" }
        #expect(accounts("", group: text).groups(of: bytes("u"), primary: 0).count == 65_536)
    }

    @Test(
        "A number is decimal digits of at most 32 bits, and not the one that means none",
        arguments: [
            ("0", 0), ("0042", 42), ("4294967294", 4_294_967_294), ("4294967295", nil), ("4294967296", nil), ("", nil),
            ("-1", nil), ("+1", nil), (" 1", nil), ("1 ", nil), ("0x10", nil), ("99999999999999999999", nil),
        ] as [(String, UInt32?)])
    func decimal(text: String, number: UInt32?) {
        #expect(Accounts.decimal(text.utf8) == number)
    }
}
