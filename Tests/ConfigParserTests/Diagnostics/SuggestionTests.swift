import ConfigParser
import Testing

@Suite("Did you mean")
struct SuggestionTests {
    @Test(
        "the nearest name is offered where it is near enough",
        arguments: [
            ("comand", "command"), ("commadn", "command"), ("Command", "command"), ("policy", "policy"),
            ("usr", "user"),
            ("afetr", "after"), ("essentail", "essential"), ("enviroment-file", "environment-files"), ("xyz", nil),
            ("ab", nil), ("", nil), ("cmd", nil), ("completely-else", nil), (String(repeating: "a", count: 65), nil),
        ] as [(String, String?)])
    func offers(_ word: String, _ expected: String?) {
        let names = [
            "command", "policy", "user", "users", "after", "essential", "environment", "environment-files", "group",
            String(repeating: "a", count: 65),
        ]
        #expect(nearest(to: word, among: names) == expected)
    }

    @Test("of equally near names the first is offered, of nearer ones the nearest")
    func ties() {
        #expect(nearest(to: "bat", among: ["cat", "hat"]) == "cat")
        #expect(nearest(to: "groups", among: ["grouped", "group"]) == "group")
        #expect(nearest(to: "word", among: []) == nil)
    }
}
