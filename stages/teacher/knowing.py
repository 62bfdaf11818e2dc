"""What the embedded teacher knows about one question, whatever its domain."""

from typing import NamedTuple, Protocol

from stages.records import Fact
from stages.teacher import phrasing, prompts, reading, replies
from stages.teacher.competence import stable_hash, uniform
from stages.teacher.corpus import Corpus

Said = dict[str, str]  # a reply's fields


class Known(Protocol):
    """A question as the teacher knows it; each `draw` decides the words, and which mistake is made."""

    @property
    def p(self) -> float:
        """Return the probability of a right answer at temperature 1."""

    def is_right(self, answer: str) -> bool:
        """Tell whether an answer is right."""

    def right(self, *draw: object) -> Said:
        """Return the right answer with its rationale."""

    def wrong(self, *draw: object) -> Said:
        """Return a plausible wrong answer with its rationale."""

    def again(self, shown: prompts.Shown, *draw: object) -> Said:
        """Return the answer shown, its rationale in other words."""

    def suspect(self, shown: prompts.Shown) -> str:
        """Return the first statement shown that does not hold, the last one where all do."""

    def varied(self, slip: float, *draw: object) -> Said:
        """Return another question and its answer, wrong with probability `slip`."""


class Nothing(NamedTuple):
    """A question that nothing read answers."""

    question: str

    @property
    def p(self) -> float:
        """Return 0."""
        return 0.0

    def is_right(self, answer: str) -> bool:
        """Return False: what it cannot check it does not trust."""
        return False

    def right(self, *draw: object) -> Said:
        """Return a doubt."""
        return replies.doubt(*draw)

    def wrong(self, *draw: object) -> Said:
        """Return a doubt."""
        return replies.doubt(*draw)

    def again(self, shown: prompts.Shown, *draw: object) -> Said:
        """Return what is shown as it is."""
        answer = shown.answer or replies.UNKNOWN
        return {"rationale": shown.rationale or answer, "answer": answer}

    def suspect(self, shown: prompts.Shown) -> str:
        """Return the answer: nothing else can be said."""
        return shown.answer

    def varied(self, slip: float, *draw: object) -> Said:
        """Return the question as it is: nothing is known to make another of."""
        return {"question": self.question, "answer": replies.UNKNOWN}


class OfFact(NamedTuple):
    """A question about a fact of an article."""

    corpus: Corpus
    article: int  # position in the corpus
    fact: Fact
    question: str
    p: float

    def is_right(self, answer: str) -> bool:
        """Tell whether `answer` is the fact's value, or another name of it."""
        return self.corpus.same(answer, self.fact.value)

    def right(self, *draw: object) -> Said:
        """Return the fact's value and a sentence that states it."""
        return self._told(self.fact.value, *draw)

    def wrong(self, *draw: object) -> Said:
        """Return another value of the same kind, or a doubt where there is none."""
        value = self._wrong_value(self.fact, *draw)
        return replies.doubt(*draw) if value == replies.UNKNOWN else self._told(value, *draw)

    def again(self, shown: prompts.Shown, *draw: object) -> Said:
        """Return the value shown, in another sentence."""
        if shown.answer in ("", replies.UNKNOWN):
            return replies.doubt(*draw)
        return self._told(shown.answer, *draw)

    def suspect(self, shown: prompts.Shown) -> str:
        """Return the rationale: it is one statement."""
        return shown.rationale or shown.answer

    def varied(self, slip: float, *draw: object) -> Said:
        """Return a question about another fact of the article, else about the same one in other words."""
        others = [fact for fact in self.corpus.facts[self.article] if fact != self.fact]
        others.sort(key=lambda fact: stable_hash("vary", *draw, fact.name))
        for fact in (*others, self.fact):
            question = self._asked(fact, *draw)
            if question:
                wrong = uniform("slip", *draw) < slip
                value = self._wrong_value(fact, *draw) if wrong else fact.value
                return {"question": question, "answer": fact.value if value == replies.UNKNOWN else value}
        return {"question": self.question, "answer": self.fact.value}

    def _asked(self, fact: Fact, *draw: object) -> str | None:
        """Return a question other than the seed's that is understood as one about `fact`, if there is one."""
        asked = phrasing.questions(fact.name, self._title)
        asked.sort(key=lambda question: stable_hash("phrase", *draw, question))
        for question in asked:
            found = self.corpus.find(question)
            understood = found and (found.article, found.fact) == (self.article, fact)
            if understood and question != self.question and not reading.contains(question, fact.value):
                return question
        return None

    @property
    def _title(self) -> str:
        return self.corpus.articles[self.article].title

    def _told(self, value: str, *draw: object) -> Said:
        fact = Fact(name=self.fact.name, value=value)
        return {"rationale": replies.tell(fact, self._title, *draw), "answer": value}

    def _wrong_value(self, fact: Fact, *draw: object) -> str:
        return self.corpus.wrong_value(fact, self.corpus.articles[self.article].categories, *draw)
