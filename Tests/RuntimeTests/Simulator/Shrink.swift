import ConfigParser

@testable import Runtime

/// A life that breaks a rule, made as short as can be found: the choices that it was made of are a list of numbers, and
/// pieces of the list are left out, set to 0 and made smaller for as long as the life that is left still breaks a rule. Then
/// it is told, step by step, with the list from which it can be lived again.

/// How a life went.
struct Outcome {
    /// nil: no rule was broken.
    var violation: Violation?
    var at: Int64
    var steps: Int
    var choices: [UInt64]
    var history: [String]
    /// Which kinds of announcements were heard.
    var heard: UInt64 = 0
}

func liveOut(_ stage: Stage, _ dice: Dice, tells: Bool) -> Outcome {
    var life = Life(stage, dice, tells: tells)
    var violation: Violation?
    do { try life.run() } catch let found { violation = found as? Violation ?? Violation(text: "\(found)") }
    return Outcome(
        violation: violation, at: life.now, steps: life.steps, choices: life.dice.choices, history: life.history ?? [],
        heard: life.heard)
}

/// A life from a list of choices.
func live(choices: [UInt64], tells: Bool = false) -> Outcome {
    var dice = Dice(choices: choices)
    do { return liveOut(try Stage(&dice), dice, tells: tells) } catch {
        return Outcome(violation: error as? Violation, at: 0, steps: 0, choices: choices, history: [])
    }
}

/// Lives by their seeds, so many of which share a stage.
struct Lives {
    static let onOneStage: UInt64 = 16
    private var stage: Stage?
    private var number = UInt64.max
    private var stageChoices: [UInt64] = []

    /// The life of a seed; with its choices, where they are to be recorded.
    mutating func live(seed: UInt64, records: Bool = false, tells: Bool = false) -> Outcome {
        if stage == nil || number != seed / Lives.onOneStage || records {
            number = seed / Lives.onOneStage
            var dice = Dice(seed: number &+ 1 << 60, records: records)
            stage = try? Stage(&dice)
            stageChoices = dice.choices
        }
        guard let stage else {
            return Outcome(violation: Violation(text: "no graph"), at: 0, steps: 0, choices: [], history: [])
        }
        var outcome = liveOut(stage, Dice(seed: seed, records: records), tells: tells)
        outcome.choices = stageChoices + outcome.choices
        return outcome
    }
}

/// The list with the fewest steps, and of those the shortest, that was found within so many tries.
func shrink(_ start: [UInt64], tries: Int) -> [UInt64] {
    var best = trimmed(start)
    var steps = live(choices: best).steps
    var left = tries
    /// Whether that breaks a rule too; then it is the best so far.
    func holds(_ candidate: [UInt64]) -> Bool {
        left -= 1
        let candidate = trimmed(candidate)
        let outcome = live(choices: candidate)
        guard outcome.violation != nil, outcome.steps < steps || outcome.steps == steps && isSimpler(candidate, best)
        else { return false }
        best = candidate
        steps = outcome.steps
        return true
    }
    var isBetter = true
    while isBetter && left > 0 {
        isBetter = false
        for size in [64, 32, 16, 8, 4, 3, 2, 1] {
            var place = best.count - size
            while place >= 0 && left > 0 {
                var candidate = best
                candidate.removeSubrange(place..<place + size)
                if holds(candidate) {
                    isBetter = true
                } else {
                    candidate = best
                    for index in place..<place + size { candidate[index] = 0 }
                    if holds(candidate) { isBetter = true }
                }
                place = min(place - max(size / 2, 1), best.count - size)
            }
        }
        var place = best.count - 1
        while place >= 0 && left > 0 {
            if place < best.count {
                for smaller in [best[place] / 2, best[place] &- 1] where best[place] > 0 && smaller < best[place] {
                    var candidate = best
                    candidate[place] = smaller
                    if holds(candidate) {
                        isBetter = true
                        break
                    }
                }
            }
            place -= 1
        }
    }
    return best
}

/// A list that ends in zeros is the list without them.
private func trimmed(_ choices: [UInt64]) -> [UInt64] {
    var choices = choices
    while choices.last == 0 { choices.removeLast() }
    return choices
}

private func isSimpler(_ left: [UInt64], _ right: [UInt64]) -> Bool {
    if left.count != right.count { return left.count < right.count }
    for (one, other) in zip(left, right) where one != other { return one < other }
    return false
}

/// What went wrong in the life of a seed: the shortest that was found, told, and a line for Regressions.swift.
func report(seed: UInt64, tries: Int = 5_000) -> String {
    var lives = Lives()
    let first = lives.live(seed: seed, records: true)
    guard first.violation != nil else { return "seed \(seed): nothing is wrong" }
    let choices = shrink(first.choices, tries: tries)
    let last = live(choices: choices, tells: true)
    let text = last.violation?.text ?? "?"
    return """
        seed \(seed): \(first.violation?.text ?? "?") (after \(first.steps) steps)
        The shortest life found that breaks a rule: \(text)
        \(last.history.joined(separator: "\n"))
        To live it again, in Tests/RuntimeTests/Simulator/Regressions.swift:
            ("\(text)", [\(choices.map(String.init).joined(separator: ", "))]),
        """
}
