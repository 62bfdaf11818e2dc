"""Laws of loss against budget: equations, fits with their status, forecasts with their intervals."""

from pydantic import Field

from stages import params


class Config(params.Section):
    """Settings of the fit."""

    level: float = Field(default=0.9, ge=0.5, lt=1)  # of every interval, as a share
