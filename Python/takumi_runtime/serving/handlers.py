"""Calls of a handler written for TorchServe."""

import torch

from . import envelopes
from .errors import Refusal
from .model import Json, Model
from .modules import Converter, blame, columns
from .torchserve import RequestProcessor


def base_handler():
    """The class that most handlers derive from; None where none of it has been imported."""
    import sys

    module = sys.modules.get("ts.torch_handler.base_handler")
    return getattr(module, "BaseHandler", None)


class HandlerModel(Model):
    platform = "pytorch"

    def __init__(self, entry, handler, context, envelope, options):
        self.entry, self.handler, self.context = entry, handler, context
        self.envelopes = {protocol: envelopes.chosen(envelope, protocol) for protocol in ("v1", "v2")}
        base = base_handler()
        own = handler is None or base is None or not isinstance(handler, base)

        def inherited(*names):
            return not own and all(getattr(type(handler), name) is getattr(base, name) for name in names)

        # What BaseHandler itself does takes tensors as well as the lists that TorchServe makes of JSON, only faster.
        self.takes_tensors = envelope == "auto" and inherited("preprocess", "handle")
        self.is_plain = self.takes_tensors and inherited("inference", "postprocess")
        # Errors about shapes are the request's fault, where none of the handler's code computes.
        self.blames = self.takes_tensors and inherited("inference")
        self.batch = self.is_plain or context.system_properties["batch_size"] > 1
        module = getattr(handler, "model", None)
        self.converter = None
        if self.takes_tensors:
            self.converter = Converter(module, getattr(handler, "device", None) or torch.device("cpu"))
        self.explains = callable(getattr(handler, "get_insights", None)) or self.explain_method() is not None
        if self.is_plain:
            from .modules import ModuleModel

            self.module = ModuleModel(module, self.converter.device, options)
            self.inputs = self.module.inputs

    def explain_method(self):
        """A handler's own `explain(data, context)`. BaseHandler has a flag of that name."""
        method = getattr(self.handler, "explain", None)
        return method if callable(method) else None

    def warm_up(self):
        if self.is_plain:
            self.module.warm_up()
            self.outputs = self.module.outputs

    def infer(self, call):
        explains = call.verb == "explain"
        if self.is_plain and not explains:
            return self.run_plain(call)
        if self.takes_tensors and not explains and (call.bodies is None or call.count == 1):
            return self.run_with_tensors(call)
        return self.run(call)

    # MARK: BaseHandler's own steps

    def run_plain(self, call):
        """As `handle` would, without making lists of what the model returned."""
        given = columns(call)
        try:
            result = self.handler.inference(*(self.converter.tensor(array) for array in given.values()))
        except Exception as error:
            blamed = blame(error)
            raise blamed from (error if blamed is not error else None)
        return self.converter.outputs(result)

    def run_with_tensors(self, call):
        given = columns(call)
        if len(given) != 1:
            return self.run(call)
        # Whole numbers stay what they are, as with TorchServe: the handler's own code may count on it.
        tensor = self.converter.tensor(next(iter(given.values())), whole=True)
        self.place(call, [len(tensor)])
        try:
            result = self.called(self.entry, tensor)
        except Exception as error:
            blamed = blame(error) if self.blames else error
            raise blamed from (error if blamed is not error else None)
        counts = [len(tensor)] if call.count == 1 else call.rows
        return self.replies(call, result, counts, envelopes.KServeV1())

    # MARK: TorchServe's contract

    def run(self, call):
        envelope = self.envelopes[call.protocol]
        parts = [envelope.rows(one) for one in call.each()] if call.count > 1 else [envelope.rows(call)]
        counts = [len(part) for part in parts]
        self.place(call, counts)
        data = parts[0] if len(parts) == 1 else [row for part in parts for row in part]
        entry = self.explain_method() if call.verb == "explain" else None
        return self.replies(call, self.called(entry or self.entry, data), counts, envelope)

    def place(self, call, counts):
        """Tells the context of the requests. A handler asks by the index of a row, and mostly for the first one."""
        ids, processors = {}, []
        for item, count in zip(call.items, counts):
            headers = item.get("headers") or {}
            if call.verb == "explain":
                headers = {**headers, "explain": "True"}
            processor = RequestProcessor(headers)
            for _ in range(max(count, 1)):
                ids[len(processors)] = item.get("id")
                processors.append(processor)
        context = self.context
        context.request_ids, context.request_processor = ids, processors
        if call.protocol == "v2" and call.arrays is not None:
            context.input_names = list(call.arrays)
            context.input_request_id = ids[0]

    def called(self, entry, data):
        try:
            return entry(data, self.context)
        except Exception as error:
            # TorchServe's PredictionException, which brings a status of its own.
            if hasattr(error, "error_code") and hasattr(error, "message"):
                raise Refusal(str(error.message), int(error.error_code)) from error
            raise

    def replies(self, call, result, counts, envelope):
        """One reply for each request."""
        if call.count == 1:
            return [self.reply(call, result, 0, envelope)]
        if not isinstance(result, (list, tuple)) or len(result) != sum(counts):
            raise ValueError("the handler must return a list with one entry for each that it was given")
        answers, start = [], 0
        for one, count in zip(call.each(), counts):
            answers.append(self.reply(one, list(result[start : start + count]), start, envelope))
            start += count
        return answers

    def reply(self, call, result, row, envelope):
        processor = self.context.request_processor[row]
        if processor.status >= 400:
            return Refusal(processor.phrase or str(result), processor.status)
        answer = envelope.answer(call, result)
        kind = processor.response.get("content-type")
        if kind and isinstance(answer, Json):
            answer.content_type = kind
        return answer
