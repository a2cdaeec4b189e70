import ConfigParser

/// Values of service files as bytes, so that two of them can be compared whatever they are made of: equal values give equal
/// bytes, different ones different bytes, and where a value stands is left out. For comparing only; nothing is read back.

struct Digest: Equatable {
    var bytes: [UInt8] = []

    mutating func add(_ number: Int) {
        var rest = UInt64(bitPattern: Int64(number))
        for _ in 0..<8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    mutating func add(_ isSet: Bool) { bytes.append(isSet ? 1 : 0) }

    mutating func add(_ number: Int?) {
        add(number != nil)
        if let number { add(number) }
    }

    mutating func add(_ number: Int32?) { add(number.map { Int($0) }) }
    mutating func add(_ number: UInt32?) { add(number.map { Int($0) }) }
    mutating func add(_ number: UInt64?) { add(number.map { Int(truncatingIfNeeded: $0) }) }
    mutating func add(_ number: Double) { add(Int(truncatingIfNeeded: number.bitPattern)) }
    mutating func add(_ interval: Interval) { add(Int(interval.nanoseconds)) }
    mutating func add(_ interval: Interval?) { add(interval.map { Int($0.nanoseconds) }) }

    mutating func add(_ text: [UInt8]) {
        add(text.count)
        bytes += text
    }

    mutating func add(_ text: String) { add([UInt8](text.utf8)) }

    mutating func add(_ template: Template) { add(template.parts) }

    mutating func add(_ template: Template?) {
        add(template != nil)
        if let template { add(template) }
    }

    mutating func add(_ templates: [Template]?) {
        add(templates?.count)
        for template in templates ?? [] { add(template) }
    }

    /// Calls itself as deep as templates nest, which is a few levels.
    private mutating func add(_ parts: [Template.Part]) {
        add(parts.count)
        for part in parts {
            switch part {
            case .literal(let text):
                add(0)
                add(text)
            case .variable(let name, let fallback, _):
                add(1)
                add(name)
                switch fallback {
                case .none: add(0)
                case .value(let parts):
                    add(1)
                    add(parts)
                case .error(let text):
                    add(2)
                    add(text)
                }
            }
        }
    }

    mutating func add(_ changes: [EnvironmentChange]) {
        add(changes.count)
        for change in changes {
            add(change.name)
            add(change.value)
        }
    }

    mutating func add(_ amount: ResourcePolicy.Amount?) {
        switch amount {
        case .of(let number):
            add(1)
            add(Int(number))
        case .unlimited: add(2)
        case nil: add(0)
        }
    }

    mutating func add(_ conditions: [ExitCondition]) {
        add(conditions.count)
        for condition in conditions {
            switch condition {
            case .code(let code): add(Int(code))
            case .signal(let signal): add(-Int(signal.number))
            }
        }
    }

    mutating func add(_ probe: Probe) {
        switch probe {
        case .tcp(let text):
            add(0)
            add(text)
        case .unix(let text):
            add(1)
            add(text)
        case .http(let text):
            add(2)
            add(text)
        case .path(let text):
            add(3)
            add(text)
        case .command(let words):
            add(4)
            add(words)
        }
    }

    mutating func add(_ conditions: [Condition]) {
        add(conditions.count)
        for condition in conditions {
            switch condition {
            case .environmentTrue(let name):
                add(0)
                add(name)
            case .environmentUnset(let name):
                add(1)
                add(name)
            case .environmentEquals(let name, let value):
                add(2)
                add(name)
                add(value)
            case .pathExists(let path):
                add(3)
                add(path)
            case .pathMissing(let path):
                add(4)
                add(path)
            case .tty(let isWanted):
                add(5)
                add(isWanted)
            case .root(let isWanted):
                add(6)
                add(isWanted)
            case .main(let lists):
                add(7)
                add(lists)
            case .environmentSet(let name):
                add(9)
                add(name)
            case .mainNot(let lists):
                add(8)
                add(lists)
            }
        }
    }

    private mutating func add(_ lists: [[String]]) {
        add(lists.count)
        for list in lists {
            add(list.count)
            for word in list { add(word) }
        }
    }

    /// Options of a plugin. Calls itself as deep as they nest, which the parser limits.
    mutating func add(_ table: Table) {
        add(table.entries.count)
        for entry in table.entries {
            add(entry.key)
            add(entry.value)
        }
    }

    private mutating func add(_ value: Value) {
        switch value.kind {
        case .string(let text):
            add(0)
            add(text)
        case .integer(let number):
            add(1)
            add(Int(number))
        case .float(let number):
            add(2)
            add(number)
        case .boolean(let isTrue):
            add(3)
            add(isTrue)
        case .dateTime(let moment):
            add(4)
            add(moment.date.map { ($0.year &* 100 &+ $0.month) &* 100 &+ $0.day })
            add(moment.time.map { ($0.hour &* 100 &+ $0.minute) &* 100 &+ $0.second })
            add(moment.time?.nanosecond)
            add(moment.offset)
        case .array(let values):
            add(5)
            add(values.count)
            for value in values { add(value) }
        case .table(let table):
            add(6)
            add(table)
        }
    }
}
