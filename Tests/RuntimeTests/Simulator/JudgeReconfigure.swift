import ConfigParser

@testable import Runtime

/// What the judge makes of another configuration: who goes, who comes, who is started anew, and what holds for the others.

extension Judge {
    mutating func noteReconfiguration(_ change: Reconfiguration, at now: Int64) {
        if isStopping { return }
        settings = change.settings
        while all.count < change.services.count {
            var one = Kept()
            one.isVacant = true
            all.append(one)
            spawns.append([])
            next.append(nil)
            services.append(Service.vacant)
            facts.append(Rules.Facts(Service.vacant))
        }
        var removed: [Int] = []
        var isNew: [Int] = []
        for (index, service) in change.services.enumerated() {
            if service.isVacant {
                if !all[index].isVacant && !all[index].isRemoved {
                    all[index].isRemoved = true
                    next[index] = nil
                    removed.append(index)
                }
                continue
            }
            let edit = edits[index] ?? Edit()
            if edit.isNew { isNew.append(index) }
            all[index].isRemoved = false
            all[index].isVacant = false
            let isBusy = all[index].hasProcess || all[index].commandRuns || all[index].known == .stopping
            if all[index].known == .stopping || isBusy && (edit.isNew || edit.process || next[index] != nil) {
                next[index] = service
            } else {
                next[index] = service
                adopt(index)
                watchAnew(index, edit, at: now)
            }
        }
        takeRules(change.services)
        for index in removed {
            switch all[index].known {
            case .waiting, .checking, .backoff: become(index, .stopped)
            case .stopping: all[index].why = .stop
            case .idle, .starting, .running, .done, .skipped, .ended, .stopped, .failed: break
            }
            all[index].isMarked = true
        }
        bringUp(change, isNew)
    }

    private mutating func bringUp(_ change: Reconfiguration, _ isNew: [Int]) {
        // Who is up or on its way needs what it requires.
        var needed: [Int] = []
        for index in all.indices where !all[index].isMarked && !all[index].isRemoved && !all[index].isVacant {
            switch all[index].known {
            case .waiting, .checking, .starting, .running, .backoff: needed += rules.requires[index]
            case .stopping: if all[index].why != .stop { needed += rules.requires[index] }
            case .done: if facts[index].type == .group { needed += rules.requires[index] }
            case .idle, .skipped, .ended, .stopped, .failed: break
            }
        }
        needed = needed.filter {
            all[$0].isMarked || all[$0].known == .idle || all[$0].known == .stopped
                || all[$0].known == .stopping && all[$0].why == .stop
        }
        var roots: [Int] = []
        for id in change.added where isNew.contains(id.index) || all[id.index].known == .idle { roots.append(id.index) }
        for (index, edit) in edits where !edit.isNew && !all[index].isMarked && !roots.contains(index) {
            let known = all[index].known
            if edit.conditions && known == .skipped { roots.append(index) }
            guard edit.process, !roots.contains(index) else { continue }
            switch known {
            case .starting, .running: if index != main { roots.append(index) }
            case .stopping: if index != main && all[index].why != .stop { roots.append(index) }
            case .backoff, .done, .skipped, .ended, .failed: roots.append(index)
            case .idle, .waiting, .checking, .stopped: break
            }
        }
        var seen: [Int] = []
        for index in roots + needed { bringUp(index, roots: roots, again: true, &seen) }
    }

    /// Its process goes on under another definition.
    private mutating func watchAnew(_ index: Int, _ edit: Edit, at now: Int64) {
        guard all[index].known == .running, facts[index].type != .oneshot else { return }
        if isUp(index) {
            guard edit.health else { return }
            all[index].isRewatched = all[index].probe != nil
            all[index].failures = 0
            all[index].isSick = false
            all[index].probeFrom = now + facts[index].healthInterval
            all[index].fedBy = now + facts[index].healthInterval
        } else if edit.readiness {
            all[index].isRewatched = all[index].probe != nil
            all[index].readyBy = .max
            if facts[index].hasReady {
                all[index].readyBy = now + facts[index].readyTimeout
                all[index].probeFrom = now
            } else {
                becomeReady(index, at: now)
            }
        }
    }

    private mutating func takeRules(_ services: [Service]) {
        let old = rules
        rules = Rules(services)
        for index in all.indices where all[index].isRemoved {
            rules.waits[index] = old.waits[index]
            rules.requires[index] = old.requires[index]
            rules.needs[index] = []
            for other in old.requires[index] { rules.requiredBy[other].append(index) }
        }
    }

    /// From now on it is what the files say.
    @discardableResult
    mutating func adopt(_ index: Int) -> Bool {
        guard let new = next[index] else { return false }
        if new.restart.limit != facts[index].limit { spawns[index] = [] }
        services[index] = new
        facts[index] = Rules.Facts(new)
        next[index] = nil
        return true
    }

    mutating func checkForget(_ index: Int) throws {
        let one = all[index]
        guard one.isRemoved, !one.isMarked, isDown(index), one.reload == .none, one.probe == nil, !isStopping
        else { throw violated("\(name(index)) is forgotten too early") }
        all[index] = Kept()
        all[index].isVacant = true
        spawns[index] = []
        next[index] = nil
        rules.waits[index] = []
        rules.requires[index] = []
        rules.requiredBy[index] = []
        for other in all.indices { rules.requiredBy[other].removeAll { $0 == index } }
    }
}
