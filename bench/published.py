"""The published MedMNIST recipe, as its authors run it, so that ours can be held against it.

ResNet-18 with a small stem (in 3D its convolutions made 3D), Adam 1e-3 divided by 10 at 50 and 75 %
of the epochs, batch 128, float32, each image transformed by itself in Python, and train, validation
and test scored after every epoch; the epoch of the best validation AUC counts.

Source: Yang et al. MedMNIST v2. Scientific Data 2023, and its experiments' code.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import models, transforms

BATCH = 128
RATE = 1e-3
AUC = {"pneumoniamnist": 0.944, "breastmnist": 0.901, "adrenalmnist3d": 0.827}
ACCURACY = {"pneumoniamnist": 0.854, "breastmnist": 0.863, "adrenalmnist3d": 0.721}


class Images(Dataset):
    """One split, transformed image by image."""

    def __init__(self, path: Path, split: str) -> None:
        with np.load(path) as packed:
            self.values = packed[f"{split}_images"]
            self.labels = packed[f"{split}_labels"].ravel().astype(int)
        self.split = split
        self.picture = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.ToTensor(),
                transforms.Normalize([0.5], [0.5]),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        values = self.values[index]
        if values.ndim == 2:
            return self.picture(values), self.labels[index]
        # Their transform for shapes: a random factor in training, one half in evaluation.
        factor = np.random.uniform() if self.split == "train" else 0.5
        return torch.from_numpy(values[None].astype(np.float32) * factor), self.labels[index]


def build(dims: int) -> nn.Module:
    """Build their ResNet-18: a 3 x 3 stem of stride 1, no max-pool; in 3D by conversion."""
    network = models.resnet18(num_classes=2)
    network.conv1 = nn.Conv2d(1, 64, 3, 1, 1, bias=False)
    network.maxpool = nn.Identity()
    if dims == 3:
        _convert(network)
        network.avgpool = nn.AdaptiveAvgPool3d(1)
    return network


def _convert(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d):
            new = nn.Conv3d(
                child.in_channels,
                child.out_channels,
                child.kernel_size[0],
                child.stride[0],
                child.padding[0],
                bias=child.bias is not None,
            )
            setattr(module, name, new)
        elif isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.BatchNorm3d(child.num_features))
        else:
            _convert(child)


@dataclass
class Published:
    """Their training, an epoch at a time, with the schedule scaled to `epochs`."""

    path: Path
    epochs: int
    seed: int

    def __post_init__(self) -> None:
        torch.manual_seed(self.seed)
        np.random.seed(self.seed)
        self.sets = {split: Images(self.path, split) for split in ("train", "val", "test")}
        self.network = build(self.sets["train"].values.ndim - 1)
        self.optimizer = torch.optim.Adam(self.network.parameters(), RATE)
        steps = [int(0.5 * self.epochs), int(0.75 * self.epochs)]
        self.schedule = torch.optim.lr_scheduler.MultiStepLR(self.optimizer, steps, 0.1)

    def train_epoch(self, most: int | None = None) -> int:
        """Train one epoch, or its first `most` steps; the steps done."""
        self.network.train()
        loader = DataLoader(self.sets["train"], BATCH, shuffle=True)
        for step, (values, labels) in enumerate(loader):
            if most is not None and step >= most:
                return step
            loss = nn.functional.cross_entropy(self.network(values), labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        self.schedule.step()
        return len(loader)

    @torch.no_grad()
    def score(self, split: str) -> tuple[float, float]:
        """AUC and accuracy of a split."""
        self.network.eval()
        loader = DataLoader(self.sets[split], BATCH)
        shares = torch.cat([self.network(values).softmax(1)[:, 1] for values, _ in loader])
        labels = self.sets[split].labels
        right = (shares.numpy() >= 0.5) == labels
        return float(roc_auc_score(labels, shares)), float(right.mean())
