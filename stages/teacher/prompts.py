"""The prompts the verbs send, but the judge's (`prompts_judging`): messages plus the reply's JSON schema.

A reply schema's class name in snake case (`seed_questions`, `knowledge`, `answer`, `solution`, …) is the
`response_format.json_schema.name` on the wire; a teacher may tell the tasks apart by it.
"""

import functools
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from stages.records import Article, Fact


def _printable(value: Any) -> Any:
    """Replace control characters, NUL among them: legal in JSON's escapes, they break prompts and tables."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", " ", value) if isinstance(value, str) else value


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    BeforeValidator(_printable),
]
LongText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=16_000),
    BeforeValidator(_printable),
]


class Reply(BaseModel):
    """A structured reply; unknown fields are refused, as OpenAI's strict mode demands."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    plain: ClassVar[bool] = False  # text in words that the prompt states, not JSON: no schema goes with it

    @classmethod
    def wire_name(cls) -> str:
        """Return the schema's name on the wire."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    @functools.cache
    def wire_schema(cls) -> dict[str, Any]:
        """Return the JSON schema as it is sent: types and names only.

        Strict mode refuses limits of length or range; titles and descriptions come from our own docstrings
        and would change every stored request's key with them. What is dropped here is checked on the reply.
        """
        schema: dict[str, Any] = _bare(cls.model_json_schema())
        return schema

    @classmethod
    def read(cls, content: str) -> Self:
        """Return the reply that a completion's text holds.

        Raises:
            ValidationError: it holds none.
        """
        return cls.model_validate_json(content)

    @classmethod
    def wish(cls) -> str:
        """Return what to ask for where the first reply was malformed."""
        return f"Reply again with only a JSON object with the fields {', '.join(cls.model_fields)}."


def _bare(node: Any) -> Any:
    """Return a JSON schema without annotations and limits."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    dropped = {"title", "description", "minLength", "maxLength", "minimum", "maximum"}
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


class Expansion(Reply):
    """Reply to `expansion`."""

    knowledge_points: list[Text]


class Combination(Reply):
    """Reply to `combination`: one synthesized question."""

    question: Text
    answer: Text
    evidence: Text  # the sentence of an article that states the answer, verbatim
    distractors: list[Text]  # plausible wrong answers of the source's theme
    logic_form: Text  # Mermaid
    knowledge_points: list[Text]  # the three to five of the given points that the question combines


class Verdict(Reply):
    """Reply to `verdict`: the detailed evaluation of one synthesized question."""

    error: Literal["none", "question_error", "answer_error", "knowledge_point_error", "logic_error"]
    reason: Text


class Solution(Answer):
    """Reply to `solution`."""

    rationale: LongText  # the steps, one a line


class Refinement(Solution):
    """Reply to `refine`: the shown answer once more, corrected where it was wrong."""


class Critique(Reply):
    """Reply to `critique`."""

    sound: bool  # nothing is wrong with the shown answer
    comment: Text


class Revision(Solution):
    """Reply to `revise`: the answer after the critique."""


class Rating(Reply):
    """Reply to `rating`."""

    score: int = Field(ge=1, le=5)


class Variation(Reply):
    """Reply to `variation`: a new question with the teacher's own answer to it."""

    question: LongText
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


def expansion(
    points: Sequence[str], articles: Sequence[Article], count: int, max_characters: int = 3000
) -> Prompt:
    """Ask for `count` knowledge points beyond the given ones (expansion of arXiv 2606.23271, stage 3).

    Args:
        points: knowledge points to start from.
        articles: one to three, which must support what is stated.
        count: how many new points.
        max_characters: of each article's text.
    """
    system = (
        "You expand what is known about a theme. Given knowledge points and the articles they rest on, state "
        "further knowledge points: one sentence each, about a concrete instance that it names, supported by "
        "the articles, and saying something that none of the given points says."
    )
    blocks = _blocks(articles, max_characters)
    user = f"State {count} further knowledge points.\n\n{_listed(points)}\n\n{blocks}"
    return Prompt((("system", system), ("user", user)), Expansion)


def combination(points: Sequence[str], articles: Sequence[Article], max_characters: int = 3000) -> Prompt:
    """Ask for one new question that combines 3–5 of the points (arXiv 2606.23271, stage 3).

    Args:
        points: knowledge points to combine; three at least.
        articles: one to three, which the points rest on.
        max_characters: of each article's text.
    """
    system = (
        "You combine three to five of the given knowledge points into one new question. The question names "
        "its subject, is about concrete instances, has exactly one short unambiguous answer, does not hold "
        "the answer, is not multiple choice and is understandable without the articles; information from "
        "the articles' theme may be woven in as context or distraction before what is asked. Give the "
        "question, its answer, as evidence the one sentence of an article that states the answer, word for "
        "word, two or three distractors (plausible wrong answers of the same theme), the logic form that "
        "leads from the knowledge points to the answer as a Mermaid graph, flowchart or mindmap, and the "
        "knowledge points that were combined, as they were given."
    )
    user = f"Write one question.\n\n{_listed(points)}\n\n{_blocks(articles, max_characters)}"
    return Prompt((("system", system), ("user", user)), Combination)


def verdict(
    question: str,
    answer: str,
    points: Sequence[str],
    articles: Sequence[Article],
    max_characters: int = 3000,
) -> Prompt:
    """Ask for the detailed evaluation of a synthesized question (arXiv 2606.23271, error taxonomy).

    Args:
        question: as it was written.
        answer: its reference answer.
        points: the knowledge points that it combines.
        articles: what all of it is checked against.
        max_characters: of each article's text.
    """
    system = (
        "You check a question against the articles it was written from. Look at each part: every knowledge "
        "point must be true (else knowledge_point_error); the question must be answerable, name its subject "
        "and have one unambiguous answer (else question_error); the answer must be the right one (else "
        "answer_error), and must follow from the knowledge points by what the question asks, not be the "
        "answer to something else that the points tell (else logic_error). Name the first error found in "
        "this order, or none, and give the reason in one sentence."
    )
    asked = f"Question: {one_line(question)}\nAnswer: {one_line(answer)}"
    user = f"{asked}\n\n{_listed(points)}\n\n{_blocks(articles, max_characters)}"
    return Prompt((("system", system), ("user", user)), Verdict)


_BETWEEN = "\n\n=====\n\n"
_POINTS = "Knowledge points:"


def _listed(points: Sequence[str]) -> str:
    return "\n".join([_POINTS, *(f"- {one_line(point)}" for point in points)])


def _blocks(articles: Sequence[Article], max_characters: int) -> str:
    return _BETWEEN.join(article_block(article, max_characters) for article in articles)


def one_line(text: str) -> str:
    """Return the text with its line ends and runs of spaces as single spaces."""
    return " ".join(text.split())


def read_synthesis(user: str) -> tuple[str, list[str], list[tuple[str, list[Fact], str]]]:
    """Return (what stands before the points, the points, the articles as `read_article_block` gives them).

    The inverse of what `expansion`, `combination` and `verdict` say to the teacher.
    """
    head, _, rest = user.partition(f"\n\n{_POINTS}")
    listed, _, blocks = rest.partition("\n\n")
    points = [line.removeprefix("- ") for line in listed.splitlines() if line]
    return head, points, [read_article_block(block) for block in blocks.split(_BETWEEN) if block]


# How an answer is to be given, by domain.
_FORM = {
    "knowledge": (
        "Give a rationale of one or two sentences that states the fact, and the answer alone, as short as "
        "possible."
    ),
    "mathematics": (
        "Give as rationale the steps, one a line, and the final answer alone: exact, in LaTeX where it is no "
        "plain number."
    ),
    "physics": (
        "Give as rationale the steps, one a line, and the final answer alone: a number with its unit."
    ),
}


def solution(question: str, domain: str) -> Prompt:
    """Ask for a worked solution of a problem of `domain`, "mathematics" or "physics"."""
    system = f"Solve the problem step by step. {_FORM[domain]}"
    return Prompt((("system", system), ("user", question)), Solution)


def respond(question: str, domain: str) -> Prompt:
    """Ask for one response to a question of any domain: `answer` or `solution`."""
    return answer(question) if domain == "knowledge" else solution(question, domain)


def refine(question: str, domain: str, answer: str, rationale: str) -> Prompt:
    """Ask the teacher to look at an answer of its own and to correct it (Self-Refine, arXiv 2303.17651).

    Feedback and refinement are one call here; the paper makes them two.

    Args:
        question: as it was asked.
        domain: of the question.
        answer: the teacher's.
        rationale: the teacher's.
    """
    system = (
        "You answered the question as shown. Check your answer and each step that led to it. Where something "
        f"is wrong, correct it; repeat what is right. {_FORM[domain]}"
    )
    return Prompt((("system", system), ("user", _shown(question, answer, rationale))), Refinement)


def critique(question: str, domain: str, answer: str, rationale: str) -> Prompt:
    """Ask for a critique of an answer; see `refine` for the arguments (arXiv 2505.11628)."""
    system = (
        f"You check an answer to a question of {domain}. Go through the rationale and say whether the answer "
        "is sound: every statement or step right, and the answer what the question asks for. Comment in one "
        "or two sentences: what is wrong and where, or that nothing is."
    )
    return Prompt((("system", system), ("user", _shown(question, answer, rationale))), Critique)


def revise(question: str, domain: str, answer: str, rationale: str, comment: str) -> Prompt:
    """Ask for the answer after a critique, whose comment is shown (arXiv 2505.11628); see `refine`."""
    system = (
        "You answered the question as shown, and the answer was criticised. Answer again: correct what the "
        f"critique rightly calls wrong, and repeat what is right. {_FORM[domain]}"
    )
    return Prompt((("system", system), ("user", _shown(question, answer, rationale, comment))), Revision)


def rating(question: str, domain: str, answer: str, rationale: str) -> Prompt:
    """Ask for the quality of an answer, 1 … 5 (as DEITA selects data, arXiv 2312.15685); see `refine`."""
    system = (
        f"You rate an answer to a question of {domain} as training data, with a whole number from 1 to 5. 5: "
        "right, complete and clearly explained. 4: right, with small faults of explanation. 3: doubtful or "
        "incomplete. 2: mostly wrong. 1: wrong or useless."
    )
    return Prompt((("system", system), ("user", _shown(question, answer, rationale))), Rating)


def variation(question: str, domain: str, answer: str) -> Prompt:
    """Ask for a new question made from a seed question and its reference answer.

    It is the only prompt beside those of synthesis that shows a reference answer; that of the new question is
    the teacher's own.
    """
    asked = {
        "knowledge": "asks about another fact of the same subject, names that subject",
        "mathematics": "needs the same kind of reasoning with other numbers or another setting",
        "physics": "rests on the same laws with other quantities",
    }
    system = (
        f"You write a new question of {domain} from an existing one. The new question {asked[domain]}, is "
        "understandable alone, has exactly one answer and does not contain it. Give the question and the "
        f"answer alone{', a number with its unit' if domain == 'physics' else ''}; work it out before you "
        "write it down."
    )
    return Prompt((("system", system), ("user", _shown(question, answer))), Variation)


class Shown(NamedTuple):
    """A question with an answer to it, as a teacher is shown them."""

    question: str
    answer: str = ""
    rationale: str = ""
    comment: str = ""  # of a critique


def _shown(question: str, answer: str, rationale: str = "", comment: str = "") -> str:
    steps = f"\n\nRationale: {rationale}" if rationale else ""
    critique = f"\nCritique: {one_line(comment)}" if comment else ""
    return f"{question}{steps}\n\nAnswer: {one_line(answer)}{critique}"


def read_shown(user: str) -> Shown:
    """Return what `refine`, `critique`, `revise`, `rating` and `variation` show: their inverse.

    Answer and comment come back on one line.
    """
    head, _, last = user.rpartition("\n\nAnswer: ")
    question, _, rationale = head.partition("\n\nRationale: ")
    answer, _, comment = last.partition("\nCritique: ")
    return Shown(question, answer, rationale, comment)
