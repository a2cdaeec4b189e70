/// The words of each mistake. Titles say what is wrong in the words of the file; the help is there where the remedy is
/// sure.

extension Mistake {
    /// The mistake in words, at its place.
    func diagnostic(at span: Span) -> Diagnostic {
        switch self {
        // The file.
        case .fileTooLarge:
            return told("toml-file-too-large", "the file is larger than 2 GiB", span)
        case .utf16:
            return told(
                "toml-not-utf8", "the file is UTF-16, and TOML is UTF-8", span, help: "save the file as UTF-8")
        case .binary:
            return told("toml-not-text", "this is no text file", span, "neither text nor UTF-8")
        case .notUTF8(let others):
            var told = told(
                "toml-not-utf8", "the file is not UTF-8", span, "not a character of UTF-8",
                help: "save the file as UTF-8")
            if others > 0 { told.notes = [say("% more of these in the file", String(others))] }
            return told
        case .controlCharacter(let byte):
            let title =
                byte == Byte.carriageReturn
                ? "a carriage return may only stand before a line feed"
                : say("the control character U+% may not stand in a TOML file", hexadecimal(UInt32(byte), digits: 4))
            return told("toml-control-character", title, span)
        case .unexpected(let text):
            return told("toml-unexpected-character", say("unexpected \"%\"", text), span)
        case .tooDeep:
            return told(
                "toml-too-deep",
                say("more than % tables and arrays lie in one another", String(TOMLParser.maximumDepth)),
                span)
        case .tooManyMistakes:
            return told(
                "toml-too-many-mistakes",
                say(
                    "and more: the file has over % mistakes and was read up to here", String(TOMLParser.maximumMistakes)
                ),
                span)
        case .needs11(let what):
            return told("toml-needs-1.1", say("% is not in TOML 1.0", what), span)

        // Statements and keys.
        case .missingKey:
            return told("toml-missing-key", "there is no key before the \"=\"", span)
        case .emptyKeyPart:
            return told(
                "toml-empty-key-part", "a name is missing beside a dot of the key", span,
                help: "if the empty name is meant, write \"\"")
        case .multilineKey:
            return told(
                "toml-multiline-key", "a key stands in single quotation marks, not in three", span,
                help: "write one quotation mark on each side")
        case .emptyHeader:
            return told("toml-empty-header", "the header names no table", span)
        case .badKey(let text):
            return told(
                "toml-bad-key", say("the key \"%\" cannot stand without quotes", text), span,
                "only A-Z a-z 0-9 - _ may stand without quotes",
                help: span.end - span.start <= 40 ? say("write %", quoted(text)) : nil)
        case .missingEquals(let key):
            return told(
                "toml-missing-equals", say("there is no \"=\" after the key \"%\"", key), span, "\"=\" belongs here")
        case .missingValue(let key):
            return told(
                "toml-missing-value", say("the key \"%\" has no value", key), span, help: say("write % = \"…\"", key))
        case .colon:
            return told("toml-colon", "TOML has \"=\" between key and value, not \":\"", span, help: "write \"=\"")
        case .doubleEquals:
            return told("toml-double-equals", "one \"=\" too many", span)
        case .unclosedHeader(let isArray):
            return told(
                "toml-unclosed-header",
                isArray ? "the header has no closing \"]]\"" : "the header has no closing \"]\"",
                span)
        case .textAfterHeader:
            return told("toml-text-after-header", "a header stands alone on its line", span)
        case .textAfterValue:
            return told(
                "toml-text-after-value", "the line goes on after its value", span, "belongs on a line of its own")

        // Strings and words.
        case .unclosedString(let multiline, let quote, let escapedQuote):
            let mark = quote == Byte.quote ? "\"" : "'"
            if multiline {
                return told(
                    "toml-unclosed-string", "the string is not closed before the end of the file", span, "opened here",
                    help: say("close it with %%%", mark, mark, mark))
            }
            return told(
                "toml-unclosed-string", "the string is not closed on its line", span, "opened here",
                help: escapedQuote
                    ? "a backslash before a quotation mark makes it a part of the string; write \\\\ for a backslash"
                    : say(
                        "close it with %, or write %%% on both sides for a text of several lines", mark, mark, mark,
                        mark))
        case .badEscape:
            return told(
                "toml-bad-escape", "there is no such escape", span,
                "known are \\b \\t \\n \\f \\r \\e \\\" \\\\ \\x \\u \\U",
                help: "write \\\\ for a backslash, or put the string in single quotes, where it stands for itself")
        case .shortEscape(let digits):
            return told(
                "toml-bad-escape", say("this escape needs % hexadecimal digits", String(digits)), span,
                help: "write \\\\ for a backslash, or put the string in single quotes, where it stands for itself")
        case .badCodePoint:
            return told(
                "toml-bad-code-point", "there is no character of this number", span,
                help: "characters go from 0 to D7FF and from E000 to 10FFFF")
        case .typographicQuote:
            return told(
                "toml-typographic-quote", "a typographic quotation mark does not begin a string", span,
                help: "write \" or '")
        case .unquoted(let text, let isNumber):
            return told(
                "toml-unquoted-string",
                say("cannot read \"%%", text, isNumber ? "\" as a number or date" : "\" as a value"),
                span,
                "a string needs quotes", help: span.end - span.start <= 40 ? say("write %", quoted(text)) : nil)
        case .booleanWord(let text, let meant):
            return told(
                "toml-boolean", say("\"%\" is no boolean", text), span,
                help: say("write %, or % if the word is meant", meant, quoted(text)))
        case .floatWord(let text, let meant):
            return told("toml-float-word", say("\"%\" is no number", text), span, help: say("write %", meant))
        case .null(let text):
            return told(
                "toml-null", say("TOML has no %", text), span,
                help: say("leave the key out, or write % for the word", quoted(text)))

        // Numbers.
        case .leadingZero(let number, let mayBeOctal):
            return told(
                "toml-leading-zero", "a number has no leading zero", span,
                help: mayBeOctal ? say("write %, or 0o% for an octal number", number, number) : nil)
        case .missingDigits:
            return told("toml-missing-digits", "a digit is missing in the number", span)
        case .misplacedUnderscore:
            return told("toml-misplaced-underscore", "an underscore in a number stands between two digits", span)
        case .signBeforePrefix:
            return told("toml-signed-prefix", "a hexadecimal, octal or binary number has no sign", span)
        case .integerOutOfRange:
            return told(
                "toml-integer-out-of-range", "the number does not fit in 64 bits", span,
                help: "integers go from -9223372036854775808 to 9223372036854775807")
        case .floatOutOfRange:
            return told("toml-float-out-of-range", "the number is larger than any floating-point number", span)
        case .capitalPrefix(let letter):
            return told(
                "toml-capital-prefix", "the prefix of a number is written in lower case", span,
                help: say("write 0%", letter == "X" ? "x" : letter == "O" ? "o" : "b"))
        case .badDigit(let digit, let base):
            return told(
                "toml-bad-digit",
                say(
                    "\"%\" is no digit of % number", digit,
                    base == 16 ? "a hexadecimal" : base == 8 ? "an octal" : "a binary"),
                span)

        // Dates and times.
        case .dateForm(let form):
            switch form {
            case .date:
                return told("toml-bad-date", "this is no date", span, help: "a date is written 2006-01-31")
            case .time:
                return told(
                    "toml-bad-time", "this is no time of day", span, help: "a time is written 15:04 or 15:04:05.25")
            case .dateTime:
                return told(
                    "toml-bad-date", "this is no date and time", span, help: "it is written 2006-01-31T15:04:05+01:00")
            case .offset:
                return told(
                    "toml-bad-time", "this is no distance from UTC", span, help: "it is written Z, +01:00 or -05:30")
            }
        case .noSuchMonth:
            return told("toml-bad-date", "months go from 01 to 12", span)
        case .noSuchDay(let days):
            return told("toml-bad-date", say("the days of this month go from 01 to %", String(days)), span)
        case .noSuchTime(let unit):
            switch unit {
            case .hour: return told("toml-bad-time", "hours go from 00 to 23", span)
            case .minute: return told("toml-bad-time", "minutes go from 00 to 59", span)
            case .second: return told("toml-bad-time", "seconds go from 00 to 59", span)
            }

        // Arrays and inline tables.
        case .unclosedArray(let next):
            return told(
                "toml-unclosed-array", "the array is not closed", span, "opened here",
                context: next.map { Diagnostic.Label($0, "\"]\" is missing before this") })
        case .unclosedInlineTable(let next):
            return told(
                "toml-unclosed-inline-table", "the inline table is not closed", span, "opened here",
                context: next.map { Diagnostic.Label($0, "\"}\" is missing before this") })
        case .extraComma:
            return told("toml-extra-comma", "there is nothing before this comma", span)
        case .missingComma:
            return told("toml-missing-comma", "a comma is missing", span, "\",\" belongs here")
        case .textAfterElement:
            return told("toml-text-after-element", "a comma or the closing bracket should stand here", span)

        // Writing a thing twice.
        case .duplicateKey(let key, let first):
            return again("toml-duplicate-key", say("the key \"%\" is defined twice", key), span, first)
        case .duplicateTable(let name, let first):
            return again(
                "toml-duplicate-table", say("the table [%] is defined twice", name), span, first,
                help: "put its keys together under one header")
        case .notATable(let name, let first):
            return again(
                "toml-not-a-table", say("\"%\" is a value, not a table: nothing can be added to it", name), span, first)
        case .notAnArray(let name, let first):
            return again(
                "toml-not-an-array", say("[%] is a table, not an array of tables", name), span, first,
                help: say("write [[%]] in every place, or [%] in one", name, name))
        case .needsDoubleBrackets(let name, let first):
            return again(
                "toml-array-of-tables", say("\"%\" is an array of tables", name), span, first,
                help: say("write [[%]] for a further element", name))
        case .closedTable(let name, let first):
            return again(
                "toml-closed-table", say("the inline table \"%\" is closed: nothing can be added to it", name), span,
                first,
                help: "write the key inside its braces")
        case .closedArray(let name, let first):
            return again(
                "toml-closed-array", say("the array \"%\" is closed: nothing can be added to it", name), span, first,
                help: "write the element inside its brackets")
        case .tableHasHeader(let name, let first):
            return again(
                "toml-table-has-header",
                say("the table \"%\" has a header of its own: dotted keys cannot add to it", name),
                span, first, help: "write the key under that header")
        }
    }

    // MARK: Parts

    // Not inlined: there are sixty calls, most of them with texts that are written down.
    @inline(never)
    private func told(_ code: Literal, _ title: Literal, _ span: Span, _ label: Literal = "") -> Diagnostic {
        told(code, title.text, span, label)
    }

    @inline(never)
    private func told(
        _ code: Literal, _ title: Literal, _ span: Span, _ label: Literal = "", help: Literal
    ) -> Diagnostic {
        told(code, title.text, span, label, help: help.text)
    }

    @inline(never)
    @_disfavoredOverload
    private func told(
        _ code: Literal, _ title: String, _ span: Span, _ label: Literal = "", context: Diagnostic.Label? = nil,
        help: String? = nil
    ) -> Diagnostic {
        var all = [Diagnostic.Label]()
        if let context { all.append(context) }
        return Diagnostic(code: code.text, title, at: Diagnostic.Label(span, label.text), context: all, help: help)
    }

    @inline(never)
    private func again(
        _ code: Literal, _ title: String, _ span: Span, _ first: Span, help: String? = nil
    ) -> Diagnostic {
        told(code, title, span, "", context: Diagnostic.Label(first, "first defined here"), help: help)
    }

    /// Text as a string of TOML.
    @inline(never)
    private func quoted(_ text: String) -> String {
        for byte in text.bytes where byte == Byte.quote || byte == Byte.backslash || isControl(byte) {
            return "it in quotes"
        }
        return say("\"%\"", text)
    }
}
