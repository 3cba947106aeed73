"""Whether constructors of generated torch code keep their promises: each argument, at other values than its default.

The truth is the spec, elaborated with the other value (`--set`, or the block for itself): the parameters' names and
shapes, and the outputs of the reference in float64, with equal weights. A value that the spec refuses counts for
nothing; one that the code refuses loudly is honest, and counted apart.
"""

from __future__ import annotations

import inspect
import itertools
import json
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch
from dlc import dims, ir, networks
from dlc.backends.api import Options, Unit
from dlc.backends.common.fold import Folded
from dlc.backends.common.names import identifier
from dlc.backends.reference.interpreter import Interpreter
from dlc.backends.torch.file import TorchFile
from dlc.diagnostics import DlcError
from dlc.ir import INTS, Module, Program, Static
from dlc.parameters import parameters
from dlc.passes import functions
from dlc.passes.draws import explicit_draws
from dlc.passes.elaborate import Elaborator, Request
from dlc.passes.resolve import Project, load_project
from dlc.passes.things import BlockValue, Items, Thing
from dlc.recursion import deep_recursion

_NUMBERS = itertools.count()


@dataclass
class Tally:
    """What was tried: right, refused by the code (`loud`), wrong; `unrun`: not compared, for the oracle fails."""

    right: int = 0
    loud: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])
    unrun: list[str] = field(default_factory=list[str])


def others(value: object) -> list[object]:
    """Other values of a hyperparameter's type."""
    match value:
        case bool():
            return [not value]
        case int():
            return list(dict.fromkeys([value + 1, 2 * value, max(value // 2, 0), 1]))
        case float():
            return [value * 0.5 + 0.125]
        case tuple() if value:
            items = cast("tuple[object, ...]", value)
            longer, shorter = (*items, items[-1]), items[:-1]
            changed = [tuple(item) for item in zip(*(others(item)[:1] for item in items), strict=True)]
            return [longer, *([shorter] if shorter else []), *changed]
        case None:
            return [2, 3]
        case _:
            return []


def text(value: object) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(text, cast('tuple[object, ...]', value)))}]"
    return (
        {True: "true", False: "false", None: "none"}.get(value)
        if value is None or isinstance(value, bool)
        # type: ignore[return-value]
        else (json.dumps(value) if isinstance(value, str) else repr(value))
    )


# --- networks --------------------------------------------------------------------------------------------------


def check(path: Path, outputs: bool = True, natives: bool = True, most: int = 4) -> Tally:
    """All networks of a spec, and all classes in its code. `most`: values tried for each argument."""
    tally = Tally()
    project = load_project(path)
    unit = networks.elaborate(project).unit
    file = TorchFile(unit, Options(natives=natives))
    code = executed(file.print(), path)
    for place, network in enumerate(unit.networks):
        folded = file.folding.entry(2 * place)
        factory = getattr(code, file.factories.get(network.name, file.names[folded.index]))
        module = network.inference.table[network.inference.entry]
        values = {name: static.value for name, static in module.hyperparameters}
        for word in inspect.signature(factory).parameters:
            name = next((one.word for one in file.constructor(folded) if one.name == word), word)
            for value in others(values[name])[:most] if name in values else ():
                title = f"{path.stem}: {network.name}({name}={value})"
                try:
                    found = networks.elaborate(project, networks.Choice(network.name, {name: text(value)})).unit
                except DlcError:
                    continue
                other = found.networks[0]
                _compare(tally, title, lambda f=factory, w=word, v=value: f(**{w: v}), other, outputs, file.renamed)
    _check_classes(tally, unit, file, code, project, path.stem, outputs, most)
    return tally


def executed(source: str, path: Path) -> ModuleType:
    module = ModuleType(f"honest_{path.stem}_{next(_NUMBERS)}")
    sys.modules[module.__name__] = module
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def _compare(tally: Tally, title: str, make: Any, truth: Any, outputs: bool, renamed: Mapping[str, str]) -> None:
    """`truth`: a network, or the program of a block."""
    program: Program = truth if isinstance(truth, Program) else truth.inference
    training: Program = truth if isinstance(truth, Program) else truth.training
    wanted = {p.path: tuple(p.shape) for p in parameters(training)}
    try:
        with torch.device("meta" if not outputs else "cpu"):
            model = make()
    except Exception as problem:
        tally.loud.append(f"{title}: {type(problem).__name__} {str(problem)[:100]}")
        return
    if not isinstance(model, torch.nn.Module):
        state: dict[str, torch.Tensor] = {}
    else:
        back = {after: before for before, after in renamed.items()}
        state = {
            ".".join(back.get(word, word) for word in key.split(".")): value
            for key, value in model.state_dict().items()
            if "num_batches_tracked" not in key
        }
    found = {key: tuple(value.shape) for key, value in state.items()}
    if found != wanted:
        differ = sorted({*found.items()} ^ {*wanted.items()})[:4]
        tally.wrong.append(f"{title}: parameters {differ}")
        return
    if outputs:
        problem = _outputs_differ(model, state, program, tally, title)
        if problem:
            tally.wrong.append(f"{title}: {problem}")
            return
    tally.right += 1


SIZES = {"N": 2, "T": 5, "S": 4, "V": 6, "E": 9, "B": 3}


def _outputs_differ(
    model: Any, state: Mapping[str, torch.Tensor], program: Program, tally: Tally, title: str
) -> str | None:
    entry = program.table[program.entry]
    generator = np.random.default_rng(0)
    for key, value in state.items():
        with torch.no_grad():
            drawn = torch.from_numpy(np.asarray(generator.normal(size=tuple(value.shape)))).float() * 0.3
            value.copy_(drawn.abs() + 0.5 if "var" in key else drawn)
    symbols = sorted({name for kind in entry.types for size in kind.shape for name in dims.symbols(size)})
    sizes = {name: SIZES.get(name, 4 + 4 * (i % 2)) for i, name in enumerate(symbols)}
    for name in ("H", "W", "L"):
        if name in sizes:
            sizes[name] = 32
    try:
        inputs = _inputs(entry, sizes, generator)
        weights = {key: value.detach().numpy() for key, value in state.items()}
        _, draws = explicit_draws(program)
        if draws or any(module.draws for module in program.modules):
            wanted = None
        else:
            wanted = Interpreter(program, weights, exact=True).run(inputs)
    except Exception as problem:  # the spec can't be run at these sizes
        tally.unrun.append(f"{title}: {type(problem).__name__} {str(problem)[:100]}")
        return None
    if isinstance(model, torch.nn.Module):
        model.eval()
    try:
        with torch.no_grad():
            result = _called(model, {word: torch.from_numpy(value) for word, value in inputs.items()})
    except Exception as problem:
        return f"{type(problem).__name__} {str(problem)[:200]}"
    results = result if isinstance(result, tuple) else (result,)
    ports = [*entry.outputs, *(ir.Port(f"next {p.name}", p.value) for p in entry.next_states)]
    for port, value in zip(ports, results, strict=True):
        shape = tuple(dims.evaluate(size, sizes) for size in entry.types[port.value].shape)
        if tuple(value.shape) != shape:
            return f"{port.name} is {tuple(value.shape)}, not {shape}"
        if wanted is not None:
            right = wanted[port.name]
            scale = max(1e-6, float(np.abs(right[np.isfinite(right)]).max(initial=0.0)))
            if not np.allclose(value.numpy(), right, rtol=0, atol=2e-4 * scale, equal_nan=True):
                return f"{port.name} differs by {np.nanmax(np.abs(value.numpy() - right)) / scale:.2g}"
    return None


def _called(model: Any, inputs: Mapping[str, torch.Tensor]) -> Any:
    """By name: optional inputs come after the states. What a block computes once goes in with the rest."""
    if not isinstance(model, torch.nn.Module):
        return model(*inputs.values())
    given = {identifier(word): value for word, value in inputs.items()}
    taken = inspect.signature(model.forward).parameters.items()
    words = [word for word, one in taken if word in given or one.default is inspect.Parameter.empty]
    unknown = [word for word in words if word not in given]
    if "prepare" in vars(type(model)):
        prepare = cast("Any", model).prepare
        once = prepare(**{word: given[word] for word in inspect.signature(prepare).parameters})
        parts = once if isinstance(once, tuple) else (once,)
        given.update(zip(unknown, parts, strict=True))
    elif unknown:  # words of Python: `input_`
        given.update(zip(unknown, [value for word, value in given.items() if word not in words], strict=True))
    return model(**{word: given[word] for word in words})


def _inputs(entry: Module, sizes: Mapping[str, int], generator: np.random.Generator) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for port in (*entry.inputs, *entry.states):
        kind = entry.types[port.value]
        shape = [dims.evaluate(size, sizes) for size in kind.shape]
        if kind.dtype in INTS:
            bounds = getattr(port, "bounds", None) or (0, 2)
            low, high = (dims.evaluate(bound, sizes) for bound in bounds)
            found[port.name] = generator.integers(low, high, shape)
        elif kind.dtype == "bool":
            found[port.name] = generator.random(shape) > 0.3
        else:
            found[port.name] = generator.normal(size=shape).astype("float32")
    return found


# --- classes ---------------------------------------------------------------------------------------------------


def _check_classes(
    tally: Tally,
    unit: Unit,
    file: TorchFile,
    code: ModuleType,
    project: Project,
    stem: str,
    outputs: bool,
    most: int,
) -> None:
    entries = {file.folding.assigned[2 * i, n.inference.entry] for i, n in enumerate(unit.networks)}
    for folded in file.folding.classes:
        if folded.native is not None or folded.index in entries or folded.form is None or not folded.arguments:
            continue
        member = next((m for m in folded.members if not m.module.training), None)
        if member is None or any(one.given is not None for one in member.module.instances):
            continue
        _check_class(tally, file, code, project, folded, member.module, stem, outputs, most)


def _check_class(
    tally: Tally,
    file: TorchFile,
    code: ModuleType,
    project: Project,
    folded: Folded,
    module: Module,
    stem: str,
    outputs: bool,
    most: int,
) -> None:
    known = {**{name: static.value for name, static in module.hyperparameters}, **dict(module.dims)}
    arguments = file.constructor(folded)
    named = {one.word: one.name for one in arguments}
    for one in arguments:
        for value in others(known[one.word])[: most - 1]:
            changed = {**known, one.word: value}
            try:
                program = block_program(project, module, changed)
            except DlcError:
                continue
            given = {named[word]: changed[word] for word in named}
            title = f"{stem}: {folded.block.name}({', '.join(f'{k}={v}' for k, v in given.items())})"
            if file.is_function(folded):
                function = getattr(code, file.names[folded.index])
                make = lambda f=function, g=given: lambda *x: f(*x, **g)  # noqa: E731
            else:
                made = getattr(code, file.names[folded.index])
                make = lambda c=made, g=given: c(**g)  # noqa: E731
            _compare(tally, title, make, program, outputs, file.renamed)


def block_program(project: Project, module: Module, values: Mapping[str, object]) -> Program:
    """The block of a module, elaborated by itself with other hyperparameters and dimensions. Raises DlcError."""
    declaration = networks._declaration(module.block, project)  # pyright: ignore[reportPrivateUsage]
    assert declaration is not None
    elaborator = Elaborator()
    things = {name: _thing(project, values[name]) for name, _ in module.hyperparameters}
    sizes: dict[str, Any] = {}
    for name, _ in module.dims:
        star = name.rstrip("0123456789")
        if star != name and star not in values:
            sizes[star] = (*sizes.get(star, ()), values[name])
        else:
            sizes[name] = values[name]
    stars = {d.name for s in declaration.inputs for d in s.type.dimensions if type(d).__name__ == "StarDimension"}
    sizes.update({star: () for star in stars if star not in sizes})
    with deep_recursion():
        made = elaborator.module(Request(declaration, things, None, sizes, module.absent, module.training))
    return Program("block", networks._reachable(elaborator, made), made.key, module.training)  # pyright: ignore[reportPrivateUsage]


def _thing(project: Project, value: object) -> Thing:
    match value:
        case ir.Template(block, bound):
            if block.file == "std/functions.dl":
                return BlockValue(functions._declaration(block.name, ()))  # pyright: ignore[reportPrivateUsage]
            declaration = networks._declaration(block, project)  # pyright: ignore[reportPrivateUsage]
            assert declaration is not None
            return BlockValue(declaration, tuple((name, _thing(project, one.value)) for name, one in bound))
        case tuple():
            return Items(tuple(_thing(project, item) for item in cast("tuple[object, ...]", value)))
        case _:
            return Static(value)


def main(paths: Sequence[str]) -> None:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for path in paths:
        try:
            tally = check(Path(path))
        except DlcError as problem:
            print(path, "SKIP", str(problem)[:100])
            continue
        print(f"{path}: {tally.right} right, {len(tally.loud)} loud, {len(tally.wrong)} WRONG")
        for line in tally.wrong:
            print("   WRONG", line)
        for line in tally.loud:
            print("   loud ", line)


if __name__ == "__main__":
    main(sys.argv[1:])

__all__ = ["Iterator", "Tally", "check", "others"]
