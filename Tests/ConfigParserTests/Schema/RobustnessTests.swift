/// No file, however broken, stops the reader, and every place that it names exists.

import ConfigParser
import Testing

@Suite("Broken files")
struct RobustnessTests {
    /// SplitMix64: the same numbers from the same seed.
    struct Random {
        var state: UInt64
        mutating func next(below bound: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((mixed ^ (mixed >> 31)) % UInt64(max(bound, 1)))
        }
    }

    /// Bytes that mean something to TOML, templates, durations or umasks.
    static let spice = [UInt8]("\"'[]{}=.,#\n\r\t\\$:-?0o9me_\u{0}é".utf8) + [0xFF]

    func mutated(_ bytes: [UInt8], _ random: inout Random) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<(1 + random.next(below: 4)) {
            let place = random.next(below: bytes.count)
            switch random.next(below: 4) {
            case 0 where !bytes.isEmpty: bytes.remove(at: place)
            case 1 where !bytes.isEmpty:
                bytes[place] = RobustnessTests.spice[random.next(below: RobustnessTests.spice.count)]
            case 2:
                bytes.insert(RobustnessTests.spice[random.next(below: RobustnessTests.spice.count)], at: place)
            default:
                let end = min(bytes.count, place + random.next(below: 40))
                bytes.insert(contentsOf: bytes[min(place, end)..<end], at: random.next(below: bytes.count))
            }
        }
        return bytes
    }

    @Test("The examples of the documentation, spoilt at random, are read to the end", arguments: 1...8)
    func mutations(seed: Int) {
        var random = Random(state: UInt64(seed))
        let blocks = DocumentationTests.blocks
        for _ in 0..<400 {
            let base = blocks[random.next(below: blocks.count)]
            let over = blocks[random.next(below: blocks.count)]
            let name = random.next(below: 8) == 0 ? "init.toml" : "main.toml"
            let result = ConfigurationReader.read([
                InputFile(
                    path: "/a/\(name)", name: name, dropIn: nil,
                    content: .bytes(mutated([UInt8](base.text.utf8), &random))),
                InputFile(
                    path: "/a/10.toml", name: name, dropIn: "10.toml",
                    content: .bytes(mutated([UInt8](over.text.utf8), &random))),
            ])
            for diagnostic in result.diagnostics {
                for label in diagnostic.context + (diagnostic.primary.map { [$0] } ?? []) {
                    let size = result.sources.file(label.span.file)?.bytes.count ?? -1
                    #expect(label.span.start >= 0 && label.span.start <= label.span.end && Int(label.span.end) <= size)
                }
            }
        }
    }

    @Test("Numbers at the edges of their range are read or refused")
    func edges() {
        let numbers = [
            "9223372036854775807", "-9223372036854775808", "1e308", "-1e308", "nan", "inf", "-inf", "1e-308", "0.0",
            "-0.0",
        ]
        for key in [
            "umask", "user", "group", "restart.delay", "restart.factor", "restart.max-delay", "restart.jitter",
            "restart.reset-after", "restart.limit", "restart.within", "stop.signal", "stop.timeout", "environment.A",
            "nice", "oom-score-adj", "start-timeout", "limits.nofile", "limits.cpu", "limits.as", "ready.notify",
            "ready.timeout", "health.failures", "health.watchdog", "reload.signal", "log.max-size", "log.keep",
            "resources.memory-max", "resources.cpu-max", "resources.pids-max", "resources.cpu-weight",
        ] {
            for number in numbers {
                let result = ConfigurationReader.read([file("web.toml", "command = [\"a\"]\n\(key) = \(number)")])
                #expect(result.configuration.services.count == 1)
            }
        }
    }
}
