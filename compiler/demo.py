"""`make demo`: five families of networks, on real data, compiled for three frameworks and compared number by number.

Run from a checkout: `python -m dlc.demo [FOLDER]`. The generated code is left in FOLDER (`build/demo`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlc
from dlc import demo_data
from dlc.diagnostics import DlcError
from dlc.verify.backends import find_backend, missing_needs
from dlc.verify.report import AGREES, Case, Report
from dlc.verify.workers import Workers

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EXAMPLES = Path("examples")
BACKENDS = {"torch": "PyTorch", "tensorflow": "TensorFlow", "onnx": "ONNX"}


@dataclass(frozen=True, slots=True)
class Task:
    """A network and the real data that it is run on."""

    family: str
    network: dlc.Network
    data: str
    inputs: dict[str, Any]


def tasks(examples: Path = EXAMPLES) -> Iterator[Task]:
    """The networks in small configurations, full size where that is quick."""

    def network(file: str, name: str) -> dlc.Network:
        return dlc.load(examples / file)[name]

    digits = demo_data.digits(16)
    yield Task("convolution", network("lenet.dl", "LeNet5"), "16 handwritten digits", {"image": digits})
    yield Task("GAN pair", network("dcgan.dl", "Discriminator"), "16 handwritten digits", {"image": digits})
    yield Task("GAN pair", network("dcgan.dl", "Generator"), "8 draws of noise", {"z": demo_data.noise(8, 100)})
    characters = demo_data.characters(4, 48)
    yield Task("recurrence", network("char_lstm.dl", "CharLSTM"), "192 letters of a poem", {"tokens": characters})
    pairs, words = demo_data.sentence_pairs(8)
    translator = network("seq2seq.dl", "Seq2Seq").with_settings(source_vocab=words, target_vocab=words, hidden=64)
    yield Task("recurrence", translator, "8 pairs of sentences", pairs)
    transformer = network("transformer.dl", "Transformer")
    small = transformer.with_settings(vocab=words, width=64, heads=4, inner=128, layers=2)
    yield Task("attention", small, "8 pairs of sentences", pairs)
    karate = demo_data.graph("karate_club")
    club = network("graph.dl", "GCN").with_settings(classes=2).with_sizes(F=len(karate["features"]))
    yield Task("graphs", club, "34 karate club members", karate)
    novel = demo_data.graph("les_miserables")
    characters_of = network("gat.dl", "GAT").with_settings(classes=3).with_sizes(F=len(novel["features"]))
    yield Task("graphs", characters_of, "77 novel characters", novel)


def main(folder: Path, examples: Path = EXAMPLES) -> int:
    """Exit code 0 if all backends agree on everything."""
    from rich.console import Console

    console = Console(highlight=False)
    started = time.monotonic()
    usable = [name for name in BACKENDS if missing_needs(find_backend(name)) is None]
    for name in (name for name in BACKENDS if name not in usable):
        console.print(
            f"{BACKENDS[name]} is not installed and left out: {missing_needs(find_backend(name))}", markup=False
        )
    results = _run(list(tasks(examples)), usable, folder, console)
    console.print(_table(results, usable))
    code = 0
    for _, report in results:
        code = max(code, report.exit_code)
        for text in report.problems():
            console.print(text, markup=False)
    cases = [case for _, report in results for case in report.cases]
    agreed = sum(case.status == AGREES for case in cases)
    console.print(f"{agreed} of {len(cases)} comparisons with the NumPy reference in float64 agree", end=" ")
    console.print(f"(inference and training; {time.monotonic() - started:.0f} s).")
    console.print(f"The generated code is in {folder}/: begin with {folder / 'lenet_torch.py'}", soft_wrap=True)
    return code


def _run(found: list[Task], usable: list[str], folder: Path, console: Console) -> list[tuple[Task, Report]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.description}")
    columns = (SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results: list[tuple[Task, Report]] = []
    with Workers() as workers, Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("starting", total=len(found))
        for task in found:
            progress.update(bar, description=f"{task.network.name} on {task.data}")
            _write(task, folder)
            report = dlc.verify(task.network, backends=usable, inputs=task.inputs, workers=workers)
            results.append((task, report))
            verdict = "agree" if report.agreed else "[bold red]do NOT agree[/]"
            progress.print(
                f"{task.family}: {task.network.name} on {task.data}: {len(report.cases)} comparisons {verdict}"
            )
            progress.advance(bar)
    return results


def _write(task: Task, folder: Path) -> None:
    """The code for all frameworks, installed or not, and initial weights.

    A file whose networks need no settings is written as a whole.
    """
    name = f"{task.network.name}.safetensors"  # beside the ONNX model, which names it
    folder.mkdir(parents=True, exist_ok=True)
    task.network.write_weights(folder / name)
    plain = not task.network.settings and not task.network.sizes
    for backend in BACKENDS:
        (task.network.file if plain else task.network).compile(backend).write(folder)


def _table(results: list[tuple[Task, Report]], usable: list[str]) -> Table:
    """A row per network: for each framework the largest error, as a share of what is allowed."""
    from rich.table import Table

    table = Table(
        title="Largest difference from the reference, of what rounding allows",
        box=None,
        title_justify="left",
        pad_edge=False,
    )
    for title in ("network", "real data", *(BACKENDS[name] for name in usable)):
        table.add_column(title, no_wrap=True)
    for task, report in results:
        by_backend = [[case for case in report.cases if case.backend == name] for name in usable]
        table.add_row(task.network.name, task.data, *map(_cell, by_backend))
    return table


def _cell(cases: list[Case]) -> str:
    wrong = next((case for case in cases if case.status != AGREES), None)
    if wrong is not None or not cases:
        return f"[bold red]{wrong.status if wrong else 'nothing'}[/]"
    outputs = [output for case in cases for output in case.outputs]
    worst = max(outputs, key=lambda output: output.error / (output.tolerance or 1.0))
    return f"[green]{_short(worst.error)}[/] of {_short(worst.tolerance)}"


def _short(number: float) -> str:
    """Two characters less than `.0e`: 2e-7."""
    return f"{number:.0e}".replace("e-0", "e-")


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo")))
    except DlcError as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
