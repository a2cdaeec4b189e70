import CSystem
import ConfigParser
import System
import Testing

@testable import Runtime

@Suite("Driver: conditions")
struct DriverConditionsTests {
    private func unmet(_ condition: Condition, isTerminal: Bool = false, isRoot: Bool = false) -> String? {
        let environment = Environment(
            entries: ["ON=Yes", "ONE=1", "OFF=no", "EMPTY=", "HOME=/h", "BAD=a\u{1B}"].map { Bytes($0.utf8) })
        let context = ConditionContext(
            environment: environment, arguments: ["gateway", "run", "-v"].map { Bytes($0.utf8) },
            isTerminal: isTerminal, isRoot: isRoot, exists: { $0 == Bytes("/h/there".utf8) })
        #expect(context.holds(condition) == (unmetCondition([condition], context) == nil))
        return unmetCondition([condition], context)
    }

    private func template(_ path: String) -> Template {
        Template(
            parts: [.variable(name: "HOME", fallback: .none, span: nowhere), .literal(Bytes(path.utf8))], span: nowhere)
    }

    @Test("Variables: true words in any case, unset or empty, and equal")
    func variables() {
        #expect(unmet(.environmentTrue("ON")) == nil)
        #expect(unmet(.environmentTrue("ONE")) == nil)
        #expect(unmet(.environmentTrue("OFF")) == "OFF is no, not 1, true, yes or on")
        #expect(unmet(.environmentTrue("BAD")) == "BAD is a\\x1b, not 1, true, yes or on")
        #expect(unmet(.environmentTrue("EMPTY")) == "EMPTY is not set")
        #expect(unmet(.environmentSet("OFF")) == nil)
        #expect(unmet(.environmentSet("EMPTY")) == "EMPTY is not set")
        #expect(unmet(.environmentUnset("EMPTY")) == nil)
        #expect(unmet(.environmentUnset("NONE")) == nil)
        #expect(unmet(.environmentUnset("OFF")) == "OFF is set")
        #expect(unmet(.environmentEquals(name: "OFF", value: "no")) == nil)
        #expect(unmet(.environmentEquals(name: "EMPTY", value: "")) == nil)
        #expect(unmet(.environmentEquals(name: "OFF", value: "x")) == "OFF is no, not x")
        #expect(unmet(.environmentEquals(name: "NONE", value: "")) == "NONE is not set")
    }

    @Test("Paths, with their variables; one whose variable is not set names no file")
    func paths() {
        #expect(unmet(.pathExists(template("/there"))) == nil)
        #expect(unmet(.pathExists(template("/gone"))) == "/h/gone does not exist")
        #expect(unmet(.pathMissing(template("/gone"))) == nil)
        #expect(unmet(.pathMissing(template("/there"))) == "/h/there exists")
        let unknown = Template(parts: [.variable(name: "NONE", fallback: .none, span: nowhere)], span: nowhere)
        #expect(unmet(.pathExists(unknown)) == "NONE is not set")
        #expect(unmet(.pathMissing(unknown)) == nil)
    }

    @Test("The terminal, root, and how the arguments begin")
    func rest() {
        for value in [true, false] {
            #expect(unmet(.tty(value), isTerminal: value) == nil)
            #expect(unmet(.tty(value), isTerminal: !value) != nil)
            #expect(unmet(.root(value), isRoot: value) == nil)
            #expect(unmet(.root(value), isRoot: !value) != nil)
        }
        #expect(unmet(.main([["chat"], ["gateway", "run"]])) == nil)
        #expect(unmet(.main([["gateway", "run", "-v"]])) == nil)
        #expect(unmet(.main([["gateway", "run", "-v", "x"]])) != nil)
        #expect(unmet(.main([["run"]])) != nil)
    }
}

@Suite("Driver: tokens and processes")
struct DriverTokenTests {
    @Test(
        "A token comes back from its bits",
        arguments: [0, 1, 0xFFFF_FFFF], [0, 7, 0xFF_FFFF] as [UInt32])
    func roundTrip(index: Int, generation: UInt32) {
        for kind in [Token.Kind.signals, .timer, .report, .outputs, .output, .containerOutput, .straggler] {
            let token = Token(kind, index: index, generation: generation)
            #expect(Token(bits: token.bits) == token)
        }
    }

    @Test("A generation too large is cut, not mixed with the kind; bits of no kind are no token")
    func odd() {
        #expect(Token(.report, index: 1, generation: 0x1FF_FFFF) == Token(.report, index: 1, generation: 0xFF_FFFF))
        #expect(Token(bits: 0) == nil)
        #expect(Token(bits: .max) == nil)
    }

    @Test(
        "The parent is read from /proc/PID/stat, whatever the process calls itself",
        arguments: [
            ("5 (sh) S 1 5 5 0", 1), ("5 (a b) (c) S 42 5", 42), ("5 () 9 (x) R 0 5", 0), ("5 (x) S", nil), ("", nil),
            (")", nil), ("5 (x) S x 5", nil), ("5 (x) S 4294967290 5", nil),
        ] as [(String, Int32?)])
    func parent(text: String, parent: Int32?) {
        #expect(Stragglers.parent(Bytes(text.utf8)) == parent)
    }

    @Test("Descendants are children and theirs; a circle in what was read ends")
    func descendants() {
        let processes: [(process: Int32, parent: Int32)] = [
            (2, 1), (3, 2), (4, 3), (5, 0), (6, 5), (7, 1), (8, 9), (9, 8),
        ]
        #expect(Stragglers.descendants(of: 1, processes).sorted() == [2, 3, 4, 7])
        #expect(Stragglers.descendants(of: 8, processes).sorted() == [8, 9])
        #expect(Stragglers.descendants(of: 4, processes).isEmpty)
        let deep = (1...100_000).map { (process: Int32($0 + 1), parent: Int32($0)) }
        #expect(Stragglers.descendants(of: 1, deep).count == 100_000)
    }
}

@Suite("Driver: what tini and dumb-init would say")
struct DriverStandInTests {
    private func line(_ program: StandIn, _ verbosity: Int, _ step: StandInStep, warns: Bool = false) -> String? {
        StandInVoice(program: program, verbosity: verbosity, warnsWhenReaping: warns, own: 9).line(step)
    }

    private static let steps: [StandInStep] = [
        .spawned(process: 7, program: Bytes("sh".utf8)), .cannotExecute(program: Bytes("sh".utf8), .noEntry),
        .hasSession,
        .cannotGiveUpTerminal(Errno(ENOTTY)), .received(SIGCHLD), .received(SIGTERM), .received(99),
        .droppedHandOff(SIGHUP),
        .rewrote(15, to: 3), .forwarded(15), .ignored(15), .reaped(process: 7, isMain: false, .exited(code: 3)),
        .reaped(process: 7, isMain: true, .exited(code: 3)),
        .reaped(process: 7, isMain: true, .signaled(.terminate, coreDumped: false)), .reapsNothing, .ends(code: 3),
    ]

    @Test("Without -v tini says its warnings and failures; -w tells of orphans; -v the rest")
    func tini() {
        #expect(Self.steps.filter { line(.tini, 1, $0) != nil }.count == 2)
        #expect(Self.steps.filter { line(.tini, 0, $0) != nil }.count == 1)
        #expect(line(.tini, 0, Self.steps[1]) == "[FATAL tini (9)] exec sh failed: No such file or directory")
        let orphan = StandInStep.reaped(process: 7, isMain: false, .exited(code: 0))
        #expect(line(.tini, 1, orphan) == nil)
        #expect(line(.tini, 1, orphan, warns: true) == "[WARN  tini (9)] Reaped zombie process with pid=7")
        #expect(line(.tini, 3, orphan) == "[DEBUG tini (9)] Reaped zombie process with pid=7")
        #expect(line(.tini, 2, Self.steps[0]) == "[INFO  tini (9)] Spawned child process 'sh' with pid '7'")
        #expect(line(.tini, 3, .received(SIGCHLD)) == "[DEBUG tini (9)] Received SIGCHLD")
        #expect(line(.tini, 3, .received(SIGTERM)) == "[DEBUG tini (9)] Passing signal: 'SIGTERM'")
        #expect(line(.tini, 3, .received(99)) == "[DEBUG tini (9)] Passing signal: '99'")
        #expect(
            line(.tini, 3, Self.steps[12])
                == "[DEBUG tini (9)] Reaped child with pid: '7'\n"
                + "[INFO  tini (9)] Main child exited normally (with status '3')")
        #expect(
            line(.tini, 2, Self.steps[13]) == "[INFO  tini (9)] Main child exited with signal (with signal 'SIGTERM')")
    }

    @Test("Without -v dumb-init says only why it cannot run the program; with it, every step")
    func dumbInit() {
        #expect(Self.steps.filter { line(.dumbInit, 1, $0) != nil }.count == 1)
        #expect(Self.steps.filter { line(.dumbInit, 3, $0) != nil }.count == Self.steps.count - 1)
        #expect(line(.dumbInit, 1, Self.steps[1]) == "[dumb-init] sh: No such file or directory")
        #expect(line(.dumbInit, 3, .hasSession) == "[dumb-init] setsid complete.")
        #expect(line(.dumbInit, 3, .received(15)) == "[dumb-init] Received signal 15.")
        #expect(line(.dumbInit, 3, .rewrote(15, to: 3)) == "[dumb-init] Translating signal 15 to 3.")
        #expect(
            line(.dumbInit, 3, Self.steps[12]) == "[dumb-init] A child with PID 7 exited with exit status 3.")
        #expect(line(.dumbInit, 3, .ends(code: 3)) == "[dumb-init] Child exited with status 3. Goodbye.")
    }
}
