import ConfigParser
import Foundation
import Testing

@testable import Runtime

/// Whole lives from seeds. HERMES_SEED=n runs that one alone; HERMES_LIVES=n asks for another number of them.
@Suite("Simulated lives of a container")
struct SimulationTests {
    static let environment = ProcessInfo.processInfo.environment
    static let lives = UInt64(environment["HERMES_LIVES"] ?? "") ?? 100_000
    /// Shares, so that more than one processor can be used.
    static let shares: UInt64 = 8

    @Test("Every rule holds in every life, whatever happens in it", arguments: 0..<shares)
    func holds(share: UInt64) {
        if let seed = UInt64(Self.environment["HERMES_SEED"] ?? "") {
            if share == 0 { live(seed) }
            return
        }
        var failures = 0
        var seed = share
        while seed < Self.lives && failures < 3 {
            if !live(seed) { failures += 1 }
            seed += Self.shares
        }
    }

    @discardableResult
    private func live(_ seed: UInt64) -> Bool {
        do {
            var life = try Simulation(seed: seed)
            do {
                try life.run()
                return true
            } catch let violation as Violation {
                Issue.record("HERMES_SEED=\(seed), at \(life.now) ns: \(violation.text)")
            }
        } catch {
            Issue.record("HERMES_SEED=\(seed): \(error)")
        }
        return false
    }
}
