/// "Did you mean": the known name nearest to a word that is none. Compares bytes, since the names of the format are
/// ASCII. Never offers a name for a word of more than 64 bytes, so its cost is bounded whatever a file holds.

/// The longest word that a suggestion is sought for, in bytes.
private let longestWord = 64

/// The candidate nearest to a word; of equally near ones the first.
///
/// The distance is that of optimal string alignment: one for each byte put in, left out or replaced, and one for two
/// neighbours in the wrong order. A third of the word may be wrong (one byte in a word of up to five).
/// - Returns: nil where no candidate is near enough, or where the word is longer than 64 bytes.
public func nearest(to word: String, among candidates: [String]) -> String? {
    let wordBytes = [UInt8](word.utf8)
    guard !wordBytes.isEmpty && wordBytes.count <= longestWord else { return nil }
    var limit = max(wordBytes.count, 3) / 3
    var best: String?
    for candidate in candidates {
        let length = candidate.utf8.count
        guard length > 0 && length <= longestWord && abs(length - wordBytes.count) <= limit else { continue }
        let distance = alignmentDistance(wordBytes, [UInt8](candidate.utf8))
        if distance <= limit && (best == nil || distance < limit) {
            best = candidate
            limit = distance
        }
    }
    return best
}

/// The optimal string alignment distance, with three rows of the table at hand.
private func alignmentDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = beforeLast
    var current = beforeLast
    for column in 0...right.count { last[column] = column }
    for row in 0..<left.count {
        current[0] = row + 1
        for column in 0..<right.count {
            let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
            var distance = min(last[column + 1] + 1, current[column] + 1, replaced)
            if row > 0 && column > 0 && left[row] == right[column - 1] && left[row - 1] == right[column] {
                distance = min(distance, beforeLast[column - 1] + 1)
            }
            current[column + 1] = distance
        }
        swap(&beforeLast, &last)
        swap(&last, &current)
    }
    return last[right.count]
}
