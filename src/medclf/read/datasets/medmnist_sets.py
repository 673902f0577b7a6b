"""The eighteen sets of MedMNIST: checksum at 28 pixels, counts, and classes in their order.

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
        content: What the images show.
        counts: Images to train, to validate and to test.
        classes: Names in the order of the class numbers.
        kind: As in `Task`.
        channels: 3 for colour.
        licence: Of the images.
    """

    md5: str
    content: str
    counts: tuple[int, int, int]
    classes: tuple[str, ...]
    kind: Kind = "exclusive"
    channels: int = 1
    licence: str = "CC BY 4.0"

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
        "colon tissue, stained",
        (89_996, 10_004, 7180),
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
        channels=3,
    ),
    "chestmnist": Published(
        "02c8a6516a18b556561a56cbdd36c4a8",
        "chest X-rays",
        (78_468, 11_219, 22_433),
        (
            *("atelectasis", "cardiomegaly", "effusion", "infiltration", "mass", "nodule"),
            *("pneumonia", "pneumothorax", "consolidation", "edema", "emphysema", "fibrosis"),
            *("pleural", "hernia"),
        ),
        "coexisting",
    ),
    "dermamnist": Published(
        "0744692d530f8e62ec473284d019b0c7",
        "dermatoscopy",
        (7007, 1003, 2005),
        (
            "actinic keratoses and intraepithelial carcinoma",
            "basal cell carcinoma",
            "benign keratosis-like lesions",
            "dermatofibroma",
            "melanoma",
            "melanocytic nevi",
            "vascular lesions",
        ),
        channels=3,
        licence="CC BY-NC 4.0",
    ),
    "octmnist": Published(
        "c68d92d5b585d8d81f7112f81e2d0842",
        "retinal OCT",
        (97_477, 10_832, 1000),
        ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    ),
    "pneumoniamnist": Published(
        "28209eda62fecd6e6a2d98b1501bb15f",
        "chest X-rays of children",
        (4708, 524, 624),
        ("normal", "pneumonia"),
    ),
    "retinamnist": Published(
        "bd4c0672f1bba3e3a89f0e4e876791e4",
        "retinal photographs",
        (1080, 120, 400),
        ("0", "1", "2", "3", "4"),
        "ranked",
        channels=3,
    ),
    "breastmnist": Published(
        "750601b1f35ba3300ea97c75c52ff8f6",
        "breast ultrasound",
        (546, 78, 156),
        ("malignant", "normal, benign"),
    ),
    "bloodmnist": Published(
        "7053d0359d879ad8a5505303e11de1dc",
        "blood cells, microscopy",
        (11_959, 1712, 3421),
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
        channels=3,
    ),
    "tissuemnist": Published(
        "ebe78ee8b05294063de985d821c1c34b",
        "kidney cells, microscopy",
        (165_466, 23_640, 47_280),
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
    "organamnist": Published(
        "68e3f8846a6bd62f0c9bf841c0d9eacc",
        "abdominal CT, axial",
        (34_561, 6491, 17_778),
        _SLICED_ORGANS,
    ),
    "organcmnist": Published(
        "b9ceb9546e10131b32923c5bbeaea2b1",
        "abdominal CT, coronal",
        (12_975, 2392, 8216),
        _SLICED_ORGANS,
    ),
    "organsmnist": Published(
        "9ab87b696fb54e2a387ebe992d6ed5f1",
        "abdominal CT, sagittal",
        (13_932, 2452, 8827),
        _SLICED_ORGANS,
    ),
    "organmnist3d": Published(
        "a0c5a1ff56af4f155c46d46fbb45a2fe", "abdominal CT", (971, 161, 610), _WHOLE_ORGANS
    ),
    "nodulemnist3d": Published(
        "8755a7e9e05a4d9ce80a24c3e7a256f3", "chest CT", (1158, 165, 310), ("benign", "malignant")
    ),
    "adrenalmnist3d": Published(
        "bbd3c5a5576322bc4cdfea780653b1ce",
        "shapes from abdominal CT",
        (1188, 98, 298),
        ("normal", "hyperplasia"),
    ),
    "fracturemnist3d": Published(
        "6aa7b0143a6b42da40027a9dda61302f",
        "chest CT",
        (1027, 103, 240),
        ("buckle rib fracture", "nondisplaced rib fracture", "displaced rib fracture"),
    ),
    "vesselmnist3d": Published(
        "b41fd4f7e7e2feedddb201585ecafa1b",
        "shapes from brain MRA",
        (1335, 191, 382),
        ("vessel", "aneurysm"),
    ),
    "synapsemnist3d": Published(
        "1235b78a3cd6280881dd7850a78eadb6",
        "electron microscopy",
        (1230, 177, 352),
        ("inhibitory synapse", "excitatory synapse"),
    ),
}
