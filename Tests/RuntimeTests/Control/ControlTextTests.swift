import ConfigParser
import Testing

@testable import Runtime

/// The texts of HTTP and OpenMetrics, and the record of the boot.
@Suite("Control: texts, and the record of the boot")
struct ControlTextTests {
    private func head(_ text: String) -> HTTPRequest.Next { HTTPRequest.parse([UInt8](text.utf8)) }

    @Test func heads() {
        var request = HTTPRequest(path: [UInt8]("/metrics".utf8))
        request.isHead = false
        #expect(head("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") == .request(request))
        #expect(head("GET /metrics?a=b HTTP/1.0\n\n") == .request(request))
        let both = "Accept: text/plain, application/openmetrics-text\r\n"
        #expect(head("GET /metrics HTTP/1.1\r\n" + both + "\r\n") == .request(request))
        request.wantsPlain = true
        #expect(head("GET /metrics HTTP/1.1\r\nACCEPT: text/Plain\r\n\r\n") == .request(request))
        request = HTTPRequest(path: [UInt8]("/".utf8))
        #expect(head("POST / HTTP/1.1\r\n\r\n") == .request(request))
        request.isHead = true
        #expect(head("HEAD / HTTP/1.1\r\n\r\n") == .request(request))
    }

    @Test(arguments: ["", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n", "\r\n"])
    func headsThatAreNotWhole(text: String) {
        #expect(head(text) == .nothing)
    }

    @Test(arguments: [
        ("hello\r\n\r\n", 400), ("GET / SPDY\r\n\r\n", 400), ("GET metrics HTTP/1.1\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400), ("GET / HTTP/1.1 more\r\n\r\n", 400), ("\u{0}\n\n", 400),
    ])
    func headsThatAreNone(text: String, status: Int) {
        #expect(head(text) == .wrong(status))
    }

    @Test func theLongestHead() {
        #expect(head(String(repeating: "x", count: 4096)) == .nothing)
        #expect(head(String(repeating: "x", count: 4097)) == .wrong(431))
        #expect(head("GET / HTTP/1.1\r\nA: " + String(repeating: "x", count: 5000) + "\r\n\r\n") == .wrong(431))
    }

    @Test(arguments: [false, true])
    func metrics(plain: Bool) {
        var text = OpenMetrics(plain: plain)
        text.begin("a_seconds", isCounter: true, unit: "seconds", help: "Help.")
        text.sample(service: "we\"b", "1.5")
        text.begin("b", isCounter: false, help: "More.")
        text.sample("2")
        text.end()
        let wanted =
            plain
            ? "# TYPE a_seconds_total counter\n# HELP a_seconds_total Help.\na_seconds_total{service=\"we\\\"b\"} 1.5\n"
                + "# TYPE b gauge\n# HELP b More.\nb 2\n"
            : "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds Help.\n"
                + "a_seconds_total{service=\"we\\\"b\"} 1.5\n# TYPE b gauge\n# HELP b More.\nb 2\n# EOF\n"
        #expect(String(decoding: text.take(), as: UTF8.self) == wanted)
        #expect(text.take().isEmpty)
    }

    @Test(arguments: [
        (Int64(0), "0"), (1, "0.001"), (10, "0.01"), (1500, "1.5"), (2000, "2"), (-5, "0"), (12_345, "12.345"),
    ])
    func decimals(thousandths: Int64, text: String) {
        #expect(decimalText(thousandths: thousandths) == text)
    }

    @Test func theBootIsRecordedOnceAndKnowsWhatDecided() throws {
        var services = [Service(name: "slow"), Service(name: "fast"), Service(name: "web"), Service(name: "later")]
        services[3].autostart = false
        let span = Span(file: FileID(index: 0), start: 0, end: 0)
        services[2].requires = [Reference(name: "slow", span: span), Reference(name: "fast", span: span)]
        var diagnostics = [Diagnostic]()
        let graph = try #require(Graph.build(services, diagnostics: &diagnostics))
        var timings = BootTimings()
        func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: 5_000_000_000 + milliseconds * 1_000_000) }
        timings.begin(services, graph, at: at(0))
        func note(_ index: Int, _ state: ServiceState, _ time: Int64) {
            timings.note(ServiceID(index: index), state, at: at(time), edges: index < 4 ? graph.edges[index] : [])
        }
        note(2, .waiting, 1)
        for index in 0...1 { note(index, .starting(asked: at(2)), 2) }
        note(1, .up(since: at(3)), 3)
        note(0, .up(since: at(50)), 50)
        #expect(timings.done == nil && timings.left == 1)
        note(2, .starting(asked: at(51)), 51)
        note(2, .up(since: at(60)), 60)
        #expect(timings.done == 60 && timings.total == 60)
        #expect(timings.critical == ["slow", "web"])
        #expect(timings.entries[2].asked == 1 && timings.entries[2].waitedFor == 0)
        let before = timings.entries
        note(2, .starting(asked: at(99)), 99)
        note(3, .up(since: at(99)), 99)
        note(9, .done, 99)
        #expect(timings.entries == before && timings.entries[3].name.isEmpty)
    }
}
