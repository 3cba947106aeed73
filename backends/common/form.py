"""The merged class of a block, as structure: what `merge` builds, `prove` checks and the emitters print.

A `Form` is a small program over *references* instead of value ids. Run with one module's arguments, it gives back that
module's instances and equations, in order (`prove`). Loops are loops again, choices are choices.

References to a value:
- `Own(name)`: an input, parameter, buffer or state of the module;
- `Var(name)`: what the spec's name stands for at this point (assigned by `Bind`);
- `Temp(id)`: the result that a node of the form gave when it last ran;
- `Element(name, index)`: an entry of the list that a name stands for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dlc.dims import Size
from dlc.ir import BlockId, Choice, Distribution, Draw, Module, Scan, TensorType
from dlc.spec.syntax import Expr

#: The part of a block, and the method of its class, that a scan's caller calls once.
PREPARE = "prepare"

# --- constants -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """The same plain value in all merged modules (no run-time size in it). `derived`: it has no source of its own."""

    value: object
    derived: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression over hyperparameters, dimension names and loop variables."""

    source: Expr


@dataclass(frozen=True, slots=True)
class Runtime:
    """A size in the symbols `port.axis` (see `Home`)."""

    size: Size


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple, item by item."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Extent:
    """An expression over sizes of variables: `x.1` in it is the size of axis 1 of what `x` stands for (see `extents`).

    In a `Make` and a `Bind` it is known when the class is constructed, in a `Run` it is read from `x` there.
    """

    source: Expr


@dataclass(frozen=True, slots=True)
class Turns:
    """The number of the current turn of the enclosing loop at this depth (0 is the outermost)."""

    depth: int


Value = Known | Formula | Runtime | Items | Extent | Turns

# --- references ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Own:
    name: str


@dataclass(frozen=True, slots=True)
class Var:
    name: str


@dataclass(frozen=True, slots=True)
class Temp:
    id: int


@dataclass(frozen=True, slots=True)
class Element:
    name: str
    index: Value


Ref = Own | Var | Temp | Element


@dataclass(frozen=True, slots=True)
class Spread:
    """All entries of the list that a name stands for, or the results of a Temp in all turns of its loop."""

    source: str | int


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of values."""

    items: tuple[Ref | Spread | Listing, ...]


#: None is what is no tensor: an absent input.
Reference = Ref | Listing | None

# --- nodes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slot:
    """An instance: its site and one index per enclosing loop at the place where it is made."""

    site: str
    indices: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Handed:
    """A layer that a call hands on, with the layers that it holds itself, by its hyperparameters."""

    slot: Slot
    layers: tuple[tuple[str, Handed], ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What an instance is an object of: the number of a class in `Folded.classes`."""

    index: int


@dataclass(frozen=True, slots=True)
class Convention:
    """How a given layer is called, whatever its class: inputs (name, whether by keyword) and results."""

    inputs: tuple[tuple[str, bool], ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Make:
    """Creates the instance of a slot. `dims`: the sizes of the callee's dimension names."""

    slot: Slot
    block: BlockId
    target: Target
    hyperparameters: tuple[tuple[str, Value], ...]
    dims: tuple[tuple[str, Value], ...]
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """An op. `types` and `results_types` are those of the first merged module."""

    op: str
    operands: tuple[Ref | Spread, ...]
    attributes: tuple[tuple[str, Value], ...]
    results: tuple[int, ...]
    statement: int
    types: tuple[TensorType, ...] = field(default=(), compare=False)
    result_types: tuple[TensorType, ...] = field(default=(), compare=False)
    #: The same of each merged module.
    everywhere: tuple[tuple[tuple[TensorType, ...], tuple[TensorType, ...]], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Invoke:
    """A call: `inputs` by name (None: given as absent), then states. Results: outputs, then next states.

    A given layer may be of several classes: then the target is how all of them are called.
    """

    slot: Slot
    target: Target | Convention
    inputs: tuple[tuple[str, Ref | None], ...]
    states: tuple[Ref, ...]
    results: tuple[int, ...]
    statement: int
    #: Layers that the callee is given (see `held`).
    layers: tuple[tuple[str, Handed], ...] = ()
    #: What of the class is called, as in `Module.part`.
    part: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A scan. `scan` is the first module's target (names, axis, direction are the same in all).

    `steps` is the number of steps where nothing is scanned, else None.
    """

    slot: Slot
    target: Target
    scan: Scan
    scanned: tuple[Ref, ...]
    captured: tuple[Ref, ...]
    states: tuple[Ref, ...]
    lengths: Ref | None
    results: tuple[int, ...]
    statement: int
    layers: tuple[tuple[str, Handed], ...] = ()
    steps: Value | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """Reads a parameter of an instance. `stored`: it is a buffer that calls of the instance may write."""

    slot: Slot
    parameter: str
    results: tuple[int, ...]
    statement: int
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """A random draw."""

    draw: Draw
    shape: tuple[Value, ...]
    arguments: tuple[Value, ...]
    dtype: str
    results: tuple[int, ...]
    statement: int


@dataclass(frozen=True, slots=True)
class Bind:
    name: str
    content: Reference
    #: Sizes of the content's axes as known at construction, for `Extent`.
    extents: tuple[tuple[int, Value], ...] = ()
    statement: int = -1


@dataclass(frozen=True, slots=True)
class Store:
    """Writes a buffer (training mode)."""

    name: str
    value: Ref
    statement: int = -1


@dataclass(frozen=True, slots=True)
class Loop:
    """`lists`: names that stand, turn by turn, for the entries of lists of tensors (see `headers`)."""

    targets: tuple[str, ...]
    iterable: Expr
    body: Sequence
    statement: int
    lists: tuple[tuple[str, Expr], ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """`arms[i]` belongs to `tests[i]`, the last one is `else`. Each arm is taken by some module.

    `late`: only a call knows the arm: the tests read the mode, or whether an optional input is there. Then `__init__`
    makes the parts of all arms.
    """

    tests: tuple[Expr, ...]
    arms: tuple[Sequence | None, ...]
    statement: int
    late: bool = False


Node = Make | Run | Invoke | Step | Fetch | Sample | Bind | Store | Loop | Branch
Sequence = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Weight:
    """A parameter or buffer. `condition`: the test and whether it must hold, where not all modules have it."""

    name: str
    kind: str
    shape: tuple[Value, ...]
    initial: Distribution
    arguments: tuple[Value, ...]
    dtype: str
    condition: tuple[Expr, bool] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """The merged class. `modules` are those it was merged from."""

    block: BlockId
    modules: tuple[Module, ...]
    #: By name, and whether by keyword: what may be absent, and sizes that a call gives (see `given_sizes`).
    inputs: tuple[tuple[str, bool], ...]
    states: tuple[str, ...]
    weights: tuple[Weight, ...]
    body: Sequence
    outputs: tuple[tuple[str, Ref], ...]
    next_states: tuple[tuple[str, Ref], ...]
    #: Of a block in two parts (`Module.part`): the forms of `prepare` and `step`. The form itself is then `step`, with
    #: the body of both.
    parts: tuple[Form, ...] = ()

    def method(self, part: str) -> Form:
        """The form of one part; of a block that is whole, the form itself."""
        return self.parts[part != PREPARE] if self.parts else self

    #: Hyperparameters and dimensions for one value of which it is written, where all modules have that.
    fixed: frozenset[str] = field(default=frozenset(), compare=False)


def walk(body: Sequence) -> Iterator[Node]:
    """All nodes, those inside of loops and branches after their loop or branch."""
    for node in body:
        yield node
        if isinstance(node, Loop):
            yield from walk(node.body)
        if isinstance(node, Branch):
            for arm in node.arms:
                yield from walk(arm or ())


__all__ = [
    "PREPARE",
    "Bind",
    "Branch",
    "Choice",
    "Element",
    "Extent",
    "Fetch",
    "Form",
    "Formula",
    "Invoke",
    "Items",
    "Known",
    "Listing",
    "Loop",
    "Make",
    "Node",
    "Own",
    "Ref",
    "Reference",
    "Run",
    "Runtime",
    "Sample",
    "Sequence",
    "Slot",
    "Spread",
    "Step",
    "Store",
    "Target",
    "Temp",
    "Turns",
    "Value",
    "Var",
    "Weight",
    "walk",
]
