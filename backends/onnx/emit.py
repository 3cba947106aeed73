"""Modules to model-local functions, the entry to the model's graph.

A function takes the module's inputs, its states, then the weights that it uses, by their path below the instance
(`attention.query.weight`). It gives the outputs, the next states, then, in training, the next buffers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dlc.backends.onnx.graph import Builder, Names, Value
from dlc.backends.onnx.library import Library, finish
from dlc.backends.onnx.natives import native_of, recurrent_of
from dlc.backends.onnx.recurrence import recurrence
from dlc.backends.onnx.rule import Apply
from dlc.backends.onnx.rules import RULES
from dlc.backends.onnx.scan import scan
from dlc.backends.onnx.scope import Callee, Made, Passed, Scope, weight_name
from dlc.diagnostics import error
from dlc.ir import Bind, Call, Content, Equation, Module, Program, Read, Scan


def functions(
    program: Program, library: Library, above: Mapping[str, frozenset[int]], natives: bool
) -> dict[str, Callee]:
    """Fills the library with one function per module but the entry. `above`: see `facts`."""
    callees: dict[str, Callee] = {}
    for module in program.modules:
        if module.key != program.entry:
            callees[module.key] = _function(module, library, callees, above[module.key], natives)
    return callees


def _function(
    module: Module, library: Library, callees: Mapping[str, Callee], above: frozenset[int], natives: bool
) -> Callee:
    native = native_of(module, library.precision) if natives else None
    if native is not None:
        return Callee(module, "", [parameter.name for parameter in module.parameters], native=native)
    scope = Scope(module, library.builder(_function_name(module)), callees, natives, above)
    results = emit(scope)
    buffers = list(scope.buffers)
    ports = list(scope.ports.values())
    made = list(dict.fromkeys(value for value in results if value not in ports))
    gives = [Passed(ports.index(value)) if value in ports else Made(made.index(value)) for value in results]
    if not made:
        return Callee(module, "", (), buffers, gives)
    hints = _result_names(module, buffers)
    weights = finish(scope.b, made, [hints[results.index(value)] for value in made], Names(), scope.weights)
    name = library.add(scope.b, _function_name(module), module.doc or "")
    return Callee(module, name, weights, buffers, gives)


def _function_name(module: Module) -> str:
    """The block's name; `cell_prepare` for what is computed once before a scan."""
    return f"{module.block.name}_{module.part}" if module.part == "prepare" else module.block.name


def _result_names(module: Module, buffers: Sequence[str]) -> list[str]:
    states = [f"next_{port.name}" for port in module.next_states]
    return [*(port.name for port in module.outputs), *states, *(f"next_{weight_name(path)}" for path in buffers)]


def emit(scope: Scope) -> list[Value]:
    """Writes a module's body; its outputs, next states and next buffers."""
    module = scope.module
    names = _names(module)
    for equation in module.body:
        before = len(scope.b.graph.nodes)
        results = _equation(scope, equation)
        fresh = {value for node in scope.b.graph.nodes[before:] for value in node.outputs}
        for index, value in zip(equation.outputs, results, strict=True):
            scope.values[index] = value
            if value in fresh:
                value.hint = names.get(index, value.hint)
    for port in module.next_buffers:
        scope.buffers[port.name] = scope.values[port.value]
    results = [scope.values[port.value] for port in (*module.outputs, *module.next_states)]
    return results + list(scope.buffers.values())


def _names(module: Module) -> dict[int, str]:
    """What the spec calls the values: by output, by next state, by the name first bound to them.

    A value that had an output's name before it is called as its op is: `matmul`, then `y`, not `y_2`, then `y`.
    """
    names = {port.value: port.name for port in module.outputs}
    outputs = set(names.values())
    for port in module.next_states:
        names.setdefault(port.value, f"next_{port.name}")
    for equation in module.body:
        if isinstance(equation.target, Bind):
            for index, name in _bound(equation.target.name, equation.target.content):
                if name not in outputs:
                    names.setdefault(index, name)
    return names


def _bound(name: str, content: Content) -> Iterator[tuple[int, str]]:
    if isinstance(content, int):
        yield content, name
    elif content is not None:
        for place, item in enumerate(content):
            yield from _bound(f"{name}_{place}", item)


def _equation(scope: Scope, equation: Equation) -> Sequence[Value]:
    target = equation.target
    match target:
        case Bind():
            return []
        case Read():
            return [scope.weight(scope.path(target.instance, target.parameter))]
        case Call():
            return call(scope, target, scope.given(equation), scope.b)
        case Scan():
            callee = scope.callees[target.module]
            native = recurrent_of(callee.module, target, scope.b.precision) if scope.natives else None
            if native is not None:
                return recurrence(scope, target, scope.given(equation), callee, native)
            return scan(scope, target, scope.given(equation), lambda b, given: call(scope, target, given, b))
        case None:
            return _primitive(scope, equation)


def _primitive(scope: Scope, equation: Equation) -> list[Value]:
    rule = RULES.get(equation.op)
    if rule is None:
        raise error("E0701", f"the ONNX backend has no rule for `{equation.op}`", equation.origin.span)
    types = scope.module.types
    inputs = [index for index in equation.inputs if index is not None]
    use = Apply(
        equation.op,
        scope.given(equation),
        [types[index] for index in inputs],
        [types[index] for index in equation.outputs],
        {name: static.value for name, static in equation.attributes},
        scope.sizes,
        [index in scope.above for index in inputs],
    )
    before = len(scope.b.graph.nodes)
    result = rule(scope.b, use)
    results = result if isinstance(result, list) else [result]
    nodes = [node for node in scope.b.graph.nodes[before:] if node.op not in ("Constant", "ConstantOfShape")]
    made = {value for node in nodes for value in node.outputs}
    for value in results:
        if value in made:
            value.hint = equation.op
    return results


def call(scope: Scope, target: Call | Scan, given: Sequence[Value], b: Builder) -> list[Value]:
    """Calls a module's function with its inputs and states; outputs and next states. Its buffers move on in `scope`."""
    callee = scope.callees[target.module]
    instance = scope.module.instances[target.instance]
    weights = [scope.weight(scope.path(target.instance, path)) for path in callee.weights]
    site = next((part for part in reversed(instance.path.split(".")) if not part.isdigit()), "")
    if not site or site in [port.name for port in scope.module.outputs]:  # what it gives is not that output yet
        site = callee.module.block.name
    if callee.native is not None:
        names = [*(port.name for port in callee.module.inputs), *callee.weights]
        named = dict(zip(names, [*given, *weights], strict=True))
        return [callee.native.call(b, callee.module, named, site, instance.path)]
    buffers = [scope.path(target.instance, path) for path in callee.buffers]
    made: list[Value] = []
    if callee.name:
        hints = _hints(callee, site, buffers)
        made = b.many(callee.name, [*given, *weights], hints, domain=b.library.domain, name=instance.path)
    results = [given[give.place] if isinstance(give, Passed) else made[give.place] for give in callee.gives]
    ports = len(results) - len(buffers)
    scope.buffers.update(zip(buffers, results[ports:], strict=True))
    return results[:ports]


def _hints(callee: Callee, site: str, buffers: Sequence[str]) -> list[str]:
    """What the results of a call at `site` would like to be called, one name for each that the function makes."""
    ports = [port.name for port in (*callee.module.outputs, *callee.module.next_states)]
    several = len({give for give in callee.gives[: len(ports)] if isinstance(give, Made)}) > 1
    once = callee.module.part == "prepare"
    names = [name if once else f"{site}_{name}" if several else site for name in ports]
    names += [f"next_{weight_name(path)}" for path in buffers]
    made: dict[Passed | Made, str] = {}
    for give, name in zip(callee.gives, names, strict=True):
        made.setdefault(give, name)
    return [name for give, name in made.items() if isinstance(give, Made)]
