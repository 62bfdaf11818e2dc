"""seedbed: verbs (one module per DVC stage) and the nouns they call (subpackages)."""

import os

# Before numpy is imported: OpenBLAS adds up long vectors and matrices in an order that follows from its
# number of threads; the last digits of a file would tell how many cores it was made on.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
