import ConfigParser
import Runtime
import Testing

@testable import hermes_init

/// The words of `hermes-init exec`, and the files that `hermes-init shim` reads.

private func request(_ line: String) -> ExecRequest? {
    if case .exec(let request) = parse("hermes-init exec " + line) { return request }
    return nil
}

@Suite("exec: the command line")
struct ExecCommandLineTests {
    @Test(
        "Options end at the first word that is none, or at --",
        arguments: [
            ("--like web sh -c x", "web - - false sh -c x"), ("--like=web -- sh --like y", "web - - false sh --like y"),
            ("--user me id", "- me - false id"), ("--user=me:us id", "- me us false id"),
            ("--user 5:6 --like a --here -- -x", "a 5 6 true -x"), ("--like gateway@w id", "gateway@w - - false id"),
            ("--user a --user b:c id", "- b c false id"), ("--like web -- --", "web - - false --"),
        ])
    func words(line: String, expected: String) throws {
        let asked = try #require(request(line))
        func text(_ bytes: [UInt8]?) -> String { bytes.map { String(decoding: $0, as: UTF8.self) } ?? "-" }
        let told = [text(asked.service), text(asked.user), text(asked.group), "\(asked.staysHere)"]
        #expect((told + strings(asked.command)).joined(separator: " ") == expected)
        #expect(!asked.foldersAreRequired)
    }

    @Test("Folders that are named are the only ones")
    func folders() throws {
        let asked = try #require(request("--config a --config=b --like web id"))
        #expect(asked.folders == [utf8("a"), utf8("b")] && asked.foldersAreRequired)
    }

    @Test(
        "What cannot be meant is a mistake on the command line",
        arguments: [
            "", "id", "-- id", "--user", "--user me", "--user me --", "--like", "--like= id", "--user : id",
            "--user a: id",
            "--user :b id", "--lik web id", "-u me id", "--config --like web id", "--like web ''", "--here id",
        ])
    func mistakes(line: String) throws {
        let answer = try #require(parse("hermes-init exec " + line).answer)
        #expect(answer.exitCode == 64 && answer.stream == .standardError)
        #expect(answer.text.contains("hermes-init exec --help"))
    }

    @Test(
        "Help of both",
        arguments: [
            ("exec --help", HelpTopic.exec), ("exec -h", .exec), ("--help exec", .exec), ("shim --help", .shim),
        ])
    func help(line: String, topic: HelpTopic) {
        #expect(parse("hermes-init " + line).answer == Answer(topic.text))
        #expect(parse("hermes-init exec --like web -- --help").answer == nil)
    }

    @Test("A shim takes every word behind the file")
    func shim() throws {
        guard case .shim(let path, let words) = parse("hermes-init shim /bin/x --help -- --user") else {
            Issue.record("no shim")
            return
        }
        #expect(
            path == utf8("/bin/x") && words.map { String(decoding: $0, as: UTF8.self) } == ["--help", "--", "--user"])
        #expect(parse("hermes-init shim").answer?.exitCode == 64)
    }
}

@Suite("exec: shims")
struct ShimTests {
    private func read(_ text: String) -> (Shim?, mistake: String) {
        var diagnostics = [Diagnostic]()
        let table = TOMLParser.parse(file: FileID(index: 0), bytes: utf8(text), diagnostics: &diagnostics)
        #expect(diagnostics.isEmpty)
        return Shim.read(table)
    }

    @Test("Its first line is a comment; every key is read")
    func whole() throws {
        let shim = try #require(
            read(
                "#!/usr/local/bin/hermes-init shim\nlike = \"main\"\nuser = \"a:b\"\ncommand = [\"/x\", \"y\"]\nunless-env = \"E\"\nconfig = [\"c\"]\n"
            ).0)
        var expected = Shim()
        expected.like = utf8("main")
        expected.user = utf8("a:b")
        expected.command = [utf8("/x"), utf8("y")]
        expected.unless = utf8("E")
        expected.folders = [utf8("c")]
        #expect(shim == expected)
    }

    @Test(
        "What is wrong with it is said",
        arguments: [
            ("", "whole path"), ("like = \"a\"\ncommand = []", "whole path"),
            ("like = \"a\"\ncommand = [\"x\"]", "whole path"),
            ("command = [\"/x\"]", "does not say like"), ("like = 1", "like is no string"),
            ("like = [\"a\"]", "like is no string"),
            ("command = \"/x\"", "command is no list"), ("command = [1]", "command is no list of strings"),
            ("lik = \"a\"", "it has no key lik"), ("config = \"a\"", "config is no list"),
        ])
    func mistakes(text: String, mistake: String) {
        let (shim, told) = read(text)
        #expect(shim == nil && told.contains(mistake), "\(told)")
    }
}
