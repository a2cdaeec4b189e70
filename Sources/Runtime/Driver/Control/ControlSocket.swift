import CSystem
import ConfigParser
import System

/// The sockets of the control server: made at boot where there are service files, connections taken and given up, bytes
/// in and out. A socket that a former life left behind is replaced, one behind which somebody listens is not.

extension Driver {
    static let controlName = "control.sock"

    // MARK: - The beginning and the end

    /// Without service files there is nothing to control.
    func openControl() {
        let settings = core.settings.control
        if isBare || settings.mode == .off { return }
        core.recordsChanges = true
        control.timings.begin(services, core.graph, at: monotonicNow)
        listenForRequests()
        if let text = settings.http { listenForReaders(text) }
    }

    /// init.toml was read again, and says something else of `[control]` than before: that holds from now on.
    func controlChanged(from old: ControlSettings) {
        let new = core.settings.control
        for client in control.clients {
            guard let client else { continue }
            client.rights = nil
            if new.mode == .off { client.isClosing = true }
            if isTrusted(client.user) && new.mode != .off { continue }
            // Whether it may still hear that is looked at when it asks anew.
            switch client.job {
            case .logs, .events:
                endJob(client)
                client.finish()
            case .listing, .waiting, .metrics, .reading, nil: break
            }
        }
        if new.mode == .off, let listener = control.listener {
            loop.remove(listener.number)
            control.listener = nil
            removeSocket()
            log("the control socket (hermes-init ctl) is off now, until the container is started again")
        }
        let http = new.mode == .off ? nil : new.http
        if areSame(http, old.mode == .off ? nil : old.http) { return }
        if let readers = control.readers {
            loop.remove(readers.number)
            control.readers = nil
        }
        if let http {
            listenForReaders(http)
            if control.readers != nil { log(say("/metrics, /health and /ready are at % now", http)) }
        } else {
            log("/metrics, /health and /ready are off now")
        }
    }

    /// Root and the init's own user may do everything.
    private func isTrusted(_ user: UInt32) -> Bool { user == 0 || user == context.own.uid }

    private func removeSocket() {
        if !control.path.isEmpty { _ = control.path.withCString { hi_unlink($0) } }
        control.path = []
    }

    /// Somebody may have cleaned up /run: the socket is made again. So it is where it could not be made for lack of something.
    func keepListening() {
        if isBare || core.settings.control.mode == .off || core.isStopping { return }
        if let listener = control.listener {
            var file = hi_file()
            if control.path.withCString({ hi_lstat($0, &file) }) == 0 || Errno.current != .noEntry { return }
            loop.remove(listener.number)
            control.listener = nil
            log(say("somebody has removed %; it is made again", control.path.shown))
        } else if !control.mayComeBack {
            return
        }
        listenForRequests()
    }

    private func listenForRequests() {
        let isAgain = control.mayComeBack
        control.mayComeBack = false
        var failure = ""
        for folder in StatusFile.folders {
            let number = Bytes(folder.utf8).withCString { hi_open_own_folder($0) }
            if number < 0 {
                if failure.isEmpty { failure = say("cannot write in %: %", folder, Errno.current.text) }
                continue
            }
            _ = FileDescriptor(owning: number)
            let path = Bytes((say("%/%", folder, Driver.controlName)).utf8)
            if listens(path) {
                // Where /run is shared with another container, or with the machine.
                failure = say("another hermes-init has its control socket in %", folder)
                if core.settings.control.operators.isEmpty { return }
                break
            }
            _ = path.withCString { hi_unlink($0) }
            let listener = path.withCString { hi_listen_unix($0) }
            if listener >= 0 {
                let socket = FileDescriptor(owning: listener)
                if loop.addReader(socket, Token(.control)) {
                    control.listener = socket
                    control.path = path
                    if isAgain { log("the control socket is there now") }
                    return
                }
            }
            control.mayComeBack = Errno.current.isTransient
            failure = say("cannot make %: %", path.shown, Errno.current.text)
        }
        if isAgain && control.mayComeBack { return }
        log(
            say(
                "the control socket (hermes-init ctl) is off: %; mount a tmpfs there (docker run --tmpfs /run)", failure
            ))
    }

    /// Whether somebody answers at that path.
    private func listens(_ path: Bytes) -> Bool {
        let number = path.withUnsafeBufferPointer { hi_connect_unix($0.baseAddress, $0.count) }
        // A queue that is full is somebody's, too.
        if number < 0 { return Errno.current == .again }
        _ = FileDescriptor(owning: number)
        return true
    }

    private func listenForReaders(_ text: String) {
        var reason = "write a numeric address and a port, such as 127.0.0.1:9464"
        do throws(ProbeMistake) {
            let place = try ProbeAddress.parse(Bytes(text.utf8))
            if case .address(let bytes) = place.host {
                let number = bytes.withUnsafeBufferPointer { hi_listen_tcp($0.baseAddress, $0.count, place.port) }
                if number >= 0 {
                    let socket = FileDescriptor(owning: number)
                    if loop.addReader(socket, Token(.control, index: 1)) {
                        control.readers = socket
                        return
                    }
                }
                reason = Errno.current.text
            }
        } catch {
            reason = error.text
        }
        log(say("cannot listen on % ([control] http): %; /metrics, /health and /ready are off", text, reason))
    }

    /// The container ends: whoever still waits is told so, as far as that goes without waiting.
    func closeControl() {
        if !control.isOpen { return }
        control.scout.giveUp()
        removeSocket()
        for client in control.clients {
            guard let client else { continue }
            switch client.job {
            case .logs, .events: client.finish()
            case .waiting(let job): endWaiting(client, job)
            case .reading: client.fail(ControlError(code: "stopping", message: "the container is stopping"))
            case .listing, .metrics, nil: break
            }
            _ = send(client)
            close(client)
        }
        control.listener = nil
        control.readers = nil
    }

    var monotonicNow: Instant { Instant(nanoseconds: hi_monotonic_nanoseconds()) }

    // MARK: - Clients

    /// Connections are waiting.
    func acceptClients(_ which: Int) {
        guard let listener = which == 0 ? control.listener : control.readers else { return }
        for _ in 0..<ControlServer.acceptedAtOnce {
            var peer = hi_peer()
            let number = hi_accept(listener.number, &peer)
            if number < 0 {
                let error = Errno.current
                if error.code == ECONNABORTED { continue }
                // Without a descriptor the connection cannot even be refused: looked at again later.
                if error != .again { pauseControl() }
                return
            }
            take(FileDescriptor(owning: number), peer, isHTTP: which == 1)
        }
    }

    private func pauseControl() {
        control.pausedUntil = monotonicNow + ControlServer.pauseTime
        for socket in [control.listener, control.readers] { if let socket { loop.remove(socket.number) } }
    }

    private func resumeControl(_ now: Instant) {
        guard let until = control.pausedUntil, until <= now else { return }
        control.pausedUntil = nil
        var isBack = true
        if let socket = control.listener { isBack = loop.addReader(socket, Token(.control)) }
        if let socket = control.readers { isBack = loop.addReader(socket, Token(.control, index: 1)) && isBack }
        // Memory is short: both once more, a second later.
        if !isBack { pauseControl() }
    }

    private func take(_ socket: FileDescriptor, _ peer: hi_peer, isHTTP: Bool) {
        var same = 0
        for client in control.clients { if let client, client.isHTTP == isHTTP { same &+= 1 } }
        let most =
            isHTTP
            ? ControlServer.mostReaders : isTrusted(peer.user) ? ControlServer.mostClients : ControlServer.mostStrangers
        if same >= most {
            // One write into an empty buffer does not wait.
            let text =
                isHTTP
                ? "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                : "{\"ok\":false,\"error\":\"busy\",\"message\":\"too many clients are connected; try again\"}\n"
            let bytes = Bytes(text.utf8)
            _ = bytes.withUnsafeBytes { hi_send_nowait(socket.number, $0.baseAddress, $0.count) }
            return
        }
        var slot = 0
        while slot < control.clients.count && control.clients[slot] != nil { slot &+= 1 }
        let token = Token(.controlClient, index: slot, generation: nextGeneration())
        guard loop.addReader(socket, token) else { return }
        let client = ControlClient(socket: socket, token: token, isHTTP: isHTTP, peer: peer, now: monotonicNow)
        if slot == control.clients.count { control.clients.append(client) } else { control.clients[slot] = client }
        control.count &+= 1
        if isHTTP { return }
        client.line {
            $0.field("hermes-init", options.version)
            $0.number("protocol", 1)
        }
    }

    func close(_ client: ControlClient) {
        guard control.clients.indices.contains(client.token.index),
            control.clients[client.token.index] === client
        else { return }
        endJob(client)
        loop.remove(client.socket.number)
        // A stage that runs may hold a copy of the descriptor.
        hi_shutdown(client.socket.number, true)
        control.clients[client.token.index] = nil
        control.count &-= 1
        // What was needed to answer is given back.
        statusChanged()
    }

    /// Its socket can be read or written, or its other end is gone.
    func clientReady(_ token: Token) {
        guard let client = control.client(token) else { return }
        if client.waitsToRead {
            receive(client)
        } else if !client.waitsToWrite {
            // Nothing was waited for but this.
            close(client)
        }
    }

    /// What is read at once.
    private static let readSize = 4096
    /// Of what is thrown away.
    private static let mostThrownAway = 1 << 20

    private func receive(_ client: ControlClient) {
        withUnsafeTemporaryAllocation(byteCount: Driver.readSize, alignment: 8) { buffer in
            let count = hi_receive(client.socket.number, buffer.baseAddress, buffer.count)
            if count < 0 {
                let error = Errno.current
                if error != .again { close(client) }
                return
            }
            if count == 0 {
                client.hasEnded = true
                return
            }
            if client.lingers || client.isClosing { return }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if client.isHTTP { client.head.append(contentsOf: bytes) } else { client.lines.append(bytes) }
            if client.requestSince == nil { client.requestSince = monotonicNow }
        }
    }

    /// Writes what waits. False: the other end is gone.
    func send(_ client: ControlClient) -> Bool {
        guard let start = client.output.first, client.output.count > 0 else {
            client.stuckSince = nil
            return true
        }
        let count = hi_send_nowait(client.socket.number, start, min(client.output.count, ControlClient.readyForMore))
        if count > 0 {
            client.output.drop(count)
            client.stuckSince = client.output.count > 0 ? monotonicNow : nil
            return true
        }
        let error = Errno.current
        guard error == .again || error.code == EINTR else { return false }
        if client.stuckSince == nil { client.stuckSince = monotonicNow }
        return true
    }

    // MARK: - In each turn

    /// Once the core has seen every fact: what clients asked, what they are owed, and whose time is over.
    func keepControl() {
        finishReload()
        guard control.isOpen else { return }
        if control.count == 0 && control.pausedUntil == nil {
            control.due = nil
            return
        }
        let now = monotonicNow
        resumeControl(now)
        let count = control.clients.count
        control.first = count > 0 ? (control.first &+ 1) % count : 0
        for step in 0..<count {
            guard let client = control.clients[(control.first &+ step) % count] else { continue }
            serve(client, now)
        }
        control.due = control.pausedUntil
        for client in control.clients {
            guard let deadline = client?.deadline else { continue }
            if control.due.map({ deadline < $0 }) ?? true { control.due = deadline }
        }
    }

    private func serve(_ client: ControlClient, _ now: Instant) {
        if client.job != nil { client.idleSince = now }
        advance(client, now)
        if client.job == nil && client.requestSince == nil && client.lines.isPartial { client.requestSince = now }
        if client.job == nil && !client.isClosing && client.output.count < ControlClient.readyForMore {
            if client.isHTTP { takeHead(client) } else { takeRequest(client, now) }
            if client.job != nil { advance(client, now) }
        }
        guard send(client) else { return close(client) }
        if let deadline = client.deadline, deadline <= now, passDeadline(client, now) { return close(client) }
        if client.job == nil && client.output.count == 0
            && (client.isClosing || client.hasEnded && !client.lines.isPartial)
        {
            guard client.lingers && !client.hasEnded else { return close(client) }
            if !client.hasSaidAll {
                client.hasSaidAll = true
                client.idleSince = now
                hi_shutdown(client.socket.number, false)
            }
        }
        setInterest(client)
    }

    private func setInterest(_ client: ControlClient) {
        var reads = !client.hasEnded && client.job == nil && !client.lines.isFull
        if client.isClosing && !client.lingers { reads = false }
        // What it has sent already comes first.
        if client.output.count >= ControlClient.readyForMore { reads = false }
        let writes = client.output.count > 0
        if reads == client.waitsToRead && writes == client.waitsToWrite { return }
        client.waitsToRead = reads
        client.waitsToWrite = writes
        if !loop.set(client.socket.number, client.token, reads: reads, writes: writes) { close(client) }
    }

    /// A client's time is over. True: it is to be closed.
    private func passDeadline(_ client: ControlClient, _ now: Instant) -> Bool {
        if case .waiting(let job) = client.job, let end = job.deadline, end <= now {
            giveUpWaiting(client, job)
            return !send(client)
        }
        if case .reading(let end) = client.job, end <= now {
            control.scout.giveUp()
            client.fail(ControlError.hungFolders)
            return !send(client)
        }
        if client.requestSince != nil && !client.isHTTP && client.stuckSince == nil {
            client.fail(
                ControlError(
                    code: "timeout",
                    message: say("the request was not whole after %", ControlServer.requestTime.forPeople)))
            _ = send(client)
        }
        return true
    }
}
