"""Servers that a test has in its hand: the init under test connects to them from its namespace, which shares the network. Each
binds a port (or a path) before the init is started, so no number can be taken by somebody else in between."""

import contextlib
import socket
import threading


class Server:
    """A socket that is bound, and refuses until `listen` is called. `serve(connection)` runs in a thread of its own for each
    connection; without it connections are accepted by the kernel and nobody ever answers."""

    def __init__(self, serve=None, path=None, listening=True):
        self.serve = serve
        self.connections = []
        self.count = 0
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.bind(str(path) if path else ("127.0.0.1", 0))
        self.port = None if path else self.socket.getsockname()[1]
        if listening:
            self.listen()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def listen(self):
        self.socket.listen(128)
        if self.serve:
            threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.count += 1
                self.connections.append(connection)
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with contextlib.suppress(OSError):
            self.serve(connection)

    def close(self):
        for each in [self.socket, *self.connections]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


class Web(Server):
    """Answers each request with `answer`, bytes that can be changed at any time, and keeps the requests."""

    def __init__(self, answer=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", **how):
        self.reply = answer
        self.requests = []
        super().__init__(self.web, **how)

    def web(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(4096)
            if not more:
                return
            request += more
        self.requests.append(request)
        connection.sendall(self.reply)
        connection.close()


def status(code):
    return f"HTTP/1.1 {code} Whatever\r\nContent-Length: 0\r\n\r\n".encode()
