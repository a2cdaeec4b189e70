import Testing

@testable import System

@Suite("Driver: addresses of probes")
struct ProbeAddressTests {
    private static let six: Bytes = [0x20, 0x01, 0x0D, 0xB8] + Bytes(repeating: 0, count: 11) + [7]

    @Test(
        "HOST:PORT",
        arguments: [
            ("127.0.0.1:80", .address([127, 0, 0, 1]), 80),
            ("0.0.0.0:65535", .address([0, 0, 0, 0]), 65535),
            ("localhost:1", .localhost, 1),
            ("LocalHost:9119", .localhost, 9119),
            ("db_1.example:5432", .name(Bytes("db_1.example".utf8)), 5432),
            ("127.1:80", .name(Bytes("127.1".utf8)), 80),
            ("[2001:db8::7]:8080", .address(ProbeAddressTests.six), 8080),
            ("[::]:80", .address(Bytes(repeating: 0, count: 16)), 80),
        ] as [(String, ProbeHost, UInt16)])
    func good(text: String, host: ProbeHost, port: UInt16) throws {
        #expect(try ProbeAddress.parse(Bytes(text.utf8)) == ProbeAddress(host: host, port: port))
    }

    @Test(
        "What is wrong with the others",
        arguments: [
            ("", "the host is missing; write 127.0.0.1 for this container"),
            (":80", "the host is missing; write 127.0.0.1 for this container"),
            ("127.0.0.1", "write it as HOST:PORT"),
            ("80", "write it as HOST:PORT"),
            ("127.0.0.1:", "the port must be a number from 1 to 65535"),
            ("127.0.0.1:0", "the port must be a number from 1 to 65535"),
            ("127.0.0.1:65536", "the port must be a number from 1 to 65535"),
            ("127.0.0.1:99999999999999999999", "the port must be a number from 1 to 65535"),
            ("127.0.0.1:-1", "the port must be a number from 1 to 65535"),
            ("127.0.0.1:http", "the port must be a number from 1 to 65535"),
            ("::1:80", "write an IPv6 address as [ADDRESS]:PORT"),
            ("2001:db8::7:80", "write an IPv6 address as [ADDRESS]:PORT"),
            ("[::1", "the ] behind the address is missing"),
            ("[]:80", "between [ and ] belongs an IPv6 address"),
            ("[127.0.0.1]:80", "between [ and ] belongs an IPv6 address"),
            ("[fe80::1%eth0]:80", "between [ and ] belongs an IPv6 address"),
            ("[::1]80", "write it as HOST:PORT"),
            ("[::1]", "write it as HOST:PORT"),
            ("a b:80", "the host holds a character that no name has"),
            ("http://a:80", "write it as HOST:PORT, without http:// and path"),
            ("a\u{0}b:80", "the host holds a character that no name has"),
        ])
    func bad(text: String, reason: String) {
        #expect(throws: ProbeMistake(reason)) { try ProbeAddress.parse(Bytes(text.utf8)) }
    }

    @Test(
        "URLs: where to, and the words that are sent",
        arguments: [
            ("http://127.0.0.1", "/", "127.0.0.1", 80),
            ("http://127.0.0.1:9119/health?full=1#top", "/health?full=1", "127.0.0.1:9119", 9119),
            ("HTTP://127.0.0.1:81?x", "/?x", "127.0.0.1:81", 81),
            ("http://127.0.0.1/a:b@c", "/a:b@c", "127.0.0.1", 80),
        ] as [(String, String, String, UInt16)])
    func urls(text: String, target: String, host: String, port: UInt16) throws {
        let url = try ProbeURL.parse(Bytes(text.utf8))
        #expect(url.address == ProbeAddress(host: .address([127, 0, 0, 1]), port: port))
        let request = String(decoding: url.request, as: UTF8.self)
        #expect(request.hasPrefix("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n"))
        #expect(request.hasSuffix("\r\nConnection: close\r\n\r\n"))
    }

    @Test(
        "URLs that are none, and those that would say more than one line",
        arguments: [
            ("https://127.0.0.1/", "https is not spoken; use http://, tcp, or a command such as curl"),
            ("127.0.0.1:80/x", "write it as http://HOST:PORT/PATH"),
            ("http:/127.0.0.1", "write it as http://HOST:PORT/PATH"),
            ("", "write it as http://HOST:PORT/PATH"),
            ("http://", "the host is missing; write 127.0.0.1 for this container"),
            ("http:///x", "the host is missing; write 127.0.0.1 for this container"),
            ("http://me:secret@127.0.0.1/", "a user name cannot be given in it"),
            ("http://127.0.0.1/a b", "a blank or control character stands in it; write a blank as %20"),
            ("http://127.0.0.1/\r\nX: y", "a blank or control character stands in it; write a blank as %20"),
            ("http://127.0.0.1:99999/", "the port must be a number from 1 to 65535"),
        ])
    func badURLs(text: String, reason: String) {
        #expect(throws: ProbeMistake(reason)) { try ProbeURL.parse(Bytes(text.utf8)) }
    }

    @Test("Names of /etc/hosts: any case, any blanks, comments, both kinds, in the order of the file")
    func hosts() {
        let file = Bytes(
            """
            127.0.0.1\tlocalhost
            # 10.0.0.9 db
            10.0.0.1  DB db.local # db2\r
            not-an-address db
            2001:db8::7 db
            10.0.0.2 other db

            10.0.0.3
            """.utf8)
        func found(_ name: String) -> [Bytes] { addresses(of: Bytes(name.utf8), inHosts: file) }
        #expect(found("db") == [[10, 0, 0, 1], ProbeAddressTests.six, [10, 0, 0, 2]])
        #expect(found("Db.Local") == [[10, 0, 0, 1]])
        #expect(found("db2") == [])
        #expect(found("10.0.0.3") == [])
        #expect(found("missing") == [])
        #expect(addresses(of: [0x61], inHosts: Bytes(String(repeating: "10.0.0.1 a\n", count: 100).utf8)).count == 8)
        #expect(addresses(of: [0x61], inHosts: []) == [])
    }
}

@Suite("Driver: the status of an HTTP answer")
struct HTTPStatusTests {
    private static let notHTTP = "answered with something that is not HTTP: "

    @Test(
        "Whole, and a byte at a time",
        arguments: [
            ("HTTP/1.1 200 OK\r\n\r\n", .passed),
            ("HTTP/1.0 200\r\n", .passed),
            ("HTTP/1.1 204\n", .passed),
            ("HTTP/1.1 302 Found\r\nLocation: /\r\n", .passed),
            ("HTTP/1.1 399 ", .passed),
            ("HTTP/1.1 200", .passed),
            ("HTTP/1.1 199 ", .failed("answered 199")),
            ("HTTP/1.1 404 Not Found\r\n", .failed("answered 404")),
            ("HTTP/1.1 503\r\n", .failed("answered 503")),
            ("", .failed("closed the connection without an answer")),
            ("HTTP/1.1 20", .failed("closed the connection within its first line")),
            ("HTTP/2.0 200 ", .failed(HTTPStatusTests.notHTTP)),
            ("SSH-2.0-OpenSSH", .failed(HTTPStatusTests.notHTTP)),
            ("\u{0}\u{1}\u{2}", .failed(HTTPStatusTests.notHTTP)),
            ("HTTP/1.1 2000", .failed(HTTPStatusTests.notHTTP)),
            ("HTTP/1.1 2x0 OK", .failed(HTTPStatusTests.notHTTP)),
            (String(repeating: "H", count: 100_000), .failed(HTTPStatusTests.notHTTP)),
        ] as [(String, SocketAnswer)])
    func table(text: String, expected: SocketAnswer) {
        func matches(_ result: SocketAnswer?) -> Bool {
            if case .failed(let reason) = result, case .failed(let start) = expected {
                return start == HTTPStatusTests.notHTTP ? reason.hasPrefix(start) : reason == start
            }
            return result == expected
        }
        let bytes = Bytes(text.utf8)
        var whole = HTTPStatusReader()
        #expect(matches(whole.read(bytes[...]) ?? whole.read([], isEnd: true)))
        var slow = HTTPStatusReader()
        var result: SocketAnswer?
        for byte in bytes where result == nil { result = slow.read([byte]) }
        #expect(matches(result ?? slow.read([], isEnd: true)))
    }
}
