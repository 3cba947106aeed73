"""The intermediate representation: typed, flat, in order, values by id.

A **Module** is the code of one block for given hyperparameters, input types and mode. An **Instance** owns parameters
and has a path segment inside the module that made it. A **call** is an equation that names (instance, module, dimension
bindings). Modules are pure: (inputs, parameters, buffers, states, draws) -> (outputs, next buffers, next states).

Loops, lists and compile-time choices are gone. What the Python emitters need to print them again is kept as
provenance, which has no meaning and which every other backend ignores: the `source` of a `Static`, the `origin` of an
equation (`provenance.py`), and the `bind` equations, which say that the spec's name now stands for a value.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlc.dims import Size
from dlc.provenance import Arm, Choice, Frame, Loop, Origin, Static, Turn, exact
from dlc.spec.record import field, record
from dlc.spec.source import Span
from dlc.spec.syntax import NOWHERE, Expr

# --- types -----------------------------------------------------------------------------------------------------

#: `float` and `int` are families: the compile's precision gives them their width (f32 and i64 unless told otherwise).
DTYPES = ("float", "int", "bool", "f16", "bf16", "f32", "f64", "i32", "i64")
FLOATS = ("float", "f16", "bf16", "f32", "f64")
INTS = ("int", "i32", "i64")


@record
class TensorType:
    """An element type of `DTYPES` and a shape of sizes (ints and symbolic dimensions)."""

    dtype: str
    shape: tuple[Size, ...]

    @property
    def rank(self) -> int:
        return len(self.shape)

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


# --- blocks as values ------------------------------------------------------------------------------------------


@record
class Template:
    """A block as a value (`unit=bottleneck`, `score=additive_score(64)`): which block, and what is bound already."""

    block: BlockId
    hyperparameters: tuple[tuple[str, Static], ...] = ()


@record
class LayerRef:
    """The value of a `layer` hyperparameter: an instance of the owner, by its number there."""

    instance: int


@record
class BlockId:
    """A block's identity: the file that declares it (`std/linear.dl` for the standard library) and its name."""

    file: str
    name: str

    @property
    def standard(self) -> bool:
        return self.file.startswith("std/")

    def __str__(self) -> str:
        return f"{self.file}:{self.name}"


# --- equations -------------------------------------------------------------------------------------------------


@record
class Call:
    """Target of a `call` equation.

    Inputs of the equation: one value per input of the callee's `inputs` (none is absent there), then one per state in
    the callee's `states`. Outputs: the callee's outputs, then its next states. `dims` gives the callee's formal
    dimensions in the caller's symbols. The callee's next buffers are written to the instance (no outputs), see
    `Module`.
    """

    instance: int
    module: str
    dims: tuple[tuple[str, Size], ...] = ()


@record
class Lane:
    """A value that a scan reads or stacks step by step: the cell's input or output, and the axis of time outside."""

    name: str
    axis: int


@record
class Scan:
    """Target of a `scan` equation over a cell.

    Equation inputs, in order: `scanned` values (each has the axis of time that its lane says), `captured` values,
    initial states (one per state of the module), then `lengths` (int[N]) if `has_lengths`. The callee's inputs are
    named by `scanned` and `captured`; an input in neither is absent. Outputs: the cell's outputs named by `stacked`, in
    the cell's order, each stacked along its lane's axis (an output that nobody wants is in no lane), then final states.
    With lengths, outputs at and after a row's length are 0 and its states stay; reversed, a row starts at its last
    valid step. Row n of the batch is axis 0 of outputs and states. `steps`, a size, is the number of time steps.
    """

    instance: int
    module: str
    scanned: tuple[Lane, ...]
    captured: tuple[str, ...]
    stacked: tuple[Lane, ...]
    steps: Static
    reverse: bool = False
    has_lengths: bool = False
    dims: tuple[tuple[str, Size], ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The cell's inputs that are there, in the order of the equation's."""
        return (*(lane.name for lane in self.scanned), *self.captured)


@record
class Read:
    """Target of a `read` equation: a parameter of an instance, by its path below it (`tokens.weight`)."""

    instance: int
    parameter: str


@record
class Bind:
    """Target of a `bind` equation: the spec's `name` now stands for `content`.

    content: a value id, a nested tuple of these (a list), or None for what is no tensor. The equation has no inputs and
    no outputs, and no meaning: it is provenance.
    """

    name: str
    content: Content


Content = int | None | tuple["Content", ...]
Target = Call | Scan | Read | Bind


@record
class Equation:
    """`outputs = op(inputs; attributes)`: a primitive's name, or `call`, `scan`, `read`, `bind` with a `target`."""

    op: str
    inputs: tuple[int | None, ...]
    outputs: tuple[int, ...]
    attributes: tuple[tuple[str, Static], ...] = ()
    target: Target | None = None
    origin: Origin = field(default=Origin(), compare=False)

    def attribute(self, name: str) -> object:
        """The plain value of an attribute; raises KeyError if there is none."""
        return dict(self.attributes)[name].value

    def static(self, name: str) -> Static:
        return dict(self.attributes)[name]


# --- modules ---------------------------------------------------------------------------------------------------


@record
class Port:
    """A named input, output, next state or next buffer and the value that it is."""

    name: str
    value: int
    #: For an integer input: the half-open range that its values must keep to.
    bounds: tuple[Size, Size] | None = None


@record
class Distribution:
    """An initial value: `constant(value)`, `uniform(low, high)`, `normal(mean, std)`, `xavier_uniform(gain)`, ...

    A param or buffer with `= e`, e not a plain number, has the name "expression" and holds its number(s) in arguments;
    or the name "computed" and the key of a module of the program: ops over earlier parameters of the same block, which
    are its inputs by name; its one output is the value.
    """

    name: str
    arguments: tuple[Static, ...] = ()


@record
class Parameter:
    """A parameter or buffer that the module's own block declares. Its shape has only ints.

    `shape_source` holds one expression per axis (as `Static.source`), or None.
    """

    name: str
    kind: str  # "param" or "buffer"
    value: int
    initial: Distribution
    shape_source: tuple[Expr | None, ...] = field(default=(), compare=False)


@record
class State:
    """A state of a cell: old value, and its start.

    `name` is `h` for the block's own state and `path.h` for one lifted from a nested instance. `initial` is a number
    that fills the state, or None where a caller must give it.
    """

    name: str
    value: int
    initial: Static | None = None


@record
class Draw:
    """A random draw: `sample u: float[N, D] ~ uniform(0, 1)`."""

    name: str
    value: int
    distribution: Distribution


@record
class Instance:
    """An instance made in this module's body, or given to it by a `layer` hyperparameter.

    `path` is its name relative to the owner (`conv_bn_2`, `unit.0.3`); `site` the name without the turns (`unit`).
    `hyperparameters` are what its block was called with, all of them, defaults included, as Statics in the owner's
    scope; `written` the names of those that the spec gives explicitly. Values may be `Static`, and Static.value may
    hold a `Template`. `shared` is true where the spec bound the instance to a name (`w = dense(64)`) of its own.
    """

    path: str
    site: str
    block: BlockId
    hyperparameters: tuple[tuple[str, Static], ...]
    written: tuple[str, ...] = ()
    given: str | None = None
    shared: bool = False
    origin: Origin = field(default=Origin(), compare=False)


#: In place of a home's axis: the input's value is the size.
ITSELF = -1


@record
class Home:
    """Where a formal dimension is read at run time: axis `axis` of input (or state) `port` has size `size`.

    `size` is an expression in the symbol that is linear, mostly the bare symbol: 2*T means T = shape[axis] // 2. With
    the axis ITSELF, `port` is an integer (int[]) that is the size itself: what a `size` hyperparameter was given.
    """

    symbol: str
    port: str
    axis: int
    size: Size


@record
class Module:
    """The code of one block for given hyperparameters, input types and mode. See the module docstring.

    `key` is unique in the program and stable (`conv_bn#2`). `types[i]` is the type of value i. `dims` are the values of
    the block's dimension names: ints, or formal symbols. `absent` lists optional inputs that are not there.

    Buffers are the one effect, and they are threaded in the order of the body: a module reads its own buffers as they
    stand when it is called, its `next_buffers` are written when it returns, and whatever comes later in the order (the
    next call of the same instance, the next step of a scan, a `read`) sees them.

    A module declares every parameter of its block, used or not, so that all modules of an instance agree.
    """

    key: str
    block: BlockId
    doc: str | None
    hyperparameters: tuple[tuple[str, Static], ...]
    dims: tuple[tuple[str, Size], ...]
    homes: tuple[Home, ...]
    training: bool
    inputs: tuple[Port, ...]
    absent: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    states: tuple[State, ...]
    draws: tuple[Draw, ...]
    instances: tuple[Instance, ...]
    types: tuple[TensorType, ...]
    body: tuple[Equation, ...]
    outputs: tuple[Port, ...]
    next_states: tuple[Port, ...]
    next_buffers: tuple[Port, ...]
    loops: tuple[Loop, ...] = field(default=(), compare=False)
    choices: tuple[Choice, ...] = field(default=(), compare=False)
    #: The block's input declarations in text order, present or not, as (name, optional).
    signature: tuple[tuple[str, bool], ...] = ()
    span: Span = field(default=NOWHERE, compare=False)
    #: "prepare" or "step" where the block's code is split in what a scan computes once and what it computes at each
    #: step (`passes/hoist.py`): two modules that run on one instance. Else "".
    part: str = ""


@record
class Program:
    """One network: its modules, callees before callers, and the entry.

    Inference and training are two programs made from one spec; `training` says which this is. Modules for training
    stand in a program for training only; it may hold modules for inference too (`inference(net)(x)` in a train step).
    """

    network: str
    modules: tuple[Module, ...]
    entry: str
    training: bool = False
    #: Hyperparameters of the network that a factory function binds (`network ResNet50 = ResNet(bottleneck, ...)`).
    configuration: tuple[tuple[str, Static], ...] = ()

    def module(self, key: str) -> Module:
        """Raises KeyError if there is none."""
        for module in self.modules:
            if module.key == key:
                return module
        raise KeyError(key)

    @property
    def table(self) -> Mapping[str, Module]:
        """The modules by key; made anew at each access, so keep it."""
        return {module.key: module for module in self.modules}


__all__ = [
    "DTYPES",
    "FLOATS",
    "INTS",
    "ITSELF",
    "Arm",
    "Bind",
    "BlockId",
    "Call",
    "Choice",
    "Content",
    "Distribution",
    "Draw",
    "Equation",
    "Frame",
    "Home",
    "Instance",
    "Lane",
    "LayerRef",
    "Loop",
    "Module",
    "Origin",
    "Parameter",
    "Port",
    "Program",
    "Read",
    "Scan",
    "State",
    "Static",
    "Target",
    "Template",
    "TensorType",
    "Turn",
    "exact",
]
