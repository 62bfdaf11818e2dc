"""How many bytes a training step takes on each device, part by part."""

from typing import Literal, NamedTuple

from stages.student.shapes import Shape

Precision = Literal["float32", "mixed", "bfloat16"]

GIB = 2**30
_TILE = (4096, 32768)  # tokens and words of the logits that TRL's fused head holds at once


class Footprint(NamedTuple):
    """Bytes on one device at the peak of a step, at most: the parts need not all stand there at once."""

    weights: int  # with their copies in the products' precision, or those gathered from the other ranks
    gradients: int
    optimizer: int  # AdamW's two moments
    activations: int  # saved for the backward pass
    logits: int  # of the tokens that carry loss, and their gradient

    @property
    def total(self) -> int:
        """Return the bytes in all."""
        return sum(self)

    def __str__(self) -> str:
        return ", ".join(f"{name} {size / GIB:.1f}" for name, size in self._asdict().items()) + " GiB"


def footprint(
    shape: Shape,
    precision: Precision,
    checkpointing: bool,
    rows: int,
    width: int,
    ranks: int = 1,
    attention: str | None = None,
    completion: float = 1.0,
    tiled: bool = False,
) -> Footprint:
    """Return the bytes of a training step with AdamW, per device.

    Weights, gradients and moments: 4, 4 and 8 bytes a trained parameter in float32, 2, 2 and 4 in bfloat16
    (Rajbhandari et al. 2020, arXiv 1910.02054, section 3.1). In mixed precision they are as in float32, and
    autocast keeps a bfloat16 copy of what is multiplied until the backward pass is done with it. Frozen
    weights have no gradient and no moments; adapters are float32. FSDP shards the three over the ranks, and
    gathers the two ends of the model and two layers at a time, the second one ahead of its turn.

    Activations: `saved` per token and layer; with checkpointing the layers' inputs, and one layer's `saved`
    (Korthikanti et al. 2022, arXiv 2205.05198, section 5) so far as it exceeds the logits, which it follows.

    Logits: 12 bytes a token and word: log-probabilities, their gradient, and that of the logits, all in
    float32, of the tokens that carry loss only. TRL's fused head keeps but a tile of them, and sums up the
    head's gradient in float32.

    Args:
        shape: with its adapters.
        precision: of weights and products.
        checkpointing: recompute activations in the backward pass.
        rows: at once on a device.
        width: tokens of a row, padding included.
        ranks: devices that share one model.
        attention: its implementation; None is `sdpa`.
        completion: share of the tokens that carry loss, at most.
        tiled: TRL's fused LM head computes the loss, as it does on GPUs.
    """
    stored = 2 if precision == "bfloat16" else 4
    moved = 4 if precision == "float32" else 2
    trained = 4 if shape.adapters else stored
    tokens = rows * width
    ends = shape.embedding + (0 if shape.tied else shape.head)
    body = shape.parameters - ends
    weights = (shape.parameters * stored + shape.adapters * 4) / ranks
    gradients = shape.trainable * trained / ranks
    if ranks > 1:
        weights += moved * (ends + 2 * body / shape.layers)
        gradients += 0 if shape.adapters else moved * body / shape.layers
    elif precision == "mixed":
        # Frozen weights are cast anew in each product, so that a recomputed layer keeps its own copies only.
        # Autocast leaves the fused experts as they are.
        cast = 1 / shape.layers if shape.adapters and checkpointing else 1
        weights += 2 * (cast * (body - shape.routed) + shape.head)
    if shape.adapters_routed:
        # peft keeps W + B·A of the fused experts that it adapts, for as long as a layer's.
        weights += stored * shape.routed / (shape.layers if checkpointing else 1)
    layer = sum(saved(shape, precision, width, attention).values())
    last = (4 + stored + moved) * shape.hidden + 2 * stored * shape.head_dim + 16  # norm, head, positions
    scored = tokens * completion
    if tiled:
        logits = 4.0 * scored * shape.hidden + (0 if shape.adapters else 4 * shape.head)
        logits += min(scored, _TILE[0]) * min(shape.vocabulary, _TILE[1]) * moved
    else:
        logits = 12.0 * scored * shape.vocabulary
    # Gradients of what is inside an MLP stand beside what it saved; the logits are gone by then.
    inside = 3 * moved * shape.feedforward + shape.chosen * stored * (3 * shape.expert_width + shape.hidden)
    kept = (stored * shape.hidden if checkpointing else layer) * shape.layers
    after = tokens * (inside + (layer if checkpointing else 0.0)) - (0 if tiled else logits)
    return Footprint(
        weights=round(weights),
        gradients=round(gradients),
        optimizer=round(2 * shape.trainable * trained / ranks),
        activations=round(tokens * (kept + last) + max(0.0, after)),
        logits=round(logits),
    )


def saved(shape: Shape, precision: Precision, width: int, attention: str | None = None) -> dict[str, float]:
    """Return the bytes per token that PyTorch saves for the backward pass of one layer, by part.

    Korthikanti et al. (2022, arXiv 2205.05198, section 4.1) count s·b·h·(34 + 5·a·s/h) for a layer of GPT in
    half precision. Counted anew here, tensor by tensor, for what transformers' own modules save: a norm takes
    its input in float32; Qwen3's queries and keys have norms of their own; keys and values have fewer heads,
    and are repeated where there is a mask; the MLP is gated; there is no dropout. Under autocast each product
    saves a bfloat16 copy of its input. With frozen weights a product saves only what its adapter needs: the
    input once more, in the adapter's precision. A mixture saves each chosen expert's copy of a token. Fused
    kernels (Liger) save less: this is then an upper bound.

    Args:
        shape: with its adapters; they are taken to be in every linear layer.
        precision: of weights and products.
        width: tokens that attend to each other.
        attention: its implementation; None is `sdpa`.
    """
    h, f = shape.hidden, shape.feedforward
    q, k = shape.heads * shape.head_dim, shape.key_value_heads * shape.head_dim
    stored = 2 if precision == "bfloat16" else 4
    c = 4 if precision == "float32" else 2  # bytes of a product's result
    lora = shape.adapters > 0
    # Where inputs are cast, each product has a copy of its own, in its own precision or the adapter's.
    cast = precision == "mixed" or (lora and precision == "bfloat16")
    given = 4 if cast and precision == "bfloat16" else c
    masked = attention in (None, "sdpa", "eager")
    parts = {
        "norms": shape.norms * ((4 + (0 if lora else stored)) * h + 4.0),
        "inputs": given * h * ((3 if cast else 1) + ((2 if cast else 1) if f else 0)),
        "queries": c * (q + 2 * (q if masked else k)),
        "outputs": (0 if cast and lora and attention == "eager" else c * q)
        + (given * q if cast and lora else 0),
        "scores": shape.heads * (width * (4 + c % 4) if attention == "eager" else 4.0),
        "mask": c * width if attention in (None, "sdpa") else 0.0,
        "feedforward": (3 * c + given) * f,
    }
    if shape.query_norms:
        parts["norms"] += (4 + (0 if lora else c)) * (q + k) + 4 * (shape.heads + shape.key_value_heads)
    if lora:
        parts["adapters"] = given * shape.rank * (7 if f else 4)
    if shape.experts:
        frozen = lora and not shape.adapters_routed
        parts["inputs"] += 0 if frozen else c * h  # of the router, which has it in common with the experts
        inside = (3 if frozen else 4) * shape.expert_width + (1 if frozen else 2) * h
        parts["experts"] = shape.chosen * (stored * inside + c + 3 * 8 + 8) + 4.0 * shape.experts
    return parts
