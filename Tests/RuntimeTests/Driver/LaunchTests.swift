import ConfigParser
import System
import Testing

@testable import Runtime

/// Reads a service as the reader of the schema does, so that places in messages are real ones.
private func launch(
    _ text: String, settings: String? = nil, environment: [String] = ["PATH=/usr/bin:/bin", "HOME=/root"],
    arguments: [String] = [], name: String = "web"
) throws -> Result<Launch, LaunchError> {
    func file(_ name: String, _ text: String) -> InputFile {
        InputFile(path: "/etc/x/" + name, name: name, dropIn: nil, content: .bytes(Bytes(text.utf8)))
    }
    var files = [file(name + ".toml", text)]
    if let settings { files.append(file("init.toml", settings)) }
    let result = ConfigurationReader.read(files)
    #expect(result.diagnostics.map(\.title) == [])
    let context = LaunchContext(
        environment: Environment(entries: environment.map { Bytes($0.utf8) }),
        settings: result.configuration.settings, arguments: arguments.map { Bytes($0.utf8) },
        own: OwnIdentity(uid: 0, gid: 0), sources: result.sources)
    let service = try #require(result.configuration.services.first)
    do throws(LaunchError) {
        return .success(try context.launch(service, isImplicitMain: false))
    } catch {
        return .failure(error)
    }
}

private func failure(_ result: Result<Launch, LaunchError>) -> SpawnFailure? {
    if case .failure(let error) = result { return error.failure }
    return nil
}

@Suite("Driver: from a service to its process")
struct DriverLaunchTests {
    @Test("The environment is built in the documented order, the later over the earlier")
    func order() throws {
        let folder = TemporaryFolder()
        folder.file("env", "F=file\nHOME=/from-file\nS=file\nexport Q=\"a b\"\n")
        let made = try launch(
            """
            command = ["/bin/a"]
            user = "root"
            environment-files = ["\(folder.path)/env", "-/nothing/env"]
            [environment]
            S = "own"
            OUT = false
            N = 4
            T = true
            """,
            settings: "[environment]\nI = \"init\"\nS = \"init\"\nHOME = \"/from-init\"\nGONE = false\n",
            environment: ["C=1", "GONE=1", "OUT=1", "HOME=/container", "odd"]
        ).get().environment
        let expected = [
            "C=1", "HOME=/from-file", "odd", "I=init", "S=own", "USER=root", "LOGNAME=root", "F=file", "Q=a b", "N=4",
            "T=true", "HERMES_INIT_SERVICE=web",
        ]
        #expect(made.entries.map(\.shown).filter { !$0.hasPrefix("SHELL=") } == expected)
        #expect(made.value("SHELL")?.first == 0x2F)
    }

    @Test("A user's HOME is over that of init.toml and of the container, and under the service's own")
    func home() throws {
        let settings = "[environment]\nHOME = \"/from-init\"\n"
        let user = try launch("command = [\"/a\"]\nuser = \"root\"\n", settings: settings).get()
        #expect(user.environment.value("HOME") == Bytes("/root".utf8))
        let own = try launch("command = [\"/a\"]\nuser = \"root\"\n[environment]\nHOME = \"/own\"\n").get()
        #expect(own.environment.value("HOME") == Bytes("/own".utf8))
    }

    @Test("Nothing of the container's environment comes where it is cleared")
    func clear() throws {
        let made = try launch("command = [\"/a\"]\nenvironment-clear = true\n[environment]\nA = \"1\"\n").get()
        #expect(made.environment.entries.map(\.shown) == ["A=1", "HERMES_INIT_SERVICE=web"])
    }

    @Test("Variables are those that the service will get, also earlier ones of the same table, and are never split")
    func expansion() throws {
        let made = try launch(
            """
            command = ["/bin/${A}", "${B}", "${NONE:-x ${A}}", "$${A}", "$A"]
            directory = "/d/${B}"
            umask = "027"
            [environment]
            A = "one two"
            B = "<${A}>${HOME}"
            """
        ).get()
        #expect(made.arguments.map(\.shown) == ["/bin/one two", "<one two>/root", "x one two", "${A}", "$A"])
        #expect(made.candidates.map(\.shown) == ["/bin/one two"])
        #expect(made.directory?.shown == "/d/<one two>/root")
        #expect(made.umask == 0o027)
    }

    @Test(
        "A variable that is not set is told with the key, the file, the line and the column, and what to do",
        arguments: [
            (
                "command = [\"a\", \"${NONE}\"]\n",
                ["NONE is not set (command, /etc/x/web.toml:1:18)", "docker run -e NONE="]
            ),
            ("command = [\"a\"]\ndirectory = \"/x/${NONE}\"\n", ["(directory, /etc/x/web.toml:2:"]),
            ("command = [\"a\"]\nuser = \"${NONE:?say who}\"\n", ["NONE: say who (user, /etc/x/web.toml:2:"]),
            (
                "command = [\"a\"]\n[environment]\nX = \"${NONE}\"\n",
                ["([environment] X, /etc/x/web.toml:3:", "${NONE:-…}"]
            ),
            ("command = [\"a\"]\nenvironment-files = [\"${NONE}\"]\n", ["(environment-files, /etc/x/web.toml:2:"]),
        ])
    func unset(text: String, parts: [String]) throws {
        let told = try #require(failure(try launch(text)))
        #expect(told.code == LaunchCode.configuration && !told.isTransient)
        for part in parts { #expect(told.message.contains(part), "\(told.message)") }
    }

    @Test("A file of variables that is missing or wrong is told with its path, and its line")
    func environmentFiles() throws {
        let missing = try #require(failure(try launch("command = [\"a\"]\nenvironment-files = [\"/nothing\"]\n")))
        #expect(missing.message.contains("cannot read /nothing") && missing.message.contains("\"-/nothing\""))
        let folder = TemporaryFolder()
        folder.file("bad", "A=1\nnonsense\n")
        let bad = try #require(failure(try launch("command = [\"a\"]\nenvironment-files = [\"\(folder.path)/bad\"]\n")))
        #expect(bad.message.contains("/bad (environment-files): line 2: "))
    }

    @Test("A user that is not there is refused before there is a process")
    func user() throws {
        let told = try #require(failure(try launch("command = [\"a\"]\nuser = \"no-such-user\"\n")))
        #expect(told.code == LaunchCode.notExecutable && told.message.contains("no-such-user"))
    }

    @Test("An empty program is refused")
    func emptyProgram() throws {
        let told = try #require(failure(try launch("command = [\"${NONE:-}\"]\n")))
        #expect(told.code == LaunchCode.notFound)
    }

    @Test("A script goes to the shell, or to the interpreter of its first line with all the rest as one argument")
    func scripts() throws {
        let plain = try launch("script = \"echo $A ${B}\"\n").get()
        #expect(plain.arguments.map(\.shown) == ["/bin/sh", "-e", "-c", "echo $A ${B}", "web"])
        #expect(plain.script == nil)
        let python = try launch("script = '''\n#! /usr/bin/env  python3 -u \nprint(1)\n'''\n").get()
        #expect(python.arguments.map(\.shown) == ["/usr/bin/env", "python3 -u", "/proc/self/fd/3"])
        #expect(python.script?.starts(with: "#! /usr".utf8) == true)
        let bare = try launch("script = \"#!/bin/bash\"\n").get()
        #expect(bare.arguments.map(\.shown) == ["/bin/bash", "/proc/self/fd/3"])
        #expect(failure(try launch("script = \"#! \\necho\"\n"))?.message.contains("no interpreter") == true)
    }

    @Test("A script too long for an argument lies behind descriptor 3")
    func longScript() throws {
        let text = String(repeating: ":\n", count: 60_000)
        let made = try launch("script = '''\n" + text + "'''\n").get()
        #expect(made.arguments.map(\.shown) == ["/bin/sh", "-e", "/proc/self/fd/3"])
        #expect(made.script?.count == 120_000)
    }

    @Test("The stop command knows the process; an instance knows its name; the main program gets the arguments")
    func rest() throws {
        let main = try launch("type = \"main\"\ncommand = [\"serve\"]\n", arguments: ["-v"], name: "main").get()
        #expect(main.arguments.map(\.shown) == ["serve", "-v"])
        #expect(main.candidates.map(\.shown) == ["/usr/bin/serve", "/bin/serve"])
        let context = LaunchContext(
            environment: Environment(), settings: Settings(), arguments: [], own: OwnIdentity(uid: 0, gid: 0),
            sources: SourceMap())
        let words = [
            Template(literal: "/k", span: nowhere),
            Template(
                parts: [.variable(name: "MAINPID", fallback: .none, span: nowhere)], span: nowhere),
        ]
        let stop = try context.command(
            words, of: Service(name: "web@one"), process: 42, key: "[stop] command")
        #expect(stop.arguments.map(\.shown) == ["/k", "42"])
        #expect(stop.environment.value("HERMES_INIT_INSTANCE") == Bytes("one".utf8))
    }

    @Test("An instance knows its name wherever variables are expanded, and cannot change it")
    func instance() throws {
        let result = ConfigurationReader.read([
            InputFile(
                path: "/etc/x/gateway@.toml", name: "gateway@.toml", dropIn: nil,
                content: .bytes(
                    Bytes(
                        """
                        command = ["run", "${HERMES_INIT_INSTANCE}", "${PROFILE}"]
                        directory = "/data/${HERMES_INIT_INSTANCE}"
                        [environment]
                        PROFILE = "/p/${HERMES_INIT_INSTANCE}"
                        HERMES_INIT_INSTANCE = "other"
                        [log]
                        file = "/log/${HERMES_INIT_INSTANCE}.log"
                        [stop]
                        command = ["end", "${HERMES_INIT_INSTANCE}"]
                        """.utf8)))
        ])
        #expect(result.diagnostics.map(\.title) == [])
        let context = LaunchContext(
            environment: Environment(entries: [Bytes("PATH=/bin".utf8)]), settings: Settings(), arguments: [],
            own: OwnIdentity(uid: 0, gid: 0), sources: result.sources)
        let service = try #require(result.configuration.templates.first).instance("writer")
        let launch = try context.launch(service, isImplicitMain: false)
        // What [environment] says is seen by what it expands; the process is told the truth.
        #expect(launch.environment.value("HERMES_INIT_INSTANCE") == Bytes("writer".utf8))
        #expect(launch.environment.value("HERMES_INIT_SERVICE") == Bytes("gateway@writer".utf8))
        #expect(launch.arguments == ["run", "writer", "/p/writer"].map { Bytes($0.utf8) })
        #expect(launch.directory == Bytes("/data/writer".utf8) && launch.logFile == Bytes("/log/writer.log".utf8))
        let words = try #require(service.stop.command)
        let stop = try context.command(words, of: service, process: 7, key: "[stop] command")
        #expect(stop.arguments == ["end", "writer"].map { Bytes($0.utf8) })
    }
}
