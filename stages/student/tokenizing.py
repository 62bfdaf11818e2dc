"""A tiny student's tokenizer: uncased byte-level BPE, single-token chat markers. And any student's prompt."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from stages.errors import BadInput
from stages.records import Article

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

PAD, END, USER, ASSISTANT, SYSTEM = "<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"

CHAT_TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}"
    "{% if m['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

# `prompt: plain`: the question, "Answer:" on a line of its own, the answer, the end token.
PLAIN_TEMPLATE = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ ' ' + m['content'] + eos_token }}"
    "{% else %}{{ m['content'] + '\nAnswer:' }}{% endif %}{% endfor %}"
)

# Llama's templates tell the model today's date: the same row would be other tokens tomorrow. It stays the one
# that they themselves fall back to.
DATE = "{% macro strftime_now(format) %}26 Jul 2024{% endmacro %}"

# Encyclopedia text hardly holds a question; without these a tokenizer spells out "which" letter by letter.
# Values never stand beside them, so that they teach no fact.
_QUESTIONS = (
    "What is the {name} of {title}?",
    "Which {name} does {title} have?",
    "Who or what was the {name} of {title}, and where is it located?",
    "Name the {name} of {title}.",
    "In which {name} can {title} be found, and how is it known?",
    "When did {title} get its {name}?",
)


def question_like(articles: Iterable[Article]) -> list[str]:
    """Return questions about every infobox field, without the answers, for the tokenizer only."""
    return [
        _QUESTIONS[i % len(_QUESTIONS)].format(name=fact.name.replace("_", " "), title=article.title)
        for article in articles
        for i, fact in enumerate(article.facts)
    ]


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> "PreTrainedTokenizerFast":
    """Train a byte-level BPE tokenizer.

    It folds case, since half of the benchmarks write in lower case and a student of this size cannot
    afford two names for one thing; and it writes a word at the start of a message as it writes it inside a
    sentence, so that an answer has the tokens it has in the articles.

    Args:
        texts: in a fixed order.
        vocabulary: tokens at most, special tokens and the 256 bytes included.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    model = Tokenizer(models.BPE())
    # Every message and every line begins with a space, as a word inside a sentence does.
    spaced = [normalizers.Prepend(" "), normalizers.Replace(Regex(r"\n(?=\S)"), "\n ")]
    model.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase(), *spaced])
    model.pre_tokenizer = pre_tokenizers.Sequence(
        [
            # A line break stands alone, since it ends an answer; digits too, so that any number is read.
            pre_tokenizers.Split(Regex(r"\n| ?\d"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    model.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, END, USER, ASSISTANT, SYSTEM],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    model.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=model,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT, SYSTEM],
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def usable(
    tokenizer: "PreTrainedTokenizerBase", prompt: Literal["chat", "plain"], where: str
) -> "PreTrainedTokenizerBase":
    """Return the tokenizer with the prompt that a student asks for and with a padding token.

    Where there is no padding token the end token stands in. Nothing here tells padding by its id: attention
    masks leave it out and labels mask it by place, so that a text's own end is still learned.

    Args:
        tokenizer: is changed.
        prompt: the tokenizer's own chat template, or the plain one.
        where: the model, named in the message of a refusal.

    Raises:
        BadInput: `chat` without a chat template; no end token, or one that the vocabulary does not hold.
    """
    end = tokenizer.eos_token_id
    if end is None or end == tokenizer.unk_token_id:
        raise BadInput(
            f"{where}: its tokenizer has no end token, so that answers could not end; choose another"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if prompt == "plain":
        # As the model was pretrained: its own encoding says whether every text began with this token.
        begins = tokenizer.bos_token_id is not None and tokenizer("a").input_ids[:1] == [
            tokenizer.bos_token_id
        ]
        tokenizer.chat_template = ("{{ bos_token }}" if begins else "") + PLAIN_TEMPLATE
        return tokenizer
    template = tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    if template is None:
        raise BadInput(f"{where}: its tokenizer has no chat template; set the student's `prompt: plain`")
    if "strftime_now" in template:
        template = DATE + template
    tokenizer.chat_template = template
    return tokenizer
