"""The states of a block: declared with a start, set anew once on each path.

A dimension that no input binds and that stands in states alone *grows*: it has one size before the call and may have
another after it, the same in all states that share it.
"""

from __future__ import annotations

from dlc import dims, ir
from dlc.diagnostics import DlcError, Note, did_you_mean, error
from dlc.dims import Size
from dlc.ir import Static, TensorType
from dlc.passes import dimensions, starts
from dlc.passes.builder import Builder
from dlc.passes.expressions import evaluate
from dlc.passes.things import Tensor, Unknown
from dlc.spec import syntax


def declare(b: Builder, node: syntax.State) -> None:
    """`state h: float[N, D] = 0`. Raises DlcError E0609, E0407, E0610."""
    if node not in b.declaration.block.body:
        raise error("E0609", "a state stands at the top of its block, in no loop or choice", node.span)
    kind = dimensions.declared_type(b, node.type)
    b.patterns[node.name] = _pattern(b, node)
    initial = starts.declared(b, node, kind)
    value = b.new_value(kind)
    b.states.append(ir.State(node.name, value, initial))
    b.env[node.name] = Tensor(value)


def assign(b: Builder, node: syntax.NextAssign) -> None:
    """`next h = e`, of a state or a buffer. Raises DlcError E0401, E0602, E0604, E0615."""
    if isinstance(b.env.get(node.name), Unknown):
        raise DlcError(())
    old = [s.value for s in b.states if s.name == node.name]
    buffers = [p.value for p in b.parameters if p.name == node.name and p.kind == "buffer"]
    if not old and not buffers:
        known = [s.name for s in b.states] + [p.name for p in b.parameters if p.kind == "buffer"]
        raise error(
            "E0602",
            f"`{node.name}` is no state or buffer of this block",
            node.span,
            expected=f"`state {node.name}: ...` or `buffer {node.name}: ...` above",
            hint=did_you_mean(node.name, known),
        )
    nexts = b.next_states if old else b.next_buffers
    if node.name in nexts:
        raise error("E0604", f"`next {node.name}` is set twice", node.span)
    tensor = b.tensor(evaluate(b, node.value), node.value.span)
    _check_type(b, node, b.type_of(tensor), b.types[(old or buffers)[0]])
    if buffers and not b.training:
        raise error("E0615", "a buffer changes in training only", node.span, hint="put it under `if training:`")
    nexts[node.name] = tensor.id
    b.emit("bind", (), (), node.span, target=ir.Bind(f"next {node.name}", tensor.id))


def _check_type(b: Builder, node: syntax.NextAssign, found: TensorType, wanted: TensorType) -> None:
    """The new value is as the old one, but for dimensions that grow."""
    pattern = b.patterns.get(node.name, wanted)
    names = [_marked(size) for size in pattern.shape]
    triples = zip(found.shape, wanted.shape, names, strict=False)
    same_kind = found.dtype == wanted.dtype and found.rank == wanted.rank
    if same_kind and all(new == old or name for new, old, name in triples):
        return
    grows = " and ".join(f"`{name}`" for name in dict.fromkeys(n for n in names if n))
    what = "element type" if found.dtype != wanted.dtype else "shape"
    raise error(
        "E0401",
        f"`next {node.name}` has another {what} than `{node.name}`",
        node.value.span,
        found=str(found),
        expected=str(wanted),
        hint=f"only {grows} may change from call to call" if grows and what == "shape" else None,
    )


def _pattern(b: Builder, node: syntax.State) -> TensorType:
    """A state's declared type with a marked symbol for each dimension that grows."""
    growing = {name: Static(dims.symbol(f"?{name}")) for name in b.growing}
    scope = Builder(b.elaborator, b.declaration, b.training, env={**b.env, **growing})
    return dimensions.declared_type(scope, node.type)


def _marked(size: Size) -> str | None:
    """The growing dimension in a pattern's axis."""
    return next((symbol.removeprefix("?") for symbol in dims.symbols(size) if symbol.startswith("?")), None)


def check_next(b: Builder) -> None:
    """At the end of a body: each state is set, and those that share a growing dimension agree. Raises DlcError."""
    block = b.declaration.block
    for state in b.states:
        if state.name in b.next_states:
            continue
        place_of = next((s.span for s in b.declaration.states if s.name == state.name), block.name_span)
        raise error(
            "E0603",
            f"`next {state.name}` is never set",
            place_of,
            hint=f"set it once on each path: `next {state.name} = ...`",
            notes=(Note("the block", block.name_span),),
        )
    _check_growth(b)


def _check_growth(b: Builder) -> None:
    found: dict[str, tuple[Size, syntax.State]] = {}
    for node in b.declaration.states if b.growing else ():
        for wanted, new in zip(b.patterns[node.name].shape, b.types[b.next_states[node.name]].shape, strict=True):
            name = _marked(wanted)
            if name is None:
                continue
            grown = dims.solve(wanted, f"?{name}", new)
            if grown is None:
                raise error(
                    "E0401",
                    f"`next {node.name}` has a size that no `{name}` gives",
                    node.type.span,
                    found=str(new),
                    expected=str(wanted).replace("?", ""),
                )
            first, at = found.setdefault(name, (grown, node))
            if first != grown:
                raise error(
                    "E0401",
                    f"`{name}` becomes two sizes at once",
                    node.type.span,
                    found=f"{grown} from `next {node.name}`, {first} from `next {at.name}`",
                    expected=f"one size for all states that have `{name}`",
                    notes=(Note(f"`{at.name}` is declared here", at.span),),
                )
