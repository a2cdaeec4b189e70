@testable import Runtime
@testable import System

/// A machine that exists in tests only, for what `--check` looks up on one: the examples of `explain` and the snapshots are
/// checked against it, so that they come out the same everywhere.
func madeUpMachine() -> ImageView {
    let view = ImageView(
        environment: Environment(entries: ["PATH=/usr/bin:/bin", "HOME=/root"].map { Bytes($0.utf8) }))
    let elf = "\u{7F}ELF"
    var programs = ["/opt/needs-perl": "#!/usr/bin/perl -w\n", "/opt/no-first-line.sh": "echo hello\n"]
    programs["/opt/dos.sh"] = "#!/bin/sh\r\n"
    programs["/opt/env-node"] = "#!/usr/bin/env node\n"
    for name in ["a", "api", "app", "db", "sh", "web"] { programs["/bin/" + name] = elf }
    programs["/usr/bin/env"] = elf
    let files = ["/opt/no-permission.sh": "#!/bin/sh\n", "/etc/bad.env": "PORT=80\nexport\nHOST='web\n"]
    let folders = ["/", "/srv", "/opt"]

    func text(_ path: Bytes) -> String { String(decoding: path, as: UTF8.self) }
    view.kind = { path in
        if programs[text(path)] != nil || files[text(path)] != nil { return .regular }
        return folders.contains(text(path)) ? .folder : .missing
    }
    view.isProgram = { programs[text($0)] != nil }
    view.beginning = { programs[text($0)].map { Bytes($0.utf8) } }
    view.contents = { path in files[text(path)].map { .bytes(Bytes($0.utf8)) } ?? .missing }
    view.accounts = Accounts(
        passwd: Bytes("root:x:0:0::/root:/bin/sh\nwww:x:33:33::/srv:/bin/sh\n".utf8),
        group: Bytes("root:x:0:\nwww:x:33:\n".utf8))
    return view
}
