"""Where tensors are computed: on a GPU where there is one, else on the processor."""

import torch


def pick_device() -> torch.device:
    """Give CUDA, Apple's MPS, or the processor, whichever is there first."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
