import System
import Testing

private func environment(_ entries: String...) -> Environment {
    Environment(entries: entries.map { Bytes($0.utf8) })
}

private func texts(_ environment: Environment) -> [String] { environment.entries.map(\.shown) }

private func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

@Suite("Environment")
struct EnvironmentTests {
    @Test("A variable is changed in its place, and a new one comes last")
    func order() {
        var own = environment("A=1", "B=2", "C=3")
        own.set("B", bytes("two"))
        own.set("D", bytes("4"))
        #expect(texts(own) == ["A=1", "B=two", "C=3", "D=4"])
    }

    @Test("Of two entries the first counts; setting or unsetting one leaves no other")
    func duplicates() {
        var own = environment("A=1", "B=2", "A=3", "A=4")
        #expect(own.value("A") == bytes("1"))
        own.set("A", bytes("5"))
        #expect(texts(own) == ["A=5", "B=2"])
        own = environment("A=1", "B=2", "A=3")
        own.unset("A")
        #expect(texts(own) == ["B=2"])
        #expect(own.value("A") == nil)
    }

    @Test("Entries without = are handed on and are no variables")
    func withoutEquals() {
        var own = environment("A", "", "=odd", "B=")
        #expect(own.value("A") == nil)
        #expect(own.value("B") == [])
        own.set("A", bytes("1"))
        own.unset("nothing")
        #expect(texts(own) == ["A", "", "=odd", "B=", "A=1"])
    }

    @Test("A name is never taken for another that begins or ends like it")
    func wholeNames() {
        let own = environment("PATHS=1", "MYPATH=2", "PATH=3=4")
        #expect(own.value("PATH") == bytes("3=4"))
        #expect(own.value("PAT") == nil)
    }

    @Test("Values and other entries need not be UTF-8")
    func anyBytes() {
        var own = Environment(entries: [[0xFF, 0x3D, 0xFE], bytes("A=1")])
        own.set("A", [0x80, 0xC3])
        #expect(own.entries == [[0xFF, 0x3D, 0xFE], [0x41, 0x3D, 0x80, 0xC3]])
        #expect(own.value("A") == [0x80, 0xC3])
    }

    @Test("The process's own environment is read")
    func ofProcess() {
        #expect(Environment.ofProcess().value("PATH")?.isEmpty == false)
    }
}
