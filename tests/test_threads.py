"""What a stage computes does not tell how many cores it had."""

import os
import subprocess
import sys

import pytest

COMPUTE = """
import hashlib
from stages import knowledge
from stages.knowledge import embed
import numpy as np
from scipy.stats import wasserstein_distance

random = np.random.default_rng(0)
words = [f"{a}{b}" for a in "kltmnprs" for b in ("ala", "oru", "ine", "estu", "iva", "ondo")]
texts = [" ".join(random.choice(words, 9)) for _ in range(3000)]
config = knowledge.Config(
    embedder="hashing", revision=None, features=64, dimensions=4, neighbours=10, groups=24
)
space = embed.fit(texts, config, seed=0)
long, wide = random.normal(size=(2, 200_000)), random.normal(size=(400, 5_000))
sums = [long[0] @ long[1], wasserstein_distance(long[0], long[1] + 1), *(wide @ wide[0])]
sums += list((wide @ wide.T).ravel())
print(space.identity, hashlib.sha256(np.array(sums).tobytes()).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core")
def test_one_core_and_all_of_them_give_the_same_to_the_last_bit() -> None:
    cores = sorted(os.sched_getaffinity(0))
    without = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}

    def computed(own: list[int]) -> str:
        return subprocess.run(
            [sys.executable, "-c", COMPUTE],
            env=without,
            preexec_fn=lambda: os.sched_setaffinity(0, own),
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert computed(cores[:1]) == computed(cores)
