"""Tables: one SQL file each, the paired comparisons they show, and what is said of them."""

from importlib import resources

# What `build` returns and `compare` publishes, in reading order; the other files are steps on the way.
PUBLISHED = ("cells", "seeds", "density_by_budget", "matched_budget", "matched_density", "benchmarks")


def statement(name: str, folder: str = "stages.tables") -> str:
    """Return the text of `NAME.sql` in a package."""
    return resources.files(folder).joinpath(f"{name}.sql").read_text(encoding="utf-8")
