import Runtime
import System
import Testing

@testable import ConfigParser
@testable import Runtime
@testable import hermes_init

@Suite("Stages: records, words, documentation")
struct StageTests {
    private func parse(_ text: String, isExternal: Bool = false) -> (StageRecords?, mistake: String) {
        StageRecords.parse(Bytes(text.utf8), isExternal: isExternal)
    }

    @Test("Records of a stage that is built in: variables, and words for the init")
    func builtInRecords() throws {
        let records = try #require(parse("A=b=c\u{0}E=\u{0}=quiet\u{0}=user me 5 6 7,8\u{0}=user you 1 2\u{0}").0)
        #expect(records.exports.map { $0.name } == ["A", "E"])
        #expect(records.exports.map { $0.value } == [Bytes("b=c".utf8), []])
        #expect(records.isQuiet)
        #expect(
            records.users == [
                UserNumbers(name: Bytes("me".utf8), uid: 5, gid: 6, groups: [7, 8]),
                UserNumbers(name: Bytes("you".utf8), uid: 1, gid: 2, groups: []),
            ])
    }

    @Test("Lines of an executable: variables alone, each line whole")
    func externalRecords() throws {
        #expect(try #require(parse("A=1\nB=x y\n\n", isExternal: true).0).exports.count == 2)
        for (text, mistake) in [
            ("=quiet\n", "which is no NAME=value"), ("=user me 0 0\n", "which is no NAME=value"),
            ("A=1\nword\n", "it wrote word to descriptor 3"), ("A=1\nB=2", "has no end"),
            ("A=\u{0}\n", "no NAME=value"),
            (String(repeating: "A=1\n", count: 20_000), "more than 64 KiB"),
        ] {
            let result = parse(text, isExternal: true)
            #expect(result.0 == nil && result.mistake.contains(mistake), "\(result.mistake)")
        }
    }

    @Test(
        "A record for the init that is not known is a mistake",
        arguments: ["=", "=loud", "=user", "=user me", "=user me x 1"])
    func unknownRecords(record: String) {
        #expect(parse(record + "\u{0}").0 == nil)
    }

    @Test("A user with other numbers has them everywhere, and its group's name too")
    func numbers() throws {
        var accounts = Accounts(
            passwd: Bytes("root:x:0:0::/root:/bin/sh\nme:x:10:11::/home/me:/bin/ash\n".utf8),
            group: Bytes("root:x:0:\nours:x:11:\nvideo:x:44:me\n".utf8))
        accounts.renumber(Bytes("me".utf8), uid: 5, gid: 6, groups: [7])
        let account = try #require(accounts.account(named: Bytes("me".utf8)))
        #expect(account.uid == 5 && account.gid == 6 && account.home == Bytes("/home/me".utf8))
        #expect(accounts.gid(ofGroup: Bytes("ours".utf8)) == 6)
        #expect(accounts.groups(of: account.name, primary: 6) == [6, 7, 44])
    }

    private func words(_ text: String) -> Invocation {
        Invocation.parse(
            arguments: ["hermes-init"].map { Bytes($0.utf8) } + text.split(separator: " ").map { Bytes($0.utf8) },
            environment: { _ in nil })
    }

    @Test("The words of `stage`")
    func command() throws {
        guard case .stage(let list) = words("stage") else { throw Wrong() }
        #expect(list == StageRequest())
        guard case .stage(let run) = words("stage data --dry-run --config a --config=b -- --tui") else { throw Wrong() }
        #expect(run.service == Bytes("data".utf8) && run.isDryRun && run.arguments == [Bytes("--tui".utf8)])
        #expect(run.folders == ConfigurationFolders(paths: [[0x61], [0x62]], areRequired: true))
        for text in ["stage a b", "stage --dry", "stage --config", "stage --config="] {
            guard case .answer(let answer) = words(text) else { throw Wrong() }
            #expect(answer.exitCode == 64 && answer.stream == .standardError)
        }
        guard case .answer(let help) = words("stage --help") else { throw Wrong() }
        #expect(help.exitCode == 0 && help.text == HelpTopic.stage.text)
    }

    private struct Wrong: Error {}

    @Test("Each plugin's keys and defaults are right by their own rules")
    func defaults() {
        for table in builtIn.tables {
            var diagnostics = [Diagnostic]()
            _ = table.read(
                Table(span: Span(file: FileID(index: 0), start: 0, end: 0)), sources: SourceMap(),
                diagnostics: &diagnostics)
            for diagnostic in diagnostics { #expect(diagnostic.code == "missing-key") }
            #expect(!table.summary.isEmpty)
        }
    }
}
