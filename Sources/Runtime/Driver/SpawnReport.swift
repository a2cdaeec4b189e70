import CSystem
import ConfigParser
import System

/// What a child reports when it does not come to run its program, put into words: what was tried, why it failed, and what to
/// do. The kernel's word alone ("No such file or directory") often means something else than it says.

/// The failure of a child at a stage, for the log and the core.
/// - Parameters:
///   - report: the stage and errno as the child sent them.
///   - launch: what was tried.
///   - firstLine: gives the beginning of a file, for a script whose interpreter is missing.
func spawnFailure(_ report: hi_report, _ launch: Launch, firstLine: (Bytes) -> Bytes?) -> SpawnFailure {
    let error = Errno(report.error)
    var code = LaunchCode.notExecutable
    var message: String
    switch hi_stage(UInt32(bitPattern: report.stage)) {
    case HI_STAGE_EXEC:
        return execFailure(error, launch, candidate: Int(report.candidate), firstLine: firstLine)
    case HI_STAGE_GROUPS:
        message = say("cannot set the supplementary groups: %%", error.text, privilegeRemedy(error, "SETGID"))
    case HI_STAGE_GID:
        message = say("cannot become group %: %", String(launch.identity.gid ?? 0), error.text)
        message += privilegeRemedy(error, "SETGID")
    case HI_STAGE_UID:
        message = say("cannot become user %: %%", userName(launch), error.text, privilegeRemedy(error, "SETUID"))
    case HI_STAGE_DIRECTORY:
        message = say("cannot enter the directory %: %", launch.directory?.shown ?? "", error.text)
        if error == .denied, launch.identity.uid != nil {
            message += say("; user % needs the x permission on it and on every folder above", userName(launch))
        } else if error == .noEntry {
            message += "; create it in the image, or mount it"
        }
    case HI_STAGE_SESSION:
        message = say("cannot make a session or process group: %", error.text)
        code = LaunchCode.system
    default:
        message =
            launch.execution.failure(
                report, ownCeiling: { hi_limit_ceiling(Int32($0.rawValue)) }, permitted: hi_permitted_capabilities())
            ?? say("cannot set up its file descriptors: %", error.text)
        code = LaunchCode.system
    }
    return SpawnFailure(code: code, isTransient: error.isTransient, message: message)
}

/// The failure of clone(2) or of what comes before it.
func cloneFailure(_ error: Errno) -> SpawnFailure {
    var message = say("cannot start a process: %", error.text)
    switch error {
    case .again:
        message += "; the container is at its limit of processes (docker run --pids-limit, or ulimit nproc)"
    case .outOfMemory: message += "; the container is at its limit of memory"
    case .tooManyFiles, .fileTableFull: message += "; too many files are open (ulimit nofile)"
    default: break
    }
    return SpawnFailure(code: LaunchCode.system, isTransient: error.isTransient, message: message)
}

private func userName(_ launch: Launch) -> String {
    let number = String(launch.identity.uid ?? 0)
    guard let account = launch.identity.account else { return number }
    let name = account.name.shown
    return name == number ? number : say("% (%)", name, number)
}

private func privilegeRemedy(_ error: Errno, _ capability: String) -> String {
    guard error == .notPermitted else { return "" }
    return say(
        """
        ; the container runs without CAP_%: give it back (docker run --cap-add %), start the container as that \
        user (--user), or take `user`, `group` and `groups` out of the file
        """, capability, capability)
}

private func execFailure(
    _ error: Errno, _ launch: Launch, candidate: Int, firstLine: (Bytes) -> Bytes?
) -> SpawnFailure {
    let word = launch.arguments.first?.shown ?? ""
    let path = launch.candidates.indices.contains(candidate) ? launch.candidates[candidate] : Bytes(word.utf8)
    // As the child saw it, from its own directory.
    var place = path
    if let directory = launch.directory, path.first != 0x2F { place = directory + [0x2F] + path }
    var code = LaunchCode.notExecutable
    var message = say("cannot run %: ", path.shown)
    switch error {
    case .noEntry:
        if fileKind(place) != .missing {
            message += interpreterText(firstLine(place))
            code = LaunchCode.notFound
            break
        }
        code = LaunchCode.notFound
        if launch.candidates.count > 1 || launch.arguments.first?.contains(0x2F) == false {
            let folders = launch.environment.value("PATH") ?? standardPath
            message =
                say(
                    "cannot run %: not found on PATH (%); install it in the image, or write its whole path", word,
                    folders.shown)
        } else {
            message += "no such file; check the path, and that the image has it"
        }
    case .denied:
        if fileKind(place) == .folder {
            message += "it is a folder"
        } else {
            message += "not executable"
            if launch.identity.uid != nil { message += say(" by user %", userName(launch)) }
            message += "; chmod +x it in the image, and see that the user may enter its folders"
        }
    case .badFormat:
        message += "it is neither a program for this machine nor a script with a #! line; "
        message += "give it a first line such as #!/bin/sh, or build it for this architecture"
    case .textBusy:
        return SpawnFailure(
            code: code, isTransient: true, message: say("%something is still writing to it (%)", message, error.text))
    default:
        if error.code == ENOTDIR {
            code = LaunchCode.notFound
            message += "a part of the path is no folder"
        } else if error == .again {
            message += say("its user has as many processes as its limit nproc allows (%)", error.text)
        } else if error.code == E2BIG {
            message += say("its arguments and environment are too large together (%)", error.text)
        } else {
            message += error.text
        }
    }
    return SpawnFailure(code: code, isTransient: error.isTransient, message: message)
}

private func interpreterText(_ line: Bytes?) -> String {
    guard let line, line.starts(with: "#!".utf8) else {
        return "its loader is missing from the image (a dynamic program of another libc or architecture)"
    }
    let rest = line.dropFirst(2).drop { $0 == 0x20 || $0 == 0x09 }
    var interpreter = Bytes(rest.prefix { $0 > 0x20 })
    if rest.prefix(while: { $0 != 0x0A }).contains(0x0D) { interpreter.append(0x0D) }
    var text = say("its interpreter % (first line of the file) does not exist", interpreter.shown)
    if interpreter.last == 0x0D {
        text += "; the line ends in a carriage return: save the file with Unix line ends"
    } else {
        text += "; install it in the image, or mend the line"
    }
    return text
}

/// The first bytes of a file, enough for a `#!` line; nil where it cannot be read.
func firstLineOfFile(_ path: Bytes) -> Bytes? {
    do throws(Errno) {
        let file = try FileDescriptor.open(path, flags: O_RDONLY | O_NONBLOCK)
        var count = 0
        var failed = false
        var bytes = Bytes(repeating: 0, count: 256)
        bytes.withUnsafeMutableBytes { buffer in
            do throws(Errno) { count = try file.read(into: buffer) } catch { failed = true }
        }
        return failed ? nil : Bytes(bytes.prefix(count).prefix { $0 != 0x0A })
    } catch {
        return nil
    }
}
