"""How Keras spells what the shared printer leaves open."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from dlc.backends.common.body import Body, Parts
from dlc.backends.common.expressions import Expressions
from dlc.backends.common.fold import Folded
from dlc.backends.common.form import Sample, Step
from dlc.backends.common.native import Native
from dlc.backends.common.quote import call, literal, name, quote, statements
from dlc.backends.common.rule import VARIES, Site, apply
from dlc.backends.tensorflow.divided import Dimension, divided
from dlc.backends.tensorflow.natives import KerasNative
from dlc.backends.tensorflow.rules import RULES
from dlc.backends.tensorflow.rules.code import DTYPE_NAMES, dtype_code, filled, is_minus_zero, is_size, minus_zero
from dlc.backends.tensorflow.words import attribute_name
from dlc.diagnostics import error
from dlc.ir import FLOATS, INTS, TensorType
from dlc.spec.record import replace

#: Draws that keras.random has, with their arguments' names there.
DRAWS = {
    "uniform": ("keras.random.uniform", ("minval", "maxval")),
    "normal": ("keras.random.normal", ("mean", "stddev")),
    "truncated_normal": ("keras.random.truncated_normal", ("mean", "stddev")),
}


class KerasDialect:
    """Spellings; `seeded` tells afterwards whether a body draws random numbers. `dimension`: see `divided`."""

    def __init__(self, precision: str = "f32") -> None:
        self.precision = precision
        self.seeded = False
        self.dimension: Dimension = lambda site, side, axis: None

    def device(self, anchor: ast.expr | None) -> list[ast.keyword]:
        return []

    def full(
        self, code: ast.expr, value: object, shape: list[ast.expr], kind: TensorType, anchor: ast.expr | None
    ) -> ast.expr:
        return filled(ast.Tuple(shape, ast.Load()), code, value, kind)

    def collects(self, node: Step, body: Body) -> bool:
        return False

    def op(self, site: Site) -> ast.expr:
        rule = RULES.get(site.op)
        if rule is None:
            raise error("E0702", f"the tensorflow backend has no rule for `{site.op}`", exit_code=3)
        if site.op == "reshape":
            site = divided(site, self.dimension)
        return apply(rule, _with_wide_sizes(_with_signed_zeros(site)))

    def number(self, code: ast.expr, value: object, kind: TensorType, body: Expressions) -> ast.expr:
        if is_size(code):
            return _of_size(code, kind)
        code = minus_zero(kind) if is_minus_zero(value) else code
        return call("ops.convert_to_tensor", code, dtype=dtype_code(kind.dtype))

    def extent(self, tensor: ast.expr, axis: int) -> ast.expr:
        return quote("ops.shape($0)[$1]", tensor, axis)

    def training(self) -> ast.expr:
        return name("training")

    def layer(
        self,
        target: ast.expr,
        args: Sequence[ast.expr],
        layers: Mapping[str, ast.expr],
        keywords: Sequence[ast.keyword],
    ) -> ast.expr:
        """Keras takes tensors alone by position."""
        named = [*(ast.keyword(word, code) for word, code in layers.items()), *keywords]
        renamed = [ast.keyword("attention_mask" if k.arg == "mask" else k.arg, k.value) for k in named]
        return ast.Call(target, list(args), renamed)

    def member(self, owner: ast.expr, word: str, native: Native | None) -> ast.expr:
        found = native.weights[word] if isinstance(native, KerasNative) else attribute_name(word)
        return ast.Attribute(owner, found, ast.Load())

    def draw(
        self, node: Sample, shape: Sequence[ast.expr], arguments: Sequence[ast.expr], body: Expressions
    ) -> ast.expr:
        function, names = DRAWS[node.draw.distribution.name]
        defaults = {"minval": 0, "maxval": 1, "mean": 0, "stddev": 1}
        self.seeded = True
        keywords = {
            word: code
            for word, code in zip(names, arguments, strict=False)
            if not (isinstance(code, ast.Constant) and code.value == defaults[word])
        }
        dtype = None if node.dtype in ("float", "f32") else dtype_code(node.dtype)
        sizes = ast.Tuple(list(shape), ast.Load())
        return call(function, sizes, **keywords, dtype=dtype, seed=quote("self.seed_generator"))

    def snapshot(self, buffer: ast.expr) -> ast.expr:
        return quote("ops.copy($buffer)", buffer=buffer)

    def store(self, buffer: ast.expr, value: ast.expr) -> list[ast.stmt]:
        return statements("$buffer.assign($value)", buffer=buffer, value=value)

    def scan(self, node: Step, parts: Parts, body: Body) -> tuple[list[ast.stmt], list[ast.expr]]:
        """One call of the helper `scan`; the step is a lambda over the scanned inputs and the states."""
        before, cell_call = self._step(node, parts, body)
        cell = body.owner.folding.of(node.target).members[0].module
        lanes = {lane.name: lane.axis for lane in node.scan.stacked}
        dtypes = tuple(
            DTYPE_NAMES[cell.types[port.value].dtype] if port.name in lanes else None for port in cell.outputs
        )
        axes = {lane.axis for lane in (*node.scan.scanned, *node.scan.stacked)} or {1}
        time = axes.pop() if len(axes) == 1 else 0
        keywords: dict[str, ast.expr | None] = {
            "axis": None if time == 1 else literal(time),
            "reverse": literal(True) if node.scan.reverse else None,
            "lengths": parts.lengths,
            "steps": None if node.steps is None else body.value(node.steps),
            "dtypes": None if dtypes == ("float32",) else literal(dtypes),
        }
        given = zip(node.scan.scanned, parts.scanned, strict=True)
        scanned = ast.List([_moved(code, lane.axis, time) for lane, code in given], ast.Load())
        states = ast.List(list(parts.states), ast.Load())
        code = ast.Call(
            body.owner.helper("scan"),
            [cell_call, scanned, states],
            [ast.keyword(word, value) for word, value in keywords.items() if value is not None],
        )
        used = [result if body.uses[temp] else "_" for temp, result in zip(node.results, parts.results, strict=True)]
        target = ast.Tuple([ast.Name(word, ast.Store()) for word in used], ast.Store())
        assigned = ast.Assign([target], code)
        if len(used) == 1:
            assigned = ast.Assign([target.elts[0]], ast.Subscript(code, ast.Constant(0), ast.Load()))
        made = zip(node.scan.stacked, parts.results, strict=False)
        outputs = [_moved(name(result), time, lane.axis) for lane, result in made]
        return [*before, assigned], outputs

    def _step(self, node: Step, parts: Parts, body: Body) -> tuple[list[ast.stmt], ast.expr]:
        """What does not change from step to step is computed before."""
        before: list[ast.stmt] = []
        given: dict[str, ast.expr] = {}
        inputs, names = _ports(body.owner.folding.of(node.target))
        for word, code in zip(node.scan.captured, parts.captured, strict=True):
            if not isinstance(code, ast.Name):
                variable = body.scope.allocate(word)
                before += statements("$v = $code", v=name(variable), code=code)
                code = name(variable)
            given[word] = code
        inner = body.scope.child()
        parameters: list[str] = []
        for lane in node.scan.scanned:
            parameters.append(inner.allocate(f"{lane.name}_t"))
            given[lane.name] = name(parameters[-1])
        states: list[ast.expr] = []
        for word in names:
            parameters.append(inner.allocate(word.split(".")[-1]))
            states.append(name(parameters[-1]))
        args = [given[word] for word, optional in inputs if not optional] + states
        keywords = [
            ast.keyword(body.argument(body.owner.folding.of(node.target), word), given[word])
            for word, optional in inputs
            if optional and word in given
        ]
        layers = body.layers(node)
        called = self.layer(parts.cell, args, layers, keywords)
        if not keywords and not layers and [code.id for code in args if isinstance(code, ast.Name)] == parameters:
            return before, parts.cell
        defaults: list[ast.expr] = []
        arguments = [ast.arg(word) for word in parameters]
        if body.frames:
            # A lambda in a loop reads the loop's variables when it is called; these are the ones of its own turn.
            read = {node.id for node in ast.walk(called) if isinstance(node, ast.Name)} - set(parameters)
            bound = sorted(read & _loop_names(body))
            arguments += [ast.arg(word) for word in bound]
            defaults = [name(word) for word in bound]
        return before, ast.Lambda(ast.arguments([], arguments, None, [], [], None, defaults), called)


def _moved(code: ast.expr, axis: int, to: int) -> ast.expr:
    """The helper `scan` knows one axis of time; a value with another is moved."""
    return code if axis == to else quote("ops.moveaxis($x, $axis, $to)", x=code, axis=literal(axis), to=literal(to))


def _ports(cell: Folded) -> tuple[Sequence[tuple[str, bool]], Sequence[str]]:
    """Inputs (name, optional) and states of a cell; a native has no form, and no states."""
    if cell.form is not None:
        return cell.form.inputs, cell.form.states
    return [(port.name, False) for port in cell.members[0].module.inputs], ()


def _loop_names(body: Body) -> set[str]:
    """Names that change from turn to turn of the loops around: all that the body assigns."""
    elements = {word for frame in body.frames for word, _ in frame.elements}
    targets = {word for frame in body.frames for word in frame.targets.values()}
    return elements | targets | set(body.variables.values())


def _of_size(code: ast.expr, kind: TensorType) -> ast.expr:
    """A number that comes from a size, which may be a Python number or a tensor, in a tensor's element type.

    `ops.cast` takes a Python number by way of float32.
    """
    if kind.dtype == "f64":
        return call("ops.convert_to_tensor", code, dtype=dtype_code(kind.dtype))
    return quote("ops.cast($0, $1)", code, dtype_code(kind.dtype))


def _with_signed_zeros(site: Site) -> Site:
    """A plain -0.0 is computed (see `minus_zero`)."""
    if len(site.numbers or ()) != len(site.operands) or not any(map(is_minus_zero, site.numbers)):
        return site
    operands = zip(site.operands, site.numbers, site.types, strict=True)
    return replace(site, operands=tuple(minus_zero(kind) if is_minus_zero(n) else code for code, n, kind in operands))


def _with_wide_sizes(site: Site) -> Site:
    """A size read from a shape is int32; beside int64 and float tensors it must be cast. `cast` itself takes any.

    So is a plain integer that no tensor stands beside.
    """
    if site.op in ("cast", "constant", "dimension", "arange") or not site.operands:
        return site
    alone = bool(site.numbers) and all(number is not None for number in site.numbers)
    operands = (
        tuple(
            _of_size(code, kind)
            if (kind.dtype in INTS and (alone or (number is VARIES and is_size(code))))
            or (kind.dtype in FLOATS and number is VARIES and is_size(code))
            else code
            for code, kind, number in zip(site.operands, site.types, site.numbers, strict=True)
        )
        if len(site.operands) == len(site.types)
        else site.operands
    )
    return replace(site, operands=operands)
