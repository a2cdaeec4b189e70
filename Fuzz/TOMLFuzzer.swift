/// The libFuzzer target of the TOML parser: any bytes at all. Beyond what the compiler and the sanitizer check by themselves
/// (no trap, no access out of bounds), it holds the parser to what it promises of its results. scripts/fuzz compiles this file
/// into one module with the sources of ConfigParser.

/// One input of the fuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTOML(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    var sources = SourceMap()
    let file = sources.add(path: "input.toml", bytes: bytes)
    var diagnostics = [Diagnostic]()
    let table = TOMLParser.parse(file: file, bytes: bytes, diagnostics: &diagnostics)
    precondition(diagnostics.count <= TOMLParser.maximumMistakes + 1, "more mistakes than are to be told")
    checkSpans(table, count)
    for diagnostic in diagnostics {
        for label in diagnostic.context + [diagnostic.primary].compactMap({ $0 }) { check(label.span, count) }
    }
    let text = DiagnosticRenderer(sources: sources, color: true).render(diagnostics)
    precondition(text.isEmpty == diagnostics.isEmpty)
    _ = JSONForm.text(table, typed: false)

    // TOML 1.0 is a part of 1.1, with the same meaning.
    var older = [Diagnostic]()
    let olderTable = TOMLParser.parse(file: file, bytes: bytes, version: .v1_0, diagnostics: &older)
    if older.isEmpty {
        precondition(diagnostics.isEmpty, "TOML 1.1 refuses what 1.0 takes")
        precondition(
            JSONForm.text(table, typed: true) == JSONForm.text(olderTable, typed: true),
            "TOML 1.1 reads something else than 1.0")
    }
    return 0
}

private func checkSpans(_ table: Table, _ count: Int) {
    check(table.span, count)
    for entry in table.entries {
        check(entry.keySpan, count)
        checkSpans(entry.value, count)
    }
}

private func checkSpans(_ value: Value, _ count: Int) {
    check(value.span, count)
    switch value.kind {
    case .table(let table): checkSpans(table, count)
    case .array(let elements): for element in elements { checkSpans(element, count) }
    case .float(let number):
        // What is written as text reads back as the same number.
        let text = [UInt8](decimalText(number).utf8)
        precondition(!number.isFinite || decimalToDouble(text, 0, text.count) == number, "a float changed as text")
    case .string, .integer, .boolean, .dateTime: break
    }
}

private func check(_ span: Span, _ count: Int) {
    precondition(span.start >= 0 && span.start <= span.end && Int(span.end) <= count, "a span lies outside of the file")
}
