"""Services of all kinds from a seed: what their files say, and what their programs do at each start. The same seed gives the same
services and the same programs; when things happen is up to the machine."""

import random
from dataclasses import dataclass, field

SHUTDOWN_TIMEOUT = 6
# Of the keys that a version of the binary may not know yet, which are used.
KINDS = {"ready", "health", "reload", "log"}
# What a program says by itself, so that it can be looked for; the others are asked for from outside.
WITNESSES = ("notify", "systemd", "log", "path", "command")


@dataclass
class Plan:
    name: str
    type: str = "longrun"
    requires: list = field(default_factory=list)
    # Those of them whose own word that they are ready can be looked for.
    witnesses: list = field(default_factory=list)
    optional: bool = False
    ready: str = ""
    starts: list = field(default_factory=list)
    delay: float = 1.0
    factor: float = 2.0
    most: float = 30.0
    jitter: float = 0.1
    files: list = field(default_factory=list)
    health: list = field(default_factory=list)

    def toml(self, folder, port, is_watched=True):
        lines = [f'type = "{self.type}"', f"requires = {[*self.requires]}".replace("'", '"')]
        if self.optional:
            lines.append("optional = true")
        if self.type != "group":
            lines += [f'command = ["sh", "{folder}/work.sh", "{self.name}"]']
        lines += [line.replace("FOLDER", str(folder)).replace("PORT", str(port)) for line in self.files + self.health * is_watched]
        if self.type == "longrun":
            lines += ["[restart]", f'delay = "{round(self.delay * 1000)}ms"', f"factor = {self.factor}", 'reset-after = "1000s"',
                      f'max-delay = "{round(self.most * 1000)}ms"', f"jitter = {self.jitter}"]
        if self.ready:
            lines += ["[ready]", {
                "notify": "notify = 3", "systemd": 'notify = "systemd"', "log": f'log = "{self.name} is ready now"',
                "path": f'path = "{folder}/state/{self.name}.path"', "tcp": f'tcp = "127.0.0.1:{port}"',
                "http": f'http = "http://127.0.0.1:{port}/{self.name}"', "unix": f'unix = "{folder}/socket"',
                "command": f'command = ["test", "-e", "{folder}/state/{self.name}.was"]',
            }[self.ready], 'timeout = "3s"']
            if self.ready not in ("notify", "systemd", "log"):
                lines.append('interval = "100ms"')
        return "\n".join(lines) + "\n"

    def work(self):
        """What work.sh reads."""
        return "\n".join([f"requires {' '.join(self.witnesses)}", f"ready {self.ready}", *self.starts]) + "\n"


def longrun_start(dice, plan):
    """What a start of a longrun does."""
    seconds = lambda: f"{dice.uniform(0.05, 2):.2f}"  # noqa: E731
    words = []
    if dice.random() < 0.3:
        words.append(f"wait {dice.uniform(0.01, 0.3):.2f}")
    if dice.random() < 0.04:
        # It dies, or hangs until its time is over, before it is ready.
        return " ".join(words + [dice.choice(["exit 3", "stay" if plan.ready else "exit 4", "signal KILL"])])
    words.append("ready")
    if dice.random() < 0.2:
        words.append(f"flood {dice.choice([1, 10, 200, 2000])}")
    if dice.random() < 0.15:
        words.append(f"orphans {dice.randint(1, 20)} {seconds()}")
    if dice.random() < 0.1:
        words.append(f"daemon {seconds()}")
    if dice.random() < 0.05:
        words.append("deaf")
    end = dice.random()
    if end < 0.25:
        words.append("stay")
    else:
        words += [f"wait {seconds()}", dice.choice(["exit 0", "exit 1", "exit 78", "signal KILL", "signal TERM", "signal SEGV"])]
    return " ".join(words)


def make(seed, count, kinds=KINDS):
    """The services, each requiring only those before it."""
    dice = random.Random(seed)
    plans = []
    for number in range(count):
        kind = dice.random()
        plan = Plan(f"s{number:03}", "oneshot" if kind < 0.2 else "group" if kind < 0.25 else "longrun")
        near = plans[max(0, number - 40):]
        plan.requires = sorted({dice.choice(near).name for _ in range(dice.choice([0, 0, 1, 1, 2, 3]))} if near else [])
        plan.witnesses = [
            other.name for other in near if other.ready in WITNESSES and other.name in plan.requires]
        if plan.type == "oneshot":
            plan.optional = True
            plan.starts = [f"wait {dice.uniform(0, 0.3):.2f} done"]
            if dice.random() < 0.3:
                plan.starts = [f"flood {dice.randint(1, 300)} orphans {dice.randint(1, 30)} 0.50 done"]
        if plan.type == "group":
            plan.requires = plan.requires or [plans[-1].name] if plans else []
        if plan.type == "longrun":
            longrun(dice, plan, kinds)
        plans.append(plan)
    return plans


def longrun(dice, plan, kinds):
    plan.delay = dice.choice([0.01, 0.05, 0.1, 0.3])
    plan.factor = dice.choice([1, 1.5, 2])
    plan.most = max(plan.delay, dice.choice([0.1, 0.5, 1.5]))
    plan.jitter = dice.choice([0, 0.1, 0.5])
    if "ready" in kinds and dice.random() < 0.4:
        plan.ready = dice.choice(["notify", "notify", "log", "path", "tcp", "http", "unix", "command"])
        if dice.random() < 0.05:
            plan.ready = "systemd"
    plan.starts = [longrun_start(dice, plan) for _ in range(dice.randint(3, 12))]
    if dice.random() < 0.3:
        plan.files += ["[stop]", f'signal = "{dice.choice(["SIGTERM", "SIGINT", "SIGKILL"])}"',
                       f'timeout = "{dice.choice([200, 1000, 3000])}ms"']
        if dice.random() < 0.4:
            plan.files.append(f'command = ["sh", "-c", "{dice.choice(["exit 0", "exit 1", "echo stopping", "sleep 100"])}"]')
    if dice.random() < 0.1:
        plan.files += ["[limits]", "nofile = 64", "core = 0"]
    if "health" in kinds and dice.random() < 0.15:
        plan.health = ["[health]", dice.choice([
            'command = ["true"]', 'command = ["test", "-e", "FOLDER/calm"]', 'tcp = "127.0.0.1:PORT"', 'http = "http://127.0.0.1:PORT/"',
            'unix = "FOLDER/socket"', 'command = ["sh", "-c", "[ -e FOLDER/calm ] || exec sleep 100"]']),
            f'interval = "{dice.choice([300, 700])}ms"', 'timeout = "500ms"', f"failures = {dice.randint(1, 3)}",
            f'action = "{dice.choice(["restart", "none"])}"']
    if "reload" in kinds and dice.random() < 0.1:
        plan.files += ["[reload]", dice.choice(['signal = "SIGWINCH"', 'command = ["true"]'])]
    if "log" in kinds:
        plan.files += ["[log]", f'to = "{dice.choice(["prefix", "prefix", "json", "null"])}"']
