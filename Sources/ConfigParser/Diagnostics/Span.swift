/// Where a thing stands: a file and a range of bytes in it. Every value read from a file carries one, so that a mistake
/// that is only seen later, a cycle or an unset variable, still names file, line and column.

/// A file that was read, by its place in the `SourceMap`.
public struct FileID: Hashable, Sendable {
    /// Its place.
    public let index: Int32
    /// The file at a place of the map.
    public init(index: Int32) { self.index = index }
}

/// A half-open range of byte offsets in one file.
public struct Span: Hashable, Sendable {
    /// The file that the offsets count in.
    public var file: FileID
    /// The offset of the first byte.
    public var start: Int32
    /// The offset after the last byte.
    public var end: Int32

    /// The bytes from `start` up to, but not including, `end`.
    public init(file: FileID, start: Int32, end: Int32) {
        self.file = file
        self.start = start
        self.end = end
    }
}
