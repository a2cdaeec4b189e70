import CSystem
import System
import Testing

@testable import Runtime

@Suite("Driver: why a program did not run")
struct DriverSpawnReportTests {
    private static func failure(
        _ stage: hi_stage, _ error: Int32, candidate: Int32 = 0, firstLine: String? = nil,
        _ change: (inout Launch) -> Void = { _ in }
    ) -> SpawnFailure {
        var launch = Launch()
        launch.candidates = [Bytes("/nothing/a".utf8)]
        launch.arguments = launch.candidates
        launch.directory = Bytes("/d".utf8)
        launch.identity.uid = 1000
        launch.identity.gid = 1001
        launch.identity.account = Account(name: Bytes("hermes".utf8), uid: 1000, gid: 1001, home: [], shell: [])
        change(&launch)
        let report = hi_report(stage: Int32(bitPattern: stage.rawValue), error: error, candidate: candidate)
        return spawnFailure(report, launch) { _ in firstLine.map { Bytes($0.utf8) } }
    }

    private static let noStage = hi_stage(99)

    @Test(
        "Each stage says what was tried, why it failed and what to do",
        arguments: [
            (failure(HI_STAGE_SESSION, EPERM), 71, ["session or process group"]),
            (failure(HI_STAGE_DESCRIPTORS, EBADF), 71, ["file descriptors"]),
            (failure(noStage, EIO), 71, ["file descriptors"]),
            (failure(HI_STAGE_LIMITS, EPERM), 71, ["limit of open files"]),
            (failure(HI_STAGE_GROUPS, EPERM), 126, ["supplementary groups", "CAP_SETGID", "--cap-add SETGID"]),
            (failure(HI_STAGE_GROUPS, EINVAL), 126, ["supplementary groups: Invalid argument"]),
            (failure(HI_STAGE_GID, EPERM), 126, ["group 1001", "CAP_SETGID"]),
            (failure(HI_STAGE_UID, EPERM), 126, ["user hermes (1000)", "CAP_SETUID", "--user"]),
            (failure(HI_STAGE_UID, EAGAIN), 126, ["user hermes (1000)"]),
            (failure(HI_STAGE_DIRECTORY, EACCES), 126, ["directory /d", "user hermes (1000) needs the x permission"]),
            (failure(HI_STAGE_DIRECTORY, ENOENT), 126, ["directory /d", "create it in the image"]),
            (failure(HI_STAGE_DIRECTORY, ENOTDIR), 126, ["directory /d: Not a directory"]),
            (failure(HI_STAGE_EXEC, ENOENT), 127, ["cannot run /nothing/a: no such file"]),
            (failure(HI_STAGE_EXEC, ENOENT, candidate: 7), 127, ["cannot run /nothing/a"]),
            (failure(HI_STAGE_EXEC, ENOENT, candidate: -1), 127, ["cannot run /nothing/a"]),
            (failure(HI_STAGE_EXEC, EACCES), 126, ["not executable by user hermes (1000)", "chmod +x"]),
            (failure(HI_STAGE_EXEC, EACCES) { $0.candidates = [Bytes("/etc".utf8)] }, 126, ["it is a folder"]),
            (failure(HI_STAGE_EXEC, ENOEXEC), 126, ["neither a program", "#!/bin/sh"]),
            (failure(HI_STAGE_EXEC, ENOTDIR), 127, ["a part of the path is no folder"]),
            (failure(HI_STAGE_EXEC, E2BIG), 126, ["too large together"]),
            (failure(HI_STAGE_EXEC, EIO), 126, ["cannot run /nothing/a: Input/output error"]),
            (
                failure(HI_STAGE_EXEC, ENOENT) {
                    $0.candidates = [Bytes("/x/a".utf8), Bytes("/y/a".utf8)]
                    $0.arguments = [Bytes("a".utf8)]
                    $0.environment.set("PATH", Bytes("/x:/y".utf8))
                }, 127, ["cannot run a: not found on PATH (/x:/y)", "install it"]
            ),
            (
                failure(HI_STAGE_EXEC, ENOENT, firstLine: "#! /opt/py -u") {
                    $0.candidates = [Bytes("/etc/passwd".utf8)]
                },
                127, ["its interpreter /opt/py (first line", "install it"]
            ),
            (
                failure(HI_STAGE_EXEC, ENOENT, firstLine: "#!/bin/sh\r") {
                    $0.candidates = [Bytes("/etc/passwd".utf8)]
                },
                127, ["/bin/sh\\x0d", "carriage return"]
            ),
            (
                failure(HI_STAGE_EXEC, ENOENT, firstLine: "\u{7F}ELF") { $0.candidates = [Bytes("/etc/passwd".utf8)] },
                127, ["its loader is missing"]
            ),
            // As the child saw it: from its own directory.
            (
                failure(HI_STAGE_EXEC, ENOENT, firstLine: "#!/opt/py") {
                    ($0.directory, $0.candidates) = (Bytes("/etc".utf8), [Bytes("./passwd".utf8)])
                }, 127, ["cannot run ./passwd: its interpreter /opt/py"]
            ),
        ] as [(SpawnFailure, Int32, [String])])
    func words(failure: SpawnFailure, code: Int32, parts: [String]) {
        #expect(failure.code == code)
        for part in parts { #expect(failure.message.contains(part), "\(failure.message)") }
    }

    @Test("A lack of processes, memory or descriptors, and a file that is being written, may go better later")
    func transient() {
        #expect(Self.failure(HI_STAGE_EXEC, ENOMEM).isTransient)
        #expect(Self.failure(HI_STAGE_EXEC, ETXTBSY).isTransient)
        #expect(Self.failure(HI_STAGE_UID, EAGAIN).isTransient)
        #expect(!Self.failure(HI_STAGE_EXEC, ENOENT).isTransient)
        for (code, part) in [(EAGAIN, "pids-limit"), (ENOMEM, "memory"), (EMFILE, "nofile"), (ENFILE, "nofile")] {
            let failure = cloneFailure(Errno(code))
            #expect(failure.isTransient && failure.code == 71 && failure.message.contains(part))
        }
        #expect(!cloneFailure(Errno(ENOSYS)).isTransient)
        for error in [ENOSPC, ENOBUFS, EINTR] { #expect(cloneFailure(Errno(error)).isTransient) }
    }

    @Test("The first line of a file is read, and that of a folder is none")
    func firstLine() {
        let folder = TemporaryFolder()
        #expect(firstLineOfFile(folder.file("a", "#!/bin/sh\nexit\n")) == Bytes("#!/bin/sh".utf8))
        #expect(firstLineOfFile(folder.file("b", String(repeating: "x", count: 1000)))?.count == 256)
        #expect(firstLineOfFile(folder.file("c")) == [])
        #expect(firstLineOfFile(Bytes(folder.path.utf8)) == nil)
        #expect(firstLineOfFile(folder("none")) == nil)
    }
}
