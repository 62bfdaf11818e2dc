"""What every reader yields: one page of a source, and what its site says about titles."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

# Canonical names hold on every wiki beside the local ones that the export's <siteinfo> gives.
CANONICAL = {
    -2: ("media",),
    -1: ("special",),
    1: ("talk",),
    2: ("user",),
    3: ("user talk",),
    4: ("project", "wikipedia"),
    5: ("project talk", "wikipedia talk"),
    6: ("file", "image"),
    7: ("file talk", "image talk"),
    8: ("mediawiki",),
    9: ("mediawiki talk",),
    10: ("template",),
    11: ("template talk",),
    12: ("help",),
    13: ("help talk",),
    14: ("category",),
    15: ("category talk",),
}
_SPACES = re.compile(r"[\s_\u200e\u200f]+")
# The redirect words of the larger Wikipedias; <redirect/> in the export covers all the others.
_REDIRECT_WORDS = (
    "REDIRECT|WEITERLEITUNG|REDIRECTION|REDIRECCI[ÓO]N|RINVIA|REDIRECIONAMENTO|DOORVERWIJZING|PATRZ"
    "|PRZEKIERUJ|PERENAPRAVLENIE|ПЕРЕНАПРАВЛЕНИЕ|ПЕРЕНАПР|ПЕРЕНАПРАВЛЕННЯ|OMDIRIGERING|OHJAUS|UUDELLEENOHJAUS"
    "|転送|リダイレクト|重定向|넘겨주기|تحويل|تغییر_مسیر|YÖNLENDİRME|ĐỔI"
)
_REDIRECT = re.compile(rf"\s*#(?:{_REDIRECT_WORDS})\s*:?\s*\[\[([^\]|\n]+)", re.IGNORECASE)
_REDIRECT_ANY_WORD = re.compile(r"\s*#\w+(?:[ _]\w+)?\s*:?\s*\[\[([^\]|\n]+)")


def _canonical() -> dict[str, int]:
    return {name: key for key, names in CANONICAL.items() for name in names}


@dataclass
class Site:
    """How one wiki names its namespaces and compares its titles; filled while <siteinfo> is read."""

    case_sensitive: bool = (
        False  # titles "iPod" and "IPod" differ (Wiktionary), else the first letter is capital
    )
    namespaces: dict[str, int] = field(default_factory=_canonical)  # lower-case name → key, without main

    def namespace(self, title: str) -> int:
        """Return the namespace key that a title's prefix names, 0 for the main one."""
        prefix, colon, _ = title.partition(":")
        return self.namespaces.get(_SPACES.sub(" ", prefix).strip().lower(), 0) if colon else 0

    def normalise(self, title: str) -> str:
        """Return a link target as the title it leads to: no #section or underscores, first letter capital."""
        title = _SPACES.sub(" ", title.partition("#")[0]).strip().removeprefix(":").strip()
        return title if self.case_sensitive else title[:1].upper() + title[1:]


class Page(NamedTuple):
    """One page; `text` is wikitext if `model` is "wikitext" and clean already if it is "plain"."""

    page_id: int
    revision_id: int  # 0 where the source has none
    timestamp: str  # empty where the source has none
    title: str
    namespace: int
    redirect: str | None  # the target's title as the page states it
    model: str
    text: str  # at most as many characters as the reader's limit
    length: int  # characters of the text in the source
    site: Site


def redirect_target(text: str, marked: bool) -> str | None:
    """Return the target of a page that begins with #REDIRECT [[target]].

    Args:
        text: wikitext.
        marked: the export says the page is a redirect, so the word may be of any language.
    """
    match = (_REDIRECT_ANY_WORD if marked else _REDIRECT).match(text[:1000])
    return match[1] if match else None
