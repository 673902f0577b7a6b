"""A volume turned so that its axes run to the head, the back and the left of the patient.

Files store slices as they were scanned: sagittal, coronal, or feet first. Here axes are exchanged
and turned round, never resampled, so an oblique volume stays oblique and every value stays as it
is. Two files of one volume, stored each in another order, come out alike.

Source: docs/decisions/0009; the order is that of DICOM's patient coordinate system (LPS).
"""

from dataclasses import replace

from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.prepare.placement import Placement


def orient(image: Image, where: str) -> tuple[Image, Placement]:
    """Turn a volume to the patient's order.

    Args:
        image: A still volume.
        where: Names the file in messages.

    Returns:
        The volume, whose values share memory with those given; and its place in the one given.

    Raises:
        ReadError: the file does not say in which directions its axes run.
    """
    if image.grid.axes is None:
        raise ReadError(
            f"{where}: the directions of its axes wanted, to turn it to the patient's order, "
            "found none in the file"
        )
    order, backwards = image.grid.patient_order()
    values = image.values.transpose(0, *(axis + 1 for axis in order))
    values = values[(slice(None), *(slice(None, None, -1 if back else 1) for back in backwards))]
    ends = [image.space[axis] - 1.0 for axis in order]
    placement = Placement(
        order,
        tuple(end if back else 0.0 for end, back in zip(ends, backwards, strict=True)),
        tuple(-1.0 if back else 1.0 for back in backwards),
    )
    return replace(image, values=values, grid=placement.grid(image.grid)), placement
