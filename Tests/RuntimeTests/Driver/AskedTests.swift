import ConfigParser
import CSystem
import Foundation
import System
import Testing

@testable import Runtime

@Suite("Driver: what was asked")
struct DriverAskedTests {
    private func state(_ names: (String, Bool)...) -> AskedState {
        var state = AskedState()
        for (name, isUp) in names { state.note(name, up: isUp) }
        return state
    }

    private func reason(_ text: String) -> String? {
        do throws(AskedState.Mistake) {
            _ = try AskedState(Bytes(text.utf8))
            return nil
        } catch {
            return error.reason
        }
    }

    /// Lines with a right checksum behind them.
    private func sealed(_ lines: String) -> String {
        lines + "checksum " + String(decoding: AskedState.checksum(Bytes(lines.utf8)[...]), as: UTF8.self) + "\n"
    }

    @Test("What is written is what is read, to the byte")
    func roundTrip() throws {
        let state = state(("web", true), ("gateway@writer", false), ("gateway@coder", true))
        let text = String(decoding: state.bytes, as: UTF8.self)
        #expect(
            text == """
                hermes-init asked 1
                up web
                down gateway@writer
                up gateway@coder
                checksum dc58878afcbf637d

                """)
        #expect(try AskedState(state.bytes) == state && state.count == 3)
        #expect(try AskedState(AskedState().bytes).isEmpty)
        #expect(state["web"] == true && state["gateway@writer"] == false && state["other"] == nil)
        #expect(state.up == ["web", "gateway@coder"])
    }

    @Test("A checksum is the FNV-1a of 64 bits")
    func checksum() {
        #expect(String(decoding: AskedState.checksum([]), as: UTF8.self) == "cbf29ce484222325")
        #expect(String(decoding: AskedState.checksum(Bytes("foobar".utf8)[...]), as: UTF8.self) == "85944171f73967e8")
    }

    @Test("What is no such file is told with the reason")
    func mistakes() {
        let head = "hermes-init asked 1\n"
        #expect(reason(sealed(head + "up web\n")) == nil)
        #expect(reason("") == "it is empty")
        #expect(reason("hello\n") == "it was not written by this version of hermes-init")
        #expect(reason(sealed("hermes-init asked 2\n")) == "it was not written by this version of hermes-init")
        #expect(reason(head) == "its end is missing")
        #expect(reason(head + "up web\n") == "its end is missing")
        #expect(reason(head + "checksum 0123456789abcdef\n") == "its checksum is wrong")
        #expect(reason(head + "up web\nchecksum x\n") == "its checksum is wrong")
        #expect(reason(sealed(head + "left web\n")) == "line 2 is none that it can have")
        #expect(reason(sealed(head + "\n")) == "line 2 is none that it can have")
        #expect(reason(sealed(head + "up \n")) == "line 2 is none that it can have")
        #expect(reason(sealed(head + "up Web\n")) == "line 2 holds no name of a service")
        #expect(reason(sealed(head + "up web@\n")) == "line 2 holds no name of a service")
        #expect(reason(sealed(head + "up ../x\n")) == "line 2 holds no name of a service")
        #expect(reason(sealed(head + "up a\ndown a\n")) == "line 3 names a service again")
        #expect(reason(sealed(head) + "up b\n") == "something stands behind its last line")
        #expect(reason(String(sealed(head).dropLast())) == "its end is missing")
        #expect(reason(String(repeating: "x", count: 1 << 21)) == "it is larger than 1 MiB")
        var many = head
        for number in 0...AskedState.most { many += "up s\(number)\n" }
        #expect(reason(sealed(many)) == "it names too many services")
    }

    @Test("Cut off anywhere, or with any byte changed, it is not believed")
    func damaged() {
        let whole = state(("web", true), ("a@b", false)).bytes
        for count in whole.indices { #expect(reason(String(decoding: whole[..<count], as: UTF8.self)) != nil) }
        for place in whole.indices {
            for bit: UInt8 in [1, 0x20, 0x80] {
                var other = whole
                other[place] ^= bit
                #expect(throws: AskedState.Mistake.self) { try AskedState(other) }
            }
        }
    }

    @Test("The last request counts, and the same again changes nothing")
    func noted() {
        var state = AskedState()
        #expect(state.note("a", up: true) && !state.note("a", up: true) && state.note("a", up: false))
        #expect(state["a"] == false && state.count == 1)
    }

    @Test("It does not grow without end: what was down longest is forgotten first")
    func bounded() {
        var state = AskedState()
        state.note("first", up: true)
        for number in 0..<(AskedState.most + 10) { state.note("s\(number)", up: false) }
        #expect(state.count == AskedState.most && state["first"] == true)
        #expect(state["s0"] == nil && state["s\(AskedState.most + 9)"] == false)
        for number in 0..<AskedState.most { state.note("u\(number)", up: true) }
        #expect(state.count == AskedState.most && state["first"] == nil)
    }

    // MARK: - The file

    /// Waits until the writer has ended, and gives what it said for the log.
    private func settle(_ memory: AskedMemory, _ loop: EventLoop) -> String? {
        memory.finish(loop, until: hi_monotonic_nanoseconds() + 10_000_000_000)
    }

    @Test("It is written by a process of its own, into a folder that it makes, and is read back")
    func written() throws {
        let folder = TemporaryFolder()
        let place = folder("a/b")
        let loop = try EventLoop()
        let memory = AskedMemory(.nothing, folder: place, hasTold: false)
        #expect(!memory.needsWriter && memory.flush(loop) == nil)
        memory.note(name: "web", up: true)
        #expect(memory.needsWriter && memory.flush(loop) == nil)
        #expect(!memory.needsWriter)
        // While that one writes, two more are asked for: one more write follows.
        memory.note(name: "web", up: false)
        memory.note(name: "api", up: true)
        #expect(settle(memory, loop) == nil)
        let read = AskedReading.read(place)
        #expect(read.state == state(("web", false), ("api", true)))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/a/b/asked")
        #expect((attributes[.posixPermissions] as? Int) == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/a/b") == ["asked"])
    }

    @Test("A file that cannot be used is kept aside, and the next one takes its place")
    func corrupt() throws {
        let folder = TemporaryFolder()
        folder.file("asked", "hermes-init asked 1\nup web\n")
        let read = AskedReading.read(Bytes(folder.path.utf8))
        #expect(read.state.isEmpty)
        #expect(
            read.line(folder.path)
                == "cannot use \(folder.path)/asked: its end is missing; so services start as if nobody had asked "
                + "anything. The boot keeps it as asked.corrupt")
        let loop = try EventLoop()
        let memory = AskedMemory(read, folder: Bytes(folder.path.utf8), hasTold: false)
        #expect(memory.needsWriter && settle(memory, loop) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["asked.corrupt"])
        memory.note(name: "web", up: true)
        #expect(settle(memory, loop) == nil)
        #expect(AskedReading.read(Bytes(folder.path.utf8)).state["web"] == true)
        #expect(
            try String(contentsOfFile: folder.path + "/asked.corrupt", encoding: .utf8)
                == "hermes-init asked 1\nup web\n")
    }

    @Test("No link is followed, to read or to write, and that is said once")
    func links() throws {
        let folder = TemporaryFolder()
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder.path + "/real", withIntermediateDirectories: true)
        try manager.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "real")
        let loop = try EventLoop()
        let memory = AskedMemory(AskedReading.read(folder("link")), folder: folder("link"), hasTold: false)
        memory.note(name: "web", up: true)
        let line = settle(memory, loop)
        #expect(line?.contains("a symbolic link is in its path") == true && line?.contains("state-directory") == true)
        memory.note(name: "web", up: false)
        #expect(settle(memory, loop) == nil)
        #expect(try manager.contentsOfDirectory(atPath: folder.path + "/real").isEmpty)
        // A file that is a link is not read, and is replaced, not written through.
        folder.file("target", "keep")
        try manager.createSymbolicLink(atPath: folder.path + "/real/asked", withDestinationPath: "../target")
        let read = AskedReading.read(folder("real"))
        #expect(read.line("/x")?.hasPrefix("cannot read /x/asked: a symbolic link") == true)
        let other = AskedMemory(read, folder: folder("real"), hasTold: false)
        other.note(name: "web", up: true)
        #expect(settle(other, loop) == nil)
        #expect(try String(contentsOfFile: folder.path + "/target", encoding: .utf8) == "keep")
        #expect(AskedReading.read(folder("real")).state["web"] == true)
    }

    @Test("What is no regular file is none, and nobody waits for its writer")
    func strange() throws {
        let folder = TemporaryFolder()
        #expect(mkfifo(folder.path + "/asked", 0o600) == 0)
        guard case .corrupt("it is not a regular file") = AskedReading.read(Bytes(folder.path.utf8)) else {
            return #expect(Bool(false))
        }
        guard case .nothing = AskedReading.read(folder("none/at/all")) else { return #expect(Bool(false)) }
    }

    @Test("Whether something can be kept is known of a folder that is not there yet, too")
    func keeping() {
        let folder = TemporaryFolder()
        folder.file("file")
        #expect(reasonAgainstKeeping(in: folder("a/b/c")) == nil)
        #expect(reasonAgainstKeeping(in: folder("file/x")) == "Not a directory")
    }
}
