import CSystem
import ConfigParser
import System

/// The process that writes log files. It takes messages from its socket one after the other, and takes a message away only
/// when its lines are written: if it is killed, the next one begins with that message. It ends when the init has said that
/// nothing comes any more, or has ended itself. All signals are blocked in it, as they were in the init; it allocates no
/// more than its buffers.
final class LogWriter {
    private let receiver: FileDescriptor
    private let reports: FileDescriptor
    private var files: [Int: LogFile] = [:]
    private let stamped = ByteQueue()
    /// The file whose user it acts as now.
    private var acting: Int?

    /// - Parameters:
    ///   - receiver: where the messages come from.
    ///   - reports: what is to be said on the log goes there, a line each, and is lost where nobody reads it.
    ///   - files: those that the init has told of before.
    init(receiver: FileDescriptor, reports: FileDescriptor, files: [Int: LogFileRequest]) {
        self.receiver = receiver
        self.reports = reports
        for (number, request) in files { self.files[number] = LogFile(request) }
    }

    /// Until the end.
    func run() {
        guard let memory = malloc(LogFrame.largestMessage) else { return }
        let buffer = memory.assumingMemoryBound(to: UInt8.self)
        while true {
            let count = hi_peek_message(receiver.number, buffer, LogFrame.largestMessage)
            if count <= 0 { return }
            let goesOn = handle(buffer, count)
            hi_drop_message(receiver.number)
            if !goesOn { return }
        }
    }

    /// Carries out a message. False: it was the last.
    func handle(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var place = 0
        while place &+ LogFrame.size <= count, let frame = LogFrame(bytes.advanced(by: place)) {
            let body = bytes.advanced(by: place &+ LogFrame.size)
            place &+= LogFrame.size &+ frame.count
            if place > count { return true }
            switch frame.kind {
            case .finish: return false
            case .close:
                files[frame.file] = nil
                acting = nil
            case .open:
                guard let request = LogFileRequest(Bytes(UnsafeBufferPointer(start: body, count: frame.count)))
                else { continue }
                files[frame.file] = LogFile(request)
                acting = nil
            case .lines:
                guard let file = files[frame.file] else { continue }
                if acting != frame.file { file.actAsItsUser() }
                acting = frame.file
                file.write(body, frame.count, time: frame.time, through: stamped)
                if let message = file.takeMessage() { report(message) }
            }
        }
        return true
    }

    private func report(_ message: String) {
        let line = Bytes((say("%\n", message)).utf8)
        // A pipe that never waits; PIPE_BUF keeps a line whole.
        _ = write(reports.number, line, min(line.count, Int(PIPE_BUF)))
    }
}
