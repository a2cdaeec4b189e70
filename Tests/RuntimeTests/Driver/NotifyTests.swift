import CSystem
import ConfigParser
import System
import Testing

@testable import Runtime

@Suite("Driver: messages of sd_notify")
struct NotifyMessageTests {
    private static func message(_ change: (inout NotifyMessage) -> Void) -> NotifyMessage {
        var message = NotifyMessage()
        change(&message)
        return message
    }

    @Test(
        "What each line means",
        arguments: [
            ("READY=1", message { $0.isReady = true }),
            ("READY=0", NotifyMessage()),
            (
                "READY=1\nSTATUS=serving\nMAINPID=42",
                message {
                    $0.isReady = true
                    $0.status = "serving"
                    $0.mainProcess = 42
                }
            ),
            ("RELOADING=1\nMONOTONIC_USEC=5", message { $0.isReloading = true }),
            ("STOPPING=1\n", message { $0.isStopping = true }),
            ("STATUS=", message { $0.status = "" }),
            ("STATUS=a=b", message { $0.status = "a=b" }),
            ("STATUS=one\nSTATUS=two", message { $0.status = "two" }),
            ("WATCHDOG=1", message { $0.watchdog = .fed }),
            ("WATCHDOG=trigger", message { $0.watchdog = .triggered }),
            ("WATCHDOG=trigger\nWATCHDOG=1", message { $0.watchdog = .triggered }),
            ("WATCHDOG=0", NotifyMessage()),
            ("EXTEND_TIMEOUT_USEC=1500000", message { $0.extendedBy = .milliseconds(1500) }),
            ("EXTEND_TIMEOUT_USEC=0", NotifyMessage()),
            (
                "EXTEND_TIMEOUT_USEC=18446744073709551615",
                message {
                    $0.extendedBy = Interval(nanoseconds: Int64.max / 1000 * 1000)
                }
            ),
            ("EXTEND_TIMEOUT_USEC=18446744073709551616", NotifyMessage()),
            ("EXTEND_TIMEOUT_USEC=-1", NotifyMessage()),
            ("BARRIER=1", NotifyMessage()),
            ("FDSTORE=1\nFDNAME=x\nERRNO=2\nWATCHDOG_USEC=5\nX_OWN=1", NotifyMessage()),
        ])
    func table(text: String, expected: NotifyMessage) {
        #expect(NotifyMessage(Bytes(text.utf8)[...]) == expected)
    }

    @Test(
        "What makes no sense means nothing",
        arguments: [
            "", "\n", "\n\n\n", "=", "=1", "READY", "READY=", "READY=11", "READY =1", " READY=1", "ready=1",
            "READY=1\r",
            "MAINPID=", "MAINPID=0", "MAINPID=1", "MAINPID=-5", "MAINPID=2147483648", "MAINPID=99999999999999999999",
            "MAINPID=12x", "WATCHDOG", "EXTEND_TIMEOUT_USEC=", "EXTEND_TIMEOUT_USEC=1s", "\u{0}READY=1", "READY=1\u{0}",
            String(repeating: "A", count: 4096), String(repeating: "=", count: 4096),
            String(repeating: "\n", count: 4096),
        ])
    func hostile(text: String) {
        #expect(NotifyMessage(Bytes(text.utf8)[...]) == NotifyMessage())
    }

    @Test("A status is bounded, never cut within a character, and cannot move the cursor")
    func status() {
        func status(_ bytes: Bytes) -> String? { NotifyMessage((Bytes("STATUS=".utf8) + bytes)[...]).status }
        #expect(status([0x1B, 0x5B, 0x32, 0x4A]) == "\\x1b[2J")
        #expect(status([0xFF, 0x61]) == "\\xffa")
        #expect(status(Bytes(repeating: 0x61, count: 4000))?.utf8.count == NotifyMessage.longestStatus)
        for lead in 0..<3 {
            let text = String(repeating: "x", count: lead) + String(repeating: "é", count: 300)
            let shown = status(Bytes(text.utf8)) ?? ""
            #expect(text.hasPrefix(shown) && shown.utf8.count >= NotifyMessage.longestStatus - 4)
        }
    }

    @Test("Random bytes do no harm, and what was not asked for is not there")
    func random() {
        var seed: UInt64 = 1
        for _ in 0..<2000 {
            var bytes = Bytes()
            for _ in 0..<64 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let choice = Int(truncatingIfNeeded: seed >> 40)
                bytes += choice & 1 == 0 ? [UInt8(truncatingIfNeeded: choice >> 1)] : Bytes("=\nREADY1".utf8)
            }
            let message = NotifyMessage(bytes[...])
            #expect(message.mainProcess == nil && message.extendedBy == nil && message.watchdog == .none)
        }
    }
}

@Suite("Driver: whose process it is")
struct ProcessRelationsTests {
    private static let stat = Bytes(
        "42 (a) b) Z (x) S 7 40 39 0 -1 4194308 1 2 3 4 5 6 7 8 20 0 1 0 123456 1 2".utf8)

    @Test("The fields of /proc/PID/stat, whatever the name holds")
    func fields() {
        let fields = ProcessRelations.fields(ProcessRelationsTests.stat)
        #expect(fields.first?.elementsEqual(Bytes("S".utf8)) == true)
        #expect(ProcessRelations.start(fields) == Bytes("123456".utf8))
        for text in ["", "42", "42 (x", "42 (x)", "42 (x) S"] {
            #expect(ProcessRelations.start(ProcessRelations.fields(Bytes(text.utf8))) == nil)
        }
    }

    @Test("Descendants, however deep within reason; circles and gaps end")
    func descendants() {
        func descends(_ process: Int32, _ ancestor: Int32, _ parents: [Int32: Int32]) -> Bool {
            ProcessRelations.descends(process, from: ancestor) { parents[$0] }
        }
        #expect(descends(5, 3, [5: 4, 4: 3, 3: 1]))
        #expect(!descends(3, 3, [3: 1]))
        #expect(!descends(5, 3, [5: 4, 4: 1, 3: 1]))
        #expect(!descends(5, 3, [5: 4]))
        #expect(!descends(5, 3, [5: 6, 6: 5]))
        #expect(!descends(0, 3, [:]) && !descends(-1, 3, [:]) && !descends(1, 3, [1: 0]))
        var chain: [Int32: Int32] = [:]
        for process in Int32(10)...200 { chain[process] = process - 1 }
        #expect(descends(60, 10, chain) && !descends(200, 10, chain))
    }

    @Test("This process: its parent, and that it is not ending")
    func own() {
        #expect(ProcessRelations.parent(of: getpid()) == getppid())
        #expect(!ProcessRelations.isEnding(getpid()))
        #expect(ProcessRelations.parent(of: Int32.max) == nil && ProcessRelations.isEnding(Int32.max))
    }
}

@Suite("Driver: the status file")
struct StatusTextTests {
    @Test("What is written is read back")
    func roundTrip() {
        var text = StatusText(process: 7, start: Bytes("123".utf8))
        #expect(StatusText(text.bytes) == text)
        text.lines = [
            .init(isWell: true, name: "web", words: "up (serving 3 clients)"),
            .init(isWell: false, name: "api@one", words: "not ready yet"),
        ]
        #expect(
            String(decoding: text.bytes, as: UTF8.self) == """
                hermes-init 1 7 123
                + web up (serving 3 clients)
                - api@one not ready yet

                """)
        #expect(StatusText(text.bytes) == text)
        #expect(StatusText(StatusText(process: 7, start: []).bytes)?.start == [])
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", "\n", "hermes-init", "hermes-init 1", "hermes-init 1 ", "hermes-init 1 x 5", "hermes-init 2 7 5",
            "hermes-init 1 -7 5", "hermes-init 1 99999999999 5", "hermes-init 1 7 5\n* web up",
            "hermes-init 1 7 5\n+ web",
            "hermes-init 1 7 5\n+", "\u{0}\u{1}",
        ])
    func refused(text: String) { #expect(StatusText(Bytes(text.utf8)) == nil) }

    @Test("Control characters of a file that somebody else wrote are shown, not sent")
    func shown() {
        let text = StatusText(Bytes("hermes-init 1 7 5\n- w\u{1B}b \u{1B}[2J\n".utf8))
        #expect(text?.lines.first?.name == "w\\x1bb")
        #expect(text?.lines.first?.words == "\\x1b[2J")
    }
}
