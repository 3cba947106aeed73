"""Random well-typed programs as .dl text: blocks, and a network that uses them, in words of the language.

A program is grown statement by statement: each takes values that are there, of known shapes, and adds one. What the
strategies draw first is what hypothesis shrinks to, so the plainest word stands first in each list.

A shape is a tuple of ints and names ("N", "T": dynamic). Float values stay of moderate size (what grows is bounded by
tanh), so that rounding alone does not decide between agreement and not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

Size = int | str
Shape = tuple[Size, ...]
Draw = Callable[..., object]

SIZES = (2, 1, 3, 4)
SMOOTH = (
    "tanh",
    "sigmoid",
    "sin",
    "cos",
    "silu",
    "softplus",
    "mish",
    "elu",
    "gelu",
    "relu",
    "abs",
    "softsign",
    "negative",
)
#: A value's function of one axis: text with `{x}` and `{axis}`, and whether the axis goes away.
FOLDS = (
    ("mean({x}, axis={axis})", True),
    ("max({x}, axis={axis})", True),
    ("sum({x}, axis={axis}, keepdims=true)", False),
    ("min({x}, axis={axis}, keepdims=true)", False),
    ("logsumexp({x}, axis={axis})", True),
    ("tanh(variance({x}, axis={axis}))", True),
)
ALONG = (
    "softmax({x}, axis={axis})",
    "flip({x}, axis={axis})",
    "tanh(cumsum({x}, axis={axis}))",
    "log_softmax({x}, axis={axis})",
)
PAIRS = (
    "{a} + {b}",
    "{a} * {b}",
    "{a} - {b}",
    "maximum({a}, {b})",
    "{a} / (1 + abs({b}))",
    "where({a} > {b}, {a}, {b})",
)


@dataclass(frozen=True)
class Value:
    name: str
    shape: Shape


@dataclass
class Body:
    """Lines so far, and the float tensors that they have bound; `sizes` are what a `dense` may be made with."""

    draw: Draw
    lines: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    sizes: tuple[Size, ...] = SIZES
    blocks: list[Block] = field(default_factory=list)
    made: int = 0

    def pick(self, choices: object) -> object:
        return self.draw(st.sampled_from(choices))

    def bind(self, text: str, shape: Shape) -> Value:
        self.made += 1
        value = Value(f"v{self.made}", shape)
        self.lines.append(f"{value.name} = {text}")
        self.values.append(value)
        return value

    def of_rank(self, least: int, last_static: bool = False) -> Value | None:
        fit = [v for v in self.values if len(v.shape) >= least and (not last_static or known(v.shape[-1]))]
        return self.pick(fit[::-1]) if fit else None


@dataclass(frozen=True)
class Block:
    """A block of the program: any [N, D] in, the same out. `words`: its hyperparameters with the kind of each."""

    name: str
    words: tuple[tuple[str, str], ...]
    text: str


def known(size: Size) -> bool:
    """A parameter's shape may hold it: a number, or a block's own dimension."""
    return isinstance(size, int) or size in ("D", "k")


# --- statements: each adds a value, or leaves the body as it is where nothing fits ---------------------------------


def smooth(b: Body) -> None:
    x = b.of_rank(0)
    b.bind(f"{x.name} -> {b.pick(SMOOTH)}" if b.draw(st.booleans()) else f"tanh({x.name} * 0.5)", x.shape)


def pair(b: Body) -> None:
    x = b.of_rank(0)
    partners = [v for v in b.values if broadcasts(v.shape, x.shape)]
    y = b.pick(partners)
    b.bind(b.pick(PAIRS).format(a=x.name, b=y.name), x.shape)


def broadcasts(small: Shape, large: Shape) -> bool:
    """Whether `small` fits onto `large` without making it larger."""
    if len(small) > len(large):
        return False
    return all(s in (1, size) for s, size in zip(small[::-1], large[::-1], strict=False))


def dense(b: Body) -> None:
    x = b.of_rank(1, last_static=True)
    if x is None:
        return
    size = b.pick(b.sizes)
    b.bind(f"{x.name} -> dense({size})", (*x.shape[:-1], size))


def norm(b: Body) -> None:
    x = b.of_rank(2, last_static=True)
    if x is not None and x.shape[-1] != 1:  # the variance of one number is 0, and its gradient all rounding
        b.bind(f"{x.name} -> {b.pick(('layer_norm', 'rms_norm', 'dropout(0.2)'))}", x.shape)


def fold(b: Body) -> None:
    x = b.of_rank(1)
    if x is None:
        return
    axis = b.pick(range(len(x.shape)))
    text, drops = b.pick(FOLDS)
    rest = x.shape[:axis] + (() if drops else (1,)) + x.shape[axis + 1 :]
    b.bind(text.format(x=x.name, axis=axis), rest)


def along(b: Body) -> None:
    x = b.of_rank(1)
    if x is not None:
        axis = b.pick(range(len(x.shape)))
        b.bind(b.pick(ALONG).format(x=x.name, axis=axis - b.pick((0, len(x.shape)))), x.shape)


def turn(b: Body) -> None:
    x = b.of_rank(2)
    if x is not None:
        order = b.draw(st.permutations(range(len(x.shape))))
        b.bind(f"transpose({x.name}, {list(order)})", tuple(x.shape[i] for i in order))


def join(b: Body) -> None:
    x = b.of_rank(1)
    if x is None:
        return
    same = [v for v in b.values if v.shape == x.shape]
    parts = [b.pick(same), x]
    names = ", ".join(p.name for p in parts)
    axis = b.pick(range(len(x.shape)))
    size = x.shape[axis]
    if isinstance(size, int) and size <= 4 and b.draw(st.booleans()):
        b.bind(f"concat([{names}], axis={axis})", (*x.shape[:axis], 2 * size, *x.shape[axis + 1 :]))
    elif len(x.shape) <= 3:
        b.bind(f"stack([{names}], axis={axis})", (*x.shape[:axis], 2, *x.shape[axis:]))


def cut(b: Body) -> None:
    x = b.of_rank(1)
    if x is None:
        return
    axis = b.pick(range(len(x.shape)))
    size, before = x.shape[axis], ":, " * axis
    if not isinstance(size, int):
        if size == "T":
            b.bind(f"{x.name}[{before}{b.pick((0, -1))}]", x.shape[:axis] + x.shape[axis + 1 :])
        return
    if b.draw(st.booleans()):
        b.bind(f"{x.name}[{before}{b.pick(range(-size, size))}]", x.shape[:axis] + x.shape[axis + 1 :])
        return
    low = b.pick(range(size))
    b.bind(f"{x.name}[{before}{low}:]", (*x.shape[:axis], size - low, *x.shape[axis + 1 :]))


def reshape(b: Body) -> None:
    x = b.of_rank(1)
    if x is None:
        return
    axis = b.pick(range(len(x.shape) + 1))
    if len(x.shape) < 4:
        b.bind(f"expand_dims({x.name}, {axis})", (*x.shape[:axis], 1, *x.shape[axis:]))


def loop(b: Body) -> None:
    """`for`: the same layer sizes each turn, or the turn's number in a formula; the names of the turn end with it."""
    x = b.of_rank(2, last_static=True)
    if x is None:
        return
    turns, size = b.pick((2, 3, 1, "k") if "k" in b.sizes else (2, 3, 1)), x.shape[-1]
    b.lines.append(f"y = {x.name}")
    b.lines.append(f"for i in range({turns}):")
    body = (
        f"y = y + (y -> dense({size}) -> tanh)",
        "y = tanh(y * (i + 1))",
        f"y = (y -> dense({b.pick(SIZES)}) -> relu -> dense({size})) + y",
    )
    b.lines += [f"    {line}" for line in b.draw(st.lists(st.sampled_from(body), min_size=1, max_size=2))]
    b.bind("y * 1", x.shape)


def growing(b: Body) -> None:
    """A list that grows by a value a turn."""
    x = b.of_rank(2, last_static=True)
    if x is None:
        return
    size, turns = b.pick(SIZES), b.pick((2, 3))
    b.lines += [f"outs = [{x.name}]", f"for i in range({turns}):"]
    b.lines.append(f"    outs = outs + [concat(outs, axis=-1) -> dense({size}) -> tanh]")
    if isinstance(x.shape[-1], int):
        b.bind("concat(outs, axis=-1)", (*x.shape[:-1], x.shape[-1] + turns * size))
    else:
        b.bind("outs[-1]", (*x.shape[:-1], size))


def choice(b: Body) -> None:
    """`if` on a hyperparameter; both arms give one shape."""
    x = b.of_rank(1, last_static=True)
    if x is None or "k" not in b.sizes:
        return
    size = x.shape[-1]
    b.lines += ["if flag:", f"    y = {x.name} -> dense({size})", "else:", f"    y = tanh({x.name})"]
    b.bind("y + 1", x.shape)


def call(b: Body) -> None:
    """A block of the program, on any value of two axes whose last is known."""
    fit = [v for v in b.values if len(v.shape) == 2 and known(v.shape[-1])]
    if not b.blocks or not fit:
        return
    block, x = b.pick(b.blocks), b.pick(fit[::-1])
    given = [f"{word}={b.pick(_values(kind))}" for word, kind in block.words if b.draw(st.booleans())]
    arguments = f"({', '.join(given)})" if given else ""
    b.bind(f"{x.name} -> {block.name}{arguments}", x.shape)


def calls(b: Body) -> None:
    """A block of the program in a loop, whose number may be an argument."""
    fit = [v for v in b.values if len(v.shape) == 2 and known(v.shape[-1])]
    if not b.blocks or not fit:
        return
    block, x = b.pick(b.blocks), b.pick(fit[::-1])
    over, turn = b.pick(
        (("range(2)", "k=i + 1"), ("[2, 2, 1]", "k=i"), ("[true, false]", "flag=i"), ("[relu, tanh]", "act=i"))
    )
    b.lines += [f"y = {x.name}", f"for i in {over}:", f"    y = y -> {block.name}({turn})"]
    b.bind("y * 1", x.shape)


def _values(kind: str) -> tuple[str, ...]:
    return {"int": ("2", "1", "3"), "bool": ("true", "false"), "act": ("relu", "sigmoid", "gelu")}[kind]


def scan(b: Body) -> None:
    x = next((v for v in b.values[::-1] if len(v.shape) == 3 and v.shape[1] == "T" and known(v.shape[2])), None)
    if x is None:
        return
    size, cell = b.pick(SIZES), b.pick(("rnn_cell", "gru_cell", "lstm_cell"))
    way = b.pick(("", ", reverse=true"))
    b.lines.append(f"r = scan({cell}({size}), axis=1{way})({x.name})")
    b.bind("r.output", (*x.shape[:2], size))
    b.bind("r.h", (x.shape[0], size))


PLAIN = (smooth, pair, dense, norm, fold, along, reshape)
IN_BLOCKS = (dense, smooth, pair, norm, loop, choice, call, calls, growing)
IN_NETWORKS = (*PLAIN, turn, join, cut, loop, growing, scan, scan)
WITH_BLOCKS = (call, call, calls)


# --- declarations --------------------------------------------------------------------------------------------------


def _block(draw: Draw, name: str, blocks: list[Block]) -> Block:
    """[N, D] -> [N, D], with `k`, `flag` and `act` as hyperparameters."""
    b = Body(draw, values=[Value("x", ("N", "D"))], sizes=(*SIZES, "k", "D"), blocks=blocks)
    for statement in draw(st.lists(st.sampled_from(IN_BLOCKS), min_size=1, max_size=4)):
        statement(b)
    last = b.values[-1]
    end = f"{last.name} -> dense(D)" if last.shape != ("N", "D") else last.name
    b.lines.append(f"output x + ({end} -> act)")
    words = (("k", "int"), ("flag", "bool"), ("act", "act"))
    header = f"block {name}(k: int = 2, flag: bool = true, act: block = tanh):"
    return Block(name, words, _text(header, ["input x: float[N, D]", *b.lines]))


def _text(header: str, lines: list[str]) -> str:
    return header + "\n" + "".join(f"    {line}\n" for line in lines)


INPUTS: tuple[Shape, ...] = (("N", 3), ("N", "T", 2), ("N", 4), ("N", 2, 3), (3,), ("N", "T", 4), ("N",))


@st.composite
def programs(draw: Draw) -> str:
    """The text of a file with one network, `Net`."""
    blocks: list[Block] = []
    for i in range(draw(st.integers(0, 2))):
        blocks.append(_block(draw, f"part{i}", blocks))
    shapes = [*([("N", 3)] if blocks else []), *draw(st.lists(st.sampled_from(INPUTS), min_size=1, max_size=3))]
    b = Body(draw, values=[Value(f"x{i}", shape) for i, shape in enumerate(shapes)], blocks=blocks)
    chosen = draw(st.lists(st.sampled_from(WITH_BLOCKS), min_size=1, max_size=3)) if blocks else []
    for statement in [*chosen, *draw(st.lists(st.sampled_from(IN_NETWORKS), min_size=1, max_size=8))]:
        statement(b)
    inputs = [f"input x{i}: float[{', '.join(map(str, shape))}]" for i, shape in enumerate(shapes)]
    fresh = b.values[len(shapes) :] or b.values
    outputs = [f"output o{i} = {v.name}" for i, v in enumerate(fresh[-3:])]
    return "\n\n".join([*(block.text for block in blocks), _text("network Net:", [*inputs, *b.lines, *outputs])])
