"""A cgroup (v2) of an init's own with a cgroup namespace, as a container engine would make it, where this machine allows it."""

import ctypes
import os
from pathlib import Path

from harness import until


def find_tree():
    """The machine's cgroup v2 tree."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[0] == "cgroup2":
            return Path(before.split()[4])
    return None


TREE = find_tree()
# As a container engine does it: the tree is mounted anew, so that the container's group is its root.
MOUNT = f"umount {TREE} && mount -t cgroup2 none {TREE}"


class Container:
    """A cgroup, and the words that put an init into it."""

    def __init__(self, number):
        own = next(line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))[3:]
        self.folder = TREE / own.lstrip("/") / f"hermes-init-test-{os.getpid()}-{number}"
        self.folder.mkdir()

    def enter(self):
        (self.folder / "cgroup.procs").write_text("0")
        # CLONE_NEWCGROUP: this group is the root of all that the init sees.
        ctypes.CDLL(None).unshare(0x02000000)

    def processes(self, group):
        path = self.folder / "hermes-init" / group / "cgroup.procs"
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    def remove(self):
        until(lambda: "populated 0" in (self.folder / "cgroup.events").read_text(), "nobody is left in it")
        for folder, _, _ in os.walk(self.folder, topdown=False):
            os.rmdir(folder)
