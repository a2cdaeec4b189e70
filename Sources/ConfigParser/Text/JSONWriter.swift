/// JSON as this program writes it (RFC 8259): built from front to back into bytes. It keeps the commas and the indentation;
/// the caller keeps the order. Used by every mode that has a JSON form.

/// Writes one JSON document.
public struct JSONWriter {
    /// What was written so far.
    public private(set) var bytes: [UInt8] = []
    private let isPretty: Bool
    /// For each open array or object: whether something stands in it.
    private var open: [Bool] = []
    private var followsKey = false

    /// - Parameter pretty: with line ends and two spaces a level; else in one line.
    public init(pretty: Bool) { isPretty = pretty }

    /// Begins an object; `end("}")` closes it.
    public mutating func beginObject() { begin(0x7B) }
    /// Begins an array.
    public mutating func beginArray() { begin(0x5B) }
    /// Closes the object.
    public mutating func endObject() { end(0x7D) }
    /// Closes the array.
    public mutating func endArray() { end(0x5D) }

    /// A key; its value comes next.
    @inline(never)
    @_disfavoredOverload
    public mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(0x3A)
        if isPretty { bytes.append(0x20) }
        followsKey = true
    }

    /// A key; its value comes next.
    @inline(never)
    public mutating func key(_ name: Literal) { key(name.text) }

    /// A string value.
    @inline(never)
    public mutating func string(_ text: String) {
        separate()
        quote(text)
    }

    /// A key and its string value.
    @inline(never)
    public mutating func field(_ name: Literal, _ value: String) {
        key(name.text)
        string(value)
    }

    /// A key and a value that is written down.
    @inline(never)
    public mutating func field(_ name: Literal, _ value: Literal) { field(name, value.text) }

    /// A key that is not written down, and its string value.
    @inline(never)
    @_disfavoredOverload
    public mutating func field(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    /// An integer value.
    @inline(never)
    public mutating func integer(_ value: Int) { literal(String(value)) }

    /// true or false.
    public mutating func boolean(_ value: Bool) { literal(value ? "true" : "false") }

    /// Text that is JSON already: a number, `null`.
    @inline(never)
    public mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    @inline(never)
    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        open.append(false)
    }

    @inline(never)
    private mutating func end(_ bracket: UInt8) {
        if open.popLast() == true { newLine() }
        bytes.append(bracket)
    }

    @inline(never)
    private mutating func separate() {
        if followsKey {
            followsKey = false
            return
        }
        guard let hasMore = open.last else { return }
        if hasMore { bytes.append(0x2C) }
        open[open.count - 1] = true
        newLine()
    }

    private mutating func newLine() {
        guard isPretty else { return }
        bytes.append(0x0A)
        for _ in 0..<open.count { bytes += [0x20, 0x20] }
    }

    @inline(never)
    private mutating func quote(_ text: String) {
        bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C: bytes += [0x5C, byte]
            case 0x0A: bytes += [0x5C, 0x6E]
            case 0x00...0x1F, 0x7F:
                bytes += [0x5C, 0x75, 0x30, 0x30, JSONWriter.digit(byte >> 4), JSONWriter.digit(byte & 15)]
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }
}
