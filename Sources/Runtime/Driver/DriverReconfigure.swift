import ConfigParser

/// What the control server asks of the part that changes the set of services while the container runs: refused until that is there.

/// How `reload` ended.
enum ReloadOutcome {
    case applied(ReloadSummary)
    /// The report that `--check` would print.
    case refused(String)
}

/// What `reload` did.
struct ReloadSummary {
    var added: [String] = []
    var removed: [String] = []
    var restarted: [String] = []
    var changed: [String] = []
}

/// How `makeInstance` ended.
enum InstanceOutcome {
    case made(ServiceID)
    case exists(ServiceID)
    case refused(ControlError)
}

extension Driver {
    func reload() -> ReloadOutcome { .refused("not possible in this version") }

    func makeInstance(_ name: String) -> InstanceOutcome {
        if let id = serviceID(named: name) { return .exists(id) }
        return .refused(ControlError(code: "unknown-service", message: "not possible in this version"))
    }

    func removeInstance(_ name: String) -> ControlError? {
        ControlError(code: "conflict", message: "not possible in this version")
    }

    func serviceID(named name: String) -> ServiceID? {
        for (index, service) in services.enumerated() where service.name == name { return ServiceID(index: index) }
        return nil
    }

    /// The templates, by the names of their files without the ending ("gateway@").
    var templateNames: [String] { [] }
}
