import CSystem
import ConfigParser
import System

/// The ways on which a service tells of itself: a newline on a descriptor (s6), datagrams to NOTIFY_SOCKET (sd_notify(3)), a
/// text in its output. Each becomes an event; none comes to the core before the exec of the same process has. Who sends a
/// datagram is asked of the kernel, and strangers are not heard.

extension Driver {
    /// Makes ready what a start needs: the targets of the probes, the pipe or the socket, the variables that name them.
    func prepareWatch(_ index: Int, _ launch: inout Launch) throws(LaunchError) {
        let service = services[index]
        guard service.ready != nil || service.health != nil else { return }
        endWatch(index)
        let watch = ServiceWatch()
        watches[index] = watch
        setTargets(service, watch, launch)
        watch.generation = nextGeneration()
        do throws(Errno) {
            switch service.ready?.readiness {
            case .descriptor(let number):
                let (readEnd, writeEnd) = try FileDescriptor.pipe()
                try loop.mustAddReader(readEnd, Token(.notifyPipe, index: index, generation: watch.generation))
                watch.pipe = readEnd
                launch.notify = (writeEnd, number)
            case .systemd: try openSocket(index, watch, &launch)
            case .log, .probe, nil: break
            }
        } catch {
            throw LaunchError(cloneFailure(error))
        }
        guard case .watchdog(let interval) = service.health?.check else { return }
        launch.environment.set("WATCHDOG_USEC", Bytes(String(interval.nanoseconds / 1000).utf8))
        // The child writes its own number over this.
        launch.environment.set("WATCHDOG_PID", Bytes(repeating: 0x30, count: 10))
        launch.tellsOwnProcess = true
    }

    /// Where the probes of a service go.
    func setTargets(_ service: Service, _ watch: ServiceWatch, _ launch: Launch) {
        if let ready = service.ready, case .probe(let probe) = ready.readiness {
            watch.readiness.target = context.target(probe, launch, "[ready] ")
        }
        if let health = service.health, case .probe(let probe) = health.check {
            watch.health.target = context.target(probe, launch, "[health] ")
        }
    }

    private func openSocket(_ index: Int, _ watch: ServiceWatch, _ launch: inout Launch) throws(Errno) {
        var name = Bytes(repeating: 0, count: 108)
        var length = 0
        let number = name.withUnsafeMutableBufferPointer { hi_notify_socket($0.baseAddress, &length) }
        if number < 0 { throw Errno.current }
        let socket = FileDescriptor(owning: number)
        try loop.mustAddReader(socket, Token(.notifySocket, index: index, generation: watch.generation))
        watch.socket = socket
        // "@" stands for the NUL at the beginning of an abstract name.
        launch.environment.set("NOTIFY_SOCKET", [0x40] + Bytes(name.prefix(length)))
    }

    /// The process that was prepared for is there.
    func watchStarted(_ index: Int, _ process: Int32, hasSession: Bool) {
        watches[index]?.session = hasSession ? process : 0
        // Its output has its place now, and nothing of it was read yet.
        if case .log(let text) = services[index].ready?.readiness {
            relay.watch(service: index, text: Bytes(text.utf8))
        }
    }

    /// It runs its program: what it told before counts now.
    func watchRuns(_ index: Int) {
        guard let watch = watches[index], !watch.runs else { return }
        watch.runs = true
        queue.append(contentsOf: watch.held)
        watch.held = []
    }

    /// Its process ended, or is made anew: nothing more is heard of it.
    func endWatch(_ index: Int) {
        guard let watch = watches[index] else { return }
        cancelProbe(ServiceID(index: index), .readiness)
        cancelProbe(ServiceID(index: index), .health)
        closePipe(watch)
        if let socket = watch.socket { loop.remove(socket.number) }
        watch.socket = nil
        watch.held = []
        watch.mainProcess = 0
    }

    private func closePipe(_ watch: ServiceWatch) {
        if let pipe = watch.pipe { loop.remove(pipe.number) }
        watch.pipe = nil
    }

    private func hear(_ index: Int, _ watch: ServiceWatch, _ event: Event) {
        if watch.runs {
            queue.append(event)
        } else if watch.held.count < ServiceWatch.mostHeld {
            watch.held.append(event)
        }
    }

    /// Texts that were waited for stand in the output.
    func lookForTexts() {
        for index in relay.takeFound() {
            if let watch = watches[index] { hear(index, watch, .ready(ServiceID(index: index))) }
        }
    }

    // MARK: - The descriptor

    /// Something came through the pipe of `notify = N`, or its end.
    func notifyPipeReady(_ token: Token) {
        guard let watch = watches[token.index], watch.generation == token.generation, let pipe = watch.pipe else {
            return
        }
        var bytes = Bytes(repeating: 0, count: 512)
        var count = 0
        var failure: Errno?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(Errno) { count = try pipe.read(into: buffer) } catch { failure = error }
        }
        if failure != nil { return }
        if bytes.prefix(count).contains(0x0A) {
            closePipe(watch)
            hear(token.index, watch, .ready(ServiceID(index: token.index)))
            return
        }
        if count > 0 { return }
        closePipe(watch)
        // A process that ends closes everything; that is told as its end.
        guard let process = element(processes, ServiceID(index: token.index)), process > 0,
            !ProcessRelations.isEnding(process)
        else { return }
        log(
            say(
                "%: closed the descriptor of [ready] notify without a newline, so it will not become ready",
                services[token.index].name))
    }

    // MARK: - The socket

    /// Datagrams wait.
    func notifySocketReady(_ token: Token) {
        guard let watch = watches[token.index], watch.generation == token.generation else { return }
        readNotifications(token.index, watch)
    }

    private func readNotifications(_ index: Int, _ watch: ServiceWatch) {
        guard let socket = watch.socket else { return }
        var bytes = Bytes(repeating: 0, count: NotifyMessage.longest)
        for _ in 0..<ServiceWatch.messagesAtOnce {
            var sender = hi_sender()
            let count = bytes.withUnsafeMutableBytes {
                hi_receive_notification(socket.number, $0.baseAddress, $0.count, &sender)
            }
            if count < 0 { return }
            guard !sender.is_cut, belongs(sender.process, index, watch) else {
                if !watch.toldOfStranger { tellOfStranger(index, sender) }
                watch.toldOfStranger = true
                continue
            }
            take(NotifyMessage(bytes.prefix(count)), index, watch, sender)
        }
    }

    private func tellOfStranger(_ index: Int, _ sender: hi_sender) {
        var reason = "it is not of this service"
        if sender.is_cut {
            reason = say("it has more than % bytes", String(NotifyMessage.longest))
        } else if sender.process == 0 || kill(sender.process, 0) < 0 && Errno.current.code == ESRCH {
            reason = "it has ended already, so that nobody can say whose it was"
        }
        log(
            say(
                "%: passed over a message to its NOTIFY_SOCKET from process %: % (said once)", services[index].name,
                String(sender.process), reason))
    }

    /// Whether a process is of that service: its own, of its session or group, a descendant, or in its cgroup.
    private func belongs(_ process: Int32, _ index: Int, _ watch: ServiceWatch) -> Bool {
        guard process > 1, process != own, let main = element(processes, ServiceID(index: index)), main > 0 else {
            return false
        }
        if process == main { return true }
        if watch.session > 0 && getsid(process) == watch.session { return true }
        if groups[index] > 1 && getpgid(process) == groups[index] { return true }
        return ProcessRelations.descends(process, from: main) { ProcessRelations.parent(of: $0) }
            || cgroups.members(index).contains(process)
    }

    private func take(_ message: NotifyMessage, _ index: Int, _ watch: ServiceWatch, _ sender: hi_sender) {
        let id = ServiceID(index: index)
        if let status = message.status { watch.status = status }
        if message.isReloading { watch.isReloading = true }
        if let process = message.mainProcess { takeMainProcess(process, index, watch, sender) }
        if let interval = message.extendedBy { hear(index, watch, .timeoutExtended(id, by: interval)) }
        if message.isReady {
            watch.isReloading = false
            hear(index, watch, .ready(id))
        }
        if message.isStopping { hear(index, watch, .stoppingTold(id)) }
        switch message.watchdog {
        case .none: break
        case .fed: hear(index, watch, .watchdogFed(id))
        case .triggered: hear(index, watch, .watchdogTriggered(id))
        }
        statusChanged()
    }

    /// MAINPID: the process in which the service goes on when this one ends. One of its own, or one that became the init's
    /// child and runs as the user who says so: nobody can put forward a process that is another's.
    private func takeMainProcess(_ process: Int32, _ index: Int, _ watch: ServiceWatch, _ sender: hi_sender) {
        if process == processes[index] {
            watch.mainProcess = 0
            return
        }
        var isItsOwn = owners[process] == nil && belongs(process, index, watch)
        if !isItsOwn && owners[process] == nil && ProcessRelations.parent(of: process) == own {
            var file = hi_file()
            let path = Bytes((say("/proc/%", String(process))).utf8)
            isItsOwn =
                sender.user == 0
                || path.withCString { hi_stat($0, &file) } == 0 && file.user == sender.user
        }
        if isItsOwn {
            watch.mainProcess = process
            return
        }
        log(
            say("%: told MAINPID=%, which is no process of its own; passed over", services[index].name, String(process))
        )
    }

    /// The service's process was reaped. True where the service goes on in the process that it named: then nothing ended.
    func livesOn(_ index: Int) -> Bool {
        guard let watch = watches[index] else { return false }
        // What it told last was told before it ended. Its children can still be asked for.
        readNotifications(index, watch)
        let next = watch.mainProcess
        if next <= 0 { return false }
        watch.mainProcess = 0
        guard owners[next] == nil, ProcessRelations.parent(of: next) == own else {
            log(
                say(
                    "%: its process ended, and the one that it named (MAINPID=%) is no child of hermes-init",
                    services[index].name, String(next)))
            return false
        }
        owners[next] = .service(index)
        processes[index] = next
        groups[index] = getpgid(next)
        if groups[index] == getpgrp() { groups[index] = 0 }
        watch.session = getsid(next)
        if watch.session == getsid(0) { watch.session = 0 }
        log(say("%: goes on in process %", services[index].name, String(next)))
        return true
    }
}

extension LaunchContext {
    /// Where a probe goes, with the variables of the service's environment.
    func target(_ probe: Probe, _ launch: Launch, _ table: String) -> ProbeTarget {
        do throws(LaunchError) {
            switch probe {
            case .tcp(let text):
                return try address(text, launch, say("%tcp", table)) { shown throws(ProbeMistake) in
                    .tcp(try ProbeAddress.parse(shown), shown: shown)
                }
            case .http(let text):
                return try address(text, launch, say("%http", table)) { shown throws(ProbeMistake) in
                    .http(try ProbeURL.parse(shown), shown: shown)
                }
            case .unix(let text): return .unix(try path(text, launch, say("%unix", table)))
            case .path(let text): return .path(try path(text, launch, say("%path", table)))
            case .command(let words): return .command(try command(words, like: launch, key: say("%command", table)))
            }
        } catch {
            return .wrong(error.failure.message)
        }
    }

    private func address(
        _ text: Template, _ launch: Launch, _ key: String, _ parse: (Bytes) throws(ProbeMistake) -> ProbeTarget
    ) throws(LaunchError) -> ProbeTarget {
        let shown = try expand(text, launch.environment, key)
        do throws(ProbeMistake) {
            return try parse(shown)
        } catch {
            return .wrong(say("% = \"%\": %", key, shown.shown, error.text))
        }
    }

    /// As the service would see it, from its own directory.
    private func path(_ text: Template, _ launch: Launch, _ key: String) throws(LaunchError) -> Bytes {
        let path = try expand(text, launch.environment, key)
        if path.isEmpty { return path }
        guard path.first != 0x2F, let directory = launch.directory else { return path }
        return directory + [0x2F] + path
    }
}
