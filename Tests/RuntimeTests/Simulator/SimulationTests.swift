import ConfigParser
import Testing

@testable import Runtime

/// Whole lives from seeds, and those that once broke a rule. `make simulate SEEDS=n` lives many more of them, optimized.
@Suite("Simulated lives of a container")
struct SimulationTests {
    /// As many as fit into some seconds of a debug build.
    static let lives: UInt64 = 32_000
    /// Shares, so that more than one processor can be used.
    static let shares: UInt64 = 8

    @Test("Every rule holds in every life, whatever happens in it", arguments: 0..<shares)
    func holds(share: UInt64) {
        var lives = Lives()
        let each = Self.lives / Self.shares
        var nanoseconds: Int64 = 0
        for seed in share * each..<(share + 1) * each {
            let outcome = lives.live(seed: seed)
            nanoseconds += outcome.at
            if outcome.violation == nil { continue }
            Issue.record(Comment(rawValue: report(seed: seed)))
            return
        }
        #expect(nanoseconds * Int64(Self.shares) > 10 * 3_600_000_000_000, "together more than ten hours")
    }

    @Test("A life that once broke a rule breaks none any more", arguments: regressions.indices)
    func regression(index: Int) {
        let (name, choices) = regressions[index]
        let outcome = live(choices: choices, tells: true)
        if let violation = outcome.violation {
            Issue.record(Comment(rawValue: "\(name): \(violation.text)\n" + outcome.history.joined(separator: "\n")))
        }
    }

    @Test("In ten hours of its own time the core holds no more than in the first ones")
    func growsNot() {
        var long = 0
        for seed in UInt64(0)..<500 where long < 1 {
            let outcome = liveLong(seed: seed, hours: 11)
            if outcome.hours >= 10 && outcome.steps >= 2_000 { long += 1 }
            if let violation = outcome.violation { Issue.record("seed \(seed): \(violation.text)") }
        }
        #expect(long == 1)
    }

    @Test("A seed gives the same life each time, and the choices that it was made of give it again")
    func replays() {
        var lives = Lives()
        for seed in UInt64(0)..<50 {
            let first = lives.live(seed: seed, records: true, tells: true)
            let again = live(choices: first.choices, tells: true)
            #expect(first.history == again.history)
            #expect(lives.live(seed: seed, tells: true).history == first.history)
        }
    }

    @Test("The lives are eventful enough: everything that the core can say is said in some of them")
    func everythingHappens() {
        var lives = Lives()
        var heard: UInt64 = 0
        var seed: UInt64 = 1 << 40
        let all: UInt64 = (1 << UInt64(Announcement.kinds)) - 1
        while heard & all != all && seed < (1 << 40) + 40_000 {
            heard |= lives.live(seed: seed).heard
            seed += 1
        }
        for kind in 0..<Announcement.kinds { #expect(heard & (1 << UInt64(kind)) != 0, "\(kind)") }
        #expect(heard & (1 << UInt64(Announcement.never)) == 0)
    }

    @Test("What is left of a life without any choice is the plainest one: nothing runs, and it is told to stop")
    func plainest() {
        let outcome = live(choices: [], tells: true)
        #expect(outcome.violation == nil)
        #expect(outcome.history.count < 8)
    }
}
