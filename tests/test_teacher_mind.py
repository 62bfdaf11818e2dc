"""What the embedded teacher answers from: whose question it is, and that its replies stay what they are."""

import hashlib
import json
import os
import subprocess
import sys

from scripted_teacher import FRANCE, WORLD
from test_teacher_problems import EMBEDDED, FACT, GIVEN, PROBLEMS, UNSOLVED, wrong_of

from stages.problems.solving import Book
from stages.teacher import prompts, simulator
from stages.teacher.competence import Embedded
from stages.teacher.corpus import Corpus
from stages.teacher.knowing import Nothing, OfFact
from stages.teacher.knowing_problems import KEY, OfProblem
from stages.teacher.mind import TASKS, Mind
from stages.teacher.replies_protocols import TASKS as OF_PROTOCOLS

SHAPE = Embedded(a=0.6, b=0.8, never=0.1, slip=0.1, miss=0.2, false_alarm=0.05)
COMPETENCE = {("France", "capital"): 0.25, (GIVEN.problem_id, KEY): 0.75}
NAMES_FRANCE = GIVEN.model_copy(update={"question": "How many letters has the capital of France?"})


def mind(problems=PROBLEMS):
    return Mind(Corpus(WORLD), Book(problems), lambda *of: COMPETENCE.get(of, 0.5), SHAPE)


def test_a_question_is_a_problems_then_a_facts_then_nothings():
    known = [
        mind().known(text) for text in (GIVEN.question, "What is the capital of France?", "What is love?")
    ]
    assert [type(one) for one in known] == [OfProblem, OfFact, Nothing]
    assert [one.p for one in known] == [0.75, 0.25, 0.0]
    assert isinstance(mind([NAMES_FRANCE]).known(NAMES_FRANCE.question), OfProblem)
    assert isinstance(mind([]).known(NAMES_FRANCE.question), OfFact)


def test_every_reply_schema_of_the_prompts_is_a_task():
    replies = {reply for reply in vars(prompts).values() if isinstance(reply, type)}
    names = {reply.wire_name() for reply in replies if issubclass(reply, prompts.Reply)}
    assert names - {"reply", "written_question"} == TASKS


def test_the_models_id_stands_for_the_problems_and_without_them_is_what_it_was():
    assert simulator.model_id("m", SHAPE, [FRANCE]) == "m@0daa10c9164b"
    assert simulator.model_id("seedbed-simulator", SHAPE, WORLD, ()) == "seedbed-simulator@8e379a2f1b90"
    ids = [simulator.model_id("m", SHAPE, [FRANCE], some) for some in (PROBLEMS, PROBLEMS[::-1], [GIVEN], ())]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_the_last_simulator_is_kept_for_the_same_articles_and_problems():
    first = simulator.prepared(WORLD, "m", SHAPE, PROBLEMS)
    assert simulator.prepared(WORLD, "m", SHAPE, PROBLEMS) is first
    other = simulator.prepared(WORLD, "m", SHAPE)
    assert other.model_id == simulator.model_id("m", SHAPE, WORLD)


def said_digest():
    """Return a hash of what a teacher says to every task of the protocols about a fact and four problems."""
    asked = [wrong_of(problem) for problem in (GIVEN, UNSOLVED, EMBEDDED[0], EMBEDDED[-1])]
    asked.append(FACT)
    said = [
        mind().reply(task, question if task == "solution" else shown, 1.0, 3, seed, 0)
        for question, *rest in asked
        for shown in [prompts.revise(question, *rest, "That is wrong.").messages[1][1]]
        for task in OF_PROTOCOLS
        for seed in range(8)
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def test_replies_stay_what_they_were_at_this_version_in_every_process():
    code = "import test_teacher_mind as t; print(t.said_digest())"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "1"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    # Where this changes on purpose, raise simulator.VERSION with it, or stored replies pass for new ones.
    assert (simulator.VERSION, said_digest(), other.stdout.strip()) == (
        2,
        "488535ab6ba1f1bd",
        "488535ab6ba1f1bd",
    )
