import ConfigParser

/// `hermes-init completion SHELL`: the script for a shell. The scripts are short, for they know nothing: what can be completed is
/// asked of `hermes-init completion words WORD...` each time (Completion.swift). It gives a candidate a line, with a tab and
/// what it means behind it, or `:files` or `:folders`.
enum CompletionScripts {
    /// Reads `bash|zsh|fish`, the words behind `completion`.
    static func answer(_ words: ArraySlice<[UInt8]>) throws(UsageError) -> Invocation {
        guard let first = words.first else {
            throw UsageError(
                title: "completion needs the name of a shell", remedy: "write one of: bash, zsh, fish",
                topic: .completion)
        }
        if isWord(first, "--help") || isWord(first, "-h") { return .answer(Answer(CtlHelp.completion)) }
        if isWord(first, "words") { return .complete([[UInt8]](words.dropFirst())) }
        if words.count == 1 {
            if isWord(first, "bash") { return .answer(Answer(bash)) }
            if isWord(first, "zsh") { return .answer(Answer(zsh)) }
            if isWord(first, "fish") { return .answer(Answer(fish)) }
        }
        throw UsageError(
            title: say("there is no completion for %", quoted([[UInt8]](words))),
            remedy: "write one of: bash, zsh, fish", topic: .completion)
    }

    private static let bash = #"""
        # bash completion of hermes-init; in ~/.bashrc: eval "$(hermes-init completion bash)"
        _hermes_init() {
            local line=${COMP_LINE:0:COMP_POINT} current word cut='' separator
            local -a words
            read -ra words <<<"$line"
            [[ $line == *[[:blank:]] ]] && words+=("")
            current=${words[${#words[@]} - 1]}
            # What stands in front of a character at which bash divides words is not completed.
            for separator in @ : =; do
                if [[ $COMP_WORDBREAKS == *"$separator"* && $current == *"$separator"* ]]; then
                    word=${current%"${current##*"$separator"}"}
                    ((${#word} > ${#cut})) && cut=$word
                fi
            done
            COMPREPLY=()
            while IFS=$'\t' read -r word _; do
                case $word in
                :folders | :files)
                    compopt -o filenames 2>/dev/null
                    [[ $word == :folders ]] && word=-d || word=-f
                    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$word" -- "$current")
                    ;;
                *) COMPREPLY+=("${word#"$cut"}") ;;
                esac
            done < <("${words[0]}" completion words "${words[@]:1}" 2>/dev/null)
        }
        complete -F _hermes_init hermes-init

        """#

    private static let zsh = #"""
        #compdef hermes-init
        # zsh completion of hermes-init; in ~/.zshrc: eval "$(hermes-init completion zsh)"
        _hermes_init() {
            local line
            local -a candidates
            for line in ${(f)"$(${words[1]} completion words "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
                case $line in
                :folders*) _files -/ && return ;;
                :files*) _files && return ;;
                *) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
                esac
            done
            _describe 'hermes-init' candidates
        }
        if [[ ${funcstack[1]} == _hermes-init ]]; then
            _hermes_init "$@"
        else
            compdef _hermes_init hermes-init
        fi

        """#

    private static let fish = #"""
        # fish completion of hermes-init; in config.fish: hermes-init completion fish | source
        function __hermes_init
            set -l words (commandline -opc)
            set -l current (commandline -ct)
            for line in ($words[1] completion words $words[2..-1] "$current" 2>/dev/null)
                switch $line
                    case ':folders*'
                        __fish_complete_directories "$current"
                    case ':files*'
                        __fish_complete_path "$current"
                    case '*'
                        echo $line
                end
            end
        end
        complete -c hermes-init -f -a '(__hermes_init)'

        """#
}
