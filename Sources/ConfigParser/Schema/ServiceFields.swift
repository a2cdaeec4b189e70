/// Where the fields of a service lie. A `Service` is handed from hand to hand, kept in lists and looked at everywhere, and has
/// some hundred words: as the value that it seems to be it would be copied at each of these. So a `Service` (WholeService.swift)
/// is one word, the place where its fields lie; who changes a field of one that others hold too changes a copy, which nobody
/// outside of these two files sees. The readers fill the fields in before there is a `Service`.

/// The fields of a service; what they mean is said in `Service`.
struct ServiceFields {
    var name: String
    var file: FileID?
    var description: String = ""
    var type: ServiceType = .longrun
    var action: Action = .nothing
    var route: Route = .append
    var autostart: Bool = true
    var autostartWhen: [Condition] = []
    var remember: Bool = false
    var optional: Bool = false
    var essential: Bool = false
    var requires: [Reference] = []
    var wants: [Reference] = []
    var after: [Reference] = []
    var before: [Reference] = []
    var when: [Condition] = []
    var user: Template?
    var group: Template?
    var groups: [Template]?
    var directory: Template?
    var umask: UInt32?
    var stdin: StandardInput = .null
    var environmentFiles: [EnvironmentFile] = []
    var environment: [EnvironmentChange] = []
    var environmentClear: Bool = false
    var nice: Int32?
    var oomScoreAdjust: Int32?
    var limits: [LimitChange] = []
    var security: SecurityPolicy = SecurityPolicy()
    var resources: ResourcePolicy?
    var startTimeout: Interval?
    var restart: RestartPolicy = RestartPolicy()
    var stop: StopPolicy = StopPolicy()
    var ready: ReadyPolicy?
    var health: HealthPolicy?
    var reload: ReloadPolicy?
    var log: LogPolicy = LogPolicy()

    init(name: String) { self.name = name }
}

/// Where they lie. Nothing changes what has two owners.
final class ServiceBox: @unchecked Sendable {
    var fields: ServiceFields
    init(_ fields: ServiceFields) { self.fields = fields }
}
