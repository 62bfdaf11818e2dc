"""Problems with verifiable answers, of mathematics and physics: read from seed files, or made here with a
computed truth; solved step by step, rightly or with a slip."""
