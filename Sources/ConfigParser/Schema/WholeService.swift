/// A service as the whole program knows it. Its fields lie outside of it (ServiceFields.swift says why): each is read where it
/// lies, and written after a look whether somebody else holds them too. Nothing else happens here.

/// A service, whole: one word, see `ServiceFields`.
public struct Service: Sendable {
    private var box: ServiceBox

    /// A service of that name with every default.
    public init(name: String) { box = ServiceBox(ServiceFields(name: name)) }

    /// What the reader has read.
    init(_ fields: ServiceFields) { box = ServiceBox(fields) }

    /// Before a change: the fields are its own.
    @inline(never)
    private mutating func own() {
        if !isKnownUniquelyReferenced(&box) { box = ServiceBox(box.fields) }
    }

    /// `[a-z0-9][a-z0-9._-]*`, at most 64 bytes.
    public var name: String {
        get { box.fields.name }
        set {
            own()
            box.fields.name = newValue
        }
    }
    /// The file that decides: the strongest layer's. Drop-ins are named by the spans of what they set.
    public var file: FileID? {
        get { box.fields.file }
        set {
            own()
            box.fields.file = newValue
        }
    }
    /// One line for people; empty where there is none.
    public var description: String {
        get { box.fields.description }
        set {
            own()
            box.fields.description = newValue
        }
    }
    /// What kind of thing it is.
    public var type: ServiceType {
        get { box.fields.type }
        set {
            own()
            box.fields.type = newValue
        }
    }
    /// What it does when it runs.
    public var action: Action {
        get { box.fields.action }
        set {
            own()
            box.fields.action = newValue
        }
    }
    /// How the container's arguments meet the command; of the main program only.
    public var route: Route {
        get { box.fields.route }
        set {
            own()
            box.fields.route = newValue
        }
    }
    /// It is started at boot without another service requiring it.
    public var autostart: Bool {
        get { box.fields.autostart }
        set {
            own()
            box.fields.autostart = newValue
        }
    }
    /// `[autostart]`: where `autostart` is a table, it is started at boot only where these hold. Unlike `when`, they do not
    /// keep it from being started by request.
    public var autostartWhen: [Condition] {
        get { box.fields.autostartWhen }
        set {
            own()
            box.fields.autostartWhen = newValue
        }
    }
    /// Whether it was last asked up or down is kept over restarts of the container, and decides at the next boot (`remember`).
    public var remember: Bool {
        get { box.fields.remember }
        set {
            own()
            box.fields.remember = newValue
        }
    }
    /// Its failure is logged and counts as done.
    public var optional: Bool {
        get { box.fields.optional }
        set {
            own()
            box.fields.optional = newValue
        }
    }
    /// When it ends for good, the container stops with its exit code.
    public var essential: Bool {
        get { box.fields.essential }
        set {
            own()
            box.fields.essential = newValue
        }
    }

    /// What must be up before it starts.
    public var requires: [Reference] {
        get { box.fields.requires }
        set {
            own()
            box.fields.requires = newValue
        }
    }
    /// What is started, and waited for until it is up or has failed.
    public var wants: [Reference] {
        get { box.fields.wants }
        set {
            own()
            box.fields.wants = newValue
        }
    }
    /// What it starts after, where both are started anyway.
    public var after: [Reference] {
        get { box.fields.after }
        set {
            own()
            box.fields.after = newValue
        }
    }
    /// What starts after it, where both are started anyway.
    public var before: [Reference] {
        get { box.fields.before }
        set {
            own()
            box.fields.before = newValue
        }
    }
    /// What must hold, else it is skipped.
    public var when: [Condition] {
        get { box.fields.when }
        set {
            own()
            box.fields.when = newValue
        }
    }

    /// A name or number; nil: the init's own.
    public var user: Template? {
        get { box.fields.user }
        set {
            own()
            box.fields.user = newValue
        }
    }
    /// A name or number; nil: the group of the user in /etc/passwd.
    public var group: Template? {
        get { box.fields.group }
        set {
            own()
            box.fields.group = newValue
        }
    }
    /// nil: the groups of the user in /etc/group.
    public var groups: [Template]? {
        get { box.fields.groups }
        set {
            own()
            box.fields.groups = newValue
        }
    }
    /// The working directory; nil: the container's.
    public var directory: Template? {
        get { box.fields.directory }
        set {
            own()
            box.fields.directory = newValue
        }
    }
    /// 0 to 0o777; nil: the container's.
    public var umask: UInt32? {
        get { box.fields.umask }
        set {
            own()
            box.fields.umask = newValue
        }
    }
    /// Standard input; the main program inherits where its file does not say otherwise.
    public var stdin: StandardInput {
        get { box.fields.stdin }
        set {
            own()
            box.fields.stdin = newValue
        }
    }
    /// Files of NAME=value lines, in their order.
    public var environmentFiles: [EnvironmentFile] {
        get { box.fields.environmentFiles }
        set {
            own()
            box.fields.environmentFiles = newValue
        }
    }
    /// Its own variables, in the order of the file.
    public var environment: [EnvironmentChange] {
        get { box.fields.environment }
        set {
            own()
            box.fields.environment = newValue
        }
    }
    /// The service gets none of the container's environment.
    public var environmentClear: Bool {
        get { box.fields.environmentClear }
        set {
            own()
            box.fields.environmentClear = newValue
        }
    }
    /// -20 to 19 (nice(2)); nil: the init's own.
    public var nice: Int32? {
        get { box.fields.nice }
        set {
            own()
            box.fields.nice = newValue
        }
    }
    /// -1000 to 1000 (proc_pid_oom_score_adj(5)); nil: the init's own.
    public var oomScoreAdjust: Int32? {
        get { box.fields.oomScoreAdjust }
        set {
            own()
            box.fields.oomScoreAdjust = newValue
        }
    }
    /// `[limits]`, in the order of the file.
    public var limits: [LimitChange] {
        get { box.fields.limits }
        set {
            own()
            box.fields.limits = newValue
        }
    }
    /// `[security]`.
    public var security: SecurityPolicy {
        get { box.fields.security }
        set {
            own()
            box.fields.security = newValue
        }
    }
    /// `[resources]`; nil: no limit of its own.
    public var resources: ResourcePolicy? {
        get { box.fields.resources }
        set {
            own()
            box.fields.resources = newValue
        }
    }
    /// How long its start may take, from the moment it is asked for until it is up, or done; nil: for ever.
    public var startTimeout: Interval? {
        get { box.fields.startTimeout }
        set {
            own()
            box.fields.startTimeout = newValue
        }
    }

    /// `[restart]`, the defaults of init.toml filled in.
    public var restart: RestartPolicy {
        get { box.fields.restart }
        set {
            own()
            box.fields.restart = newValue
        }
    }
    /// `[stop]`.
    public var stop: StopPolicy {
        get { box.fields.stop }
        set {
            own()
            box.fields.stop = newValue
        }
    }
    /// `[ready]`; nil: a longrun is ready when its exec succeeded.
    public var ready: ReadyPolicy? {
        get { box.fields.ready }
        set {
            own()
            box.fields.ready = newValue
        }
    }
    /// `[health]`; nil: its health is not watched.
    public var health: HealthPolicy? {
        get { box.fields.health }
        set {
            own()
            box.fields.health = newValue
        }
    }
    /// `[reload]`; nil: it cannot be told to read its configuration again.
    public var reload: ReloadPolicy? {
        get { box.fields.reload }
        set {
            own()
            box.fields.reload = newValue
        }
    }
    /// `[log]`, the defaults of init.toml filled in.
    public var log: LogPolicy {
        get { box.fields.log }
        set {
            own()
            box.fields.log = newValue
        }
    }
}
