/// Every mistake that the reader of TOML can tell. MistakeWords.swift says it to a person.

/// A mistake, without the place.
indirect enum Mistake {
    // The file.
    case fileTooLarge, utf16, binary
    case notUTF8(others: Int)
    case controlCharacter(UInt8)
    case unexpected(String)
    case tooDeep, tooManyMistakes
    /// What TOML 1.1 added, where 1.0 was asked for.
    case needs11(String)

    // Statements and keys.
    case missingKey, emptyKeyPart, multilineKey, emptyHeader
    case badKey(String)
    case missingEquals(String)
    case missingValue(String)
    case colon, doubleEquals
    case unclosedHeader(isArray: Bool)
    case textAfterHeader, textAfterValue

    // Strings.
    case unclosedString(multiline: Bool, quote: UInt8, escapedQuote: Bool)
    case badEscape, badCodePoint, typographicQuote
    case shortEscape(Int)

    // Numbers and words.
    case unquoted(String, isNumber: Bool)
    case booleanWord(String, meant: String)
    case floatWord(String, meant: String)
    case null(String)
    case leadingZero(String, mayBeOctal: Bool)
    case missingDigits, misplacedUnderscore, signBeforePrefix, integerOutOfRange, floatOutOfRange
    case capitalPrefix(String)
    case badDigit(String, base: Int64)

    // Dates and times.
    enum DateForm { case date, time, dateTime, offset }
    enum TimeUnit { case hour, minute, second }
    case dateForm(DateForm)
    case noSuchMonth
    case noSuchDay(days: Int)
    case noSuchTime(TimeUnit)

    // Arrays and inline tables. The span is that of what follows where the end should have been.
    case unclosedArray(next: Span?)
    case unclosedInlineTable(next: Span?)
    case extraComma, missingComma, textAfterElement

    // Writing a thing twice. The span is that of the first.
    case duplicateKey(String, first: Span)
    case duplicateTable(String, first: Span)
    case notATable(String, first: Span)
    case notAnArray(String, first: Span)
    case needsDoubleBrackets(String, first: Span)
    case closedTable(String, first: Span)
    case closedArray(String, first: Span)
    case tableHasHeader(String, first: Span)
}
