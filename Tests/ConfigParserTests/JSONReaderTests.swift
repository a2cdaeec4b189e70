import Testing

@testable import ConfigParser

/// JSON is read strictly, and nothing that can stand in a line makes the reader fail in another way than by saying so.

private func read(_ text: String) -> JSONValue? { JSONValue([UInt8](text.utf8)) }

/// The value as JSON again; numbers in thousandths.
private func written(_ value: JSONValue) -> String {
    switch value {
    case .null: return "null"
    case .boolean(let value): return value ? "true" : "false"
    case .number(let thousandths): return String(thousandths)
    case .string(let text): return "<" + text + ">"
    case .array(let items): return "[" + items.map(written).joined(separator: ",") + "]"
    case .object(let members):
        return "{" + members.map { $0.key + ":" + written($0.value) }.joined(separator: ",") + "}"
    }
}

@Suite("JSON, read")
struct JSONReaderTests {
    @Test(
        "What it is",
        arguments: [
            ("null", "null"), (" true ", "true"), ("false", "false"), ("0", "0"), ("-0", "0"), ("12", "12000"),
            ("-1.5", "-1500"), ("1.2345", "1234"), ("1e3", "1000000"), ("1E-3", "1"), ("1.5e+1", "15000"),
            ("1e-99999999999999999999", "0"), ("0e99999999999999999999", "0"), ("1e400", String(Int.max)),
            ("99999999999999999999", String(Int.max)), ("-99999999999999999999", String(-Int.max)),
            ("[]", "[]"), ("[ ]", "[]"), ("{}", "{}"), ("[1,[2,{}]]", "[1000,[2000,{}]]"),
            (#"{"a":1,"b":{"c":[null]}}"#, "{a:1000,b:{c:[null]}}"), (#""""#, "<>"),
            (#""a\n\t\"\\\/\b\f\r""#, "<a\n\t\"\\/\u{8}\u{C}\r>"),
            (#""\u0041\u00e9\u20AC""#, "<Aé€>"), (#""\uD83D\uDE00""#, "<😀>"), (#""\uD83Dx""#, "<\u{FFFD}x>"),
            (#""\uDE00\uD83D""#, "<\u{FFFD}\u{FFFD}>"), (#""\uD83D\u0041""#, "<\u{FFFD}A>"),
        ])
    func values(text: String, what: String) throws {
        #expect(written(try #require(read(text))) == what)
    }

    @Test(
        "What is none",
        arguments: [
            "", " ", "nul", "nulll", "True", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "[", "]", "[1,]",
            "[,1]",
            "[1 2]", "{", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "{a:1}", #"{"a":1 "b":2}"#, #"""#, #""a"#,
            "\"\n\"",
            #""\x""#, #""\u12""#, #""\u12G4""#, "1 2", "{} {}", "[1}", "'a'", "//", "\u{FEFF}{}",
        ])
    func mistakes(text: String) { #expect(read(text) == nil) }

    @Test("It goes no deeper than it says")
    func depth() {
        func nested(_ count: Int) -> String {
            String(repeating: "[", count: count) + String(repeating: "]", count: count)
        }
        #expect(read(nested(JSONValue.deepest + 1)) != nil)
        #expect(read(nested(JSONValue.deepest + 2)) == nil)
        #expect(read(String(repeating: "[", count: 1_000_000)) == nil)
        #expect(read(String(repeating: #"{"a":"#, count: 100_000)) == nil)
    }

    @Test("Every beginning of a text, and every text with a byte changed, is a value or none")
    func total() {
        let text = [UInt8](#"{"a":[1,-2.5e3,"\u00e9\ud83d\ude00x",true,null],"b":{"c":{}}}"#.utf8)
        #expect(JSONValue(text) != nil)
        for end in 0..<text.count { #expect(JSONValue([UInt8](text[..<end])) == nil) }
        var generator = SystemRandomNumberGenerator()
        for place in text.indices {
            for byte in UInt8.min...UInt8.max {
                var other = text
                other[place] = byte
                _ = JSONValue(other)
            }
        }
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<60, using: &generator)
            _ = JSONValue(
                (0..<count).map { _ in [UInt8](#"{}[]",:\u0019e.-tfn "#.utf8).randomElement(using: &generator)! })
        }
    }

    @Test("Fields are found by their names and kinds; null is none")
    func fields() throws {
        let value = try #require(read(#"{"t":"x","n":12.3456,"y":true,"z":null,"l":["a",1,"b"],"t":"second"}"#))
        #expect(value.text("t") == "x" && value.text("n") == nil && value.text("missing") == nil)
        #expect(value.integer("n") == 12 && value.thousandths("n") == 12345 && value.integer("t") == nil)
        #expect(value.isTrue("y") && !value.isTrue("t") && value["z"] == nil)
        #expect(value.texts("l") == ["a", "b"] && value.items("l").count == 3 && value.items("t").isEmpty)
    }

    @Test("What the writer wrote is read back")
    func writer() throws {
        var json = JSONWriter(pretty: true)
        let text = "a\"\\\n\u{1}\u{7F}é😀"
        json.beginObject()
        json.field("text", text)
        json.key("n")
        json.integer(-7)
        json.endObject()
        let value = try #require(JSONValue(json.bytes))
        #expect(value.text("text") == text && value.integer("n") == -7)
    }
}

@Suite("Text in columns")
struct FittedTests {
    @Test(
        "Cut with … where it is too wide, counted in columns of the terminal",
        arguments: [
            ("web", 5, "web"), ("web", 3, "web"), ("webs", 3, "we…"), ("a", 0, ""), ("漢字漢", 6, "漢字漢"),
            ("漢字漢", 5, "漢字…"),
            ("漢字漢", 4, "漢…"), ("e\u{301}e\u{301}", 2, "e\u{301}e\u{301}"), ("\u{1B}[31m", 20, "\\x1B[31m"),
            ("a\u{202E}b", 20, "a\\u{202E}b"),
        ])
    func fits(text: String, limit: Int, result: String) {
        #expect(fitted(text, to: limit) == result)
        #expect(columns(of: result) <= max(limit, 0))
    }

    @Test("Filled with blanks") func padding() {
        #expect(fitted("漢", to: 9, padding: 4) == "漢  " && fitted("abcdef", to: 4, padding: 4) == "abc…")
    }
}
