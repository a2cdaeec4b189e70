import ConfigParser

@testable import Runtime

/// Where all chance of a simulated life comes from: a seed, or a list of choices that were made before. Every choice is one
/// number, and 0 is always the plain one (no, the first, at once), so that a list can be made shorter and smaller while
/// the life that it stands for stays a life: a list that ends early goes on with zeros.
struct Dice {
    private var bits: RandomBits
    private var script: [UInt64]
    private var next = 0
    private let isScripted: Bool
    private let records: Bool
    /// The choices that were made, where they are to be kept.
    private(set) var choices: [UInt64] = []

    init(seed: UInt64, records: Bool = false) {
        bits = RandomBits(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 1)
        script = []
        isScripted = false
        self.records = records
    }

    init(choices: [UInt64]) {
        bits = RandomBits(seed: 0)
        script = choices
        isScripted = true
        records = true
    }

    /// One of so many, at most 2^32.
    mutating func roll(_ sides: Int) -> Int {
        var choice: UInt64 = 0
        if !isScripted {
            choice = ((bits.next() >> 32) &* UInt64(sides)) >> 32
        } else if next < script.count {
            choice = script[next] % UInt64(sides)
            next += 1
        }
        if records { choices.append(choice) }
        return Int(choice)
    }

    mutating func chance(_ percent: Int) -> Bool { roll(100) >= 100 - percent }
    mutating func pick<Element>(_ list: [Element]) -> Element { list[roll(list.count)] }

    /// Nanoseconds up to a number of milliseconds; often whole ones, so that things happen at the same moment.
    mutating func time(upToMilliseconds most: Int) -> Int64 {
        if most == 0 { return 0 }
        let isWhole = roll(4) < 2
        return isWhole ? Int64(roll(most + 1)) * 1_000_000 : Int64(roll(most * 1000 + 1)) * 1000
    }
}

extension Dice {
    /// One of a list that is not empty, in place.
    mutating func place<Element>(in list: [Element]) -> Int { roll(max(list.count, 1)) }
}

let nowhere = Span(file: FileID(index: 0), start: 0, end: 0)

func signal(_ number: Int32) -> SignalNumber { SignalNumber(number) ?? .terminate }

/// What is wrong with a life.
struct Violation: Error {
    let text: String
}
