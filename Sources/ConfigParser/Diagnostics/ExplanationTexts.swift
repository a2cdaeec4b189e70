/// The paragraphs and examples of all codes, one text for each source of diagnostics: the language, service files, and
/// what only shows between files, and what the checks of meaning find. Explanation.swift says how a block is written.

extension Explanation {
    /// In the order in which they are listed; each block ends in two line feeds.
    static var allTexts: String {
        let gap = "\n\n"
        return language + gap + serviceFiles + gap + graph + gap + meaning + gap
    }

    /// What the parser of TOML says.
    private static let language = #"""
        toml-not-utf8
        TOML files are UTF-8. Save the file as UTF-8, not as UTF-16 or Latin-1.

        toml-not-text
        The file is not text: it probably holds something else's data.

        toml-file-too-large
        Files larger than 2 GiB are not read.

        toml-control-character
        The only control characters allowed in a file are tab and line end. In a string,
        write an escape such as \u0007.

        toml-unexpected-character
        Nothing in TOML begins with this character.
        | port = ]

        toml-too-deep
        Tables and arrays may be nested 100 deep.

        toml-too-many-mistakes
        After 100 mistakes the rest of a file is not read. Fix those above first.

        toml-needs-1.1
        The file was read as TOML 1.0, but this is new in 1.1. Service files are 1.1.
        | point = { x = 1, }

        toml-missing-key
        Each "=" needs a name in front of it.
        | = 80

        toml-empty-key-part
        Each dot in a key needs a name on both sides. The empty name is "".
        | server. = 80

        toml-multiline-key
        A quoted key takes one quotation mark on each side, not three.
        | """port""" = 80

        toml-empty-header
        A header must name its table.
        | []

        toml-bad-key
        A key without quotes may contain only A-Z a-z 0-9 - and _.
        | größe = 1

        toml-missing-equals
        Each line is: key = value.
        | port 80

        toml-missing-value
        A key needs a value on the same line. If there is none, leave the key out.
        | port =

        toml-colon
        Separate key and value with "=", not ":".
        | port: 80

        toml-double-equals
        One "=" is enough.
        | port == 80

        toml-unclosed-header
        A header ends with "]" on the same line; for an array of tables, with "]]".
        | [server

        toml-text-after-header
        Only a comment may follow a header on the same line.
        | [server] port = 80

        toml-text-after-value
        Only a comment may follow a value on the same line.
        | port = 80 host = "a"

        toml-unclosed-string
        A string ends on its line with the mark that began it; only """ and ''' may
        span lines. To put the mark itself in the string, write a backslash before it.
        | path = "/srv/data

        toml-bad-escape
        In "…" a backslash begins an escape: \b \t \n \f \r \e \" \\ \xHH \uHHHH
        \UHHHHHHHH. In '…' it is an ordinary character.
        | path = "C:\data"

        toml-bad-code-point
        \u and \U take a Unicode character, but not D800 to DFFF or above 10FFFF.
        | text = "\uD800"

        toml-typographic-quote
        Strings need straight quotation marks. Some editors put in curly ones.
        | name = “web”

        toml-unquoted-string
        Text needs quotes; only numbers, dates, true and false do without.
        | name = web

        toml-boolean
        The two booleans are true and false, in lower case.
        | autostart = yes

        toml-float-word
        inf and nan are written in lower case.
        | limit = Inf

        toml-null
        TOML has no null. Leave the key out.
        | user = null

        toml-leading-zero
        A decimal number has no leading zero. An octal one begins with 0o.
        | umask = 022

        toml-missing-digits
        A dot needs a digit on both sides; an "e" or a prefix needs one after it.
        | factor = 1.

        toml-misplaced-underscore
        An underscore goes between two digits.
        | size = 1__000

        toml-signed-prefix
        Hexadecimal, octal and binary numbers take no sign.
        | mask = -0x1f

        toml-integer-out-of-range
        Integers range from -9223372036854775808 to 9223372036854775807.
        | size = 9223372036854775808

        toml-float-out-of-range
        The largest floating-point number is about 1.8e308.
        | factor = 1e400

        toml-capital-prefix
        The prefixes 0x, 0o and 0b must be lower case.
        | mask = 0X1F

        toml-bad-digit
        0o takes 0-7, 0b takes 0 and 1, 0x also takes a-f.
        | mask = 0o789

        toml-bad-date
        A date is written 2006-01-31 and must exist in the calendar.
        | since = 2025-02-30

        toml-bad-time
        A time is 15:04, 15:04:05 or 15:04:05.25; an offset from UTC is Z or +01:00.
        | at = 25:00:00

        toml-unclosed-array
        An array ends with "]". The second mark shows what came instead of it.
        | command = ["web", "-v"
        | user = "www"

        toml-unclosed-inline-table
        An inline table ends with "}".
        | when = { tty = true

        toml-extra-comma
        There must be an element between two commas. One comma may follow the last.
        | command = ["web",, "-v"]

        toml-missing-comma
        Elements are separated by commas.
        | command = ["web" "-v"]

        toml-text-after-element
        After an element comes a comma or the closing bracket.
        | ports = [80 = 81]

        toml-duplicate-key
        A key has only one value. Remove one of the two that are marked.
        | port = 80
        | port = 81

        toml-duplicate-table
        A table has only one header. Put all its keys under it.
        | [a]
        | [a]

        toml-not-a-table
        This name already has a value, so it cannot be a table too.
        | server = "a"
        | server.port = 80

        toml-not-an-array
        [[name]] is for arrays of tables, but this name is already a single table.
        | [a]
        | [[a]]

        toml-array-of-tables
        This name is an array of tables. Add an element with [[name]].
        | [[a]]
        | [a]

        toml-closed-table
        A table in braces is complete: nothing can be added outside the braces.
        | a = { b = 1 }
        | a.c = 2

        toml-closed-array
        An array in brackets is complete: nothing can be added outside the brackets.
        | a = [1]
        | [[a]]

        toml-table-has-header
        A table with a header gets its keys there, not through dotted keys elsewhere.
        | [a.b]
        | [a]
        | b.c = 1
        """#

    /// What the readers of service files and init.toml say.
    private static let serviceFiles = #"""
        unknown-key
        There is no such key here. The message suggests the nearest one; all keys are in
        docs/service-files.md. Also check that it is under the right header.
        | comand = ["web"]
        | type = "group"

        wrong-type
        The key takes another kind of value: strings need quotes, numbers and booleans
        have none, and lists go in brackets.
        | command = "web --port 80"

        bad-value
        The value is of the right kind but not acceptable: out of range, empty, not a
        signal, not a duration. The message says what is allowed.
        | command = ["web"]
        | umask = "999"

        bad-name
        A service name is a-z or a digit, then a-z 0-9 . _ -, at most 64 bytes; a
        variable name is letters, digits and _, with no digit first.
        | command = ["web"]
        | requires = ["My Database"]

        bad-template
        In a string, ${NAME} is a variable; ${NAME:-default} and ${NAME:?message} say
        what happens if it is not set. For a literal ${ write $${.
        | command = ["web", "${PORT"]

        contradiction
        Two settings exclude each other, such as `command` and `plugin`, or a process
        for a group. Keep the one you mean.
        | type = "group"
        | command = ["web"]

        missing-key
        A required setting is missing. Every service except a group says what it runs:
        `command`, `script` or `plugin`.
        | description = "a web server"

        duplicate-name
        A name appears twice in a list, or a signal twice in [signals].
        | command = ["web"]
        | after = ["main", "main"]

        duplicate-main
        Only one service can be the main program. Make the other a longrun, or mask it.
        | # app.toml
        | type = "main"
        | command = ["app"]
        | # web.toml
        | type = "main"
        | command = ["web"]

        main-without-type
        The name main.toml alone makes no main program; `type = "main"` does.
        | # main.toml
        | command = ["web"]

        missing-base
        A drop-in NAME.d/*.toml adds to NAME.toml, but no folder has that file.
        | # web.d/port.toml
        | user = "www"

        instance-file
        NAME@.toml describes all instances of a template; none has a file of its own.
        `names` and `from` below [instances] say which ones there are. An empty
        NAME@INSTANCE.toml masks one of them.
        | # web@blue.toml
        | command = ["web"]

        instances-from
        A warning: the folder that `from` names cannot be read, or holds more than 1,024
        instances. A missing folder is no mistake: it just holds none yet.
        | # web@.toml
        | command = ["web", "${HERMES_INIT_INSTANCE}"]
        | [instances]
        | from = "${SITES}/*/site.conf"

        instance-name
        A warning: something `from` found cannot be an instance, because its name does
        not fit in a service name: lower-case a-z, digits, `.`, `_` and `-`, at most 64
        bytes together with the template's name. The others are made.

        open-address
        A warning: /metrics, /health and /ready answer anyone who reaches this address.
        | # init.toml
        | [control]
        | http = "0.0.0.0:9464"

        unknown-plugin
        There is no plugin of this name. The message lists the ones there are.
        | plugin = "find-executables"

        unreadable-file
        A service file must be a readable regular file of at most 1 MiB.

        unreadable-folder
        A folder of service files cannot be listed, or is a link to nowhere. A folder
        that --config names must exist.

        too-many-mistakes
        After 100 mistakes in a service the rest are only counted.
        """#

    /// What shows only between services.
    private static let graph = #"""
        graph-missing-service
        What `requires` or `wants` names must be a service. `after` and `before` may
        name services that do not exist.
        | command = ["web"]
        | requires = ["database"]

        graph-cycle
        Services wait for each other in a circle, so none can start. Remove one of the
        marked arrows, or reverse it.
        | # db.toml
        | command = ["db"]
        | after = ["web"]
        | # web.toml
        | command = ["web"]
        | requires = ["db"]
        """#

    /// What `--check` finds beyond what a boot refuses.
    private static let meaning = #"""
        unknown-user
        `user` names nobody in the image's /etc/passwd. Add the user to the image, or
        write a number, which needs no entry.
        | command = ["web"]
        | user = "wwww"

        unknown-group
        `group` or `groups` names nothing in the image's /etc/group. Add the group, or
        write a number, which needs no entry.
        | command = ["web"]
        | group = "wheel"

        program-not-found
        There is no file of this name on the service's PATH, or at the path given. Each
        word of a command is a string of its own: no shell splits it.
        | command = ["wbe"]

        program-not-executable
        The program is a file that nobody may execute (chmod +x), or is not a file at
        all.
        | command = ["/opt/no-permission.sh"]

        interpreter-not-found
        The first line of a script names the program that runs it, and that program is
        not there. A CR at the end of that line counts as part of the name.
        | command = ["/opt/needs-perl"]

        program-format
        The file is not an ELF program and does not begin with #!, so Linux cannot
        execute it. Begin a script with a line such as #!/bin/sh.
        | command = ["/opt/no-first-line.sh"]

        bad-directory
        The working directory is not in the image, or is not a folder. This is only a
        warning if something may create it before the service starts.
        | command = ["web"]
        | directory = "/srv/wwww"

        bad-environment-file
        A file in `environment-files` is missing, cannot be read, or has a line that is
        not NAME=value. A "-" before the path allows it to be missing.
        | command = ["web"]
        | environment-files = ["/etc/wbe.env"]

        unset-variable
        Nothing known sets this variable, and without it the service does not start.
        ${NAME:-default} gives it a value; ${NAME:?why} says that the container has to
        set it.
        | command = ["web", "--port", "${PORT}"]

        never-holds
        Two conditions in [when] exclude each other, so the service is always skipped.
        | command = ["web"]
        | when = { env = "DEBUG", env-unset = "DEBUG" }

        no-effect
        This setting changes nothing, because of another setting or the lack of one.
        | command = ["web"]
        | [restart]
        | policy = "never"
        | delay = "5s"

        stop-too-long
        Services that stop one after another may together take longer than the whole
        stop may take; whatever still runs at `shutdown-timeout` is killed.
        | command = ["web"]
        | [stop]
        | timeout = "20s"

        secret-in-clear
        The variable's name says it holds a secret, and its value is in the file, where
        anyone with the image can read it. Pass it to the container at start instead, or
        put it in a file that `environment-files` names.
        | command = ["web"]
        | [environment]
        | API_TOKEN = "d41d8cd98f00b204"

        shell-word
        A word such as && or > means something only to a shell, and no shell reads
        `command`: the program gets the word as an argument. Use `script`.
        | command = ["web", "&&", "app"]

        port-collision
        Two services are to answer at one address, but only one can listen there. A
        variable in it counts with its default.
        | # api.toml
        | command = ["api"]
        | ready.tcp = "127.0.0.1:8080"
        | # web.toml
        | command = ["web"]
        | ready.http = "http://localhost:${PORT:-8080}/"
        """#
}
