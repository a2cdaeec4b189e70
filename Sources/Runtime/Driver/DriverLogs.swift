import CSystem
import ConfigParser
import System

/// What the driver has to do with output: which descriptors a process gets, what the writer of log files says, and the last
/// words of a container.

extension Driver {
    /// What becomes stdout and stderr of a process.
    func outputs(of owner: ProcessOwner, _ launch: Launch) throws(Errno) -> (output: Int32, error: Int32) {
        let service = services[owner.service]
        let isOwn = owner == .service(owner.service)
        // What a service runs beside itself, such as its stop command, is told from it by the prefix. The terminal of a
        // full-screen program is for nobody to inherit.
        if service.log.to == .inherit && isOwn && (quiet == nil || isMain(owner)) { return (1, 2) }
        var file: LogFileRequest?
        if let path = launch.logFile {
            file = LogFileRequest(
                name: service.name.bytes, path: path, user: launch.identity.uid ?? geteuid(),
                group: launch.identity.gid ?? getegid(), groups: launch.identity.groups, maxSize: service.log.maxSize,
                keep: service.log.keep, timestamps: service.log.timestamps,
                makesFolder: service.log.makesFolder)
        }
        let pipes = try relay.descriptors(
            of: owner.service, name: service.name, to: service.log.to, file: file, isAlone: !hasChildren)
        if let user = launch.identity.uid {
            // Or the service could not open /dev/stdout, which is how many programs are told to write their log there.
            _ = fchown(pipes.output.number, user, gid_t.max)
            _ = fchown(pipes.error.number, user, gid_t.max)
        }
        return (pipes.output.number, pipes.error.number)
    }

    /// The writer of log files said something, ended, or is to be started again.
    func logWriterReady(_ kind: Token.Kind) {
        relay.writerReady(kind, quietly: waitsForStragglers)
        sayMessages()
    }

    private func sayMessages() {
        for message in relay.takeMessages() { log(message) }
    }

    /// Everything that was said before the end, written.
    func finishOutput() {
        relay.finishAll(milliseconds: Driver.lastWriteTime)
        sayMessages()
        standardError.drain(milliseconds: 0)
    }
}
