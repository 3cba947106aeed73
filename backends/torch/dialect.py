"""How torch says what a body needs beside ops: sizes, modes, draws, scans, new tensors."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlc.backends.common.body import Body, Parts
from dlc.backends.common.expressions import Expressions, Tools
from dlc.backends.common.form import Sample, Step
from dlc.backends.common.native import Native
from dlc.backends.common.quote import call, literal, name, quote, statements
from dlc.backends.common.rule import Site, apply
from dlc.backends.common.values import written
from dlc.backends.torch.dtypes import dtype_code, is_default
from dlc.backends.torch.natives.recurrence import Fused, fused
from dlc.backends.torch.rules import RULES
from dlc.ir import TensorType

#: Ops that take a Python number beside a tensor.
_NUMBER_OPS = frozenset(
    [
        "add",
        "subtract",
        "multiply",
        "divide",
        "maximum",
        "minimum",
        "power",
        "floor_divide",
        "remainder",
        "where",
        "equal",
        "not_equal",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "broadcast_to",
    ]
)


@dataclass(frozen=True, slots=True)
class TorchDialect:
    precision: str
    natives: bool = True

    def collects(self, node: Step, body: Body) -> bool:
        return self._fused(node, body) is None

    def _fused(self, node: Step, body: Body) -> Fused | None:
        return fused(node.scan, body.owner.folding.of(node.target).block) if self.natives else None

    def op(self, site: Site) -> ast.expr:
        return apply(RULES[site.op], self._with_tensors(site))

    def _with_tensors(self, site: Site) -> Site:
        """Numbers become tensors where torch takes none, or where all operands are numbers."""
        numbers = site.numbers
        if not numbers or all(number is None for number in numbers):
            return site
        tensors = [number is None for number in numbers]
        relevant = tensors[1:] if site.op == "where" else tensors
        free = site.op in _NUMBER_OPS and (any(relevant) or site.op == "broadcast_to")
        operands = list(site.operands)
        kept = list(numbers)
        for place, number in enumerate(numbers):
            if number is None or (free and not (site.op == "where" and place == 0)):
                continue
            if site.op == "where" and place == 2 and not any(relevant):
                continue
            operands[place] = site.tools.full(operands[place], number, [], site.types[place])
            kept[place] = None
        return _replaced(site, tuple(operands), tuple(kept))

    def device(self, anchor: ast.expr | None) -> list[ast.keyword]:
        return [] if anchor is None else [ast.keyword("device", quote("$x.device", x=anchor))]

    def number(self, code: ast.expr, value: object, kind: TensorType, body: Expressions) -> ast.expr:
        tools = Tools(body)
        return self.full(code, value, [], kind, tools.anchor())

    def full(
        self, code: ast.expr, value: object, shape: list[ast.expr], kind: TensorType, anchor: ast.expr | None
    ) -> ast.expr:
        default = is_default(kind.dtype, self.precision)
        keywords = [*self._typed(kind.dtype), *self.device(anchor)]
        for number, function in ((0, "torch.zeros"), (1, "torch.ones")):
            if shape and isinstance(value, int | float) and value == number:
                return ast.Call(quote(function), shape, keywords)
        if default and isinstance(value, int) and not isinstance(value, bool):
            code = literal(float(value))
        elif default and not isinstance(value, float):
            keywords.insert(0, ast.keyword("dtype", dtype_code(kind.dtype, self.precision)))
        if not shape:
            return ast.Call(quote("torch.tensor"), [code], keywords)
        return ast.Call(quote("torch.full"), [ast.Tuple(shape, ast.Load()), code], keywords)

    def _typed(self, dtype: str) -> list[ast.keyword]:
        """`dtype=` for a new tensor, where torch would not take this type by itself."""
        return [] if is_default(dtype, self.precision) else [ast.keyword("dtype", dtype_code(dtype, self.precision))]

    def extent(self, tensor: ast.expr, axis: int) -> ast.expr:
        return quote("$x.shape[$axis]", x=tensor, axis=axis)

    def training(self) -> ast.expr:
        return quote("self.training")

    def layer(
        self,
        target: ast.expr,
        args: Sequence[ast.expr],
        layers: Mapping[str, ast.expr],
        keywords: Sequence[ast.keyword],
    ) -> ast.expr:
        return ast.Call(target, [*args, *layers.values()], list(keywords))

    def member(self, owner: ast.expr, word: str, native: Native | None) -> ast.expr:
        return ast.Attribute(owner, word, ast.Load())

    def draw(
        self, node: Sample, shape: Sequence[ast.expr], arguments: Sequence[ast.expr], body: Expressions
    ) -> ast.expr:
        tools = Tools(body)
        kind = node.draw.distribution.name
        plain = [written(value) for value in node.arguments]
        sizes = list(shape) or [ast.Tuple([], ast.Load())]  # torch.rand() lacks its size
        if kind == "truncated_normal":
            mean, std = arguments
            low, high = quote("$m - 2 * $s", m=mean, s=std), quote("$m + 2 * $s", m=mean, s=std)
            empty = ast.Call(quote("torch.empty"), sizes, [*self._typed(node.dtype), *tools.device()])
            return call("nn.init.trunc_normal_", empty, mean, std, low, high)
        function = {"uniform": "torch.rand", "normal": "torch.randn"}[kind]
        whole = _whole(shape)
        if whole is not None and not is_other(node, body, whole):
            base: ast.expr = call(f"{function}_like", whole)
        else:
            keywords = [*self._typed(node.dtype), *tools.device()]
            base = ast.Call(quote(function), sizes, keywords)
        if plain in ([0.0, 1.0], [0, 1]):
            return base
        first, second = arguments
        if plain[0] in (0, 0.0):
            return quote("$scale * $x", scale=second, x=base)
        scale = quote("$b - $a", a=first, b=second) if kind == "uniform" else second
        return quote("$a + $scale * $x", a=first, scale=scale, x=base)

    def snapshot(self, buffer: ast.expr) -> ast.expr:
        return quote("$buffer.clone()", buffer=buffer)

    def store(self, buffer: ast.expr, value: ast.expr) -> list[ast.stmt]:
        return statements("with torch.no_grad():\n    $buffer.copy_($value)", buffer=buffer, value=value)

    def scan(self, node: Step, parts: Parts, body: Body) -> tuple[list[ast.stmt], list[ast.expr]]:
        """A loop over time, or torch's own. Gives the stacked outputs as expressions."""
        native = self._fused(node, body)
        if native is not None:
            return _run(native, node, parts, body)
        scan, cell = node.scan, body.owner.folding.of(node.target)
        step = body.local("t", parts.results)
        out: list[ast.stmt] = []
        count = len(scan.stacked)
        outputs, states = parts.results[:count], parts.results[count:]
        for word, initial in zip(states, parts.states, strict=True):
            out += statements("$word = $x", word=name(word), x=initial)
        lists = _list_names(outputs, body)
        for word in lists:
            out += statements("$items = []", items=name(word))
        args = [_at(x, lane.axis, name(step)) for lane, x in zip(scan.scanned, parts.scanned, strict=True)]
        keywords = [ast.keyword(word, x) for word, x in zip(scan.captured, parts.captured, strict=True)]
        news = states
        if parts.lengths is not None:
            news = []
            for port in cell.members[0].module.next_states:
                news.append(body.local(f"next_{port.name.split('.')[-1]}", news))
        given = [ast.keyword(lane.name, x) for lane, x in zip(scan.scanned[1:], args[1:], strict=True)]
        args, optional = _ordered(cell, args[:1], given + keywords, [name(word) for word in states])
        optional = [ast.keyword(body.argument(cell, one.arg or ""), one.value) for one in optional]
        result = self.layer(parts.cell, args, body.layers(node), optional)
        named = dict(zip((lane.name for lane in scan.stacked), outputs, strict=True))
        made = [named.get(port.name, "_") for port in cell.members[0].module.outputs]
        loop: list[ast.stmt] = [ast.Assign([_targets([*made, *news])], result)]
        loop += self._masked(parts, outputs, states, news, name(step), body)
        for word, items in zip(outputs, lists, strict=True):
            loop += statements("$items.append($x)", items=name(items), x=name(word))
        steps: ast.expr = quote("range($n)", n=self._steps(node, parts, body))
        if scan.reverse:
            steps = quote("reversed($steps)", steps=steps)
        out.append(ast.For(ast.Name(step, ast.Store()), steps, loop, []))
        stacked: list[ast.expr] = []
        for lane, items in zip(scan.stacked, lists, strict=True):
            listed = quote("$items[::-1]", items=name(items)) if scan.reverse else name(items)
            stacked.append(call("torch.stack", listed, dim=literal(lane.axis)))
        return out, stacked

    def _masked(
        self,
        parts: Parts,
        outputs: Sequence[str],
        states: Sequence[str],
        news: Sequence[str],
        step: ast.expr,
        body: Body,
    ) -> list[ast.stmt]:
        """Steps at and after a row's length give 0 and leave its states."""
        if parts.lengths is None:
            return []
        valid = body.local("valid")
        out = statements("$valid = $t < $lengths", valid=name(valid), t=step, lengths=parts.lengths)
        helper = body.owner.helper("where_rows")
        for word in outputs:
            out += statements("$x = $f($valid, $x, torch.zeros_like($x))", x=name(word), f=helper, valid=name(valid))
        for word, new in zip(states, news, strict=True):
            out += statements("$h = $f($valid, $n, $h)", h=name(word), f=helper, valid=name(valid), n=name(new))
        return out

    def _steps(self, node: Step, parts: Parts, body: Body) -> ast.expr:
        if parts.scanned:
            return self.extent(parts.scanned[0], node.scan.scanned[0].axis)
        assert node.steps is not None
        return body.value(node.steps)


def _run(native: Fused, node: Step, parts: Parts, body: Body) -> tuple[list[ast.stmt], list[ast.expr]]:
    """`output, h, c = run_lstm(self.lstm_cell, x, h, c)`; the other way round over what is flipped, flipped back."""
    (x,) = parts.scanned
    if node.scan.reverse:
        x = quote("$x.flip(1)", x=x)
    outputs = parts.results[: len(node.scan.stacked)]
    named = [word if body.uses[temp] else "_" for word, temp in zip(parts.results, node.results, strict=True)]
    targets = named if outputs else ["_", *named]
    code = call(body.owner.helper(native.helper), parts.cell, x, *parts.states)
    flipped = "$y.flip(1)" if node.scan.reverse else "$y"
    return [ast.Assign([_targets(targets)], code)], [quote(flipped, y=name(word)) for word in outputs]


def _list_names(outputs: Sequence[str], body: Body) -> list[str]:
    """`outputs` for `output`; two of one scan get names of their own."""
    out: list[str] = []
    for word in outputs:
        base = word.rstrip("0123456789").rstrip("_")
        out.append(body.local(f"{base}_steps" if base.endswith("s") else f"{base}s", out))
    return out


def is_other(node: Sample, body: Expressions, whole: ast.expr) -> bool:
    """True if the tensor whose first axes a draw has is of another element type or rank, or no input."""
    module = body.form.modules[0]
    for port in module.inputs:
        if isinstance(whole, ast.Name) and body.arguments.get(port.name) == whole.id:
            kind = module.types[port.value]
            return kind.dtype != node.dtype or kind.rank != len(node.shape)
    return True


def _replaced(site: Site, operands: tuple[ast.expr, ...], numbers: tuple[object, ...]) -> Site:
    from dlc.spec.record import replace

    return replace(site, operands=operands, numbers=numbers)


def _whole(shape: Sequence[ast.expr]) -> ast.expr | None:
    """The tensor whose shape this is, axis by axis, if it is one."""
    found: ast.expr | None = None
    for axis, size in enumerate(shape):
        match size:
            case ast.Subscript(value=ast.Attribute(value=x, attr="shape"), slice=ast.Constant(value=place)):
                if place != axis or (found is not None and ast.dump(found) != ast.dump(x)):
                    return None
                found = x
            case _:
                return None
    return found


def _at(x: ast.expr, axis: int, step: ast.expr) -> ast.expr:
    """Step `t` of the time axis."""
    if axis == 0:
        return quote("$x[$t]", x=x, t=step)
    if axis == 1:
        return quote("$x[:, $t]", x=x, t=step)
    return quote("$x.select($axis, $t)", x=x, axis=axis, t=step)


def _ordered(
    cell: object, first: list[ast.expr], keywords: list[ast.keyword], states: list[ast.expr]
) -> tuple[list[ast.expr], list[ast.keyword]]:
    """Required inputs in order, states, optional inputs by keyword."""
    from dlc.backends.common.fold import Folded

    assert isinstance(cell, Folded)
    assert cell.form is not None
    given = {keyword.arg: keyword.value for keyword in keywords}
    args: list[ast.expr] = []
    rest: list[ast.keyword] = []
    queue = list(first)
    for word, optional in cell.form.inputs:
        value = given.get(word)
        if value is None and queue:
            value = queue.pop(0)
        if value is None:
            continue
        if optional:
            rest.append(ast.keyword(word, value))
        else:
            args.append(value)
    return [*args, *states], rest


def _targets(words: Sequence[str]) -> ast.expr:
    names: list[ast.expr] = [ast.Name(word, ast.Store()) for word in words]
    return names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
