"""Where sizes come from: for each value and axis an expression in the module's names, if one is known.

An abstract run of the module over source expressions instead of numbers: inputs have their declared dimensions,
parameters their declared shapes, ops and calls pass them on. Whoever uses an expression evaluates it first, so a rule
here can fail to help but not do harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from dlc.backends.common.evaluate import Unknown, substitute
from dlc.dims import Size
from dlc.ir import BlockId, Call, Equation, Module, Scan, Static
from dlc.spec.syntax import (
    Binary,
    Block,
    Constant,
    Expr,
    Input,
    ListLiteral,
    Name,
    SizedDimension,
    StarDimension,
    State,
)

if TYPE_CHECKING:
    from dlc.backends.common.context import Context
    from dlc.backends.common.fold import Folding
    from dlc.backends.common.structure import Creation

Axes = tuple[Expr | None, ...]


class Sizes:
    """Expressions of all values of all modules, computed when asked for."""

    def __init__(self, module: Callable[[int, str], Module], declarations: Mapping[BlockId, Block]):
        self.module, self.declarations = module, declarations
        self.known: dict[tuple[int, str], list[Axes]] = {}

    def of(self, program: int, module: Module) -> list[Axes]:
        key = (program, module.key)
        if key not in self.known:
            self.known[key] = self._trace(program, module)
        return self.known[key]

    def _trace(self, program: int, module: Module) -> list[Axes]:
        found: list[Axes] = [(None,) * kind.rank for kind in module.types]
        declared = self._declared(module)
        for port in (*module.inputs, *module.states):
            axes = declared.get(port.name)
            if axes is not None and len(axes) == module.types[port.value].rank:
                found[port.value] = axes
        for parameter in module.parameters:
            if len(parameter.shape_source) == module.types[parameter.value].rank:
                found[parameter.value] = tuple(parameter.shape_source)
        for equation in module.body:
            for value, axes in zip(equation.outputs, self._equation(program, module, equation, found), strict=False):
                kind = module.types[value]
                found[value] = axes if len(axes) == kind.rank else (None,) * kind.rank
        for equation in module.body:
            if isinstance(equation.target, Call | Scan):
                self._ask(program, module, equation, found)
        return found

    def _ask(self, program: int, module: Module, equation: Equation, found: list[Axes]) -> None:
        """What starts a cell's state has the sizes that the cell declares."""
        target = cast("Call | Scan", equation.target)
        callee = self.module(program, target.module)
        declared = self._declared(callee)
        pairs = _pairs(callee, equation)
        given = {port: found[value] for port, value in pairs if value is not None and not isinstance(target, Scan)}
        names = _in_caller(declared, module.instances[target.instance].hyperparameters, given)
        for port, value in pairs:
            if value is None or port not in {state.name for state in callee.states}:
                continue
            wanted = [_replace(axis, names) for axis in declared.get(port, ())]
            if len(wanted) == len(found[value]):
                found[value] = tuple(old or new for old, new in zip(found[value], wanted, strict=True))

    def _declared(self, module: Module) -> dict[str, Axes]:
        block = self.declarations.get(module.block)
        names = {name for name, _ in module.dims}
        out: dict[str, Axes] = {}
        for statement in block.body if block is not None else ():
            if isinstance(statement, Input | State):
                axes: list[Expr | None] = []
                for entry in statement.type.dimensions:
                    if isinstance(entry, StarDimension):
                        place = 0
                        while f"{entry.name}{place}" in names:
                            axes.append(Name(f"{entry.name}{place}"))
                            place += 1
                    else:
                        axes.append(Name(entry.name) if isinstance(entry, SizedDimension) else entry)
                out[statement.name] = tuple(axes)
        return out

    def _equation(self, program: int, module: Module, equation: Equation, found: Sequence[Axes]) -> Sequence[Axes]:
        operands = [found[value] if value is not None else () for value in equation.inputs]
        sizes = [module.types[value].shape if value is not None else () for value in equation.inputs]
        results = [module.types[value].shape for value in equation.outputs]
        if isinstance(equation.target, Call):
            return self._call(program, module, equation, operands)
        if isinstance(equation.target, Scan):
            return self._scan(program, module, equation, operands)
        if equation.target is not None or not results:
            return [(None,) * len(shape) for shape in results]
        rule = _RULES.get(equation.op)
        if rule is not None:
            return [rule(equation, operands, sizes, shape) for shape in results]
        return [_broadcast(operands, sizes, shape) for shape in results]

    def _call(self, program: int, module: Module, equation: Equation, operands: Sequence[Axes]) -> list[Axes]:
        target = cast(Call, equation.target)
        callee = self.module(program, target.module)
        values = [*callee.inputs, *callee.states]
        given = {port.name: axes for port, axes in zip(values, operands, strict=False)}
        return self._results(program, callee, module, target.instance, given)

    def _scan(self, program: int, module: Module, equation: Equation, operands: Sequence[Axes]) -> list[Axes]:
        target = cast(Scan, equation.target)
        callee = self.module(program, target.module)
        given: dict[str, Axes] = {}
        time: Expr | None = None
        for name, axes in zip(target.scanned, operands, strict=False):
            time = axes[target.axis] if len(axes) > target.axis else None
            given[name] = (*axes[: target.axis], *axes[target.axis + 1 :])
        rest = operands[len(target.scanned) :]
        given.update(zip(target.captured, rest, strict=False))
        states = rest[len(target.captured) :]
        given.update({state.name: axes for state, axes in zip(callee.states, states, strict=False)})
        out = self._results(program, callee, module, target.instance, given)
        count = len(callee.outputs)
        stacked = [(*axes[: target.axis], time, *axes[target.axis :]) for axes in out[:count]]
        return [*stacked, *out[count:]]

    def _results(
        self, program: int, callee: Module, caller: Module, instance: int, given: Mapping[str, Axes]
    ) -> list[Axes]:
        """The callee's result axes in the caller's names."""
        inner = self.of(program, callee)
        names = _in_caller(self._declared(callee), caller.instances[instance].hyperparameters, given)
        out: list[Axes] = []
        for port in (*callee.outputs, *callee.next_states):
            out.append(tuple(_replace(axis, names) for axis in inner[port.value]))
        return out


def dimension_source(folding: Folding, context: Context, creation: Creation, name: str) -> Expr | None:
    """An expression in the caller's names for the size of the callee's dimension `name`, or None."""
    place = dimension_operand(folding, context, creation, name)
    if place is None:
        return None
    value, axis = place
    return folding.sizes.of(context.program, context.module)[value][axis]


def dimension_operand(folding: Folding, context: Context, creation: Creation, name: str) -> tuple[int, int] | None:
    """The caller's value and axis that bind the callee's dimension."""
    module = context.module
    for equation in module.body:
        target = equation.target
        if not isinstance(target, Call | Scan) or target.instance != creation.number:
            continue
        callee = folding.module(context.program, target.module)
        declared = folding.sizes._declared(callee)  # pyright: ignore[reportPrivateUsage]
        for port, value in _pairs(callee, equation):
            axes = declared.get(port, ())
            if value is None or Name(name) not in axes:
                continue
            axis = axes.index(Name(name))
            if isinstance(target, Scan) and port in target.scanned and axis >= target.axis:
                axis += 1
            return value, axis
    return None


def _pairs(callee: Module, equation: Equation) -> list[tuple[str, int | None]]:
    if isinstance(equation.target, Scan):
        scan = equation.target
        names = [*scan.scanned, *scan.captured, *(state.name for state in callee.states)]
    else:
        names = [*(port.name for port in callee.inputs), *(state.name for state in callee.states)]
    return list(zip(names, equation.inputs, strict=False))


def _in_caller(
    declared: Mapping[str, Axes], hyperparameters: Sequence[tuple[str, Static]], given: Mapping[str, Axes]
) -> dict[str, Expr | None]:
    names: dict[str, Expr | None] = {}
    for name, static in hyperparameters:
        plain = isinstance(static.value, bool | int | float | str)
        names[name] = static.source if static.source is not None else Constant(static.value) if plain else None  # type: ignore[arg-type]
    for port, axes in declared.items():
        for entry, source in zip(axes, given.get(port, ()), strict=False):
            if isinstance(entry, Name) and entry.id not in names:
                names[entry.id] = source
    return names


def _replace(axis: Expr | None, names: Mapping[str, Expr | None]) -> Expr | None:
    from dlc.backends.common.evaluate import free_names

    if axis is None:
        return None
    known: dict[str, Expr] = {}
    for name in free_names(axis):
        expression = names.get(name)
        if expression is None:
            return None
        known[name] = expression
    try:
        return substitute(axis, known)
    except Unknown:
        return None


# --- rules per op --------------------------------------------------------------------------------------------------

Shape = tuple[Size, ...]
Rule = Callable[[Equation, Sequence[Axes], Sequence[Shape], Shape], Axes]


def _broadcast(operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    """Elementwise and alike: axes from the right, from the first operand of that size that knows."""
    out: list[Expr | None] = []
    for back in range(len(shape), 0, -1):
        found = None
        for axes, size in zip(operands, sizes, strict=True):
            if len(axes) == len(size) >= back and size[-back] == shape[-back]:
                found = found or axes[-back]
        out.append(found)
    return tuple(out)


def _conv(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    axis = 0 if equation.op == "conv" else 1
    return (operands[0][0], operands[1][axis], *(None for _ in shape[2:]))


def _pool(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    return (*operands[0][:2], *(None for _ in shape[2:]))


def _matmul(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    left, right = operands
    tail: Axes = (*(left[-2:-1] if len(left) > 1 else ()), *(right[-1:] if len(right) > 1 else ()))
    batch = left[:-2] if len(left) >= len(right) else right[:-2]
    return (*batch, *tail)


def _einsum(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    before, after = str(equation.attribute("pattern")).split("->")
    known: dict[str, Expr | None] = {}
    for letters, axes in zip(before.split(","), operands, strict=False):
        for letter, axis in zip(letters, axes, strict=False):
            known[letter] = known.get(letter) or axis
    return tuple(known.get(letter) for letter in after)


def _transpose(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    axes = equation.attribute("axes")
    order = tuple(reversed(range(len(shape)))) if axes is None else cast("tuple[int, ...]", axes)
    return tuple(operands[0][axis] for axis in order)


def _reduce(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    axis = equation.attribute("axis")
    rank = len(sizes[0])
    listed = range(rank) if axis is None else cast("tuple[int, ...]", axis) if isinstance(axis, tuple) else (axis,)
    gone = {cast(int, one) % rank for one in listed}
    keep = bool(equation.attribute("keepdims"))
    kept = [(Constant(1) if i in gone else a) for i, a in enumerate(operands[0]) if keep or i not in gone]
    return tuple(kept)


def _listed(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    source = equation.static("shape").source
    items = (
        source.items if isinstance(source, ListLiteral) and len(source.items) == len(shape) else (None,) * len(shape)
    )
    if not operands:
        return tuple(items)
    return tuple(
        item if item is not None else operands[0][place] if sizes[0][: place + 1] == shape[: place + 1] else None
        for place, item in enumerate(items)
    )


def _concat(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    place = cast(int, equation.attribute("axis")) % len(shape)
    out = list(_broadcast(operands, sizes, shape))
    total: Expr | None = operands[0][place]
    for axes in operands[1:]:
        other = axes[place]
        total = None if total is None or other is None else Binary("+", total, other)
    out[place] = total
    return tuple(out)


def _split(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    place = cast(int, equation.attribute("axis")) % len(shape)
    parts = equation.attribute("parts")
    out = list(operands[0])
    whole = out[place]
    out[place] = _divided(whole, parts) if isinstance(parts, int) and whole is not None else None
    return tuple(out)


def _divided(whole: Expr, parts: int) -> Expr:
    """`(4 * hidden) / 4` is `hidden`."""
    match whole:
        case Binary("*", Constant(value), rest) | Binary("*", rest, Constant(value)) if value == parts:
            return rest
        case _:
            return Binary("//", whole, Constant(parts))


def _slice(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    items = cast("tuple[tuple[object, ...], ...]", equation.attribute("items"))
    pairs = zip(items, operands[0], strict=False)
    return tuple(axis if item[1:] == (None, None, 1) else None for item, axis in pairs if item[0] != "index")


def _gather(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    place = cast(int, equation.attribute("axis")) % max(len(sizes[0]), 1)
    return (*operands[0][:place], *operands[1], *operands[0][place + 1 :])


def _expand_dims(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    axis = equation.attribute("axis")
    new = {
        one % len(shape) for one in (cast("tuple[int, ...]", axis) if isinstance(axis, tuple) else (cast(int, axis),))
    }
    rest = iter(operands[0])
    return tuple(Constant(1) if place in new else next(rest) for place in range(len(shape)))


def _squeeze(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    axis = equation.attribute("axis")
    listed = cast("tuple[int, ...]", axis) if isinstance(axis, tuple) else (cast(int, axis),)
    gone = {one % len(sizes[0]) for one in listed}
    return tuple(entry for place, entry in enumerate(operands[0]) if place not in gone)


def _one_hot(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    return (*operands[0], equation.static("depth").source)


_RULES: Mapping[str, Rule] = {
    "conv": _conv,
    "conv_transpose": _conv,
    "max_pool": _pool,
    "avg_pool": _pool,
    "matmul": _matmul,
    "einsum": _einsum,
    "transpose": _transpose,
    **dict.fromkeys(
        ("sum", "mean", "max", "min", "prod", "any", "all", "variance", "argmax", "argmin", "logsumexp"), _reduce
    ),
    "reshape": _listed,
    "broadcast_to": _listed,
    "constant": _listed,
    "concat": _concat,
    "split": _split,
    "slice": _slice,
    "gather": _gather,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "one_hot": _one_hot,
}
