import CSystem
import ConfigParser
import System

/// Where the driver meets the memory of what was asked: who asks for a service with `remember` has it written down.

extension Driver {
    /// From here on what is asked of services with `remember` is kept, where there are any. What was kept before has been read.
    func startMemory(of loaded: Loaded) {
        guard loaded.remembers else { return }
        let folder = loaded.result.configuration.settings.stateDirectory
        let problem = reasonAgainstKeeping(in: folder.bytes)
        if let line = loaded.askedProblem { log(line) }
        if let problem { log(AskedMemory.cannotKeep(folder, problem)) }
        asked = AskedMemory(loaded.asked, folder: folder.bytes, hasTold: problem != nil)
    }

    /// Somebody asked for a service: `up` by a start or restart, else by a stop or a removal.
    func noteAsked(_ id: ServiceID, up: Bool) {
        guard services.indices.contains(id.index), services[id.index].remember else { return }
        asked?.note(name: services[id.index].name, up: up)
    }

    /// Hands to the writer what was asked in this turn.
    func flushAsked() {
        if let line = asked?.flush(loop) { log(line) }
    }

    /// The writer said how it went, or ended.
    func askedReady() {
        if let line = asked?.reportReady(loop) { log(line) }
    }

    /// The container ends: what was asked last is to be there at its next start.
    func finishAsked() {
        let end = hi_monotonic_nanoseconds() &+ Int64(Driver.lastWriteTime) &* 1_000_000
        if let line = asked?.finish(loop, until: end) { log(line) }
    }
}
