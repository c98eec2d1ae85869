"""A TCP proxy before a PostgreSQL server that cuts a connection at a COMMIT of the client's."""

import contextlib
import socket
import struct
import threading

BEFORE = "before"  # the server never sees the COMMIT
AFTER = "after"  # the server has done it, and the client gets no answer


class CommitCutter:
    """Listens on 127.0.0.1, at a port that was free, without TLS; every connection goes on to the server.

    @param place BEFORE or AFTER
    @param number which COMMIT is cut, counted from 1 over all connections; later ones pass, 0: none is cut
    """

    def __init__(self, server_port, place=BEFORE, number=0):
        self.commits = 0  # seen so far
        self.cuts = 0
        self._server = ("127.0.0.1", server_port)
        self._place, self._number = place, number
        self._lock = threading.Lock()
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Ends the proxy and every connection."""
        _shut(self._listener)
        with self._lock:
            for end in self._sockets:
                _shut(end)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._server)
                except OSError:  # the server is down: so is the proxy
                    client.close()
                    continue
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._sockets += [client, server]
                link = _Link(self, client, server)
                threading.Thread(target=link.to_server, daemon=True).start()
                threading.Thread(target=link.to_client, daemon=True).start()

    def cuts_here(self):
        """Counts a COMMIT. @return whether this is the one"""
        with self._lock:
            self.commits += 1
            if self.commits != self._number:
                return None
            self.cuts += 1
            return self._place


class _Link:
    """One connection, client to server and back."""

    def __init__(self, proxy, client, server):
        self._proxy, self._client, self._server = proxy, client, server
        self._mute = threading.Event()  # nothing more goes to the client

    def to_server(self):
        with contextlib.suppress(OSError, EOFError):
            self._server.sendall(self._read_startup())
            while True:
                message = self._read_message()
                place = self._proxy.cuts_here() if _is_commit(message) else None
                if place == BEFORE:
                    break
                if place == AFTER:
                    self._mute.set()  # to_client ends the connection when the server has answered
                    self._server.sendall(message)
                    return
                self._server.sendall(message)
        self._end()

    def to_client(self):
        with contextlib.suppress(OSError):
            while piece := self._server.recv(65536):
                if self._mute.is_set():
                    break
                self._client.sendall(piece)
        self._end()

    def _read_startup(self):
        size = self._read(4)
        return size + self._read(struct.unpack("!i", size)[0] - 4)

    def _read_message(self):
        head = self._read(5)
        return head + self._read(struct.unpack("!i", head[1:])[0] - 4)

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = self._client.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _end(self):
        _shut(self._client)
        _shut(self._server)


def _is_commit(message):
    """A simple Query that is COMMIT alone."""
    return message[:1] == b"Q" and message[5:].rstrip(b"\0").strip().upper() == b"COMMIT"


def _shut(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
