/// Numbers found by a name, in time that does not grow with how many there are. Names are compared byte by byte, and the
/// hash is seeded anew in each process, so that no file can be made to be slow. A `[String: Int]` would do the same for ten
/// times the code and with the tables of Unicode.
public struct NameIndex: Sendable {
    private struct Key: Hashable {
        let bytes: [UInt8]

        func hash(into hasher: inout Hasher) {
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    private var numbers: [Key: Int] = [:]

    /// Without a name.
    public init() {}

    /// The number of a name; nil where it has none. Set it to give it one.
    public subscript(name: String) -> Int? {
        get { self[bytes: [UInt8](name.utf8)] }
        set { self[bytes: [UInt8](name.utf8)] = newValue }
    }

    /// The same for a name that is no text, such as a path.
    public subscript(bytes name: [UInt8]) -> Int? {
        @inline(never)
        get { numbers[Key(bytes: name)] }
        @inline(never)
        set { numbers[Key(bytes: name)] = newValue }
    }
}
