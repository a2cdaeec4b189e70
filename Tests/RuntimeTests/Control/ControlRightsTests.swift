import ConfigParser
import Testing

@testable import Runtime

/// Who may ask for what.
@Suite("Control: rights")
struct ControlRightsTests {
    private static let span = Span(file: FileID(index: 0), start: 0, end: 0)

    private func operators(_ entries: [(user: String?, group: String?, services: [String])]) -> ControlSettings {
        var settings = ControlSettings()
        for entry in entries {
            var made = Operator(span: ControlRightsTests.span)
            (made.user, made.group, made.services) = entry
            settings.operators.append(made)
        }
        return settings
    }

    private func rights(_ user: UInt32, group: UInt32 = 500, groups: [UInt32] = [], _ settings: ControlSettings)
        -> ControlRights
    {
        ControlRights(ControlPeer(user: user, group: group, name: "u", groups: groups), own: 1000, settings: settings) {
            switch ($0, $1) {
            case ("hermes", false): return 2000
            case ("ops", true): return 300
            case ("300", true): return 300
            default: return nil
            }
        }
    }

    @Test(arguments: [
        // user, mode, status, any operator, gateway@a, container
        (UInt32(0), ControlMode.operators, true, true, true, true), (1000, .operators, true, true, true, true),
        (2000, .status, true, true, true, false), (2000, .operators, true, true, true, false),
        (3000, .status, true, false, false, false), (3000, .operators, false, false, false, false),
        (.max, .status, true, false, false, false),
    ])
    func table(user: UInt32, mode: ControlMode, status: Bool, any: Bool, service: Bool, container: Bool) {
        var settings = operators([(user: "hermes", group: nil, services: ["gateway@*"])])
        settings.mode = mode
        let rights = rights(user, settings)
        #expect(rights.allows(.status) == status)
        #expect(rights.allows(.anyOperator) == any)
        #expect(rights.allows(.service("gateway@a")) == service)
        #expect(rights.allows(.container) == container)
        #expect(rights.allows(.service("web")) == container)
    }

    @Test func groupsByNameNumberAndMembership() {
        let settings = operators([(user: nil, group: "ops", services: [])])
        #expect(rights(5, group: 300, settings).allows(.container))
        #expect(rights(5, groups: [7, 300], settings).allows(.container))
        #expect(!rights(5, groups: [7], settings).allows(.container))
        #expect(rights(5, group: 300, operators([(user: nil, group: "300", services: [])])).isFull)
        #expect(!rights(5, operators([(user: nil, group: "nobody-there", services: [])])).isFull)
        #expect(!rights(5, operators([(user: "nobody-there", group: nil, services: [])])).isFull)
    }

    @Test func severalEntriesAddUp() {
        let settings = operators([
            (user: "hermes", group: nil, services: ["a"]), (user: nil, group: "ops", services: ["b*"]),
        ])
        let rights = rights(2000, group: 300, settings)
        #expect(rights.allows(.service("a")) && rights.allows(.service("bc")) && !rights.allows(.service("c")))
    }

    @Test(arguments: [
        ("*", "", true), ("*", "x", true), ("a*", "a", true), ("a*", "ab", true), ("a*", "ba", false),
        ("*a", "ba", true),
        ("*a", "bab", false), ("a*b*c", "axbxc", true), ("a*b*c", "acb", false), ("a", "a", true), ("a", "aa", false),
        ("", "", true), ("", "a", false), ("**", "a", true), ("gateway@*", "gateway@w", true),
        ("gateway@*", "gateway", false),
        ("*aab", "aaaab", true),
    ])
    func patterns(pattern: String, text: String, matches: Bool) {
        #expect(ControlRights.matches([UInt8](pattern.utf8), [UInt8](text.utf8)) == matches)
    }

    @Test func aRefusalSaysWhoMayAndHow() {
        let error = rights(3000, ControlSettings()).refusal("stop", .service("web"))
        #expect(error.code == "refused")
        let who = "u (uid 3000) may not ask for: stop web; "
        #expect(error.message == who + "only root, the user of hermes-init and operators may")
        #expect(error.hint?.hasPrefix("ask as root, or name the user in init.toml: [control] operators = ") == true)
        #expect(error.hint?.hasSuffix("[{ user = \"NAME\", services = [\"web\"] }]") == true)
    }
}
