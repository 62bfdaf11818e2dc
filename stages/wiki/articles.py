"""From a page to an article, or to the named reason why it is none."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stages.records import Article
from stages.wiki import markup
from stages.wiki.pages import Page

SKIPS = ("other_namespace", "not_wikitext", "no_text", "older_revision", "redirect_to_no_article")


class Redirect(NamedTuple):
    """A title that leads to another title, both normalised."""

    title: str
    target: str


def sort_out(pages: Iterable[Page], counts: Counter[str]) -> Iterator[Article | Redirect]:
    """Yield the articles (without aliases) and redirects among the pages of the main namespace.

    Args:
        pages: in any order.
        counts: grows by "pages", "found_articles" and "found_redirects", by each skip under its name
            ("other_namespace"; "not_wikitext"; "no_text", nothing left to read), and by "cut_at_limit"
            for articles read in part.
    """
    for page in pages:
        counts["pages"] += 1
        if page.namespace != 0:
            counts["other_namespace"] += 1
        elif page.redirect is not None:
            target = page.site.normalise(page.redirect)
            counts["found_redirects"] += 1
            yield Redirect(page.title, target)
        elif page.model not in ("wikitext", "plain"):
            counts["not_wikitext"] += 1
        elif article := _article(page):
            counts["found_articles"] += 1
            counts["cut_at_limit"] += page.length > len(page.text)
            yield article
        else:
            counts["no_text"] += 1


def _article(page: Page) -> Article | None:
    if page.model == "plain":
        cleaned = markup.Cleaned(markup.paragraphs(page.text), [], [])
    else:
        cleaned = markup.clean(page.text, page.site)
    if not cleaned.text:
        return None
    return Article(
        page_id=page.page_id,
        revision_id=page.revision_id,
        timestamp=page.timestamp,
        title=page.title,
        aliases=[],
        text=cleaned.text,
        facts=cleaned.facts,
        categories=cleaned.categories,
    )


def summary(counts: Counter[str]) -> str:
    """Say in one line what was found and, by reason, what was skipped."""
    found = (
        f"{counts['articles']:,} articles, {counts['aliases']:,} redirects as aliases, "
        f"{counts['facts']:,} infobox facts; skipped: {skipped(counts)}"
    )
    cut = f"; read in part: {counts['cut_at_limit']:,} cut_at_limit" if counts["cut_at_limit"] else ""
    return found + cut


def skipped(counts: Counter[str]) -> str:
    """Say how many pages were skipped for which reason."""
    return ", ".join(f"{counts[name]:,} {name}" for name in SKIPS if counts[name]) or "nothing"


def why_none(counts: Counter[str]) -> str:
    """Say why a source has given no article."""
    if not counts["pages"]:
        return "no page in it"
    if counts["other_namespace"] == counts["pages"]:
        return f"no main-namespace page among its {counts['pages']:,} pages"
    return f"no article among its {counts['pages']:,} pages (skipped: {skipped(counts)})"
