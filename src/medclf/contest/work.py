"""The process of one entry: a job comes in, lines of JSON go out.

    python -P -m medclf.contest.work < job

The job is a pickle that the parent has just made; nothing of it is kept. Each line tells how far
the work is, and the last one how it ended. What goes wrong is told likewise, so that the contest
goes on.
"""

import json
import pickle
import sys
import traceback
from dataclasses import asdict
from typing import Any

from medclf.contest.outcome import Job, Outcome, Step
from medclf.errors import MedclfError


def main() -> None:
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own parent sends it
    _say({"ended": attempt(job).to_json()})


def attempt(job: Job) -> Outcome:
    """Do a job, and give its failure as an outcome too."""

    def tell(step: Step) -> None:
        _say({"step": asdict(step)})

    try:
        return job.run(tell)
    except MedclfError as problem:
        return Outcome(reason=str(problem))
    except MemoryError:
        return Outcome(reason="there was not enough memory")
    except Exception as problem:
        traceback.print_exc()
        first = (str(problem).splitlines() or [""])[0]
        return Outcome(reason=f"{type(problem).__name__}: {first}")


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
