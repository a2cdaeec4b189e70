import ConfigParser
import System

/// What is known beforehand of the variables that a service will see, so that one which nothing sets, and a program that is
/// not on PATH, are found before a start. Never a guess: what may be otherwise in the container counts as unknown.

/// The environment that a service will get, as far as it can be known beforehand: what the container is given, and over it
/// what is changed, the last change last. One serves all services, begun anew for each, which keeps its memory.
final class ExpectedEnvironment {
    /// Of a variable.
    enum Value {
        case known(Bytes)
        /// It is set, or may be; to what is not known.
        case unknown
        case unset
    }

    /// nil: the container's variables are not taken.
    private var base: ImageView?
    private var changes: [(name: String, value: Value)] = []
    /// There may be more variables.
    private var isOpen = false

    /// Begins with what the container is given, or with nothing.
    func begin(_ base: ImageView?) {
        self.base = base
        isOpen = false
        changes.removeAll(keepingCapacity: true)
    }

    @inline(never)
    func value(_ name: String) -> Value {
        var place = changes.count
        while place > 0 {
            place &-= 1
            if changes[place].name.isInItselfSame(as: name) ?? (changes[place].name == name) {
                return changes[place].value
            }
        }
        if let value = base?.variable(name) { return .known(value) }
        return isOpen ? .unknown : .unset
    }

    /// nil: the value is not known.
    @inline(never)
    func set(_ name: String, _ value: Bytes?) {
        changes.append((name, value.map { .known($0) } ?? .unknown))
    }

    @inline(never)
    func unset(_ name: String) { changes.append((name, .unset)) }

    /// From here on there may be more variables.
    func open() { isOpen = true }

    /// From here on every variable may have any value.
    func forget() {
        changes.removeAll(keepingCapacity: true)
        base = nil
        isOpen = true
    }

    /// The text of a template; nil where it is not known.
    @inline(never)
    func expand(_ template: Template) -> Bytes? {
        if let literal = template.literal { return literal }
        var isKnown = true
        do throws(ExpansionError) {
            let text = try template.expand { name in
                switch value(name) {
                case .known(let value): return value
                case .unknown: isKnown = false
                case .unset: break
                }
                return nil
            }
            return isKnown ? text : nil
        } catch {
            return nil
        }
    }
}
