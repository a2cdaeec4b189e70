import CSystem
import ConfigParser
import System
import Testing

@testable import Runtime

/// A relay between pipes that a test writes to and sinks that it reads, moved by hand: one call is one turn of the loop.
private final class Bench {
    let loop: EventLoop
    let output: FileDescriptor
    let error: FileDescriptor
    let standardOutput: ContainerOutput
    let standardError: ContainerOutput
    let relay: OutputRelay
    private let writeEnds: [FileDescriptor]

    init(oneSink: Bool = false) throws {
        loop = try EventLoop()
        let (readOutput, writeOutput) = try FileDescriptor.pipe()
        let (readError, writeError) = try FileDescriptor.pipe()
        (output, error, writeEnds) = (readOutput, readError, [writeOutput, writeError])
        standardOutput = ContainerOutput(descriptor: writeOutput.number)
        standardError = oneSink ? standardOutput : ContainerOutput(descriptor: writeError.number)
        relay = OutputRelay(standardOutput: standardOutput, standardError: standardError, loop: loop)
    }

    /// Where the lines of each service go.
    var to = LogTarget.prefix

    func say(_ text: String, _ service: Int = 0, toError: Bool = false) throws {
        let ends = try relay.descriptors(of: service, name: "s\(service)", to: to)
        let bytes = Bytes(text.utf8)
        #expect(write((toError ? ends.error : ends.output).number, bytes, bytes.count) == bytes.count)
    }

    /// One turn, as the driver makes it; gives the kinds of what was ready.
    @discardableResult
    func turn() throws -> [Token.Kind] {
        var tokens = [Token]()
        try loop.wait(timeout: 0) { tokens.append($0) }
        for token in tokens where token.kind == .outputs { relay.readReady(token.index) }
        relay.flush()
        return tokens.map(\.kind)
    }

    /// Turns until nothing is ready any more.
    func settle() throws { while try !turn().isEmpty {} }

    func read(_ end: FileDescriptor? = nil) -> String { String(decoding: readAll(end ?? output), as: UTF8.self) }
}

func readAll(_ end: FileDescriptor) -> Bytes {
    var all = Bytes()
    var chunk = Bytes(repeating: 0, count: 1 << 16)
    while true {
        let count = CSystem.read(end.number, &chunk, chunk.count)
        if count <= 0 { return all }
        all += chunk.prefix(count)
    }
}

@Suite("Driver: the services' output")
struct DriverOutputRelayTests {
    @Test("Lines come behind the name of their service, stdout and stderr each to its own sink")
    func lines() throws {
        let bench = try Bench()
        try bench.say("one\n\ntwo\n")
        try bench.say("bad\n", toError: true)
        try bench.say("other\n", 1)
        try bench.settle()
        #expect(bench.read() == "[s0] one\n[s0] \n[s0] two\n[s1] other\n")
        #expect(bench.read(bench.error) == "[s0] bad\n")
    }

    @Test("A service that is forgotten leaves nothing behind, and its number is another's")
    func forgotten() throws {
        let bench = try Bench()
        try bench.say("one\n")
        try bench.settle()
        for number in 0..<50 {
            let ends = try bench.relay.descriptors(of: 1, name: "x\(number)")
            let text = Bytes("last words of \(number)".utf8)
            #expect(write(ends.output.number, text, text.count) == text.count)
            bench.relay.processEnded(1)
            bench.relay.forget(1)
        }
        try bench.settle()
        #expect(bench.relay.pipes == 2)
        var expected = "[s0] one\n"
        for number in 0..<50 { expected += "[x\(number)] last words of \(number)\n" }
        #expect(bench.read() == expected)
        #expect(bench.relay.recent(1).isEmpty)
        try bench.say("still here\n")
        try bench.settle()
        #expect(bench.read() == "[s0] still here\n")
    }

    @Test("What a descendant of a forgotten service says is read to its end, under the old name")
    func descendants() throws {
        let bench = try Bench()
        let descendant: FileDescriptor
        do {
            let ends = try bench.relay.descriptors(of: 0, name: "old")
            descendant = FileDescriptor(owning: dup(ends.output.number))
        }
        bench.relay.processEnded(0)
        bench.relay.forget(0)
        let ends = try bench.relay.descriptors(of: 0, name: "new")
        let (one, other) = (Bytes("from the old\n".utf8), Bytes("from the new\n".utf8))
        #expect(write(descendant.number, one, one.count) == one.count)
        #expect(write(ends.output.number, other, other.count) == other.count)
        try bench.settle()
        #expect(Set(bench.read().split(separator: "\n")) == ["[old] from the old", "[new] from the new"])
        #expect(String(decoding: bench.relay.recent(0), as: UTF8.self) == "from the new\n")
        withExtendedLifetime(descendant) {}
    }

    @Test("Oneshots that run one after the other have one pair of pipes, and each its own name")
    func handedOn() throws {
        let bench = try Bench()
        for number in 0..<50 {
            let ends = try bench.relay.descriptors(of: number, name: "step-\(number)", isAlone: true)
            let text = Bytes("working\nlast words".utf8)
            #expect(write(ends.output.number, text, text.count) == text.count)
            bench.relay.processEnded(number)
            bench.relay.mayHandOn(number)
        }
        try bench.settle()
        #expect(bench.relay.pipes == 2)
        var expected = ""
        for number in 0..<50 { expected += "[step-\(number)] working\n[step-\(number)] last words\n" }
        #expect(bench.read() == expected)
        for number in 0..<50 { #expect(bench.relay.recent(number) == Bytes("working\nlast words\n".utf8)) }
        // The first of them once more: its pipes are another's now.
        try bench.say("again\n", 0)
        try bench.settle()
        #expect(bench.read() == "[s0] again\n")
        #expect(bench.relay.pipes == 4)
        #expect(bench.relay.recent(0) == Bytes("working\nlast words\nagain\n".utf8))
        #expect(bench.relay.recent(49) == Bytes("working\nlast words\n".utf8))
    }

    @Test("Pipes are not handed on while anybody may have them, nor to another target, nor before all was read")
    func notHandedOn() throws {
        func step(_ bench: Bench, isAlone: Bool = true, to: LogTarget = .prefix, mayHandOn: Bool = true) throws -> Bool
        {
            let first = try bench.relay.descriptors(of: 0, name: "one").output
            bench.relay.processEnded(0)
            if mayHandOn { bench.relay.mayHandOn(0) }
            return try first === bench.relay.descriptors(of: 1, name: "two", to: to, isAlone: isAlone).output
        }
        #expect(try step(Bench()))
        #expect(try !step(Bench(), isAlone: false))
        #expect(try !step(Bench(), to: .raw))
        #expect(try !step(Bench(), mayHandOn: false))

        let late = try Bench()
        let first = try late.relay.descriptors(of: 0, name: "one").output
        late.relay.processEnded(0)
        late.relay.mayHandOn(0)
        let text = Bytes("of one that was killed with it\n".utf8)
        #expect(write(first.number, text, text.count) == text.count)
        let next = try late.relay.descriptors(of: 1, name: "two", isAlone: true).output
        #expect(first !== next)
        try late.settle()
        #expect(late.read() == "[one] of one that was killed with it\n")

        let forgotten = try Bench()
        _ = try forgotten.relay.descriptors(of: 0, name: "one")
        forgotten.relay.processEnded(0)
        forgotten.relay.mayHandOn(0)
        forgotten.relay.forget(0)
        _ = try forgotten.relay.descriptors(of: 0, name: "other")
        let own = try forgotten.relay.descriptors(of: 0, name: "other").output
        #expect(try own !== forgotten.relay.descriptors(of: 1, name: "two", isAlone: true).output)
    }

    @Test("A service whose lines go elsewhere from now on gets other pipes, and keeps what it said")
    func elsewhere() throws {
        let bench = try Bench()
        try bench.say("one\n")
        try bench.settle()
        bench.to = .json
        try bench.say("two\n")
        try bench.settle()
        let text = bench.read()
        #expect(text.hasPrefix("[s0] one\n{"))
        #expect(String(decoding: bench.relay.recent(0), as: UTF8.self) == "one\ntwo\n")
    }

    @Test("Where the container has one sink for both, a service has one pipe for both")
    func oneSink() throws {
        let bench = try Bench(oneSink: true)
        try bench.say("one\n")
        try bench.say("two\n", toError: true)
        try bench.say("three\n")
        let ends = try bench.relay.descriptors(of: 0, name: "s0")
        #expect(ends.output === ends.error)
        try bench.settle()
        #expect(bench.read() == "[s0] one\n[s0] two\n[s0] three\n")
    }

    @Test("A line that comes in pieces is passed on when it is whole")
    func pieces() throws {
        let bench = try Bench()
        try bench.say("one")
        try bench.settle()
        #expect(bench.read() == "")
        try bench.say(" two\nthree")
        try bench.settle()
        #expect(bench.read() == "[s0] one two\n")
    }

    @Test(
        "A line of up to 8 KiB stays whole, a longer one goes on in the next, and no line is made up at the boundary",
        arguments: [0, 1, 8191, 8192, 8193, 16_383, 16_384, 16_385, 20_000, 50_000], [false, true])
    func boundaries(length: Int, newlineComesLater: Bool) throws {
        let bench = try Bench()
        var body = ""
        for index in 0..<length { body.unicodeScalars.append(Unicode.Scalar(UInt8(97 + index % 26))) }
        try bench.say(newlineComesLater ? body : body + "\nlast\n")
        try bench.settle()
        if newlineComesLater {
            try bench.say("\nlast\n")
            try bench.settle()
        }
        let lines = bench.read().split(separator: "\n", omittingEmptySubsequences: false)
        let expected = max(1, (length + 8191) / 8192)
        #expect(lines.count == expected + 2)
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix("[s0] ") && $0.utf8.count <= 8192 + 5 })
        #expect(lines.dropLast(2).map { $0.dropFirst(5) }.joined() == body)
        #expect(lines.suffix(2) == ["[s0] last", ""])
    }

    @Test("What a process said last is passed on when it ends, and the next one begins a line of its own")
    func lastWords() throws {
        let bench = try Bench()
        try bench.say("one\ntw")
        try bench.turn()
        try bench.say("o")
        bench.relay.processEnded(0)
        try bench.say("next\n")
        try bench.settle()
        #expect(bench.read() == "[s0] one\n[s0] two\n[s0] next\n")
        bench.relay.processEnded(0)
        bench.relay.processEnded(7)
        try bench.settle()
        #expect(bench.read() == "")
    }

    @Test("A sink that nobody reads stops the reading, without a busy loop; once read, it goes on and nothing is lost")
    func backPressure() throws {
        let bench = try Bench(oneSink: true)
        var number = 0
        let ends = try bench.relay.descriptors(of: 0, name: "s0")
        hi_make_blocking(ends.output.number, O_WRONLY | O_NONBLOCK)
        /// Writes lines until the pipe is full.
        func fill() {
            while true {
                let line = Bytes("line \(number) xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".utf8)
                if write(ends.output.number, line, line.count) < line.count { return }
                number += 1
            }
        }
        var before = -1
        while before < number {
            before = number
            fill()
            try bench.settle()
        }
        // Stuck: nothing is ready, although the pipe is full.
        #expect(bench.standardOutput.isFull)
        #expect(try bench.turn().isEmpty)
        #expect(hi_unread(bench.loop.descriptor.number) >= 0)
        var text = ""
        while true {
            let piece = bench.read()
            text += piece
            try bench.settle()
            if piece.isEmpty { break }
        }
        #expect(text == (0..<number).map { "[s0] line \($0) xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" }.joined())
        #expect(bench.standardOutput.isEmpty)
    }

    @Test("A line is not broken when its process ends while the sink is full")
    func endWhileFull() throws {
        let bench = try Bench(oneSink: true)
        try bench.say("the first half, ")
        try bench.settle()
        bench.standardOutput.append(Bytes(repeating: 0x0A, count: 200_000))
        try bench.turn()
        try bench.say("the second half")
        bench.relay.processEnded(0)
        var text = ""
        while true {
            let piece = bench.read()
            text += piece
            try bench.settle()
            if piece.isEmpty { break }
        }
        #expect(text.drop { $0 == "\n" } == "[s0] the first half, the second half\n")
    }

    @Test("One that has always something to say does not keep the others from being heard")
    func fairness() throws {
        let bench = try Bench(oneSink: true)
        let loud = String(repeating: "\n", count: 65_000)
        try bench.say(loud, 0)
        try bench.say("here\n", 1)
        var turns = 0
        var text = ""
        while !text.contains("[s1] here\n") && turns < 20 {
            turns += 1
            try bench.turn()
            text += bench.read()
            try bench.turn()
            let ends = try bench.relay.descriptors(of: 0, name: "s0")
            if hi_unread(ends.output.number) == 0 { try bench.say(String(repeating: "\n", count: 4000), 0) }
        }
        #expect(turns < 20)
    }

    @Test("Nothing but line ends, from many services, does not fill the memory")
    func bound() throws {
        let bench = try Bench(oneSink: true)
        for service in 0..<100 { try bench.say(String(repeating: "\n", count: 60_000), service) }
        try bench.settle()
        // At most one line beyond the mark.
        #expect(bench.standardOutput.waiting < ContainerOutput.highWater + 8)
    }

    @Test("More services than one wait brings are all heard")
    func many() throws {
        let bench = try Bench()
        for service in 0..<200 { try bench.say("hello\n", service) }
        var text = ""
        while try !bench.turn().isEmpty { text += bench.read() }
        #expect(Set(text.split(separator: "\n")).count == 200)
    }

    @Test("While one of the two sinks is stuck, only what goes there waits")
    func oneSinkStuck() throws {
        let bench = try Bench()
        bench.standardOutput.append(Bytes(repeating: 0x0A, count: 300_000))
        try bench.turn()
        try bench.say("kept\n")
        try bench.say("bad\n", toError: true)
        try bench.settle()
        #expect(bench.read(bench.error) == "[s0] bad\n")
        bench.to = .null
        try bench.say("hidden\n", 1)
        try bench.settle()
        #expect(bench.relay.recent(1) == Bytes("hidden\n".utf8))
        #expect(bench.relay.recent(0) == Bytes("bad\n".utf8))
        var text = ""
        while true {
            let piece = bench.read()
            text += piece
            try bench.settle()
            if piece.isEmpty { break }
        }
        #expect(text.drop { $0 == "\n" } == "[s0] kept\n")
        #expect(bench.relay.recent(0) == Bytes("bad\nkept\n".utf8))
    }

    @Test("What found no room in the middle of a read is not lost, and comes before what is read next")
    func stuckWithinARead() throws {
        let bench = try Bench(oneSink: true)
        // One read holds far more than the sink takes: each line end becomes six bytes.
        try bench.say(String(repeating: "\n", count: 60_000) + "last\nwithout an end")
        try bench.settle()
        bench.relay.processEnded(0)
        try bench.say("next life\n")
        var text = ""
        while true {
            let piece = bench.read()
            text += piece
            try bench.settle()
            if piece.isEmpty { break }
        }
        let lines = text.split(separator: "\n")
        #expect(lines.count == 60_003)
        #expect(lines.suffix(3) == ["[s0] last", "[s0] without an end", "[s0] next life"])
    }

    @Test("Lines that are kept off the container's log are in the ring, both streams in order through one pipe")
    func null() throws {
        let bench = try Bench()
        bench.to = .null
        for number in 0..<5 {
            try bench.say("out \(number)\n")
            try bench.say("err \(number)\n", toError: true)
        }
        try bench.settle()
        #expect(bench.read() == "" && bench.read(bench.error) == "")
        let lines = String(decoding: bench.relay.recent(0), as: UTF8.self).split(separator: "\n")
        #expect(lines == (0..<10).map { "\($0 % 2 == 0 ? "out" : "err") \($0 / 2)" })
        #expect(bench.relay.recent(9) == [])
    }

    @Test("As JSON the streams are told apart even where they go to one sink")
    func json() throws {
        let bench = try Bench(oneSink: true)
        bench.to = .json
        try bench.say("one\n")
        try bench.say("two\n", toError: true)
        try bench.settle()
        let text = bench.read()
        #expect(text.contains(#""service":"s0","stream":"stdout","message":"one"}"#))
        #expect(text.contains(#""service":"s0","stream":"stderr","message":"two"}"#))
    }

    @Test("A text that is watched for is found once, in either stream, across reads and before the line ends")
    func watch() throws {
        let bench = try Bench()
        _ = try bench.relay.descriptors(of: 0, name: "s0")
        bench.relay.watch(service: 0, text: Bytes("is ready".utf8))
        try bench.say("is", toError: true)
        try bench.say("not yet\nready\n")
        try bench.settle()
        #expect(bench.relay.takeFound() == [])
        try bench.say(" rea", toError: true)
        try bench.settle()
        try bench.say("dy", toError: true)
        try bench.say("is ready\n", 1)
        try bench.settle()
        #expect(bench.relay.takeFound() == [0])
        try bench.say("is ready\nis ready\n")
        try bench.settle()
        #expect(bench.relay.takeFound() == [])
    }

    @Test("What the last process left in the pipe does not make the next one ready")
    func watchAnew() throws {
        let bench = try Bench(oneSink: true)
        bench.standardOutput.append(Bytes(repeating: 0x0A, count: 300_000))
        try bench.turn()
        // Nothing is read while the sink is stuck: these words of the first life are read in the second.
        try bench.say("is rea")
        bench.relay.processEnded(0)
        bench.relay.watch(service: 0, text: Bytes("ready".utf8))
        try bench.say("dy\n")
        var text = ""
        while true {
            let piece = bench.read()
            text += piece
            try bench.settle()
            if piece.isEmpty { break }
        }
        #expect(bench.relay.takeFound() == [])
        #expect(text.drop { $0 == "\n" } == "[s0] is rea\n[s0] dy\n")
        try bench.say("ready\n")
        try bench.settle()
        #expect(bench.relay.takeFound() == [0])
    }

    @Test("At the end everything that is still in a pipe is written, with the last line ended")
    func finishAll() throws {
        let bench = try Bench()
        try bench.say("one\ntwo")
        try bench.say("three", 1, toError: true)
        bench.relay.finishAll(milliseconds: 1000)
        #expect(bench.read() == "[s0] one\n[s0] two\n")
        #expect(bench.read(bench.error) == "[s1] three\n")
    }

    @Test("At the end a reader that is stuck is not waited for, however much there is")
    func finishAllStuck() throws {
        let bench = try Bench(oneSink: true)
        for service in 0..<50 { try bench.say(String(repeating: "\n", count: 60_000), service) }
        bench.relay.finishAll(milliseconds: 0)
        #expect(bench.standardOutput.waiting < ContainerOutput.highWater + 8)
    }

    @Test("A pipe that one life of a service made non-blocking waits again in the next")
    func nonBlocking() throws {
        let bench = try Bench()
        let ends = try bench.relay.descriptors(of: 0, name: "s0")
        hi_make_blocking(ends.output.number, O_WRONLY | O_NONBLOCK)
        _ = try bench.relay.descriptors(of: 0, name: "s0")
        #expect(flags(ends.output.number) & O_NONBLOCK == 0)
    }
}

/// The flags of an open file as /proc shows them, in octal.
func flags(_ descriptor: Int32) -> Int32 {
    let path = Bytes("/proc/self/fdinfo/\(descriptor)".utf8)
    guard let text = try? readFile(path, limit: 1 << 16) else { return -1 }
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("flags:") {
        return Int32(line.split(separator: "\t").last ?? "", radix: 8) ?? -1
    }
    return -1
}
