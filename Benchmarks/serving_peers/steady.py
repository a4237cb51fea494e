"""So many requests a second for some time, each with a number of its own that the answer must give back.

    steady.py HOST PORT PATH RATE SECONDS

Requests are sent when their time has come, whether or not earlier ones are answered, and times count from then. The
result is one line of JSON.
"""

import asyncio
import json
import sys
import time

LIMIT = 30.0


class Count:
    def __init__(self):
        self.sent = self.right = 0
        self.times, self.failures, self.wrong = [], [], []
        self.twice = self.uncalled = 0

    def fail(self, number, cause):
        self.failures.append((number, time.time(), cause))


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, pool):
        self.pool, self.number, self.due, self.buffer = pool, None, 0.0, b""

    def connection_made(self, transport):
        self.transport = transport

    def ask(self, number, due):
        self.number, self.due = number, due
        body = b'{"instances":[[%d]]}' % number
        self.transport.write(self.pool.head % len(body) + body)

    def data_received(self, data):
        if self.number is None:
            # Nobody has asked.
            self.pool.count.uncalled += 1
            return
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower().split(b"\r\n")
        fields = dict(line.split(b": ", 1) for line in head[1:] if b": " in line)
        length = int(fields.get(b"content-length", -1))
        if length < 0:
            self.give_up(f"an answer without a length: {self.buffer[:300]!r}")
        elif len(self.buffer) >= end + 4 + length:
            self.answered(head[0].split()[1], self.buffer[end + 4:end + 4 + length], fields)
            self.pool.count.uncalled += len(self.buffer) > end + 4 + length
            self.buffer, self.number = b"", None
            if fields.get(b"connection") == b"close":
                self.transport.close()
            else:
                self.pool.idle.append(self)

    def answered(self, status, body, fields):
        count = self.pool.count
        count.times.append(time.perf_counter() - self.due)
        if status != b"200":
            count.fail(self.number, f"{status.decode()} {body[:200].decode(errors='replace')}")
            return
        answer = json.loads(body)["predictions"][0]
        if answer == self.number:
            count.right += 1
        elif answer == -1 - self.number:
            # The model was given it twice.
            count.twice += 1
        else:
            count.wrong.append((self.number, answer))

    def give_up(self, cause):
        self.pool.count.fail(self.number, cause)
        self.number = None
        self.transport.close()

    def connection_lost(self, error):
        if self.number is not None:
            self.pool.count.fail(self.number, f"the connection was closed: {error}")
            self.number = None
        if self in self.pool.idle:
            self.pool.idle.remove(self)
        self.pool.all.discard(self)


class Pool:
    def __init__(self, host, port, path):
        self.host, self.port = host, int(port)
        self.head = (f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
                     "Content-Length: %d\r\n\r\n").encode()
        self.idle, self.all, self.opening, self.count = [], set(), set(), Count()

    async def open(self, number, due):
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self), self.host, self.port)
        except OSError as error:
            self.count.fail(number, f"no connection: {error}")
            return
        self.all.add(connection)
        connection.ask(number, due)

    def ask(self, number, due):
        self.count.sent += 1
        if self.idle:
            self.idle.pop().ask(number, due)
        else:
            task = asyncio.ensure_future(self.open(number, due))
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)

    @property
    def open_requests(self):
        return [connection for connection in self.all if connection.number is not None]


async def main(host, port, path, rate, seconds):
    pool, rate, seconds = Pool(host, port, path), float(rate), float(seconds)
    begin = time.perf_counter()
    number = 0
    while number < rate * seconds:
        while number < rate * seconds and (due := begin + number / rate) <= time.perf_counter():
            pool.ask(number, due)
            number += 1
        for connection in pool.open_requests:
            if time.perf_counter() - connection.due > LIMIT:
                connection.give_up(f"no answer within {LIMIT} s")
        await asyncio.sleep(0.001)
    deadline = time.perf_counter() + LIMIT
    while (pool.open_requests or pool.opening) and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    for connection in pool.open_requests:
        connection.give_up(f"no answer within {LIMIT} s")
    seconds = time.perf_counter() - begin
    # An answer too many may still come.
    await asyncio.sleep(0.5)
    count = pool.count
    times = sorted(count.times) or [0.0]
    print(json.dumps({
        "sent": count.sent, "right": count.right, "failed": len(count.failures), "failures": count.failures[:20],
        "wrong": len(count.wrong), "wrongs": count.wrong[:20],
        "twice": count.twice, "uncalled": count.uncalled, "connections": len(pool.all),
        "lost": count.sent - count.right - len(count.failures) - len(count.wrong) - count.twice,
        "seconds": seconds,
        "p50": 1000 * times[len(times) // 2], "p99": 1000 * times[int(len(times) * 0.99)], "max": 1000 * times[-1],
    }))


asyncio.run(main(*sys.argv[1:]))
