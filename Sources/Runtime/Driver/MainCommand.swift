import ConfigParser
import System

/// How the container's arguments meet the command of the main program (design: the main program, `route`). Pure: whether a
/// word names a program is asked of the caller.

/// The words to execute; empty where there is nothing to run.
/// - Parameters:
///   - command: the expanded `command`, empty where main.toml has none.
///   - arguments: the container's arguments.
///   - isProgram: whether a word names an executable, on PATH or by its path.
func mainCommand(
    route: Route, command: [Bytes], arguments: [Bytes], isProgram: (Bytes) -> Bool
) -> [Bytes] {
    guard let first = arguments.first else { return command }
    if command.isEmpty { return arguments }
    switch route {
    case .append: return command + arguments
    case .replace: return arguments
    case .auto:
        // A leading dash is never a program: `docker run IMAGE --version` is the main program's option.
        return first.first != 0x2D && isProgram(first) ? arguments : command + arguments
    }
}

/// Where a word would be looked for: itself if it has a slash, else in each folder of PATH (execvp(3)).
func candidates(for word: Bytes, path: Bytes?) -> [Bytes] {
    if word.contains(0x2F) { return [word] }
    var found = [Bytes]()
    for folder in (path ?? standardPath).split(separator: 0x3A, omittingEmptySubsequences: false) {
        found.append(folder.isEmpty ? [0x2E, 0x2F] + word : Bytes(folder) + [0x2F] + word)
    }
    return found
}

/// Whether a word names an executable: by its path, or on PATH.
public func isProgram(_ word: Bytes, path: Bytes?) -> Bool {
    candidates(for: word, path: path).contains(where: isExecutable)
}

/// PATH where the environment has none; what Docker sets.
let standardPath = Bytes("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
