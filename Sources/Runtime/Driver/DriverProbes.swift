import CSystem
import ConfigParser
import System

/// Probes and reload commands: what the core asks for, carried out without waiting for any of it. The core asks for one probe
/// at a time and says when it has had enough of it; here is no clock. An answer that was given, but that the core has not seen
/// when it gives the probe up, is taken back.

extension Driver {
    /// Begins one try of a `[ready]` or `[health]`; the answer comes as an event.
    func probe(_ id: ServiceID, _ purpose: ProbePurpose) {
        cancelProbe(id, purpose)
        guard let watch = watches[id.index], let target = watch[purpose].target else {
            // Only for a service that was never started, which the core does not ask for.
            queue.append(.probed(id, purpose, .failed("there is nothing to probe")))
            return
        }
        switch target {
        case .wrong(let reason): answer(id.index, purpose, .failed(reason))
        case .path(let path):
            answer(
                id.index, purpose, fileKind(path) == .missing ? .failed(say("% does not exist", path.shown)) : .passed)
        case .unix(let path):
            var socket = SocketProbe(place: path, addresses: [], port: 0, request: [])
            let step = socket.begin(unix: path)
            stepped(id.index, purpose, socket, step)
        case .tcp(let address, let shown): connect(id.index, purpose, address, shown, request: [])
        case .http(let url, let shown): connect(id.index, purpose, url.address, shown, request: url.request)
        case .command(let launch):
            do throws(LaunchError) {
                watch[purpose].process = try spawn(launch, .probe(id.index, purpose), isMain: false)
            } catch {
                answer(id.index, purpose, .failed(error.failure.message))
            }
        }
    }

    private func connect(
        _ index: Int, _ purpose: ProbePurpose, _ address: ProbeAddress, _ shown: Bytes, request: Bytes
    ) {
        var found: [Bytes]
        switch address.host {
        case .address(let bytes): found = [bytes]
        case .localhost: found = ProbeAddress.loopback
        case .name(let name):
            // No name server is ever asked: PID 1 would have to wait for it.
            var file = Bytes()
            do throws(Errno) {
                file = try readFile(Bytes("/etc/hosts"), limit: Driver.largestHostsFile)
            } catch {
                file = []
            }
            found = addresses(of: name, inHosts: file)
            if found.isEmpty {
                let text = say(
                    "cannot find % (%): it is not in /etc/hosts, and hermes-init asks no name server; write an address",
                    name.shown, shown.shown)
                answer(index, purpose, .failed(text))
                return
            }
        }
        var socket = SocketProbe(place: shown, addresses: found, port: address.port, request: request)
        let step = socket.begin()
        stepped(index, purpose, socket, step)
    }

    private static let largestHostsFile = 1 << 18

    /// A probe's socket is ready.
    func probeReady(_ token: Token) {
        let purpose: ProbePurpose = token.index & 1 == 0 ? .readiness : .health
        let index = token.index >> 1
        guard let watch = watches[index], watch[purpose].generation == token.generation,
            var socket = watch[purpose].socket
        else { return }
        if let number = socket.socket?.number { loop.remove(number) }
        let step = socket.goOn()
        stepped(index, purpose, socket, step)
    }

    private func stepped(_ index: Int, _ purpose: ProbePurpose, _ socket: SocketProbe, _ step: SocketProbe.Step) {
        guard let watch = watches[index] else { return }
        if case .done(let result) = step {
            watch[purpose].socket = nil
            switch result {
            case .passed: answer(index, purpose, .passed)
            case .failed(let reason): answer(index, purpose, .failed(reason))
            }
            return
        }
        watch[purpose].socket = socket
        watch[purpose].generation = nextGeneration()
        guard let file = socket.socket else { return }
        let token = Token(
            .probe, index: index << 1 | (purpose == .health ? 1 : 0), generation: watch[purpose].generation)
        var isAdded = false
        if case .readable = step {
            isAdded = loop.addReader(file, token)
        } else {
            isAdded = loop.addWriter(file.number, token)
        }
        if !isAdded {
            watch[purpose].socket = nil
            answer(index, purpose, .failed(say("cannot wait for an answer: %", Errno.current.text)))
        }
    }

    /// A number that no token in the loop has.
    func nextGeneration() -> UInt32 {
        lastGeneration = (lastGeneration &+ 1) & 0xFF_FFFF
        return lastGeneration
    }

    private func answer(_ index: Int, _ purpose: ProbePurpose, _ result: ProbeResult) {
        watches[index]?[purpose].answer = queue.count
        queue.append(.probed(ServiceID(index: index), purpose, result))
    }

    /// Gives up the try that is under way.
    func cancelProbe(_ id: ServiceID, _ purpose: ProbePurpose) {
        guard let watch = watches[id.index] else { return }
        if let number = watch[purpose].socket?.socket?.number {
            loop.remove(number)
            watch[purpose].socket = nil
        }
        let process = watch[purpose].process
        if process > 0 {
            watch[purpose].process = 0
            killGroup(process)
        }
        // Not yet seen by the core: it is not to see it.
        if let place = watch[purpose].answer, queue.indices.contains(place),
            case .probed(let other, let otherPurpose, _) = queue[place], other == id, otherPurpose == purpose
        {
            queue[place] = .deadlinePassed
        }
        watch[purpose].answer = nil
    }

    /// SIGKILL to a child and what it started; before it has made its group there is only the process.
    private func killGroup(_ process: Int32) {
        if hi_kill_group(process, SIGKILL) < 0 { _ = kill(process, SIGKILL) }
    }

    /// The program of a probe could not be started.
    func probeCommandFailed(_ index: Int, _ purpose: ProbePurpose, _ process: Int32, _ failure: SpawnFailure) {
        guard let watch = watches[index], watch[purpose].process == process else { return }
        watch[purpose].process = 0
        answer(index, purpose, .failed(failure.message))
    }

    /// The program of a probe ended. What it started goes with it.
    func probeCommandEnded(_ index: Int, _ purpose: ProbePurpose, _ process: Int32, _ status: ExitStatus) {
        _ = hi_kill_group(process, SIGKILL)
        guard let watch = watches[index], watch[purpose].process == process else { return }
        watch[purpose].process = 0
        if status == .exited(code: 0) {
            answer(index, purpose, .passed)
            return
        }
        let name = watch[purpose].commandName
        answer(index, purpose, .failed(say("% %", name, status.forPeople)))
    }

    // MARK: - Reload

    /// Starts the command of `[reload]`.
    func runReloadCommand(_ id: ServiceID) {
        guard services.indices.contains(id.index), case .command(let words) = services[id.index].reload else {
            queue.append(.reloadCommandEnded(id, nil))
            return
        }
        let service = services[id.index]
        do throws(LaunchError) {
            let launch = try context(of: id.index).command(
                words, of: service, process: processes[id.index], key: "[reload] command")
            reloadCommands[id.index] = try spawn(launch, .reloadCommand(id.index), isMain: false)
        } catch {
            log(say("%: [reload] command: %", service.name, error.failure.message))
            queue.append(.reloadCommandEnded(id, nil))
        }
    }

    /// SIGKILL to the command of `[reload]`.
    func killReloadCommand(_ id: ServiceID) {
        if let process = reloadCommands[id.index] { killGroup(process) }
    }

    /// The command of `[reload]` ended, or could not be started.
    func reloadCommandEnded(_ index: Int, _ status: ExitStatus?) {
        reloadCommands[index] = nil
        queue.append(.reloadCommandEnded(ServiceID(index: index), status))
    }
}

extension ProbeSlot {
    /// The program of a command, for messages.
    fileprivate var commandName: String {
        if case .command(let launch) = target, let word = launch.arguments.first { return word.shown }
        return ""
    }
}
