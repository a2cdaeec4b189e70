import ConfigParser
import Testing

@testable import Runtime
@testable import System

/// The checks of meaning on services that were read from texts, with an image that exists in the test only.

/// Reads files, checks them against an image in which `programs` and `folders` are all there is, and gives the codes.
private func codes(
    _ files: [String: String], programs: [String: String] = ["/bin/sh": "\u{7F}ELF"], folders: [String] = ["/srv"],
    environment: [String] = ["PATH=/bin"]
) -> [String] {
    let inputs = files.sorted { $0.key < $1.key }.map {
        InputFile(path: $0.key, name: $0.key, dropIn: nil, content: .bytes(Array($0.value.utf8)))
    }
    let view = ImageView(environment: Environment(entries: environment.map { Bytes($0.utf8) }))
    view.kind = { path in
        let path = String(decoding: path, as: UTF8.self)
        return programs[path] != nil ? .regular : folders.contains(path) ? .folder : .missing
    }
    view.isProgram = { programs[String(decoding: $0, as: UTF8.self)] != nil }
    view.beginning = { programs[String(decoding: $0, as: UTF8.self)].map { Bytes($0.utf8) } }
    view.contents = { path in
        programs[String(decoding: path, as: UTF8.self)].map { .bytes(Bytes($0.utf8)) } ?? .missing
    }
    view.accounts = Accounts(
        passwd: Bytes("web:x:33:33::/srv:/bin/sh\n".utf8), group: Bytes("web:x:33:\n".utf8))
    return checkFiles(inputs, isSingle: false, stages: .none, view: view).diagnostics.map(\.code)
}

private func codes(_ service: String) -> [String] { codes(["web.toml": service]) }

private let sh = "command = [\"sh\"]\n"

@Suite("What service files mean")
struct MeaningTests {
    @Test(
        "Conditions that rule each other out are found, others are not",
        arguments: [
            ("env = \"A\"\nenv-unset = \"A\"", true), ("env = \"A\"\nenv-unset = \"B\"", false),
            ("env-set = \"A\"\nenv-unset = \"A\"", true), ("env-set = \"A\"\nenv-unset = \"B\"", false),
            ("env-set = \"A\"\nenv-equals = { A = \"\" }", true),
            ("env-set = \"A\"\nenv-equals = { A = \"b\" }", false),
            ("env = \"A\"\nenv-equals = { A = \"no\" }", true), ("env = \"A\"\nenv-equals = { A = \"yes\" }", false),
            ("env-unset = \"A\"\nenv-equals = { A = \"b\" }", true),
            ("env-unset = \"A\"\nenv-equals = { A = \"\" }", false),
            ("path-exists = \"/a\"\npath-missing = \"/a\"", true),
            ("path-exists = \"/a\"\npath-missing = \"/b\"", false),
            ("tty = true\nroot = false", false),
        ])
    func conditions(_ text: String, isFound: Bool) {
        #expect(codes(sh + "[when]\n" + text) == (isFound ? ["never-holds"] : []))
    }

    @Test(
        "Settings without effect are found, one word for each table",
        arguments: [
            ("[restart]\npolicy = \"never\"\ndelay = 1\nlimit = 2", ["no-effect"]),
            ("[restart]\npolicy = \"never\"", []),
            ("[restart]\nwithin = 9", ["no-effect"]), ("[restart]\nwithin = 9\nlimit = 3", []),
            ("[stop]\nsignal = \"SIGKILL\"\ntimeout = 1", ["no-effect"]),
            ("[stop]\nsignal = \"SIGKILL\"\ntimeout = 1\ncommand = [\"sh\"]", []), ("[stop]\ntimeout = 1", []),
        ])
    func effects(_ text: String, expected: [String]) {
        #expect(codes(sh + text) == expected)
    }

    @Test(
        "Secrets are known by name and value",
        arguments: [
            ("API_TOKEN", "abc", true), ("db_password", "abc", true), ("SECRET_KEY_BASE", "x1", true),
            ("PASSWORD", "", false), ("PASSWORD", "${P}", false), ("PASSWORD_FILE", "abc", false),
            ("TOKEN", "/run/secrets/token", false), ("MAX_TOKENS", "abc", false), ("KEYBOARD", "abc", false),
            ("TOKEN_LIMIT", "4096", false), ("USE_TOKEN", "true", false), ("PUBLIC_KEY", "abc", false),
        ])
    func secrets(_ name: String, _ value: String, isFound: Bool) {
        let found = codes(
            ["web.toml": sh + "[environment]\n\(name) = \"\(value)\""], environment: ["P=1", "PATH=/bin"])
        #expect(found == (isFound ? ["secret-in-clear"] : []))
    }

    @Test(
        "Words of a shell stand out only as words of their own",
        arguments: [
            ("\"sh\", \"a\", \"&&\", \"b\"", true), ("\"sh\", \"$(id)\"", true), ("\"sh\", \"-c\", \"a && b\"", false),
            ("\"sh\", \"a|b\"", false), ("\"sh\", \">\", \"f\"", true),
        ])
    func shellWords(_ words: String, isFound: Bool) {
        #expect(codes("command = [\(words)]") == (isFound ? ["shell-word"] : []))
    }

    @Test("Words that a program of its own understands are left alone")
    func find() {
        let words = "command = [\"find\", \"/\", \"-exec\", \"rm\", \"{}\", \";\"]"
        #expect(codes(["web.toml": words], programs: ["/bin/find": "\u{7F}ELF"]) == [])
    }

    @Test(
        "What the image lacks is found",
        arguments: [
            (sh + "user = \"web\"\ngroup = \"web\"\ngroups = [33]", []), (sh + "user = 1234", []),
            (sh + "user = \"wbe\"", ["unknown-user"]),
            (sh + "groups = [\"a\", \"b\"]", ["unknown-group", "unknown-group"]),
            (sh + "user = \"${U:-nobody}\"", []), (sh + "directory = \"/srv\"", []),
            (sh + "directory = \"/bin/sh\"", ["bad-directory"]), ("command = [\"nope\"]", ["program-not-found"]),
            ("command = [\"/srv\"]", ["program-not-executable"]), ("command = [\"./sh\"]", []),
            ("command = [\"./sh\"]\ndirectory = \"/bin\"", ["program-not-found", "bad-directory"]),
            ("script = \"true\"", []), ("script = \"#!/usr/bin/perl\"", ["program-not-found"]),
            (sh + "environment-files = [\"/a.env\"]", ["bad-environment-file"]),
            (sh + "environment-files = [\"-/a.env\"]", []), ("command = [\"sh\", \"${A}${A}\"]", ["unset-variable"]),
            ("command = [\"sh\", \"${HOME}\"]\nuser = \"web\"", []),
            ("command = [\"sh\", \"${HERMES_INIT_SERVICE}\"]", []),
        ])
    func image(_ text: String, expected: [String]) {
        #expect(codes(text) == expected)
    }

    @Test("The name that a service waits for must be there, but for the main program's")
    func order() {
        #expect(codes(sh + "after = [\"nothing\", \"main\"]") == ["no-effect"])
    }

    @Test("A service whose file has a mistake is left alone")
    func mistakes() {
        #expect(codes("command = [\"nope\"]\nnonsense = 1") == ["unknown-key"])
    }

    @Test("A hostile file costs a hundred words at most")
    func bounded() {
        var words = ""
        for number in 0..<5000 { words += "\"${V\(number)}\"," }
        #expect(codes("command = [\"sh\", \(words)]").count == 100)
    }
}
