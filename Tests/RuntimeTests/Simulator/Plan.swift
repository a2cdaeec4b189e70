import ConfigParser

@testable import Runtime

/// Random sets of services for the simulation: graphs without a circle, of every type, policy, readiness, health and stop
/// behaviour. Small sets: what goes wrong among three services is found sooner than what goes wrong among thirty.

/// A container to be: what it runs, and how the init was called.
struct Plan {
    var services: [Service] = []
    var settings = Settings()
    var options = Core.Options()
    /// Its place in the order that says who may wait for whom: that of a service is twice the place of its name.
    var mainRank = -1
    static let names = (0..<8).map { "s\($0)" }
    static let command = [Template(literal: "x", span: nowhere)]
    static let text = Template(literal: "x", span: nowhere)

    init(_ dice: inout Dice) {
        options.seed = UInt64(dice.roll(1 << 30))
        let hasMain = dice.chance(75)
        options.isBare = hasMain && dice.chance(5)
        options.forwardsToGroup = dice.chance(20)
        options.suspendsItself = dice.chance(20)
        options.skipsStragglers = dice.chance(20)
        let count = options.isBare ? 0 : dice.roll(7)
        // The place in this order decides who may wait for whom; the place in the list is another.
        var order: [Service] = []
        for index in 0..<count { order.append(Plan.service(named: Plan.names[index], &dice)) }
        if hasMain {
            let main = Plan.main(&dice, isBare: options.isBare)
            let place = dice.roll(order.count + 1)
            order.insert(main, at: place)
            mainRank = 2 * place - 1
        }
        for index in order.indices where index > 0 { Plan.connect(&order, index, &dice) }
        while !order.isEmpty { services.append(order.remove(at: dice.roll(order.count))) }

        settings.shutdownTimeout = dice.pick([.seconds(9), .seconds(9), .seconds(3), .milliseconds(500)])
        for _ in 0..<(dice.chance(25) ? 1 + dice.roll(3) : 0) {
            let action: SignalAction = dice.pick([
                .forward, .forwardGroup, .stop, .ignore, .reload,
                .rewrite(dice.pick([.terminate, .interrupt, .hangup])),
            ])
            let number = dice.pick([SignalNumber.hangup, signal(10), .quit, .interrupt, .terminate])
            if !settings.signals.contains(where: { $0.signal == number }) { settings.signals.append((number, action)) }
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

    private static func main(_ dice: inout Dice, isBare: Bool) -> Service {
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
        if isBare {
            main.ready = nil
            main.health = nil
            main.reload = nil
            main.startTimeout = nil
        }
        return main
    }

    static func service(named name: String, _ dice: inout Dice) -> Service {
        var service = Service(name: name)
        service.type = dice.pick([.longrun, .longrun, .longrun, .oneshot, .oneshot, .group])
        service.autostart = !dice.chance(25)
        service.optional = dice.chance(15)
        service.essential = service.type == .longrun && dice.chance(8)
        if dice.chance(15) { service.when = [.tty(true)] }
        service.restart.policy = dice.pick([.always, .always, .onFailure, .never])
        service.restart.delay = dice.pick([.seconds(1), .milliseconds(10), .seconds(0)])
        service.restart.maxDelay = dice.pick([.seconds(5), .seconds(30), .milliseconds(5)])
        service.restart.factor = dice.pick([2, 1, 2, 10])
        service.restart.jitter = dice.pick([0, 0.1, 1])
        service.restart.resetAfter = dice.pick([.seconds(60), .seconds(1), .seconds(0)])
        if dice.chance(30) {
            service.restart.limit = 1 + dice.roll(4)
            service.restart.within = dice.pick([.seconds(60), .seconds(2)])
        }
        service.restart.successCodes = dice.pick([
            [.code(0)], [.code(0)], [.code(0), .code(3)], [.code(3), .signal(.terminate)],
        ])
        service.restart.neverAfter = dice.pick([[], [], [.code(78)], [.code(0), .signal(.kill)]])
        service.stop.timeout = dice.pick([.seconds(10), .seconds(2), .milliseconds(100), .seconds(0)])
        if dice.chance(20) { service.stop.command = command }
        if service.type != .group && dice.chance(20) { service.startTimeout = dice.pick([.seconds(30), .seconds(2)]) }
        if service.type == .longrun { watch(&service, &dice) }
        return service
    }

    private static func watch(_ service: inout Service, _ dice: inout Dice) {
        if dice.chance(50) {
            var ready = ReadyPolicy(
                dice.pick([.systemd, .descriptor(3), .log("up"), .probe(.tcp(text)), .probe(.command(command))]))
            ready.interval = dice.pick([.milliseconds(250), .seconds(2), .seconds(0)])
            ready.timeout = dice.pick([.seconds(60), .seconds(4), .milliseconds(20)])
            service.ready = ready
        }
        if dice.chance(50) {
            var health = HealthPolicy(
                dice.pick([.probe(.http(text)), .probe(.http(text)), .watchdog(dice.pick([.seconds(5), .seconds(1)]))]))
            health.interval = dice.pick([.seconds(10), .milliseconds(500), .seconds(0)])
            health.timeout = dice.pick([.seconds(3), .milliseconds(100)])
            health.startPeriod = dice.pick([.seconds(0), .seconds(5)])
            health.failures = 1 + dice.roll(3)
            health.action = dice.pick([.restart, .restart, .none, .stopContainer])
            service.health = health
        }
        if dice.chance(40) { service.reload = dice.chance(70) ? .command(command) : .signal(.hangup) }
    }
}
