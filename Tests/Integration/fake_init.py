"""Speaks the protocol of the control socket as an init would that lives through one fixed story, and can be told to be rude.

`Answers` maps a verb to what is sent; each test may change it. What is a list of tables goes out as JSON lines; bytes go out as
they are; a function is called with the connection and the words. `asked` keeps every request.
"""

import json
import shlex
import socket
import threading

NOW = 1_772_323_200_000


def service(name, state="up", **more):
    table = {
        "name": name, "type": "longrun", "state": state, "since": NOW, "for": 192.5, "pid": None, "ready": False,
        "well": True, "optional": False, "restarts": 0, "memory": None, "problem": None, "last-exit": None,
        "words": state, "description": "", "autostart": True, "skipped-because": None, "next-start": None,
    }
    table.update({key.replace("_", "-"): value for key, value in more.items()})
    return table


SERVICES = [
    service("home", "done", type="oneshot", last_exit={"code": 0}, **{"for": 195.0}),
    service("db", pid=42, ready=True, memory=45_678_592, description="keeps the data"),
    service("web", pid=7, ready=True, memory=12_345_678, restarts=2, last_exit={"signal": "SIGKILL", "core": False}),
    service("worker", "backing-off", well=False, restarts=11, last_exit={"code": 78}, next_start=2.5,
            words="exited with code 78, starting again", **{"for": 0.4}),
    service("gateway@writer", "idle", words="not started", **{"for": 195.0}),
]
LAST = {"ok": True, "services": 5, "stopping": False, "uptime": 195.2, "boot": {"done": True, "seconds": 1.234}}
BLAME = [
    {"name": "home", "asked": 0, "started": 1, "up": 120, "waited-for": None},
    {"name": "db", "asked": 0, "started": 121, "up": 900, "waited-for": "home"},
    {"name": "web", "asked": 0, "started": 901, "up": 1234, "waited-for": "db"},
    {"name": "worker", "asked": 0, "started": 122, "up": None, "waited-for": "home"},
]
GRAPH = [
    {"name": "home", "state": "done", "words": "done", "type": "oneshot", "waits-for": []},
    {"name": "db", "state": "up", "words": "up", "type": "longrun",
     "waits-for": [{"name": "home", "kind": "requires"}]},
    {"name": "web", "state": "up", "words": "up", "type": "longrun",
     "waits-for": [{"name": "db", "kind": "requires"}, {"name": "worker", "kind": "wants"}]},
    {"name": "worker", "state": "backing-off", "words": "exited with code 78, starting again", "type": "longrun",
     "waits-for": [{"name": "home", "kind": "after"}, {"name": "db", "kind": "requires"}]},
]


def log(name, line, stream="stdout", time=NOW + 123):
    return {"name": name, "time": time, "stream": stream, "line": line}


def refusal(code, message, hint=None, **more):
    table = {"ok": False, "error": code, "message": message}
    if hint:
        table["hint"] = hint
    return [table | more]


class FakeInit:
    def __init__(self, folder):
        self.path = str(folder / "control.sock")
        self.greeting = {"hermes-init": "0.1.0", "protocol": 1}
        self.asked = []
        self.ended = threading.Event()
        self.answers = {
            "status": self.status,
            "list": [{"name": each["name"], "type": each["type"], "template": False,
                      "instance-of": "gateway@" if "@" in each["name"] else None} for each in SERVICES] +
                    [{"name": "gateway@", "type": "longrun", "template": True, "instance-of": None}, {"ok": True}],
            "graph": GRAPH + [{"ok": True}],
            "blame": BLAME + [{"ok": True, "total": 1234, "critical": ["home", "db", "web"]}],
            "logs": [log("web", "listening on :80"), log("db", "ready", "stderr"), {"ok": True}],
            "show": [{"name": "web", "file": "/etc/hermes-init.d/web.toml",
                      "files": ["/etc/hermes-init.d/web.toml", "/etc/hermes-init.d/web.d/10-port.toml"],
                      "configuration": {"type": "longrun", "command": ["web", "--port", "80"], "nice": 5,
                                        "requires": ["db"], "stop": {"timeout": 2.5},
                                        "environment": {"API_KEY": "***", "A B": "x\ty"}},
                      "waits-for": [{"name": "db", "kind": "requires", "state": "up"},
                                    {"name": "worker", "kind": "wants", "state": "backing-off"}],
                      "needed-by": []}, {"ok": True}],
            "start": [{"name": "web", "state": "starting", "words": "starting"},
                      {"name": "web", "state": "up", "words": "up"}, {"ok": True}],
            "events": [{"event": "hello"},
                       {"time": NOW, "event": "state", "name": "web", "from": "starting", "to": "up", "words": "up"},
                       {"time": NOW, "event": "log", "level": "info", "text": "web: up"}, {"ok": True}],
            "reload": [{"added": ["a", "b"], "removed": [], "restarted": ["web"], "changed": ["db"]}, {"ok": True}],
            "metrics": [{"metrics": "# TYPE hermes_init_up gauge\nhermes_init_up 1\n# EOF\n"}, {"ok": True}],
        }
        for verb in ("stop", "restart", "wait", "remove", "signal", "shutdown"):
            self.answers[verb] = [{"ok": True}]
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        """Nobody listens any more; the socket stays where it is. May be called twice."""
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def send(connection, answer):
        if isinstance(answer, bytes):
            connection.sendall(answer)
        else:
            connection.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in answer))

    def serve(self, connection):
        with connection:
            try:
                self.send(connection, self.greeting if isinstance(self.greeting, bytes) else [self.greeting])
                for line in connection.makefile("rb"):
                    words = shlex.split(line.decode())
                    self.asked.append(words)
                    answer = self.answers.get(words[0], refusal("unknown-verb", f"there is no verb {words[0]}"))
                    if callable(answer):
                        answer = answer(connection, words)
                    if answer is None:
                        return
                    self.send(connection, answer)
            except OSError:
                pass
            finally:
                self.ended.set()

    def status(self, _, words):
        names = words[1:]
        known = {each["name"]: each for each in SERVICES}
        for name in names:
            if name not in known:
                return refusal("unknown-service", f"there is no service {name}", "did you mean: web")
        return [known[name] for name in names or known] + [LAST]
