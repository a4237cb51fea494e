"""Frames over the socket to the model server: u32 length of the rest, u32 length of the header, header, body."""

import socket
import struct
import threading

import numpy as np

from .codec import dumps

LENGTHS = struct.Struct("<II")
BUFFER = 256 << 10
# The kernel takes no more pieces than this at once.
MOST_PIECES = 1000


class Link:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.lock = threading.Lock()
        self.buffer = bytearray(BUFFER)
        self.view = memoryview(self.buffer)
        self.start = self.end = 0
        self.stopping = False

    def receive(self):
        """The next frame as (header's bytes, body as an array of bytes that is the caller's own); None at the end."""
        if not self.fill(LENGTHS.size):
            return None
        rest, header_size = LENGTHS.unpack_from(self.buffer, self.start)
        body_size = rest - 4 - header_size
        if body_size < 0:
            raise ConnectionError("the model server sent a frame whose header is longer than itself")
        body_start = LENGTHS.size + header_size
        whole = body_start + body_size
        # What fits the buffer comes with one call of the kernel's, often together with the next frame.
        small = whole <= len(self.buffer)
        if not self.fill(whole if small else body_start):
            return None
        header = bytes(self.view[self.start + LENGTHS.size : self.start + body_start])
        # Memory of its own: aligned, writable, and not overwritten by what comes next.
        body = np.empty(body_size, np.uint8)
        if small:
            body[:] = np.frombuffer(self.buffer, np.uint8, body_size, self.start + body_start)
            self.start += whole
        elif not self.fill_body(memoryview(body), self.start + body_start):
            return None
        if self.start == self.end:
            self.start = self.end = 0
        return header, body

    def fill(self, count):
        """Whether `count` bytes could be had in the buffer."""
        while self.end - self.start < count:
            if len(self.buffer) - self.start < count:
                self.make_room(count)
            received = self.socket.recv_into(self.view[self.end :])
            if received == 0:
                return False
            self.end += received
        return True

    def make_room(self, count):
        kept = bytes(self.view[self.start : self.end])
        if len(self.buffer) < count:
            self.buffer = bytearray(count)
            self.view = memoryview(self.buffer)
        self.buffer[: len(kept)] = kept
        self.start, self.end = 0, len(kept)

    def fill_body(self, body, start):
        """A body that is larger than the buffer, received where it stays."""
        filled = self.end - start
        body[:filled] = self.view[start : self.end]
        self.start = self.end = 0
        while filled < len(body):
            received = self.socket.recv_into(body[filled:])
            if received == 0:
                return False
            filled += received
        return True

    def send(self, header, pieces=()):
        """A frame, in one call of the kernel's where it takes it. `pieces` are buffers, contiguous in memory."""
        head = dumps(header)
        if len(pieces) > MOST_PIECES:
            pieces = [b"".join(pieces)]
        size = 0
        for piece in pieces:
            size += piece.nbytes if hasattr(piece, "nbytes") else len(piece)
        frame = [LENGTHS.pack(4 + len(head) + size, len(head)) + head, *pieces]
        # Threads that generate text answer between other calls.
        with self.lock:
            sent = self.socket.sendmsg(frame)
            if sent < LENGTHS.size + len(head) + size:
                self.send_rest(frame, sent)

    def send_rest(self, frame, sent):
        for piece in frame:
            view = memoryview(piece)
            if view.nbytes <= sent:
                sent -= view.nbytes
                continue
            self.socket.sendall(view.cast("B")[sent:])
            sent = 0

    def stop_receiving(self):
        """What has arrived can still be read; then the end is seen. Safe in a signal handler."""
        self.stopping = True
        self.socket.shutdown(socket.SHUT_RD)
