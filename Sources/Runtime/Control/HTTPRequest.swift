import ConfigParser

/// The head of an HTTP request, as far as three paths need it: method, path, and whether the older text form of metrics
/// is wanted. Total and bounded like everything that strangers send.
public struct HTTPRequest: Equatable, Sendable {
    /// What there is to do.
    public enum Next: Equatable, Sendable {
        /// Nothing, until more comes.
        case nothing
        indirect case request(HTTPRequest)
        /// It is no HTTP, or too much of it: the status to answer with.
        case wrong(Int)
    }

    /// GET or HEAD; nil: another method.
    public var isHead: Bool?
    /// Without the query.
    public var path: [UInt8]
    /// The client takes text/plain and does not name OpenMetrics.
    public var wantsPlain = false

    /// The longest head.
    public static let longest = 4096

    /// Reads what has come so far.
    public static func parse(_ bytes: [UInt8]) -> Next {
        guard let end = endOfHead(bytes) else { return bytes.count > longest ? .wrong(431) : .nothing }
        if end > longest { return .wrong(431) }
        let lines = bytes[..<end].split(separator: 0x0A)
        guard let first = lines.first else { return .wrong(400) }
        let words = first.split(separator: 0x20)
        guard words.count == 3 || words.count == 4 && words[3].elementsEqual([0x0D]),
            words[2].starts(with: "HTTP/1.".utf8), words[1].first == 0x2F
        else { return .wrong(400) }
        var request = HTTPRequest(path: [UInt8](words[1].prefix { $0 != 0x3F }))
        if words[0].elementsEqual("GET".utf8) { request.isHead = false }
        if words[0].elementsEqual("HEAD".utf8) { request.isHead = true }
        for line in lines.dropFirst() {
            let lower = line.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
            guard lower.starts(with: "accept:".utf8) else { continue }
            if holds(lower, "openmetrics") {
                request.wantsPlain = false
            } else if holds(lower, "text/plain") {
                request.wantsPlain = true
            }
        }
        return .request(request)
    }

    /// Where the empty line begins that ends the head.
    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        var place = 0
        var lineStart = 0
        while place < bytes.count {
            if bytes[place] == 0x0A {
                let length = place &- lineStart
                if lineStart > 0, length == 0 || length == 1 && bytes[lineStart] == 0x0D { return lineStart }
                lineStart = place &+ 1
            }
            place &+= 1
        }
        return nil
    }

    private static func holds(_ line: [UInt8], _ word: String) -> Bool {
        let wanted = word.bytes
        var start = 0
        while start &+ wanted.count <= line.count {
            if line[start...].starts(with: wanted) { return true }
            start &+= 1
        }
        return false
    }
}
