import ConfigParser

/// `hermes-init explain CODE`: the paragraph of a code and an example of the mistake. A pure function of the words.
enum Explain {
    /// Reads `[CODE]`, the words behind `explain`. The code may stand in the brackets in which messages show it.
    static func answer(_ words: ArraySlice<[UInt8]>) throws(UsageError) -> Answer {
        if words.count > 1 {
            throw UsageError(title: "explain takes one code", remedies: [], topic: .explain)
        }
        guard var word = words.first else {
            var list = ""
            for code in Explanation.codes { list += say("%\n", code) }
            return Answer(list)
        }
        if isWord(word, "--help") || isWord(word, "-h") { return Answer(HelpTopic.explain.text) }
        if word.first == 0x5B && word.last == 0x5D { word = [UInt8](word.dropFirst().dropLast()) }
        let code = String(decoding: word, as: UTF8.self)
        if let text = Explanation.text(of: code) { return Answer(text) }
        var remedies = ["\"hermes-init explain\" lists all codes"]
        if let near = nearest(to: code, among: Explanation.codes) {
            remedies.insert(say("did you mean: %", near), at: 0)
        }
        throw UsageError(title: say("there is no code %", quoted([word])), remedies: remedies, topic: .explain)
    }
}
