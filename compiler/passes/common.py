"""Common subexpressions: what a block's text computes twice is computed once.

In `a * cos(t) - b * sin(t)`, `b * cos(t) + a * sin(t)` a person would have named the cosine and the sine; along edges,
`h[u]` written twice gathers twice. Only ops that cost something are looked at, not arithmetic and views, which read
better where they are used; and no result that the spec gives a name of its own.

The first one must come before the second whenever that is computed: in the same turn of each loop, in no other arm of a
choice. That is decided per pair of places in the text and for all modules of a block together, so that these still
merge into one class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlc.ir import Bind, BlockId, Content, Equation, Module, Program, Target
from dlc.passes.places import Place, places
from dlc.passes.rewrite import ids, without_values
from dlc.spec.record import replace

_FUNCTIONS = ("sin", "cos", "tan", "tanh", "sigmoid", "exp", "log", "erf", "sqrt", "rsqrt", "power")
_REDUCTIONS = ("softmax", "log_softmax", "logsumexp", "sum", "mean", "prod", "variance", "max", "min")
_ORDERED = ("argmax", "argmin", "cumsum", "cumprod", "sort", "argsort", "topk")
_PRODUCTS = ("matmul", "einsum", "conv", "conv_transpose", "max_pool", "avg_pool", "resize", "grid_sample")
_PLACED = ("gather", "take_along_axis", "scatter")
_COSTLY = frozenset((*_FUNCTIONS, *_REDUCTIONS, *_ORDERED, *_PRODUCTS, *_PLACED))
#: A block, and the places of the first and the second.
_Pair = tuple[BlockId, Place, Place]
#: The numbers of the first and of the second equation.
_Same = tuple[int, int]


def share_common(programs: Sequence[Program]) -> tuple[Program, ...]:
    """The programs with what is computed twice computed once."""
    found = {id(module): list(_same(module)) for program in programs for module in program.modules}
    if not any(found.values()):
        return tuple(programs)
    agreed = _agreed([module for program in programs for module in program.modules], found)
    return tuple(
        replace(program, modules=tuple(_shared(module, found[id(module)], agreed) for module in program.modules))
        for program in programs
    )


def _same(module: Module) -> Iterator[_Same]:
    """Pairs of equations that give the same."""
    binds = [equation.target for equation in module.body if isinstance(equation.target, Bind)]
    named = {value for bind in binds for value in ids(bind.content)}
    known: dict[object, list[int]] = {}
    replaced: dict[int, int] = {}
    for number, equation in enumerate(module.body):
        if equation.target is not None or not _is_costly(equation.op):
            continue
        inputs = tuple(value if value is None else replaced.get(value, value) for value in equation.inputs)
        key = (equation.op, inputs, equation.attributes, tuple(module.types[value] for value in equation.outputs))
        first = next((one for one in known.get(key, ()) if _before(module.body[one], equation)), None)
        if first is None:
            known.setdefault(key, []).append(number)
        elif not named.intersection(equation.outputs):
            replaced.update(zip(equation.outputs, module.body[first].outputs, strict=True))
            yield first, number


def _is_costly(op: str) -> bool:
    return op in _COSTLY or op.startswith("segment_")


def _before(first: Equation, second: Equation) -> bool:
    """Whether the first is computed wherever the second is."""
    frames = first.origin.frames
    return second.origin.frames[: len(frames)] == frames


def _agreed(modules: Sequence[Module], found: dict[int, list[_Same]]) -> set[_Pair]:
    """The pairs that are the same in all modules that have the second place."""
    same: set[_Pair] = set()
    firsts: dict[tuple[BlockId, Place], set[Place | None]] = {}
    blocks = {module.block for module in modules if found[id(module)]}
    for module in modules:
        if module.block not in blocks:
            continue
        here = places(module)
        first = {second: here[one] for one, second in found[id(module)]}
        for number, place in enumerate(here):
            firsts.setdefault((module.block, place), set()).add(first.get(number))
    for (block, place), options in firsts.items():
        if len(options) == 1 and (only := next(iter(options))) is not None:
            same.add((block, only, place))
    return same


def _shared(module: Module, found: Sequence[_Same], agreed: set[_Pair]) -> Module:
    here = places(module) if found else []
    number: dict[int, int] = {}
    gone: set[int] = set()
    for first, second in found:
        if (module.block, here[first], here[second]) in agreed:
            gone.add(second)
            pairs = zip(module.body[second].outputs, module.body[first].outputs, strict=True)
            number.update((old, number.get(new, new)) for old, new in pairs)
    if not gone:
        return module
    body = tuple(_renamed(one, number) for place, one in enumerate(module.body) if place not in gone)
    changed = {
        name: tuple(replace(port, value=number.get(port.value, port.value)) for port in getattr(module, name))
        for name in ("outputs", "next_states", "next_buffers")
    }
    return without_values(replace(module, body=body, **changed), set(number))


def _renamed(equation: Equation, number: dict[int, int]) -> Equation:
    inputs = tuple(value if value is None else number.get(value, value) for value in equation.inputs)
    return replace(equation, inputs=inputs, target=_target(equation.target, number))


def _target(target: Target | None, number: dict[int, int]) -> Target | None:
    return replace(target, content=_content(target.content, number)) if isinstance(target, Bind) else target


def _content(content: Content, number: dict[int, int]) -> Content:
    if isinstance(content, tuple):
        return tuple(_content(item, number) for item in content)
    return None if content is None else number.get(content, content)
