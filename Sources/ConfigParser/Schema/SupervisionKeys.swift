/// The tables of SchemaKeys.swift that tell how a service is watched and what it may use.

extension Key {
    static let limits: [Key] = [
        Key("nofile", .limit(.count), "Open files"),
        Key("nproc", .limit(.count), "Processes and threads of its user"),
        Key("core", .limit(.bytes), "Size of a core file; 0 for none"),
        Key("stack", .limit(.bytes), "Size of the stack"),
        Key("memlock", .limit(.bytes), "Memory that is kept from being swapped"),
        Key("as", .limit(.bytes), "Address space"),
        Key("fsize", .limit(.bytes), "Size of a file that it writes"),
        Key("data", .limit(.bytes), "Size of its data and heap"),
        Key("cpu", .limit(.seconds), "Processor time"),
    ]

    static let security: [Key] = [
        Key(
            "no-new-privileges", .boolean, default: "false",
            "No program that it runs can have more rights than itself (set-user-ID has no effect)"),
        Key(
            "capabilities", .capabilities,
            "The capabilities that it keeps, even where its user is not root; it can never gain another"),
        Key(
            "keep-groups", .boolean, default: "false",
            "It keeps the supplementary groups of the init beside those of its user"),
    ]

    static let resources: [Key] = [
        Key("memory-max", .amount(.bytes), "Memory; beyond it a process of the service is killed"),
        Key("memory-high", .amount(.bytes), "Memory; beyond it the service is slowed down"),
        Key("cpu-max", .amount(.processors), "Processors; 0.5 is half of the time of one"),
        Key("cpu-weight", .integer(from: 1, to: 10_000), "Its share where processors are short; 100 is the usual one"),
        Key("pids-max", .amount(.count), "Processes and threads"),
    ]

    static let ready: [Key] = [
        Key("notify", .notify, "It says so: a newline on that descriptor, or READY=1 as for systemd"),
        Key("tcp", .template, "A connection to HOST:PORT is accepted"),
        Key("unix", .template, "A connection to the Unix socket at that path is accepted"),
        Key("http", .template, "GET of http://HOST:PORT/PATH is answered with 2xx or 3xx"),
        Key("path", .template, "There is something at that path"),
        Key("log", .text, "A line of its output holds that text"),
        Key("command", .command, "That program, run as the service would be, exits with 0"),
        Key("interval", .duration(moreThanZero: true), default: "250ms", "The wait between two tries"),
        Key(
            "timeout", .duration(moreThanZero: true), default: "60s",
            "How long it may take to be ready; then it is ended, and has failed"),
    ]

    static let health: [Key] = [
        Key("tcp", .template, "A connection to HOST:PORT is accepted"),
        Key("unix", .template, "A connection to the Unix socket at that path is accepted"),
        Key("http", .template, "GET of http://HOST:PORT/PATH is answered with 2xx or 3xx"),
        Key("command", .command, "That program, run as the service would be, exits with 0"),
        Key("watchdog", .duration(moreThanZero: true), "It says WATCHDOG=1 at least so often, as for systemd"),
        Key(
            "start-period", .duration(moreThanZero: false), default: "0s",
            "Failures so soon after it was up do not count, until the first success"),
        Key("interval", .duration(moreThanZero: true), default: "10s", "The wait between two tries"),
        Key("timeout", .duration(moreThanZero: true), default: "3s", "How long one try may take"),
        Key("failures", .integer(from: 1, to: 1000), default: "3", "So many failures in a row make it unhealthy"),
        Key(
            "action", .choice(["restart", "none", "stop-container"]), default: "restart",
            "What is done where it is unhealthy"),
    ]

    static let reload: [Key] = [
        Key("signal", .signal, "The signal that its process is sent"),
        Key("command", .command, "The program that is run; MAINPID is the service's process"),
    ]

    static let log: [Key] = [
        Key(
            "to", .choice(["prefix", "raw", "inherit", "json", "null"]), default: "prefix",
            "Where its lines go; the main program inherits where its own file does not say otherwise"),
        Key("file", .template, "A file that they are written to as well"),
        Key("make-folder", .boolean, default: "false", "The folder of the file is made where it is missing"),
        Key("max-size", .size(from: 4096), default: "1MiB", "The file is put aside before it would be larger"),
        Key("keep", .integer(from: 0, to: 1000), default: "10", "How many files that were put aside are kept"),
        Key("timestamps", .boolean, default: "true", "Each line of the file begins with its time"),
    ]
}
