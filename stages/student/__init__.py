"""The student: its tokenizer and base, its fine-tuning, its answers and their loss."""

from stages.student.config import Lora, Make, Probe, Score, Student, Train

__all__ = ["Lora", "Make", "Probe", "Score", "Student", "Train"]
