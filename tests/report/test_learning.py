from medclf.report.contents import Epoch
from medclf.report.learning import ROWS_SHOWN, tell_training


def rows(members, epochs, **known):
    return [
        Epoch(m, e, 1 / e, rate=1e-3, seconds=e / 2, **known)
        for m in range(members)
        for e in range(1, epochs + 1)
    ]


def test_several_networks_have_a_line_each():
    told = tell_training(rows(3, 4, val_loss=0.5, val_auc=0.9))
    assert told.words.startswith("3 networks learnt for 4 epochs each; an epoch took 0.5 s.")
    assert "best AUC on validation was .900 to .900" in told.words
    assert [chart.title for chart in told.charts] == ["Loss", "AUC on validation"]
    # Each line has a dot per epoch: 3 networks, training and validation.
    assert told.charts[0].svg.count("<use") == 3 * 4 * 2
    assert told.charts[1].svg.count("<use") == 3 * 4


def test_networks_that_the_budget_ended_earlier_are_told():
    told = tell_training([row for row in rows(2, 5) if (row.member, row.epoch) < (1, 4)])
    assert told.words.startswith("2 networks learnt for 3 to 5 epochs each;")


def test_without_validation_only_the_loss_is_drawn():
    told = tell_training(rows(1, 50))
    assert told.words == "One network learnt for 50 epochs; an epoch took 0.5 s."
    assert [chart.title for chart in told.charts] == ["Loss"]
    assert told.charts[0].key == ()
    assert told.rows[0] == ("1", "1", "1.0000", "–", "–", "0.5", "0.001")


def test_a_long_log_is_cut_and_says_so():
    told = tell_training(rows(4, 100))
    assert len(told.rows) == ROWS_SHOWN
    assert told.rows[-1][:2] == ("4", "100")
    assert told.caption == "The last 300 of 400 rows"


def test_one_epoch_and_a_loss_that_broke_down_can_be_drawn():
    told = tell_training([Epoch(0, 1, float("nan"), 0.7, float("nan"))])
    assert told.rows[0][2:5] == ("–", ".7000", "–")


def test_no_log_is_nothing_to_tell():
    assert tell_training([]) is None
