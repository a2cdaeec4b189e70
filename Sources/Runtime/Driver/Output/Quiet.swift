import CSystem
import ConfigParser
import System

/// A terminal that belongs to a full-screen program alone (`=quiet` of the stage tui-detect): from then on nothing but the
/// main program writes to it. What services print still goes to their rings and files, as ever. Until the main program runs,
/// what would have been written is held, so that a boot that fails can say why; while it runs, nothing is. One for stdout
/// and stderr, so that what is held keeps its order.
final class Quiet {
    /// How much is held, in bytes; the last line may go over it. Of more, the first lines are kept: they name the cause.
    private static let most = 32 * 1024

    /// nil once the main program runs.
    private(set) var held: ByteQueue? = ByteQueue()

    /// Keeps a line of a service.
    func hold(_ line: UnsafePointer<UInt8>, _ count: Int, as format: LineFormat) {
        if let held, held.count < Quiet.most { format.write(line, count, to: held) }
    }

    /// Keeps a message of the init.
    func hold(_ message: Bytes) {
        if let held, held.count < Quiet.most { held.append(message) }
    }

    /// The main program runs: the boot did not fail.
    func drop() { held = nil }
}

extension Driver {
    /// From now on the terminal is left alone. Stderr may be a file beside it.
    func becomeQuiet() {
        // Where main's own output comes through the init it is no full-screen program.
        if let main = core.main, services[main.index].log.to != .inherit { return }
        if quiet != nil { return }
        quiet = Quiet()
        standardOutput.quiet = quiet
        if isatty(2) == 1 { standardError.quiet = quiet }
    }

    /// The container ends. A boot that failed, which never came to the main program, says what was held.
    func endQuiet() {
        guard let held = quiet?.held else { return }
        standardOutput.quiet = nil
        standardError.quiet = nil
        standardError.append(message: Bytes(UnsafeBufferPointer(start: held.first, count: held.count)))
    }
}
