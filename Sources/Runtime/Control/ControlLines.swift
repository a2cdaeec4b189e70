import ConfigParser

/// What a client has sent and was not answered yet, cut into lines. Holds no more than one line of the longest length
/// and what was read with it; who sends more is told so once, and not read any further.
public struct ControlLines: Sendable {
    /// What is there to be done.
    public enum Next: Equatable {
        /// Nothing, until more comes.
        case nothing
        /// A line, without its end.
        case line([UInt8])
        /// What has begun is longer than a line can be.
        case tooLong
    }

    private var bytes: [UInt8] = []
    /// How far there is known to be no line end.
    private var looked = 0

    /// Nothing yet.
    public init() {}

    /// Whether a line has begun.
    public var isPartial: Bool { !bytes.isEmpty }

    /// Whether no more is to be read before something was taken.
    public var isFull: Bool { bytes.count > ControlRequest.longest }

    /// Adds what was read.
    public mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

    /// The next line. What is left when nothing more comes (`isEnd`) is a line too.
    public mutating func next(isEnd: Bool = false) -> Next {
        while looked < bytes.count && bytes[looked] != 0x0A { looked &+= 1 }
        if looked > ControlRequest.longest { return .tooLong }
        if looked == bytes.count {
            guard isEnd && !bytes.isEmpty else { return .nothing }
            let line = bytes
            self = ControlLines()
            return .line(line)
        }
        let line = [UInt8](bytes[..<looked])
        bytes.removeFirst(looked &+ 1)
        looked = 0
        return .line(line)
    }
}
