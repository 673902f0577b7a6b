import pytest

from medclf.errors import SettingError
from medclf.net.sheet import fill_sheet


def test_stages_add_up_and_have_the_blocks_of_the_paper():
    sheet = fill_sheet("resnet34", 3, (224, 224))
    assert [len(stage.blocks) for stage in sheet.stages] == [1, 1, 3, 4, 6, 3]
    assert sum(stage.cost.weights for stage in sheet.stages) == sheet.cost.weights == 21_284_672
    products = [stage.cost.multiply_adds for stage in sheet.stages]
    assert sum(products) == sheet.cost.multiply_adds
    for stage in sheet.stages[2:]:
        assert all(block.added for block in stage.blocks)
        assert sum(block.cost.weights for block in stage.blocks) == stage.cost.weights
    assert sheet.features == sheet.cost.shape[0] == 512


def test_ways_of_an_inception_lie_side_by_side():
    stages = {stage.name: stage for stage in fill_sheet("googlenet", 1, (64, 64)).stages}
    module = stages["inception3a"]
    assert module.beside
    assert [block.cost.shape[0] for block in module.blocks] == [64, 128, 32, 32]
    assert sum(block.cost.weights for block in module.blocks) == module.cost.weights
    assert not stages["conv2"].beside


def test_blocks_are_the_parts_with_weights_or_the_stage_itself():
    stages = {stage.name: stage for stage in fill_sheet("vgg16", 3, (32, 32)).stages}
    assert [block.cost.shape[0] for block in stages["conv3"].blocks] == [256] * 3
    assert stages["pool3"].blocks[0].cost == stages["pool3"].cost
    assert not any(block.added for stage in stages.values() for block in stage.blocks)


@pytest.mark.parametrize("size", [(28, 28, 28), (24, 96, 96)])
def test_volumes_and_options(size):
    sheet = fill_sheet("sprint", 1, size, width=16)
    assert sheet.features == 64
    assert len(sheet.cost.field) == 3
    with pytest.raises(SettingError, match="sprint has no option 'widht'"):
        fill_sheet("sprint", 1, size, widht=16)
