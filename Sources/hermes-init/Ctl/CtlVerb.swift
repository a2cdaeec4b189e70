import ConfigParser

/// What `hermes-init ctl` can be asked, as tables: the verbs, what each takes, and the options. The command line is read by
/// them, the help texts, the completion of a shell and the tests of the manual pages are made from them. A new verb is one
/// line here, and one place in CtlSession where its answer is shown.

/// The verbs, in the order of the help.
enum CtlVerb: Int, CaseIterable, Sendable {
    case status, list, tree, blame, logs, events, show
    case start, stop, restart, reload, signal, wait, remove, shutdown, metrics, version

    /// What stands behind the verb.
    enum Words: Sendable {
        case none
        /// Names of services; without any, all of them.
        case anyNames
        case names
        case oneName
        case signalAndNames
        case code
    }

    struct Info: Sendable {
        var name: String
        var words: Words
        var summary: String
        var options: CtlOptions = []
        /// What the help says beyond the summary, with an example at the end.
        var text: String
    }

    var info: Info { CtlVerb.table[rawValue] }
    var name: String { info.name }

    /// The verb of that name.
    static func named(_ word: [UInt8]) -> CtlVerb? {
        for verb in allCases where word.elementsEqual(verb.name.utf8) { return verb }
        return nil
    }

    /// `NAME...` and the like, as the help shows it, with a blank in front.
    var shownWords: String {
        switch info.words {
        case .none: ""
        case .anyNames: " [NAME...]"
        case .names: " NAME..."
        case .oneName: " NAME"
        case .signalAndNames: " SIGNAL NAME..."
        case .code: " [CODE]"
        }
    }

    private static let waiting: CtlOptions = [.noWait, .timeout]

    private static let table: [Info] = [
        Info(
            name: "status", words: .anyNames, summary: "what each service is doing; of named ones in detail",
            options: [.watch],
            text: """
                A table of all services. With NAME: that service in detail, what it waits for,
                and its last lines of output where you may read them.

                  hermes-init ctl status --watch
                  hermes-init ctl status web
                """),
        Info(
            name: "list", words: .none, summary: "the names of all services", options: [.names],
            text: """
                Services, templates and instances, with their types.

                  hermes-init ctl list --names
                """),
        Info(
            name: "tree", words: .anyNames, summary: "what waits for what, with the state of each",
            text: """
                Below each service stands what it waits for. With NAME: what that one waits for.

                  hermes-init ctl tree main
                """),
        Info(
            name: "blame", words: .none, summary: "what took how long at the last boot", options: [.svg],
            text: """
                One bar for each service: light while it waited for others, full while it came
                up. Those that decided how long the boot took are marked with "*".

                  hermes-init ctl blame --svg boot.svg
                """),
        Info(
            name: "logs", words: .anyNames, summary: "what services wrote to their output",
            options: [.follow, .count, .since, .timestamps],
            text: """
                The last 64 KiB of each service's output are kept. Without NAME: of all services
                that you may read.

                  hermes-init ctl logs -f -n 20 web worker
                """),
        Info(
            name: "events", words: .none, summary: "changes of state as they happen",
            text: """
                Goes on until it is interrupted.

                  hermes-init ctl events --json
                """),
        Info(
            name: "show", words: .oneName, summary: "the configuration of a service as it is in force",
            text: """
                All files laid over each other, as TOML; secrets are masked.

                  hermes-init ctl show web
                """),
        Info(
            name: "start", words: .names, summary: "starts services and waits until they are up", options: waiting,
            text: """
                Starts what they require, too. An instance of a template is made by its first
                start.

                  hermes-init ctl start gateway@writer
                """),
        Info(
            name: "stop", words: .names, summary: "stops services and waits until they are down", options: waiting,
            text: """
                What requires them is stopped first.

                  hermes-init ctl stop --timeout=5s web
                """),
        Info(
            name: "restart", words: .names, summary: "stops services and starts them again", options: waiting,
            text: """
                Waits until they are up again.

                  hermes-init ctl restart web
                """),
        Info(
            name: "reload", words: .anyNames, summary: "reads the files again; of named services, their [reload]",
            options: waiting,
            text: """
                Without NAME: reads the service files again and applies the difference; where
                they have mistakes these are shown, and all stays as it is. With NAME: does what
                the [reload] of that service says.

                  hermes-init ctl reload
                """),
        Info(
            name: "signal", words: .signalAndNames, summary: "sends a signal to services", options: [.group],
            text: """
                SIGNAL is a name or a number.

                  hermes-init ctl signal SIGUSR1 web
                """),
        Info(
            name: "wait", words: .names, summary: "waits until services are up, or down",
            options: [.up, .down, .timeout],
            text: """
                Changes nothing. Fails as soon as it is known that it will not come to be.

                  hermes-init ctl wait --up --timeout=30s db
                """),
        Info(
            name: "remove", words: .names, summary: "ends instances of templates for good", options: waiting,
            text: """
                Stops an instance and forgets it.

                  hermes-init ctl remove gateway@writer
                """),
        Info(
            name: "shutdown", words: .code, summary: "stops the container",
            text: """
                CODE is the exit code of the container, 0 to 255.

                  hermes-init ctl shutdown
                """),
        Info(
            name: "metrics", words: .none, summary: "figures for Prometheus (OpenMetrics text)", options: [.plain],
            text: """
                What [control] http serves at /metrics.

                  hermes-init ctl metrics
                """),
        Info(
            name: "version", words: .none, summary: "the versions of this program and of the init that runs here",
            text: """
                  hermes-init ctl version
                """),
    ]
}

/// The options that verbs have, and those of all.
struct CtlOptions: OptionSet, Sendable {
    let rawValue: UInt32
    static let json = CtlOptions(rawValue: 1 << 0)
    static let color = CtlOptions(rawValue: 1 << 1)
    static let help = CtlOptions(rawValue: 1 << 2)
    static let noWait = CtlOptions(rawValue: 1 << 3)
    static let timeout = CtlOptions(rawValue: 1 << 4)
    static let watch = CtlOptions(rawValue: 1 << 5)
    static let names = CtlOptions(rawValue: 1 << 6)
    static let svg = CtlOptions(rawValue: 1 << 7)
    static let follow = CtlOptions(rawValue: 1 << 8)
    static let count = CtlOptions(rawValue: 1 << 9)
    static let since = CtlOptions(rawValue: 1 << 10)
    static let timestamps = CtlOptions(rawValue: 1 << 11)
    static let group = CtlOptions(rawValue: 1 << 12)
    static let up = CtlOptions(rawValue: 1 << 13)
    static let down = CtlOptions(rawValue: 1 << 14)
    static let plain = CtlOptions(rawValue: 1 << 15)

    /// Those of every verb.
    static let common: CtlOptions = [.json, .color, .help]

    struct Info: Sendable {
        var option: CtlOptions
        /// With both dashes.
        var name: String
        /// With its dash; empty where it has no short form.
        var letter: String = ""
        /// What the value is called; empty where it takes none.
        var value: String = ""
        var summary: String
    }

    static let table: [Info] = [
        Info(option: .watch, name: "--watch", letter: "-w", summary: "draw it anew every second; q ends it"),
        Info(option: .names, name: "--names", summary: "the names alone, one a line"),
        Info(option: .svg, name: "--svg", value: "FILE", summary: "draw it as a picture into FILE"),
        Info(option: .follow, name: "--follow", letter: "-f", summary: "go on with what is written from now on"),
        Info(option: .count, name: "--lines", letter: "-n", value: "N", summary: "the last N lines of each"),
        Info(
            option: .since, name: "--since", value: "TIME", summary: "no older than TIME, such as 10m or 1h30m"),
        Info(option: .timestamps, name: "--timestamps", letter: "-t", summary: "the time in front of each line"),
        Info(option: .group, name: "--group", summary: "to the whole process group"),
        Info(option: .up, name: "--up", summary: "until they are up, or done (the default)"),
        Info(option: .down, name: "--down", summary: "until they are down"),
        Info(option: .plain, name: "--plain", summary: "in the older text form of Prometheus"),
        Info(option: .noWait, name: "--no-wait", summary: "do not wait until it is so"),
        Info(
            option: .timeout, name: "--timeout", value: "TIME", summary: "give up after TIME, such as 30s; code 75"),
        Info(option: .json, name: "--json", summary: "the answer as the init gives it, JSON lines"),
        Info(option: .color, name: "--color", value: "WHEN", summary: "auto, always or never"),
        Info(option: .help, name: "--help", letter: "-h", summary: "this help"),
    ]
}
