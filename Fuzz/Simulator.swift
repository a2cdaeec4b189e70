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
        var lives = Lives()
        for seed in first..<first + count {
            current = seed
            let outcome = lives.live(seed: seed)
            steps += outcome.steps
            if outcome.violation == nil { continue }
            print("simulate: FAILED in life \(seed - first + 1)")
            print(report(seed: seed, tries: tries))
            exit(1)
        }
        // Of the processor, since it may have other things to do.
        let seconds = Double(clock()) / Double(CLOCKS_PER_SEC)
        let rate = Int(Double(steps) / max(seconds, 1e-9))
        print(
            "simulate: \(count) lives from seed \(first), \(steps) steps, \(rate) in a second of the processor: "
                + "no rule was broken")
    }
}
