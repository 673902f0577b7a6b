"""The process of one entry: a job comes in, lines of JSON go out.

    python -P -m medclf.contest.work < job

The job comes as JSON. Each line tells how far the work is, and the last one how it ended. What
goes wrong is told likewise, so that the contest goes on.
"""

import json
import sys
import traceback
from dataclasses import asdict
from typing import Any

from medclf.contest.baseline import Baseline
from medclf.contest.outcome import Job, Outcome, Step
from medclf.core.plain import from_plain, to_plain
from medclf.errors import MedclfError


def main() -> None:
    _say({"ended": attempt(unpack(sys.stdin.read())).to_json()})


def pack(job: Job) -> str:
    """Write a job as JSON."""
    return json.dumps({"kind": type(job).__name__, "job": to_plain(job)})


def unpack(text: str) -> Job:
    """Read a job that `pack` wrote. Only that of a network imports torch."""
    plain = json.loads(text)
    kind: Any = Baseline
    if plain["kind"] == "Network":
        from medclf.contest.network import Network

        kind = Network
    job: Job = from_plain(kind, plain["job"])
    return job


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
