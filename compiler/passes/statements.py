"""Executes the statements of a block's body in order.

A statement with a mistake is noted, the names that it would have bound become unknown, and the rest goes on, so that
one run tells several mistakes.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlc import ir
from dlc.diagnostics import Diagnostic, DlcError, Note, did_you_mean, error
from dlc.distributions import DISTRIBUTIONS as SPECS
from dlc.ir import Static
from dlc.passes import calls, computed, dimensions, messages, states, static
from dlc.passes.builder import Builder, content_of, is_tensor, static_of
from dlc.passes.expressions import evaluate
from dlc.passes.loops import turns
from dlc.passes.operators import decide
from dlc.passes.sources import place, substitute
from dlc.passes.things import Items, Result, Tensor, Thing, Unknown, describe
from dlc.passes.walking import bound_names, walk
from dlc.spec import syntax
from dlc.spec.record import replace
from dlc.spec.source import Span

#: What `~` names in a spec: distributions and the arguments that each takes, with defaults (None: must be given).
DISTRIBUTIONS = {name: spec.arguments for name, spec in SPECS.items() if name != "expression"}
#: Those that `sample` draws from at each call.
SAMPLING = tuple(name for name, spec in SPECS.items() if spec.sampling)


def execute_all(b: Builder, body: Sequence[syntax.Statement]) -> None:
    """Executes a body; mistakes are collected in `b.diagnostics`."""
    for statement in body:
        before = b.statement
        b.statement = place(statement)
        try:
            execute(b, statement)
        except DlcError as problem:
            b.diagnostics.extend(_in_turn(b, d) for d in problem.diagnostics)
            for inner in walk((statement,)):
                for name in bound_names(inner):
                    if not isinstance(inner, syntax.NextAssign) and (inner is statement or name not in b.env):
                        b.env[name] = Unknown()
            if isinstance(statement, syntax.Output | syntax.NextAssign | syntax.Send | syntax.Messages):
                b.broken = True
        b.statement = before


def _in_turn(b: Builder, problem: Diagnostic) -> Diagnostic:
    """A mistake that shows in a later turn of a loop only, with what the loop's names are there."""
    values: list[str] = []
    for frame in b.frames:
        if isinstance(frame, ir.Turn):
            loop = b.loops[frame.loop]
            row = zip(loop.targets, loop.values[frame.index], strict=True)
            values += [f"{name} = {short_value(v.value)}" for name, v in row if v is not None and name != "_"]
    text = f"in the turn of the loop where {', '.join(values)}"
    first = all(frame.index == 0 for frame in b.frames if isinstance(frame, ir.Turn))
    if first or not values or any(note.message.startswith("in the turn") for note in problem.notes):
        return problem
    return replace(problem, notes=(Note(text), *problem.notes))


def short_value(value: object) -> str:
    text = str(list(value) if isinstance(value, tuple) else value)
    return text if len(text) < 40 else f"{text[:36]} ..."


def execute(b: Builder, statement: syntax.Statement) -> None:
    """Executes one statement. Raises DlcError."""
    match statement:
        case syntax.Assign():
            _assign(b, statement)
        case syntax.Output():
            _output(b, statement)
        case syntax.For():
            for _ in turns(b, statement.targets, statement.iterable, place(statement)):
                execute_all(b, statement.body)
        case syntax.If():
            _if(b, statement)
        case syntax.Parameter():
            _parameter(b, statement)
        case syntax.State():
            states.declare(b, statement)
        case syntax.NextAssign():
            states.assign(b, statement)
        case syntax.Sample():
            _sample(b, statement)
        case syntax.Messages():
            messages.execute(b, statement)
        case syntax.Send():
            messages.send(b, statement)
        case syntax.Aggregate():
            messages.aggregate(b, statement)
        case syntax.Input():
            if statement not in b.declaration.block.body:
                raise error("E0609", "an input stands at the top of its block, in no loop or choice", statement.span)
        case _:
            raise error("E0609", "this statement belongs into a `train` section", statement.span)


def _assign(b: Builder, node: syntax.Assign) -> None:
    thing = calls.made(b, evaluate(b, node.value))
    if len(node.targets) == 1:
        _bind(b, node.targets[0], thing, node.span)
        return
    if isinstance(thing, Result):
        parts: tuple[Thing, ...] = tuple(thing.outputs.values())
    elif isinstance(thing, Items):
        parts = thing.items
    else:
        raise error(
            "E0509", f"this does not unpack into {len(node.targets)} names", node.value.span, found=describe(thing)
        )
    if len(parts) != len(node.targets):
        raise error(
            "E0509",
            f"this gives {len(parts)} values for {len(node.targets)} names",
            node.span,
            found=describe(thing),
            expected=f"{len(node.targets)} values",
            hint="name the result and take what you need: `r = ...`, then `r.output`"
            if isinstance(thing, Result) and "output" in thing.outputs
            else None,
        )
    for target, part in zip(node.targets, parts, strict=True):
        _bind(b, target, part, node.span)


def _bind(b: Builder, name: str, thing: Thing, span: Span) -> None:
    if isinstance(thing, Items) and content_of(thing) is not None:
        thing = Items(thing.items, syntax.Name(name))  # a list of tensors is known by its name
    b.bind(name, thing, span)


def _output(b: Builder, node: syntax.Output) -> None:
    thing = evaluate(b, node.value)
    tensor = b.tensor(thing, node.value.span)
    name = node.name
    if name is None:
        name = node.value.id if isinstance(node.value, syntax.Name) else "output"
    for port in b.outputs:
        if port.name == name:
            hint = "name them: `output name = ...`" if node.name is None else None
            raise error("E0202", f"output `{name}` is given twice", node.span, hint=hint)
    if any(state.name == name for state in b.states):
        raise error("E0604", f"`{name}` is both an output and a state", node.span, hint=_state_hint(b, name))
    b.outputs.append(ir.Port(name, tensor.id))
    if node.name is not None and not (isinstance(node.value, syntax.Name) and node.value.id == name):
        _bind(b, name, tensor, node.span)


def _state_hint(b: Builder, name: str) -> str:
    """`h = ...` where `next h = ...` is meant."""
    for statement in walk(b.declaration.block.body):
        if isinstance(statement, syntax.Assign) and name in statement.targets:
            new = f"the state's new value is `next {name} = ...`, given out as `next {name}`"
            return f"`{name} = ...` names a value; {new}"
    return "call the output something else"


def _if(b: Builder, node: syntax.If) -> None:
    tests: list[syntax.Expr] = []
    taken = len(node.arms)
    for i, (test, _) in enumerate(node.arms):
        if taken < len(node.arms):
            tests.append(substitute(b, test) or test)
            continue
        decided = decide(b, evaluate(b, test), test, "`if`")
        tests.append(decided.source or test)
        if decided.value:
            taken = i
    number = len(b.choices)
    b.choices.append(ir.Choice(place(node), tuple(tests), taken))
    body = node.arms[taken][1] if taken < len(node.arms) else node.orelse
    with b.inside(ir.Arm(number, taken)):
        execute_all(b, body)


# --- parameters, states, draws ---------------------------------------------------------------------------------


def _parameter(b: Builder, node: syntax.Parameter) -> None:
    shape: list[int] = []
    sources: list[syntax.Expr | None] = []
    for dimension in node.type.dimensions:
        for size in _parameter_sizes(b, dimension):
            if not isinstance(size.value, int):
                raise error(
                    "E0406",
                    "a parameter's shape must be constant",
                    dimension.span,
                    found=f"`{size.value}`, known only when the network runs",
                    hint="give the dimension a size at the network's border: `F = 1433`",
                )
            shape.append(size.value)
            sources.append(size.source)
    if any(isinstance(frame, ir.Turn) for frame in b.frames):
        raise error(
            "E0609",
            f"a {node.kind} stands in no loop",
            node.span,
            hint="make a block of it: each turn then has its own",
        )
    static.check_size(tuple(shape), node.type.span)
    initial = _initial(b, node, ir.TensorType(node.type.dtype, tuple(shape)))
    for name in node.names:
        if any(p.name == name for p in b.parameters):
            raise error("E0202", f"`{name}` is declared twice", node.span)
        value = b.new_value(ir.TensorType(node.type.dtype, tuple(shape)))
        b.parameters.append(ir.Parameter(name, node.kind, value, initial, tuple(sources)))
        b.env[name] = Tensor(value)


def _parameter_sizes(b: Builder, dimension: syntax.Expr | syntax.StarDimension | syntax.SizedDimension) -> list[Static]:
    if isinstance(dimension, syntax.StarDimension):
        star = b.env.get(dimension.name)
        items = star.items if isinstance(star, Items) else ()
        return [item for item in items if isinstance(item, Static)]
    expression = dimension.size if isinstance(dimension, syntax.SizedDimension) else dimension
    dimensions.require_known(b, expression)
    return [dimensions.size_of(b, expression)]


def _initial(b: Builder, node: syntax.Parameter, kind: ir.TensorType) -> ir.Distribution:
    if node.distribution is not None:
        return _distribution(b, node.distribution)
    if node.value is None:
        raise error(
            "E0601", f"`{node.names[0]}` has no initial value", node.span, expected="`~ distribution` or `= value`"
        )
    trial = computed.scope(b, node.value)
    thing = evaluate(trial, node.value)
    if is_tensor(thing):
        return computed.distribution(b, trial, node, trial.tensor(thing, node.value.span), kind)
    value = static_of(thing, node.value.span)
    if isinstance(value.value, bool | int | float):
        return ir.Distribution("constant", (Static(static.as_float(value.value, node.value.span), value.source),))
    return ir.Distribution("expression", (value,))


def _distribution(b: Builder, node: syntax.Expr, known: Sequence[str] = tuple(DISTRIBUTIONS)) -> ir.Distribution:
    """`uniform(-0.1, 0.1)`, `xavier_uniform`; one of `known`. Raises DlcError E0201, E0306."""
    name = node.function if isinstance(node, syntax.Call) else node
    if not isinstance(name, syntax.Name) or name.id not in known:
        shown = name.id if isinstance(name, syntax.Name) else "this"
        raise error(
            "E0201",
            f"`{shown}` is no distribution",
            node.span,
            expected=", ".join(known),
            hint=did_you_mean(shown.replace("glorot", "xavier").replace("he_", "kaiming_"), known),
        )
    wanted = DISTRIBUTIONS[name.id]
    args = node.args if isinstance(node, syntax.Call) else ()
    keywords = node.keywords if isinstance(node, syntax.Call) else ()
    given = {key: _number(b, arg) for (key, _), arg in zip(wanted, args, strict=False)}
    if len(args) > len(wanted):
        raise error("E0306", f"`{name.id}` takes {len(wanted)} argument(s)", node.span, found=str(len(args)))
    for keyword in keywords:
        if keyword.name not in dict(wanted) or keyword.name in given:
            raise error(
                "E0308", f"`{name.id}` has no argument `{keyword.name}`", keyword.span, expected=", ".join(dict(wanted))
            )
        given[keyword.name] = _number(b, keyword.value)
    missing = [key for key, default in wanted if default is None and key not in given]
    if missing:
        raise error("E0307", f"`{name.id}` needs `{missing[0]}`", node.span)
    return ir.Distribution(name.id, tuple(given.get(key, Static(default)) for key, default in wanted))


def _number(b: Builder, node: syntax.Expr) -> Static:
    thing = evaluate(b, node)
    if isinstance(thing, Static) and isinstance(thing.value, int | float) and not isinstance(thing.value, bool):
        return Static(static.as_float(thing.value, node.span), thing.source)
    if is_tensor(thing):
        raise error(
            "E0406",
            "a distribution's argument must be constant",
            node.span,
            found="a value that is known only when the network runs",
        )
    raise error("E0302", "a distribution's argument is a number", node.span, found=describe(thing))


def _sample(b: Builder, node: syntax.Sample) -> None:
    if any(isinstance(frame, ir.Turn) for frame in b.frames):
        raise error(
            "E0609", "a draw stands in no loop", node.span, hint="make a block of it: each turn then has its own"
        )
    kind = dimensions.declared_type(b, node.type)
    value = b.new_value(kind)
    b.draws.append(ir.Draw(node.name, value, _distribution(b, node.distribution, SAMPLING)))
    b.env[node.name] = Tensor(value)


def finish(b: Builder) -> None:
    """What must hold at the end of a body. Raises DlcError with all that was found."""
    if b.diagnostics:
        raise DlcError(tuple(b.diagnostics))
    block = b.declaration.block
    if not b.outputs:
        raise error(
            "E0601",
            f"`{block.name}` has no output",
            block.name_span,
            expected="`output name = ...` as its last statement",
        )
    states.check_next(b)
