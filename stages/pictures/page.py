"""The report's page: one HTML file that needs nothing beside itself."""

from stages.pictures import contents, frame
from stages.pictures.contents import Run
from stages.tables.headline import SIMULATOR


def render(run: Run, drawn: dict[str, str]) -> str:
    """Return the report as HTML.

    Args:
        run: everything it shows.
        drawn: the pictures by name.
    """
    return frame.render(
        "page.html",
        contents.sections(run, drawn),
        run.settings,
        budget=run.budget,
        simulator=SIMULATOR if run.simulated else None,
        limits=contents.unsupported(run),
        lineages=run.lineages,
    )
