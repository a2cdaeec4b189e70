import ConfigParser
import Runtime

/// `hermes-init health`: whether every service that should be up is up, ready and healthy, for Docker's HEALTHCHECK. A pure
/// function of what the init wrote of itself.
enum Health {
    /// 0, or 1 with a line for each service that is not as it should be. Docker keeps 2 and more for itself.
    @inline(never)
    static func answer(_ health: HealthAnswer) -> Answer {
        switch health {
        case .nobody:
            return failure("no hermes-init runs here that keeps a status in /run/hermes-init or /dev/shm/hermes-init\n")
        case .unusable(let path, let reason):
            return failure(say("cannot use %: %\n", path, reason))
        case .status(let status):
            var text = ""
            for line in status.lines where !line.isWell { text += say("%: %\n", line.name, line.words) }
            if !text.isEmpty { return Answer(text, exitCode: 1) }
            let count = status.lines.count
            return Answer(
                count == 1 ? "1 service is well\n" : say("% services are well\n", String(count)))
        }
    }

    private static func failure(_ text: String) -> Answer {
        Answer(say("hermes-init: %", text), stream: .standardError, exitCode: 1)
    }
}
