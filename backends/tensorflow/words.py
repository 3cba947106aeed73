"""How attributes of generated layers are called."""

from __future__ import annotations

import keyword

from dlc.backends.common.names import identifier

#: Attributes of keras.layers.Layer: nothing of the spec may be called so.
LAYER_ATTRIBUTES = frozenset(
    {
        "activity_regularizer",
        "add_loss",
        "add_metric",
        "add_variable",
        "add_weight",
        "autocast",
        "build",
        "built",
        "call",
    }
    | {
        "build_from_config",
        "call_signature_parameters",
        "compute_dtype",
        "compute_mask",
        "compute_output_shape",
        "dtype",
    }
    | {
        "compute_output_spec",
        "count_params",
        "dtype_policy",
        "from_config",
        "get_build_config",
        "get_config",
        "get_weights",
    }
    | {
        "input",
        "input_dtype",
        "input_spec",
        "load_own_variables",
        "losses",
        "metrics",
        "metrics_variables",
        "name",
        "path",
    }
    | {"non_trainable_variables", "non_trainable_weights", "output", "quantization_mode", "quantize", "quantized_build"}
    | {"quantized_call", "rematerialized_call", "save_own_variables", "set_weights", "stateless_call", "supports_jit"}
    | {"supports_masking", "symbolic_call", "trainable", "trainable_variables", "trainable_weights", "variable_dtype"}
    | {"variables", "weights", "seed_generator", "axes"}
)


#: Keras gives an argument called `mask` a meaning of its own.
MASK = "attention_mask"


def attribute_name(word: str) -> str:
    """How an attribute of a layer is called: the spec's word, with an underscore if Keras has it.

    Also if it ends in one: `named_weights` takes one away.
    """
    plain = word if word.isidentifier() else identifier(word)
    taken = plain in LAYER_ATTRIBUTES or keyword.iskeyword(plain) or plain.endswith("_")
    return f"{plain}_" if taken else plain
