"""Tracing: from one training row back to every request, question, statement and article it was made of."""
