"""Knowledge: what questions are about, where that lies in an embedding space, and how densely."""

from typing import Literal

from pydantic import Field

from stages.params import Section


class Config(Section):
    """The section `knowledge` of params.yaml."""

    embedder: Literal["hashing"]  # hashed n-grams, TF-IDF and SVD; nothing is downloaded
    features: int = Field(ge=8)  # dimensions of the embedding before projection
    dimensions: int = Field(ge=1)  # d, after projection by PCA; densities are per unit volume of this space
    neighbours: int = Field(ge=2)  # k of the k-NN density
    groups: int = Field(ge=1)  # clusters of knowledge points
