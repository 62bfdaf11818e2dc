"""The teacher: prompts, one client for every endpoint, the response store, the embedded simulator."""
