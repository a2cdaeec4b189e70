/// What the TOML parser gives: a tree of values, each with the span of the text it came from. Trees of several files
/// can be merged (drop-ins), since a span names its file.

/// A value of TOML 1.1 and the text it came from.
public struct Value: Sendable {
    /// The eight kinds of TOML.
    public enum Kind: Sendable {
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        indirect case dateTime(DateTime)
        case array([Value])
        case table(Table)
    }
    /// What it is.
    public var kind: Kind
    /// The whole text of the value; of a table made by a header, the header.
    public var span: Span

    /// A value and its text.
    public init(_ kind: Kind, _ span: Span) {
        self.kind = kind
        self.span = span
    }
}

/// A table: its entries in the order of the file; no key stands twice.
public struct Table: Sendable {
    /// A key, where it is written, and its value.
    public struct Entry: Sendable {
        /// The name, without quotes and escapes.
        public var key: String
        /// Where the name is written.
        public var keySpan: Span
        /// What it stands for.
        public var value: Value
        /// An entry.
        public init(key: String, keySpan: Span, value: Value) {
            self.key = key
            self.keySpan = keySpan
            self.value = value
        }
    }
    /// In the order of the file.
    public var entries: [Entry]
    /// The header, the inline table, or the first key that made the table.
    public var span: Span

    /// A table of entries with different keys.
    public init(entries: [Entry] = [], span: Span) {
        self.entries = entries
        self.span = span
    }

    /// The entry of a key; a walk over the entries, meant for the small tables of a service file.
    public func entry(_ key: String) -> Entry? {
        // By index, since a loop over the elements would copy each.
        for place in entries.indices where entries[place].key.isInItselfSame(as: key) ?? (entries[place].key == key) {
            return entries[place]
        }
        return nil
    }
}

/// The four date-time kinds of TOML: which parts are there says which kind it is.
public struct DateTime: Sendable, Equatable {
    /// A day of the calendar.
    public struct Date: Sendable, Equatable {
        /// Year 0 to 9999, month and day from 1.
        public var year: Int, month: Int, day: Int
        /// A day; not checked.
        public init(year: Int, month: Int, day: Int) {
            self.year = year
            self.month = month
            self.day = day
        }
    }
    /// A time of day.
    public struct Time: Sendable, Equatable {
        /// Hour 0 to 23, minute 0 to 59, second 0 to 60 (a leap second).
        public var hour: Int, minute: Int, second: Int, nanosecond: Int
        /// A time; not checked.
        public init(hour: Int, minute: Int, second: Int, nanosecond: Int) {
            self.hour = hour
            self.minute = minute
            self.second = second
            self.nanosecond = nanosecond
        }
    }
    /// nil for a time of day alone.
    public var date: Date?
    /// nil for a day alone.
    public var time: Time?
    /// Minutes east of UTC; only with both a date and a time.
    public var offset: Int?
    /// The parts that are written.
    public init(date: Date?, time: Time?, offset: Int?) {
        self.date = date
        self.time = time
        self.offset = offset
    }
}
