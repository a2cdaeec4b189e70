/// Every file that was read, so that a `Span` can be shown to a person. A place is found without reading the file again
/// from its begin, and a line is never taken whole where it is long: the cost of showing one place does not grow with
/// the file.

/// The files of a run, by the `FileID` in spans.
public struct SourceMap: Sendable {
    /// One file: its path as it is shown, and its bytes as they were read.
    public struct File: Sendable {
        /// As it is shown.
        public let path: String
        /// As they were read.
        public fileprivate(set) var bytes: [UInt8]
        /// The places at each multiple of `stride` in the file but the first.
        fileprivate let checkpoints: [Place]
    }

    /// A line and column, both counted from 1; the column in characters (Unicode scalars).
    public struct Place: Hashable, Sendable {
        /// From 1.
        public var line: Int
        /// From 1.
        public var column: Int
    }

    /// In the order in which they were added.
    public private(set) var files: [File] = []

    /// How many bytes lie between two places that are known beforehand. Small files need none.
    private static let stride = 4096

    /// An empty map.
    public init() {}

    /// Adds a file and gives the name by which spans refer to it.
    public mutating func add(path: String, bytes: [UInt8]) -> FileID {
        var checkpoints = [Place]()
        var place = Place(line: 1, column: 1)
        var offset = 0
        while bytes.count - offset > SourceMap.stride {
            SourceMap.advance(&place, bytes, from: offset, to: offset + SourceMap.stride)
            offset += SourceMap.stride
            checkpoints.append(place)
        }
        files.append(File(path: path, bytes: bytes, checkpoints: checkpoints))
        return FileID(index: Int32(truncatingIfNeeded: files.count - 1))
    }

    /// Puts a `*` in the place of each byte of a span, so that no report shows what stands there. Lines stay as they are.
    public mutating func hide(_ span: Span) {
        let file = Int(span.file.index)
        guard file >= 0 && file < files.count else { return }
        var place = max(Int(span.start), 0)
        while place < Int(span.end) && place < files[file].bytes.count {
            if files[file].bytes[place] != 0x0A { files[file].bytes[place] = 0x2A }
            place &+= 1
        }
    }

    /// The file a span lies in; nil for an ID of another map.
    public func file(_ id: FileID) -> File? {
        let index = Int(id.index)
        return index >= 0 && index < files.count ? files[index] : nil
    }

    /// Where a span begins. A span beyond the end of its file is taken to begin at that end; nil for a file of another
    /// map.
    public func location(of span: Span) -> Place? {
        guard let file = file(span.file) else { return nil }
        let offset = min(max(Int(span.start), 0), file.bytes.count)
        var place = Place(line: 1, column: 1)
        let known = min(offset / SourceMap.stride, file.checkpoints.count)
        if known > 0 { place = file.checkpoints[known - 1] }
        SourceMap.advance(&place, file.bytes, from: known * SourceMap.stride, to: offset)
        return place
    }

    /// Counts on over a range of bytes that lies in the file.
    private static func advance(_ place: inout Place, _ bytes: [UInt8], from start: Int, to end: Int) {
        var offset = start
        // A byte-order mark is no character of the first line.
        if offset == 0 && end >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF { offset = 3 }
        while offset < end {
            let byte = bytes[offset]
            if byte == 0x0A {
                place.line += 1
                place.column = 1
            } else if byte & 0xC0 != 0x80 {
                place.column += 1
            }
            offset += 1
        }
    }
}
