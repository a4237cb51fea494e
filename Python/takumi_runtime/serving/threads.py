"""Lets a model that generates text answer while the socket is read: requests to stop must be seen meanwhile."""

import os
import queue
import threading

from .calls import answer
from .codec import dumps, loads
from .errors import log_traceback
from .openai_api import BadRequest


class Cancellation(threading.Event):
    """Set where the client has gone; what waits for something else than tokens can have that ended too."""

    def __init__(self):
        super().__init__()
        self.end = lambda: None

    def set(self):
        super().set()
        self.end()


class Threads:
    """One for infer calls, which are answered in order, and as many for OpenAI's routes as the model has use for."""

    def __init__(self, link, model):
        self.link, self.model = link, model
        self.infer_calls, self.openai_calls = queue.SimpleQueue(), queue.SimpleQueue()
        # Of the calls that wait or run.
        self.cancelled = {}
        self.threads = [threading.Thread(target=self.run, args=(self.infer_calls, self.infer), daemon=True)]
        for _ in range(model.concurrency):
            self.threads.append(threading.Thread(target=self.run, args=(self.openai_calls, self.openai), daemon=True))
        for thread in self.threads:
            thread.start()

    def take(self, header, body):
        if header["op"] == "infer":
            self.infer_calls.put((header, body))
        elif header["op"] == "openai":
            self.cancelled[header["call"]] = Cancellation()
            self.openai_calls.put((header, body))
        elif header["op"] == "cancel":
            event = self.cancelled.get(header["call"])
            if event is not None:
                event.set()

    def finish(self):
        """Waits until what has been taken is answered."""
        self.infer_calls.put(None)
        for _ in self.threads[1:]:
            self.openai_calls.put(None)
        for thread in self.threads:
            thread.join()

    def run(self, calls, work):
        try:
            while (call := calls.get()) is not None:
                work(*call)
        except (BrokenPipeError, ConnectionResetError):
            # The model server has gone.
            os._exit(0)

    def infer(self, header, body):
        self.link.send(*answer(self.model, header, body))

    def openai(self, header, body):
        call = header["call"]
        cancelled = self.cancelled[call]
        exchange = Exchange(self.link, call)
        try:
            if not cancelled.is_set():
                self.model.openai(header["route"], body_of(body), header.get("stream", False), exchange, cancelled)
            if cancelled.is_set():
                exchange.end()
        except BadRequest as error:
            exchange.fail(error)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:
            log_traceback(error)
            exchange.fail(BadRequest(f"{type(error).__name__} : {error}", status=500, kind="server_error"))
        finally:
            del self.cancelled[call]


def body_of(body):
    try:
        return loads(body.tobytes())
    except ValueError as error:
        raise BadRequest(f"We could not parse the JSON body of your request: {error}") from None


class Exchange:
    """Where the answer to a call of OpenAI's routes goes: a reply, or chunks and their end."""

    def __init__(self, link, call):
        self.link, self.number = link, call
        self.started = self.ended = False

    def reply(self, value):
        text = dumps(value)
        self.ended = True
        self.link.send({"call": self.number, "items": [{"json": len(text)}]}, [text])

    def chunk(self, value):
        self.started = True
        self.link.send({"call": self.number, "chunk": True}, [dumps(value)])

    def end(self):
        if not self.ended:
            self.ended = True
            self.link.send({"call": self.number, "end": True})

    def fail(self, error):
        """With a status, or, where chunks have gone out already, as the last of them."""
        if self.ended:
            return
        if self.started:
            self.chunk({"error": {key: value for key, value in error.item.items() if key != "status"}})
            self.end()
            return
        self.ended = True
        item = dict(error.item)
        item["error"] = item.pop("message")
        self.link.send({"call": self.number, "items": [item]})
