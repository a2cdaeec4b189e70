/// Signals by name and number. The numbers are those of Linux on x86-64 and aarch64 (signal(7)); real-time signals are
/// counted as glibc, Docker and the shell count them: SIGRTMIN is 34, SIGRTMAX is 64.

/// A signal, 1 to 64.
public struct SignalNumber: Hashable, Comparable, Sendable {
    /// Its number, 1 to 64.
    public let number: Int32

    /// nil for a number that is no signal.
    public init?(_ number: Int32) {
        guard number >= 1 && number <= 64 else { return nil }
        self.number = number
    }

    private init(known number: Int32) { self.number = number }

    /// SIGHUP.
    public static let hangup = SignalNumber(known: 1)
    /// SIGINT.
    public static let interrupt = SignalNumber(known: 2)
    /// SIGQUIT.
    public static let quit = SignalNumber(known: 3)
    /// SIGKILL.
    public static let kill = SignalNumber(known: 9)
    /// SIGTERM.
    public static let terminate = SignalNumber(known: 15)
    /// SIGCHLD.
    public static let child = SignalNumber(known: 17)
    /// SIGCONT.
    public static let `continue` = SignalNumber(known: 18)
    /// SIGSTOP.
    public static let stop = SignalNumber(known: 19)
    /// SIGTSTP.
    public static let terminalStop = SignalNumber(known: 20)
    /// SIGTTIN.
    public static let terminalInput = SignalNumber(known: 21)
    /// SIGTTOU.
    public static let terminalOutput = SignalNumber(known: 22)

    /// In the order of their numbers.
    public static func < (left: SignalNumber, right: SignalNumber) -> Bool { left.number < right.number }

    /// Names without "SIG", by number; the first is a placeholder for the number 0.
    public static let names: [StaticString] = [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    /// Reads "SIGTERM", "TERM", "term", "15", "SIGRTMIN", "RTMIN+3", "SIGRTMAX-1", and the other names of signal(7)
    /// (SIGPOLL, SIGIOT, SIGCLD). nil where it is none of them.
    public init?(name text: String) {
        var bytes = text.bytes
        for place in bytes.indices where bytes[place] >= 0x61 && bytes[place] <= 0x7A { bytes[place] &-= 0x20 }
        if let number = SignalNumber.decimal(bytes[...]) {
            self.init(number)
            return
        }
        var rest = bytes[...]
        if same(rest.prefix(3), "SIG") { rest = rest.dropFirst(3) }
        for (number, name) in SignalNumber.names.enumerated() where number > 0 {
            if same(rest, name) {
                self.init(known: Int32(truncatingIfNeeded: number))
                return
            }
        }
        if same(rest, "POLL") {
            self.init(29)
        } else if same(rest, "IOT") {
            self.init(6)
        } else if same(rest, "CLD") {
            self.init(17)
        } else if same(rest.prefix(5), "RTMIN") {
            guard let offset = SignalNumber.offset(rest.dropFirst(5), sign: 0x2B), offset <= 30 else { return nil }
            self.init(34 &+ offset)
        } else if same(rest.prefix(5), "RTMAX") {
            guard let offset = SignalNumber.offset(rest.dropFirst(5), sign: 0x2D), offset <= 30 else { return nil }
            self.init(64 &- offset)
        } else {
            return nil
        }
    }

    /// "SIGTERM", "SIGRTMIN+3".
    public var name: String {
        let index = Int(number)
        if index < SignalNumber.names.count { return say("SIG%", SignalNumber.names[index].description) }
        if number < 34 { return say("signal %", String(number)) }
        if number == 34 { return "SIGRTMIN" }
        if number == 64 { return "SIGRTMAX" }
        return say("SIGRTMIN+%", String(number - 34))
    }

    /// Empty: 0. Otherwise the sign and a number.
    private static func offset(_ text: ArraySlice<UInt8>, sign: UInt8) -> Int32? {
        guard let first = text.first else { return 0 }
        return first == sign ? decimal(text.dropFirst()) : nil
    }

    /// One or two decimal digits.
    private static func decimal(_ digits: ArraySlice<UInt8>) -> Int32? {
        guard digits.count == 1 || digits.count == 2 else { return nil }
        var value: Int32 = 0
        for digit in digits {
            guard digit >= 0x30 && digit <= 0x39 else { return nil }
            value = value &* 10 &+ Int32(digit &- 0x30)
        }
        return value
    }
}
