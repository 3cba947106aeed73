"""A page for each family of primitive ops: signature, meaning, and the code of one example per op."""

from __future__ import annotations

from dlc.cli.ops_command import signature
from dlc.diagnostics import DlcError
from dlc.ops import FAMILIES
from dlc.ops.api import Op, Sample
from dlc.ops.attributes import show
from side_by_side import compiled, fenced, tabs

#: Examples of ops whose samples do not read as a call with one result.
WRITTEN = {
    "split": "    input x: float[N, 6]\n    a, b = split(x, 2)\n    output y = a * b\n",
    "unstack": "    input x: float[N, 2, 6]\n    a, b = unstack(x, axis=1)\n    output y = a * b\n",
    "topk": "    input x: float[N, 6]\n    values, places = topk(x, 2)\n    output values\n    output places\n",
    "solve": "    input a: float[N, 3, 3]\n    input b: float[N, 3, 2]\n    output y = solve(a, b)\n",
    "arange": "    input x: float[N, T]\n    output y = x + float(arange(T))\n",
    "einsum": '    input a: float[N, I]\n    input b: float[N, J]\n    output y = einsum("n i, n j -> n i j", a, b)\n',
}


def pages() -> dict[str, str]:
    """Markdown by file name."""
    return {f"{family}.md": _page(family, ops) for family, ops in FAMILIES.items()}


def _page(family: str, ops: tuple[Op, ...]) -> str:
    return f"# {family.capitalize()}\n\n" + "\n".join(map(_section, ops))


def _section(op: Op) -> str:
    head = f"## {op.name}\n\n`{signature(op)}`\n\n{op.doc}\n"
    found = example(op)
    return head if found is None else f"{head}\n{fenced(found[0], 'python')}\n{tabs(found[1])}\n"


def example(op: Op) -> tuple[str, dict[str, str]] | None:
    """The first sample that can be written as a spec, and its code; None for what has a syntax of its own."""
    if op.name in WRITTEN:
        text = "network Example:\n" + WRITTEN[op.name]
        return text, compiled(text)
    for sample in op.samples:
        text = _spec(op, sample)
        if text is None:
            continue
        try:
            return text, compiled(text)
        except DlcError:
            continue
    return None


def _spec(op: Op, sample: Sample) -> str | None:
    """`output y = op(a, b, attribute=value)` over inputs of the sample's shapes."""
    names = [name.removeprefix("*") for name in op.operands]
    names = [names[min(i, len(names) - 1)] + ("" if i < len(names) else str(i)) for i in range(len(sample.operands))]
    lines: list[str] = []
    for name, operand in zip(names, sample.operands, strict=True):
        if operand[0] == "value":
            return None
        kind, shape, *bounds = operand
        within = f" in {bounds[0]}..{bounds[1]}" if kind == "int" and bounds and bounds[0] >= 0 else ""
        lines.append(f"    input {name}: {kind}[{', '.join(map(str, shape))}]{within}\n")
    arguments = ", ".join([*names, *(f"{key}={show(value)}" for key, value in sample.attributes)])
    return "network Example:\n" + "".join(lines) + f"    output y = {op.name}({arguments})\n"
