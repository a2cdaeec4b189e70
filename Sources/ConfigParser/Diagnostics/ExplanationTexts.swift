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
        TOML is UTF-8. Save the file as UTF-8, not as UTF-16 or Latin-1.

        toml-not-text
        The file holds bytes of no text: probably it is another file's content.

        toml-file-too-large
        Files of more than 2 GiB are not read.

        toml-control-character
        Of control characters only tab and line end may stand in a file. In a string
        write an escape such as \u0007.

        toml-unexpected-character
        Nothing that TOML knows begins with this character.
        | port = ]

        toml-too-deep
        Tables and arrays may lie 100 deep in one another.

        toml-too-many-mistakes
        After 100 mistakes the rest of a file is not read. Mend those above first.

        toml-needs-1.1
        The file was read as TOML 1.0, and this came with 1.1. Service files are 1.1.
        | point = { x = 1, }

        toml-missing-key
        A name stands before each "=".
        | = 80

        toml-empty-key-part
        A name stands on both sides of each dot of a key. The empty name is "".
        | server. = 80

        toml-multiline-key
        A key stands in one quotation mark on each side, not in three.
        | """port""" = 80

        toml-empty-header
        A header names its table.
        | []

        toml-bad-key
        Only A-Z a-z 0-9 - and _ may stand in a key without quotes.
        | größe = 1

        toml-missing-equals
        A line is: key = value.
        | port 80

        toml-missing-value
        A key needs a value on the same line. To have none, leave the key out.
        | port =

        toml-colon
        Key and value are parted by "=", not by ":".
        | port: 80

        toml-double-equals
        One "=" is enough.
        | port == 80

        toml-unclosed-header
        A header ends with "]" on its line, that of an array of tables with "]]".
        | [server

        toml-text-after-header
        Nothing but a comment may follow a header on its line.
        | [server] port = 80

        toml-text-after-value
        Nothing but a comment may follow a value on its line.
        | port = 80 host = "a"

        toml-unclosed-string
        A string ends on its line with the mark that began it; only """ and ''' may
        span lines. A backslash before the mark makes it a part of the string.
        | path = "/srv/data

        toml-bad-escape
        In "…" a backslash begins an escape: \b \t \n \f \r \e \" \\ \xHH \uHHHH
        \UHHHHHHHH. In '…' it stands for itself.
        | path = "C:\data"

        toml-bad-code-point
        \u and \U name a character of Unicode, none of D800 to DFFF or above 10FFFF.
        | text = "\uD800"

        toml-typographic-quote
        Strings stand in straight quotation marks. Some editors put in curly ones.
        | name = “web”

        toml-unquoted-string
        Text needs quotes; only numbers, dates, true and false go without.
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
        A digit stands on both sides of a dot, and behind an "e" or a prefix.
        | factor = 1.

        toml-misplaced-underscore
        An underscore stands between two digits.
        | size = 1__000

        toml-signed-prefix
        Hexadecimal, octal and binary numbers have no sign.
        | mask = -0x1f

        toml-integer-out-of-range
        Integers go from -9223372036854775808 to 9223372036854775807.
        | size = 9223372036854775808

        toml-float-out-of-range
        The largest floating-point number is about 1.8e308.
        | factor = 1e400

        toml-capital-prefix
        The prefixes 0x, 0o and 0b are lower case.
        | mask = 0X1F

        toml-bad-digit
        0o takes 0-7, 0b 0 and 1, 0x also a-f.
        | mask = 0o789

        toml-bad-date
        A date is written 2006-01-31 and must be in the calendar.
        | since = 2025-02-30

        toml-bad-time
        A time is 15:04, 15:04:05 or 15:04:05.25; a distance from UTC Z or +01:00.
        | at = 25:00:00

        toml-unclosed-array
        An array ends with "]". The second mark shows what follows too early.
        | command = ["web", "-v"
        | user = "www"

        toml-unclosed-inline-table
        An inline table ends with "}".
        | when = { tty = true

        toml-extra-comma
        Between two commas stands an element. One comma may follow the last.
        | command = ["web",, "-v"]

        toml-missing-comma
        Elements are parted by commas.
        | command = ["web" "-v"]

        toml-text-after-element
        After an element stands a comma or the closing bracket.
        | ports = [80 = 81]

        toml-duplicate-key
        A key has one value. Remove one of the two that are marked.
        | port = 80
        | port = 81

        toml-duplicate-table
        A table has one header. Put its keys together under it.
        | [a]
        | [a]

        toml-not-a-table
        The name has a value, so it cannot be a table too.
        | server = "a"
        | server.port = 80

        toml-not-an-array
        [[name]] is for arrays of tables, and the first place made a table.
        | [a]
        | [[a]]

        toml-array-of-tables
        The name is an array of tables. A further element begins with [[name]].
        | [[a]]
        | [a]

        toml-closed-table
        A table in braces is complete: nothing can be added outside of them.
        | a = { b = 1 }
        | a.c = 2

        toml-closed-array
        An array in brackets is complete: nothing can be added outside of them.
        | a = [1]
        | [[a]]

        toml-table-has-header
        A table with a header of its own gets its keys under it, not by dotted keys.
        | [a.b]
        | [a]
        | b.c = 1
        """#

    /// What the readers of service files and init.toml say.
    private static let serviceFiles = #"""
        unknown-key
        There is no such key here. The message offers the nearest; the keys are those
        of docs/service-files.md. Look whether it stands under the right header, too.
        | comand = ["web"]
        | type = "group"

        wrong-type
        The key takes a value of another kind: a string needs quotes, a number and a
        boolean have none, a list stands in brackets.
        | command = "web --port 80"

        bad-value
        The kind of the value is right, the value is not: out of range, empty, no such
        signal, no duration. The message says what may stand there.
        | command = ["web"]
        | umask = "999"

        bad-name
        A service is named by a-z or a digit, then a-z 0-9 . _ -, at most 64 bytes; a
        variable by letters, digits and _, no digit first.
        | command = ["web"]
        | requires = ["My Database"]

        bad-template
        In a string ${NAME} is a variable; ${NAME:-default} and ${NAME:?message} say
        what to do where it is not set. A literal ${ is written $${.
        | command = ["web", "${PORT"]

        contradiction
        Two settings cannot both hold, such as `command` beside `plugin`, or a process
        for a group. Keep the one that is meant.
        | type = "group"
        | command = ["web"]

        missing-key
        A setting that cannot be left out is not there. Every service but a group says
        what it runs: `command`, `script` or `plugin`.
        | description = "a web server"

        duplicate-name
        A name stands twice in a list, or a signal twice in [signals].
        | command = ["web"]
        | after = ["main", "main"]

        duplicate-main
        One service is the main program. Make the other a longrun, or mask it.
        | # app.toml
        | type = "main"
        | command = ["app"]
        | # web.toml
        | type = "main"
        | command = ["web"]

        main-without-type
        The name main.toml does not make the main program; `type = "main"` does.
        | # main.toml
        | command = ["web"]

        missing-base
        A drop-in NAME.d/*.toml is laid over NAME.toml, which is in no folder.
        | # web.d/port.toml
        | user = "www"

        instance-file
        NAME@.toml describes all instances of a template, and none has a file of its
        own. `names` and `from` below [instances] say which ones there are. An empty
        NAME@INSTANCE.toml masks one of them.
        | # web@blue.toml
        | command = ["web"]

        instances-from
        A warning: the folder that `from` names cannot be looked at, or holds more than
        1,024 instances. A folder that is not there is no mistake: it holds none yet.
        | # web@.toml
        | command = ["web", "${HERMES_INIT_INSTANCE}"]
        | [instances]
        | from = "${SITES}/*/site.conf"

        instance-name
        A warning: something that `from` finds cannot be an instance, since its name
        cannot be a part of a service's: small letters a-z, digits, `.`, `_` and `-`,
        with the name of the template at most 64 bytes. The others are made.

        open-address
        A warning: /metrics, /health and /ready answer whoever reaches this address.
        | # init.toml
        | [control]
        | http = "0.0.0.0:9464"

        unknown-plugin
        There is no plugin of this name. The message lists those that there are.
        | plugin = "find-executables"

        unreadable-file
        A service file must be a readable regular file of at most 1 MiB.

        unreadable-folder
        A folder of service files cannot be listed. One that --config names must be
        there.

        too-many-mistakes
        After 100 mistakes in a service the rest is only counted.
        """#

    /// What shows only between services.
    private static let graph = #"""
        graph-missing-service
        What `requires` or `wants` names must be a service. `after` and `before` may
        name what is not there.
        | command = ["web"]
        | requires = ["database"]

        graph-cycle
        Services wait for each other in a circle, so none can start. Take out one of
        the arrows that are marked, or turn it round.
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
        `user` names nobody in /etc/passwd of the image. Add the user to the image, or
        write a number, which needs no entry.
        | command = ["web"]
        | user = "wwww"

        unknown-group
        `group` or `groups` names nothing in /etc/group of the image. Add the group, or
        write a number, which needs no entry.
        | command = ["web"]
        | group = "wheel"

        program-not-found
        No file of this name is on the PATH of the service, or at the path that is
        written. Each word of a command is a string of its own: no shell splits them.
        | command = ["wbe"]

        program-not-executable
        The program is a file without a permission to execute it (chmod +x), or no file
        at all.
        | command = ["/opt/no-permission.sh"]

        interpreter-not-found
        The first line of a script names the program that reads it, and that program is
        not there. A CR at the end of that line counts as a part of the name.
        | command = ["/opt/needs-perl"]

        program-format
        The file is no ELF program and does not begin with #!, so Linux does not know
        how to execute it. A script begins with a line such as #!/bin/sh.
        | command = ["/opt/no-first-line.sh"]

        bad-directory
        The working directory is not in the image, or is no folder. It is a warning
        where something may make it before the service starts.
        | command = ["web"]
        | directory = "/srv/wwww"

        bad-environment-file
        A file of `environment-files` is missing, cannot be read, or has a line that is
        no NAME=value. A "-" before the path allows it to be missing.
        | command = ["web"]
        | environment-files = ["/etc/wbe.env"]

        unset-variable
        Nothing that is known sets this variable, and without it the service does not
        start. ${NAME:-default} gives it a value, ${NAME:?why} says that the container
        has to set it.
        | command = ["web", "--port", "${PORT}"]

        never-holds
        Two conditions of [when] rule each other out, so the service is always skipped.
        | command = ["web"]
        | when = { env = "DEBUG", env-unset = "DEBUG" }

        no-effect
        Another setting, or the lack of one, makes that this one changes nothing.
        | command = ["web"]
        | [restart]
        | policy = "never"
        | delay = "5s"

        stop-too-long
        Services that are stopped one after the other may together take longer than the
        whole stop is given; what still runs at `shutdown-timeout` is killed.
        | command = ["web"]
        | [stop]
        | timeout = "20s"

        secret-in-clear
        By its name the variable holds a secret, and its value stands in the file, where
        whoever has the image can read it. Give it to the container when it is started,
        or name a file of it in `environment-files`.
        | command = ["web"]
        | [environment]
        | API_TOKEN = "d41d8cd98f00b204"

        shell-word
        A word such as && or > does something in a shell only, and no shell reads
        `command`: the program gets it as an argument. Use `script`.
        | command = ["web", "&&", "app"]

        port-collision
        Two services are ready where one address answers, so only one can listen there.
        A variable in it counts with its default.
        | # api.toml
        | command = ["api"]
        | ready.tcp = "127.0.0.1:8080"
        | # web.toml
        | command = ["web"]
        | ready.http = "http://localhost:${PORT:-8080}/"
        """#
}
