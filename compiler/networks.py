"""From a loaded project to the unit that backends compile: its networks, elaborated for inference and for training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dlc import ir
from dlc.backends.api import Network, Unit
from dlc.diagnostics import Diagnostic, DlcError, did_you_mean, error
from dlc.parameters import network_parameters
from dlc.passes import checks, computed, configurations, hyperparameters, lanes
from dlc.passes.border_sizes import border_sizes
from dlc.passes.builder import Builder
from dlc.passes.elaborate import Elaborator, Request
from dlc.passes.expressions import evaluate, lookup
from dlc.passes.hyperparameters import without_source
from dlc.passes.instances import as_static
from dlc.passes.resolve import FileScope, Project, standard_library
from dlc.passes.things import BlockDeclaration, BlockValue, Pending, Thing, describe
from dlc.recursion import deep_recursion
from dlc.spec import syntax
from dlc.spec.parser import parse_expression
from dlc.spec.source import Span


@dataclass(frozen=True, slots=True)
class Template:
    """A network that can't be compiled by itself: some hyperparameters have no value."""

    name: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a file to compile: one network or all, `--set` values and `--dim` sizes by name."""

    network: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Elaborated:
    """A unit, the templates that were left out, the names of `train` sections, and what was noticed of types."""

    unit: Unit
    templates: tuple[Template, ...]
    trains: tuple[str, ...]
    warnings: tuple[Diagnostic, ...] = ()


def elaborate(project: Project, choice: Choice | None = None) -> Elaborated:
    """Elaborates the chosen networks of a file. Raises DlcError with the mistakes of all of them, E0591 if too deep."""
    with deep_recursion():
        return _elaborate(project, choice)


def _elaborate(project: Project, choice: Choice | None) -> Elaborated:
    choice = choice or Choice()
    elaborator = Elaborator()
    scope = Builder(elaborator, _file_block(project), False)
    networks: list[Network] = []
    templates: list[Template] = []
    mistakes = [d for file in _scopes(project) for d in checks.check_file(file)]
    problems = [DlcError(tuple(mistakes))] if mistakes else []
    for name, span in _names(project, choice.network):
        try:
            block = _resolve(scope, name, span)
            block = _with_settings(scope, block, dict(choice.settings))
            missing = hyperparameters.missing_hyperparameters(block.declaration, dict(block.bound))
            if missing and choice.network is None:
                templates.append(Template(name, tuple(missing)))
                continue
            networks.append(_network(elaborator, scope, name, block, dict(choice.sizes), span))
        except DlcError as problem:
            problems.append(problem)
    if problems:
        raise _joined(problems)
    networks = _without_unread_lanes(networks)
    trains = tuple(d.name for d in project.scope.spec.declarations if d.kind == "train")
    doc, declarations = project.scope.spec.doc, _declarations(networks, project)
    unit = Unit(project.stem, project.digest, doc, tuple(networks), declarations, project.path.name)
    warnings = tuple(w for w in elaborator.warnings if w.span is not None and not w.span.file.startswith("std/"))
    return Elaborated(unit, tuple(templates), trains, tuple(dict.fromkeys(warnings)))


def _without_unread_lanes(networks: Sequence[Network]) -> list[Network]:
    programs = iter(lanes.drop_unread([p for network in networks for p in (network.inference, network.training)]))
    return [Network(network.name, next(programs), next(programs)) for network in networks]


def _joined(problems: Sequence[DlcError]) -> DlcError:
    """All diagnostics, each once: a mistake in a block shows through every network that uses it."""
    unique: dict[object, Diagnostic] = {}
    for problem in problems:
        for diagnostic in problem.diagnostics:
            unique.setdefault((diagnostic.code, diagnostic.span, diagnostic.message), diagnostic)
    return DlcError(tuple(unique.values()), max(problem.exit_code for problem in problems))


def _file_block(project: Project) -> BlockDeclaration:
    """The file's own scope, as a block without anything in it."""
    empty = syntax.Block("block", "", (), None, ())
    return BlockDeclaration(ir.BlockId("", ""), empty, project.scope)


def _names(project: Project, only: str | None) -> list[tuple[str, Span]]:
    declared = [(d.name, d.name_span) for d in project.scope.spec.declarations if d.kind == "network"]
    if only is None:
        return declared
    found = [item for item in declared if item[0] == only]
    if found:
        return found
    names = [name for name, _ in declared]
    raise error(
        "E0203",
        f"there is no network `{only}` in {project.path.name}",
        found=", ".join(names) or "no networks",
        hint=did_you_mean(only, names),
        exit_code=2,
    )


def _resolve(scope: Builder, name: str, span: Span) -> BlockValue:
    """A network's block, and what its configuration binds."""
    found = configurations.resolve(scope, name) or lookup(scope, syntax.Name(name, span))
    if isinstance(found, BlockValue):
        return found
    raise error("E0301", f"`{name}` is no network", span, found=describe(found))


def _with_settings(scope: Builder, block: BlockValue, settings: dict[str, str]) -> BlockValue:
    """`--set k=v` on top of what is bound; v is an expression of the language."""
    known = [h.name for h in block.declaration.block.hyperparameters]
    values: dict[str, Thing] = {}
    for name, text in settings.items():
        if name not in known:
            raise error(
                "E0308",
                f"`{block.declaration.id.name}` has no hyperparameter `{name}`",
                found=f"--set {name}={text}",
                expected=", ".join(known) or "no hyperparameters",
                hint=did_you_mean(name, known),
                exit_code=2,
            )
        thing = evaluate(scope, parse_expression(text, f"--set {name}"))
        values[name] = thing.block if isinstance(thing, Pending) else thing
    return configurations.rebound(block, values)


def _network(
    elaborator: Elaborator, scope: Builder, name: str, block: BlockValue, sizes: dict[str, int], span: Span
) -> Network:
    things = hyperparameters.close(scope, block, span)
    plain = {key: without_source(thing) for key, thing in things.items()}
    written = tuple((k, as_static(scope, without_source(t), span)) for k, t in things.items() if k in dict(block.bound))
    programs: list[ir.Program] = []
    for training in (False, True):
        inside = Builder(elaborator, block.declaration, training, env=dict(plain))
        bound = border_sizes(inside, sizes, span)
        absent = tuple(i.name for i in block.declaration.inputs if i.default is not None)
        module = elaborator.module(Request(block.declaration, plain, scope, bound, absent, training))
        programs.append(ir.Program(name, _reachable(elaborator, module), module.key, training, written))
    _check_modes(programs[0], programs[1], span)
    network_parameters(programs[0], programs[1])  # told now: two calls that differ (E0490), too many (E0590)
    return Network(name, programs[0], programs[1])


def _reachable(elaborator: Elaborator, entry: ir.Module) -> tuple[ir.Module, ...]:
    """The modules that the entry calls, callees first."""
    table = {module.key: module for module in (*elaborator.modules.values(), *elaborator.computed.values())}
    done: dict[str, ir.Module] = {}

    def visit(module: ir.Module) -> None:
        if module.key in done:
            return
        for key in computed.modules(module):
            visit(table[key])
        for equation in module.body:
            if isinstance(equation.target, ir.Call | ir.Scan):
                visit(table[equation.target.module])
        done[module.key] = module

    visit(entry)
    return tuple(done.values())


def _check_modes(inference: ir.Program, training: ir.Program, span: Span) -> None:
    """Both modes give the same outputs."""
    ports = [
        [(p.name, m.types[p.value]) for p in m.outputs]
        for m in (inference.module(inference.entry), training.module(training.entry))
    ]
    if ports[0] != ports[1]:
        shown = [", ".join(f"{name}: {kind}" for name, kind in side) for side in ports]
        raise error("E0409", "training changes the outputs", span, found=f"{shown[0]}; in training {shown[1]}")


def _declarations(networks: Sequence[Network], project: Project) -> dict[ir.BlockId, syntax.Block]:
    found: dict[ir.BlockId, syntax.Block] = {}
    for network in networks:
        for program in (network.inference, network.training):
            for module in program.modules:
                declaration = _declaration(module.block, project)
                if declaration is not None:
                    found[module.block] = declaration.block
    return found


def _declaration(block: ir.BlockId, project: Project) -> BlockDeclaration | None:
    if block.standard:
        return standard_library().lookup(block.name)
    for scope in _scopes(project):
        for declaration in scope.blocks.values():
            if declaration.id == block:
                return declaration
    return None


def _scopes(project: Project) -> list[FileScope]:
    found = [project.scope]
    for scope in found:
        found.extend(s for s in scope.imports if s not in found)
    return found
