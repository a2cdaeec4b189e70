/// The libFuzzer target of the reader of service files: a folder of files with any content. NUL bytes, which no service file
/// can hold, part the files; the first bytes of each choose its name, so that init.toml, drop-ins, masks and names that are
/// none all come about. scripts/fuzz compiles this file into one module with the sources of ConfigParser.

/// One input of the fuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSchema(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    var files = [InputFile]()
    for (place, content) in bytes.split(separator: 0, maxSplits: 8, omittingEmptySubsequences: false).enumerated() {
        files.append(input([UInt8](content), place))
    }
    let result = ConfigurationReader.read(files)
    var last = -1
    for diagnostic in result.diagnostics {
        precondition(!diagnostic.code.isEmpty && !diagnostic.title.isEmpty)
        for label in diagnostic.context + [diagnostic.primary].compactMap({ $0 }) {
            guard let file = result.sources.file(label.span.file) else { preconditionFailure("a mark in no file") }
            precondition(
                label.span.start >= 0 && label.span.start <= label.span.end && Int(label.span.end) <= file.bytes.count,
                "a mark lies outside of its file")
        }
        if let span = diagnostic.primary?.span {
            let key = Int(span.file.index) << 32 | Int(span.start)
            precondition(key >= last, "not in the order of files and lines")
            last = key
        }
    }
    let text = DiagnosticRenderer(sources: result.sources, color: false).render(result.diagnostics)
    precondition(text.isEmpty == result.diagnostics.isEmpty)
    for service in result.configuration.services { precondition(problem(ofServiceName: service.name) == nil) }
    return 0
}

/// The first file of an input is a service file as it stands, so that a corpus can hold plain files.
private func input(_ content: [UInt8], _ place: Int) -> InputFile {
    if place == 0 {
        return InputFile(path: "/etc/web.toml", name: "web.toml", dropIn: nil, content: .bytes(content))
    }
    let rest = [UInt8](content.dropFirst())
    let body: InputFile.Content = rest.isEmpty ? .mask : .bytes(rest)
    switch content.first {
    case 0x69: return InputFile(path: "/etc/init.toml", name: "init.toml", dropIn: nil, content: body)
    case 0x64: return InputFile(path: "/etc/web.d/a.toml", name: "web.toml", dropIn: "a.toml", content: body)
    case 0x6D: return InputFile(path: "/etc/main.toml", name: "main.toml", dropIn: nil, content: body)
    case 0x6E:
        let name = String(decoding: rest.prefix(70), as: UTF8.self)
        return InputFile(path: "/etc/" + name, name: name, dropIn: nil, content: .bytes([0x61, 0x3D, 0x31]))
    default: return InputFile(path: "/etc/db.toml", name: "db.toml", dropIn: nil, content: body)
    }
}
