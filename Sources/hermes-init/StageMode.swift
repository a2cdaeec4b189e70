import CSystem
import ConfigParser
import Runtime
import System

/// `hermes-init stage`: one stage by hand, or the list of them. Runtime runs it; here are the words.

/// What `stage` was asked for.
struct StageRequest: Sendable, Equatable {
    /// The service; nil for the list.
    var service: [UInt8]?
    var isDryRun = false
    var folders = ConfigurationFolders()
    /// Of the main program.
    var arguments: [[UInt8]] = []

    /// Reads `[NAME] [--dry-run] [--config DIR]... [-- ARG...]`, the words behind `stage`. Gives nil where help is asked for.
    static func read(_ words: ArraySlice<[UInt8]>) throws(UsageError) -> StageRequest? {
        var request = StageRequest()
        var named = [[UInt8]]()
        var rest = words
        while let word = rest.popFirst() {
            let option = [UInt8](word.prefix { $0 != 0x3D })
            if isWord(word, "--") {
                request.arguments = [[UInt8]](rest)
                break
            } else if isWord(word, "--help") || isWord(word, "-h") {
                return nil
            } else if isWord(word, "--dry-run") {
                request.isDryRun = true
            } else if isWord(option, "--config") {
                let folder = option.count < word.count ? [UInt8](word[(option.count + 1)...]) : rest.popFirst() ?? []
                if folder.isEmpty {
                    throw UsageError(
                        title: "--config needs a folder", remedy: "such as: --config /etc/hermes-init.d", topic: .stage)
                }
                named.append(folder)
            } else if word.first == 0x2D {
                throw UsageError(
                    title: say("stage has no option %", quoted([word])), remedy: "it has --dry-run and --config DIR",
                    topic: .stage)
            } else if request.service == nil {
                request.service = word
            } else {
                throw UsageError(
                    title: say("stage takes one name: cannot use % too", quoted([word])),
                    remedy: "the main program's words stand behind \"--\"", topic: .stage)
            }
        }
        if !named.isEmpty { request.folders = ConfigurationFolders(paths: named, areRequired: true) }
        return request
    }

    /// Runs it, and gives what is left to say.
    @inline(never)
    func answer(stages: Stages) -> Answer {
        let loaded = load(
            folders: folders.paths, areRequired: folders.areRequired, arguments: arguments, stages: stages)
        if let refusal = Check.refusal(loaded.result, graph: [], color: isatty(2) == 1) { return refusal }
        guard let name = service else { return Answer(list(loaded, stages)) }
        let text = String(decoding: name, as: UTF8.self)
        var names = [String]()
        var users = ""
        for (place, service) in loaded.services.enumerated() {
            guard case .plugin(let plugin, _) = service.action else {
                if service.name == text {
                    return UsageError(
                        title: say("% is no stage: it has no `plugin`", text),
                        remedy: "\"hermes-init stage\" lists those that have", topic: .stage
                    ).answer
                }
                continue
            }
            if service.name == text {
                let result = runStage(place, of: loaded, arguments: arguments, isDryRun: isDryRun, stages: stages)
                let line = result.hasFailed ? say("hermes-init: %", result.text) : result.text
                return Answer(
                    line, stream: result.hasFailed ? .standardError : .standardOutput, exitCode: result.code)
            }
            names.append(service.name)
            if plugin.name == text { users += (users.isEmpty ? "" : " or ") + service.name }
        }
        var remedy = "\"hermes-init stage\" lists the stages"
        if let near = nearest(to: text, among: names) { remedy = say("did you mean: %", near) }
        if !users.isEmpty { remedy = say("% is a plugin; the service that uses it is %", text, users) }
        return UsageError(title: say("there is no service %", quoted([name])), remedy: remedy, topic: .stage).answer
    }

    /// Each plugin with what it does and the services that use it.
    private func list(_ loaded: Loaded, _ stages: Stages) -> String {
        var text = ""
        var rest = loaded.services
        for table in stages.tables {
            text += say("%\n    %\n", table.plugin, table.summary)
            for service in rest {
                if case .plugin(let plugin, _) = service.action, plugin.name == table.plugin {
                    text += say("    used by %\n", service.name)
                }
            }
        }
        rest.removeAll {
            guard case .plugin(let plugin, _) = $0.action else { return true }
            for table in stages.tables where table.plugin == plugin.name { return true }
            return false
        }
        for service in rest {
            if case .plugin(let plugin, _) = service.action {
                text += say("%\n    an executable\n    used by %\n", plugin.name, service.name)
            }
        }
        return text
    }
}
