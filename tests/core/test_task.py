import json
from dataclasses import asdict

import pytest

from medclf.core.task import Task


@pytest.mark.parametrize(
    "task", [Task(("a", "b"), "ranked"), Task(tuple("abc"), sets=(("one", ("a", "b")),))]
)
def test_a_task_comes_back_from_what_json_keeps(task):
    assert Task.from_plain(json.loads(json.dumps(asdict(task)))) == task
