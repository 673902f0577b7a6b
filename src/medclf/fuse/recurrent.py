"""A recurrent network reads the views in order: slices from end to end, or patches row by row.

Absent views are passed over, so an exam gives what it would give if they had never been counted.
The state after the last view, or the mean of the states, becomes the feature of the exam.

Source: Gao, Lin, Wong. Automatic Feature Learning to Grade Nuclear Cataracts Based on Deep
Learning. IEEE Transactions on Biomedical Engineering 2015 (a recurrent network over patches). Cho
et al. Learning Phrase Representations using RNN Encoder-Decoder. EMNLP 2014 (GRU). Hochreiter,
Schmidhuber. Long Short-Term Memory. Neural Computation 1997.
"""

from typing import Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from medclf.errors import SettingError
from medclf.fuse.fuser import settle
from medclf.net.precision import without_autocast
from medclf.net.start import fill_uniform

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}
TAKES = ("last", "mean")


class Recurrent(nn.Module):
    """Read views one after the other.

    Args:
        width: Features of each view.
        hidden: Units of the state, in each direction.
        cell: "gru" or "lstm".
        both_ways: Whether a second network reads from the last view to the first.
        take: "last" state, of each direction the one that has read all views, or "mean" of states.

    Shape:
        (B, V, width), (B, V) -> (B, hidden), or (B, 2 * hidden) where both ways are read

    Raises:
        SettingError: `cell` or `take` is unknown, or `hidden` below 1.
    """

    def __init__(
        self,
        width: int,
        hidden: int = 128,
        cell: Literal["gru", "lstm"] = "gru",
        both_ways: bool = False,
        take: Literal["last", "mean"] = "last",
    ) -> None:
        super().__init__()
        if cell not in CELLS or take not in TAKES or hidden < 1:
            raise SettingError(
                f"cell {' or '.join(CELLS)}, take {' or '.join(TAKES)} and 1 hidden unit or more "
                f"wanted, not {cell!r}, {take!r} and {hidden}"
            )
        self.cell = CELLS[cell](width, hidden, batch_first=True, bidirectional=both_ways)
        self.take, self.features = take, hidden * (1 + both_ways)

    def draw(self, generator: Generator) -> None:
        """Draw the first weights: uniform, within one over the root of the units."""
        for weight in self.cell.parameters():
            fill_uniform(weight, self.cell.hidden_size**-0.5, generator)

    def forward(self, features: Tensor, present: Tensor | None = None) -> Tensor:
        with without_autocast(features.device):
            return self._read(*settle(features, present))

    def _read(self, seen: Tensor, there: Tensor) -> Tensor:
        """Move the views that are there to the front, in their order, and read as many."""
        order = (~there).to(torch.uint8).argsort(dim=1, stable=True)
        ahead = seen.gather(1, order[..., None].expand_as(seen))
        counts = there.sum(1)
        packed = pack_padded_sequence(ahead, counts.cpu(), batch_first=True, enforce_sorted=False)
        states, end = self.cell(packed)
        if self.take == "mean":
            padded, _ = pad_packed_sequence(states, batch_first=True)
            mean: Tensor = padded.sum(1) / counts[:, None]
            return mean
        last: Tensor = end[0] if isinstance(self.cell, nn.LSTM) else end
        return last.movedim(0, 1).flatten(1)
