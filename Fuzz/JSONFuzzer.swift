/// The libFuzzer target of JSONReader, which reads whatever listens at the control socket, and of the text that ctl makes of it.
/// scripts/fuzz compiles this file into one module with the sources of ConfigParser.

/// One input of the fuzzer: what is a value is written out, read again, and is the same; no text is wider than it may be.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    for limit in [0, 1, 7, 80] { precondition(columns(of: fitted(text, to: limit)) <= limit) }
    guard let value = JSONValue(bytes) else { return 0 }
    var json = JSONWriter(pretty: false)
    write(value, &json)
    guard let again = JSONValue(json.bytes) else { preconditionFailure("what was written cannot be read") }
    var other = JSONWriter(pretty: false)
    write(again, &other)
    precondition(json.bytes == other.bytes)
    return 0
}

private func write(_ value: JSONValue, _ json: inout JSONWriter) {
    switch value {
    case .null: json.literal("null")
    case .boolean(let value): json.boolean(value)
    case .number(let thousandths):
        // As the thousandth power of ten, so that nothing is lost.
        json.literal(String(thousandths) + "e-3")
    case .string(let text): json.string(text)
    case .array(let items):
        json.beginArray()
        for item in items { write(item, &json) }
        json.endArray()
    case .object(let members):
        json.beginObject()
        for member in members {
            json.key(member.key)
            write(member.value, &json)
        }
        json.endObject()
    }
}
