"""A Program as text, and back.

`read(show(program))` equals `program`: all that has meaning is in the text. Provenance (spans, source expressions,
loops, choices) is not, but for `bind` lines and the paths of instances.

    program LeNet inference entry LeNet#0
    module dense#0 = "std/linear.dl":dense
      hyperparameters units=10, bias=True
      dims N=N, I=84
      home N = x axis 0: N
      input %0 x: float[N, 84]
      param %1 weight: float[10, 84] ~ xavier_uniform(1.0)
      %2: float[84, 10] = transpose(%1; axes=[1, 0])
      ...
      output %4 output

Values: integers, floats, True, False, None, inf, nan, "text", [a, b] for tuples, sizes as arithmetic (`(T + 1)//2`),
blocks as `<"file":name, k=v>`, instances as `@1`. A name that is no plain word stands in quotes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence

from dlc.dims import Dim, Size
from dlc.ir import (
    ITSELF,
    Bind,
    BlockId,
    Call,
    Content,
    Distribution,
    Equation,
    Instance,
    Lane,
    LayerRef,
    Module,
    Program,
    Read,
    Scan,
    State,
    Static,
    Template,
    TensorType,
)
from dlc.ir_read import read

__all__ = ["read", "show", "show_module"]

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9.#]*\Z")


def show(program: Program) -> str:
    """The program's text; ends with a line break."""
    mode = "training" if program.training else "inference"
    lines = [f"program {_name(program.network)} {mode} entry {_name(program.entry)}"]
    if program.configuration:
        lines.append(f"  configuration {_pairs(program.configuration)}")
    for module in program.modules:
        lines += show_module(module)
    return "\n".join(lines) + "\n"


def show_module(module: Module) -> list[str]:
    """One module's lines."""
    types = module.types
    mode = " training" if module.training else ""
    part = f" part {module.part}" if module.part else ""
    lines = [f"module {_name(module.key)} = {_block(module.block)}{mode}{part} values {len(types)}"]
    if module.doc is not None:
        lines.append(f"  doc {json.dumps(module.doc)}")
    if module.hyperparameters:
        lines.append(f"  hyperparameters {_pairs(module.hyperparameters)}")
    if module.dims:
        lines.append(f"  dims {_sizes(module.dims)}")
    for home in module.homes:
        axis = "itself" if home.axis == ITSELF else f"axis {home.axis}"
        lines.append(f"  home {_name(home.symbol)} = {_name(home.port)} {axis}: {home.size}")
    if module.signature:
        lines.append(
            "  signature " + ", ".join(_name(n) + ("?" if optional else "") for n, optional in module.signature)
        )
    if module.absent:
        lines.append("  absent " + ", ".join(map(_name, module.absent)))
    for port in module.inputs:
        bounds = "" if port.bounds is None else f" in [{port.bounds[0]}, {port.bounds[1]}]"
        lines.append(f"  input %{port.value} {_name(port.name)}: {_type(types[port.value])}{bounds}")
    for parameter in module.parameters:
        head = f"  {parameter.kind} %{parameter.value} {_name(parameter.name)}: {_type(types[parameter.value])}"
        lines.append(f"{head} ~ {_distribution(parameter.initial)}")
    lines += [f"  {_state(state, types)}" for state in module.states]
    for draw in module.draws:
        head = f"  draw %{draw.value} {_name(draw.name)}: {_type(types[draw.value])}"
        lines.append(f"{head} ~ {_distribution(draw.distribution)}")
    lines += [f"  {_instance(instance)}" for instance in module.instances]
    lines += [f"  {_equation(equation, types)}" for equation in module.body]
    results = (("output", module.outputs), ("next", module.next_states), ("next buffer", module.next_buffers))
    for word, ports in results:
        lines += [f"  {word} %{port.value} {_name(port.name)}" for port in ports]
    defined = _defined(module)
    lines += [f"  unused %{value}: {_type(type_)}" for value, type_ in enumerate(types) if value not in defined]
    return lines


def _defined(module: Module) -> set[int]:
    heads = (*module.inputs, *module.parameters, *module.states, *module.draws)
    return {head.value for head in heads} | {value for equation in module.body for value in equation.outputs}


def _state(state: State, types: Sequence[TensorType]) -> str:
    start = "" if state.initial is None else f" = {value_text(state.initial.value)}"
    return f"state %{state.value} {_name(state.name)}: {_type(types[state.value])}{start}"


def _instance(instance: Instance) -> str:
    text = f"instance {_name(instance.path)} site {_name(instance.site)} = {_block(instance.block)}"
    if instance.given is not None:
        text += f" given {_name(instance.given)}"
    if instance.shared:
        text += " shared"
    if instance.written:
        text += f" written [{', '.join(map(_name, instance.written))}]"
    return text + f"({_pairs(instance.hyperparameters)})"


def _equation(equation: Equation, types: Sequence[TensorType]) -> str:
    outputs = ", ".join(f"%{value}: {_type(types[value])}" for value in equation.outputs)
    inputs = ", ".join("none" if value is None else f"%{value}" for value in equation.inputs)
    match equation.target:
        case Bind(name=name, content=content):
            right = f"bind {_name(name)} {_content(content)}"
        case Read(instance=instance, parameter=parameter):
            right = f"read @{instance} {_name(parameter)}"
        case Call() as target:
            right = f"call @{target.instance} {_name(target.module)}{{{_sizes(target.dims)}}}({inputs})"
        case Scan() as target:
            names = f"{_lanes(target.scanned)} | {', '.join(map(_name, target.captured))} -> {_lanes(target.stacked)}"
            words = (" reverse" if target.reverse else "") + (" lengths" if target.has_lengths else "")
            head = f"scan @{target.instance} {_name(target.module)}{{{_sizes(target.dims)}}}"
            right = f"{head} [{names}] steps {value_text(target.steps)}{words} ({inputs})"
        case None:
            right = (
                f"{equation.op}({inputs}" + (f"; {_pairs(equation.attributes)}" if equation.attributes else "") + ")"
            )
    return f"{outputs} = {right}" if equation.outputs else right


def value_text(value: object) -> str:
    """A constant's value, as `read` takes it."""
    match value:
        case Static():
            return value_text(value.value)
        case Template(block=block, hyperparameters=bound):
            return f"<{_block(block)}" + "".join(f", {_name(n)}={value_text(v)}" for n, v in bound) + ">"
        case LayerRef(instance=instance):
            return f"@{instance}"
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case str():
            return json.dumps(value)
        case float():
            return str(value) if math.isnan(value) or math.isinf(value) else repr(value)
        case bool() | int() | None | Dim():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} is no constant of the IR")


def _name(name: str) -> str:
    return name if _WORD.match(name) else json.dumps(name)


def _lanes(lanes: Iterable[Lane]) -> str:
    return ", ".join(f"{_name(lane.name)}@{lane.axis}" for lane in lanes)


def _block(block: BlockId) -> str:
    return f"{json.dumps(block.file)}:{_name(block.name)}"


def _type(type_: TensorType) -> str:
    return f"{type_.dtype}[{', '.join(map(str, type_.shape))}]"


def _pairs(pairs: Iterable[tuple[str, Static]]) -> str:
    return ", ".join(f"{_name(name)}={value_text(static)}" for name, static in pairs)


def _sizes(pairs: Iterable[tuple[str, Size]]) -> str:
    return ", ".join(f"{_name(name)}={size}" for name, size in pairs)


def _distribution(distribution: Distribution) -> str:
    return f"{_name(distribution.name)}({', '.join(value_text(argument) for argument in distribution.arguments)})"


def _content(content: Content) -> str:
    if content is None:
        return "none"
    return f"%{content}" if isinstance(content, int) else f"[{', '.join(map(_content, content))}]"
