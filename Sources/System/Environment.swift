import CSystem

/// An environment as environ(7) keeps it: a list of `NAME=value`, in order, any bytes. Entries that have no `=` are kept and
/// handed on: the init adds to what a container was given and takes nothing away on its own.
public struct Environment: Sendable {
    /// The entries, in their order.
    public private(set) var entries: [Bytes]

    /// An environment of these entries, taken as they are.
    public init(entries: [Bytes] = []) { self.entries = entries }

    /// The environment that the init was started with.
    public static func ofProcess() -> Environment {
        var entries = [Bytes]()
        var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = hi_environment()
        var count = 0
        while let place = next?.advanced(by: count), place.pointee != nil { count &+= 1 }
        // One more, which most launches add.
        entries.reserveCapacity(count &+ 2)
        while let pointer = next, let entry = pointer.pointee {
            entries.append(Bytes(cString: entry))
            next = pointer.advanced(by: 1)
        }
        return Environment(entries: entries)
    }

    /// The value of a variable; the first where it stands twice, as getenv(3) has it.
    public func value(_ name: String) -> Bytes? {
        for entry in entries where Environment.isEntry(entry, of: name) {
            return Bytes(entry.dropFirst(name.utf8.count &+ 1))
        }
        return nil
    }

    /// Sets a variable: in the place where it stands, or at the end.
    public mutating func set(_ name: String, _ value: Bytes) {
        var entry = Bytes(name.utf8)
        entry.append(0x3D)
        entry += value
        var isSet = false
        var index = 0
        while index < entries.count {
            if Environment.isEntry(entries[index], of: name) {
                if isSet {
                    entries.remove(at: index)
                    continue
                }
                entries[index] = entry
                isSet = true
            }
            index &+= 1
        }
        if !isSet { entries.append(entry) }
    }

    /// Takes a variable out, every entry of it.
    public mutating func unset(_ name: String) {
        entries.removeAll { Environment.isEntry($0, of: name) }
    }

    private static func isEntry(_ entry: Bytes, of name: String) -> Bool {
        let length = name.utf8.count
        guard entry.count > length, entry[length] == 0x3D else { return false }
        var position = 0
        for byte in name.utf8 {
            if entry[position] != byte { return false }
            position &+= 1
        }
        return true
    }
}

/// 1, true, yes and on, in any case.
public func isTrue(_ value: Bytes) -> Bool {
    var lower = Bytes()
    for byte in value { lower.append(byte >= 0x41 && byte <= 0x5A ? byte &+ 0x20 : byte) }
    for word: StaticString in ["1", "true", "yes", "on"] {
        if lower.elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)) {
            return true
        }
    }
    return false
}
