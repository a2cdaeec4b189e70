import ConfigParser

/// What there is to say of a reload and of an instance that is made, and what the driver keeps of the configuration beside the
/// services themselves. Values only.

/// How a reload of the configuration went.
enum ReloadOutcome {
    case applied(ReloadSummary)
    /// The report for people; nothing has changed.
    case refused(String)
}

/// What a reload did, by name.
struct ReloadSummary: Equatable {
    var added = [String]()
    var removed = [String]()
    /// Their process would be another: stopped and started, where they run.
    var restarted = [String]()
    /// Different in something else.
    var changed = [String]()

    /// For the log.
    var text: String {
        var text = ""
        for (list, word) in [
            (added, "added"), (removed, "removed"), (restarted, "to be restarted"), (changed, "changed"),
        ]
        where !list.isEmpty {
            text += say("%% %", text.isEmpty ? "" : ", ", String(list.count), word)
        }
        return say("configuration read again: %", text.isEmpty ? "no service has changed" : text)
    }
}

/// How `makeInstance` ended.
enum InstanceOutcome {
    case made(ServiceID)
    case exists(ServiceID)
    case refused(ControlError)
}

/// What the driver keeps of the configuration beside the services themselves.
struct Reading {
    var templates = [ServiceTemplate]()
    var masked = [String]()
    /// Instances that were asked for and that nothing else names. Not more than there are services.
    var made = [String]()
    /// By slot: the files that its definition is from, where these are not the ones that were read last.
    var earlier = [Int: SourceMap]()
    /// The main program's file is gone.
    var mainIsKept = false
}

/// Which slots are in a list.
struct SlotSet {
    private var isIn: [Int: Bool] = [:]
    init(_ list: [ServiceID]) { for id in list { isIn[id.index] = true } }
    func has(_ id: ServiceID) -> Bool { isIn[id.index] ?? false }
}
