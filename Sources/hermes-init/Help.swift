import ConfigParser

/// The help texts: what each mode takes and gives, at most 80 columns wide. They tell of what this version does and of
/// nothing that is still to come; docs/command-line.md says the same at length.
enum HelpTopic: Sendable, Equatable {
    case general, check, plan, schema, toml, explain, health, stage, exec, shim, ctl, completion
    /// A verb of ctl.
    case verb(CtlVerb)

    /// The mode as it stands on the command line, with a space behind it; empty for the general help.
    var command: String {
        switch self {
        case .general: ""
        case .check: "--check "
        case .plan: "--plan "
        case .toml: "toml "
        case .explain: "explain "
        case .health: "health "
        case .stage: "stage "
        case .exec: "exec "
        case .shim: "shim "
        case .ctl: "ctl "
        case .completion: "completion "
        case .verb(let verb): say("ctl % ", verb.name)
        case .schema: "--schema "
        }
    }

    /// The help text.
    var text: String {
        switch self {
        case .general: Version.line + HelpTopic.generalText
        case .check: HelpTopic.checkText
        case .plan: HelpTopic.planText
        case .toml: HelpTopic.tomlText
        case .explain: HelpTopic.explainText
        case .health: HelpTopic.healthText
        case .stage: HelpTopic.stageText
        case .exec: HelpTopic.execText
        case .shim: HelpTopic.shimText
        case .ctl: CtlHelp.general
        case .completion: CtlHelp.completion
        case .verb(let verb): CtlHelp.text(of: verb)
        case .schema: HelpTopic.schemaText
        }
    }

    private static let generalText = """
        , the init of a container and supervisor of its services

        Usage:
          hermes-init [--config DIR]... [--] [COMMAND [ARG...]]
          hermes-init --check [OPTION]...
          hermes-init --plan [--config DIR]... [--format FORMAT] [-- ARG...]
          hermes-init --schema [service|drop-in|init]
          hermes-init toml [--typed] [--toml=1.0|1.1] [FILE]
          hermes-init explain [CODE]
          hermes-init health
          hermes-init stage [NAME] [--dry-run] [--config DIR]... [-- ARG...]
          hermes-init exec [--like SERVICE] [--user USER[:GROUP]] [--] PROGRAM [ARG...]
          hermes-init ctl VERB [OPTION]... [NAME]...
          hermes-init completion bash|zsh|fish
          hermes-init --version | --help

        Starts the services whose files are found, in the order of their dependencies,
        then runs COMMAND as the container's main program. It hands the terminal and
        signals to that program, keeps the services running, reaps orphans, and ends
        with the program's exit code once everything has been stopped in order.
        Without service files it runs COMMAND and does the rest all the same.

        Everything behind "--" belongs to the main program and is never read as an
        option. Where there is a main.toml, its route says how the words meet its
        command; without one they are the command.

        Options:
          --config DIR   read the service files of DIR instead of the usual folders;
                         of several, the later is the stronger
          --check        check the service files and start nothing
          --plan         show what would start, in which order, and start nothing
          --schema       print the JSON Schema of the files, for editors
          -V, --version  print the version
          -h, --help     print this help; with --check or --plan, that mode's

        "check", "plan" and "schema" may be written without the dashes.

        Folders, weakest first:
          /usr/lib/hermes-init.d  /etc/hermes-init.d  /run/hermes-init.d

        Names: called as "init", all words are the main program's; called as "tini",
        "tini-static" or "dumb-init", it takes the options of those programs.

        Exit codes:
          the main program's own, or 128+N where signal N ended it
          64   the command line is wrong      126  the program cannot be executed
          78   the configuration is wrong     127  the program was not found

        Examples:
          ENTRYPOINT ["hermes-init", "--"]         in a Dockerfile
          hermes-init -- sleep 1                   a main program, and what services
                                                   the folders hold
          hermes-init --config ./services --check  before the image is built

        """

    private static let checkText = """
        Usage: hermes-init --check [--config DIR]... [--root DIR] [--format FORMAT]
                                   [--strict] [--color WHEN] [--files-only] [-]

        Reads all service files as a boot would and reports every mistake; also what
        would fail later, such as a user or a program that is not there.

        Options:
          --config DIR       check the files of DIR instead of the usual folders
          --root DIR         check the image that lies unpacked in DIR
          --files-only       look at the files alone, not at the machine
          --format FORMAT    text, json, sarif (2.1.0) or github (workflow commands)
          --strict           warnings count as mistakes
          --color WHEN       auto, always or never
          -                  check one service file from standard input, by itself
          --stdin-name NAME  its name: NAME.toml, or a path that ends in it

        Exit codes:
          0   no mistakes        1   mistakes        64  the command line is wrong

        Examples:
          RUN ["hermes-init", "--check"]    in a Dockerfile, behind COPY of the files
          hermes-init --check --root ./rootfs --strict --format github

        """

    private static let planText = """
        Usage: hermes-init --plan [--config DIR]... [--format FORMAT] [-- ARG...]
               hermes-init --plan --timings [--svg FILE] [--config DIR]... [-- ARG...]

        Shows what a boot with these arguments would start: the services in waves, each
        with what it waits for and when it would be left out, the main program as it
        would be run, and the services that are not started, with the reason. Starts
        nothing. The services of a wave wait for services of earlier waves only; a boot
        does not wait for whole waves, but starts each as soon as what it needs is up.

        Options:
          --config DIR  read the files of DIR instead of the usual folders; of several,
                        the later is the stronger. DIR has to be there.
          --format FORMAT
                        text (default), json, dot (Graphviz) or mermaid
          --timings     behind it, how long the last boot took, where an init runs
          --svg FILE    with --timings: that as a picture in FILE, instead
          -- ARG...     the arguments that the container would be started with

        Exit codes:
          0   shown      64  the command line is wrong      78  mistakes in the files
          69  --timings: no hermes-init runs here

        Example:
          hermes-init --plan --config ./services -- chat -q hi

        """

    private static let tomlText = """
        Usage: hermes-init toml [--typed] [--toml=1.0|1.1] [FILE]

        Reads a TOML file, or standard input, and writes it as JSON. What JSON lacks is
        a string: dates, times, "inf", "-inf" and "nan".

        Options:
          --typed     {"type": "integer", "value": "1"}: what toml-test compares
          --toml=1.0  refuse what TOML 1.1 added; --toml=1.1 is what is read otherwise

        Exit codes:
          0   shown     1   no TOML     64  the command line is wrong
          66  the file cannot be read

        """

    private static let explainText = """
        Usage: hermes-init explain [CODE]

        Tells what a code such as [unknown-key], at the end of a message's first line,
        means, with an example of the mistake. Without CODE: all codes.

        """

    private static let healthText = """
        Usage: hermes-init health

        Asks the hermes-init that runs in this container whether every service that
        should be up is up, ready and healthy. Any user may ask.

        Exit codes:
          0   all is well
          1   a line tells of each service that is not, or no hermes-init runs here
          64  the command line is wrong

        Example:
          HEALTHCHECK CMD ["hermes-init", "health"]    in a Dockerfile

        """

    private static let stageText = """
        Usage: hermes-init stage [NAME] [--dry-run] [--config DIR]... [-- ARG...]

        Runs the stage of the service NAME in the foreground, as a boot would: as its
        user, with its environment and options. Then says what it exports. Without NAME:
        the plugins that there are, and the services that use them.

        Options:
          --dry-run     change nothing, say what would be changed
          --config DIR  read the files of DIR instead of the usual folders; of several,
                        the later is the stronger. DIR has to be there.
          -- ARG...     the arguments that the container would be started with

        Exit codes:
          the stage's own, or 128+N where signal N ended it
          64  the command line is wrong      78  mistakes in the files

        Example:
          docker exec CONTAINER hermes-init stage data --dry-run

        """

    private static let execText = """
        Usage: hermes-init exec [--config DIR]... [--like SERVICE] [--user USER[:GROUP]]
                                [--here] [--] PROGRAM [ARG...]

        Becomes PROGRAM (by exec: same process, terminal and exit code) as a service
        would be run, or as a user.

        Options:
          --like SERVICE     with that service's user, groups, environment (and what
                             stages exported), limits, priority, umask, capabilities
                             and directory
          --user USER        as that user with its groups; HOME, USER, LOGNAME and SHELL
                             are set. With --like, instead of the service's user
          --user USER:GROUP  with that group and no other
          --here             stay in this directory
          --config DIR       read the files of DIR instead of the usual folders

        Exit codes:
          PROGRAM's own      126  it cannot be executed      127  it was not found
          64  the command line is wrong, or there is no such service
          77  not permitted to become that user
          78  the configuration is wrong

        Examples:
          docker exec -it web hermes-init exec --like web sh
          hermes-init exec --user nobody:nogroup -- id

        """

    private static let shimText = """
        Usage: hermes-init shim FILE [ARG...]

        Becomes the program that FILE stands in for: as root, the way "hermes-init exec"
        does; as any other user, unchanged. The first line of FILE calls it:

          #!/usr/local/bin/hermes-init shim
          like = "main"                   # or: user = "USER[:GROUP]"
          command = ["/opt/real/program"]
          unless-env = "STAY_ROOT"        # where that is 1, root stays root

        """

    private static let schemaText = """
        Usage: hermes-init --schema [service|drop-in|init]

        Prints a JSON Schema (2020-12), by which an editor knows the keys, their values
        and what they mean: of a service file NAME.toml (default), of a drop-in
        NAME.d/*.toml, or of init.toml. docs/editors.md shows how to make one use it.

        Exit codes:
          0   printed        64  the command line is wrong

        Example:
          hermes-init --schema > hermes-init.schema.json

        """
}
