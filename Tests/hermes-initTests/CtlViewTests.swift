import ConfigParser
import Foundation
import Testing

@testable import hermes_init

/// What `ctl` shows of an answer, whole: Tests/Snapshots/ctl.txt holds each picture. HERMES_INIT_WRITE=1 writes it anew.
enum Story {
    static func lines(_ text: String) -> [JSONValue] {
        text.split(separator: "\n").map { JSONValue([UInt8]($0.utf8)) ?? .null }
    }

    static let status: StatusAnswer = {
        var answer = StatusAnswer()
        for line in lines(
            #"""
            {"name":"home","type":"oneshot","state":"done","for":195.0,"pid":null,"ready":false,"well":true,"restarts":0,"memory":null,"last-exit":{"code":0},"words":"done"}
            {"name":"db","type":"longrun","state":"up","for":192.5,"pid":42,"ready":true,"well":true,"restarts":0,"memory":45678592,"last-exit":null,"words":"up","description":"keeps the data"}
            {"name":"web","type":"longrun","state":"up","for":90061,"pid":4194304,"ready":true,"well":false,"restarts":12,"memory":12345678,"problem":"http://127.0.0.1:80/ answered 500","last-exit":{"signal":"SIGKILL","core":true},"words":"unhealthy: http://127.0.0.1:80/ answered 500"}
            {"name":"worker","type":"longrun","state":"backing-off","for":0.4,"pid":null,"ready":false,"well":false,"restarts":11,"memory":null,"last-exit":{"code":78},"words":"exited with code 78, starting again","next-start":2.5}
            {"name":"gateway@a-long-name-of-an-instance-that-goes-on-and-on","type":"longrun","state":"idle","for":195,"pid":null,"ready":false,"well":true,"restarts":0,"words":"not started"}
            {"name":"dashboard","type":"longrun","state":"skipped","for":195,"pid":null,"well":true,"restarts":0,"words":"skipped","skipped-because":"HERMES_DASHBOARD is not set"}
            {"name":"mail","type":"longrun","state":"failed","for":7322,"pid":null,"well":false,"restarts":0,"last-exit":{"code":127},"words":"failed"}
            {"name":"odd","state":"\u001b[2J漢字","words":"\u001b[2J漢字"}
            """#)
        { answer.services.append(ServiceStatus(line)) }
        for line in lines(#"{"ok":true,"stopping":false,"uptime":195.2,"boot":{"done":true,"seconds":1.234}}"#) {
            answer.finish(line)
        }
        return answer
    }()

    static let detail: ServiceDetail = {
        var detail = ServiceDetail(status: status.services[2])
        detail.shown =
            lines(
                #"{"name":"web","files":["/etc/hermes-init.d/web.toml"],"waits-for":[{"name":"db","kind":"requires","state":"up"},{"name":"worker","kind":"wants","state":"backing-off"}],"needed-by":["main"]}"#
            ).first
        detail.output = lines(
            #"""
            {"name":"web","time":1772323200123,"stream":"stdout","line":"listening on \u001b[1m:80\u001b[0m"}
            {"name":"web","time":1772323200124,"stream":"stderr","line":"\u001b[2J\u001b]0;evil\u0007漢字\r"}
            """#)
        return detail
    }()

    static let blame: BlameView = {
        var view = BlameView()
        for line in lines(
            #"""
            {"name":"web","asked":0,"started":901,"up":1234,"waited-for":"db"}
            {"name":"home","asked":0,"started":1,"up":120,"waited-for":null}
            {"name":"db","asked":0,"started":121,"up":900,"waited-for":"home"}
            {"name":"a<b>&\"c\"","asked":0,"started":122,"up":null,"waited-for":"home"}
            {"name":"late","asked":5000,"started":5001,"up":5003,"waited-for":null}
            """#)
        { view.add(line) }
        for line in lines(#"{"ok":true,"total":1234,"critical":["home","db","web"]}"#) { view.finish(line) }
        return view
    }()

    static let tree: TreeView = {
        var tree = TreeView()
        for line in lines(
            #"""
            {"name":"home","state":"done","words":"done","waits-for":[]}
            {"name":"db","state":"up","words":"up","waits-for":[{"name":"home","kind":"requires"}]}
            {"name":"web","state":"up","words":"up","waits-for":[{"name":"db","kind":"requires"},{"name":"worker","kind":"wants"}]}
            {"name":"worker","state":"failed","words":"failed","waits-for":[{"name":"home","kind":"after"},{"name":"db","kind":"requires"},{"name":"gone","kind":"requires"}]}
            """#)
        { tree.add(line) }
        return tree
    }()

    static let shown = lines(
        #"{"name":"web","file":"/etc/hermes-init.d/web.toml","files":["/etc/hermes-init.d/web.toml","/run/hermes-init.d/web.d/10.toml"],"configuration":{"type":"longrun","command":["web","--port","80"],"nice":-5,"optional":true,"none":null,"stop":{"timeout":2.5,"deep":{"x":1}},"environment":{"API_KEY":"***","A B":"x\ty \"q\""},"options":{"file":[{"path":"a"},{"path":"b","mode":"0644"}]}},"waits-for":[{"name":"db","kind":"requires","state":"up"}],"needed-by":[]}"#
    )[0]

    static let events = lines(
        #"""
        {"event":"hello"}
        {"time":1772323200000,"event":"state","name":"web","from":"starting","to":"up","words":"up"}
        {"time":1772323200001,"event":"state","name":"web","from":"up","to":"backing-off","words":"exited with code 1, starting again"}
        {"time":1772323200002,"event":"log","level":"info","text":"web: up"}
        {"dropped":1}
        """#)

    /// Every picture, by its title.
    static func pictures() throws(CtlFailure) -> [(title: String, text: String)] {
        var pictures = [(title: String, text: String)]()
        func add(_ title: String, _ lines: [String]) { pictures.append((title, lines.map { $0 + "\n" }.joined())) }
        let looks: [(String, Look)] = [
            ("in a pipe", Look()), ("80 columns", Look(columns: 80)), ("200 columns", Look(columns: 200)),
            ("80 columns, colours", Look(hasColor: true, columns: 80)), ("30 columns", Look(columns: 30)),
        ]
        for (name, look) in looks {
            add("status, " + name, status.lines(look))
            add("status web, " + name, detail.lines(look))
            add("tree, " + name, try tree.lines([], look))
            add("blame, " + name, blame.lines(look))
            add("show web, " + name, ShowView.lines(shown, look))
            let logs = LogView(["web", "db"], look, hasTimes: name == "200 columns")
            pictures.append(("logs, " + name, ((detail.output ?? []) + [events[4]]).map { logs.text($0) }.joined()))
            pictures.append(("events, " + name, events.map { eventText($0, look) }.joined()))
        }
        var refused = detail
        refused.shown = nil
        refused.output = nil
        add("status web, without the right to its output", refused.lines(Look()))
        add("status of nothing", StatusAnswer().lines(Look()))
        pictures.append(("status --watch in 5 rows", WatchFrame.text(status, Look(columns: 40), rows: 5)))
        pictures.append(("blame --svg", blame.picture))
        let failure = CtlFailure(
            lines(
                #"{"ok":false,"error":"configuration","message":"the files have mistakes","hint":"\u001b[2Jx","report":"a: \u001b[31merror\u001b[0m\nb\u001b[2J\n"}"#
            )[0])
        pictures.append(("an error", failure.text))
        return pictures
    }
}

@Suite("hermes-init ctl: what it shows")
struct CtlViewTests {
    private static let url: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<2 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("Snapshots/ctl.txt")
    }()

    @Test("The pictures are those of Tests/Snapshots/ctl.txt")
    func snapshots() throws {
        var text = "What `ctl` shows, made by CtlViewTests.swift. ESC is shown as ⟨1B⟩, CR as ⟨0D⟩.\n"
        for (title, picture) in try Story.pictures() {
            text += "\n## " + title + "\n" + picture
        }
        text = text.replacingOccurrences(of: "\u{1B}", with: "⟨1B⟩").replacingOccurrences(of: "\r", with: "⟨0D⟩")
        if ProcessInfo.processInfo.environment["HERMES_INIT_WRITE"] == "1" {
            try text.write(to: CtlViewTests.url, atomically: true, encoding: .utf8)
        }
        let kept = try String(contentsOf: CtlViewTests.url, encoding: .utf8)
        for (made, was) in zip(text.components(separatedBy: "\n## "), kept.components(separatedBy: "\n## ")) {
            #expect(made == was)
        }
        #expect(text == kept)
    }

    @Test(
        "No line is wider than the terminal, and nothing from the init acts on it",
        arguments: [20, 40, 79, 80, 81, 120, 200])
    func width(columns: Int) {
        for look in [Look(columns: columns), Look(hasColor: true, columns: columns)] {
            for line in Story.status.lines(look) {
                let plain = line.replacing(/\u{1B}\[[0-9;]*m/, with: "")
                #expect(ConfigParser.columns(of: plain) <= columns, "\(plain)")
                #expect(!plain.contains("\u{1B}"))
            }
        }
    }

    @Test("Colours change nothing but colours")
    func colors() throws {
        let painted = try Story.tree.lines([], Look(hasColor: true, columns: 80)).map {
            $0.replacing(/\u{1B}\[[0-9;]*m/, with: "")
        }
        #expect(painted == (try Story.tree.lines([], Look(columns: 80))))
    }

    @Test("A graph in a circle of a thousand levels is drawn as deep as can be read")
    func deepTree() throws {
        var tree = TreeView()
        for place in 0..<1000 {
            tree.nodes.append(
                TreeView.Node(
                    name: "s\(place)", state: "up", words: "up", waits: [("s\((place + 1) % 1000)", "requires")]))
        }
        #expect(try tree.lines([], Look()).count == 65)
        #expect(throws: CtlFailure.self) { try tree.lines(["s10000"], Look()) }
    }

    @Test(
        "Codes of errors",
        arguments: [
            ("usage", 64), ("refused", 77), ("unknown-service", 66), ("unknown-verb", 64), ("failed", 1),
            ("timeout", 75),
            ("busy", 75), ("stopping", 1), ("conflict", 1), ("configuration", 78), ("something new", 1),
        ])
    func codes(error: String, code: Int32) throws {
        let failure = CtlFailure(try #require(JSONValue(utf8(#"{"ok":false,"error":"\#(error)","message":"m"}"#))))
        #expect(failure.code.rawValue == code)
    }

    @Test(
        "Ages",
        arguments: [
            (0, "0s"), (-5, "0s"), (59_999, "59s"), (192_500, "3m 12s"), (18_120_000, "5h 2m"), (273_600_000, "3d 4h"),
        ])
    func ages(milliseconds: Int, text: String) { #expect(age(milliseconds) == text) }

    @Test("Times", arguments: [(0, "0 ms"), (333, "333 ms"), (1234, "1.2 s"), (59_999, "59.9 s"), (192_500, "3m 12s")])
    func times(milliseconds: Int, text: String) { #expect(seconds(milliseconds) == text) }

    @Test(
        "Sizes",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (12_345_678, "11.7 MiB"), (1_000_000_000, "953 MiB"),
            (Int.max / 1000, "8.1 PiB"),
        ])
    func sizes(bytes: Int, text: String) { #expect(size(bytes) == text) }

    @Test("Extremes of numbers make no picture fail")
    func extremes() {
        for number in ["9e99", "-9e99", "0", "-1", "0.0001", "null", "\"x\"", "{}"] {
            let line = Story.lines(
                #"{"name":"x","state":"up","for":N,"pid":N,"memory":N,"restarts":N,"next-start":N,"last-exit":{"code":N},"asked":N,"started":N,"up":N,"time":N,"dropped":N}"#
                    .replacingOccurrences(of: "N", with: number))[0]
            var answer = StatusAnswer(services: [ServiceStatus(line)])
            answer.finish(
                Story.lines(
                    #"{"ok":true,"uptime":N,"boot":{"done":true,"seconds":N},"total":N}"#.replacingOccurrences(
                        of: "N", with: number))[0])
            #expect(!answer.lines(Look(columns: 80)).isEmpty)
            var blame = BlameView()
            blame.add(line)
            blame.finish(Story.lines(#"{"ok":true,"total":N}"#.replacingOccurrences(of: "N", with: number))[0])
            #expect(!blame.lines(Look(columns: 80)).isEmpty && blame.picture.contains("</svg>"))
            #expect(!eventText(line, Look()).isEmpty || number == "null")
        }
    }
}
