"""Logic forms and annotations: what is wrong has a name."""

import time

import pytest

from stages.knowledge.annotation import annotation
from stages.knowledge.mermaid import Diagram, fault, parse
from stages.records import Knowledge, SeedQuestion
from stages.teacher import prompts
from stages.teacher.client import Outcome

GRAPH = 'graph TD\n  A["Chad"] -->|capital| B["N\'Djamena"]\n  B --> C["Africa (continent)"]'
QUESTION = SeedQuestion(
    question_id="q",
    page_id=1,
    revision_id=1,
    title="Chad",
    question="What is the capital of Chad?",
    answer="N'Djamena",
    answer_aliases=[],
    evidence="",
    request_key="",
)
POINTS = ("The capital of Chad is N'Djamena.", "Chad lies in Africa.", "chad covers 1284000 km2.")


def replied(
    points: tuple[str, ...] = POINTS, entities: tuple[str, ...] = ("Chad",), form: str = GRAPH
) -> Outcome:
    reply = prompts.Knowledge(topic_entities=list(entities), knowledge_points=list(points), logic_form=form)
    return Outcome(
        key="k",
        reply=reply,
        reason="ok",
        prompt_tokens=1,
        completion_tokens=1,
        cost_usd=None,
        cached=False,
        repaired=False,
        calls=1,
        paid_usd=None,
    )


def test_a_graph_is_read_into_nodes_and_edges() -> None:
    assert parse(GRAPH) == Diagram("graph", frozenset("ABC"), (("A", "B"), ("B", "C")), frozenset("ABC"))


@pytest.mark.parametrize(
    "form",
    [
        GRAPH,
        "flowchart LR\nA --> B --> C\nA -.-> C",
        "graph LR; A[x] --- B((y)); B -- why --> C{z}",
        "mindmap\n  Chad\n    Capital\n      Lake\n    Area",
        "%% note\ngraph TD\nA-->B",
        'graph TD\nA["a; b (c)"] -->|x| B("d") & C{{e}}\nB & C -- so "it" is --> D[/f/]',
        "flowchart LR\nsubgraph one [First]\ndirection TD\na1[x] --> a2[y]:::hot\nend\na2 ==> one\n"
        "classDef hot fill:#f00;\nstyle a1 fill:#fff\nlinkStyle 0 stroke:red",
        "```mermaid\nflowchart TD\nA(x) -. maybe .-> B>y]\nB --> C[(z)]\n```",
        "mindmap\n  root((Chad))\n    Capital\n    ::icon(fa fa-book)",
    ],
)
def test_well_formed_diagrams_pass(form: str) -> None:
    assert fault(form) is None


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("", "unknown_diagram"),
        ("pie\n A: 3", "unknown_diagram"),
        ("graph TD\n  A[x]", "no_edges"),
        ("graph TD\n  A -->", "bad_statement"),
        ("graph TD\n  --> B", "bad_statement"),
        ("graph TD\n  A --> B\n  C[alone]", "unconnected"),
        ("flowchart TD\n A --> B\n B --> A", "cyclic"),
        ("mindmap\n a\n b", "bad_statement"),
        ("graph TD\n A[x] --> B", "undefined_node"),
        ("graph TD\n A[x --> B", "bad_statement"),
        ('graph TD\n A["x] --> B[y]', "bad_statement"),
        ("graph TD\n A & --> B", "bad_statement"),
        ("graph TD\n" + "\n".join(f"N{i} --> N{i + 1}" for i in range(10_000)), "too_large"),
        ("graph TD\n" + "\n".join(f"A --> N{i % 9}" for i in range(300)), "too_large"),
        (
            "graph TD\n"
            + " & ".join(f"N{i}" for i in range(20))
            + " --> A & B & C & D & E & F & G & H & I & J & K",
            "too_large",
        ),
        ("mindmap\n a\n" + "\n".join(f"  b{i}" for i in range(300)), "too_large"),
        ("graph TD\n A" + "[" * 15_000, "bad_statement"),
        ("graph TD\n A" + " -- " * 4_000, "bad_statement"),
        ('graph TD\n A["' * 1_000, "bad_statement"),
        ("graph TD\n A " + "-" * 15_000, "bad_statement"),
    ],
)
def test_each_fault_has_a_name(form: str, name: str) -> None:
    assert fault(form) == name


def test_a_bomb_is_answered_at_once() -> None:
    begin = time.process_time()
    for bomb in ("A --> B\n" * 10_000, "(" * 10**7, "A" + " & A" * 4_900, '"' * 19_000, " -.-" * 4_900):
        assert fault(f"graph TD\n{bomb}") is not None
    assert time.process_time() - begin < 1.0


def test_a_long_way_round_is_a_cycle_and_a_long_way_is_none() -> None:
    way = "".join(f"N{i} --> N{i + 1}\n" for i in range(150))
    assert fault(f"flowchart TD\n{way}") is None
    assert fault(f"flowchart TD\n{way}N150 --> N75") == "cyclic"


def test_a_cycle_is_allowed_in_a_plain_graph() -> None:
    assert fault("graph TD\n A --> B\n B --> A") is None


def test_a_sound_reply_becomes_knowledge() -> None:
    found = annotation(QUESTION, replied())
    assert isinstance(found, Knowledge)
    assert found.points == list(POINTS)


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (replied(entities=()), "no_topic_entity"),
        (replied(points=POINTS[:2]), "point_count"),
        (replied(points=(*POINTS[:2], POINTS[0])), "point_count"),
        (replied(points=(*POINTS[:2], "Capitals matter to states.")), "point_not_instance_based"),
        (replied(form="graph TD"), "logic_form_no_edges"),
        (replied()._replace(reply=None, reason="truncated"), "reply_truncated"),
    ],
)
def test_each_unsound_reply_is_rejected_by_name(outcome: Outcome, name: str) -> None:
    assert annotation(QUESTION, outcome) == name
