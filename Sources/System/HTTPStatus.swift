/// Reads the status of an HTTP answer, and nothing else of it, as its bytes come in, one at a time or all at once. It keeps
/// at most thirteen bytes, whatever the server sends, and knows as early as can be that something is no HTTP.

struct HTTPStatusReader {
    /// `HTTP/1.1 200` and the byte behind it.
    private static let enough = 13
    private var line = Bytes()

    /// Takes what came in.
    /// - Parameter isEnd: nothing comes any more.
    /// - Returns: how the probe ended, or nil while that is not known.
    mutating func read(_ bytes: ArraySlice<UInt8>, isEnd: Bool = false) -> SocketAnswer? {
        line += Bytes(bytes.prefix(HTTPStatusReader.enough &- line.count))
        for (place, byte) in line.enumerated() where !HTTPStatusReader.fits(byte, at: place) {
            return .failed("answered with something that is not HTTP: " + line.shown)
        }
        if line.count < HTTPStatusReader.enough && !(isEnd && line.count == HTTPStatusReader.enough &- 1) {
            if !isEnd { return nil }
            return .failed(
                line.isEmpty
                    ? "closed the connection without an answer" : "closed the connection within its first line")
        }
        return line[9] == 0x32 || line[9] == 0x33
            ? .passed : .failed("answered " + String(decoding: line[9..<12], as: UTF8.self))
    }

    private static let pattern = Bytes("HTTP/1.d ddd ".utf8)

    private static func fits(_ byte: UInt8, at place: Int) -> Bool {
        guard pattern.indices.contains(place) else { return false }
        switch place {
        case 7, 9...11: return byte >= 0x30 && byte <= 0x39
        // Behind the code: a blank, or the end of the line.
        case 12: return byte == 0x20 || byte == 0x0D || byte == 0x0A
        default: return byte == pattern[place]
        }
    }
}
