"""The sizes of a model that decide what its training costs, counted on the model without its weights."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from stages.student import modelling
from stages.student.config import Lora

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel


class Shape(NamedTuple):
    """Sizes of a causal language model; parameters are counted once where they are tied."""

    parameters: int  # all but the adapters'
    active: int  # those that one token meets: a mixture's router leaves out the other experts
    routed: int  # of experts
    embedding: int  # of the look-up table
    head: int  # of the LM head; the look-up table itself where they are tied
    tied: bool
    layers: int
    hidden: int  # width of the residual stream
    heads: int
    key_value_heads: int
    head_dim: int  # width of a head
    feedforward: int  # inner width of the MLP that every token meets; 0 where all is experts
    vocabulary: int
    context: int | None  # positions the model knows
    norms: float  # of the residual stream, per layer
    query_norms: bool  # queries and keys have norms of their own
    experts: int = 0  # of each layer
    chosen: int = 0  # of them by each token
    expert_width: int = 0  # inner width of one
    linear: int = 0  # inputs and outputs of the layers' linear modules, summed: adapters' parameters a rank
    rank: int = 0  # of the adapters
    adapters: int = 0  # their parameters; 0 trains every weight
    adapters_active: float = 0.0  # those that one token meets
    adapters_routed: int = 0  # of experts

    @property
    def trainable(self) -> int:
        """Return the parameters that are trained."""
        return self.adapters or self.parameters

    def with_adapters(self, rank: int) -> "Shape":
        """Return the shape with adapters of this rank in every linear module of its layers."""
        added = rank * self.linear
        return self._replace(rank=rank, adapters=added, adapters_active=added, adapters_routed=0)


def shape(source: "PretrainedConfig | PreTrainedModel", lora: Lora | None = None) -> Shape:
    """Return the sizes of a model, or of the one that a configuration describes, which costs no memory.

    Args:
        source: of a causal language model; a model is left as it is.
        lora: adapters to add. They are counted on a model of their own, made as peft makes them.

    Raises:
        BadInput: the adapters' targets are no layers of this model.
    """
    from transformers import PretrainedConfig

    config: Any = source if isinstance(source, PretrainedConfig) else source.config
    model: Any = _meta(config) if source is config else source
    text = config.get_text_config()
    counts = {name: parameter.numel() for name, parameter in model.named_parameters()}
    experts, chosen, routed = modelling.experts(model)
    size = modelling.sizes(model)
    looked_up, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    norms = [name for name, module in model.named_modules() if _norm(module, text.hidden_size)]
    found = Shape(
        parameters=size["parameters"],
        active=size["active_parameters"],
        routed=routed,
        embedding=looked_up.numel(),
        head=head.numel(),
        tied=head is looked_up,
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        heads=text.num_attention_heads,
        key_value_heads=getattr(text, "num_key_value_heads", None) or text.num_attention_heads,
        head_dim=getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads,
        feedforward=_shared(text, counts) if experts else text.intermediate_size,
        vocabulary=head.shape[0],
        context=modelling.context(model),
        norms=max(1.0, (len(norms) - 1) / text.num_hidden_layers),  # but the last
        query_norms=any(re.search(r"\bq_norm\b", name) for name in counts),
        experts=experts,
        chosen=chosen,
        expert_width=_expert_width(text) if experts else 0,
        linear=sum(_ends(module) for module in model.base_model.modules()),
    )
    return found if lora is None else _adapted(found, _meta(config), lora)


def _meta(config: Any) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, trust_remote_code=False)


def _adapted(shape: Shape, model: Any, lora: Lora) -> Shape:
    import peft

    adapted = peft.get_peft_model(model, modelling.low_rank(lora, model), low_cpu_mem_usage=True)
    counts = {name: p.numel() for name, p in adapted.named_parameters() if p.requires_grad}
    added = sum(counts.values())
    routed = sum(count for name, count in counts.items() if ".experts." in name)
    left_out = routed * (1 - shape.chosen / shape.experts) if routed else 0.0
    return shape._replace(
        rank=lora.rank, adapters=added, adapters_active=added - left_out, adapters_routed=routed
    )


def _norm(module: Any, width: int) -> bool:
    weight = getattr(module, "weight", None)
    return "Norm" in type(module).__name__ and weight is not None and tuple(weight.shape) == (width,)


def _ends(module: Any) -> int:
    import torch

    return module.in_features + module.out_features if isinstance(module, torch.nn.Linear) else 0


def _shared(text: Any, counts: dict[str, int]) -> int:
    """Return the inner width of the experts that every token of a mixture meets, 0 where there are none."""
    if not any(".shared_expert" in name for name in counts):
        return 0
    many = getattr(text, "n_shared_experts", None) or getattr(text, "num_shared_experts", None) or 1
    return getattr(text, "shared_expert_intermediate_size", None) or many * _expert_width(text)


def _expert_width(text: Any) -> int:
    return getattr(text, "moe_intermediate_size", None) or text.intermediate_size
