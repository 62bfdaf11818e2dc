"""Knowledge: what questions are about, where that lies in an embedding space, and how densely."""

from pydantic import Field

from stages.params import Section


class Config(Section):
    """The section `knowledge` of params.yaml."""

    embedder: str = Field(min_length=1)  # "hashing", or a sentence-transformers model: a folder or a hub id
    revision: str | None = None  # commit of the hub id
    features: int = Field(ge=8)  # dimensions of the hashing embedding before projection; a model has its own
    dimensions: int = Field(ge=1)  # d, after projection by PCA; densities are per unit volume of this space
    neighbours: int = Field(ge=2)  # k of the k-NN density
    groups: int = Field(ge=1)  # clusters of knowledge points
