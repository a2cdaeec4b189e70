import CSystem
import ConfigParser
import System

/// What the init and the process that writes log files say to each other: messages of one or more frames, each a head and a
/// body. Both are the same program, so numbers go as they lie in memory.

/// What one log file is to be.
struct LogFileRequest: Equatable {
    /// The service that it belongs to, for messages.
    var name = Bytes()
    /// Absolute.
    var path = Bytes()
    /// As whom the file is made and written.
    var user: UInt32 = 0
    var group: UInt32 = 0
    /// Its supplementary groups; nil: those of the init.
    var groups: [UInt32]?
    /// In bytes.
    var maxSize: Int64 = 0
    var keep = 0
    var timestamps = false
    /// The last folder of the path is made where it is missing.
    var makesFolder = false
}

/// The head of a frame.
struct LogFrame {
    enum Kind: UInt32 {
        /// The body is whole lines for a file.
        case lines = 1
        /// The body describes a file.
        case open
        /// Nothing comes any more.
        case finish
        /// Nothing comes for a file any more.
        case close
    }
    var kind: Kind
    /// The number of the file.
    var file: Int
    /// When the lines came: milliseconds since 1970.
    var time: Int64
    /// How long the body is.
    var count: Int

    /// The length of a head.
    static let size = 24
    /// The most that one message holds; one frame is never longer.
    static let largestMessage = 128 * 1024

    init(_ kind: Kind, file: Int = 0, time: Int64 = 0, count: Int = 0) {
        self.kind = kind
        self.file = file
        self.time = time
        self.count = count
    }

    /// From the bytes of a head; nil where they are none.
    init?(_ bytes: UnsafePointer<UInt8>) {
        let raw = UnsafeRawPointer(bytes)
        guard let kind = Kind(rawValue: raw.loadUnaligned(as: UInt32.self)) else { return nil }
        self.kind = kind
        file = Int(raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        time = raw.loadUnaligned(fromByteOffset: 8, as: Int64.self)
        count = Int(truncatingIfNeeded: raw.loadUnaligned(fromByteOffset: 16, as: Int64.self))
        if count < 0 || count > LogFrame.largestMessage { return nil }
    }

    /// Adds the head to a queue; the body has to follow.
    func write(to queue: ByteQueue) {
        guard let place = queue.room(LogFrame.size) else { return }
        let raw = UnsafeMutableRawPointer(place)
        raw.storeBytes(of: kind.rawValue, as: UInt32.self)
        raw.storeBytes(of: UInt32(truncatingIfNeeded: file), toByteOffset: 4, as: UInt32.self)
        raw.storeBytes(of: time, toByteOffset: 8, as: Int64.self)
        raw.storeBytes(of: Int64(count), toByteOffset: 16, as: Int64.self)
        queue.commit(LogFrame.size)
    }
}

extension LogFileRequest {
    /// What there is room for; nobody has so many.
    private static let mostGroups = 1024
    private static let numbers = 6

    /// As the body of a frame: six numbers, the groups, the name, a NUL, the path.
    var bytes: Bytes {
        var bytes = Bytes()
        let flags: Int64 = (timestamps ? 1 : 0) | (makesFolder ? 2 : 0)
        var numbers = [Int64(user), Int64(group), maxSize, Int64(keep), flags, -1]
        if let groups {
            numbers[5] = Int64(min(groups.count, LogFileRequest.mostGroups))
            for group in groups.prefix(LogFileRequest.mostGroups) { numbers.append(Int64(group)) }
        }
        for number in numbers {
            var rest = UInt64(bitPattern: number)
            for _ in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: rest))
                rest >>= 8
            }
        }
        return bytes + name + [0] + path
    }

    /// From such a body; nil where it is none.
    init?(_ bytes: Bytes) {
        guard bytes.count > 8 * LogFileRequest.numbers else { return nil }
        func number(_ place: Int) -> Int64 {
            var number: UInt64 = 0
            for offset in (0..<8).reversed() { number = number << 8 | UInt64(bytes[8 &* place &+ offset]) }
            return Int64(bitPattern: number)
        }
        user = UInt32(truncatingIfNeeded: number(0))
        group = UInt32(truncatingIfNeeded: number(1))
        maxSize = number(2)
        keep = Int(truncatingIfNeeded: number(3))
        timestamps = number(4) & 1 != 0
        makesFolder = number(4) & 2 != 0
        var start = LogFileRequest.numbers
        if number(5) >= 0 {
            let count = Int(truncatingIfNeeded: number(5))
            guard count <= LogFileRequest.mostGroups, bytes.count > 8 &* (start &+ count) else { return nil }
            groups = (start..<(start &+ count)).map { UInt32(truncatingIfNeeded: number($0)) }
            start &+= count
        }
        guard let end = bytes[(8 &* start)...].firstIndex(of: 0) else { return nil }
        name = Bytes(bytes[(8 &* start)..<end])
        path = Bytes(bytes[(end &+ 1)...])
    }
}
