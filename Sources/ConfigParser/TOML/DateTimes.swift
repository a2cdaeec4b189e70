/// The four date-time kinds (RFC 3339 with TOML's liberties). A date that is not in the calendar is refused.

extension TOMLParser {
    /// Whether text is meant as a date: digits and a minus, then a digit, and only what dates are made of before it.
    func looksLikeDate(_ start: Int, _ end: Int) -> Bool {
        var offset = start
        while offset < end && isDigit(byte(offset)) { offset += 1 }
        guard offset - start >= 2 && offset - start <= 5 && offset < end && byte(offset) == Byte.minus else {
            return false
        }
        offset += 1
        guard isDigit(byte(offset)) && offset < end else { return false }
        while offset < end && isDigit(byte(offset)) { offset += 1 }
        return offset < end && byte(offset) == Byte.minus
    }

    /// Whether text is meant as a time: one or two digits, a colon, a digit, and then nothing that no time has.
    func looksLikeTime(_ start: Int, _ end: Int) -> Bool {
        var offset = start
        while offset < end && isDigit(byte(offset)) { offset += 1 }
        guard offset - start >= 1 && offset - start <= 2 && offset + 1 < end && byte(offset) == Byte.colon else {
            return false
        }
        while offset < end, isDigit(byte(offset)) || byte(offset) == Byte.colon { offset += 1 }
        return offset == end || byte(offset) == Byte.dot
    }

    /// date-time = offset-date-time / local-date-time / local-date / local-time
    func dateTime(_ start: Int, _ end: Int) throws(Misread) -> DateTime {
        var offset = start
        guard looksLikeDate(start, end) else {
            let time = try partialTime(&offset, start, end)
            guard offset == end else { throw Misread(.dateForm(.time), start, end) }
            return DateTime(date: nil, time: time, offset: nil)
        }
        let date = try fullDate(&offset, start, end)
        if offset == end { return DateTime(date: date, time: nil, offset: nil) }
        // time-delim = "T" / %x20
        guard let delimiter = byte(offset), delimiter | 0x20 == 0x74 || delimiter == Byte.space else {
            throw Misread(.dateForm(.date), start, end)
        }
        offset += 1
        let time = try partialTime(&offset, start, end)
        if offset == end { return DateTime(date: date, time: time, offset: nil) }
        let minutes = try timeOffset(&offset, start, end)
        guard offset == end else { throw Misread(.dateForm(.dateTime), start, end) }
        return DateTime(date: date, time: time, offset: minutes)
    }

    /// full-date = date-fullyear "-" date-month "-" date-mday
    private func fullDate(_ offset: inout Int, _ start: Int, _ end: Int) throws(Misread) -> DateTime.Date {
        guard let year = digits(4, &offset, end), take(Byte.minus, &offset, end), let month = digits(2, &offset, end),
            take(Byte.minus, &offset, end), let day = digits(2, &offset, end), !(offset < end && isDigit(byte(offset)))
        else { throw Misread(.dateForm(.date), start, end) }
        guard month >= 1 && month <= 12 else { throw Misread(.noSuchMonth, start + 5, start + 7) }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days: Int
        switch month {
        case 2: days = isLeap ? 29 : 28
        case 4, 6, 9, 11: days = 30
        default: days = 31
        }
        guard day >= 1 && day <= days else { throw Misread(.noSuchDay(days: days), start + 8, start + 10) }
        return DateTime.Date(year: year, month: month, day: day)
    }

    /// partial-time = time-hour ":" time-minute [ ":" time-second [ time-secfrac ] ]
    private func partialTime(_ offset: inout Int, _ start: Int, _ end: Int) throws(Misread) -> DateTime.Time {
        let first = offset
        guard let hour = digits(2, &offset, end), take(Byte.colon, &offset, end), let minute = digits(2, &offset, end)
        else { throw Misread(.dateForm(.time), start, end) }
        guard hour <= 23 else { throw Misread(.noSuchTime(.hour), first, first + 2) }
        guard minute <= 59 else { throw Misread(.noSuchTime(.minute), first + 3, first + 5) }
        guard take(Byte.colon, &offset, end) else {
            if version == .v1_0 { throw Misread(.needs11("a time without seconds"), first, offset) }
            return DateTime.Time(hour: hour, minute: minute, second: 0, nanosecond: 0)
        }
        guard let second = digits(2, &offset, end) else { throw Misread(.dateForm(.time), start, end) }
        // 60 is a leap second.
        guard second <= 60 else { throw Misread(.noSuchTime(.second), first + 6, first + 8) }
        var nanosecond = 0
        // time-secfrac = "." 1*DIGIT; more than nine digits are cut off, as the specification has it.
        if take(Byte.dot, &offset, end) {
            guard offset < end && isDigit(byte(offset)) else { throw Misread(.dateForm(.time), start, end) }
            var unit = 100_000_000
            while offset < end, isDigit(byte(offset)), let digit = hexDigit(byte(offset)) {
                nanosecond += Int(digit) * unit
                unit /= 10
                offset += 1
            }
        }
        return DateTime.Time(hour: hour, minute: minute, second: second, nanosecond: nanosecond)
    }

    /// time-offset = "Z" / time-numoffset, in minutes east of UTC
    private func timeOffset(_ offset: inout Int, _ start: Int, _ end: Int) throws(Misread) -> Int {
        if let letter = byte(offset), letter | 0x20 == 0x7A {
            offset += 1
            return 0
        }
        let isWest = byte(offset) == Byte.minus
        guard isWest || byte(offset) == Byte.plus else { throw Misread(.dateForm(.dateTime), start, end) }
        offset += 1
        let first = offset
        guard let hour = digits(2, &offset, end), take(Byte.colon, &offset, end), let minute = digits(2, &offset, end)
        else { throw Misread(.dateForm(.offset), start, end) }
        guard hour <= 23 else { throw Misread(.noSuchTime(.hour), first, first + 2) }
        guard minute <= 59 else { throw Misread(.noSuchTime(.minute), first + 3, first + 5) }
        let minutes = hour * 60 + minute
        return isWest ? -minutes : minutes
    }

    /// nDIGIT
    private func digits(_ count: Int, _ offset: inout Int, _ end: Int) -> Int? {
        guard end - offset >= count else { return nil }
        var value = 0
        for index in offset..<offset + count {
            guard isDigit(byte(index)), let digit = hexDigit(byte(index)) else { return nil }
            value = value * 10 + Int(digit)
        }
        offset += count
        return value
    }

    private func take(_ wanted: UInt8, _ offset: inout Int, _ end: Int) -> Bool {
        guard offset < end && byte(offset) == wanted else { return false }
        offset += 1
        return true
    }
}
