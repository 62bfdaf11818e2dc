"""What a student is asked and how it answers: the answer alone on the first line, then the rationale."""


def completion(answer: str, rationale: str) -> str:
    """Return the assistant's message of a training example.

    The newline after the answer is there even without a rationale: a student ends its answer by it.

    Args:
        answer: the short answer; line breaks become spaces.
        rationale: one or two sentences that state the fact; may be empty.
    """
    return f"{_one_line(answer)}\n{rationale.strip()}"


def answer_of(generated: str) -> str:
    """Return the answer in a student's reply: its first line that is not blank."""
    return next((line.strip() for line in generated.splitlines() if line.strip()), "")


def messages(question: str) -> list[dict[str, str]]:
    """Return the prompt: one user message, no system message."""
    return [{"role": "user", "content": question}]


def _one_line(text: str) -> str:
    return " ".join(text.split())
