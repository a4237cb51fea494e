"""The few parts of torchvision.transforms that TorchServe's image handlers need, for images without torchvision."""

import sys
import types

import numpy as np
import torch


class Compose:
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, image):
        for transform in self.transforms:
            image = transform(image)
        return image


class Resize:
    """The shorter side to `size`; both where it is a pair."""

    def __init__(self, size):
        self.size = size

    def __call__(self, image):
        from PIL import Image

        width, height = image.size
        if isinstance(self.size, int):
            short, long = sorted((width, height))
            stretched = int(self.size * long / short)
            size = (self.size, stretched) if width <= height else (stretched, self.size)
        else:
            size = (self.size[1], self.size[0])
        return image.resize(size, Image.Resampling.BILINEAR)


class CenterCrop:
    def __init__(self, size):
        self.size = (size, size) if isinstance(size, int) else tuple(size)

    def __call__(self, image):
        height, width = self.size
        left, top = round((image.width - width) / 2), round((image.height - height) / 2)
        # Beyond the image's edges it is black.
        return image.crop((left, top, left + width, top + height))


class ToTensor:
    """Channels first, from 0 to 1."""

    def __call__(self, image):
        array = np.array(image)
        array = array[:, :, None] if array.ndim == 2 else array
        tensor = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
        return tensor.to(torch.get_default_dtype()).div(255) if tensor.dtype == torch.uint8 else tensor


class Normalize:
    def __init__(self, mean, std):
        self.mean, self.std = torch.tensor(mean)[:, None, None], torch.tensor(std)[:, None, None]

    def __call__(self, tensor):
        return (tensor - self.mean) / self.std


def stand_in():
    """As torchvision itself, while its handlers are imported."""
    module, inner = types.ModuleType("torchvision"), types.ModuleType("torchvision.transforms")
    for kind in (Compose, Resize, CenterCrop, ToTensor, Normalize):
        setattr(inner, kind.__name__, kind)
    module.transforms, module.__version__ = inner, "0.28.0"
    return {"torchvision": module, "torchvision.transforms": inner}


class StandIn:
    """`with StandIn():` gives those that import torchvision the above, where there is none that works."""

    def __enter__(self):
        try:
            import torchvision  # noqa: F401
        except (ImportError, RuntimeError):
            # One that was built for another torch leaves its modules half done.
            self.forget()
            sys.modules.update(stand_in())
            self.placed = True
        else:
            self.placed = False

    def __exit__(self, *_):
        if self.placed:
            self.forget()

    def forget(self):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
