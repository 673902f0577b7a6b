"""`medclf datasets`: the published data sets with their counts."""

import json


def test_the_list_has_a_row_for_each_and_tells_how_to_get_it(medclf):
    told = medclf("datasets")
    assert told.code == 0
    rows = {line.split()[0]: line.split() for line in told.out.splitlines()}
    assert rows["dermamnist"][1:7] == ["3×28×28", "7", "exclusive", "7,007", "1,003", "2,005"]
    assert rows["imagenet"][1:7] == ["3×any", "1000", "exclusive", "1,281,167", "50,000", "–"]
    assert rows["nodulemnist3d"][1] == "1×28×28×28"
    assert "imagenet: register at image-net.org" in told.out
    assert "the others: medclf fetch NAME" in told.out


def test_programs_read_it(medclf):
    told = json.loads(medclf("datasets", "--json").out)["datasets"]
    assert len(told) == 22
    retina = next(one for one in told if one["name"] == "retinamnist")
    assert retina["kind"] == "ranked"
    assert retina["size"] == [28, 28]
    assert retina["get"] == "medclf fetch retinamnist"
    assert "retinal" in retina["content"]
