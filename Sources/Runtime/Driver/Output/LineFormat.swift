import CSystem
import ConfigParser
import System

/// How a line looks on the container's stdout and stderr: behind `[name] `, as it is, or as a JSON object. Bytes to bytes, pure.
struct LineFormat {
    /// What stands before each line.
    private var head: Bytes
    private let isJSON: Bool
    private var time = Timestamp()

    private static let beforeTime = Bytes("{\"time\":\"")

    /// `[name] ` before each line.
    init(prefix name: String) {
        head = Bytes("[") + Bytes(name.utf8) + Bytes("] ")
        isJSON = false
    }

    /// Each line as it is.
    init() {
        head = []
        isJSON = false
    }

    /// An object for each line, with its time, the service, the stream and the line as `message`.
    init(json name: String, stream: String) {
        head = LineFormat.beforeTime + Bytes(repeating: 0x30, count: Timestamp.length)
        head += "\",\"service\":\""
        // The name of a service holds nothing that would have to be escaped.
        head += Bytes(name.utf8)
        head += "\",\"stream\":\""
        head += Bytes(stream.utf8)
        head += "\",\"message\":\""
        isJSON = true
    }

    /// Whether `set(time:)` has a use.
    var hasTime: Bool { isJSON }

    /// The time of the lines that follow, in milliseconds since 1970.
    mutating func set(time milliseconds: Int64) {
        let place = LineFormat.beforeTime.count
        // A local copy, so that both can be changed at once.
        var time = time
        head.withUnsafeMutableBufferPointer { bytes in
            if let start = bytes.baseAddress { time.write(milliseconds, to: start.advanced(by: place)) }
        }
        self.time = time
    }

    /// Adds one line, given without its end.
    func write(_ line: UnsafePointer<UInt8>, _ count: Int, to queue: ByteQueue) {
        head.withUnsafeBufferPointer { head in
            let most = isJSON ? 6 &* count &+ 2 : count
            guard let place = queue.room(head.count &+ most &+ 1) else { return }
            if let start = head.baseAddress { memcpy(place, start, head.count) }
            var end = place.advanced(by: head.count)
            if isJSON {
                end = LineFormat.escape(line, count, to: end)
                end[0] = 0x22
                end[1] = 0x7D
                end = end.advanced(by: 2)
            } else {
                memcpy(end, line, count)
                end = end.advanced(by: count)
            }
            end[0] = 0x0A
            queue.commit(end.advanced(by: 1) - place)
        }
    }

    /// Text for inside a JSON string (RFC 8259, 7): six bytes at most for one. What is not UTF-8 becomes U+FFFD.
    /// - Returns: where it ends.
    static func escape(
        _ text: UnsafePointer<UInt8>, _ count: Int, to place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var end = place
        var index = 0
        while index < count {
            let byte = text[index]
            if byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C {
                end[0] = byte
                end += 1
                index &+= 1
                continue
            }
            if byte < 0x80 {
                end = escape(byte, to: end)
                index &+= 1
                continue
            }
            let length = sequenceLength(text + index, count &- index)
            if length > 0 {
                memcpy(end, text + index, length)
            } else {
                (end[0], end[1], end[2]) = (0xEF, 0xBF, 0xBD)
            }
            end += length > 0 ? length : 3
            index &+= max(1, length)
        }
        return end
    }

    /// A quotation mark, a backslash or a control character.
    private static func escape(_ byte: UInt8, to place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        place[0] = 0x5C
        switch byte {
        case 0x22, 0x5C: place[1] = byte
        case 0x09: place[1] = 0x74
        case 0x0D: place[1] = 0x72
        default:
            let digit = byte & 15
            (place[1], place[2], place[3], place[4]) = (0x75, 0x30, 0x30, 0x30 &+ byte >> 4)
            place[5] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
            return place + 6
        }
        return place + 2
    }

    /// The length of the UTF-8 sequence at the start (RFC 3629); 0 where it is none, or not whole.
    static func sequenceLength(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        let first = bytes[0]
        if first < 0x80 { return 1 }
        let length = first < 0xC2 || first > 0xF4 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        if length == 0 || length > count { return 0 }
        for index in 1..<length where bytes[index] & 0xC0 != 0x80 { return 0 }
        // Longer than needed, a half of a surrogate pair, or beyond U+10FFFF.
        let second = bytes[1]
        if first == 0xE0 && second < 0xA0 || first == 0xED && second > 0x9F { return 0 }
        if first == 0xF0 && second < 0x90 || first == 0xF4 && second > 0x8F { return 0 }
        return length
    }

    /// How many of these bytes can be cut off without breaking a character in two: all, or up to three fewer.
    static func cut(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var start = count &- 1
        while start > 0 && start &+ 3 > count && bytes[start] & 0xC0 == 0x80 { start &-= 1 }
        guard start > 0 else { return count }
        let first = bytes[start]
        let length = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 1
        return start &+ length > count ? start : count
    }
}
