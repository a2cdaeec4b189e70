import ConfigParser
import System

/// A datagram of the protocol of sd_notify(3): lines of `NAME=value`. What is not known, or makes no sense, is passed over, as
/// the protocol asks: FDSTORE, ERRNO, BUSERROR, NOTIFYACCESS … and lines that a later version may bring. BARRIER needs nothing
/// here: the descriptor that comes with it is closed when the datagram is read, which is all that its sender waits for.

struct NotifyMessage: Equatable {
    enum Watchdog: Equatable { case none, fed, triggered }

    var isReady = false
    var isReloading = false
    var isStopping = false
    /// STATUS, fit to be shown; empty where the service takes it back. nil: not told.
    var status: String?
    /// MAINPID.
    var mainProcess: Int32?
    var watchdog = Watchdog.none
    /// EXTEND_TIMEOUT_USEC.
    var extendedBy: Interval?

    /// Nothing that the init knows of.
    init() {}

    /// The longest datagram that is read. systemd reads as much.
    static let longest = 4096
    /// The most of a STATUS that is kept.
    static let longestStatus = 200

    /// Reads a datagram.
    init(_ bytes: ArraySlice<UInt8>) {
        for line in bytes.split(separator: 0x0A) {
            guard let equals = line.firstIndex(of: 0x3D) else { continue }
            let value = line[(equals &+ 1)...]
            let isOne = value.elementsEqual([0x31])
            switch String(decoding: line[..<equals], as: UTF8.self) {
            case "READY": isReady = isReady || isOne
            case "RELOADING": isReloading = isReloading || isOne
            case "STOPPING": isStopping = isStopping || isOne
            case "STATUS": status = NotifyMessage.status(value)
            case "MAINPID":
                if let number = NotifyMessage.number(value), number > 1, number <= UInt64(Int32.max) {
                    mainProcess = Int32(truncatingIfNeeded: number)
                }
            case "WATCHDOG":
                if value.elementsEqual(Bytes("trigger")) { watchdog = .triggered }
                if isOne && watchdog == .none { watchdog = .fed }
            case "EXTEND_TIMEOUT_USEC":
                if let number = NotifyMessage.number(value), number > 0 {
                    extendedBy = Interval(nanoseconds: Int64(min(number, UInt64(Int64.max / 1000))) &* 1000)
                }
            default: break
            }
        }
    }

    private static func status(_ value: ArraySlice<UInt8>) -> String {
        var text = value.prefix(longestStatus)
        // Not in the middle of a character.
        if text.count < value.count {
            while let last = text.last, last & 0xC0 == 0x80 { text = text.dropLast() }
            if let last = text.last, last >= 0xC0 { text = text.dropLast() }
        }
        return Bytes(text).shown
    }

    /// A decimal number of 64 bits; nil where it is none, or larger.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard digit >= 0x30 && digit <= 0x39 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit &- 0x30))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }
}
