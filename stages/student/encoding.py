"""Rows to token ids: one rendering for training, generation and eval loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from stages.errors import BadInput
from stages.records import BenchmarkItem, TrainingExample
from stages.student import prompting

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # a label that carries no loss, by PyTorch's convention


class Encoded(NamedTuple):
    """A token sequence and where its completion starts."""

    ids: list[int]
    start: int  # first token that carries loss
    cut: int = 0  # tokens left off at the end

    @property
    def labels(self) -> list[int]:
        """Return the ids with the prompt masked, as the loss wants them."""
        return [IGNORED] * self.start + self.ids[self.start :]


def examples(
    rows: Sequence[TrainingExample], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> list[Encoded]:
    """Encode training rows; the loss covers the completion and the mark that ends it.

    Args:
        rows: conversational prompt and completion.
        tokenizer: with a chat template.
        max_length: tokens kept of each row, from its start.

    Raises:
        BadInput: a prompt fills `max_length`, or the chat template writes a prompt otherwise once it is
            answered.
    """
    prompts = [_render(tokenizer, [m.model_dump() for m in row.prompt]) for row in rows]
    full = [
        _render(tokenizer, [m.model_dump() for m in (*row.prompt, *row.completion)], answered=True)
        for row in rows
    ]
    encoded = _split(tokenizer, prompts, full)
    longest = max((e.start for e in encoded), default=0)
    if longest >= max_length:
        raise BadInput(f"train.max_length {max_length}: a prompt takes {longest} tokens; set it higher")
    return [Encoded(e.ids[:max_length], e.start, max(0, len(e.ids) - max_length)) for e in encoded]


def prompts(questions: Sequence[str], tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    """Encode questions up to where the student's answer begins."""
    return _ids(tokenizer, [_render(tokenizer, prompting.messages(q)) for q in questions])


def answers(items: Sequence[BenchmarkItem], tokenizer: "PreTrainedTokenizerBase") -> list[Encoded]:
    """Encode each item's question with its first reference answer, its unit, and the newline that ends it."""
    asked = [_render(tokenizer, prompting.messages(item.question)) for item in items]
    lines = []
    for item, prompt in zip(items, asked, strict=True):
        # Text after the newline keeps templates from trimming it; it is cut off again.
        reference = f"{item.answers[0]} {item.unit}".strip()
        reply = prompting.completion(reference, rationale="x")
        turn = [*prompting.messages(item.question), {"role": "assistant", "content": reply}]
        rendered = _render(tokenizer, turn, answered=True)
        first_line = reply[: reply.index("\n") + 1]
        lines.append(rendered[: rendered.index(first_line, len(prompt)) + len(first_line)])
    return _split(tokenizer, asked, lines)


def _render(
    tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]], answered: bool = False
) -> str:
    # Templates without a thinking mode ignore the switch; those with one answer at once.
    return str(
        tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=not answered, enable_thinking=False
        )
    )


def _split(tokenizer: "PreTrainedTokenizerBase", prompts: list[str], full: list[str]) -> list[Encoded]:
    encoded = []
    for prompt, whole in zip(_ids(tokenizer, prompts), _ids(tokenizer, full), strict=True):
        if whole[: len(prompt)] != prompt or len(whole) == len(prompt):
            raise BadInput(
                "the tokenizer's chat template writes a prompt otherwise once it is answered, so what is "
                f"trained is not what is scored, first at {tokenizer.decode(prompt)!r}; set another template"
            )
        encoded.append(Encoded(whole, len(prompt)))
    return encoded


def _ids(tokenizer: "PreTrainedTokenizerBase", texts: list[str]) -> list[list[int]]:
    return [list(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []
