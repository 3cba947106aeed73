"""`load_weights` and `save_weights` of a generated file: state dicts under the spec's names, as safetensors."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from dlc.backends.common.quote import statements

_LOAD = '''
def load_weights(model: nn.Module, path: str) -> None:
    """Loads all parameters and buffers from a safetensors file."""
    model.load_state_dict(load_file(path))
'''
_LOAD_RENAMED = '''
def load_weights(model: nn.Module, path: str) -> None:
    """Loads all parameters and buffers from a safetensors file."""
    attributes = $renamed
    weights = {}
    for key, value in load_file(path).items():
        words = [attributes.get(word, word) for word in key.split(".")]
        weights[".".join(words)] = value
    model.load_state_dict(weights)
'''
_SAVE = '''
def save_weights(model: nn.Module, path: str) -> None:
    """Saves all parameters and buffers, as `load_weights` reads them."""
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(weights, path)
'''
#: torch counts the batches of a batch norm in a buffer that the spec does not have.
_SAVE_COUNTED = '''
def save_weights(model: nn.Module, path: str) -> None:
    """Saves all parameters and buffers, as `load_weights` reads them."""
    weights = {}
    for key, value in model.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            weights[key] = value.contiguous()
    save_file(weights, path)
'''
_SAVE_RENAMED = '''
def save_weights(model: nn.Module, path: str) -> None:
    """Saves all parameters and buffers, as `load_weights` reads them."""
    names = $names
    weights = {}
    for key, value in model.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            words = [names.get(word, word) for word in key.split(".")]
            weights[".".join(words)] = value.contiguous()
    save_file(weights, path)
'''


def weight_functions(classes: Sequence[ast.stmt], renamed: Mapping[str, str]) -> list[ast.stmt]:
    """`renamed`: attributes of `classes` that are called otherwise than in the spec, by the spec's name."""
    if renamed:
        attributes = dict(sorted(renamed.items()))
        names = {attribute: word for word, attribute in attributes.items()}
        return [*statements(_LOAD_RENAMED, renamed=attributes), *statements(_SAVE_RENAMED, names=names)]
    counted = any(
        isinstance(node, ast.Attribute) and node.attr.startswith("BatchNorm")
        for one in classes
        for node in ast.walk(one)
    )
    return [*statements(_LOAD), *statements(_SAVE_COUNTED if counted else _SAVE)]
