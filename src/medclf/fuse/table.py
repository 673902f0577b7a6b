"""The fusers by name: how a recipe may ask for the images of an exam to be joined.

They take any number, of which any may lack. `SideBySide` is none of them: it gives each view a
place of its own, which planes and scales have and the images of an exam have not.

To add one, write its file and its line here.
"""

from collections.abc import Callable
from difflib import get_close_matches

from medclf.errors import SettingError
from medclf.fuse.attention import Attention
from medclf.fuse.fuser import Fuser
from medclf.fuse.pooling import Maximum, Mean
from medclf.fuse.recurrent import Recurrent

# From the features of each image.
FUSERS: dict[str, Callable[[int], Fuser]] = {
    "mean": Mean,
    "max": Maximum,
    "attention": Attention,
    "gated_attention": lambda width: Attention(width, gated=True),
    "recurrent": lambda width: Recurrent(width, both_ways=True),
}


def make_fuser(name: str, width: int) -> Fuser:
    """Make a fuser.

    Args:
        name: One of `FUSERS`.
        width: Features of each image.

    Raises:
        SettingError: there is no such fuser; the message names the nearest.

    Example:
        >>> make_fuser("recurrent", width=5).features
        256
    """
    if name not in FUSERS:
        near = get_close_matches(name, FUSERS, n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        raise SettingError(f"fuse is one of {', '.join(FUSERS)}, not {name!r}{hint}")
    return FUSERS[name](width)
