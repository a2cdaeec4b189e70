import System
import Testing

@testable import Runtime

/// Lines of a ring, by their place, with time and stream.
@Suite("Driver: lines of a ring")
struct OutputRingLineTests {
    private func add(_ ring: OutputRing, _ text: String, time: Int64 = 0, isError: Bool = false) {
        let bytes = Bytes(text.utf8)
        bytes.withUnsafeBufferPointer { buffer in
            if let start = buffer.baseAddress { ring.append(start, buffer.count, time: time, isError: isError) }
        }
    }

    private func lines(_ ring: OutputRing, from start: Int? = nil) -> [(text: String, time: Int64, isError: Bool)] {
        var found = [(text: String, time: Int64, isError: Bool)]()
        var place = start ?? ring.start
        while let line = ring.line(at: place) {
            found.append((String(decoding: line.text, as: UTF8.self), line.time, line.isError))
            place = line.next
        }
        return found
    }

    @Test func eachLineHasItsTimeAndItsStream() {
        let ring = OutputRing()
        #expect(lines(ring).isEmpty)
        add(ring, "one\ntwo\n", time: 5)
        add(ring, "\n", time: 5, isError: true)
        add(ring, "three\n", time: 9)
        let found = lines(ring)
        #expect(found.map { $0.text } == ["one", "two", "", "three"])
        #expect(found.map { $0.time } == [5, 5, 5, 9])
        #expect(found.map { $0.isError } == [false, false, true, false])
    }

    @Test func theLastLines() {
        let ring = OutputRing()
        #expect(ring.place(ofLast: 3) == ring.end)
        add(ring, "one\ntwo\nthree\n")
        #expect(lines(ring, from: ring.place(ofLast: 0)).isEmpty)
        #expect(lines(ring, from: ring.place(ofLast: 1)).map { $0.text } == ["three"])
        #expect(lines(ring, from: ring.place(ofLast: 2)).map { $0.text } == ["two", "three"])
        #expect(lines(ring, from: ring.place(ofLast: 3)).count == 3)
        #expect(lines(ring, from: ring.place(ofLast: 99)).count == 3)
    }

    @Test func linesSinceAMoment() {
        let ring = OutputRing()
        for time in 1...5 { add(ring, "line \(time)\n", time: Int64(time)) }
        #expect(lines(ring, from: ring.place(since: 4)).map { $0.text } == ["line 4", "line 5"])
        #expect(lines(ring, from: ring.place(since: 0)).count == 5)
        #expect(ring.place(since: 6) == ring.end)
    }

    /// Against a list of all lines, whatever their length, at every step.
    @Test func itForgetsWholeLinesOnly() {
        let ring = OutputRing()
        ring.isCounting = true
        var all = [String]()
        var next = 0
        for number in 0..<20_000 {
            let line = "\(number) " + String(repeating: "x", count: number * 7 % 61)
            all.append(line)
            add(ring, line + "\n", time: Int64(number))
            if number % 997 != 0 { continue }
            let found = lines(ring)
            #expect(found.map { $0.text } == Array(all.suffix(found.count)))
            #expect(found.map { $0.time } == (0..<found.count).map { Int64(all.count - found.count + $0) })
            #expect(ring.lines == all.count)
            #expect(ring.countLines(from: ring.start) == found.count)
            // Short lines are bounded by the times that are kept.
            #expect(number < 2100 || found.count > 1000)
            #expect(ring.line(at: next) == nil || next >= ring.start || number < 2000)
            next = ring.end
            #expect(ring.line(at: next) == nil)
        }
    }

    @Test func aPlaceThatIsGone() {
        let ring = OutputRing()
        add(ring, "first\n")
        for _ in 0..<2000 { add(ring, String(repeating: "y", count: 99) + "\n") }
        #expect(ring.line(at: 0) == nil && ring.start > 0)
        #expect(ring.line(at: ring.end + 5) == nil)
    }
}
