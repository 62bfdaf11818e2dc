"""What a student is asked in: its own chat template or the plain one; its padding and its end."""

from importlib.resources import files as resources

import pytest
import student_samples

from stages.errors import BadInput
from stages.student import encoding, prompting, tokenizing


@pytest.fixture
def bare():
    """A tokenizer with neither template nor padding."""
    tokenizer = student_samples.base()[1]
    tokenizer.chat_template = None
    tokenizer.pad_token = None
    return tokenizer


def template(name):
    """Return a published template, as TRL carries it."""
    return (resources("trl") / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


def texts(tokenizer):
    """Return a training row as it is shown and the prompt in it."""
    (row,) = encoding.examples(student_samples.rows(1)[:1], tokenizer, max_length=512)
    return tokenizer.decode(row.ids), tokenizer.decode(row.ids[: row.start])


def test_a_chat_prompt_needs_the_tokenizers_own_template(bare):
    with pytest.raises(
        BadInput, match=r"^model 'x': its tokenizer has no chat template; set the student's `prompt"
    ):
        tokenizing.usable(bare, "chat", "model 'x'")


def test_a_plain_prompt_is_the_question_and_a_word_before_the_answer(bare):
    tokenizing.usable(bare, "plain", "x")
    whole, prompt = texts(bare)
    assert prompt == " what is the capital of france?\n answer:"
    assert whole == f"{prompt} paris\n source 0 says that france has paris.<|end|>"


def test_a_plain_prompt_replaces_a_template_that_is_there():
    tokenizer = tokenizing.usable(student_samples.base()[1], "plain", "x")
    assert tokenizer.chat_template == tokenizing.PLAIN_TEMPLATE


def test_a_plain_text_begins_as_the_model_saw_texts_begin(bare):
    from tokenizers.processors import TemplateProcessing

    bare.bos_token = "<|system|>"
    begin = bare.bos_token_id
    assert tokenizing.usable(bare, "plain", "x").chat_template == tokenizing.PLAIN_TEMPLATE
    bare.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|system|> $A", special_tokens=[("<|system|>", begin)]
    )
    tokenizing.usable(bare, "plain", "x")
    asked = encoding.prompts(["Where is Rome?", "Who?"], bare)
    assert [ids.count(begin) for ids in asked] == [1, 1]
    assert {ids[0] for ids in asked} == {begin}


def test_padding_is_the_end_token_only_where_there_is_none(bare):
    assert tokenizing.usable(bare, "plain", "x").pad_token == bare.eos_token
    own = student_samples.base()[1]
    assert tokenizing.usable(own, "chat", "x").pad_token == tokenizing.PAD


def test_an_end_that_serves_as_padding_is_still_learned(bare):
    tokenizing.usable(bare, "plain", "x")
    (row,) = encoding.examples(student_samples.rows(1)[:1], bare, max_length=512)
    assert bare.pad_token_id == bare.eos_token_id == row.labels[-1]


def test_a_tokenizer_without_an_end_is_refused(bare):
    bare.eos_token = None
    with pytest.raises(BadInput, match="no end token, so that answers could not end"):
        tokenizing.usable(bare, "plain", "model 'x'")


def test_a_template_that_writes_todays_date_writes_a_fixed_one(bare):
    bare.chat_template = template("llama3_2")
    assert "strftime_now" in bare.chat_template
    before = bare.apply_chat_template(prompting.messages("Who?"), tokenize=False)
    tokenizing.usable(bare, "chat", "x")
    after = bare.apply_chat_template(prompting.messages("Who?"), tokenize=False)
    assert "Today Date: 26 Jul 2024" in after and "Today Date: 26 Jul 2024" not in before
    lines = zip(before.splitlines(), after.splitlines(), strict=True)
    assert [a.partition(":")[0] for a, b in lines if a != b] == ["Today Date"]


@pytest.mark.parametrize(
    "name", ["qwen3", "qwen3_instruct_2507", "qwen2_5", "llama3", "llama3_2", "gemma", "phi3"]
)
def test_with_a_published_template_the_prompt_is_a_prefix_of_the_answered_row(name, bare):
    bare.bos_token = "<|system|>"
    bare.chat_template = template(name)
    tokenizing.usable(bare, "chat", "x")
    whole, prompt = texts(bare)
    assert "what is the capital of france?" in prompt and "source 0 says" not in prompt
    assert whole.startswith(prompt) and "source 0 says" in whole
    items = student_samples.items()[:1]
    (scored,) = encoding.answers(items, bare)
    assert bare.decode(scored.ids[: scored.start]) == prompt


def test_several_templates_by_name_give_the_default_one(bare):
    bare.chat_template = {"default": template("qwen2_5"), "tool_use": "{{ 1 }}"}
    assert tokenizing.usable(bare, "chat", "x").chat_template == template("qwen2_5")
