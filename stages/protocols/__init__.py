"""Protocols: how a pool's questions and a teacher's draws become training examples."""
