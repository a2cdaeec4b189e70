import ConfigParser

/// The help of `ctl` and of each verb, made from the tables. At most 80 columns wide.
enum CtlHelp {
    /// `ctl --help`.
    static var general: String {
        var text = """
            Usage: hermes-init ctl VERB [OPTION]... [WORD]...

            Asks the hermes-init that runs here what it is doing, and tells it what to do.

            Verbs:

            """
        for verb in CtlVerb.allCases { text += row(verb.name, verb.info.summary, 10) }
        text += "\nOptions of every verb:\n"
        text += rows(.common)
        return say("%\n\"hermes-init ctl VERB --help\" tells the others.\n%%", text, environment, codes)
    }

    /// `ctl VERB --help`.
    static func text(of verb: CtlVerb) -> String {
        let info = verb.info
        var text = say("Usage: hermes-init ctl %%", verb.name, info.options.isEmpty ? "" : " [OPTION]...")
        text += say("%\n\n", verb.shownWords)
        for line in lines(info.text) { text += say("%\n", line) }
        return say("%\nOptions:\n%%", text, rows(info.options.union(.common)), codes)
    }

    private static func rows(_ options: CtlOptions) -> String {
        var text = ""
        for info in CtlOptions.table where options.contains(info.option) {
            var head = info.letter.isEmpty ? info.name : say("%, %", info.letter, info.name)
            if !info.value.isEmpty { head += say(" %", info.value) }
            text += row(head, info.summary, 17)
        }
        return text
    }

    private static func row(_ head: String, _ text: String, _ width: Int) -> String {
        say("  %  %\n", fitted(head, to: 40, padding: width), text)
    }

    private static let environment = """

        HERMES_INIT_CONTROL names another socket than /run/hermes-init/control.sock.

        """

    private static let codes = """

        Exit codes:
          0   reached                    69  no hermes-init runs here
          1   not reached, failed        75  the time is over, or it is busy
          64  the command line is wrong  77  you may not
          66  there is no such service   78  the service files are wrong

        """

    static let completion = """
        Usage: hermes-init completion bash|zsh|fish

        Prints the script by which a shell completes hermes-init: subcommands, options,
        verbs of ctl, and the names of the services that are there now.

        Examples:
          eval "$(hermes-init completion bash)"                     in ~/.bashrc
          eval "$(hermes-init completion zsh)"                      in ~/.zshrc
          hermes-init completion fish | source                      in config.fish

        """
}
