/// From the text of a string to a `Template`. One pass over the bytes; what `${` opens is taken apart by calls that nest no
/// deeper than `Template.deepest`. A mistake is told with the exact place where the file's text is the string's text (no
/// escapes in it), and with the whole string otherwise.
///
///     template = *( literal / "$${" / variable )
///     variable = "${" name [ ":-" template / ":?" text ] "}"
///     name     = ( letter / "_" ) *( letter / digit / "_" )
///
/// A `$` that no `{` follows is nothing special.

extension Template {
    /// How many `${` may be open at once: a default may name another variable, whose default …
    static let deepest = 8

    /// Takes a string of a file apart and adds every mistake in it to `diagnostics`.
    ///
    /// - Parameters:
    ///   - text: the string, its escapes resolved.
    ///   - span: the value in the file, quotes included.
    ///   - sources: the file, for the exact place of a mistake.
    /// - Returns: what could be read. A text with a NUL character gives an error, since it is meant for exec, a path or
    ///   the environment.
    public static func parse(
        _ text: String, span: Span, sources: SourceMap, diagnostics: inout [Diagnostic]
    ) -> Template {
        let reading = Reading(sources: sources)
        let template = Template(parsing: text, span: span, reading: reading)
        diagnostics += reading.diagnostics
        return template
    }

    init(parsing text: String, span: Span, reading: Reading) {
        let bytes = [UInt8](text.utf8)
        var isPlain = true
        for byte in bytes where byte == 0x24 || byte == 0 {
            isPlain = false
            break
        }
        if isPlain {
            self.init(parts: bytes.isEmpty ? [] : [.literal(bytes)], span: span)
            return
        }
        _ = reading.hasNoNUL(text, span)
        var parser = TemplateParser(bytes: bytes, whole: span, reading: reading)
        self.init(parts: parser.parts(depth: 0), span: span)
    }
}

private struct TemplateParser {
    let bytes: [UInt8]
    let whole: Span
    let reading: Reading
    /// Where the first byte of `bytes` stands in the file; nil where the file's text is another.
    let base: Int32?
    var place = 0
    var isBroken = false

    init(bytes: [UInt8], whole: Span, reading: Reading) {
        self.bytes = bytes
        self.whole = whole
        self.reading = reading
        self.base = TemplateParser.base(bytes, whole, reading)
    }

    /// Looks past the quotes of the value in the file, and past the newline that may follow three of them.
    private static func base(_ bytes: [UInt8], _ whole: Span, _ reading: Reading) -> Int32? {
        let source = reading.source(whole)
        guard let quote = source.first, quote == 0x22 || quote == 0x27 else { return nil }
        var quotes = 1
        if source.count >= 6 && source.prefix(3).allSatisfy({ $0 == quote }) { quotes = 3 }
        guard source.count >= quotes &* 2 else { return nil }
        var inner = source.dropFirst(quotes).dropLast(quotes)
        if quotes == 3 && inner.first == 0x0D { inner = inner.dropFirst() }
        if quotes == 3 && inner.first == 0x0A { inner = inner.dropFirst() }
        guard inner.elementsEqual(bytes) else { return nil }
        return Int32(truncatingIfNeeded: inner.startIndex)
    }

    /// The place of a range of `bytes` in the file.
    func span(_ start: Int, _ end: Int) -> Span {
        guard let base else { return whole }
        return Span(
            file: whole.file, start: base &+ Int32(truncatingIfNeeded: start),
            end: base &+ Int32(truncatingIfNeeded: end))
    }

    func byte(_ offset: Int) -> UInt8? {
        let index = place &+ offset
        return index < bytes.count ? bytes[index] : nil
    }

    /// Up to the end, or, inside a default, up to the `}` that closes it.
    mutating func parts(depth: Int) -> [Template.Part] {
        var parts = [Template.Part]()
        var literal = [UInt8]()
        while let next = byte(0), !isBroken {
            if next == 0x7D && depth > 0 { break }
            if next == 0x24 && byte(1) == 0x24 && byte(2) == 0x7B {
                literal += [0x24, 0x7B]
                place &+= 3
            } else if next == 0x24 && byte(1) == 0x7B {
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal.removeAll()
                if let part = variable(depth: depth) { parts.append(part) }
            } else {
                let start = place
                place &+= 1
                while let next = byte(0), next != 0x24 && (next != 0x7D || depth == 0) { place &+= 1 }
                literal += bytes[start..<place]
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    /// From `${` to its `}`.
    private mutating func variable(depth: Int) -> Template.Part? {
        let start = place
        if depth >= Template.deepest {
            reading.error(
                "bad-template", say("cannot nest more than % `${`", String(Template.deepest)),
                at: span(start, start &+ 2),
                help: "set a variable in [environment] of init.toml and name it here")
            isBroken = true
            return nil
        }
        place &+= 2
        let nameStart = place
        while let next = byte(0), isNameByte(next, first: place == nameStart) { place &+= 1 }
        let name = String(decoding: bytes[nameStart..<place], as: UTF8.self)
        guard let next = byte(0) else { return unclosed(start) }
        if name.isEmpty { return badName(start) }
        var fallback = Template.Fallback.none
        if next == 0x3A && byte(1) == 0x2D {
            place &+= 2
            fallback = .value(parts(depth: depth &+ 1))
        } else if next == 0x3A && byte(1) == 0x3F {
            place &+= 2
            let textStart = place
            while let next = byte(0), next != 0x7D { place &+= 1 }
            fallback = .error(String(decoding: bytes[textStart..<place], as: UTF8.self))
        } else if next != 0x7D {
            return next == 0x3A || isOperator(next) ? badOperator(start, name) : badName(start)
        }
        if isBroken { return nil }
        guard byte(0) == 0x7D else { return unclosed(start) }
        place &+= 1
        return .variable(name: name, fallback: fallback, span: span(start, place))
    }

    private func isNameByte(_ byte: UInt8, first: Bool) -> Bool {
        (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A) || byte == 0x5F
            || (!first && byte >= 0x30 && byte <= 0x39)
    }

    /// What the shell has after a name: `- + ? = # % / ^ , @ [`.
    private func isOperator(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x2D, 0x2B, 0x3F, 0x3D, 0x23, 0x25, 0x2F, 0x5E, 0x2C, 0x40, 0x5B: return true
        default: return false
        }
    }

    /// Goes on behind the next `}`, so that further mistakes of the same string are found.
    private mutating func skip() {
        while let next = byte(0) {
            place &+= 1
            if next == 0x7D { return }
        }
    }

    private mutating func unclosed(_ start: Int) -> Template.Part? {
        isBroken = true
        reading.error(
            "bad-template", "this `${` has no `}`", at: span(start, bytes.count), "never closed",
            help: "close it, or write $${ for the two characters ${")
        return nil
    }

    private mutating func badName(_ start: Int) -> Template.Part? {
        skip()
        reading.error(
            "bad-template", "`${` must be followed by the name of a variable", at: span(start, place),
            notes: ["a name has letters, digits and _, and does not begin with a digit"],
            help: "write ${NAME}, or $${ for the two characters ${")
        return nil
    }

    private mutating func badOperator(_ start: Int, _ name: String) -> Template.Part? {
        skip()
        reading.error(
            "bad-template", say("after `${%` only `}`, `:-` and `:?` can stand", name), at: span(start, place),
            help: say("write ${%}, ${%:-default} or ${%:?message}", name, name, name))
        return nil
    }
}
