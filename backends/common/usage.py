"""What a Form's body reads, and how often; the names of its arguments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dlc.backends.common import given_sizes, held
from dlc.backends.common.form import Bind, Form, Listing, Run, Spread, Temp, walk
from dlc.backends.common.form import Sequence as Nodes
from dlc.backends.common.liveness import Live
from dlc.backends.common.reading import used
from dlc.ir import TensorType


def arguments(form: Form) -> list[str]:
    """Required inputs, states, given layers, given sizes, optional inputs."""
    required = [word for word, by_keyword in form.inputs if not by_keyword]
    layers = [held.MARK + word for word in held.arguments(form.modules)]
    sizes = given_sizes.ports(form.modules[0])
    rest = sorted((word for word, by_keyword in form.inputs if by_keyword), key=lambda word: word not in sizes)
    return [*required, *form.states, *layers, *rest]


def count(form: Form, live: Live) -> Counter[int]:
    uses: Counter[int] = Counter()
    for node in walk(form.body):
        for ref in used(node):
            if isinstance(ref, Temp) and live.keeps(node):
                uses[ref.id] += 1
    for temp in spread_temps(form.body):
        uses[temp] += 1
    for _, ref in (*form.outputs, *form.next_states):
        if isinstance(ref, Temp):
            uses[ref.id] += 1
    return uses


def spread_temps(body: Nodes) -> list[int]:
    out: list[int] = []
    for node in walk(body):
        if isinstance(node, Run):
            out += [one.source for one in node.operands if isinstance(one, Spread) and isinstance(one.source, int)]
        if isinstance(node, Bind) and isinstance(node.content, Listing):
            out += [one.source for one in node.content.items if isinstance(one, Spread) and isinstance(one.source, int)]
    return list(dict.fromkeys(out))


def kinds(form: Form) -> Mapping[int, TensorType]:
    kinds: dict[int, TensorType] = {}
    for node in walk(form.body):
        if isinstance(node, Run):
            kinds.update(zip(node.results, node.result_types, strict=True))
    return kinds
