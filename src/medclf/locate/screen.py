"""Screening: a network that learnt to judge small cubes judges all cubes of a volume in one pass.

A convolution does not care how large its input is. So the body runs over the whole volume, the
linear head becomes a convolution of one sample, and the mean over a cube's map becomes a mean over
a window of the volume's map, which moves cell by cell. Neighbouring cubes share their work. The
score of cell j is that of the cube that begins at sample `step * j` along each axis; `Lattice`
tells where its middle lies. Large volumes go in tiles that overlap by what a cube needs.

The scores are those of the cubes one by one, to rounding, where no layer looks beyond its cube: of
our families Dou (cubes from 16 samples up) and LeNet (from 32), and any chain of unpadded layers.
All others pad their maps with zeros: a cube by itself sees zeros beyond its border, where the
volume has tissue. Their scores can differ by as much as those of two places do
(docs/experiments.md, family by family), and depend on the borders of tiles in the same way; so a
first stage wants a body without padding. Norms by group or instance, which look at the whole map,
are refused.

Source: Dou et al. Automatic Detection of Cerebral Microbleeds From MR Images via 3D Convolutional
Neural Networks. IEEE Transactions on Medical Imaging 2016, section II-B and equations 3 to 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from medclf.core.grid import Grid
from medclf.errors import SettingError
from medclf.net.cost import measure_cost
from medclf.net.head import Classifier
from medclf.net.nd import layers
from medclf.net.precision import without_autocast

TILE = 160
"""Edge of a tile in samples: a map of 64 channels at full size then takes 1 GB."""


@dataclass(frozen=True)
class Lattice:
    """Where the cells of a map lie in the volume that it was made of.

    Args:
        first: Sample in the middle of the first cube, along each axis; between two samples where
            the edge is even.
        step: Samples from one cell to the next, along each axis.
    """

    first: tuple[float, ...]
    step: tuple[int, ...]

    def grid(self, grid: Grid) -> Grid:
        """Give the grid of the cells from that of the samples."""
        spacing, origin = grid.spacing_mm, grid.origin_mm
        if spacing is None:
            return grid
        known = origin is not None and grid.axes is not None
        apart = tuple(mm * step for mm, step in zip(spacing, self.step, strict=True))
        start = tuple(grid.to_mm(np.array(self.first)).tolist()) if known else None
        return replace(grid, spacing_mm=apart, origin_mm=start)


class Screen(nn.Module):
    """A classifier of cubes, or of squares, made to judge all of them at once.

    Args:
        network: Learnt on cubes; mean pool and linear head. It is used, not copied, put to use
            (`eval`) and laid out channels last.
        channels: Of the volume.
        size: Edges of a cube in samples, z first.

    Shape:
        (B, channels, *space) -> (B, outputs, *cells), where cells = (space - size) // step + 1

    Raises:
        SettingError: the head is another, a norm looks at the whole map, or a volume is smaller
            than a cube.

    Example:
        >>> from medclf.net.table import build_classifier
        >>> chance = torch.Generator().manual_seed(0)
        >>> screen = Screen(build_classifier("lenet5", 2, 1, (32, 32), chance), 1, (32, 32))
        >>> screen(torch.zeros(1, 1, 64, 48)).shape
        torch.Size([1, 2, 9, 5])
    """

    def __init__(self, network: Classifier, channels: int, size: Sequence[int]) -> None:
        super().__init__()
        if network.pool != "mean" or network.forest is not None:
            found = network.pool if network.forest is None else "a forest"
            raise SettingError(f"a screen wants mean pool and a linear head, found {found}")
        if any(isinstance(m, nn.GroupNorm) for m in network.modules()):
            raise SettingError(
                "a screen wants norm = batch, weights or plain; found one that looks at the whole"
                " map, which is another for the volume than for the cube"
            )
        self.order = layers(len(size)).memory_format
        self.network = network.eval().to(memory_format=self.order)
        self.channels, self.size = channels, tuple(size)
        cost = measure_cost(network.body, channels, size)
        self.step, window = cost.step, cost.shape[1:]
        self.window = layers(len(size)).avg_pool(window, stride=1)
        self.edges = window
        self.lattice = Lattice(tuple((edge - 1) / 2 for edge in size), self.step)

    def forward(self, volumes: Tensor) -> Tensor:
        cells = self.cells(volumes.shape[2:])
        # What no cube covers is cut off, so that the last cell ends where the volume does.
        used = tuple(slice(n) for n in (*volumes.shape[:2], *self._reach(cells)))
        last = self.network.body(volumes[used].contiguous(memory_format=self.order))
        wanted = tuple(n + edge - 1 for n, edge in zip(cells, self.edges, strict=True))
        if last.shape[2:] != wanted:
            found = f"{wanted} wanted, found {tuple(last.shape[2:])}"
            raise SettingError(f"a body that gives a cell every {self.step} samples: {found}")
        head = self.network.linear
        with without_autocast(last.device):
            scores = linear(last.movedim(1, -1).to(head.weight.dtype), head.weight, head.bias)
            means: Tensor = self.window(scores.movedim(-1, 1))
        return means

    def cells(self, space: Sequence[int]) -> tuple[int, ...]:
        """Count the cubes along each axis of a volume.

        Raises:
            SettingError: it is smaller than a cube, or has other axes.
        """
        if len(space) != len(self.size) or any(np.less(space, self.size)):
            raise SettingError(f"a volume from {self.size} up wanted, found {tuple(space)}")
        return tuple(
            (n - edge) // step + 1
            for n, edge, step in zip(space, self.size, self.step, strict=True)
        )

    @torch.inference_mode()
    def tiled(self, volume: Tensor, tile: int = TILE) -> Tensor:
        """Judge all cubes of a large volume, tile by tile.

        Args:
            volume: (channels, *space) on the processor; a tile at a time goes to the network.
            tile: Edge of a tile in samples, at least that of a cube. Memory goes with its cube,
                lost work with the edge of a cube over it.

        Returns:
            (outputs, *cells), on the processor.

        Raises:
            SettingError: the volume or the tile is smaller than a cube.
        """
        cells = self.cells(volume.shape[1:])
        most = self.cells([tile] * len(cells))
        # As few tiles as may be, and those alike: small ones would be nearly all overlap.
        each = [-(-n // -(-n // many)) for n, many in zip(cells, most, strict=True)]
        found = volume.new_empty(self.network.linear.out_features, *cells)
        device = self.network.linear.weight.device
        starts = [range(0, n, many) for n, many in zip(cells, each, strict=True)]
        for start in product(*starts):
            ends = [min(a + n, all_) for a, n, all_ in zip(start, each, cells, strict=True)]
            count = [end - a for a, end in zip(start, ends, strict=True)]
            corner = [a * step for a, step in zip(start, self.step, strict=True)]
            part = [slice(a, a + n) for a, n in zip(corner, self._reach(count), strict=True)]
            target = [slice(a, end) for a, end in zip(start, ends, strict=True)]
            found[:, *target] = self(volume[:, *part][None].to(device))[0].to(found)
        return found

    def _reach(self, cells: Sequence[int]) -> tuple[int, ...]:
        """Tell how many samples so many cubes in a row cover."""
        rows = zip(cells, self.size, self.step, strict=True)
        return tuple((n - 1) * step + edge for n, edge, step in rows)
