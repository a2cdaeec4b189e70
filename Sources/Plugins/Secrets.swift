import CSystem
import ConfigParser
import System

/// `secrets`: the contents of files as variables. A file is named by a variable (`DB_PASSWORD_FILE=/run/secrets/db` gives
/// `DB_PASSWORD`), or lies in a folder under the name that the variable gets. What stands in a file is never logged.
enum Secrets {
    static let plugin = Plugin(
        name: "secrets",
        summary: "Exports what stands in files: passwords and keys that are mounted into the container",
        keys: [
            Key(
                "from", .templates, required: true,
                "Patterns such as \"*_FILE\", for variables that name a file, and folders such as \"/run/secrets\"")
        ],
        exports: nil,
        run: run)

    /// Of one file; all exports of a stage together have room for 64 KiB.
    private static let largest = 32 * 1024

    private static func run(_ options: StageOptions, _ context: StageContext) -> Int32 {
        var isDone = true
        for source in options.strings("from") {
            if source.contains(0x2F) {
                isDone = folder(source, context) && isDone
            } else if let star = source.firstIndex(of: 0x2A) {
                isDone = variables(source[..<star], source[star...].dropFirst(), context) && isDone
            } else {
                context.report.say(
                    "cannot use % in `from`: write a pattern such as \"*_FILE\", or a folder", source.shown)
                isDone = false
            }
        }
        return isDone ? 0 : 1
    }

    /// Every variable whose name fits the pattern. The one that is exported has the name without what is behind the `*`.
    private static func variables(_ front: ArraySlice<UInt8>, _ back: ArraySlice<UInt8>, _ context: StageContext)
        -> Bool
    {
        var isDone = true
        for entry in context.environment.entries {
            guard let equals = entry.firstIndex(of: 0x3D) else { continue }
            let name = entry[..<equals]
            let path = Bytes(entry[equals...].dropFirst())
            guard name.count > front.count &+ back.count, name.starts(with: front),
                name.suffix(back.count).elementsEqual(back), !path.isEmpty
            else { continue }
            // DB_*_FILE gives DB_PASSWORD of DB_PASSWORD_FILE, and FILE__* gives PASSWORD of FILE__PASSWORD.
            let target = String(
                decoding: back.isEmpty ? name.dropFirst(front.count) : name.dropLast(back.count), as: UTF8.self)
            if context.environment.value(target) != nil {
                context.report.say(
                    "% is set itself, and % is not looked at", target, Bytes(name).shown)
                continue
            }
            do throws(Errno) {
                isDone = export(target, try readFile(path, limit: largest), path, context) && isDone
            } catch {
                // SSL_CERT_FILE and its like name no secrets.
                if error == .tooLarge {
                    context.report.say(
                        "% is left: %, which it names, is larger than 32 KiB", Bytes(name).shown, path.shown)
                    continue
                }
                isDone = complain(say("%, which % names", path.shown, Bytes(name).shown), error, context)
            }
        }
        return isDone
    }

    /// Every file of a folder whose name can be that of a variable. A folder that is not there has none.
    private static func folder(_ path: Bytes, _ context: StageContext) -> Bool {
        var isDone = true
        let names: [Bytes]
        do throws(Errno) {
            names = try listFolder(path)
        } catch {
            return error == .noEntry || complain(path.shown, error, context)
        }
        for place in order(names) {
            let name = names[place]
            // Kubernetes keeps the files behind links of such names.
            if name.first == 0x2E { continue }
            let file = path + [0x2F] + name
            if fileKind(file) == .folder { continue }
            guard isName(name) else {
                context.report.say("% is left: its name cannot be that of a variable", file.shown)
                continue
            }
            let target = String(decoding: name, as: UTF8.self)
            if context.environment.value(target) != nil { continue }
            do throws(Errno) {
                isDone = export(target, try read(name, in: path, file), file, context) && isDone
            } catch {
                isDone = complain(file.shown, error, context)
            }
        }
        return isDone
    }

    /// A link is followed only where nobody else could have put it there: it could lead to what only root may read.
    private static func read(_ name: Bytes, in folder: Bytes, _ file: Bytes) throws(Errno) -> Bytes {
        let here = OpenFolder(try FileDescriptor.open(folder, flags: HI_O_PATH | O_DIRECTORY))
        let status = try here.status()
        if (status.uid == 0 || status.uid == geteuid()) && status.permissions & 0o022 == 0 {
            return try readFile(file, limit: largest)
        }
        let open = try here.open([name], O_RDONLY | O_NONBLOCK)
        if !(try open.status()).isFile { throw Errno(ENOTSUP) }
        return try readToEnd(open, limit: largest)
    }

    private static func export(_ name: String, _ content: Bytes, _ file: Bytes, _ context: StageContext) -> Bool {
        var content = content
        if content.last == 0x0A { content.removeLast() }
        if content.last == 0x0D { content.removeLast() }
        if content.contains(0) {
            context.report.say("cannot export %: it holds a NUL byte, which no variable can", file.shown)
            return false
        }
        return context.report.export(name, content)
    }

    private static func complain(_ what: String, _ error: Errno, _ context: StageContext) -> Bool {
        var reason = error.text
        if error == .tooLarge { reason = "it is larger than 32 KiB" }
        if error.code == ENOTSUP { reason = "it is no regular file" }
        if error.code == ELOOP { reason = "it is a symbolic link in a folder that others can write to (refusing)" }
        context.report.say("cannot read %: %", what, reason)
        return false
    }

    private static func isName(_ name: Bytes) -> Bool {
        for (place, byte) in name.enumerated() {
            let lower = byte | 0x20
            if byte == 0x5F || (lower >= 0x61 && lower <= 0x7A) || (place > 0 && byte >= 0x30 && byte <= 0x39) {
                continue
            }
            return false
        }
        return !name.isEmpty
    }
}
