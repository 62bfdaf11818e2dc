"""Every prompt the verbs send: messages plus the JSON schema of the reply.

A reply schema's class name in snake case (`seed_questions`, `knowledge`, `answer`) is the
`response_format.json_schema.name` on the wire; a teacher may tell the tasks apart by it.
"""

import functools
import re
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, StringConstraints

from stages.records import Article, Fact

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Reply(BaseModel):
    """A structured reply; unknown fields are refused, as OpenAI's strict mode demands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def wire_name(cls) -> str:
        """Return the schema's name on the wire."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    @functools.cache
    def wire_schema(cls) -> dict[str, Any]:
        """Return the JSON schema as it is sent: types and names only.

        Strict mode refuses length limits; titles and descriptions come from our own docstrings and would
        change every stored request's key with them. What is dropped here is checked on the reply.
        """
        schema: dict[str, Any] = _bare(cls.model_json_schema())
        return schema


def _bare(node: Any) -> Any:
    """Return a JSON schema without annotations and length limits."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    dropped = {"title", "description", "minLength", "maxLength"}
    return {k: _bare(v) for k, v in node.items() if k not in dropped or isinstance(v, dict)}


class WrittenQuestion(Reply):
    """One seed question as the teacher writes it."""

    question: Text
    answer: Text
    evidence: Text  # the sentence of the article that states the answer, verbatim


class SeedQuestions(Reply):
    """Reply to `seed_questions`."""

    questions: list[WrittenQuestion]


class Knowledge(Reply):
    """Reply to `knowledge`."""

    topic_entities: list[Text]
    knowledge_points: list[Text]
    logic_form: Text


class Answer(Reply):
    """Reply to `answer`."""

    rationale: Text
    answer: Text


class Prompt(NamedTuple):
    """What one request asks: chat messages (role, content) and the schema of the reply."""

    messages: tuple[tuple[str, str], ...]
    reply: type[Reply]


def article_block(article: Article, max_characters: int) -> str:
    """Return title, infobox and the first `max_characters` of text, as every prompt shows an article."""
    infobox = "\n".join(f"{fact.name} = {fact.value}" for fact in article.facts)
    return f"# {article.title}\n\n{infobox}\n\n{article.text[:max_characters]}"


def read_article_block(block: str) -> tuple[str, list[Fact], str]:
    """Return (title, facts, text) of what `article_block` wrote: its inverse, up to the cut of the text."""
    head, _, rest = block.partition("\n\n")
    infobox, _, text = rest.partition("\n\n")
    pairs = (line.partition(" = ") for line in infobox.splitlines())
    return head.removeprefix("# "), [Fact(name=k, value=v) for k, equals, v in pairs if equals], text


def seed_questions(article: Article, count: int, max_characters: int = 6000) -> Prompt:
    """Ask for `count` questions that the article answers."""
    system = (
        "You write factual questions from an encyclopedia article. Each question names its subject, asks "
        "about one concrete fact, has exactly one short answer, does not contain the answer, and is "
        "understandable without the article. Quote as evidence the one sentence of the article that "
        "states the answer, word for word. Ask about what the article says first."
    )
    user = f"Write {count} questions.\n\n{article_block(article, max_characters)}"
    return Prompt((("system", system), ("user", user)), SeedQuestions)


def knowledge(question: str, answer: str, article: Article, max_characters: int = 6000) -> Prompt:
    """Ask for topic entities, 3–5 knowledge points and the logic form (arXiv 2606.23271, appendix)."""
    system = (
        "You annotate a question with the knowledge it rests on. Give (1) its topic entities; (2) three "
        "to five knowledge points: statements about concrete instances that help to answer it, the first "
        "of them stating the answer; (3) the logic form that connects them as a Mermaid graph, flowchart "
        "or mindmap."
    )
    user = f"Question: {question}\nAnswer: {answer}\n\n{article_block(article, max_characters)}"
    return Prompt((("system", system), ("user", user)), Knowledge)


def answer(question: str) -> Prompt:
    """Ask for one answer with a short rationale."""
    system = (
        "Answer the question. Give a rationale of one or two sentences that states the fact, and the "
        "answer alone, as short as possible."
    )
    return Prompt((("system", system), ("user", question)), Answer)
