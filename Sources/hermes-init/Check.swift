import ConfigParser

/// What `--check` says: every mistake in the files, a summary, and the exit code. A pure function of what was read; it opens
/// nothing and starts nothing.
enum Check {
    /// The report.
    /// - Parameters:
    ///   - result: what the files gave.
    ///   - graph: what `Graph.build` found wrong with the services together.
    ///   - folders: where the files were sought, for the case that there are none.
    ///   - color: with ANSI colours, for a terminal.
    /// - Returns: the text for standard output, and 0 where a boot would go ahead, 1 where it would not. Warnings do not
    ///   keep a container from booting and so do not change the code.
    static func report(
        _ result: ReadResult, graph: [Diagnostic], folders: ConfigurationFolders, color: Bool = false
    ) -> Answer {
        let diagnostics = result.diagnostics + graph
        if diagnostics.isEmpty {
            if result.sources.files.isEmpty { return Answer(say("no service files in %\n", shown(folders))) }
            return Answer(say("%, no problems\n", count(result.sources.files.count, "file")))
        }
        let text = DiagnosticRenderer(sources: result.sources, color: color).render(diagnostics)
        return Answer(text, exitCode: hasErrors(diagnostics) ? 1 : 0)
    }

    /// The report in the form that was asked for.
    static func report(_ result: ReadResult, _ options: CheckOptions, color: Bool) -> Answer {
        var answer: Answer
        let writer = ReportWriter(sources: result.sources, diagnostics: result.diagnostics)
        switch options.format {
        case .text: answer = report(result, graph: [], folders: options.folders, color: color)
        case .json: answer = Answer(writer.json())
        case .sarif: answer = Answer(writer.sarif())
        case .github: answer = Answer(writer.github())
        }
        let isBad = hasErrors(result.diagnostics) || (options.isStrict && !result.diagnostics.isEmpty)
        answer.exitCode = isBad ? 1 : 0
        return answer
    }

    /// What a boot or a plan says instead, where the files have mistakes: the same report on standard error, with exit code
    /// 78 (EX_CONFIG of sysexits.h). nil where they have none, or nothing but warnings.
    static func refusal(_ result: ReadResult, graph: [Diagnostic], color: Bool = false) -> Answer? {
        let diagnostics = result.diagnostics + graph
        guard hasErrors(diagnostics) else { return nil }
        let text = DiagnosticRenderer(sources: result.sources, color: color).render(diagnostics)
        return Answer(text, stream: .standardError, exitCode: 78)
    }

    /// Whether a boot refuses because of these.
    static func hasErrors(_ diagnostics: [Diagnostic]) -> Bool {
        for diagnostic in diagnostics where diagnostic.severity == .error { return true }
        return false
    }

    private static func shown(_ folders: ConfigurationFolders) -> String {
        var names: [String] = []
        for path in folders.paths { names.append(quoted(path)) }
        return joined(names, last: " or ")
    }
}
