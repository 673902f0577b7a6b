"""The command line: one command per verb, each in its own file.

A mistake of the user ends in one line on the error stream and exit code 1; wrong usage in exit
code 2; Ctrl-C in 130. Commands import what is heavy when they run, so that help comes at once.
"""

import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Annotated

import typer

from medclf import __version__
from medclf.cli.compare import compare
from medclf.cli.convert import convert
from medclf.cli.datasets import datasets
from medclf.cli.deidentify import deidentify
from medclf.cli.demo import demo
from medclf.cli.evaluate import evaluate
from medclf.cli.features import features
from medclf.cli.fetch import fetch
from medclf.cli.inspect import inspect
from medclf.cli.join import join
from medclf.cli.methods import methods
from medclf.cli.nets import nets
from medclf.cli.plan import plan
from medclf.cli.predict import predict
from medclf.cli.split import split
from medclf.cli.train import train
from medclf.errors import MedclfError

COMMANDS: tuple[Callable[..., None], ...] = (
    demo,
    inspect,
    split,
    plan,
    train,
    compare,
    join,
    evaluate,
    predict,
    features,
    convert,
    deidentify,
    fetch,
    nets,
    methods,
    datasets,
)
"""In the order in which help lists them."""

INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in COMMANDS:
    app.command()(_command)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medclf {__version__}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    """Turn scans and a table into a classifier that can be trusted and used."""


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # A name that it cannot spell must not end the work.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="medclf")
    except MedclfError as problem:
        _end(f"error: {problem}", 1)
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        _end(f"error: {where}{problem.strerror or problem}", 1)
    except (MemoryError, RuntimeError) as problem:
        if not _lacks_memory(problem):
            raise
        _end("error: not enough memory: smaller images, batches or networks are wanted", 1)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _end("interrupted", INTERRUPTED)
        raise


def _lacks_memory(problem: Exception) -> bool:
    """Tell whether there is no room for what was wanted, which torch says in words alone."""
    said = ("allocate memory", "out of memory")
    return isinstance(problem, MemoryError) or any(words in str(problem) for words in said)


def _end(line: str, code: int) -> None:
    sys.stderr.write(_in_one_line(line) + "\n")
    sys.exit(code)


def _in_one_line(text: str) -> str:
    r"""Bring a message to one line, and show what a terminal would obey or hide.

    Example:
        >>> _in_one_line("two\nlines, 'a\tb'")
        "two lines, 'a\\tb'"
    """
    line = " ".join(part.strip() for part in text.splitlines())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
