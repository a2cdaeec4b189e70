import ConfigParser
import Testing

@testable import Runtime

/// What the driver may forward without asking again (`Core.plainForwarding`): exactly those signals for which the core would do
/// nothing but that, in every state. The simulator asks the same at each signal of each life.

@Suite("What is forwarded without asking")
struct ForwardingTests {
    /// The numbers that have a bit.
    static func numbers(_ plain: PlainForwarding) -> Set<Int32> {
        Set((Int32(1)...64).filter { plain.signals >> UInt64($0 - 1) & 1 == 1 })
    }

    static let all = Set(Int32(1)...64).subtracting([17])
    static let stops: Set<Int32> = [2, 3, 15]

    /// What has a bit has that one effect and changes nothing; gives the numbers.
    static func check(_ lab: Lab) -> Set<Int32> {
        let plain = lab.core.plainForwarding
        for number in numbers(plain) {
            var core = lab.core
            let effects = core.handle(.signal(signal(number)), at: Instant(nanoseconds: lab.now))
            let main = lab.id("main")
            #expect(effects == [plain.toGroup ? .signalGroup(main, signal(number)) : .signal(main, signal(number))])
            #expect(core.revision == lab.core.revision && core.stopSignals == lab.core.stopSignals)
            #expect(core.plainForwarding == plain && core.nextDeadline == lab.core.nextDeadline)
        }
        return numbers(plain)
    }

    @Test("All but SIGCHLD and those that begin the stop, while the main program runs; none before and after")
    func states() {
        var lab = Lab([make("main", .main), make("web")])
        #expect(Self.check(lab) == [])
        _ = lab.boot()
        #expect(Self.check(lab) == [])
        _ = lab.up("web")
        _ = lab.up("main")
        #expect(Self.check(lab) == Self.all.subtracting(Self.stops))
        _ = lab.hear(.terminate)
        #expect(Self.check(lab) == Self.all.subtracting(Self.stops))
        _ = lab.exit("main")
        #expect(Self.check(lab) == [])
    }

    @Test("None while it is being killed, or is about to start again")
    func restarts() {
        func again(_ service: inout Service) { service.restart.policy = .always }
        var lab = Lab([make("main", .main, change: again)])
        lab.bootAll()
        #expect(!Self.check(lab).isEmpty)
        _ = lab.exit("main", 1)
        #expect(Self.check(lab) == [])
        lab = Lab([make("main", .main)])
        lab.bootAll()
        for _ in 1...3 { _ = lab.hear(.terminate) }
        #expect(Self.check(lab) == [])
    }

    @Test("None without a main program")
    func noMain() {
        var lab = Lab([make("web")])
        lab.bootAll()
        #expect(Self.check(lab) == [])
    }

    @Test(
        "A rule takes a signal out, or brings it in",
        arguments: [
            (Int32(1), SignalAction.ignore, false), (1, .reload, false), (1, .stop, false), (1, .rewrite(.quit), false),
            (1, .forwardGroup, false), (1, .forward, true), (15, .forward, true), (17, .forward, false),
        ])
    func rules(number: Int32, action: SignalAction, isPlain: Bool) {
        let lab = SignalTests.lab([(signal(number), action)])
        #expect(Self.check(lab).contains(number) == isPlain)
    }

    @Test("The last rule for a signal counts")
    func lastRule() {
        #expect(Self.check(SignalTests.lab([(.hangup, .ignore), (.hangup, .forward)])).contains(1))
        #expect(!Self.check(SignalTests.lab([(.hangup, .forward), (.hangup, .ignore)])).contains(1))
    }

    @Test("To the group where every signal goes there; not what would stop the init as well")
    func group() {
        var options = Core.Options()
        options.forwardsToGroup = true
        options.suspendsItself = true
        let lab = SignalTests.lab(
            [(signal(10), .forward), (signal(12), .forwardGroup), (.terminalStop, .forwardGroup)], options: options)
        #expect(lab.core.plainForwarding.toGroup)
        #expect(Self.check(lab) == Self.all.subtracting(Self.stops).subtracting([10, 20, 21, 22]))
    }

    @Test("An init without services forwards those that stop, too")
    func bare() {
        var options = Core.Options()
        options.isBare = true
        var lab = Lab([make("main", .main)], options: options)
        lab.bootAll()
        #expect(Self.check(lab) == Self.all)
    }
}
