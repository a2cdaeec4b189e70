/// What every form of TOML 1.1 stands for.

import ConfigParser
import Testing

@Suite("Valid TOML is read as the specification says")
struct ValidTests {
    @Test(
        "strings",
        arguments: [
            (#"a = "x""#, #"{a: "x"}"#),
            (#"a = """#, #"{a: ""}"#),
            (#"a = "\b\t\n\f\r\e\"\\""#, #"{a: "\u{08}\t\n\u{0C}\r\u{1B}\"\\"}"#),
            (#"a = "\x41\u00e9\U0001F600""#, #"{a: "Aé😀"}"#),
            (#"a = "\x00\xff""#, #"{a: "\0ÿ"}"#),
            ("a = \"tab\tinside # no comment\"", #"{a: "tab\tinside # no comment"}"#),
            (#"a = 'C:\no\escape "here"'"#, #"{a: "C:\\no\\escape \"here\""}"#),
            ("a = \"\"\"\none\ntwo\"\"\"", #"{a: "one\ntwo"}"#),
            ("a = \"\"\"\r\none\r\ntwo\"\"\"", #"{a: "one\ntwo"}"#),
            ("a = \"\"\"one \\\n  \t\n  two\"\"\"", #"{a: "one two"}"#),
            ("a = \"\"\"one\\   \r\n\r\n two\"\"\"", #"{a: "onetwo"}"#),
            (#"a = """"two" quotes""""""#, #"{a: "\"two\" quotes\"\""}"#),
            ("a = \"\"\"\"\"\"", #"{a: ""}"#),
            (#"a = '''it's \ raw'''"#, #"{a: "it's \\ raw"}"#),
            ("a = '''\nline\n'''", #"{a: "line\n"}"#),
            ("a = '''''two''''' # five on each side", #"{a: "''two''"}"#),
            ("a = \"日本語 ẞ\"", "{a: \"日本語 ẞ\"}"),
        ])
    func strings(_ text: String, _ expected: String) { expect(text, expected) }

    @Test(
        "numbers and booleans",
        arguments: [
            ("a = 0", "{a: 0}"), ("a = +99", "{a: 99}"), ("a = -17", "{a: -17}"), ("a = -0", "{a: 0}"),
            ("a = 1_000_000", "{a: 1000000}"), ("a = 5_349_221", "{a: 5349221}"),
            ("a = 9223372036854775807", "{a: 9223372036854775807}"),
            ("a = -9223372036854775808", "{a: -9223372036854775808}"),
            ("a = 0xDEAD_beef", "{a: 3735928559}"), ("a = 0o755", "{a: 493}"), ("a = 0b1101_0110", "{a: 214}"),
            ("a = 0x7FFFFFFFFFFFFFFF", "{a: 9223372036854775807}"), ("a = 0x0001", "{a: 1}"),
            ("a = 1.5", "{a: 1.5f}"), ("a = -0.0", "{a: -0.0f}"), ("a = +3.1415", "{a: 3.1415f}"),
            ("a = 5e+22", "{a: 5e+22f}"), ("a = 1e06", "{a: 1000000.0f}"), ("a = -2E-2", "{a: -0.02f}"),
            ("a = 6.626e-34", "{a: 6.626e-34f}"), ("a = 224_617.445_991_228", "{a: 224617.445991228f}"),
            ("a = inf", "{a: inff}"), ("a = -inf", "{a: -inff}"), ("a = +inf", "{a: inff}"), ("a = nan", "{a: nanf}"),
            ("a = -nan", "{a: -nanf}"),
            ("a = true", "{a: true}"), ("a = false", "{a: false}"),
        ])
    func numbers(_ text: String, _ expected: String) {
        expect(text, expected)
    }

    @Test(
        "dates and times, with a liberty or two of RFC 3339",
        arguments: [
            ("a = 1979-05-27T07:32:00Z", "{a: <1979-5-27 7:32:0.0 0min>}"),
            ("a = 1979-05-27 00:32:00.5-07:30", "{a: <1979-5-27 0:32:0.500000000 -450min>}"),
            ("a = 1979-05-27t00:32:00.999999+01:00", "{a: <1979-5-27 0:32:0.999999000 60min>}"),
            ("a = 1979-05-27T07:32:00", "{a: <1979-5-27 7:32:0.0>}"),
            ("a = 1979-05-27 07:32", "{a: <1979-5-27 7:32:0.0>}"),
            ("a = 1979-05-27T07:32z", "{a: <1979-5-27 7:32:0.0 0min>}"),
            ("a = 1979-05-27", "{a: <1979-5-27>}"), ("a = 1979-05-27 # day", "{a: <1979-5-27>}"),
            ("a = 2000-02-29", "{a: <2000-2-29>}"), ("a = 07:32:60", "{a: <7:32:60.0>}"),
            ("a = 14:15", "{a: <14:15:0.0>}"),
            ("a = 00:32:00.1234567899", "{a: <0:32:0.123456789>}"),
        ])
    func datesAndTimes(_ text: String, _ expected: String) { expect(text, expected) }

    @Test(
        "arrays and inline tables, over lines and with a last comma",
        arguments: [
            ("a = []", "{a: []}"), ("a = [1, 2,]", "{a: [1, 2]}"), ("a = [[1], [\"b\"]]", "{a: [[1], [\"b\"]]}"),
            ("a = [ # one\n 1, # two\n\n 2 # three\n ] # four", "{a: [1, 2]}"),
            ("a = [1, 'x', 1.5, {b = true}]", "{a: [1, \"x\", 1.5f, {b: true}]}"),
            ("a = {}", "{a: {}}"), ("a = { b = 1, c.d = 2, c.e = 3 }", "{a: {b: 1, c: {d: 2, e: 3}}}"),
            ("a = {\n b = 1, # one\n c = [\n 2 ],\n}", "{a: {b: 1, c: [2]}}"),
            ("a = { \"b c\" = 1, 'd' = 2 }", "{a: {b c: 1, d: 2}}"),
            ("a = [\n  [true],\n]", "{a: [[true]]}"),
            ("a = [\n[nan]\n]", "{a: [[nanf]]}"),
        ])
    func compounds(_ text: String, _ expected: String) { expect(text, expected) }

    @Test(
        "keys and tables",
        arguments: [
            ("", "{}"), ("# only a comment", "{}"), ("\n\r\n\t \n", "{}"), ("\u{FEFF}a = 1", "{a: 1}"),
            ("1234 = 1\n-_ = 2", "{1234: 1, -_: 2}"), ("\"\" = 1", "{: 1}"), ("'ʎ' = 1", "{ʎ: 1}"),
            ("a . \"b\" .c = 1\na.d = 2", "{a: {b: {c: 1}, d: 2}}"), ("3.14 = 1", "{3: {14: 1}}"),
            ("[a]\nb = 1\n[c.d]\ne = 2\n[c]\nf = 3", "{a: {b: 1}, c: {d: {e: 2}, f: 3}}"),
            ("[ a . b ]  # c\nd = 1", "{a: {b: {d: 1}}}"), ("[a.b]\n[a]", "{a: {b: {}}}"),
            ("[a]\nb.c = 1\n[a.b.d]\ne = 2", "{a: {b: {c: 1, d: {e: 2}}}}"),
            ("[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2", "{a: [{b: 1}, {c: {d: 2}}]}"),
            ("[[a]]\n[[a.b]]\nc = 1\n[[a.b]]\n[[a]]\n[[a.b]]", "{a: [{b: [{c: 1}, {}]}, {b: [{}]}]}"),
            ("[[a.b]]\n[a]\nc = 1", "{a: {b: [{}], c: 1}}"), ("[a.b.c]\n[a]\nb.d = 1", "{a: {b: {c: {}, d: 1}}}"),
            ("a = 1\r\n[b]\r\nc = 2\r\n", "{a: 1, b: {c: 2}}"),
            // Two keys, though they look alike: keys are code points.
            ("'\u{65}\u{301}' = 1\n'\u{E9}' = 2", "{\u{65}\u{301}: 1, \u{E9}: 2}"),
        ])
    func tables(_ text: String, _ expected: String) { expect(text, expected) }

    @Test("every key and value knows its text")
    func spans() throws {
        let reading = Reading("a.\"b\" = 'x'  # c\n[t]\nd = [1, { e = true }]\n[[u]]\n")
        let names = reading.table.entries.map { reading.text($0.keySpan) }
        #expect(names == ["a", "t", "u"])
        guard case .table(let inner) = reading.table.entries[0].value.kind,
            case .table(let table) = reading.table.entries[1].value.kind,
            case .array(let elements) = table.entries[0].value.kind,
            case .table(let inline) = elements[1].kind,
            case .array(let tables) = reading.table.entries[2].value.kind
        else {
            Issue.record("the tree has another form")
            return
        }
        #expect(reading.text(inner.span) == "a")
        #expect(reading.text(inner.entries[0].keySpan) == "\"b\"")
        #expect(reading.text(inner.entries[0].value.span) == "'x'")
        #expect(reading.text(table.span) == "[t]")
        #expect(reading.text(table.entries[0].value.span) == "[1, { e = true }]")
        #expect(elements.map { reading.text($0.span) } == ["1", "{ e = true }"])
        #expect(reading.text(inline.entries[0].value.span) == "true")
        #expect(tables.map { reading.text($0.span) } == ["[[u]]"])
    }

    @Test("floating-point numbers are the nearest there are, as the standard library reads them")
    func floats() {
        var generator = Generator(state: 7)
        var texts = [
            "2.2250738585072011e-308", "2.2250738585072014e-308", "4.9406564584124654e-324", "2.4703282292062327e-324",
            "2.4703282292062328e-324", "1.7976931348623157e308", "1.7976931348623158e308", "9007199254740993.0",
            "9007199254740992.999999999999999999999999999999", "0.1", "0.3", "123456789012345678.0", "1e23", "8.5e22",
            "0.000001e-400", "0.0e999999999999999999", "1e-999999999999999999",
            "9007199254740993." + String(repeating: "0", count: 2000) + "1",
            "9007199254740992" + String(repeating: "0", count: 2000) + "e-2000",
        ]
        for _ in 0..<3000 {
            let number = Double(bitPattern: generator.next())
            if number.isFinite {
                let text = "\(number)"
                texts.append(text)
                // More digits than a double has, near the half between two.
                if let dot = text.firstIndex(of: "."), !text.contains("e") {
                    texts.append(text[...dot] + "\(generator.next())\(generator.next())")
                }
            }
            texts.append("\(generator.next() % 1_000_000).\(generator.next())e\(Int(generator.next() % 640) - 320)")
        }
        let reading = Reading("a = [\n" + texts.joined(separator: ",\n") + "]")
        guard case .array(let elements) = reading.table.entries[0].value.kind else { return }
        let finite = texts.filter { Double($0)?.isFinite ?? false }
        #expect(elements.count == finite.count)
        for (text, element) in zip(finite, elements) {
            guard case .float(let number) = element.kind, let expected = Double(text) else {
                Issue.record("\(text) is no float")
                continue
            }
            #expect(number.bitPattern == expected.bitPattern, "\(text)")
        }
    }

    @Test("TOML 1.0 refuses what 1.1 added, and nothing else")
    func strictVersion() {
        let added = [
            #"a = "\e""#, #"a = "\x41""#, "a = 14:15", "a = 2024-01-01T14:15", "a = { b = 1, }", "a = {\nb = 1 }",
            "a = { b = 1 # c\n}",
        ]
        for text in added {
            #expect(Reading(text, version: .v1_0).codes == ["toml-needs-1.1"], "\(text)")
            #expect(Reading(text).codes == [], "\(text)")
        }
        #expect(Reading("a = [\n1,\n]\nb = { c = \"\"\"\n\"\"\" }", version: .v1_0).codes == [])
    }

    private func expect(_ text: String, _ expected: String) {
        let reading = Reading(text)
        #expect(reading.codes == [])
        #expect(short(reading.table) == expected)
        #expect(reading.spansAreInBounds)
    }
}
