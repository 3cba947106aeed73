"""Which stage of a backend is at fault: the same program is compiled again, each time with one stage left out.

| left out | by | if it then agrees |
|---|---|---|
| the framework's own layers | `Options.natives` | native |
| layouts of the backend's own | `Options.spec_layout` | layout |
| folding of modules into classes, and of turns into loops | `dlc.passes.apart` | folding |

What still differs is the rule of the equation that was found, or a parameter that it reads (`dlc.verify.reading`). A
call whose own equations all agree has no rule: how it is put together is at fault (a lost state, a swapped operand).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dlc.ir import Program
from dlc.passes.apart import apart

NATIVE, LAYOUT, FOLDING, RULE, ASSEMBLY, WEIGHTS = "native", "layout", "folding", "rule", "assembly", "weights"

#: What is said of an equation whose result differs, by stage.
WORDS = {
    NATIVE: "the framework's own layer is at fault: written out in the block's own equations, it agrees",
    LAYOUT: "the backend's layout is at fault: with all axes in the spec's order, it agrees",
    FOLDING: "folding is at fault: printed as a class of its own, without loops, it agrees",
    RULE: "its rule is at fault",
    WEIGHTS: "it reads another parameter than the spec's, or one that was loaded wrongly",
    ASSEMBLY: "its own equations agree: how they are put together is at fault",
}


@dataclass(frozen=True, slots=True)
class Way:
    """How to compile: with the framework's layers, with the backend's layouts."""

    natives: bool = True
    spec_layout: bool = False


#: Whether what differs agrees when this program is compiled this way.
Agrees = Callable[[Program, Way], bool]


def stage_of(program: Program, agrees: Agrees, primitive: bool) -> str:
    """The stage at fault in `program`, which differs when it is compiled with everything.

    `primitive`: an equation of an op differs, not a call. Natives have no part in that: its operands agree.
    """
    if not primitive and agrees(program, Way(natives=False)):
        return NATIVE
    if agrees(program, Way(natives=primitive, spec_layout=True)):
        return LAYOUT
    if agrees(apart(program), Way(natives=primitive)):
        return FOLDING
    return RULE if primitive else ASSEMBLY
