"""The fusers by name: how a recipe may ask for the views of an exam to be joined.

To add one, write its file and its line here.
"""

from collections.abc import Callable
from difflib import get_close_matches

from medclf.errors import SettingError
from medclf.fuse.attention import Attention
from medclf.fuse.concatenate import SideBySide
from medclf.fuse.fuser import Fuser
from medclf.fuse.pooling import Maximum, Mean
from medclf.fuse.recurrent import Recurrent

# From the features of each view, and how many views an exam has at most.
FUSERS: dict[str, Callable[[int, int], Fuser]] = {
    "mean": lambda width, views: Mean(width),
    "max": lambda width, views: Maximum(width),
    "attention": lambda width, views: Attention(width),
    "gated_attention": lambda width, views: Attention(width, gated=True),
    "recurrent": lambda width, views: Recurrent(width, both_ways=True),
    "side_by_side": lambda width, views: SideBySide(width, views),
}


def make_fuser(name: str, width: int, views: int) -> Fuser:
    """Make a fuser.

    Args:
        name: One of `FUSERS`.
        width: Features of each view.
        views: Of an exam, the absent ones included; only views side by side ask for it.

    Raises:
        SettingError: there is no such fuser; the message names the nearest.

    Example:
        >>> make_fuser("side_by_side", width=5, views=3).features
        15
    """
    if name not in FUSERS:
        near = get_close_matches(name, FUSERS, n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        raise SettingError(f"fuse is one of {', '.join(FUSERS)}, not {name!r}{hint}")
    return FUSERS[name](width, views)
