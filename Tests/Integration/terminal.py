"""A program on a terminal of its own, as a person at a keyboard sees it."""

import fcntl
import os
import pty
import select
import struct
import termios
import time

from harness import DEADLINE


class Terminal:
    def __init__(self, words, rows=24, columns=80, env=None):
        self.text = b""
        self.words = [os.fsencode(word) for word in words]
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.execvpe(self.words[0], self.words, env or os.environ)
            finally:
                os._exit(99)

    def resize(self, rows, columns):
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, text):
        os.write(self.descriptor, text if isinstance(text, bytes) else text.encode())

    def read(self, deadline):
        """One more piece; None at the end."""
        if not select.select([self.descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
            raise AssertionError(f"nothing more comes from the terminal; so far: {self.text!r}")
        try:
            piece = os.read(self.descriptor, 65536)
        except OSError:
            return None
        self.text += piece
        return piece or None

    def until(self, text, seconds=DEADLINE):
        """Reads until that text has come, and takes it out of what is to be looked at next."""
        deadline = time.monotonic() + seconds
        text = text.encode()
        while text not in self.text:
            if self.read(deadline) is None:
                raise AssertionError(f"{text!r} did not come: {self.text!r}")
        before, _, self.text = self.text.partition(text)
        return before

    def press(self, key, text, seconds=DEADLINE):
        """Presses a key until its effect shows: whom it is for may not be in the foreground yet."""
        deadline = time.monotonic() + seconds
        while True:
            self.send(key)
            try:
                return self.until(text, 0.5)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise

    def wait(self, seconds=DEADLINE):
        """The exit code, and everything that is still to be read in `text`."""
        deadline = time.monotonic() + seconds
        while self.read(deadline) is not None:
            pass
        # The terminal is closed; its first process may live on, but not for ever.
        while True:
            pid, ended = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not end; what it said: {self.text!r}")
            time.sleep(0.005)
        self.pid = None
        return os.waitstatus_to_exitcode(ended)

    def end(self):
        if self.pid is not None:
            try:
                os.kill(self.pid, 9)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.descriptor)
