"""The programs of the services in the scene: program.py ROLE FOLDER. Small, and quick to start (python3 -S -E)."""

import os
import sys
import time

role, folder = sys.argv[1], sys.argv[2]


def tick(log_too):
    """Numbered lines, each written down in a file of this life once it was written: none of those may be missing."""
    life = f"{os.getpid()}x{time.monotonic_ns()}"
    record = os.open(f"{folder}/ticks/{life}", os.O_WRONLY | os.O_CREAT, 0o644)
    number = 0
    while True:
        number += 1
        text = f"tick {life} {number}\n".encode()
        os.write(1, text)
        os.pwrite(record, b"%d" % number, 0)
        time.sleep(0.02)


def notify():
    os.write(3, b"\n")
    time.sleep(1e6)


def systemd():
    import socket
    name = os.environ["NOTIFY_SOCKET"]
    end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    end.connect("\0" + name[1:] if name[0] == "@" else name)
    end.send(b"READY=1\nSTATUS=there")
    while True:
        end.send(b"WATCHDOG=1")
        time.sleep(0.2)


def server():
    import socket
    path = f"{folder}/server.sock"
    if os.path.exists(path):
        os.unlink(path)
    end = socket.socket(socket.AF_UNIX)
    end.bind(path)
    end.listen(64)
    while True:
        one, _ = end.accept()
        try:
            if one.recv(4096).startswith(b"GET"):
                one.sendall(b"HTTP/1.1 204 Yes\r\nConnection: close\r\n\r\n")
        except OSError:
            pass
        one.close()


{"tick": lambda: tick(False), "notify": notify, "systemd": systemd, "server": server}[role]()
