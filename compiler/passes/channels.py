"""W0402: an image with its channels last, as Keras has them, given to a layer that wants them second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dlc.diagnostics import Diagnostic
from dlc.ir import TensorType
from dlc.passes.things import BlockDeclaration, Tensor
from dlc.spec.source import Span

if TYPE_CHECKING:
    from dlc.passes.builder import Builder

LAYERS = ("conv2d", "max_pool2d", "avg_pool2d", "depthwise_conv2d", "separable_conv2d")
LEAST = 16  # of an image's sides


def check(
    b: Builder,
    declaration: BlockDeclaration,
    tensors: Mapping[str, Tensor | None],
    types: Mapping[str, TensorType | None],
    span: Span,
) -> None:
    """Warns where a network's own input, [N, 32, 32, 3], goes into a layer over images."""
    kind, tensor = types.get("x"), tensors.get("x")
    if not declaration.id.standard or declaration.id.name not in LAYERS or kind is None or kind.rank != 4:
        return
    _, height, width, channels = kind.shape
    if height != width or not isinstance(height, int) or height < LEAST or channels not in (1, 3, 4):
        return
    if b.declaration.block.kind != "network":
        return
    given = next((i for i in b.declaration.inputs if b.env.get(i.name) == tensor), None)
    if given is None:
        return
    dtype, first = given.type.dtype, kind.shape[0]
    b.elaborator.warnings.append(
        Diagnostic(
            "W0402",
            f"`{given.name}` looks like an image with its channels last",
            span,
            found=f"{kind}: {height} channels of {width} x {channels}",
            expected=f"{dtype}[{first}, {channels}, {height}, {width}]",
            hint="channels stand before height and width; the generated Keras code is channels-last by itself",
        )
    )
