"""Checked annotations: from the teacher's replies to knowledge, or to a named rejection."""

import re

from stages.knowledge import mermaid
from stages.records import Knowledge, SeedQuestion
from stages.teacher import prompts
from stages.teacher.client import Outcome


def annotation(question: SeedQuestion, outcome: Outcome) -> Knowledge | str:
    """Return a question's knowledge, or the name of what is wrong with the reply.

    Faults: "reply_…" (no usable reply), "no_topic_entity", "point_count" (not three to five distinct
    knowledge points), "point_not_instance_based" (a point that names nothing concrete: no capitalised word
    after the first, no figure), "logic_form_…" (see `mermaid.fault`).
    """
    reply = outcome.reply
    if not isinstance(reply, prompts.Knowledge):
        return f"reply_{outcome.reason}"
    if not reply.topic_entities:
        return "no_topic_entity"
    points = list(dict.fromkeys(reply.knowledge_points))
    if not 3 <= len(points) <= 5:
        return "point_count"
    entities = [entity.lower() for entity in reply.topic_entities]
    if not all(re.search(r"\s\W?[A-Z]|\d", p) or any(e in p.lower() for e in entities) for p in points):
        return "point_not_instance_based"
    wrong = mermaid.fault(reply.logic_form)
    if wrong:
        return f"logic_form_{wrong}"
    return Knowledge(
        question_id=question.question_id,
        topic_entities=list(dict.fromkeys(reply.topic_entities)),
        points=points,
        logic_form=reply.logic_form,
        request_key=outcome.key,
    )
