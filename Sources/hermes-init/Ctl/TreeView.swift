import ConfigParser

/// `ctl tree`: what waits for what, drawn with lines, with the state that each service has now. Below a service stands what it
/// waits for. What was drawn once is not drawn again, so that the picture has no more lines than the graph has arrows, whatever
/// the graph is. A pure function of the answer to `graph`.
struct TreeView {
    struct Node {
        var name: String
        var state: String
        var words: String
        var waits: [(name: String, kind: String)] = []
    }

    var nodes: [Node] = []

    mutating func add(_ line: JSONValue) {
        var node = Node(name: line.text("name") ?? "?", state: line.text("state") ?? "", words: "")
        node.words = line.text("words") ?? node.state
        for wait in line.items("waits-for") {
            node.waits.append((wait.text("name") ?? "?", wait.text("kind") ?? "requires"))
        }
        nodes.append(node)
    }

    /// - Parameter names: where to begin; none: at those that nobody waits for.
    /// - Throws: for a name that there is not.
    func lines(_ names: [String], _ look: Look) throws(CtlFailure) -> [String] {
        var index = NameIndex()
        for (place, node) in nodes.enumerated() { index[node.name] = place }
        var roots = [Int]()
        for name in names {
            guard let root = index[name] else { throw unknown(name) }
            roots.append(root)
        }
        var isRoot = [Bool](repeating: true, count: nodes.count)
        for node in nodes {
            for wait in node.waits {
                if let place = index[wait.name] { isRoot[place] = false }
            }
        }
        if names.isEmpty {
            for place in nodes.indices where isRoot[place] { roots.append(place) }
            // In a circle nobody is first.
            if roots.isEmpty && !nodes.isEmpty { roots = [0] }
        }
        var drawing = Drawing(nodes: nodes, index: index, look: look)
        for root in roots { drawing.draw(root, nodes[root].name, kind: "", lead: "", below: "", depth: 0) }
        return drawing.lines
    }

    /// What was drawn until now.
    private struct Drawing {
        let nodes: [Node]
        let index: NameIndex
        let look: Look
        var isDrawn: [Bool]
        var lines: [String] = []
        /// Nobody can read what is deeper.
        static let deepest = 64

        init(nodes: [Node], index: NameIndex, look: Look) {
            self.nodes = nodes
            self.index = index
            self.look = look
            isDrawn = [Bool](repeating: false, count: nodes.count)
        }

        /// - Parameters:
        ///   - kind: of the arrow that leads here.
        ///   - lead: what stands in front of it; `below`: of what it waits for.
        mutating func draw(_ place: Int?, _ name: String, kind: String, lead: String, below: String, depth: Int) {
            var line = look.paint(lead, .dim) + fitted(name, to: 64)
            if !kind.isEmpty && kind != "requires" { line += look.paint(say(" (%)", kind), .dim) }
            guard let place else {
                lines.append(line)
                return
            }
            let node = nodes[place]
            line += say(
                "  %", look.paint(fitted(node.words, to: 200), ServiceStatus.ink(ofState: node.state, isWell: true)))
            let isAgain = isDrawn[place]
            let isTooDeep = depth == Drawing.deepest
            if !node.waits.isEmpty && (isAgain || isTooDeep) {
                line += look.paint(isAgain ? "  (see above)" : "  …", .dim)
            }
            lines.append(line)
            if isAgain || isTooDeep { return }
            isDrawn[place] = true
            for (number, wait) in node.waits.enumerated() {
                let isLast = number == node.waits.count - 1
                draw(
                    index[wait.name], wait.name, kind: wait.kind, lead: below + (isLast ? "└─ " : "├─ "),
                    below: below + (isLast ? "   " : "│  "), depth: depth + 1)
            }
        }
    }

    private func unknown(_ name: String) -> CtlFailure {
        var names = [String]()
        for node in nodes { names.append(node.name) }
        var hints = ["\"hermes-init ctl list\" lists them"]
        if let near = nearest(to: name, among: names) { hints = [say("did you mean: %", near)] }
        return CtlFailure(.unknownService, say("there is no service %", quoted(name.bytes)), hints)
    }
}
