import ConfigParser
import Testing

@testable import Runtime

@Suite("What is said")
struct AnnouncementTests {
    @Test(
        "A length of time is as exact as a person cares for",
        arguments: [
            (Int64(0), "0 ms"), (250, "250 ms"), (999, "999 ms"), (1000, "1 s"), (2149, "2.1 s"), (9949, "9.9 s"),
            (9950, "10 s"), (59_400, "59 s"), (60_000, "1 min"), (200_000, "3 min 20 s"), (3_600_000, "1 h"),
            (18_120_000, "5 h 2 min"), (-5, "0 ms"),
        ])
    func intervals(milliseconds: Int64, text: String) {
        #expect(Interval.milliseconds(milliseconds).forPeople == text)
    }

    @Test("A long list of services is cut, and says how many more there are")
    func longLists() {
        let services = (0..<12).map { make("s\($0)") }
        var list = ServiceList()
        for index in services.indices { list.append(ServiceID(index: index)) }
        let text = Announcement.stopForced(left: list).text(services: services)
        #expect(text.hasSuffix("s0, s1, s2, s3, s4, s5, s6, s7 and 4 more"))
    }

    @Test("A long chain of failures keeps its beginning and its root")
    func longChain() {
        let services = (0..<100).map { make("s\($0)", requires: $0 == 0 ? [] : ["s\($0 - 1)"]) }
        var lab = Lab(services)
        _ = lab.boot()
        _ = lab.cannotStart("s0")
        #expect(lab.said.count == 100)
        #expect(lab.said.last?.hasPrefix("s99: failed: requires s98, which failed because of s97") == true)
        #expect(lab.said.last?.hasSuffix("because of s0 (cannot run it)") == true)
        #expect(lab.said.allSatisfy { $0.utf8.count < 250 })
    }

    @Test(
        "Quick deaths are counted in words",
        arguments: [(2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st"), (113, "113th")])
    func ordinals(count: Int, text: String) {
        let announcement = Announcement.restarting(
            ServiceID(index: 0), .exited(code: 1), after: .milliseconds(2100), delay: .milliseconds(1900),
            quickDeaths: count, beforeReady: false)
        #expect(
            announcement.text(services: [make("dashboard")])
                == "dashboard: exited with code 1 after 2.1 s; starting it again in 1.9 s (\(text) quick death in a row)"
        )
    }

    @Test("Deadlines come in their order, each once, the later setting counts", arguments: UInt64(0)..<20)
    func deadlines(seed: UInt64) {
        var dice = Dice(seed: seed)
        let count = 14
        func purpose(_ slot: Int) -> Deadlines.Purpose {
            let id = ServiceID(index: slot % count)
            switch slot / count {
            case 0: return .life(id)
            case 1: return .check(id)
            case 2: return .reload(id)
            default: return [.ceiling, .lastCall, .stragglers][slot - 3 * count]
            }
        }
        var deadlines = Deadlines(services: count)
        var expected: [Int: Int64] = [:]
        for _ in 0..<400 {
            let slot = dice.roll(3 * count + 3)
            if dice.chance(30) {
                deadlines.clear(purpose(slot))
                expected[slot] = nil
            } else {
                let moment = Int64(dice.roll(50))
                deadlines.set(purpose(slot), Instant(nanoseconds: moment))
                expected[slot] = moment
            }
            #expect(deadlines.nearest?.nanoseconds == expected.values.min())
            #expect(deadlines.moment(of: purpose(slot))?.nanoseconds == expected[slot])
        }
        let order = expected.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value < $1.value }.map(\.key)
        for slot in order { #expect(deadlines.popDue(Instant(nanoseconds: 50)) == purpose(slot)) }
        #expect(deadlines.popDue(Instant(nanoseconds: .max)) == nil)
        deadlines.set(.life(ServiceID(index: -1)), Instant(nanoseconds: 1))
        deadlines.set(.check(ServiceID(index: count)), Instant(nanoseconds: 1))
        #expect(deadlines.nearest == nil)
    }
}
