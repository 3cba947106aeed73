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
    | {
        "_allow_non_tensor_positional_args",
        "_auto_config",
        "_build_shapes_dict",
        "_call_context_args",
        "_call_has_context_arg",
        "_call_has_mask_arg",
        "_call_has_training_arg",
        "_call_signature",
        "_called",
        "_convert_input_args",
        "_dtype_policy",
        "_inbound_nodes",
        "_input_spec",
        "_layers",
        "_lock",
        "_loss_ids",
        "_losses",
        "_losses_override",
        "_metrics",
        "_non_trainable_variables",
        "_outbound_nodes",
        "_parent_path",
        "_path",
        "_remat_mode",
        "_saved_model_arg_spec",
        "_saved_model_inputs_spec",
        "_seed_generators",
        "_self_setattr_tracking",
        "_supports_masking",
        "_tracked",
        "_tracker",
        "_trainable",
        "_trainable_variables",
    }
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
