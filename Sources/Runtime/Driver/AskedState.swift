import ConfigParser
import System

/// Which services were last asked up or down, for those with `remember`: what is kept over a restart of the container. The
/// text of the file, and what it means at boot. A file is believed whole or not at all: a line at its end holds a checksum of
/// the others, so that half a file, or one of another program, is seen to be none.
///
///     hermes-init asked 1
///     up gateway@writer
///     down dashboard
///     checksum 9f3c0a4be1d27785

/// What was asked, the latest last.
public struct AskedState: Equatable, Sendable {
    /// Names that are kept. Where there are more, what was asked first is forgotten, and of that what is down before what is up.
    static let most = 4096
    /// A file larger than this is none.
    static let largestFile = 1 << 20

    private var names: [String] = []
    private var areUp: [Bool] = []
    private var places = NameIndex()

    /// Nothing was asked yet.
    public init() {}

    /// Whether nothing is kept.
    public var isEmpty: Bool { names.isEmpty }

    /// How many names are kept.
    public var count: Int { names.count }

    /// Whether a service was last asked up; nil where it was asked nothing.
    public subscript(name: String) -> Bool? {
        guard let place = places[name], place < areUp.count else { return nil }
        return areUp[place]
    }

    /// Those that are to be up, whether there is a file for them or not.
    var up: [String] {
        var up = [String]()
        for place in names.indices where areUp[place] { up.append(names[place]) }
        return up
    }

    /// Takes down what was asked of a service. False where that is known already.
    @discardableResult
    public mutating func note(_ name: String, up isUp: Bool) -> Bool {
        if let place = places[name], place < areUp.count {
            if areUp[place] == isUp { return false }
            areUp[place] = isUp
            return true
        }
        if names.count >= AskedState.most { forget() }
        places[name] = names.count
        names.append(name)
        areUp.append(isUp)
        return true
    }

    /// Makes room for one.
    private mutating func forget() {
        var place = 0
        for candidate in areUp.indices where !areUp[candidate] {
            place = candidate
            break
        }
        names.remove(at: place)
        areUp.remove(at: place)
        places = NameIndex()
        for place in names.indices { places[names[place]] = place }
    }

    /// Whether the same was asked of the same services, in the same order.
    public static func == (left: AskedState, right: AskedState) -> Bool {
        left.areUp == right.areUp && left.bytes == right.bytes
    }

    // MARK: - The file

    private static let heading = "hermes-init asked 1"

    /// As it stands in the file.
    public var bytes: Bytes {
        var text = AskedState.heading.bytes + [0x0A]
        for place in names.indices { text += say(areUp[place] ? "up %\n" : "down %\n", names[place]).bytes }
        return text + "checksum ".bytes + AskedState.checksum(text[...]) + [0x0A]
    }

    /// Why a file is none.
    struct Mistake: Error {
        /// As it stands behind "cannot use FILE: ".
        var reason: String
    }

    /// Reads it back.
    init(_ bytes: Bytes) throws(Mistake) {
        if bytes.isEmpty { throw Mistake(reason: "it is empty") }
        if bytes.count > AskedState.largestFile { throw Mistake(reason: "it is larger than 1 MiB") }
        var start = 0
        var line = 0
        var isWhole = false
        while let end = bytes[start...].firstIndex(of: 0x0A) {
            let text = String(decoding: bytes[start..<end], as: UTF8.self)
            line &+= 1
            if isWhole { throw Mistake(reason: "something stands behind its last line") }
            if line == 1 {
                if text != AskedState.heading {
                    throw Mistake(reason: "it was not written by this version of hermes-init")
                }
            } else if let name = AskedState.rest(of: text, "up ") {
                try take(name, up: true, line)
            } else if let name = AskedState.rest(of: text, "down ") {
                try take(name, up: false, line)
            } else if let sum = AskedState.rest(of: text, "checksum ") {
                if sum.bytes != AskedState.checksum(bytes[..<start]) { throw Mistake(reason: "its checksum is wrong") }
                isWhole = true
            } else {
                throw Mistake(reason: say("line % is none that it can have", String(line)))
            }
            start = end &+ 1
        }
        if !isWhole || start != bytes.count { throw Mistake(reason: "its end is missing") }
    }

    private mutating func take(_ name: String, up isUp: Bool, _ line: Int) throws(Mistake) {
        if !isServiceName(name) { throw Mistake(reason: say("line % holds no name of a service", String(line))) }
        if places[name] != nil { throw Mistake(reason: say("line % names a service again", String(line))) }
        if names.count >= AskedState.most { throw Mistake(reason: "it names too many services") }
        note(name, up: isUp)
    }

    private static func rest(of line: String, _ beginning: StaticString) -> String? {
        let count = beginning.utf8CodeUnitCount
        let bytes = line.bytes
        guard bytes.count > count,
            bytes.prefix(count).elementsEqual(UnsafeBufferPointer(start: beginning.utf8Start, count: count))
        else { return nil }
        return String(decoding: bytes[count...], as: UTF8.self)
    }

    /// FNV-1a of 64 bits, in sixteen digits: against accidents, not against people.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> Bytes {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var digits = Bytes()
        for place in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: sum >> UInt64(60 &- place &* 4)) & 15
            digits.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
        }
        return digits
    }
}

// MARK: - What it means at boot

/// Decides which services start at boot where that is not plain from `autostart`: what somebody asked before counts first,
/// then `[autostart]`.
/// - Returns: for each service, by index, why it is so, in words; empty where its `autostart` alone says it.
func decideAutostart(_ services: inout [Service], _ asked: AskedState, _ context: ConditionContext) -> [String] {
    var reasons = [String](repeating: "", count: services.count)
    for index in services.indices {
        if services[index].remember, let isUp = asked[services[index].name] {
            services[index].autostart = isUp
            reasons[index] = isUp ? "it was asked up before" : "it was asked down before"
        } else if services[index].autostart && !services[index].autostartWhen.isEmpty {
            var context = context
            context.environment.setInstance(of: services[index])
            if let unmet = unmetCondition(services[index].autostartWhen, context) {
                services[index].autostart = false
                reasons[index] = say("[autostart]: %", unmet)
            }
        }
    }
    return reasons
}

extension Environment {
    /// The variable that tells an instance of a template its name.
    mutating func setInstance(of service: Service) {
        guard let (_, instance) = instanceName(service.name) else { return }
        set("HERMES_INIT_INSTANCE", instance.bytes)
    }
}
