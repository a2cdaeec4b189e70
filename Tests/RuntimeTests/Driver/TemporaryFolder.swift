import Foundation
import System

/// A folder that is gone when the last reference to it goes.
final class TemporaryFolder {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "hermes-init-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and gives its path.
    @discardableResult
    func file(_ name: String, _ text: String = "", mode: Int = 0o644) -> Bytes {
        let full = path + "/" + name
        _ = FileManager.default.createFile(
            atPath: full, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        return Bytes(full.utf8)
    }

    func callAsFunction(_ name: String) -> Bytes { Bytes((path + "/" + name).utf8) }
}
