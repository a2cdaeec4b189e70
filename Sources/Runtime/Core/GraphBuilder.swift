import ConfigParser

/// How a `Graph` is made and what can be wrong with it. Linear in the number of services and edges, without recursion: a
/// chain of ten thousand services is as good as one of ten. The order of all that it says is the order of the services.

struct GraphBuilder {
    let services: [Service]
    let masked: [String]
    var diagnostics: [Diagnostic] = []
    private var indices = NameIndex()
    private var edges: [[Edge]]
    private var main: ServiceID?
    private var suggestions = 0

    init(services: [Service], masked: [String]) {
        self.services = services
        self.masked = masked
        edges = [[Edge]](repeating: [], count: services.count)
        for index in services.indices { indices[services[index].name] = index }
    }

    // MARK: - Edges

    /// Turns names into edges and reports those that name nothing.
    mutating func connect() {
        var before = [[(index: Int, span: Span)]](repeating: [], count: services.count)
        for index in services.indices {
            for reference in services[index].before {
                if let other = indices[reference.name] { before[other].append((index, reference.span)) }
            }
        }
        // The last service that an edge to this one was made for: keeps each pair once without a set.
        var seen = [Int](repeating: -1, count: services.count)
        for index in services.indices {
            if services[index].type == .main && main == nil { main = ServiceID(index: index) }
            for reference in services[index].requires { need(from: index, reference, .requires, &seen) }
            for reference in services[index].wants { need(from: index, reference, .wants, &seen) }
            for reference in services[index].after {
                if let other = indices[reference.name] { add(from: index, to: other, .after, reference.span, &seen) }
            }
            for (other, span) in before[index] { add(from: index, to: other, .before, span, &seen) }
        }
    }

    private mutating func need(from index: Int, _ reference: Reference, _ kind: Edge.Kind, _ seen: inout [Int]) {
        if let other = indices[reference.name] {
            add(from: index, to: other, kind, reference.span, &seen)
        } else {
            reportMissing(reference, kind: kind, of: services[index].name)
        }
    }

    private mutating func add(from index: Int, to other: Int, _ kind: Edge.Kind, _ span: Span, _ seen: inout [Int]) {
        guard seen[other] != index else { return }
        seen[other] = index
        edges[index].append(Edge(service: ServiceID(index: other), kind: kind, span: span))
    }

    @inline(never)
    private mutating func reportMissing(_ reference: Reference, kind: Edge.Kind, of name: String) {
        let verb = kind == .requires ? "requires" : "wants"
        var diagnostic = Diagnostic(
            code: "graph-missing-service",
            say("% % \"%\", but there is no such service", name, verb, reference.name),
            at: Diagnostic.Label(reference.span, "no service has this name"))
        if has(masked, reference.name) {
            diagnostic.notes.append(
                say(
                    """
                    a service of this name is there but masked: a stronger folder has an empty file, or a link to \
                    /dev/null, named %.toml
                    """, reference.name))
            diagnostic.help = say("remove the mask, or take the name out of `%`", verb)
        } else if reference.name == "main" {
            diagnostic.help =

                """
                main is the container's main program; there is one where main.toml exists or a command is \
                given after `--`
                """
        } else {
            diagnostic.help =
                didYouMean(reference.name)
                ?? say(
                    """
                    add a file %.toml, or take the name out of `%`; `after` gives an order without needing the \
                    other
                    """, reference.name, verb)
        }
        diagnostics.append(diagnostic)
    }

    /// Looks for a near name, for the first few mistakes of a set: a set of thousands is not to take their square in time.
    private mutating func didYouMean(_ name: String) -> String? {
        guard suggestions < 16 else { return nil }
        suggestions &+= 1
        var names: [String] = []
        for index in services.indices { names.append(services[index].name) }
        guard let near = nearest(to: name, among: names) else { return nil }
        return say("did you mean \"%\"?", near)
    }

    // MARK: - Circles

    /// Finds the strongly connected components (Tarjan 1972, with a stack of its own instead of recursion) and reports
    /// one shortest circle for each.
    mutating func reportCycles() {
        let count = services.count
        var order = [Int](repeating: -1, count: count)
        var low = [Int](repeating: 0, count: count)
        var component = [Int](repeating: -1, count: count)
        var open: [Int] = []
        var path: [(node: Int, edge: Int)] = []
        var next = 0
        // By the root of a component: whether it is a circle that is not yet reported.
        var isCircle = [Bool](repeating: false, count: count)
        for root in 0..<count where order[root] < 0 {
            path.append((root, 0))
            while let (node, edge) = path.last {
                if edge == 0 && order[node] < 0 {
                    order[node] = next
                    low[node] = next
                    next &+= 1
                    open.append(node)
                }
                if edge < edges[node].count {
                    path[path.count - 1].edge = edge &+ 1
                    let other = edges[node][edge].service.index
                    if order[other] < 0 {
                        path.append((other, 0))
                    } else if component[other] < 0 {
                        low[node] = min(low[node], order[other])
                    }
                    continue
                }
                path.removeLast()
                if let parent = path.last?.node { low[parent] = min(low[parent], low[node]) }
                guard low[node] == order[node] else { continue }
                isCircle[node] = open.last != node
                for edge in edges[node] where edge.service.index == node { isCircle[node] = true }
                while let member = open.popLast() {
                    component[member] = node
                    if member == node { break }
                }
            }
        }
        // For each service: the one by which the search came to it, and by which of its edges; -1: not yet.
        var cameBy = [(node: Int, edge: Int)](repeating: (-1, 0), count: count)
        for node in 0..<count where isCircle[component[node]] {
            isCircle[component[node]] = false
            reportCycle(through: node, component, &cameBy)
        }
    }

    /// Reports the shortest circle through a service: a breadth-first walk back to it.
    private mutating func reportCycle(through first: Int, _ component: [Int], _ cameBy: inout [(node: Int, edge: Int)])
    {
        var queue = [first]
        var head = 0
        search: while head < queue.count {
            let node = queue[head]
            head &+= 1
            for place in edges[node].indices {
                let other = edges[node][place].service.index
                guard component[other] == component[first] && cameBy[other].node < 0 else { continue }
                cameBy[other] = (node, place)
                if other == first { break search }
                queue.append(other)
            }
        }
        var arrows: [(from: Int, edge: Edge)] = []
        var node = first
        repeat {
            let (from, place) = cameBy[node]
            guard from >= 0 else { return }
            arrows.append((from, edges[from][place]))
            node = from
        } while node != first
        arrows.reverse()

        var labels: [Diagnostic.Label] = []
        for (from, edge) in arrows {
            guard let span = edge.span else { continue }
            labels.append(Diagnostic.Label(span, describe(from: from, edge)))
        }
        let primary = labels.first
        if !labels.isEmpty { labels.removeFirst() }
        var title = services[first].name
        if arrows.count == 1 {
            title += " waits for itself"
        } else {
            title += " can never start: it waits for itself by way of "
            // A circle of a thousand services is shown whole by its labels, not by its title.
            for place in 1..<min(arrows.count, 9) {
                title += (place == 1 ? "" : ", ") + services[arrows[place].from].name
            }
            if arrows.count > 9 { title += say(" and % more", String(arrows.count &- 9)) }
        }
        diagnostics.append(
            Diagnostic(
                code: "graph-cycle", title, at: primary, context: labels,
                help: arrows.count == 1
                    ? "take the name out"
                    : "take out one of these arrows, or turn one round (`before` instead of `after`)"))
    }

    private func describe(from index: Int, _ edge: Edge) -> String {
        let name = services[index].name
        let other = services[edge.service.index].name
        switch edge.kind {
        case .requires: return say("% requires %", name, other)
        case .wants: return say("% wants %", name, other)
        case .after: return say("% is after %", name, other)
        case .before: return say("% is before %", other, name)
        case .implicit: return say("% waits for %", name, other)
        }
    }

    // MARK: - The whole

    /// The graph, where nothing was wrong.
    consuming func finish() -> Graph {
        let reasons = bootReasons()
        if let main { addImplicitEdges(of: main, reasons) }
        var dependents = [[Dependent]](repeating: [], count: services.count)
        for (index, list) in edges.enumerated() {
            for edge in list {
                dependents[edge.service.index].append(
                    Dependent(service: ServiceID(index: index), isRequiring: edge.kind == .requires))
            }
        }
        return Graph(edges: edges, dependents: dependents, reasons: reasons, main: main)
    }

    /// What boots: the main program, what has `autostart`, and what those require or want, and so on. A service that is
    /// both required and wanted counts as required: that decides whether its failure is borne.
    private func bootReasons() -> [BootReason] {
        var reasons = [BootReason](repeating: .notStarted, count: services.count)
        var queue: [Int] = []
        for index in services.indices {
            if services[index].type == .main {
                reasons[index] = .main
            } else if services[index].autostart {
                reasons[index] = .autostart
            } else {
                continue
            }
            queue.append(index)
        }
        var head = 0
        while head < queue.count {
            let index = queue[head]
            head &+= 1
            for edge in edges[index] {
                let other = edge.service.index
                if edge.kind == .requires {
                    if !reasons[other].boots { queue.append(other) }
                    switch reasons[other] {
                    case .notStarted, .wantedBy: reasons[other] = .requiredBy(ServiceID(index: index))
                    case .main, .autostart, .requiredBy: break
                    }
                } else if edge.kind == .wants && !reasons[other].boots {
                    reasons[other] = .wantedBy(ServiceID(index: index))
                    queue.append(other)
                }
            }
        }
        return reasons
    }

    /// The main program waits for every oneshot that boots, but for those that wait for it, directly or by way of others;
    /// also of others that do not boot, since they may be asked for while it waits.
    private mutating func addImplicitEdges(of main: ServiceID, _ reasons: [BootReason]) {
        var waiters = [[Int]](repeating: [], count: services.count)
        for (index, list) in edges.enumerated() {
            for edge in list { waiters[edge.service.index].append(index) }
        }
        var waitsForMain = [Bool](repeating: false, count: services.count)
        waitsForMain[main.index] = true
        var stack = [main.index]
        while let index = stack.popLast() {
            for waiter in waiters[index] where !waitsForMain[waiter] {
                waitsForMain[waiter] = true
                stack.append(waiter)
            }
        }
        var isNamed = [Bool](repeating: false, count: services.count)
        for edge in edges[main.index] { isNamed[edge.service.index] = true }
        for index in services.indices
        where services[index].type == .oneshot && reasons[index].boots && !waitsForMain[index] && !isNamed[index] {
            edges[main.index].append(Edge(service: ServiceID(index: index), kind: .implicit, span: nil))
        }
    }
}
