import ConfigParser
import System

/// Whether a word names a program that can be run, as execvp(3) and execve(2) would find it: on PATH, with a permission to
/// execute, and with an interpreter that is there.

/// Looks for programs.
struct ProgramSearch {
    let view: ImageView
    /// nil: not known.
    var path: Bytes?
    /// What relative paths count from; nil: not known.
    let directory: Bytes?

    /// What is amiss.
    enum Problem {
        /// Nothing, or it cannot be known.
        case none
        case missing
        case notExecutable
        case noFile
        /// The interpreter that it names is not there.
        case interpreter
        /// A file without `#!` that is no ELF file.
        case strange
    }

    /// What came of it.
    struct Found {
        var problem: Problem
        var path: Bytes = []
        var lacking: Bytes = []
    }

    /// - Parameter word: the first word of a command.
    func find(_ word: Bytes) -> Found {
        if word.isEmpty || (path == nil && !word.contains(0x2F)) { return Found(problem: .none) }
        var best = Found(problem: .missing)
        for candidate in candidates(for: word, path: path) {
            var file = candidate
            if file.first != 0x2F {
                guard let directory else { return Found(problem: .none) }
                file = directory + [0x2F] + file
            }
            switch view.knownKind(file) {
            case .missing: continue
            case nil: return Found(problem: .none)
            case .regular where view.isProgram(file): return look(into: file)
            case .regular: best = Found(problem: .notExecutable, path: file)
            case .folder, .nullDevice, .other:
                // On PATH the search goes on, and ends with "not found" where a folder was all there was.
                if word.contains(0x2F) { best = Found(problem: .noFile, path: file) }
            }
        }
        return best
    }

    private func look(into file: Bytes) -> Found {
        guard let start = view.beginning(file) else { return Found(problem: .none) }
        // The second byte of \u{7F}ELF.
        if start.count > 3 && start[0] == 0x7F && start[1] == 0x45 { return Found(problem: .none) }
        guard isScript(start) else { return Found(problem: .strange, path: file) }
        for word in interpreter(start) {
            // Only a plain file is asked for: that of an interpreter that is a script itself is its own affair.
            var isThere = false
            if path == nil && !word.contains(0x2F) { continue }
            for candidate in candidates(for: word, path: path) where !isThere {
                guard candidate.first == 0x2F, let kind = view.knownKind(candidate) else {
                    isThere = true
                    continue
                }
                isThere = kind == .regular && view.isProgram(candidate)
            }
            if !isThere { return Found(problem: .interpreter, path: file, lacking: word) }
        }
        return Found(problem: .none)
    }
}

/// The programs that a `#!` line asks for: the interpreter, and what `env` is to find. A CR at its end belongs to it, as the
/// kernel has it.
func interpreter(_ bytes: Bytes) -> [Bytes] {
    var line = Bytes()
    for byte in bytes[2...] {
        if byte == 0x0A { break }
        line.append(byte == 0x09 ? 0x20 : byte)
    }
    var words = fields(line, 0x20)
    while words.count > 2 { words.removeLast() }
    guard words.count > 1, String(decoding: fields(words[0], 0x2F).last ?? [], as: UTF8.self) == "env",
        words[1].first != 0x2D, !words[1].contains(0x3D)
    else {
        if words.count > 1 { words.removeLast() }
        return words
    }
    return words
}

/// Whether a text begins with `#!`.
func isScript(_ bytes: Bytes) -> Bool { bytes.count > 1 && bytes[0] == 0x23 && bytes[1] == 0x21 }
