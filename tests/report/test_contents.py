from types import SimpleNamespace

from medclf.report.contents import Setting, tell_settings


def test_settings_are_told_as_a_person_reads_them():
    recipe = SimpleNamespace(
        prepare=SimpleNamespace(size=(28, 32), window=(1.0, 2.0, 3.0, 4.0)),
        facts=SimpleNamespace(numbers=("age", "weight"), words=()),
        net=SimpleNamespace(options={"width": 16}),
    )
    keys = ("prepare.size", "prepare.window", "facts.numbers", "facts.words", "net.options")
    told = tell_settings(recipe, dict.fromkeys(keys, "so"))
    assert told[0] == Setting("prepare.size", "28 × 32", "so")
    assert [one.value for one in told[1:]] == [
        "1.0, 2.0, 3.0, 4.0",
        "age, weight",
        "none",
        "width 16",
    ]
