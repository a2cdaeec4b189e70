import ConfigParser

/// Options by the rules of getopt(3) and getopt_long(3) with a leading `+`: options end at the first word that is none,
/// or behind `--`; short ones may share a word (`-gvv`); the value of a short one may stand in the same word (`-e143`)
/// or be the next word, whatever that is; a long one may be shortened as long as it stays unambiguous (`--sin`), and
/// has its value behind `=` or in the next word. Used for the names tini and dumb-init only: hermes-init's own command
/// line is stricter. Reads words, never acts.

/// A long option.
struct LongOption: Sendable {
    var name: StaticString
    /// The short option that means the same.
    var letter: UInt8
    init(_ name: StaticString, _ letter: Unicode.Scalar) {
        self.name = name
        self.letter = UInt8(truncatingIfNeeded: letter.value)
    }
}

/// What the scanner found.
enum ScannedOption: Equatable {
    case flag(UInt8)
    case valued(UInt8, [UInt8])
    /// Not an option that there is, or not so; the text says which, as getopt does ("invalid option -- 'x'").
    case mistake(String)
}

/// Walks over the words of a command line.
struct OptionScanner {
    private let words: [[UInt8]]
    private let flags: [UInt8]
    private let valued: [UInt8]
    private let long: [LongOption]
    private var index: Int
    /// Whether the options ended at a `--`, which is in none of the words that are left.
    private(set) var sawDashes = false
    /// Where in a word of several short options the next one stands; 0 between words.
    private var position = 0

    /// - Parameters:
    ///   - words: the command line with the program's name in front.
    ///   - flags: the letters of the short options without a value; `valued`: with one.
    ///   - long: the long options; where there are none, `--word` is read as the short options `-`, `w`, …
    init(_ words: [[UInt8]], flags: StaticString, valued: StaticString, long: [LongOption] = []) {
        self.words = words
        self.flags = bytes(of: flags)
        self.valued = bytes(of: valued)
        self.long = long
        index = 1
    }

    /// The words behind the options, once `next` gave nil.
    var rest: [[UInt8]] { [[UInt8]](words.dropFirst(index)) }

    /// The next option; nil where they end.
    mutating func next() -> ScannedOption? {
        if position == 0 {
            guard index < words.count else { return nil }
            let word = words[index]
            guard word.count > 1 && word[0] == 0x2D else { return nil }
            if word.count == 2 && word[1] == 0x2D {
                index += 1
                sawDashes = true
                return nil
            }
            if word[1] == 0x2D && !long.isEmpty { return nextLong(word) }
            position = 1
        }
        return nextShort(words[index])
    }

    private mutating func nextShort(_ word: [UInt8]) -> ScannedOption {
        let letter = word[position]
        let behind = position + 1
        let isLast = behind >= word.count
        if isLast {
            position = 0
            index += 1
        } else {
            position = behind
        }
        if flags.contains(letter) { return .flag(letter) }
        guard valued.contains(letter) else { return .mistake(say("invalid option -- '%'", shown([letter]))) }
        if !isLast {
            position = 0
            index += 1
            return .valued(letter, [UInt8](word[behind...]))
        }
        guard let value = takeWord() else {
            return .mistake(say("option requires an argument -- '%'", shown([letter])))
        }
        return .valued(letter, value)
    }

    private mutating func nextLong(_ word: [UInt8]) -> ScannedOption {
        index += 1
        let equals = word.firstIndex(of: 0x3D)
        let name = word[2..<(equals ?? word.count)]
        var matches = [LongOption]()
        for option in long {
            let known = bytes(of: option.name)
            guard known.starts(with: name) else { continue }
            if known.count == name.count {
                matches = [option]
                break
            }
            matches.append(option)
        }
        guard let match = matches.first else { return .mistake(say("unrecognized option '%'", shown(word))) }
        if matches.count > 1 {
            var text = say("option '%' is ambiguous; possibilities:", shown(word))
            for option in matches { text += say(" '--%'", option.name.description) }
            return .mistake(text)
        }
        let option = say("option '--%'", match.name.description)
        if flags.contains(match.letter) {
            return equals == nil ? .flag(match.letter) : .mistake(say("% doesn't allow an argument", option))
        }
        if let equals { return .valued(match.letter, [UInt8](word[(equals + 1)...])) }
        guard let value = takeWord() else { return .mistake(say("% requires an argument", option)) }
        return .valued(match.letter, value)
    }

    private mutating func takeWord() -> [UInt8]? {
        guard index < words.count else { return nil }
        let word = words[index]
        index += 1
        return word
    }
}

/// The bytes of a literal.
func bytes(of text: StaticString) -> [UInt8] {
    [UInt8](UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
}

/// Bytes as text between quotation marks: what is not printable is shown as `?`.
func shown(_ word: [UInt8]) -> String {
    var result = ""
    for scalar in String(decoding: word, as: UTF8.self).unicodeScalars {
        let isControl = scalar.value < 0x20 || (scalar.value >= 0x7F && scalar.value < 0xA0)
        result.unicodeScalars.append(isControl ? "?" : scalar)
    }
    return result
}
