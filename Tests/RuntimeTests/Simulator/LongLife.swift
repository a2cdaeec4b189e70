import ConfigParser

@testable import Runtime

/// Lives that last ten hours and more of their own time: services that die and come back, probes, requests, signals and
/// other configurations in every hour, some ten thousand events. The judge looks on as in any life; besides, what the core
/// keeps is measured again and again, and the last hours must not have more of it than the first ones had.

struct LongLife {
    static let hour: Int64 = 3_600_000_000_000
    /// How long the life is to last, in nanoseconds; 0: it is an ordinary one.
    var lasts: Int64 = 0
    /// The most values that the core held, in each hour.
    var most: [Int] = []
    /// The most that was waiting in the simulated world, which must not grow either, or the test would measure itself.
    var mostWaiting: [Int] = []
}

extension Life {
    /// How often it is measured, in steps.
    private static let measuredEvery = 1024
    /// In an hour.
    private static let requests = 12
    private static let signals = 4
    private static let reconfigurations = 1
    /// What a set of services that changes all the time may differ by from one hour to another. What is kept of each restart
    /// or each probe would be far more.
    private static let allowed = (times: 2, more: 500)

    /// What comes from outside in each hour.
    mutating func planLongLife() {
        let milliseconds = Int(LongLife.hour / 1_000_000)
        for hour in 0..<max(1, long.lasts / LongLife.hour) {
            let start = hour * LongLife.hour
            for _ in 0..<(plan.services.isEmpty || plan.options.isBare ? 0 : Life.requests) {
                let id = ServiceID(index: dice.roll(plan.services.count))
                schedule(
                    start + dice.time(upToMilliseconds: milliseconds),
                    .request(id, dice.pick([.restart, .stop, .start, .start, .reload])))
            }
            for _ in 0..<Life.signals {
                let other: SignalNumber = dice.pick([.hangup, signal(10), .continue, .child, signal(34)])
                schedule(start + dice.time(upToMilliseconds: milliseconds), .outside(other))
            }
            for _ in 0..<(plan.options.isBare ? 0 : Life.reconfigurations) {
                schedule(start + dice.time(upToMilliseconds: milliseconds), .reconfiguration)
            }
            schedule(start + dice.time(upToMilliseconds: milliseconds), .spurious)
        }
    }

    /// Every now and then: how much the core holds.
    mutating func measure() throws {
        let hour = Int(now / LongLife.hour)
        if steps % Life.measuredEvery != 0 && hour < long.most.count { return }
        while long.most.count <= hour {
            long.most.append(0)
            long.mostWaiting.append(0)
        }
        long.most[hour] = max(long.most[hour], values(in: core.measured))
        long.mostWaiting[hour] = max(long.mostWaiting[hour], queue.count)
    }

    /// Throws where the second half of a life held more than the first one allows.
    func checkGrowth() throws {
        let half = long.most.count / 2
        if half == 0 { return }
        let (before, after) = (long.most[..<half].max() ?? 0, long.most[half...].max() ?? 0)
        if after > before * Life.allowed.times + Life.allowed.more {
            throw Violation(text: "the core grows: by the hour \(long.most)")
        }
    }
}

extension Core {
    /// What can grow.
    fileprivate var measured: [Any] { [machines, deadlines, work, effects, changes, kept, services.count, graph] }
}

/// How many values something is made of, through and through.
private func values(in thing: Any) -> Int {
    if thing is String || thing is Int || thing is Int64 || thing is Bool || thing is Int32 || thing is UInt64 {
        return 1
    }
    var count = 1
    for child in Mirror(reflecting: thing).children { count += values(in: child.value) }
    return count
}

/// How a long life went.
struct LongOutcome {
    var violation: Violation?
    var hours = 0
    var steps = 0
    var most: [Int] = []
}

/// A container without a main program, in which nothing is the end of all: services that come back for ever.
private func unending(_ plan: inout Plan) {
    for index in plan.services.indices {
        plan.services[index].essential = false
        if plan.services[index].type == .oneshot { plan.services[index].optional = true }
        if plan.services[index].type == .longrun {
            plan.services[index].restart.policy = .always
            plan.services[index].restart.limit = nil
        }
        if plan.services[index].health != nil { plan.services[index].health?.action = .restart }
    }
}

/// The life of a seed that is to last so many hours. It may end before, at once where the dice give a main program: what they
/// bring later may make a service essential.
func liveLong(seed: UInt64, hours: Int) -> LongOutcome {
    var dice = Dice(seed: seed &+ 1 << 61)
    var outcome = LongOutcome()
    do {
        let stage = try Stage(&dice, adapt: unending)
        if stage.plan.mainRank >= 0 { return outcome }
        var life = Life(stage, dice)
        life.long.lasts = Int64(hours) * LongLife.hour
        defer {
            outcome.hours = Int(life.now / LongLife.hour)
            outcome.steps = life.steps
            outcome.most = life.long.most
        }
        try life.run()
        try life.checkGrowth()
    } catch let violation as Violation {
        outcome.violation = violation
    } catch {
        outcome.violation = Violation(text: "\(error)")
    }
    return outcome
}
