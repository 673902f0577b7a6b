"""An exam is a bag of images: any number of them, in any order, some of them missing.

One network sees every image; what it saw is joined, and the exam is judged once. Attention tells
which images the answer comes from.

Source: Ilse, Tomczak, Welling. Attention-based Deep Multiple Instance Learning. ICML 2018.
"""

from medclf.fuse.table import make_fuser
from medclf.look.seen import Seen, alone
from medclf.method.asked import Asked
from medclf.method.joined import Joined


def build(asked: Asked, fuse: str = "gated_attention") -> Joined:
    """Build the method.

    Args:
        fuse: A fuser of `medclf.fuse.table`.
    """
    look = Seen(asked.channels, asked.size, asked.changes, alone)
    networks = asked.networks(asked.channels, asked.size)
    fuser = asked.fused(make_fuser(fuse, asked.width(networks[0])), networks[0])
    return Joined(networks, look, fuser, asked.lesson, asked.changes.mix)
