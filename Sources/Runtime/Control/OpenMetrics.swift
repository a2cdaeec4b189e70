import ConfigParser

/// Text of OpenMetrics 1.0 (prometheus.io/docs/specs/om), family by family, and the older text form of Prometheus,
/// which differs in how a counter is named in its description and in the end mark.

/// Writes one exposition.
public struct OpenMetrics {
    /// What was written and not taken yet.
    public private(set) var bytes: [UInt8] = []
    private let isPlain: Bool
    private var family = ""

    /// - Parameter plain: in the older form.
    public init(plain: Bool) { isPlain = plain }

    /// Begins a family.
    /// - Parameters:
    ///   - name: without `_total`.
    ///   - unit: the end of the name where it is a unit; empty: none.
    ///   - help: one line.
    public mutating func begin(_ name: String, isCounter: Bool, unit: String = "", help: String) {
        family = isCounter ? say("%_total", name) : name
        let described = isPlain ? family : name
        add(say("# TYPE % %\n", described, isCounter ? "counter" : "gauge"))
        if !unit.isEmpty && !isPlain { add(say("# UNIT % %\n", described, unit)) }
        add(say("# HELP % %\n", described, help))
    }

    /// A value of that family. The names of services hold nothing that would have to be escaped.
    public mutating func sample(service: String = "", label: String = "service", _ value: String) {
        if service.isEmpty {
            add(say("% %\n", family, value))
        } else {
            add(say("%%\n", say("%{%=\"%\"} ", family, label, OpenMetrics.escaped(service)), value))
        }
    }

    /// The end of all.
    public mutating func end() {
        if !isPlain { add("# EOF\n") }
    }

    /// What was written since the last time.
    public mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private mutating func add(_ text: String) { bytes += text.bytes }

    private static func escaped(_ text: String) -> String {
        var result = [UInt8]()
        for byte in text.bytes {
            if byte == 0x22 || byte == 0x5C { result.append(0x5C) }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// "12.345": thousandths as a decimal number, for JSON and for metrics.
@inline(never)
public func decimalText(thousandths: Int64) -> String {
    let amount = thousandths < 0 ? 0 : thousandths
    let rest = amount % 1000
    if rest == 0 { return String(amount / 1000) }
    var digits = [UInt8]("000")
    var left = rest
    var place = 2
    while place >= 0 {
        digits[place] = 0x30 &+ UInt8(truncatingIfNeeded: left % 10)
        left /= 10
        place &-= 1
    }
    while digits.last == 0x30 { digits.removeLast() }
    return say("%.%", String(amount / 1000), String(decoding: digits, as: UTF8.self))
}
