import CSystem
import ConfigParser
import System
import Testing

@testable import Runtime

@Suite("Driver: the parts of output")
struct DriverOutputPartsTests {
    private func stamp(_ milliseconds: Int64, _ time: inout Timestamp) -> String {
        let place = UnsafeMutablePointer<UInt8>.allocate(capacity: Timestamp.length)
        defer { place.deallocate() }
        time.write(milliseconds, to: place)
        return String(decoding: UnsafeBufferPointer(start: place, count: Timestamp.length), as: UTF8.self)
    }

    @Test(
        "A moment as RFC 3339 has it",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (86_399_999, "1970-01-01T23:59:59.999Z"),
            (86_400_000, "1970-01-02T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"), (1_735_689_599_123, "2024-12-31T23:59:59.123Z"),
            (1_735_689_600_000, "2025-01-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-5, "1970-01-01T00:00:00.000Z"), (Int64.max, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func timestamp(milliseconds: Int64, text: String) {
        var time = Timestamp()
        #expect(stamp(milliseconds, &time) == text)
    }

    @Test("The text of a second is made anew when the second changes, forward and backward")
    func cachedSecond() {
        var time = Timestamp()
        #expect(stamp(59_999, &time) == "1970-01-01T00:00:59.999Z")
        #expect(stamp(59_001, &time) == "1970-01-01T00:00:59.001Z")
        #expect(stamp(60_000, &time) == "1970-01-01T00:01:00.000Z")
        #expect(stamp(58_000, &time) == "1970-01-01T00:00:58.000Z")
    }

    @Test("Each day of 900 years follows the one before it by the rules of the calendar")
    func calendar() {
        var expected = (year: 1970, month: 1, day: 1)
        for day in 0..<(900 * 366) {
            let date = Timestamp.date(day: day)
            if date != expected {
                Issue.record("day \(day): \(date), not \(expected)")
                return
            }
            let isLeap = expected.year % 4 == 0 && (expected.year % 100 != 0 || expected.year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            expected.day += 1
            if expected.day > lengths[expected.month - 1] { expected = (expected.year, expected.month + 1, 1) }
            if expected.month > 12 { expected = (expected.year + 1, 1, 1) }
        }
    }

    @Test("A ring grows from nothing, keeps the last 64 KiB, and begins with a line")
    func ring() {
        let ring = OutputRing()
        #expect(ring.contents.isEmpty)
        var all = Bytes()
        for number in 0..<20_000 {
            let line = Bytes("line \(number) \(String(repeating: "x", count: number % 90))\n".utf8)
            all += line
            line.withUnsafeBufferPointer { ring.append($0.baseAddress!, $0.count) }
            if number % 97 == 0 || all.count < 70_000 { check(ring, all) }
        }
        // More at once than it holds.
        let large = Bytes((0..<200_000).map { $0 % 100 == 99 ? 0x0A : 0x61 })
        all += large
        large.withUnsafeBufferPointer { ring.append($0.baseAddress!, $0.count) }
        check(ring, all)
    }

    private func check(_ ring: OutputRing, _ all: Bytes) {
        var expected = all.suffix(OutputRing.size)
        if all.count >= OutputRing.size, let end = expected.firstIndex(of: 0x0A) {
            expected = expected[(end + 1)...]
        }
        #expect(ring.contents == Bytes(expected))
    }

    @Test(
        "A text is found within a line, however the line comes in pieces",
        arguments: [
            (["ready"], true), (["rea", "dy"], true), (["r", "e", "a", "d", "y"], true), (["rea\ndy"], false),
            (["rea", "\n", "dy"], false), (["rereready"], true), (["not read", "\nready to go\n"], true),
            (["read"], false),
            (["", "ready"], true), (["READY"], false), (["areadready"], true),
        ] as [([String], Bool)])
    func watch(pieces: [String], isFound: Bool) {
        let watch = TextWatch(Bytes("ready".utf8))
        var matched = 0
        var found = false
        for piece in pieces {
            let bytes = Bytes(piece.utf8)
            found = found || bytes.withUnsafeBufferPointer { watch.find($0, matched: &matched) }
        }
        #expect(found == isFound)
    }

    @Test("A text that begins like its own middle is not missed", arguments: ["aab", "abab", "aabaaab", "ababac"])
    func watchFallbacks(text: String) {
        // Every line of a and b and c up to nine long, against a plain search.
        let watch = TextWatch(Bytes(text.utf8))
        for number in 0..<19_683 {
            var rest = number
            var line = Bytes()
            for _ in 0..<9 {
                line.append(UInt8(97 + rest % 3))
                rest /= 3
            }
            var matched = 0
            let found = line.withUnsafeBufferPointer { watch.find($0, matched: &matched) }
            if found != String(decoding: line, as: UTF8.self).contains(text) {
                Issue.record("\(String(decoding: line, as: UTF8.self))")
                return
            }
        }
    }

    private func json(_ line: Bytes) -> String {
        var format = LineFormat(json: "web", stream: "stderr")
        format.set(time: 951_782_400_007)
        let queue = ByteQueue()
        format.write(line + [0], line.count, to: queue)
        return String(decoding: UnsafeBufferPointer(start: queue.first, count: queue.count), as: UTF8.self)
    }

    @Test(
        "A line as JSON is valid whatever it holds",
        arguments: [
            ("", ""), ("plain words", "plain words"), ("a\"b\\c", "a\\\"b\\\\c"), ("tab\tand\r", "tab\\tand\\r"),
            ("\u{0}\u{1B}[1m\u{1F}\u{7F}", "\\u0000\\u001b[1m\\u001f\u{7F}"), ("é€😀", "é€😀"),
        ])
    func json(line: String, message: String) {
        let expected =
            "{\"time\":\"2000-02-29T00:00:00.007Z\",\"service\":\"web\",\"stream\":\"stderr\",\"message\":\"\(message)\"}\n"
        #expect(json(Bytes(line.utf8)) == expected)
    }

    @Test(
        "What is not UTF-8 is replaced, and what stands around it stays",
        arguments: [
            ([0x61, 0xFF, 0x62], "a\u{FFFD}b"), ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"), ([0xE2, 0x82], "\u{FFFD}\u{FFFD}"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ([0xF4, 0x90, 0x80, 0x80, 0x7A], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}z"),
            ([0xF0, 0x9F, 0x98, 0x80, 0x80], "😀\u{FFFD}"), ([0xE0, 0x80, 0xAF], "\u{FFFD}\u{FFFD}\u{FFFD}"),
        ] as [(Bytes, String)])
    func invalid(line: Bytes, message: String) {
        #expect(json(line).hasSuffix("\"message\":\"\(message)\"}\n"))
    }

    @Test(
        "A line is not cut within a character",
        arguments: [("aaé", 4), ("aa€", 5), ("aa😀", 6), ("aaaa", 4)])
    func cut(text: String, whole: Int) {
        let bytes = Bytes(text.utf8)
        for length in 3...whole {
            let cut = bytes.withUnsafeBufferPointer { LineFormat.cut($0.baseAddress!, length) }
            let isWhole = length == whole || !text.utf8.contains { $0 >= 0x80 }
            #expect(cut == (isWhole ? length : 2), "\(length) of \(text)")
        }
        // What never was a character is not looked at for long.
        let junk = Bytes(repeating: 0x80, count: 100)
        #expect(junk.withUnsafeBufferPointer { LineFormat.cut($0.baseAddress!, 100) } == 100)
    }

    @Test("The length of a line is that up to the first line end, at every place and alignment")
    func lineLength() {
        for count in 0..<70 {
            for place in 0...count {
                var bytes = Bytes(repeating: 0x61, count: count + 3)
                if place < count { bytes[place] = 0x0A }
                bytes[count] = 0x0A
                #expect(hi_line_length(bytes, count) == place)
            }
        }
    }

    @Test("What goes through the socket to the writer comes out as it was")
    func frames() throws {
        let request = LogFileRequest(
            name: Bytes("web".utf8), path: Bytes("/var/log/web.log".utf8), user: 1000, group: UInt32.max,
            maxSize: 1 << 40, keep: 12, timestamps: true, makesFolder: true)
        #expect(LogFileRequest(request.bytes) == request)
        var withGroups = request
        for groups in [[], [4], [1, 2, UInt32.max - 1]] as [[UInt32]] {
            withGroups.groups = groups
            #expect(LogFileRequest(withGroups.bytes) == withGroups)
        }
        #expect(LogFileRequest([]) == nil)
        #expect(LogFileRequest(Bytes(repeating: 7, count: 60)) == nil)
        let queue = ByteQueue()
        LogFrame(.lines, file: 70_000, time: -3, count: 9).write(to: queue)
        let frame = try #require(LogFrame(queue.first!))
        #expect(frame.kind == .lines && frame.file == 70_000 && frame.time == -3 && frame.count == 9)
        #expect(LogFrame(Bytes(repeating: 0xFF, count: LogFrame.size)) == nil)
    }

    @Test("A queue gives back what it got, in order")
    func queue() {
        let queue = ByteQueue()
        var expected = Bytes()
        var seed: UInt64 = 7
        for _ in 0..<5000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let size = Int(seed >> 33) % 3000
            if seed >> 62 == 0 {
                let taken = min(expected.count, size * 4)
                #expect(Bytes(UnsafeBufferPointer(start: queue.first, count: taken)) == Bytes(expected.prefix(taken)))
                queue.drop(taken)
                expected.removeFirst(taken)
            } else {
                let piece = Bytes(repeating: UInt8(truncatingIfNeeded: seed >> 20), count: size)
                queue.append(piece)
                expected += piece
            }
            #expect(queue.count == expected.count)
        }
        queue.drop(queue.count)
        #expect(queue.count == 0)
    }
}
