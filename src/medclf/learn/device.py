"""Where tensors are computed."""

import torch


def pick_device() -> torch.device:
    """Give CUDA, Apple's MPS, or the processor, whichever is there first."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
