import ConfigParser

@testable import Runtime

/// Random sets of services for the simulation: graphs without a circle, of every type, policy and stop behaviour. Small
/// sets: what goes wrong among three services is found sooner than what goes wrong among thirty.

/// A seeded generator with the few questions that a simulation asks.
struct Dice {
    private var bits: RandomBits

    init(seed: UInt64) { bits = RandomBits(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 1) }

    mutating func roll(_ sides: Int) -> Int { Int(truncatingIfNeeded: bits.next() >> 33) % sides }
    mutating func chance(_ percent: Int) -> Bool { roll(100) < percent }
    mutating func pick<Element>(_ list: [Element]) -> Element { list[roll(list.count)] }
    /// Nanoseconds up to a number of milliseconds.
    mutating func time(upToMilliseconds most: Int) -> Int64 {
        Int64(truncatingIfNeeded: bits.next() >> 24) % (Int64(most) * 1_000_000 + 1)
    }
    mutating func bits64() -> UInt64 { bits.next() }
}

let nowhere = Span(file: FileID(index: 0), start: 0, end: 0)

func signal(_ number: Int32) -> SignalNumber { SignalNumber(number) ?? .terminate }

/// A container to be: what it runs, and how the init was called.
struct Plan {
    var services: [Service] = []
    var settings = Settings()
    var options = Core.Options()

    init(_ dice: inout Dice) {
        options.seed = dice.bits64()
        let hasMain = dice.chance(75)
        options.isBare = hasMain && dice.chance(10)
        options.forwardsToGroup = dice.chance(20)
        options.suspendsItself = dice.chance(20)
        options.skipsStragglers = dice.chance(20)
        let count = options.isBare ? 0 : dice.roll(7)
        // The place in this order decides who may wait for whom; the place in the list is another.
        var order: [Service] = []
        for index in 0..<count { order.append(Plan.service(named: "s\(index)", &dice)) }
        if hasMain { order.insert(Plan.main(&dice), at: dice.roll(order.count + 1)) }
        for index in order.indices where index > 0 { Plan.connect(&order, index, &dice) }
        while !order.isEmpty { services.append(order.remove(at: dice.roll(order.count))) }

        settings.shutdownTimeout = dice.pick([.seconds(9), .seconds(9), .seconds(3), .milliseconds(500)])
        if dice.chance(25) {
            for _ in 0..<1 + dice.roll(3) {
                let action: SignalAction = dice.pick([
                    .forward, .forwardGroup, .stop, .ignore, .rewrite(dice.pick([.terminate, .interrupt, .hangup])),
                ])
                let number = dice.pick([SignalNumber.terminate, .interrupt, .quit, .hangup, signal(10)])
                if !settings.signals.contains(where: { $0.signal == number }) {
                    settings.signals.append((number, action))
                }
            }
        }
    }

    private static func connect(_ order: inout [Service], _ index: Int, _ dice: inout Dice) {
        for other in 0..<index where dice.chance(30) {
            let reference = Reference(name: order[other].name, span: nowhere)
            switch dice.roll(6) {
            case 0, 1, 2: order[index].requires.append(reference)
            case 3: order[index].wants.append(reference)
            case 4: order[index].after.append(reference)
            default: order[other].before.append(Reference(name: order[index].name, span: nowhere))
            }
            if dice.chance(10) { order[index].after.append(reference) }
        }
        if dice.chance(5) { order[index].after.append(Reference(name: "nobody", span: nowhere)) }
    }

    private static func main(_ dice: inout Dice) -> Service {
        var main = service(named: "main", &dice)
        main.type = .main
        main.optional = false
        main.essential = false
        main.autostart = true
        if dice.chance(70) { main.restart.policy = .never }
        if dice.chance(90) { main.when = [] }
        if dice.chance(25) {
            main.stop.signal = .quit
            main.stop.signalIsExplicit = true
        }
        return main
    }

    private static func service(named name: String, _ dice: inout Dice) -> Service {
        var service = Service(name: name)
        service.type = dice.pick([.longrun, .longrun, .longrun, .oneshot, .oneshot, .group])
        service.autostart = dice.chance(75)
        service.optional = dice.chance(15)
        service.essential = service.type == .longrun && dice.chance(8)
        if dice.chance(15) { service.when = [.tty(true)] }
        service.restart.policy = dice.pick([.always, .always, .onFailure, .never])
        service.restart.delay = dice.pick([.seconds(0), .milliseconds(10), .seconds(1)])
        service.restart.maxDelay = dice.pick([.seconds(5), .seconds(30), .milliseconds(5)])
        service.restart.factor = dice.pick([1, 2, 2, 10])
        service.restart.jitter = dice.pick([0, 0.1, 1])
        service.restart.resetAfter = dice.pick([.seconds(0), .seconds(1), .seconds(60)])
        if dice.chance(30) {
            service.restart.limit = 1 + dice.roll(4)
            service.restart.within = dice.pick([.seconds(2), .seconds(60)])
        }
        service.restart.successCodes = dice.pick([
            [.code(0)], [.code(0)], [.code(0), .code(3)], [.code(3), .signal(.terminate)],
        ])
        service.restart.neverAfter = dice.pick([[], [], [.code(78)], [.code(0), .signal(.kill)]])
        service.stop.timeout = dice.pick([.seconds(0), .milliseconds(100), .seconds(2), .seconds(10)])
        if dice.chance(20) { service.stop.command = [Template(literal: "bye", span: nowhere)] }
        return service
    }
}
