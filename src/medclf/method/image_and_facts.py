"""Pixels with age, sex, history, site: what is known of the patient beside what is seen.

Facts join the feature of the image (concatenation), scale and shift it (modulation), or add an
opinion of their own to the answer (late). They may be missing, and are hidden by chance in
training, so that the method also works without them.

Source: Perez, Strub, de Vries, Dumoulin, Courville. FiLM: Visual Reasoning with a General
Conditioning Layer. AAAI 2018 (modulation); Pacheco, Krohling. The Impact of Patient Clinical
Information on Automated Skin Cancer Detection. Computers in Biology and Medicine, 2020.
"""

from typing import Literal

from medclf.errors import SettingError
from medclf.fuse.facts import Concatenation, Encoder, LateFusion, Modulation
from medclf.fuse.table import make_fuser
from medclf.look.hidden import Hidden
from medclf.look.seen import Seen, alone
from medclf.method.asked import Asked
from medclf.method.joined import Joined, WithFacts

JOINS = ("concatenation", "modulation", "late")


def build(
    asked: Asked,
    join: Literal["concatenation", "modulation", "late"] = "concatenation",
    fuse: str = "mean",
    hide: float = 0.1,
    hide_all: float = 0.2,
) -> Joined:
    """Build the method.

    Args:
        join: How facts and pixels meet.
        fuse: Joins the images of an exam of several: a fuser of `medclf.fuse.table`.
        hide: Chance of a fact to be hidden in training.
        hide_all: Chance of an exam to have all its facts hidden in training.
    """
    if join not in JOINS:
        raise SettingError(f"method.options.join is one of {', '.join(JOINS)}, not {join!r}")
    if not asked.facts:
        raise SettingError("facts about the patients wanted, the recipe names none in [facts]")
    look = Hidden(Seen(asked.channels, asked.size, asked.changes, alone), hide, hide_all)
    networks = asked.networks(asked.channels, asked.size)
    fuser = make_fuser(fuse, asked.width(networks[0]))
    encoder = Encoder(len(asked.facts))
    outputs = asked.lesson.task.outputs
    facts: WithFacts
    if join == "late":
        facts = LateFusion(outputs, encoder)
    elif join == "modulation":
        facts = Modulation(fuser.features, encoder)
    else:
        facts = Concatenation(fuser.features, encoder)
    fuser = asked.fused(fuser, networks[0], facts)
    return Joined(networks, look, fuser, asked.lesson, asked.changes.mix, facts)
