import CSystem
import ConfigParser
import System

/// `[when]`: whether a service runs at all, looked at when everything it waits for is up. The words of the answer are those
/// of the log line and of `--plan`.

/// What conditions are judged by.
public struct ConditionContext {
    var environment: Environment
    var arguments: [Bytes]
    var isTerminal: Bool
    var isRoot: Bool
    /// Whether a path is there; links are followed.
    var exists: (Bytes) -> Bool

    /// As things are for this process, now.
    public init(arguments: [Bytes], environment: Environment) {
        self.environment = environment
        self.arguments = arguments
        isTerminal = Terminal().isTerminal
        isRoot = OwnIdentity.current().isRoot
        exists = { fileKind($0) != .missing }
    }

    init(
        environment: Environment, arguments: [Bytes], isTerminal: Bool, isRoot: Bool, exists: @escaping (Bytes) -> Bool
    ) {
        self.environment = environment
        self.arguments = arguments
        self.isTerminal = isTerminal
        self.isRoot = isRoot
        self.exists = exists
    }

    /// Whether one condition holds.
    public func holds(_ condition: Condition) -> Bool { unmet(condition, self) == nil }
}

/// nil where every condition holds; else the first that does not, in words.
func unmetCondition(_ conditions: [Condition], _ context: ConditionContext) -> String? {
    for condition in conditions {
        if let reason = unmet(condition, context) { return reason }
    }
    return nil
}

private func unmet(_ condition: Condition, _ context: ConditionContext) -> String? {
    switch condition {
    case .environmentTrue(let name):
        guard let value = context.environment.value(name), !value.isEmpty else { return say("% is not set", name) }
        return isTrue(value) ? nil : say("% is %, not 1, true, yes or on", name, value.shown)
    case .environmentSet(let name):
        guard let value = context.environment.value(name), !value.isEmpty else { return say("% is not set", name) }
        return nil
    case .environmentUnset(let name):
        guard let value = context.environment.value(name), !value.isEmpty else { return nil }
        return say("% is set", name)
    case .environmentEquals(let name, let wanted):
        guard let value = context.environment.value(name) else { return say("% is not set", name) }
        return value.elementsEqual(wanted.utf8) ? nil : say("% is %, not %", name, value.shown, wanted)
    case .pathExists(let template):
        return pathReason(template, context, mustExist: true)
    case .pathMissing(let template):
        return pathReason(template, context, mustExist: false)
    case .tty(let wanted):
        if wanted == context.isTerminal { return nil }
        return wanted ? "stdin and stdout are not a terminal" : "stdin and stdout are a terminal"
    case .root(let wanted):
        if wanted == context.isRoot { return nil }
        return wanted ? "hermes-init does not run as root" : "hermes-init runs as root"
    case .main(let beginnings):
        for words in beginnings where begins(context.arguments, with: words) { return nil }
        return "the main program's arguments do not begin so"
    case .mainNot(let beginnings):
        for words in beginnings where begins(context.arguments, with: words) {
            return say("the main program is %", words.joined(separator: " "))
        }
        return nil
    }
}

private func pathReason(_ template: Template, _ context: ConditionContext, mustExist: Bool) -> String? {
    let path: Bytes
    do throws(ExpansionError) {
        path = try template.expand { context.environment.value($0) }
    } catch {
        // A path with a variable that is not set names no file.
        return mustExist ? say("% is not set", error.variable) : nil
    }
    if context.exists(path) == mustExist { return nil }
    return say(mustExist ? "% does not exist" : "% exists", path.shown)
}

private func begins(_ arguments: [Bytes], with words: [String]) -> Bool {
    guard arguments.count >= words.count else { return false }
    for (argument, word) in zip(arguments, words) where !argument.elementsEqual(word.utf8) { return false }
    return true
}
