import ConfigParser
import System

/// Changes in the files of users and groups (passwd(5), group(5), gshadow(5)), as pure functions on their bytes. All but the
/// field that is changed stays as it is, byte for byte: comments, NIS lines (`+`, `-`), lines that cannot be read, line ends
/// of either kind, and whether the last line has one. Of two lines with one name the first counts, as it does for libc.
enum AccountEditor {
    private static let colon: UInt8 = 0x3A
    private static let comma: UInt8 = 0x2C
    private static let newline: UInt8 = 0x0A
    private static let carriageReturn: UInt8 = 0x0D

    /// The fields of the first line of that name; nil where there is none that has so many.
    static func fields(_ file: Bytes, of name: Bytes, atLeast count: Int) -> [Bytes]? {
        guard let (line, _) = find(file, name, count) else { return nil }
        return split(file[line])
    }

    /// A file in which one field of the first line of that name is another; as it was where there is none that has so many
    /// fields.
    static func setting(_ file: Bytes, of name: Bytes, field: Int, to text: Bytes, atLeast count: Int) -> Bytes {
        guard let (line, _) = find(file, name, count) else { return file }
        var fields = split(file[line])
        while fields.count <= field { fields.append([]) }
        fields[field] = text
        var changed = Bytes()
        for (place, field) in fields.enumerated() {
            if place > 0 { changed.append(colon) }
            changed += field
        }
        return Bytes(file[..<line.lowerBound]) + changed + Bytes(file[line.upperBound...])
    }

    /// A file of groups in which a group has one more member; as it was where the user is one already.
    static func adding(_ file: Bytes, member: Bytes, to group: Bytes) -> Bytes {
        // The members are the fourth field of group(5) and of gshadow(5).
        guard let fields = fields(file, of: group, atLeast: 3) else { return file }
        var members = fields.count > 3 ? fields[3] : []
        for one in members.split(separator: comma) where one.elementsEqual(member) { return file }
        if !members.isEmpty { members.append(comma) }
        return setting(file, of: group, field: 3, to: members + member, atLeast: 3)
    }

    /// A file with one more line, which stands in front of the NIS lines if there are any.
    static func adding(_ file: Bytes, line: Bytes) -> Bytes {
        var place = file.count
        var start = 0
        while start < file.count {
            let first = file[start]
            if first == 0x2B || first == 0x2D {
                place = start
                break
            }
            start = end(file, start) &+ 1
        }
        // As the line in front of it ends.
        var ending = [newline]
        if let last = file.firstIndex(of: newline), last > 0, file[last &- 1] == carriageReturn {
            ending = [carriageReturn, newline]
        }
        let before = Bytes(file[..<place])
        if let last = before.last, last != newline { return before + ending + line }
        return before + line + ending + Bytes(file[place...])
    }

    /// The line end behind a place, or the end of the file.
    private static func end(_ file: Bytes, _ start: Int) -> Int {
        var place = start
        while place < file.count && file[place] != newline { place &+= 1 }
        return place
    }

    /// The first line of a name, without its line end.
    private static func find(_ file: Bytes, _ name: Bytes, _ count: Int) -> (line: Range<Int>, Int)? {
        if name.isEmpty { return nil }
        var start = 0
        while start < file.count {
            let next = end(file, start)
            var last = next
            if last > start && file[last &- 1] == carriageReturn { last &-= 1 }
            let fields = split(file[start..<last])
            if fields.count >= count && fields[0] == name { return (start..<last, fields.count) }
            start = next &+ 1
        }
        return nil
    }

    private static func split(_ line: ArraySlice<UInt8>) -> [Bytes] {
        var fields: [Bytes] = [[]]
        for byte in line {
            if byte == colon { fields.append([]) } else { fields[fields.count &- 1].append(byte) }
        }
        return fields
    }
}
