// scripts/simulate [SEEDS] [FIRST]: lives of a container by the seed, against the rules, as many as are asked for. It is
// compiled with the core and with Tests/RuntimeTests/Simulator into one optimized program.
//
// The arguments are the number of lives, the first seed, and how often a life that fails is tried to be made shorter. It prints how many lives and steps there were, and how many steps
// in a second of the processor; for a seed that breaks a rule the shortest life that breaks one too, and ends with code 1.

import Glibc

/// The seed of the life that is lived, for the word about one in which the core itself comes to an end.
nonisolated(unsafe) var current: UInt64 = 0

@main
enum Simulator {
    /// Lives that are to last eleven hours, one for 5,000 of the others; many end before.
    static func liveLongLives(_ count: UInt64, _ first: UInt64) {
        var (steps, long) = (0, 0)
        for seed in first..<first + count / 5_000 {
            current = seed
            let outcome = liveLong(seed: seed, hours: 11)
            steps += outcome.steps
            if outcome.hours >= 10 && outcome.steps >= 2_000 { long += 1 }
            if let violation = outcome.violation {
                print("simulate: FAILED in the long life of seed \(seed), after \(outcome.hours) h: \(violation.text)")
                exit(1)
            }
        }
        print(
            "simulate: \(count / 5_000) long lives, \(long) of them of ten hours and more, \(steps) steps: nothing grew"
        )
    }

    static func main() {
        let arguments = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
        let count = arguments.first ?? 100_000
        let first = arguments.dropFirst().first ?? 0
        let tries = Int(arguments.dropFirst(2).first ?? 40_000)
        for number in [SIGILL, SIGTRAP, SIGSEGV] {
            _ = Glibc.signal(number) { _ in
                print("simulate: CRASHED in the life of seed \(current)")
                fflush(nil)
                _exit(1)
            }
        }
        var steps = 0
        var nanoseconds = 0.0
        var lives = Lives()
        for seed in first..<first + count {
            current = seed
            let outcome = lives.live(seed: seed)
            steps += outcome.steps
            nanoseconds += Double(outcome.at)
            if outcome.violation == nil { continue }
            print("simulate: FAILED in life \(seed - first + 1)")
            print(report(seed: seed, tries: tries))
            exit(1)
        }
        liveLongLives(count, first)
        // Of the processor, since it may have other things to do.
        let seconds = Double(clock()) / Double(CLOCKS_PER_SEC)
        let rate = Int(Double(steps) / max(seconds, 1e-9))
        print(
            "simulate: \(count) lives from seed \(first), \(Int(nanoseconds / 3.6e12)) hours of simulated time, \(steps) steps, "
                + "\(rate) in a second of the processor: no rule was broken")
    }
}
