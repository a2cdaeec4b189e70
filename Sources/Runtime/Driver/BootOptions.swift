import ConfigParser

/// What the command line asks of a boot. Made by the `hermes-init` module from the arguments, the name that the program was
/// called by, and the variables of tini and dumb-init; read by the driver.
public struct BootOptions: Sendable {
    /// The configuration folders, weakest first.
    public var folders: [[UInt8]] = BootOptions.defaultFolders
    /// Folders named by `--config` must be there; of the usual ones any may be missing.
    public var foldersAreRequired = false
    /// The container's arguments: everything that belongs to the main program.
    public var arguments: [[UInt8]] = []
    /// Every signal goes to the main program's process group (tini -g; dumb-init unless --single-child).
    public var forwardsToGroup = false
    /// The main program gets a session of its own, and the terminal if there is one (dumb-init unless --single-child).
    public var mainGetsSession = false
    /// After it forwarded SIGTSTP, SIGTTIN or SIGTTOU the init stops itself too (dumb-init).
    public var suspendsItself = false
    /// Signals to treat as another one (dumb-init -r); nil: not to forward at all.
    public var rewrites: [(signal: SignalNumber, to: SignalNumber?)] = []
    /// Exit codes of the main program that become 0 (tini -e).
    public var codesThatBecomeZero: [Int32] = []
    /// Become the subreaper where the init is not PID 1. tini does so only with -s.
    public var becomesSubreaper = true
    /// The signal the init asks the kernel for when its parent dies (tini -p).
    public var parentDeathSignal: SignalNumber?
    /// Say so on stderr when an orphan is reaped (tini -w).
    public var warnsWhenReaping = false
    /// The program that the init was called as. Then what is left when the main program ended is not waited for where the
    /// init is not PID 1, and a program without `#!` is given to /bin/sh, as execvp(3) does.
    public var standIn: StandIn?
    /// tini's -v: 0 fatal, 1 error and warning (tini's default), 2 info, 3 debug, 4 trace; dumb-init's -v is 3.
    public var verbosity = 1

    /// The version of the program, for the control socket.
    public var version = ""

    /// A boot without arguments from the usual folders.
    public init() {}

    /// Where configuration lies when the command line says nothing, weakest first.
    public static let defaultFolders: [[UInt8]] = [
        [UInt8]("/usr/lib/hermes-init.d"), [UInt8]("/etc/hermes-init.d"),
        [UInt8]("/run/hermes-init.d"),
    ]
}
