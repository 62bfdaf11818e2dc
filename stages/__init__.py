"""seedbed: verbs (one module per DVC stage) and the nouns they call (subpackages)."""
