/// The one sort of the program. The standard library's would cost 3 KB of code for each kind of element and each way to
/// compare; this one sorts places in a list, whatever the list holds. Stable, and n log n in the worst case (a merge sort
/// from the bottom up).

/// The places of keys in ascending order; of equal ones the first comes first.
@inline(never)
public func order(_ keys: [Int]) -> [Int] {
    sortedPlaces(keys.count) { keys[$0] < keys[$1] }
}

/// The places of texts in ascending order, byte by byte; of equal ones the first comes first.
@inline(never)
public func order(_ texts: [[UInt8]]) -> [Int] {
    sortedPlaces(texts.count) { precedes(texts[$0], texts[$1]) }
}

private func sortedPlaces(_ count: Int, _ precedes: (Int, Int) -> Bool) -> [Int] {
    var places = [Int](0..<count)
    var merged = places
    var width = 1
    while width < count {
        var start = 0
        while start < count {
            let middle = min(start &+ width, count)
            let end = min(middle &+ width, count)
            var left = start
            var right = middle
            for place in start..<end {
                let takesRight = right < end && (left >= middle || precedes(places[right], places[left]))
                merged[place] = places[takesRight ? right : left]
                if takesRight { right &+= 1 } else { left &+= 1 }
            }
            start = end
        }
        swap(&places, &merged)
        width &*= 2
    }
    return places
}

/// Whether a text comes first, byte by byte.
private func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    var place = 0
    while place < left.count && place < right.count {
        if left[place] != right[place] { return left[place] < right[place] }
        place &+= 1
    }
    return left.count < right.count
}
