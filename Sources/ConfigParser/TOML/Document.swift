/// What was read, as nodes in one flat array, and the rules of TOML about writing a thing twice: which tables a header
/// or a dotted key may make, enter and extend. In a table of many keys names are found by hash, so that a file of a
/// hundred thousand keys takes linear time; the hash is seeded anew in each process. Keys are compared byte by byte, as
/// the specification has it, not as Unicode text. Knows nothing of the text; at the end the nodes become a `Table`.

/// Why a header or key may not stand where it stands.
struct Obstacle: Error {
    var mistake: Mistake
    var span: Span
}

/// The nodes of a file.
struct Document {
    /// How a table came to be, which decides what may be added to it.
    enum Origin {
        /// The file itself.
        case root
        /// On the way to a table: `a` of `[a.b]`. May still get a header of its own.
        case path
        /// By its own header.
        case header
        /// By a dotted key.
        case dotted
        /// In braces: closed.
        case inline
    }

    enum Kind {
        /// Not read yet, or not readable: keeps its name from being used again, and is in no result.
        case empty
        case scalar(Value.Kind)
        case array
        case arrayOfTables
        case table(Origin)
    }

    fileprivate struct Node {
        var kind: Kind
        var key: String
        var keySpan: Span
        var span: Span
        var hash = 0
        var parent: Int32
        var depth: Int32
        var firstChild: Int32 = -1
        var lastChild: Int32 = -1
        var next: Int32 = -1
        var childCount: Int32 = 0
    }

    /// The file's own table.
    static let root = 0

    /// The memory of a document that is no longer needed, for the next.
    struct Storage {
        fileprivate var nodes: [Node] = []
    }

    private var nodes: [Node]
    /// Open addressing: node numbers by parent and key, -1 where free. At most half full; a power of two long. Only the
    /// keys of tables with more than `few` are in it.
    private var slots: [Int32] = []
    private var named = 0

    /// So many names are gone through one by one, which takes less than a hash.
    private static let few = 16

    init(file: FileID, reusing storage: inout Storage) {
        let start = Span(file: file, start: 0, end: 0)
        nodes = []
        swap(&nodes, &storage.nodes)
        nodes.removeAll(keepingCapacity: true)
        nodes.append(Node(kind: .table(.root), key: "", keySpan: start, span: start, parent: -1, depth: 0))
    }

    /// Gives its memory away; it must not be used any more.
    mutating func recycle(into storage: inout Storage) {
        swap(&nodes, &storage.nodes)
    }

    // MARK: Making nodes

    /// How many tables and arrays a node lies in.
    func depth(_ node: Int) -> Int { Int(nodes[node].depth) }

    mutating func set(_ node: Int, _ kind: consuming Kind, _ span: Span) {
        nodes[node].kind = kind
        nodes[node].span = span
    }

    mutating func setSpan(_ node: Int, _ span: Span) { nodes[node].span = span }

    /// A node for a value that may not stand in a table but is read all the same; it is in no result.
    mutating func detached(in table: Int) -> Int { add("", nodes[Document.root].span, parent: table) }

    /// A table for the lines under a header that is wrong; it is in no result.
    mutating func detachedTable() -> Int {
        let node = detached(in: Document.root)
        nodes[node].kind = .table(.header)
        return node
    }

    /// A new last element of an array.
    mutating func append(to array: Int) -> Int {
        let node = add("", nodes[array].span, parent: array)
        link(node)
        return node
    }

    private mutating func add(_ key: String, _ span: Span, parent: Int) -> Int {
        nodes.append(
            Node(
                kind: .empty, key: key, keySpan: span, span: span, parent: Int32(truncatingIfNeeded: parent),
                depth: nodes[parent].depth + 1))
        return nodes.count - 1
    }

    private mutating func link(_ node: Int) {
        let parent = Int(nodes[node].parent)
        let number = Int32(truncatingIfNeeded: node)
        if nodes[parent].lastChild >= 0 {
            nodes[Int(nodes[parent].lastChild)].next = number
        } else {
            nodes[parent].firstChild = number
        }
        nodes[parent].lastChild = number
        nodes[parent].childCount += 1
    }

    // MARK: Names

    private func hashed(_ key: String, in table: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(table)
        var key = key
        key.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // Never 0, which marks a node without a name.
        return hasher.finalize() | (1 << 62)
    }

    private func find(_ key: String, in table: Int) -> Int? {
        if nodes[table].childCount <= Document.few {
            var child = Int(nodes[table].firstChild)
            while child >= 0 {
                if nodes[child].key.isInItselfSame(as: key) ?? (nodes[child].key == key) { return child }
                child = Int(nodes[child].next)
            }
            return nil
        }
        let hash = hashed(key, in: table)
        let mask = slots.count - 1
        var slot = hash & mask
        while slots[slot] >= 0 {
            let node = Int(slots[slot])
            if nodes[node].hash == hash && nodes[node].parent == Int32(truncatingIfNeeded: table)
                && nodes[node].key == key
            {
                return node
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// A new entry of a table, which has none of that name.
    private mutating func insert(_ part: KeyPart, in table: Int, _ kind: consuming Kind) -> Int {
        let node = add(part.text, part.span, parent: table)
        nodes[node].kind = kind
        link(node)
        let count = Int(nodes[table].childCount)
        if count == Document.few + 1 {
            var child = Int(nodes[table].firstChild)
            while child >= 0 {
                register(child, in: table)
                child = Int(nodes[child].next)
            }
        } else if count > Document.few {
            register(node, in: table)
        }
        return node
    }

    private mutating func register(_ node: Int, in table: Int) {
        nodes[node].hash = hashed(nodes[node].key, in: table)
        named += 1
        if named * 2 > slots.count {
            slots = [Int32](repeating: -1, count: max(slots.count * 2, 64))
            for index in nodes.indices where nodes[index].hash != 0 { takeSlot(index) }
        } else {
            takeSlot(node)
        }
    }

    private mutating func takeSlot(_ node: Int) {
        let mask = slots.count - 1
        var slot = nodes[node].hash & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(truncatingIfNeeded: node)
    }

    // MARK: Headers and keys

    /// The table that a header begins: a new one, a new element of an array of tables, or one that was only passed
    /// through so far.
    mutating func open(_ path: [KeyPart], isArray: Bool, span: Span) throws(Obstacle) -> Int {
        try checkDepth(path, in: Document.root, added: isArray ? 1 : 0)
        var table = Document.root
        for (index, part) in path.enumerated() {
            let isLast = index == path.count - 1
            guard let node = find(part.text, in: table) else {
                guard isLast else {
                    table = insert(part, in: table, .table(.path))
                    continue
                }
                let made = insert(part, in: table, isArray ? .arrayOfTables : .table(.header))
                nodes[made].span = span
                return isArray ? newElement(of: made, span) : made
            }
            if isLast { return try reopen(node, path, isArray: isArray, span: span) }
            switch nodes[node].kind {
            case .table(.root), .table(.path), .table(.header), .table(.dotted):
                table = node
            case .arrayOfTables:
                // What is meant is always the element that was begun last.
                table = Int(nodes[node].lastChild)
            case .table(.inline):
                throw Obstacle(.closedTable(name(path, index), first: nodes[node].keySpan), part.span)
            case .array:
                throw Obstacle(.closedArray(name(path, index), first: nodes[node].keySpan), part.span)
            case .empty, .scalar:
                throw Obstacle(.notATable(name(path, index), first: nodes[node].keySpan), part.span)
            }
        }
        return table
    }

    /// A header whose name is there already.
    private mutating func reopen(
        _ node: Int, _ path: [KeyPart], isArray: Bool, span: Span
    ) throws(Obstacle) -> Int {
        let part = path[path.count - 1]
        let shown = name(path, path.count - 1)
        let first = nodes[node].keySpan
        switch nodes[node].kind {
        case .table(.path) where !isArray:
            nodes[node].kind = .table(.header)
            nodes[node].span = span
            nodes[node].keySpan = part.span
            return node
        case .arrayOfTables where isArray:
            return newElement(of: node, span)
        case .arrayOfTables:
            throw Obstacle(.needsDoubleBrackets(shown, first: first), part.span)
        case .table(.inline):
            throw Obstacle(.closedTable(shown, first: first), part.span)
        case .table:
            throw Obstacle(isArray ? .notAnArray(shown, first: first) : .duplicateTable(shown, first: first), part.span)
        case .array:
            throw Obstacle(.closedArray(shown, first: first), part.span)
        case .empty, .scalar:
            throw Obstacle(.notATable(shown, first: first), part.span)
        }
    }

    private mutating func newElement(of array: Int, _ span: Span) -> Int {
        let node = append(to: array)
        nodes[node].kind = .table(.header)
        nodes[node].span = span
        return node
    }

    /// A place for the value of a key of a table; tables on the way there are made.
    mutating func place(_ path: [KeyPart], in base: Int) throws(Obstacle) -> Int {
        try checkDepth(path, in: base, added: 0)
        var table = base
        for (index, part) in path.enumerated() {
            let isLast = index == path.count - 1
            guard let node = find(part.text, in: table) else {
                table = insert(part, in: table, isLast ? .empty : .table(.dotted))
                continue
            }
            let shown = name(path, index)
            let first = nodes[node].keySpan
            if isLast { throw Obstacle(.duplicateKey(shown, first: first), part.span) }
            switch nodes[node].kind {
            case .table(.path):
                nodes[node].kind = .table(.dotted)
                table = node
            case .table(.dotted):
                table = node
            case .table(.inline):
                throw Obstacle(.closedTable(shown, first: first), part.span)
            case .table, .arrayOfTables:
                throw Obstacle(.tableHasHeader(shown, first: first), part.span)
            case .array:
                throw Obstacle(.closedArray(shown, first: first), part.span)
            case .empty, .scalar:
                throw Obstacle(.notATable(shown, first: first), part.span)
            }
        }
        return table
    }

    /// Refuses a path before anything is made of it.
    private func checkDepth(_ path: [KeyPart], in base: Int, added: Int) throws(Obstacle) {
        guard let last = path.last, depth(base) + path.count + added > TOMLParser.maximumDepth else { return }
        throw Obstacle(.tooDeep, last.span)
    }

    /// The path up to a part, for a message.
    private func name(_ path: [KeyPart], _ index: Int) -> String {
        var name = ""
        for part in path[...index] {
            if !name.isEmpty { name += "." }
            name += part.text
            if name.utf8.count > 80 { return say("%…", name) }
        }
        return name
    }

    // MARK: The result

    /// The tree of what could be read.
    func freeze() -> Table { table(Document.root) }

    /// Calls itself as deep as tables lie in one another: at most `TOMLParser.maximumDepth`.
    private func table(_ node: Int) -> Table {
        var table = Table(span: nodes[node].span)
        table.entries.reserveCapacity(Int(nodes[node].childCount))
        var child = Int(nodes[node].firstChild)
        while child >= 0 {
            if let value = value(child) {
                table.entries.append(Table.Entry(key: nodes[child].key, keySpan: nodes[child].keySpan, value: value))
            }
            child = Int(nodes[child].next)
        }
        return table
    }

    private func value(_ node: Int) -> Value? {
        switch nodes[node].kind {
        case .empty:
            return nil
        case .scalar(let kind):
            return Value(kind, nodes[node].span)
        case .table:
            return Value(.table(table(node)), nodes[node].span)
        case .array, .arrayOfTables:
            var elements = [Value]()
            elements.reserveCapacity(Int(nodes[node].childCount))
            var child = Int(nodes[node].firstChild)
            while child >= 0 {
                if let value = value(child) { elements.append(value) }
                child = Int(nodes[child].next)
            }
            return Value(.array(elements), nodes[node].span)
        }
    }
}

extension Obstacle {
    init(_ mistake: Mistake, _ span: Span) {
        self.init(mistake: mistake, span: span)
    }
}
