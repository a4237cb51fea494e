"""A model of PyTorch as large as that of irises. Run by the Python of TorchServe's environment."""

import sys

import torch


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 3)

    def forward(self, rows):
        return self.linear(rows)


torch.jit.script(Linear()).save(sys.argv[1])
