import CSystem
import ConfigParser
import System

/// What is left when every service is down: daemons that left their group, background children of main, `docker exec`
/// sessions. As PID 1 that is everything in the PID namespace; elsewhere the init's descendants.
struct Stragglers {
    private let isPIDOne: Bool
    private let own: Int32
    /// Processes that will not become the init's children (they came in from outside: their parent is PID 0).
    private var foreign: [FileDescriptor?] = []

    /// Waiting for more than this many sessions of `docker exec` has no use.
    private static let mostForeign = 256

    init() {
        own = getpid()
        isPIDOne = own == 1
    }

    /// Sends a signal to each of them. The first time also takes note of those that no SIGCHLD will tell of.
    /// - Parameter writer: the process that writes log files, which is none of them; 0 where there is none. As PID 1 it is
    ///   killed with the others, and started again for what is left to be written.
    ///   - hasChildren: what waitpid(2) said last.
    mutating func signal(_ number: Int32, except writer: Int32, hasChildren: Bool, loop: EventLoop) {
        // The kernel would go through every process of the machine to find that there is nobody.
        if isPIDOne && !hasChildren && hi_is_alone(own) { return }
        let processes = Stragglers.processes(but: own)
        if isPIDOne {
            if foreign.isEmpty { watch(processes, loop) }
            _ = kill(-1, number)
            return
        }
        for process in Stragglers.descendants(of: own, processes) where process != writer { _ = kill(process, number) }
    }

    /// One of the watched processes is gone.
    mutating func ended(_ index: Int) {
        if foreign.indices.contains(index) { foreign[index] = nil }
    }

    /// Nothing is left: no child, and none of those from outside.
    /// - Parameter hasChildren: what waitpid(2) said last.
    func areGone(hasChildren: Bool) -> Bool {
        if hasChildren { return false }
        for process in foreign where process != nil { return false }
        return true
    }

    private mutating func watch(_ processes: [(process: Int32, parent: Int32)], _ loop: EventLoop) {
        for entry in processes where entry.parent == 0 && entry.process != own {
            let number = hi_pidfd_open(entry.process)
            if number < 0 { continue }
            let descriptor = FileDescriptor(owning: number)
            if loop.addReader(descriptor, Token(.straggler, index: foreign.count)) { foreign.append(descriptor) }
            if foreign.count >= Stragglers.mostForeign { return }
        }
    }

    /// Every other process that /proc shows, with its parent.
    private static func processes(but own: Int32) -> [(process: Int32, parent: Int32)] {
        var found = [(process: Int32, parent: Int32)]()
        let names: [Bytes]
        do throws(Errno) { names = try listFolder(Bytes("/proc")) } catch { return [] }
        for name in names {
            guard let process = Accounts.decimal(name), process != own, process <= Int32.max else { continue }
            do throws(Errno) {
                let text = try readFile(Bytes("/proc/") + name + Bytes("/stat"), limit: 1 << 16)
                if let parent = parent(text) { found.append((Int32(process), parent)) }
            } catch {
                // Gone since.
            }
        }
        return found
    }

    /// The fourth field of /proc/PID/stat (proc(5)); the second, the name, may hold spaces and brackets.
    static func parent(_ text: Bytes) -> Int32? {
        guard let end = text.lastIndex(of: 0x29) else { return nil }
        let fields = text[end...].split(separator: 0x20)
        guard fields.count > 2, let parent = Accounts.decimal(fields[2]), parent <= Int32.max else { return nil }
        return Int32(parent)
    }

    /// Children, their children, and so on. Each parent is looked up once.
    static func descendants(of root: Int32, _ processes: [(process: Int32, parent: Int32)]) -> [Int32] {
        var children: [Int32: [Int32]] = [:]
        for entry in processes { children[entry.parent, default: []].append(entry.process) }
        var found = [Int32]()
        var next = [root]
        while let parent = next.popLast() {
            guard let own = children.removeValue(forKey: parent) else { continue }
            found += own
            next += own
        }
        return found
    }
}
