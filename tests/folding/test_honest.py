"""Constructors are honest: each argument, at other values than its default, gives the network that `--set` gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from agreement import ROOT
from honesty import Tally, check, others

HERE = Path(__file__).parent
#: Nets of today, small.
SPECS = tuple(sorted((HERE / "honest").glob("*.dl")))
#: Where outputs are compared too, in the default run; in the slow one they are compared everywhere.
COMPARED = frozenset({"leftovers", "vae"})
MORE = (
    *sorted((HERE / "cases").glob("*.dl")),
    *sorted((HERE.parent / "user").glob("*.dl")),
    *(
        ROOT / "examples" / f"{name}.dl"
        for name in ("char_lstm", "densenet", "gat", "graph", "lenet", "seq2seq", "unet")
    ),
)


def _require_honest(tally: Tally) -> None:
    assert not tally.wrong, "\n".join(tally.wrong)
    assert not tally.unrun, "\n".join(tally.unrun)
    assert tally.right, "nothing was tried"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_networks_and_blocks(path: Path) -> None:
    _require_honest(check(path, outputs=path.stem in COMPARED, most=2))


@pytest.mark.slow
@pytest.mark.parametrize("natives", [True, False], ids=["natives", "plain"])
@pytest.mark.parametrize("path", [*SPECS, *MORE], ids=lambda path: path.stem)
def test_networks_and_blocks_with_outputs(path: Path, natives: bool) -> None:
    tally = check(path, natives=natives)
    assert not tally.wrong, "\n".join(tally.wrong)


def test_values_that_are_tried() -> None:
    assert others(True) == [False]
    assert others(3) == [4, 6, 1]
    assert others((2, 5)) == [(2, 5, 5), (2,), (3, 6)]


def test_a_lie_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With sizes printed as the numbers that they are, and the arguments all the same."""
    from dlc.backends.common.merging import Merging
    from dlc.backends.common.size_leaving import Leaving

    monkeypatch.setattr(Merging, "fix", lambda *_: None)
    monkeypatch.setattr(Leaving, "_after", lambda *_: None)
    tally = check(HERE / "honest" / "leftovers.dl", outputs=False, most=2)
    assert any("Ladder(widths" in line for line in tally.wrong)
