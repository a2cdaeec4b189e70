import Foundation
import System
import Testing

@testable import ConfigParser
@testable import Runtime
@testable import hermes_init

/// What a person sees of each kind of message, whole. The files in Tests/Snapshots hold cases of this form:
///
///     ## What the case is
///     @ web.toml
///     > a line of that file
///     --
///     the report, up to the next case
///
/// In a line of a file, ⟨HH⟩ is the byte of that number, and ⟨⟩ at the end leaves out the line feed. "@ 1.0" reads the case
/// as TOML 1.0, "@ machine" checks it against the made-up machine too. HERMES_INIT_WRITE=1 writes the reports anew: what changed is then seen in the difference of the file.
private struct Snapshot: Sendable, CustomTestStringConvertible {
    var title: String
    var heads: [String] = []
    var report = ""
    var testDescription: String { title }

    /// The cases of a file.
    static func read(_ text: String) -> [Snapshot] {
        var all = [Snapshot]()
        var isReport = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") {
                all.append(Snapshot(title: String(line.dropFirst(3))))
                isReport = false
            } else if all.isEmpty {
                continue
            } else if line == "--" && !isReport {
                isReport = true
            } else if isReport {
                all[all.count - 1].report += line + "\n"
            } else {
                all[all.count - 1].heads.append(String(line))
            }
        }
        return all
    }

    var text: String { (["## " + title] + heads + ["--"]).joined(separator: "\n") + "\n" + report }

    /// The files of the case, in the order given.
    var files: [(name: String, bytes: [UInt8])] {
        var files: [(name: String, bytes: [UInt8])] = []
        for line in heads {
            if line.hasPrefix("@ "), line != "@ 1.0", line != "@ machine" {
                files.append((String(line.dropFirst(2)), []))
            }
            guard line.hasPrefix(">") else { continue }
            if files.isEmpty { files.append(("web.toml", [])) }
            var rest = line.dropFirst(2)
            let hasEnd = !rest.hasSuffix("⟨⟩")
            while let first = rest.first {
                if first == "⟨", let close = rest.firstIndex(of: "⟩") {
                    if let byte = UInt8(rest[rest.index(after: rest.startIndex)..<close], radix: 16) {
                        files[files.count - 1].bytes.append(byte)
                    }
                    rest = rest[rest.index(after: close)...]
                } else {
                    files[files.count - 1].bytes += [UInt8](String(first).utf8)
                    rest = rest.dropFirst()
                }
            }
            if hasEnd { files[files.count - 1].bytes.append(0x0A) }
        }
        return files
    }

    /// What the program says of the case now.
    func made(asTOML: Bool) -> String {
        if asTOML {
            var request = TOMLRequest()
            if heads.contains("@ 1.0") { request.version = .v1_0 }
            let files = files
            return request.answer(files.first?.bytes ?? [], name: files.first?.name ?? "web.toml", color: false).text
        }
        let inputs = files.map { file -> InputFile in
            let parts = file.name.split(separator: "/").map(String.init)
            let isDropIn = parts.count > 1 && parts[0].hasSuffix(".d")
            return InputFile(
                path: file.name, name: isDropIn ? parts[0].dropLast(2) + ".toml" : file.name,
                dropIn: isDropIn ? parts[1] : nil, content: file.bytes.isEmpty ? .mask : .bytes(file.bytes))
        }
        if heads.contains("@ machine") {
            let result = checkFiles(
                inputs, isSingle: false, stages: builtIn, view: madeUpMachine(),
                instances: InstancePlace(environment: Environment(entries: [])))
            return DiagnosticRenderer(sources: result.sources, color: false).render(result.diagnostics)
        }
        var result = ConfigurationReader.read(inputs)
        builtIn.check(result.configuration.services, sources: result.sources, &result.diagnostics)
        _ = Graph.build(
            result.configuration.services, masked: result.configuration.maskedNames, diagnostics: &result.diagnostics)
        result.diagnostics += portCollisions(result.configuration.services)
        return DiagnosticRenderer(sources: result.sources, color: false).render(result.diagnostics)
    }
}

@Suite("Each kind of message, as it is shown", .serialized)
struct SnapshotTests {
    private static let root: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<2 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("Snapshots")
    }()

    @Test("the reports are those of Tests/Snapshots", arguments: ["toml", "services"])
    func reports(name: String) throws {
        let url = SnapshotTests.root.appendingPathComponent(name + ".txt")
        let text = try String(contentsOf: url, encoding: .utf8)
        let head = text.components(separatedBy: "## ")[0]
        var snapshots = Snapshot.read(text)
        #expect(snapshots.count > 50)
        let isWriting = ProcessInfo.processInfo.environment["HERMES_INIT_WRITE"] == "1"
        for place in snapshots.indices {
            let made = snapshots[place].made(asTOML: name == "toml") + "\n"
            #expect(
                made.contains("[") && made.contains(" in 1 file") || made.contains(" files"),
                "\(snapshots[place].title)")
            if isWriting {
                snapshots[place].report = made
            } else {
                // The last case of the file has no empty line behind it that the others have.
                #expect(trimmed(made) == trimmed(snapshots[place].report), "\(snapshots[place].title)")
            }
        }
        if isWriting {
            try (head + snapshots.map(\.text).joined()).write(to: url, atomically: true, encoding: .utf8)
        }
    }

    private func trimmed(_ text: String) -> String { text.trimmingCharacters(in: .newlines) }

    @Test("each code has a snapshot, but those of what no text of a file can be")
    func complete() throws {
        var all = ""
        for name in ["toml", "services"] {
            all += try String(contentsOf: SnapshotTests.root.appendingPathComponent(name + ".txt"), encoding: .utf8)
        }
        let others = [
            "toml-too-many-mistakes", "too-many-mistakes", "toml-file-too-large", "unreadable-file",
            "unreadable-folder", "instance-name",
        ]
        let missing = Explanation.codes.filter { !others.contains($0) && !all.contains(" [" + $0 + "]\n") }
        #expect(missing == [])
    }
}
