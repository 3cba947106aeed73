"""From a module to its graph, one level deep: calls as boxes, ops in groups, ports of the owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dlc.dims import Size, substitute
from dlc.graph.grouping import JOINS, groups, is_join
from dlc.graph.labels import short
from dlc.graph.model import Edge, End, Graph, Node, Site
from dlc.graph.values import constants, is_drawn, is_shown, names, views
from dlc.ir import FLOATS, Call, Equation, Module, Read, Scan, TensorType
from dlc.parameters import join
from dlc.summary.costs import steps
from dlc.summary.rows import written


@dataclass(slots=True)
class _Level:
    """A module on its way to a graph. `homes` says which node and port gives a value."""

    module: Module
    path: str
    dims: Mapping[str, Size]
    table: Mapping[str, Module]
    fixed: frozenset[int]
    views: Mapping[int, int]
    names: Mapping[int, str]
    graph: Graph = field(default_factory=Graph)
    homes: dict[int, End] = field(default_factory=dict[int, End])

    def add(self, node: Node) -> int:
        number = len(self.graph.nodes)
        self.graph.nodes[number] = node
        return number

    def drawn(self, value: int | None) -> int | None:
        """The value that is drawn for this one; None where nothing is."""
        if value is None or value in self.fixed:
            return None
        return self.views.get(value, value)

    def type_of(self, value: int) -> TensorType:
        type_ = self.module.types[value]
        return TensorType(type_.dtype, tuple(substitute(size, self.dims) for size in type_.shape))

    def connect(self, value: int, target: End) -> None:
        """An edge to `target` from whoever gives the value, or what it is a view of."""
        drawn = self.drawn(value)
        if drawn is None or drawn not in self.homes:
            return
        self.graph.edges.append(Edge(self.homes[drawn], target, str(self.type_of(drawn))))


def network_graph(module: Module, table: Mapping[str, Module]) -> Graph:
    """The entry's graph: its inputs and outputs are nodes of their own."""
    level = _level(module, "", {}, table, frozenset())
    for port in (*module.inputs, *module.states):
        type_ = str(module.types[port.value])
        level.homes[port.value] = End(level.add(Node("input", port.name, type_)), 0)
    _body(level)
    for port in (*module.outputs, *module.next_states):
        name = port.name if port in module.outputs else f"next {port.name}"
        end = Node("output", name, str(module.types[port.value]), inputs=("",), outputs=())
        level.connect(port.value, End(level.add(end), 0))
    return _faded(level.graph)


def block_graph(site: Site, table: Mapping[str, Module]) -> Graph:
    """The inside of a call: an "in" for each of the node's input ports, an "out" for each of its outputs."""
    fed = {value for values in site.inputs for value in values}
    ports = {port.value for port in site.module.inputs} | {state.value for state in site.module.states}
    own = {state.value for state in site.module.states}
    level = _level(site.module, site.path, dict(site.dims), table, frozenset(ports - fed - own))
    titles = {port.value: port.name for port in (*site.module.inputs, *site.module.states)}
    for number, values in enumerate(site.inputs):
        title = ", ".join(titles[value] for value in values) or "lengths"
        node = level.add(Node("in", title, outer=number))
        for value in values:
            level.homes[value] = End(node, 0)
    for state in site.module.states:
        if state.value not in fed:  # it starts at a number: the cell's own affair
            level.homes[state.value] = End(level.add(Node("parameter", state.name, "state")), 0)
    _body(level)
    for number, (title, value) in enumerate(site.outputs):
        node = Node("out", title, inputs=("",), outputs=(), outer=number)
        level.connect(value, End(level.add(node), 0))
    return _faded(level.graph)


def _faded(graph: Graph) -> Graph:
    """Masks are minor, and so are indices beside what they index."""
    floats = {edge.target.node for edge in graph.edges if _is_float(edge.type)}
    graph.edges = [
        replace(edge, minor=edge.type.startswith("bool") or (not _is_float(edge.type) and edge.target.node in floats))
        for edge in graph.edges
    ]
    return graph


def _is_float(type_: str) -> bool:
    return type_.partition("[")[0] in FLOATS


def _level(
    module: Module, path: str, dims: Mapping[str, Size], table: Mapping[str, Module], absent: frozenset[int]
) -> _Level:
    fixed = constants(module, absent)
    return _Level(module, path, dims, table, fixed, views(module, fixed), names(module))


def _body(level: _Level) -> None:
    read = {level.drawn(value) for equation in level.module.body for value in equation.inputs}
    for parameter in level.module.parameters:
        if is_shown(level.module, parameter) and parameter.value in read:
            node = Node("parameter", parameter.name, short(str(level.type_of(parameter.value))))
            level.homes[parameter.value] = End(level.add(node), 0)
    for draw in level.module.draws:
        node = Node("parameter", draw.name, f"~ {draw.distribution.name}")
        level.homes[draw.value] = End(level.add(node), 0)
    equations = {n: e for n, e in enumerate(level.module.body) if is_drawn(e, level.fixed)}
    makers = {value: number for number, equation in equations.items() for value in equation.outputs}
    sources = {number: _sources(level, equation, makers) for number, equation in equations.items()}
    for group in groups(equations, sources):
        first = equations[group[0]]
        if isinstance(first.target, Call | Scan):
            _call(level, first)
        elif isinstance(first.target, Read):
            name = join(level.module.instances[first.target.instance].path, first.target.parameter)
            level.homes[first.outputs[0]] = End(level.add(Node("parameter", name, "weight")), 0)
        else:
            _ops(level, [equations[number] for number in group], is_join(group[0], equations, sources))


def _sources(level: _Level, equation: Equation, makers: Mapping[int, int]) -> tuple[int, ...]:
    """Numbers of the equations that it reads; values from elsewhere count down from -1."""
    found: dict[int, None] = {}
    for value in equation.inputs:
        drawn = level.drawn(value)
        if drawn is not None:
            found[makers.get(drawn, -1 - drawn)] = None
    return tuple(number for number in found if number >= 0) + tuple(number for number in found if number < 0)


def _ops(level: _Level, group: Sequence[Equation], joins: bool) -> None:
    inside = {value for equation in group for value in equation.outputs}
    read = {level.drawn(value): None for equation in group for value in equation.inputs}
    wanted = [value for value in read if value is not None and value not in inside]
    last = group[-1]
    type_ = level.type_of(last.outputs[0])
    words = list(dict.fromkeys(equation.op for equation in group))
    title = ", ".join(words[:3]) + (", …" if len(words) > 3 else "")
    if joins:
        node = Node("join", JOINS[last.op])
    else:
        name = level.names.get(last.outputs[0], "")
        said = len(name) < 2 or name in {port.name for port in level.module.outputs}
        node = Node("op", title.replace("_", " "), "" if said else name, family="op")
    node.inputs = ("",) * len(wanted)
    node.outputs = ("",) * len(last.outputs)
    node.frames = last.origin.frames
    node.signature = (title, type_, len(wanted), tuple(equation.attributes for equation in group))
    number = level.add(node)
    for port, value in enumerate(wanted):
        level.connect(value, End(number, port))
    for equation in group:
        for port, value in enumerate(equation.outputs):
            level.homes[value] = End(number, port if equation is last else 0)


def _call(level: _Level, equation: Equation) -> None:
    target = equation.target
    assert isinstance(target, Call | Scan)
    callee, instance = level.table[target.module], level.module.instances[target.instance]
    dims = {name: substitute(size, level.dims) for name, size in target.dims}
    ports = _ports(level, callee, equation)
    outputs, homes = _outputs(callee, target)
    detail = ", ".join(f"{name}={value}" for name, value in written(instance, level.module))
    node = Node("block", instance.block.name, detail)
    node.family = instance.block.file.removeprefix("std/").removesuffix(".dl") if instance.block.standard else "own"
    node.badge = _badge(target, level.dims) if isinstance(target, Scan) else ""
    node.path = join(level.path, instance.path)
    node.inputs = tuple(", ".join(names) for names, _ in ports.values()) if len(ports) > 1 else ("",) * len(ports)
    node.outputs = tuple(name for name, _ in outputs)
    node.frames = equation.origin.frames
    node.signature = (target.module, detail, node.badge, tuple(level.type_of(value) for value in equation.outputs))
    node.site = Site(
        callee,
        node.path,
        tuple(dims.items()),
        tuple(values for _, values in ports.values()),
        outputs,
        instance.block.standard,
    )
    if sum(e.target.instance == target.instance for e in level.module.body if isinstance(e.target, Call | Scan)) > 1:
        node.badge = node.badge or f"shared {instance.path}"
    number = level.add(node)
    for port, value in enumerate(ports):
        level.connect(value, End(number, port))
    for port, value in zip(homes, equation.outputs, strict=True):
        level.homes[value] = End(number, port)


def _ports(level: _Level, callee: Module, equation: Equation) -> dict[int, tuple[tuple[str, ...], tuple[int, ...]]]:
    """Per drawn value that the call reads: the names of the inputs that it feeds, and the callee's values."""
    target = equation.target
    assert isinstance(target, Call | Scan)
    values = {port.name: port.value for port in callee.inputs}
    order = [port.name for port in callee.inputs] if isinstance(target, Call) else list(target.inputs)
    pairs: list[tuple[str, int | None]] = [(name, values[name]) for name in order]
    pairs += [(state.name, state.value) for state in callee.states]
    pairs += [("lengths", None)]  # a scan's, if it has them
    found: dict[int, tuple[tuple[str, ...], tuple[int, ...]]] = {}
    for (name, inner), given in zip(pairs, equation.inputs, strict=False):
        drawn = level.drawn(given)
        if drawn is not None and drawn in level.homes:
            names_, inners = found.get(drawn, ((), ()))
            found[drawn] = ((*names_, name), inners if inner is None else (*inners, inner))
    return found


def _outputs(callee: Module, target: Call | Scan) -> tuple[tuple[tuple[str, int], ...], list[int]]:
    """A port for each value that the callee gives, by all its names; and the port of each of the call's outputs."""
    values = {port.name: port.value for port in callee.outputs}
    given = [lane.name for lane in target.stacked] if isinstance(target, Scan) else list(values)
    pairs = [(name, values[name]) for name in given] + [(f"next {p.name}", p.value) for p in callee.next_states]
    ports = list(dict.fromkeys(value for _, value in pairs))
    titles = (", ".join(name for name, value in pairs if value == port) for port in ports)
    return tuple(zip(titles, ports, strict=True)), [ports.index(value) for _, value in pairs]


def _badge(target: Scan, dims: Mapping[str, Size]) -> str:
    """`scan S`, `scan S reversed`."""
    count = substitute(steps(target), dims)
    return f"scan {count}" + (" reversed" if target.reverse else "")
