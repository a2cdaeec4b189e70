/// Which files make up a service: the strongest file of its name, and the drop-ins that are laid over it. Files come
/// weakest folder first, so of two with the same name the later one wins. Nothing is parsed here, and a file that a
/// stronger one replaces is never looked into.

/// A service file with its drop-ins.
struct FileGroup {
    /// Without ".toml".
    var name: String
    /// The strongest; nil where there are only drop-ins.
    var base: InputFile?
    /// In name order, each name once, masked ones left out.
    var dropIns: [InputFile] = []
}

/// Puts the files of all folders together, in name order. Hidden files and other endings are left out.
func fileGroups(_ files: [InputFile]) -> [FileGroup] {
    var groups = [FileGroup]()
    var places = NameIndex()
    for file in files {
        guard let name = stem(file.name), file.dropIn.map({ stem($0) != nil }) ?? true else { continue }
        let place: Int
        if let known = places[name] {
            place = known
        } else {
            place = groups.count
            places[name] = place
            groups.append(FileGroup(name: name))
        }
        if file.dropIn == nil { groups[place].base = file } else { groups[place].dropIns.append(file) }
    }
    for place in groups.indices where !groups[place].dropIns.isEmpty {
        groups[place].dropIns = strongest(groups[place].dropIns)
    }
    var names = [[UInt8]]()
    for group in groups { names.append([UInt8](group.name.utf8)) }
    var sorted = [FileGroup]()
    sorted.reserveCapacity(groups.count)
    for place in order(names) { sorted.append(groups[place]) }
    return sorted
}

/// "web" of "web.toml"; nil for a hidden file or another ending.
private func stem(_ name: String) -> String? {
    let bytes = [UInt8](name.utf8)
    guard bytes.count > 5, bytes.first != 0x2E, same(bytes.suffix(5), ".toml") else { return nil }
    return String(decoding: bytes.dropLast(5), as: UTF8.self)
}

/// In name order; of several with one name the last.
private func strongest(_ files: [InputFile]) -> [InputFile] {
    var names = [[UInt8]]()
    for file in files { names.append([UInt8]((file.dropIn ?? "").utf8)) }
    let places = order(names)
    var result = [InputFile]()
    for (index, place) in places.enumerated() {
        if index + 1 < places.count && names[places[index + 1]] == names[place] { continue }
        if case .mask = files[place].content { continue }
        result.append(files[place])
    }
    return result
}

/// Which value of a stronger file took the place of which value of a weaker one.
struct Overrides {
    private var pairs: [(over: Span, under: Span)] = []

    mutating func add(_ over: Span, _ under: Span) { pairs.append((over, under)) }

    /// What a value or key replaced; a walk, meant for the few places that a mistake is told of.
    func under(_ span: Span) -> Span? {
        for pair in pairs where pair.over == span { return pair.under }
        return nil
    }
}

/// Lays tables over each other, the weakest first: tables merge, all else replaces. Each entry keeps its spans.
///
/// Time is linear in the number of entries, however many tables there are. Tables nested deeper than `depth` levels
/// replace instead of merging; no key of the format is that deep.
func merged(_ tables: [Table], depth: Int = 16, overrides: inout Overrides) -> Table {
    guard var result = tables.first else { return Table(span: Span(file: FileID(index: -1), start: 0, end: 0)) }
    if tables.count == 1 { return result }
    var places = NameIndex()
    for (place, entry) in result.entries.enumerated() { places[entry.key] = place }
    // The tables that are to be merged into one, by the place of their key.
    var nested = [[Table]]()
    for table in tables.dropFirst() {
        for entry in table.entries {
            guard let place = places[entry.key] else {
                places[entry.key] = result.entries.count
                result.entries.append(entry)
                continue
            }
            if depth > 0, case .table(let over) = entry.value.kind,
                case .table(let under) = result.entries[place].value.kind
            {
                while nested.count <= place { nested.append([]) }
                if nested[place].isEmpty { nested[place].append(under) }
                nested[place].append(over)
                continue
            }
            overrides.add(entry.value.span, result.entries[place].value.span)
            overrides.add(entry.keySpan, result.entries[place].keySpan)
            if place < nested.count { nested[place] = [] }
            result.entries[place] = entry
        }
    }
    for (place, tables) in nested.enumerated() where !tables.isEmpty {
        let inner = merged(tables, depth: depth - 1, overrides: &overrides)
        result.entries[place].value.kind = .table(inner)
    }
    return result
}
