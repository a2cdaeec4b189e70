import CSystem
import System
import Testing

@Suite("Bytes")
struct BytesTests {
    @Test(
        "What is shown is text that cannot move the cursor, and everything that is UTF-8 stays as it is",
        arguments: [
            ("plain", "plain"), ("", ""), ("grüße €😀", "grüße €😀"), ("a\u{1B}[2Jb", "a\\x1b[2Jb"),
            ("one\ntwo\tthree\r", "one\\x0atwo\\x09three\\x0d"), ("\u{7F}", "\\x7f"), ("\u{0}", "\\x00"),
        ])
    func showsText(text: String, shown: String) {
        #expect(Bytes(text.utf8).shown == shown)
    }

    @Test(
        "Bytes that are no UTF-8 are shown one by one",
        arguments: [
            ([0xFF, 0x41], "\\xffA"), ([0x80], "\\x80"), ([0xC3], "\\xc3"), ([0xE2, 0x82], "\\xe2\\x82"),
            // Overlong forms, a surrogate, and a number above U+10FFFF.
            ([0xC0, 0xAF], "\\xc0\\xaf"), ([0xE0, 0x80, 0x80], "\\xe0\\x80\\x80"),
            ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"), ([0xF4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"),
            ([0xE2, 0x41], "\\xe2A"),
        ] as [(Bytes, String)])
    func showsBytes(bytes: Bytes, shown: String) {
        #expect(bytes.shown == shown)
    }

    @Test("A C string ends in a NUL, also where there are no bytes")
    func terminates() {
        #expect(Bytes("abc".utf8).withCString { $0.map { strlen($0) } } == 3)
        #expect(Bytes().withCString { $0.map { strlen($0) } } == 0)
        #expect([0x61, 0, 0x62].withCString { $0.map { strlen($0) } } == 1)
    }

    @Test("The bytes of a C string come back, and nil is empty")
    func fromC() {
        let bytes: Bytes = [0x61, 0xFF]
        #expect(bytes.withCString { Bytes(cString: $0) } == bytes)
        #expect(Bytes(cString: nil).isEmpty)
    }
}

@Suite("Errno")
struct ErrnoTests {
    @Test("Only what may go better later is transient", arguments: [EAGAIN, ENOMEM, ENFILE, EMFILE])
    func transient(code: Int32) { #expect(Errno(code).isTransient) }

    @Test("The rest is not", arguments: [ENOENT, EPERM, EACCES, EINVAL, ENOEXEC, ETXTBSY, EIO])
    func lasting(code: Int32) { #expect(!Errno(code).isTransient) }

    @Test("The reason of the last call is there, in the words of strerror(3)")
    func current() {
        #expect(hi_access("/nothing", F_OK) == -1 && Errno.current == .noEntry)
        #expect(Errno.noEntry.text == "No such file or directory")
        #expect(!Errno(99_999).text.isEmpty)
    }
}
