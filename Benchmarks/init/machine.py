"""What the head of the table says of this machine, and the installation of the peers that Debian has."""

import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path

PACKAGES = {
    "tini": "tini",
    "dumb-init": "dumb-init",
    "catatonit": "catatonit",
    "s6-svscan": "s6",
    "runsvdir": "runit",
    "supervisord": "supervisor",
    "unshare": "util-linux",
    "mount": "mount",
}


def install():
    """Installs what Debian has of the peers, where this is root and has apt; what could not be had is said by the
    caller."""
    missing = sorted({package for command, package in PACKAGES.items() if shutil.which(command) is None})
    machine = os.uname().machine
    if not Path(f"/usr/lib/{machine}-linux-musl/libc.a").exists():
        missing.append("musl-dev")
    if not missing or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "env": environment,
    }
    subprocess.run(["apt-get", "update", "-q"], **quiet)
    for package in missing:
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], **quiet)


def described(realtime):
    """This machine, what it does besides, and the day."""
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", text, re.M)
    hypervisor = re.search(r"^flags\s*:.*\bhypervisor\b", text, re.M)
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1))
    return {
        "cpu": (model.group(1).strip() if model else platform.machine()) + (", virtual machine" if hypervisor else ""),
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{memory / 1048576:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": system(),
        "load": os.getloadavg()[0],
        "realtime": realtime,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def system():
    try:
        return re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text()).group(1)
    except (OSError, AttributeError):
        return "unknown"
