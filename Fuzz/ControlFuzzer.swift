import ConfigParser

/// The libFuzzer target of what strangers send to the control server: bytes in pieces of any length, cut into lines, read as
/// requests, and the same bytes as the head of an HTTP request. scripts/fuzz compiles this file into one module with the
/// pure sources of the server.

/// One input of the fuzzer. The first byte is the length of the pieces that the rest comes in.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzControl(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let piece = max(1, Int(bytes.first ?? 1))
    var lines = ControlLines()
    var rest = bytes.dropFirst()
    var taken = 0
    while !rest.isEmpty || lines.isPartial {
        let isEnd = rest.isEmpty
        let part = [UInt8](rest.prefix(piece))
        rest = rest.dropFirst(piece)
        part.withUnsafeBytes { lines.append($0) }
        drain: while true {
            switch lines.next(isEnd: isEnd) {
            case .nothing:
                precondition(!isEnd || !lines.isPartial)
                break drain
            case .line(let line):
                taken += line.count
                precondition(line.count <= ControlRequest.longest && !line.contains(0x0A))
                read(line)
            case .tooLong:
                precondition(lines.isFull)
                return 0
            }
        }
    }
    precondition(taken <= bytes.count)
    if case .wrong(let status) = HTTPRequest.parse(bytes) { precondition(status == 400 || status == 431) }
    return 0
}

private func read(_ line: [UInt8]) {
    do throws(ControlError) {
        guard let request = try ControlRequest.parse(line) else { return }
        // What was understood can be said again, and means the same.
        for name in request.names { precondition(!name.utf8.contains(0) && name.utf8.count <= 3 * line.count) }
        if let lines = request.lines { precondition(lines >= 0 && lines <= 1_000_000) }
        if let code = request.code { precondition(code >= 0 && code <= 255) }
        if let timeout = request.timeout { precondition(timeout.nanoseconds >= 0) }
        precondition((request.verb == .signal) == (request.signal != nil))
        precondition((request.verb == .wait) == (request.up != nil))
    } catch {
        precondition(error.code == "usage" || error.code == "unknown-verb")
        precondition(!error.message.isEmpty)
    }
    var rights = 0
    let words = line.split(separator: 0x20, maxSplits: 1)
    if words.count == 2, ControlRights.matches([UInt8](words[0]), [UInt8](words[1])) { rights += 1 }
    precondition(ControlRights.matches([0x2A], line))
}
