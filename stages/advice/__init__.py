"""What to buy next: gains of further purchases predicted from what was measured, per unit of cost."""

from pydantic import Field

from stages import params


class Writing(params.Section):
    """What one new seed question costs: the tokens of asking for it and of verifying it, rejects included."""

    prompt_tokens: float = Field(ge=0)
    completion_tokens: float = Field(ge=0)


class Config(params.Section):
    """The purchases to be ranked."""

    responses: list[float] = Field(default=[2, 4, 8], min_length=1)  # multiples of the held budget
    questions: list[float] = Field(default=[1.5, 2], min_length=1)  # multiples of the full source
    writing: dict[str, Writing] = Field(default={})  # by domain; where it is missing, that cost is unknown
