"""A handler for TorchServe, and so for Takumi: the row's class. Instances come one by one, as KServe's envelope has it."""

import torch
from ts.torch_handler.base_handler import BaseHandler


class Handler(BaseHandler):
    def preprocess(self, data):
        return torch.tensor(data)

    def postprocess(self, data):
        return data.argmax(1).tolist()
