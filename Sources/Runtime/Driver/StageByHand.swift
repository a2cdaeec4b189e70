import CSystem
import ConfigParser
import System

/// One stage, run by hand (`hermes-init stage NAME`): in the foreground, by the same code and with the same identity as at a
/// boot, and then what it left behind is told instead of being handed to anybody. It is no PID 1 and may wait.

/// Runs the stage of a service to its end. What it says goes to standard error while it runs.
/// - Parameters:
///   - place: the service, by its place in `loaded`.
///   - arguments: those of the main program.
///   - isDryRun: nothing is changed; a stage tells what it would change.
/// - Returns: what to tell, ending in a newline; whether that is a failure; and the exit code, 128+N where signal N ended it.
public func runStage(
    _ place: Int, of loaded: Loaded, arguments: [Bytes], isDryRun: Bool, stages: Stages
) -> (text: String, hasFailed: Bool, code: Int32) {
    let service = loaded.services[place]
    let context = LaunchContext(
        environment: .ofProcess(), settings: loaded.result.configuration.settings, arguments: arguments,
        own: .current(), sources: loaded.result.sources, stages: stages)
    do throws(LaunchError) {
        let launch = try context.launch(service, isImplicitMain: false)
        if isDryRun, let input = launch.input {
            let path = launch.candidates.first?.shown ?? ""
            return (
                say("would run %, with this on its standard input:\n%", path, String(decoding: input, as: UTF8.self)),
                false, 0
            )
        }
        return try run(launch, service, context, isDryRun)
    } catch {
        return (say("%: %\n", service.name, error.failure.message), true, error.failure.code)
    }
}

private func run(
    _ launch: Launch, _ service: Service, _ context: LaunchContext, _ isDryRun: Bool
) throws(LaunchError) -> (text: String, hasFailed: Bool, code: Int32) {
    var code: Int32 = 0
    var endedBy: Int32 = 0
    var failure: SpawnFailure?
    let records: FileDescriptor
    let null: FileDescriptor
    do throws(Errno) {
        null = try FileDescriptor.open(Bytes("/dev/null"), flags: O_RDONLY)
    } catch {
        throw LaunchError(
            code: LaunchCode.system,
            message: say("cannot open /dev/null: %; mount the usual devices at /dev", error.text))
    }
    do throws(Errno) {
        let pipe = try StageRecords.pipe()
        records = pipe.read
        let spawner = Spawner(inheritedIgnored: 0, loop: try EventLoop())
        var options = SpawnOptions(standard: (null.number, 1, 2))
        options.exports = pipe.write
        // The stage itself has no terminal.
        let isTerminal = isatty(0) == 1 && isatty(1) == 1
        options.stage = { stage, environment in
            // It has a session of its own: Ctrl-C ends hermes-init alone, and this goes with it.
            hi_set_parent_death_signal(SIGTERM)
            return context.stages.run(
                stage.name, stage.options,
                Stages.Surroundings(
                    environment: environment, arguments: context.arguments,
                    isTerminal: isTerminal, isDryRun: isDryRun))
        }
        let process = try spawner.spawn(launch, owner: .service(0), options: options)
        withExtendedLifetime(null) {}
        if hi_wait_for(process, &code, &endedBy) < 0 { throw Errno.current }
        if case .failed(let report, let launch)? = spawner.processReaped(process) {
            failure = spawnFailure(report, launch, firstLine: firstLineOfFile)
        }
    } catch {
        throw LaunchError(cloneFailure(error))
    }
    if let failure { throw LaunchError(failure) }
    if let signal = SignalNumber(endedBy) {
        return (say("%: failed: ended by %\n", service.name, signal.name), true, 128 + endedBy)
    }
    if code != 0 { return (say("%: failed: exited with code %\n", service.name, String(code)), true, code) }
    guard case .plugin(let plugin, _) = service.action else { return ("", false, 0) }
    let (taken, mistake) = StageRecords.parse(
        readRecords(records), isExternal: context.stages.table(plugin.name) == nil)
    guard let taken else {
        return (say("%: cannot use what the plugin exports: %\n", service.name, mistake), true, 1)
    }
    return (taken.text(of: service.name, isSecret: plugin.name == "secrets"), false, 0)
}

extension StageRecords {
    /// The pipe that records go through.
    static func pipe() throws(Errno) -> (read: FileDescriptor, write: FileDescriptor) {
        let pipe = try FileDescriptor.boundedPipe()
        hi_set_pipe_size(pipe.write.number, pipeSize)
        return pipe
    }

    /// What a boot would have made of it, a line each.
    fileprivate func text(of name: String, isSecret: Bool) -> String {
        var text = say("%: done\n", name)
        for (variable, value) in exports {
            let shown = isSecret ? say(" (% bytes)", String(value.count)) : say("=%", value.shown)
            text += say("exports %%\n", Bytes(variable.utf8).shown, shown)
        }
        if isQuiet { text += "keeps services' output off the terminal\n" }
        for user in users {
            text += say("gives % uid % and gid % in services\n", user.name.shown, String(user.uid), String(user.gid))
        }
        return text
    }
}
