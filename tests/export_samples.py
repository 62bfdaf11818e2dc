"""The parts of a small MediaWiki export."""

HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/"><siteinfo><case>first-letter</case>'
    '<namespaces><namespace key="0" /><namespace key="1">Diskussion</namespace>'
    '<namespace key="6">Datei</namespace></namespaces></siteinfo>'
)


def page(title: str, text: str, page_id: int = 1, ns: str = "<ns>0</ns>", redirect: str = "") -> str:
    """Return one <page> element with one revision, numbered page_id + 100."""
    return (
        f"<page><title>{title}</title>{ns}<id>{page_id}</id>{redirect}<revision><id>{page_id + 100}</id>"
        f"<contributor><id>999</id></contributor><timestamp>2020-01-02T03:04:05Z</timestamp>"
        f'<text bytes="1">{text}</text></revision></page>'
    )
