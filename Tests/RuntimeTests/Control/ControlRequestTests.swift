import ConfigParser
import Testing

@testable import Runtime

/// The language of the control socket: from a line of bytes to a request, or to what is wrong with it.
@Suite("Control: requests")
struct ControlRequestTests {
    private func parse(_ text: String) throws(ControlError) -> ControlRequest? {
        try ControlRequest.parse([UInt8](text.utf8))
    }

    private func error(_ text: String) -> ControlError? {
        do throws(ControlError) {
            _ = try parse(text)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("a b", ["a", "b"]), ("  a\tb  ", ["a", "b"]), ("", []), ("a\r", ["a"]), ("\"a b\" c", ["a b", "c"]),
        ("\"a\\\"b\\\\\"", ["a\"b\\"]), ("\"\"", [""]), ("a\"b c\"d", ["ab cd"]), ("ü", ["ü"]), ("a\\b", ["a\\b"]),
    ])
    func words(text: String, wanted: [String]) throws {
        #expect(try ControlRequest.words(of: [UInt8](text.utf8)).map { $0.text } == wanted)
    }

    @Test(arguments: ["\"a", "a \"", "\"a\\n\"", "\"a\\", "a\u{0}b", "a\u{1B}b", "a\u{7F}"])
    func wordsThatAreNone(text: String) {
        #expect(error(text)?.code == "usage")
    }

    @Test func bytesThatAreNoText() throws {
        let words = try ControlRequest.words(of: [0x61, 0x20, 0xFF, 0xFE])
        #expect(words.map { $0.text } == ["a", "\u{FFFD}\u{FFFD}"])
    }

    @Test func everyVerbIsKnown() throws {
        #expect(ControlUsage.all.count == ControlVerb.allCases.count)
        for (place, usage) in ControlUsage.all.enumerated() {
            let words = usage.word == "signal" ? "HUP a" : usage.word == "wait" ? "--up a" : usage.least > 0 ? "a" : ""
            #expect(try parse(usage.word + " " + words)?.verb.rawValue == place)
        }
        #expect(try parse("   ") == nil)
    }

    @Test func options() throws {
        let start = try #require(try parse("start --no-wait a --timeout=1m30s b a"))
        #expect(start.names == ["a", "b"] && !start.waits && start.timeout == .seconds(90))
        let wait = try #require(try parse("wait a --down --timeout 5"))
        #expect(wait.up == false && wait.timeout == .seconds(5))
        let logs = try #require(try parse("logs -n 5 -f --since=60 a"))
        #expect(logs.lines == 5 && logs.follows && logs.since == .seconds(60) && logs.names == ["a"])
        let signal = try #require(try parse("signal --group hup a b"))
        #expect(signal.signal == .hangup && signal.toGroup && signal.names == ["a", "b"])
        let shutdown = try #require(try parse("shutdown 255"))
        #expect(shutdown.code == 255)
        // In quotes it is a name, whatever it looks like.
        #expect(try parse("status \"--up\"")?.names == ["--up"])
        #expect(try parse("status -")?.names == ["-"])
    }

    @Test(arguments: [
        ("start", "usage"), ("wait a", "usage"), ("wait --up --down a", "usage"), ("wait --up", "usage"),
        ("start --timeout", "usage"), ("start --timeout= a", "usage"), ("start --timeout=-1s a", "usage"),
        ("start --no-wait=1 a", "usage"), ("start -f a", "usage"), ("logs -n x", "usage"), ("logs -n 9999999", "usage"),
        ("logs -n", "usage"), ("signal", "usage"), ("signal HUP", "usage"), ("signal NOPE a", "usage"),
        ("signal 65 a", "usage"), ("shutdown 256", "usage"), ("shutdown -1", "usage"), ("shutdown 1 2", "usage"),
        ("show a b", "usage"), ("show", "usage"), ("list a", "usage"), ("begin", "unknown-verb"),
        ("\"start\" a", "unknown-verb"), ("--up", "unknown-verb"), ("START a", "unknown-verb"),
    ])
    func mistakes(text: String, code: String) {
        let error = error(text)
        #expect(error?.code == code)
        #expect(error?.message.isEmpty == false && error?.hint?.isEmpty == false)
    }

    @Test func aMistypedVerbIsMended() {
        #expect(error("strat web")?.hint == "did you mean \"start\"?")
    }

    @Test func theLongestLine() throws {
        let longest = "status " + String(repeating: "a", count: ControlRequest.longest - 7)
        #expect(try parse(longest)?.names.count == 1)
        #expect(error(longest + "a")?.code == "usage")
    }

    // MARK: - Lines

    private func feed(_ lines: inout ControlLines, _ text: String) {
        [UInt8](text.utf8).withUnsafeBytes { lines.append($0) }
    }

    @Test func linesComeInPieces() {
        var lines = ControlLines()
        feed(&lines, "sta")
        #expect(lines.next() == .nothing && lines.isPartial)
        feed(&lines, "tus\n\nlist\nver")
        #expect(lines.next() == .line([UInt8]("status".utf8)))
        #expect(lines.next() == .line([]))
        #expect(lines.next() == .line([UInt8]("list".utf8)))
        #expect(lines.next() == .nothing)
        #expect(lines.next(isEnd: true) == .line([UInt8]("ver".utf8)))
        #expect(lines.next(isEnd: true) == .nothing && !lines.isPartial)
    }

    @Test func aLineWithoutEndIsTooLong() {
        var lines = ControlLines()
        feed(&lines, String(repeating: "x", count: 4096))
        #expect(lines.next() == .nothing && !lines.isFull)
        feed(&lines, "x")
        #expect(lines.next() == .tooLong && lines.isFull)
    }
}
