"""`dlc ops [NAME]`: the primitive operations."""

from __future__ import annotations

from typing import Any

from dlc.cli.show import print_json
from dlc.diagnostics import did_you_mean, error
from dlc.ops import OPS
from dlc.ops.api import REQUIRED, AttributeSpec, Op


def run(options: Any) -> int:
    chosen = OPS if options.name is None else {options.name: _find(options.name)}
    if options.json:
        print_json([_to_json(op) for op in chosen.values()])
        return 0
    for op in chosen.values():
        first = " ".join(op.doc.split()) if options.name else op.doc.strip().split("\n")[0]
        print(f"{signature(op)}\n    {first}")
    return 0


def _find(name: str) -> Op:
    if name in OPS:
        return OPS[name]
    from dlc.passes.resolve import standard_library

    chunk = standard_library().chunks.get(name)
    own = f"`{name}` is a block of the standard library: {chunk[0]}" if chunk is not None else None
    raise error(
        "E0201",
        f"there is no operation `{name}`",
        hint=own or did_you_mean(name, list(OPS)) or "`dlc ops` lists them; layers are blocks of the standard library",
        exit_code=2,
    )


def signature(op: Op) -> str:
    """`softmax(x, axis=-1)`: operands, then attributes with their defaults."""
    return f"{op.name}({', '.join([*op.operands, *map(_attribute, op.attributes)])})"


def _attribute(spec: AttributeSpec) -> str:
    return spec.name if spec.default is REQUIRED else f"{spec.name}={_text(spec.default)}"


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _to_json(op: Op) -> dict[str, Any]:
    return {
        "name": op.name,
        "operands": list(op.operands),
        "attributes": [
            {"name": a.name, "kind": a.kind}
            | ({"required": True} if a.default is REQUIRED else {"default": _plain(a.default)})
            for a in op.attributes
        ],
        "doc": op.doc,
    }


def _plain(value: object) -> Any:
    if isinstance(value, tuple):
        items: tuple[object, ...] = value
        return [_plain(item) for item in items]
    return value if isinstance(value, bool | int | float | str | None) else str(value)
