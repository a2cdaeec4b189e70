import CSystem
import ConfigParser
import System

/// From folders to the files that the schema's reader takes. Decides nothing about their content: what cannot be read is
/// handed on with the reason, so that one report names everything that is wrong.

/// A service file larger than this is no service file.
private let largestFile = largestConfigurationFile

/// Lists folders, weakest first, and reads what is in them.
/// - Parameters:
///   - folders: paths; each may be missing unless `areRequired`.
///   - tree: where those paths lead: the machine, or an image in a folder.
///   - diagnostics: folders that cannot be listed.
/// - Returns: service files and drop-ins, in the order of the folders and by name within one.
public func readFolders(
    _ folders: [Bytes], areRequired: Bool, in tree: FileTree = FileTree(), diagnostics: inout [Diagnostic]
) -> [InputFile] {
    var files = [InputFile]()
    for folder in folders {
        do throws(Errno) {
            for name in try sortedFolder(tree.place(of: folder)) where name.first != dot {
                if hasSuffix(name, ".toml") {
                    files.append(inputFile(folder: folder, name: name, dropIn: nil, tree))
                } else if hasSuffix(name, ".d") {
                    addDropIns(folder: folder, name: name, tree, to: &files, diagnostics: &diagnostics)
                }
            }
        } catch {
            let isLink = error == .noEntry && tree.isLink(folder)
            if error == .noEntry && !areRequired && !isLink { continue }
            diagnostics.append(unreadableFolder(tree.shown(folder), error, isLink: isLink))
        }
    }
    return files
}

/// Reads the files of some services and of nothing else, with their drop-ins.
/// - Parameters:
///   - names: of the services, without ".toml".
///   - folders, areRequired, diagnostics: as above.
func readFiles(
    of names: [String], in folders: [Bytes], areRequired: Bool, diagnostics: inout [Diagnostic]
) -> [InputFile] {
    var files = [InputFile]()
    for folder in folders {
        if areRequired && fileKind(folder) != .folder { diagnostics.append(unreadableFolder(folder, .noEntry)) }
        for name in names {
            var status = hi_file()
            let file = Bytes(name.utf8) + Bytes(".toml")
            // A link that leads nowhere is there, and wrong.
            if (folder + [slash] + file).withCString({ hi_lstat($0, &status) }) == 0 || Errno.current == .denied {
                files.append(inputFile(folder: folder, name: file, dropIn: nil, FileTree()))
            }
            addDropIns(
                folder: folder, name: Bytes(name.utf8) + Bytes(".d"), FileTree(), to: &files,
                diagnostics: &diagnostics)
        }
    }
    return files
}

private func addDropIns(
    folder: Bytes, name: Bytes, _ tree: FileTree, to files: inout [InputFile], diagnostics: inout [Diagnostic]
) {
    let path = folder + [slash] + name
    do throws(Errno) {
        if try tree.kind(path) != .folder { return }
    } catch {
        if error == .noEntry && tree.isLink(path) {
            diagnostics.append(unreadableFolder(tree.shown(path), error, isLink: true))
        }
        return
    }
    let service = Bytes(name.dropLast(2)) + Bytes(".toml")
    do throws(Errno) {
        for dropIn in try sortedFolder(tree.place(of: path)) where dropIn.first != dot && hasSuffix(dropIn, ".toml") {
            var file = inputFile(folder: path, name: dropIn, dropIn: dropIn.shown, tree)
            file.name = service.shown
            files.append(file)
        }
    } catch {
        diagnostics.append(unreadableFolder(tree.shown(path), error))
    }
}

private func inputFile(folder: Bytes, name: Bytes, dropIn: String?, _ tree: FileTree) -> InputFile {
    let path = folder + [slash] + name
    var content: InputFile.Content
    do throws(Errno) {
        let bytes = try readFile(tree.place(of: path), limit: largestFile)
        content = bytes.isEmpty ? .mask : .bytes(bytes)
    } catch {
        // Looked at only where reading failed: most files are files.
        content = isMasked(path, tree) ? .mask : .unreadable(reason(error))
    }
    return InputFile(path: tree.shown(path).shown, name: name.shown, dropIn: dropIn, content: content)
}

private func isMasked(_ path: Bytes, _ tree: FileTree) -> Bool {
    do throws(Errno) { return try tree.kind(path) == .nullDevice } catch { return false }
}

private func reason(_ error: Errno) -> String {
    if error == .isFolder { return "it is a folder" }
    if error == .tooLarge { return "it is larger than 1 MiB" }
    if error.code == ENOTSUP || error.code == ENXIO { return "it is not a regular file" }
    if error == .noEntry { return "it is a symbolic link to a file that does not exist" }
    return error.text
}

private func unreadableFolder(_ folder: Bytes, _ error: Errno, isLink: Bool = false) -> Diagnostic {
    var (reason, help) = (error.text, "make it readable for the user that the container starts as")
    if error == .noEntry { help = "check the path given to --config" }
    if isLink {
        reason = "it is a symbolic link to a folder that does not exist"
        help = "make that folder (is its volume mounted?), or remove the link"
    }
    return Diagnostic(
        code: "unreadable-folder", say("cannot read the configuration folder %: %", folder.shown, reason), help: help)
}

private let dot: UInt8 = 0x2E
private let slash: UInt8 = 0x2F

private func hasSuffix(_ name: Bytes, _ suffix: StaticString) -> Bool {
    let length = suffix.utf8CodeUnitCount
    return name.count > length
        && name.suffix(length).elementsEqual(UnsafeBufferPointer(start: suffix.utf8Start, count: length))
}

/// The names in a folder, byte by byte in order.
private func sortedFolder(_ path: Bytes) throws(Errno) -> [Bytes] {
    let names = try listFolder(path)
    var sorted = [Bytes]()
    sorted.reserveCapacity(names.count)
    for place in order(names) { sorted.append(names[place]) }
    return sorted
}
