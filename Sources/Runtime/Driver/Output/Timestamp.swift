import ConfigParser

/// The time as log lines have it: RFC 3339, UTC, milliseconds ("2026-02-28T23:59:59.999Z"). Own arithmetic on the proleptic
/// Gregorian calendar, without a time zone, a locale or a leap second. The text of a second is made once.
struct Timestamp {
    /// Its length in bytes.
    static let length = 24
    /// 9999-12-31T23:59:59.999Z: what lies behind it, or before 1970, is shown as the nearest that can be.
    private static let latest: Int64 = 253_402_300_799_999

    private var second: Int64 = -1
    private var text: [UInt8] = [UInt8](repeating: 0, count: Timestamp.length)

    /// Writes the text of a moment to a place that has room for `length` bytes.
    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z.
    mutating func write(_ milliseconds: Int64, to place: UnsafeMutablePointer<UInt8>) {
        let moment = min(max(0, milliseconds), Timestamp.latest)
        if moment / 1000 != second {
            second = moment / 1000
            writeSecond()
        }
        put(Int(moment % 1000), at: 20, digits: 3)
        text.withUnsafeBufferPointer { place.update(from: $0.baseAddress ?? UnsafePointer(place), count: $0.count) }
    }

    private mutating func writeSecond() {
        let date = Timestamp.date(day: Int(second / 86_400))
        let time = Int(second % 86_400)
        put(date.year, at: 0, digits: 4, then: 0x2D)
        put(date.month, at: 5, digits: 2, then: 0x2D)
        put(date.day, at: 8, digits: 2, then: 0x54)
        put(time / 3600, at: 11, digits: 2, then: 0x3A)
        put(time / 60 % 60, at: 14, digits: 2, then: 0x3A)
        put(time % 60, at: 17, digits: 2, then: 0x2E)
        text[23] = 0x5A
    }

    private mutating func put(_ number: Int, at place: Int, digits: Int, then separator: UInt8? = nil) {
        var rest = number
        var index = place &+ digits
        if let separator { text[index] = separator }
        while index > place {
            index &-= 1
            text[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// The date of a day, counted from 1970-01-01.
    static func date(day: Int) -> (year: Int, month: Int, day: Int) {
        // Years that begin in March have their leap day at the end: 719,468 days lie between 0000-03-01 and 1970-01-01.
        var rest = day &+ 719_468
        var year = rest / 146_097 &* 400
        rest %= 146_097
        // The last century of four, and the last year of four, is one day longer; that day does not begin another.
        let centuries = min(3, rest / 36_524)
        rest &-= centuries &* 36_524
        let fours = rest / 1461
        rest &-= fours &* 1461
        let years = min(3, rest / 365)
        rest &-= years &* 365
        year &+= centuries &* 100 &+ fours &* 4 &+ years
        var month = 3
        // March, April …: the lengths come again after five months, which have 153 days.
        while true {
            let place = (month &- 3) % 5
            let length = place == 1 || place == 3 ? 30 : 31
            if rest < length || month == 14 { break }
            rest &-= length
            month &+= 1
        }
        if month > 12 {
            month &-= 12
            year &+= 1
        }
        return (year, month, rest &+ 1)
    }
}

/// A moment as log lines have it ("2026-02-28T23:59:59.999Z").
/// - Parameter milliseconds: since 1970-01-01T00:00:00Z.
public func timestamp(_ milliseconds: Int) -> String {
    var stamp = Timestamp()
    var text = [UInt8](repeating: 0x20, count: Timestamp.length)
    text.withUnsafeMutableBufferPointer { buffer in
        if let place = buffer.baseAddress { stamp.write(Int64(milliseconds), to: place) }
    }
    return String(decoding: text, as: UTF8.self)
}
