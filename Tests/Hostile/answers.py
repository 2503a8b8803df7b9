"""Reads what comes back on a connection while something is still being sent."""

import select


class Reader:
    def __init__(self, connection):
        self.connection = connection
        self.received = b""

    def has_begun(self):
        """Whether an answer is coming, or the end."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable)

    def status(self):
        """The status of the answer; None where the connection ended without one."""
        try:
            while b"\r\n" not in self.received:
                piece = self.connection.recv(65536)
                if not piece:
                    return None
                self.received += piece
        except ConnectionResetError:
            return None
        return self.received.split()[1]
