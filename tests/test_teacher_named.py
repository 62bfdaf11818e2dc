"""Several teachers in one params.yaml: the section `teacher`, and what differs under `teachers`."""

import pytest
from scripted_teacher import config

from stages.errors import BadInput
from stages.teacher.client import named

OTHERS = {
    "strong": {"model": "strong-one", "embedded": {"a": 1.5}},
    "cool": {"temperature": 0.3, "price": {"input": 4.0}},
    "same": {},
}


def test_the_section_itself_goes_by_the_name_teacher():
    assert named(config(), OTHERS, "teacher") == config()
    assert named(config(), {}, "teacher") == config()


def test_another_teacher_has_what_differs_and_the_rest_of_the_section():
    strong, cool, plain = (named(config(), OTHERS, name) for name in ("strong", "cool", "same"))
    assert strong.model == "strong-one"
    assert strong.embedded == config().embedded.model_copy(update={"a": 1.5})
    assert strong.price == config().price
    assert cool.temperature == 0.3
    assert (cool.price.input, cool.price.output) == (4.0, 2.0)
    assert cool.model == config().model
    assert plain == config()


def test_an_unknown_price_of_the_section_is_not_made_a_number():
    unpriced = config(price={"input": None, "output": None})
    assert named(unpriced, OTHERS, "cool").price.output is None
    assert named(config(), {"free": {"price": {"output": None}}}, "free").price.output is None


@pytest.mark.parametrize(
    ("others", "name", "said"),
    [
        (OTHERS, "strnog", "'teachers.strnog' is missing; did you mean 'strong'?"),
        ({}, "strong", "'teachers.strong' is missing; did you mean 'teacher'?"),
        ({"x": {"temprature": 1}}, "x", "'teachers.x.temprature'; did you mean 'temperature'?"),
        ({"x": {"embedded": {"slips": 1}}}, "x", "'teachers.x.embedded.slips'; did you mean 'slip'?"),
        ({"x": {"embedded": {"slip": 2}}}, "x", "'teachers.x.embedded.slip': input should be"),
        ({"x": {"price": 3}}, "x", "'teachers.x.price': input should be"),
        ({"x": {"backend": "oracle"}}, "x", "'teachers.x.backend': input should be"),
    ],
)
def test_bad_settings_are_refused_by_their_place_in_one_line(others, name, said):
    with pytest.raises(BadInput) as refused:
        named(config(), others, name)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
