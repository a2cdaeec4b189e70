import CSystem
import ConfigParser
import System

/// What a process is held to beyond who it is: limits, priority, capabilities. Put into numbers for the child here, and into
/// words where the kernel refuses one of them. The child does the work (spawn.c); nothing here changes anything.

/// `[limits]`, `nice`, `oom-score-adj` and `[security]` of a service.
struct Execution {
    var limits: [LimitChange] = []
    var nice: Int32?
    var oomScoreAdjust: Int32?
    /// Bit n for capability n; nil: nothing is changed.
    var capabilities: UInt64?
    var noNewPrivileges = false

    /// Nothing changed.
    init() {}

    /// What a service file says.
    init(_ service: Service) {
        limits = service.limits
        nice = service.nice
        oomScoreAdjust = service.oomScoreAdjust
        noNewPrivileges = service.security.noNewPrivileges
        if let kept = service.security.capabilities {
            var set: UInt64 = 0
            for number in kept where number >= 0 && number < 64 { set |= 1 << UInt64(number) }
            capabilities = set
        }
    }

    /// Why the capabilities cannot be kept, where the init itself has not got them all; nil where it has.
    /// - Parameter permitted: those of the init, bit n for capability n.
    func refusal(permitted: UInt64) -> String? {
        let missing = (capabilities ?? 0) & ~permitted
        if missing == 0 { return nil }
        let name = Capability.name(Int32(missing.trailingZeroBitCount))
        return say(

            """
            cannot keep % ([security] capabilities): the container itself does not have it; give it one \
            (docker run --cap-add %), or take it out of the list
            """, name,
            String(decoding: name.utf8.dropFirst(4), as: UTF8.self))
    }

    /// Fills the part of a request that is about this.
    /// - Parameter uid: the user that the process will be.
    func fill(_ request: UnsafeMutablePointer<hi_request>, uid: UInt32) {
        for limit in limits {
            hi_request_limit(
                request, Int32(limit.name.rawValue), limit.soft ?? hi_unlimited(), limit.hard ?? hi_unlimited())
        }
        if let nice {
            request.pointee.set_nice = true
            request.pointee.nice = nice
        }
        if let oomScoreAdjust {
            request.pointee.set_oom_score = true
            request.pointee.oom_score = oomScoreAdjust
        }
        if let capabilities {
            request.pointee.set_capabilities = true
            request.pointee.capabilities = capabilities
            request.pointee.ambient = uid != 0
        }
        request.pointee.no_new_privileges = noNewPrivileges
    }

    /// Why the child could not go through one of these steps, for the log; nil for another step.
    func failure(_ report: hi_report, ownCeiling: (LimitName) -> UInt64, permitted: UInt64) -> String? {
        let error = Errno(report.error)
        switch hi_stage(UInt32(bitPattern: report.stage)) {
        case HI_STAGE_LIMITS:
            let place = Int(report.candidate)
            guard limits.indices.contains(place) else {
                return say("cannot restore the limit of open files: %", error.text)
            }
            let limit = limits[place]
            return limitFailure(
                limit, error, ceiling: ownCeiling(limit.name), mayRaise: permitted >> 24 & 1 == 1)
        case HI_STAGE_NICE:
            return say("cannot set nice to %: %", String(nice ?? 0), error.text)
                + privilege(error, "SYS_NICE", "lower than the init's own")
        case HI_STAGE_OOM_SCORE:
            return say("cannot set oom-score-adj to %: %", String(oomScoreAdjust ?? 0), error.text)
                + privilege(error, "SYS_RESOURCE", "lower than the container's own")
        case HI_STAGE_BOUNDING_SET:
            var text = say("cannot drop %: %", Capability.name(report.candidate), error.text)
            if error == .notPermitted {
                text +=

                    """
                    ; the container runs without CAP_SETPCAP: give it back (docker run --cap-add SETPCAP), or \
                    set no-new-privileges = true, which lets no program gain a capability
                    """
            }
            return text
        case HI_STAGE_CAPABILITIES:
            return say("cannot set its capabilities ([security] capabilities): %", error.text)
        case HI_STAGE_PRIVILEGES:
            return say("cannot set no-new-privileges: %", error.text)
        case HI_STAGE_CGROUP:
            return say("cannot enter its cgroup ([resources]): %", error.text)
        default:
            return nil
        }
    }

    private func privilege(_ error: Errno, _ capability: String, _ what: String) -> String {
        guard error == .notPermitted || error == .denied else { return "" }
        return say(
            "; % needs CAP_%, which the container does not have: give it one (docker run --cap-add %), or set a higher value",
            what, capability, capability)
    }
}

/// Why a limit could not be set, what its ceiling is, and how it is raised.
/// - Parameters:
///   - ceiling: the hard limit of the init.
///   - mayRaise: the init may raise hard limits (CAP_SYS_RESOURCE).
func limitFailure(_ limit: LimitChange, _ error: Errno, ceiling: UInt64, mayRaise: Bool) -> String {
    let name = limit.name.name
    let asked = limitValue(limit.hard ?? hi_unlimited())
    var text = say("cannot set the limit % to %: ", name, asked)
    if error != .notPermitted { return text + error.text }
    if mayRaise && limit.name == .nofile {
        return say(
            "%the kernel lets nobody have more than /proc/sys/fs/nr_open; ask for less, or raise that on the host", text
        )
    }
    text += say(
        "the container's own ceiling is %, and it may not be raised from inside (CAP_SYS_RESOURCE); ask for no more, or ",
        limitValue(ceiling))
    // Docker has no word for the size of the address space.
    if limit.name == .as { return say("%start the container with a higher one", text) }
    return text
        + say(
            "start the container with a higher one (docker run --ulimit %=%)", name,
            limit.hard.map { String($0) } ?? "-1")
}

private func limitValue(_ value: UInt64) -> String { value >= hi_unlimited() ? "unlimited" : String(value) }

/// The supplementary groups of the init itself (getgroups(2)).
func ownGroups() -> [UInt32] {
    let count = getgroups(0, nil)
    if count <= 0 { return [] }
    return [UInt32](unsafeUninitializedCapacity: Int(count)) { buffer, length in
        length = max(0, Int(getgroups(count, buffer.baseAddress)))
    }
}

/// `keep-groups`: the groups of a user, and behind them those that the init has and it has not.
func joined(_ groups: [UInt32], keeping own: [UInt32]) -> [UInt32] {
    var list = groups
    for group in own where !list.contains(group) { list.append(group) }
    return list
}
