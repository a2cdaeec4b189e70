/// Two services that are asked at one address.

import ConfigParser
import Testing

@Suite("Ports that collide")
struct PortCollisionTests {
    private func read(_ files: [(String, String)]) -> ReadResult {
        let result = ConfigurationReader.read(files.map { file($0.0 + ".toml", "command = [\"a\"]\n" + $0.1) })
        #expect(told(result) == [])
        return result
    }

    @Test(
        "Two addresses are the same where one program would answer at both",
        arguments: [
            ("tcp = \"127.0.0.1:80\"", "tcp = \"127.0.0.1:80\"", true),
            ("tcp = \"127.0.0.1:80\"", "tcp = \"127.0.0.1:81\"", false),
            ("tcp = \"127.0.0.1:80\"", "http = \"http://localhost/health\"", true),
            ("tcp = \"0.0.0.0:80\"", "tcp = \"LOCALHOST:80\"", true), ("tcp = \"[::1]:80\"", "tcp = \"[::]:80\"", true),
            ("tcp = \"[::1]:80\"", "tcp = \"127.0.0.1:80\"", false), ("tcp = \"a:80\"", "tcp = \"b:80\"", false),
            ("tcp = \"127.0.0.1:${P:-80}\"", "tcp = \"${H:-127.0.0.1}:${Q:-80}\"", true),
            ("tcp = \"127.0.0.1:${P}\"", "tcp = \"127.0.0.1:${P}\"", false),
            ("tcp = \"127.0.0.1:${P:-}\"", "tcp = \"127.0.0.1:${P:-}\"", false),
            ("unix = \"/a\"", "unix = \"/a\"", false), ("notify = 3", "tcp = \"127.0.0.1:80\"", false),
        ])
    func same(one: String, other: String, collides: Bool) {
        let services = read([("db", "[ready]\n" + one), ("web", "[ready]\n" + other)]).configuration.services
        #expect(portCollisions(services).map(\.code) == (collides ? ["port-collision"] : []))
    }

    @Test("The warning marks both addresses and names both services")
    func places() throws {
        let result = read([
            ("db", "[ready]\ntcp = \"localhost:80\""), ("web", "[ready]\nhttp = \"http://127.0.0.1/\""),
        ])
        let found = portCollisions(result.configuration.services)
        let warning = try #require(found.first)
        #expect(found.count == 1 && warning.severity == .warning)
        #expect(warning.title == "db and web cannot both listen at 127.0.0.1:80")
        #expect(marked(warning.primary?.span, result) == "\"http://127.0.0.1/\"")
        #expect(marked(warning.context.first?.span, result) == "\"localhost:80\"")
        #expect(warning.context.first?.text == "db is asked here already")
    }

    @Test("One service may be asked for both ends at one address, and the health of another at it too")
    func health() {
        let result = read([
            ("db", "[ready]\ntcp = \"a:80\"\n[health]\ntcp = \"a:80\""), ("web", "[health]\ntcp = \"a:80\""),
        ])
        #expect(portCollisions(result.configuration.services).isEmpty)
        #expect(result.configuration.services.map { addresses(of: $0).map(\.text) } == [["a:80", "a:80"], ["a:80"]])
    }

    @Test(
        "Services of which both are conditional are alternatives",
        arguments: [
            (["when", "when"], 0), (["always", "when"], 1), (["when", "always"], 1), (["when", "when", "always"], 1),
            (["when", "always", "when"], 2), (["always", "always", "always"], 2),
        ])
    func conditions(kinds: [String], count: Int) {
        let ready = "ready.tcp = \"a:80\"\n"
        let files = kinds.enumerated().map { place, kind in
            ("s\(place)", ready + (kind == "when" ? "[when]\nenv = \"A\"" : ""))
        }
        #expect(portCollisions(read(files).configuration.services).count == count)
    }

    @Test("A thousand services at one address are told of in linear time")
    func many() {
        let files = (0..<1000).map { ("s\($0)", "ready.tcp = \"a:80\"") }
        #expect(portCollisions(read(files).configuration.services).count == 999)
    }
}
