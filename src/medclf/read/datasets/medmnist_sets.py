"""The eighteen sets of MedMNIST: checksum at 28 pixels, and classes in the order of the numbers.

Source: Yang et al. MedMNIST v2. Scientific Data 10:41, 2023; the table INFO of the package
medmnist 3.0.2; the files are record 10519652 of Zenodo.
"""

from dataclasses import dataclass

from medclf.core.task import Kind, Task


@dataclass(frozen=True)
class Published:
    """One set as published.

    Args:
        md5: Checksum of the .npz of 28 pixels.
        classes: Names in the order of the class numbers.
        kind: As in `Task`.
    """

    md5: str
    classes: tuple[str, ...]
    kind: Kind = "exclusive"

    @property
    def task(self) -> Task:
        return Task(self.classes, self.kind)


_SLICED_ORGANS = (
    *("bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right"),
    *("liver", "lung-left", "lung-right", "pancreas", "spleen"),
)

_WHOLE_ORGANS = (
    *("liver", "kidney-right", "kidney-left", "femur-right", "femur-left", "bladder"),
    *("heart", "lung-right", "lung-left", "spleen", "pancreas"),
)

SETS: dict[str, Published] = {
    "pathmnist": Published(
        "a8b06965200029087d5bd730944a56c1",
        (
            "adipose",
            "background",
            "debris",
            "lymphocytes",
            "mucus",
            "smooth muscle",
            "normal colon mucosa",
            "cancer-associated stroma",
            "colorectal adenocarcinoma epithelium",
        ),
    ),
    "chestmnist": Published(
        "02c8a6516a18b556561a56cbdd36c4a8",
        (
            *("atelectasis", "cardiomegaly", "effusion", "infiltration", "mass", "nodule"),
            *("pneumonia", "pneumothorax", "consolidation", "edema", "emphysema", "fibrosis"),
            *("pleural", "hernia"),
        ),
        "coexisting",
    ),
    "dermamnist": Published(
        "0744692d530f8e62ec473284d019b0c7",
        (
            "actinic keratoses and intraepithelial carcinoma",
            "basal cell carcinoma",
            "benign keratosis-like lesions",
            "dermatofibroma",
            "melanoma",
            "melanocytic nevi",
            "vascular lesions",
        ),
    ),
    "octmnist": Published(
        "c68d92d5b585d8d81f7112f81e2d0842",
        ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    ),
    "pneumoniamnist": Published("28209eda62fecd6e6a2d98b1501bb15f", ("normal", "pneumonia")),
    "retinamnist": Published(
        "bd4c0672f1bba3e3a89f0e4e876791e4", ("0", "1", "2", "3", "4"), "ranked"
    ),
    "breastmnist": Published("750601b1f35ba3300ea97c75c52ff8f6", ("malignant", "normal, benign")),
    "bloodmnist": Published(
        "7053d0359d879ad8a5505303e11de1dc",
        (
            "basophil",
            "eosinophil",
            "erythroblast",
            "immature granulocytes(myelocytes, metamyelocytes and promyelocytes)",
            "lymphocyte",
            "monocyte",
            "neutrophil",
            "platelet",
        ),
    ),
    "tissuemnist": Published(
        "ebe78ee8b05294063de985d821c1c34b",
        (
            "Collecting Duct, Connecting Tubule",
            "Distal Convoluted Tubule",
            "Glomerular endothelial cells",
            "Interstitial endothelial cells",
            "Leukocytes",
            "Podocytes",
            "Proximal Tubule Segments",
            "Thick Ascending Limb",
        ),
    ),
    "organamnist": Published("68e3f8846a6bd62f0c9bf841c0d9eacc", _SLICED_ORGANS),
    "organcmnist": Published("b9ceb9546e10131b32923c5bbeaea2b1", _SLICED_ORGANS),
    "organsmnist": Published("9ab87b696fb54e2a387ebe992d6ed5f1", _SLICED_ORGANS),
    "organmnist3d": Published("a0c5a1ff56af4f155c46d46fbb45a2fe", _WHOLE_ORGANS),
    "nodulemnist3d": Published("8755a7e9e05a4d9ce80a24c3e7a256f3", ("benign", "malignant")),
    "adrenalmnist3d": Published("bbd3c5a5576322bc4cdfea780653b1ce", ("normal", "hyperplasia")),
    "fracturemnist3d": Published(
        "6aa7b0143a6b42da40027a9dda61302f",
        ("buckle rib fracture", "nondisplaced rib fracture", "displaced rib fracture"),
    ),
    "vesselmnist3d": Published("b41fd4f7e7e2feedddb201585ecafa1b", ("vessel", "aneurysm")),
    "synapsemnist3d": Published(
        "1235b78a3cd6280881dd7850a78eadb6", ("inhibitory synapse", "excitatory synapse")
    ),
}
