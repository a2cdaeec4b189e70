import ConfigParser

/// What follows when a process ends, and how long to wait before the next one. Pure functions of the policy, the exit
/// status and a random number that the caller brings; nothing here knows of the other services.

/// What follows.
enum Verdict: Equatable, Sendable {
    /// A oneshot succeeded.
    case done
    /// A longrun or main program came to an end that its policy accepts.
    case ended
    case failed
    case restart
}

extension ExitStatus {
    /// Whether a list of `success-codes` or `never-after` names this end.
    func isAmong(_ conditions: [ExitCondition]) -> Bool {
        for condition in conditions {
            switch (condition, self) {
            case (.code(let code), .exited(let own)) where code == own: return true
            case (.signal(let signal), .signaled(let own, _)) where signal == own: return true
            case (.code, .exited), (.signal, .signaled), (.code, .signaled), (.signal, .exited): continue
            }
        }
        return false
    }
}

extension RestartPolicy {
    /// What follows when a process of a service of that type ends by itself. The main program never fails by its exit
    /// status: where it is not restarted, it has ended, and its status is the container's.
    func verdict(for type: ServiceType, _ status: ExitStatus) -> Verdict {
        let isSuccess = status.isAmong(successCodes)
        let isFinal = status.isAmong(neverAfter)
        switch type {
        case .oneshot:
            if isSuccess { return .done }
            return policy == .onFailure && !isFinal ? .restart : .failed
        case .longrun, .main, .group:
            let end: Verdict = isSuccess || type == .main ? .ended : .failed
            if isFinal { return end }
            switch policy {
            case .always: return .restart
            case .onFailure: return isSuccess ? .ended : .restart
            case .never: return end
            }
        }
    }

    /// How long to wait before the next start: delay·factor^(attempt-1), at most max-delay, made longer or shorter by
    /// up to the share `jitter`. Never longer than max-delay, and never shorter than the shortest first delay (or
    /// max-delay, if that is less).
    ///
    /// - Parameters:
    ///   - attempt: 1 for the first quick death in a row.
    ///   - random: 64 random bits.
    func delay(attempt: Int, random: UInt64) -> Interval {
        let first = Double(max(delay.nanoseconds, 0))
        let most = Double(max(maxDelay.nanoseconds, 0))
        guard first > 0, most > 0 else { return Interval(nanoseconds: 0) }
        let share = jitter > 0 ? min(jitter, 1) : 0
        let grown = first * RestartPolicy.power(factor, attempt &- 1)
        // Written so that a number that is none (infinity times nothing) counts as the most.
        let base = grown < most ? grown : most
        // The upper 53 bits as a number from -1 up to 1.
        let swing = Double(random >> 11) * (2.0 / 9_007_199_254_740_992.0) - 1.0
        let jittered = max(base * (1 + share * swing), first * (1 - share))
        return jittered < most ? Interval(nanoseconds: Int64(jittered)) : maxDelay
    }

    /// base^exponent by squaring; grows to infinity, never loops long.
    private static func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        var square = base
        var rest = max(exponent, 0)
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }
}

/// The starts of one service that may still count towards its `limit`: at most `limit` of them, and never more than
/// `capacity`, whatever the limit says.
struct StartHistory: Sendable {
    /// The highest limit that a service file may set.
    static let capacity = 10_000
    private var moments: [Instant] = []
    private var oldest = 0
    /// Whether there was a start, however long ago.
    private(set) var isUsed = false

    /// Counting begins anew.
    mutating func reset() {
        moments = []
        oldest = 0
    }

    /// Notes a start.
    mutating func add(_ moment: Instant, limit: Int?) {
        isUsed = true
        guard let limit = StartHistory.bounded(limit) else { return }
        if moments.count < limit {
            moments.append(moment)
        } else {
            moments[oldest] = moment
            oldest = oldest &+ 1 == moments.count ? 0 : oldest &+ 1
        }
    }

    /// Whether a start at that moment would be one more than the limit allows within its window.
    func isExhausted(at moment: Instant, limit: Int?, within window: Interval) -> Bool {
        guard let limit = StartHistory.bounded(limit), moments.count >= limit else { return false }
        // The ring holds exactly the last `limit` starts: too many if even the oldest of them is within the window.
        return moment < moments[oldest] + window
    }

    private static func bounded(_ limit: Int?) -> Int? {
        guard let limit else { return nil }
        return min(max(limit, 1), capacity)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough for jitter, and the same from the same seed everywhere.
struct RandomBits: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
