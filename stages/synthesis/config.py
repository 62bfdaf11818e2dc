"""The section `synthesize` of params.yaml."""

from pydantic import Field, model_validator

from stages.errors import BadInput
from stages.params import Section


class Config(Section):
    """How pools are made; limits are per pool."""

    questions: int = Field(ge=4)  # of a pool
    tolerance: float = Field(gt=0)  # dex; Wasserstein-1 from the target's log densities at which to stop
    level_tolerance: float = Field(gt=0)  # dex; how far a pool's mean may lie from its target
    rounds: int = Field(ge=0)  # rounds of feedback at most; round 0 samples the source alone
    orders: int = Field(ge=1)  # questions to synthesize in a round
    max_calls: int | None = Field(ge=0)  # teacher requests at most; null = no limit
    max_cost: float | None = Field(ge=0)  # USD at most, whenever paid; null = no limit
    detailed: bool  # have the teacher evaluate what passed the free checks
    near_copy: float = Field(gt=0, le=1)  # Jaccard of content words at which a question copies its source
    densities: dict[int, float] | None  # target `groups`: group → dex, relative to one another
    ratios: dict[str, float] | None  # baseline `fixed_ratio`: domain → share; null = equal shares

    @model_validator(mode="after")
    def _tables_are_usable(self) -> "Config":
        if self.densities is not None and not self.densities:
            raise ValueError("densities is an empty table; name groups or set null")
        if self.ratios is not None and (
            not self.ratios or min(self.ratios.values()) < 0 or sum(self.ratios.values()) <= 0
        ):
            raise ValueError("ratios must be shares, none negative and not all zero; or null")
        return self


def check_price(config: Config, prices: Section) -> None:
    """Refuse a cost limit where the teacher's price is not known.

    Args:
        config: the section `synthesize`.
        prices: the section `teacher.price`; null is not known.

    Raises:
        BadInput: there is a limit and no price.
    """
    if config.max_cost is not None and None in prices.model_dump().values():
        raise BadInput(
            f"synthesize.max_cost {config.max_cost}: the teacher's price is not known, so no limit can be "
            "kept; set `teacher.price`, or limit `synthesize.max_calls`"
        )
