"""The embedded world: real facts, written by us as a small Wikipedia, and benchmarks that ask about it."""
