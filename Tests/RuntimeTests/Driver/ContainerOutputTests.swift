import CSystem
import Foundation
import System
import Testing

@testable import Runtime

@Suite("Driver: the container's stdout and stderr")
struct DriverContainerOutputTests {
    private func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

    @Test("A pipe that nobody reads never makes the init wait, and takes up when it is read")
    func stuckPipe() throws {
        let loop = try EventLoop()
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        let output = ContainerOutput(descriptor: writeEnd.number)
        let text = Bytes(repeating: 0x78, count: 300_000)
        output.append(text)
        output.flush(loop)
        #expect(output.isFull)
        // The descriptor itself, which main shares, is as it was.
        #expect(flags(writeEnd.number) & O_NONBLOCK == 0)
        var ready = 0
        try loop.wait(timeout: 0) { _ in ready += 1 }
        #expect(ready == 0)
        var all = Bytes()
        while !output.isEmpty || all.count < text.count {
            let piece = readAll(readEnd)
            if piece.isEmpty { break }
            all += piece
            ready = 0
            try loop.wait(timeout: 0) { token in
                #expect(token.kind == .containerOutput)
                ready += 1
            }
            #expect(ready == (output.isEmpty ? 0 : 1))
            output.flush(loop)
        }
        #expect(all == text && output.isEmpty)
        // Nothing waits any more: the loop is not told of a pipe that can be written.
        ready = 0
        try loop.wait(timeout: 0) { _ in ready += 1 }
        #expect(ready == 0)
    }

    @Test("A full disk: what is lost is counted and told of, once, and when there is room again")
    func lossIsTold() throws {
        let loop = try EventLoop()
        let full = try FileDescriptor.open(bytes("/dev/full"), flags: O_WRONLY)
        let output = ContainerOutput(descriptor: full.number)
        for _ in 0..<3 {
            output.append(bytes("one\ntwo\n"))
            output.flush(loop)
        }
        #expect(output.isEmpty && output.trouble?.code == ENOSPC)
        let told = try #require(output.takeMessage())
        #expect(told.contains("cannot write to") && told.contains("No space left"))
        #expect(output.takeMessage() == nil)
    }

    @Test(
        "Ends of lines are counted",
        arguments: [("", 0), ("a", 0), ("a\n", 1), ("\n\n", 2), ("a\nb", 1), ("a\nb\nc\n", 3)])
    func lineCount(text: String, count: Int) {
        let list = bytes(text) + [0]
        #expect(list.withUnsafeBufferPointer { $0.baseAddress.map { hi_line_count($0, list.count - 1) } } == count)
    }

    @Test("A call that failed has the loop rest once, and no more")
    func stumble() {
        _ = hi_recover()
        #expect(!hi_recover())
        hi_stumble()
        hi_stumble()
        #expect(hi_recover())
        #expect(!hi_recover())
    }

    @Test("A pipe whose reader has gone takes everything and keeps nothing")
    func brokenPipe() throws {
        let loop = try EventLoop()
        var ends: (read: FileDescriptor, write: FileDescriptor)? = try FileDescriptor.pipe()
        let writeEnd = try #require(ends?.write)
        let output = ContainerOutput(descriptor: writeEnd.number)
        output.append(Bytes(repeating: 0x78, count: 200_000))
        output.flush(loop)
        ends = nil
        withBlockedPipeSignal { output.flush(loop) }
        #expect(output.isEmpty)
        output.append(bytes("more"))
        output.append(message: bytes("more"))
        #expect(output.isEmpty)
        var ready = 0
        try loop.wait(timeout: 0) { _ in ready += 1 }
        #expect(ready == 0)
    }

    @Test("A regular file is written on from where it stands, also by whoever shares it")
    func regularFile() throws {
        let loop = try EventLoop()
        let folder = TemporaryFolder()
        let file = try FileDescriptor.open(folder.file("log", "before\n"), flags: O_RDWR)
        #expect(lseek(file.number, 0, SEEK_END) == 7)
        let output = ContainerOutput(descriptor: file.number)
        output.append(message: bytes("init\n"))
        output.flush(loop)
        #expect(write(file.number, "main\n", 5) == 5)
        output.append(message: bytes("init\n"))
        output.flush(loop)
        #expect(try readFile(folder("log"), limit: 1000) == bytes("before\ninit\nmain\ninit\n"))
    }

    @Test("A socket that nobody reads never makes the init wait either")
    func socket() throws {
        let loop = try EventLoop()
        var pair: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        let (one, other) = (FileDescriptor(owning: pair[0]), FileDescriptor(owning: pair[1]))
        hi_make_blocking(other.number, O_RDWR | O_NONBLOCK)
        let output = ContainerOutput(descriptor: one.number)
        let text = Bytes((0..<2_000_000).map { UInt8(truncatingIfNeeded: $0) })
        output.append(text)
        output.flush(loop)
        #expect(!output.isEmpty)
        var all = Bytes()
        while true {
            let piece = readAll(other)
            if piece.isEmpty { break }
            all += piece
            output.flush(loop)
        }
        #expect(all == text && output.isEmpty)
    }

    @Test("Messages that found no room are counted, and their number is told when there is room again")
    func lostMessages() throws {
        let loop = try EventLoop()
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        let output = ContainerOutput(descriptor: writeEnd.number)
        let message = bytes(String(repeating: "x", count: 999) + "\n")
        for _ in 0..<500 {
            output.append(message: message)
            output.flush(loop)
        }
        var all = Bytes()
        while true {
            let piece = readAll(readEnd)
            if piece.isEmpty { break }
            all += piece
            output.flush(loop)
        }
        let lines = String(decoding: all, as: UTF8.self).split(separator: "\n")
        let kept = lines.count - 1
        #expect(kept >= 128 + 64 && kept < 500)
        #expect(lines.last == "hermes-init: \(500 - kept) messages were lost here: nobody read the output")
        #expect(lines.dropLast().allSatisfy { $0.utf8.count == 999 })
    }

    @Test("A report of any length is not lost where nothing waits before it")
    func longReport() throws {
        let folder = TemporaryFolder()
        let file = try FileDescriptor.open(folder.file("log"), flags: O_RDWR)
        let output = ContainerOutput(descriptor: file.number)
        let report = Bytes(repeating: 0x78, count: 3_000_000)
        output.append(message: bytes("first\n"))
        output.append(message: report)
        output.drain(milliseconds: 0)
        #expect(try readFile(folder("log"), limit: 1 << 22) == bytes("first\n") + report)
    }

    @Test("At the end a reader that is stuck is not waited for longer than said")
    func drain() throws {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        let output = ContainerOutput(descriptor: writeEnd.number)
        output.append(Bytes(repeating: 0x78, count: 200_000))
        output.drain(milliseconds: 0)
        #expect(output.waiting == 200_000 - 65_536)
        withExtendedLifetime(readEnd) {}
    }

    @Test("A full disk loses what was to be written and no more")
    func fullDisk() throws {
        let full = try FileDescriptor.open(bytes("/dev/full"), flags: O_WRONLY)
        let output = ContainerOutput(descriptor: full.number)
        output.append(bytes("one\n"))
        output.drain(milliseconds: 0)
        #expect(output.isEmpty)
        output.append(bytes("two\n"))
        #expect(!output.isEmpty)
    }
}

/// The init blocks every signal; here SIGPIPE would end the tests.
private func withBlockedPipeSignal(_ body: () -> Void) {
    signal(SIGPIPE, SIG_IGN)
    body()
}
