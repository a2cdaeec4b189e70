import CSystem
import ConfigParser
import System

/// From a line of a client to its answer: who asks, whether it may, and which part carries it out. What takes time,
/// because a fact is waited for or because the answer is long, becomes a job of the client and goes on in later turns.

extension Driver {
    /// The next request of a client, where one is whole.
    func takeRequest(_ client: ControlClient, _ now: Instant) {
        while client.lines.isPartial {
            if !control.takeRequest() { return }
            switch client.lines.next(isEnd: client.hasEnded) {
            case .nothing: return
            case .tooLong:
                client.fail(ControlRequest.tooLong)
                client.isClosing = true
                return
            case .line(let line):
                client.requestSince = nil
                client.idleSince = now
                // What else it has sent comes in the next turn; so does everything where this one has had enough.
                if client.lines.isPartial { control.hasMore = true }
                if answered(client, line) { return }
            }
        }
    }

    /// Whether there was something to answer.
    private func answered(_ client: ControlClient, _ line: Bytes) -> Bool {
        do throws(ControlError) {
            guard let request = try ControlRequest.parse(line) else { return false }
            try carryOut(request, client)
        } catch {
            client.fail(error)
        }
        return true
    }

    private func carryOut(_ request: ControlRequest, _ client: ControlClient) throws(ControlError) {
        let rights = rights(of: client)
        let verb = ControlUsage.all[request.verb.rawValue].word
        func demand(_ access: ControlAccess) throws(ControlError) {
            if !rights.allows(access) { throw rights.refusal(verb, access) }
        }
        func demandEach() throws(ControlError) { for name in request.names { try demand(.service(name)) } }
        switch request.verb {
        case .help:
            try demand(.status)
            for usage in ControlUsage.all { client.line { $0.field("request", usage.line) } }
            client.finish()
        case .version:
            try demand(.status)
            client.finish { $0.field("version", options.version) }
        case .status:
            try demand(.status)
            client.job = .listing(ListingJob(.status, try known(request.names)))
        case .list:
            try demand(.status)
            client.job = .listing(ListingJob(.list, try known([])))
        case .graph:
            try demand(.status)
            client.job = .listing(ListingJob(.graph, try known([])))
        case .blame:
            try demand(.status)
            client.job = .listing(ListingJob(.blame, []))
        case .wait:
            try demand(.status)
            wait(client, request, try known(request.names), .state(up: request.up == true, asked: false))
        case .events:
            try demand(.status)
            client.job = .events(EventsJob(withLog: rights.isFull))
            client.line { $0.field("event", "hello") }
        case .metrics:
            try demand(.anyOperator)
            client.job = .metrics(MetricsJob(plain: request.isPlain, isHTTP: false))
        case .logs:
            try demandEach()
            try demand(.anyOperator)
            readLogs(client, request, try known(request.names), rights)
        case .show:
            try demandEach()
            for id in try known(request.names) { show(client, id) }
        case .signal:
            try demandEach()
            try signal(request, try known(request.names))
            client.finish()
        case .shutdown:
            try demand(.container)
            ask(.shutdownRequested(code: request.code))
            client.finish()
        case .reload where request.names.isEmpty:
            try demand(.container)
            try demandRunning()
            reloadConfiguration(client)
        case .start, .stop, .restart, .reload, .remove:
            try demandEach()
            try demandRunning()
            if request.verb == .stop || request.verb == .remove { try demandDependents(request, rights) }
            act(client, request, request.verb == .start ? try made(request.names) : try known(request.names))
        }
    }

    private func demandRunning() throws(ControlError) {
        if core.isStopping { throw ControlError(code: "stopping", message: "the container is stopping") }
    }

    /// Who stops a service stops those that require it: for these it needs the right, too. The members of a group are the
    /// group's; who requires one of them is not.
    private func demandDependents(_ request: ControlRequest, _ rights: ControlRights) throws(ControlError) {
        if rights.isFull { return }
        for id in try known(request.names) {
            let own = core.processes(behind: id) + [id]
            for other in core.withRequiring(own) where !own.contains(other) {
                guard services.indices.contains(other.index), state(of: other)?.isDown == false else { continue }
                let access = ControlAccess.service(services[other.index].name)
                if rights.allows(access) { continue }
                let error = rights.refusal("stop", access)
                let reason = say(
                    "% requires %% and would be stopped with it; ", services[other.index].name,
                    services[id.index].type == .group ? "a member of " : "", services[id.index].name)
                throw ControlError(code: error.code, message: reason + error.message, hint: error.hint)
            }
        }
    }

    // MARK: - Names

    /// The services of these names; without one, all.
    private func known(_ names: [String]) throws(ControlError) -> [ServiceID] {
        var list = [ServiceID]()
        for name in names {
            guard let id = serviceID(named: name) else { throw unknown(name) }
            list.append(id)
        }
        if names.isEmpty {
            // One that was removed leaves its definition behind until its slot is used again.
            for index in services.indices where report(of: ServiceID(index: index)) != nil {
                list.append(ServiceID(index: index))
            }
        }
        return list
    }

    /// The same; an instance of a template that is not known yet is made.
    private func made(_ names: [String]) throws(ControlError) -> [ServiceID] {
        for name in names where serviceID(named: name) == nil && instanceName(name) == nil { throw unknown(name) }
        var list = [ServiceID]()
        for name in names {
            if let id = serviceID(named: name) {
                list.append(id)
                continue
            }
            switch makeInstance(name) {
            case .made(let id), .exists(let id): list.append(id)
            case .refused(let error): throw error
            }
        }
        return list
    }

    private func unknown(_ name: String) -> ControlError {
        var hint = "\"list\" names all services"
        var names = [String]()
        for id in (try? known([])) ?? [] { names.append(services[id.index].name) }
        if let near = nearest(to: name, among: names) { hint = say("did you mean %?", near) }
        return ControlError(code: "unknown-service", message: say("there is no service %", shown(name)), hint: hint)
    }

    // MARK: - Rights

    private func rights(of client: ControlClient) -> ControlRights {
        if let rights = client.rights { return rights }
        var peer = ControlPeer(user: client.user, group: client.group)
        var accounts = Accounts(passwd: [], group: [])
        let settings = core.settings.control
        // Root needs no files to be known by.
        if peer.user != 0 {
            do throws(Errno) {
                accounts = try context.readAccounts()
            } catch {
                // Short of descriptors: by its number only, and not for the rest of its life.
                return ControlRights(peer, own: context.own.uid, settings: settings) { name, _ in Driver.number(name) }
            }
            if let account = accounts.account(uid: peer.user) {
                peer.name = account.name.shown
                peer.groups = accounts.groups(of: account.name, primary: account.gid)
            }
        }
        let rights = ControlRights(peer, own: context.own.uid, settings: settings) { name, isGroup in
            if isGroup { return accounts.gid(ofGroup: name.bytes) ?? Driver.number(name) }
            return accounts.account(named: name.bytes)?.uid ?? Driver.number(name)
        }
        client.rights = rights
        return rights
    }

    private static func number(_ text: String) -> UInt32? { Accounts.decimal(text.bytes) }

    // MARK: - What is done at once

    /// An event of the core, now; what it changes is told before the next line is answered.
    @discardableResult
    @inline(never)
    func ask(_ event: Event) -> [Effect] {
        let effects = core.handle(event, at: monotonicNow)
        for effect in effects { perform(effect) }
        noteChanges()
        return effects
    }

    private func signal(_ request: ControlRequest, _ list: [ServiceID]) throws(ControlError) {
        guard let signal = request.signal else { return }
        for id in list {
            var isSent = false
            for member in core.processes(behind: id) {
                let process = element(processes, member) ?? 0
                if process <= 0 { continue }
                let name = services[member.index].name
                let result = request.toGroup ? hi_kill_group(process, signal.number) : kill(process, signal.number)
                if result < 0 {
                    throw ControlError(
                        code: "failed", message: say("cannot send % to %: %", signal.name, name, Errno.current.text))
                }
                isSent = true
            }
            if !isSent {
                throw ControlError(
                    code: "conflict",
                    message: say("% has no process that a signal could be sent to", services[id.index].name))
            }
        }
    }
}
