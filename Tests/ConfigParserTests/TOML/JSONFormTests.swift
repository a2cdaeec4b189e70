/// TOML as JSON, and numbers as text.

import Testing

@testable import ConfigParser

@Suite("A file as JSON")
struct JSONFormTests {
    private func json(_ text: String, typed: Bool = false) -> String {
        let table = Reading(text).table
        return String(decoding: JSONForm.text(table, typed: typed), as: UTF8.self)
            .split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
    }

    @Test(
        "what JSON has is written as JSON has it, the rest as a string",
        arguments: [
            ("", "{}"),
            ("a = \"x\\n\\\"é\\u0001\"", #"{"a": "x\n\"é\u0001"}"#),
            ("a = [1, -2, true]", #"{"a": [1,-2,true]}"#),
            ("a = -9223372036854775808", #"{"a": -9223372036854775808}"#),
            ("a = [inf, -inf, nan, -nan]", #"{"a": ["inf","-inf","nan","nan"]}"#),
            ("b = 1\na = 2", #"{"b": 1,"a": 2}"#),
            ("[t]\n[[l]]\n[[l]]\nx = []", #"{"t": {},"l": [{},{"x": []}]}"#),
            ("a = 2006-01-31", #"{"a": "2006-01-31"}"#),
            ("a = 2006-01-31 15:04", #"{"a": "2006-01-31T15:04:00"}"#),
            ("a = 0000-01-01T00:00:00.000000120Z", #"{"a": "0000-01-01T00:00:00.00000012Z"}"#),
            ("a = 2006-01-31T15:04:05-00:30", #"{"a": "2006-01-31T15:04:05-00:30"}"#),
            ("a = 07:08:09.5", #"{"a": "07:08:09.5"}"#),
        ])
    func plain(text: String, expected: String) { #expect(json(text) == expected) }

    @Test(
        "the tagged form tells the type of each value",
        arguments: [
            ("a = \"x\"", "string", "x"), ("a = 0x10", "integer", "16"), ("a = 1.50", "float", "1.5"),
            ("a = true", "bool", "true"), ("a = 2006-01-31T15:04:05+01:00", "datetime", "2006-01-31T15:04:05+01:00"),
            ("a = 2006-01-31T15:04:05", "datetime-local", "2006-01-31T15:04:05"),
            ("a = 2006-01-31", "date-local", "2006-01-31"), ("a = 15:04:05", "time-local", "15:04:05"),
            ("a = -inf", "float", "-inf"),
        ])
    func typed(text: String, type: String, value: String) {
        #expect(json(text, typed: true) == #"{"a": {"type": "\#(type)","value": "\#(value)"}}"#)
    }

    @Test(
        "a float is a short text with a dot or an exponent",
        arguments: [
            (0.0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (0.1, "0.1"), (0.5, "0.5"), (100, "100.0"), (123.456, "123.456"),
            (0.00001, "0.00001"), (0.000001, "1e-6"), (9.5, "9.5"), (99999, "99999.0"), (1e16, "10000000000000000.0"),
            (1e17, "1e17"), (1.5e300, "1.5e300"), (Double.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e308"),
            (2.2250738585072014e-308, "2.2250738585072014e-308"), (9_007_199_254_740_992, "9007199254740992.0"),
            (0.3, "0.3"),
            (2.0 / 3, "0.6666666666666666"), (1e23, "1e23"), (9.999999999999998, "9.999999999999998"),
        ] as [(Double, String)])
    func float(value: Double, expected: String) { #expect(decimalText(value) == expected) }

    @Test("a float's text reads back as the same float")
    func roundTrip() {
        var generator = SystemRandomNumberGenerator()
        for round in 0..<2000 {
            var value = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &generator))
            if round % 4 == 0 { value = Double(Int.random(in: -1_000_000...1_000_000, using: &generator)) / 1000 }
            guard value.isFinite else { continue }
            let text = [UInt8](decimalText(value).utf8)
            #expect(decimalToDouble(text, 0, text.count) == value, "\(value) became \(decimalText(value))")
        }
    }
}
