"""Read MediaWiki's XML export (every export-0.x schema) as a stream of pages.

The parser is expat: it hands out a text piece by piece, so that memory stays constant whatever the
length of the dump or of a single page, and takes the encoding from the byte order mark or the XML
declaration. Schema: https://www.mediawiki.org/xml/export-0.11.xsd
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from xml.parsers import expat

from stages.errors import BadInput
from stages.wiki.pages import Page, Site, redirect_target

NAMESPACE = "http://www.mediawiki.org/xml/export-"
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]+)""")
_NATIVE = ("utf-8", "utf-16", "iso8859-1", "ascii")  # codec names of what expat decodes itself
_PAGE_FIELDS = ("title", "ns", "id")
_REVISION_FIELDS = ("id", "timestamp", "model", "text")


class _Builder:
    """Collects expat's events into pages; `done` holds the finished ones."""

    def __init__(self, where: str, max_characters: int) -> None:
        self.where = where
        self.max_characters = max_characters
        self.site = Site()
        self.done: list[Page] = []
        self.parser: expat.XMLParserType
        self.path: list[str] = []
        self.pieces: list[str] | None = None  # of the element being collected
        self.length = 0  # characters seen in that element
        self.key = 0  # of the <namespace> being read
        self.page: dict[str, str] = {}
        self.revision: dict[str, str] = {}
        self.newest: dict[str, str] = {}
        self.redirect: str | None = None

    def doctype(self, name: str, *_: object) -> None:
        """Refuse documents that declare entities: no export has a DOCTYPE, entity bombs do."""
        kind = "an HTML page" if name.lower() == "html" else "XML with a DOCTYPE"
        raise BadInput(f"{self.where}: {kind}, not a MediaWiki export; download the dump again")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        namespace, _, local = name.rpartition(" ")
        path = self.path
        if not path and (local != "mediawiki" or not (namespace.startswith(NAMESPACE) or not namespace)):
            kind = "an HTML page" if local.lower() == "html" else f"XML with root <{local}>"
            raise BadInput(f"{self.where}: {kind}, not a MediaWiki export; give a pages-articles dump")
        path.append(local)
        depth = len(path)
        if depth == 2 and local == "page":
            self.page, self.newest, self.redirect = {}, {}, None
        elif depth == 3 and path[1] == "page":
            if local in _PAGE_FIELDS:
                self.pieces, self.length = [], 0
            elif local == "redirect":
                self.redirect = attributes.get("title", "")
            elif local == "revision":
                self.revision = {}
        elif depth == 4 and path[2] == "revision" and path[1] == "page" and local in _REVISION_FIELDS:
            self.pieces, self.length = [], 0
        elif depth > 2 and path[1] == "siteinfo" and local in ("case", "namespace"):
            key = attributes.get("key", "")
            self.key = int(key) if re.fullmatch(r"-?[0-9]{1,6}", key) else 0
            self.pieces, self.length = [], 0

    def characters(self, data: str) -> None:
        """Take a piece of text, up to the limit."""
        if self.pieces is None:
            return
        if self.length < self.max_characters:
            self.pieces.append(data[: self.max_characters - self.length])
        self.length += len(data)

    def end(self, name: str) -> None:
        """Close an element."""
        local = self.path.pop()
        if self.pieces is not None:
            self._take(local, "".join(self.pieces))
            self.pieces = None
        elif local == "revision" and self.path[-1] == "page":
            order = ("timestamp", "id")
            if [self._order(self.revision, k) for k in order] >= [self._order(self.newest, k) for k in order]:
                self.newest = self.revision
        elif local == "page" and len(self.path) == 1:
            self.done.append(self._finish())

    @staticmethod
    def _order(revision: dict[str, str], name: str) -> tuple[int, str]:
        value = revision.get(name, "")
        return len(value), value  # ids are numbers of growing length, timestamps have one length

    def _take(self, local: str, value: str) -> None:
        if self.path[1] == "siteinfo":
            if local == "case":
                self.site.case_sensitive = value.strip() == "case-sensitive"
            elif self.key:
                self.site.namespaces[value.strip().lower()] = self.key
        elif len(self.path) == 2:
            self.page[local] = value
        else:
            self.revision[local] = value
            if local == "text":
                self.revision["length"] = str(self.length)

    def _finish(self) -> Page:
        title, text = self.page.get("title", "").strip(), self.newest.get("text", "")
        site = self.site
        namespace = site.namespace(title) if "ns" not in self.page else self._number(self.page, "ns")
        target = redirect_target(text, marked=self.redirect is not None)
        if not title or "id" not in self.page:
            line = self.parser.CurrentLineNumber
            raise BadInput(f"{self.where}: line {line}: a <page> without <title> or <id>; not a whole export")
        return Page(
            page_id=self._number(self.page, "id"),
            revision_id=self._number(self.newest, "id"),
            timestamp=self.newest.get("timestamp", "").strip(),
            title=title,
            namespace=namespace,
            redirect=self.redirect or target,
            model=self.newest.get("model", "").strip() or "wikitext",
            text=text,
            length=int(self.newest.get("length", 0)),
            site=site,
        )

    def _number(self, values: dict[str, str], name: str) -> int:
        value = values.get(name, "0").strip()
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            line = self.parser.CurrentLineNumber
            raise BadInput(f"{self.where}: line {line}: <{name}> is {value[:40]!r}, no number; not an export")
        return int(value)


def _as_utf8(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Yield the chunks, transcoded if expat does not know the declared encoding itself."""
    decoder = None
    for number, chunk in enumerate(chunks):
        if number == 0 and (declared := _DECLARED.match(chunk)):
            name = declared[1].decode()
            try:
                codec = codecs.lookup(name)
                codec.incrementaldecoder("strict").decode(b"", final=True)
            except (LookupError, TypeError) as error:
                raise BadInput(f"{where}: unknown encoding {name!r}; convert it to UTF-8") from error
            if codec.name not in _NATIVE:
                decoder = codec.incrementaldecoder("strict")
                # The declaration must then say what the parser is given.
                chunk = chunk[: declared.start(1)] + b"utf-8" + chunk[declared.end(1) :]
        if decoder is None:
            yield chunk
            continue
        try:
            yield decoder.decode(chunk).encode("utf-8")
        except UnicodeDecodeError as error:
            raise BadInput(f"{where}: not the encoding it declares: {error.reason}") from error


def read(chunks: Iterable[bytes], where: str, max_characters: int) -> Iterator[Page]:
    """Yield the pages of an export in file order; of several revisions, the newest.

    Args:
        chunks: the export's bytes, decompressed; the first chunk holds the whole XML declaration.
        where: names the source in error lines.
        max_characters: of a page's text that are kept; the rest is counted but not stored.

    Raises:
        BadInput: not XML, cut off, malformed (with line and byte), or XML of another kind.
    """
    builder = _Builder(where, max_characters)
    # The namespace separator splits "uri local"; no URI holds a space.
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.doctype
    builder.parser = parser
    try:
        for chunk in _as_utf8(chunks, where):
            parser.Parse(chunk, False)
            yield from builder.done
            builder.done.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        place = f"line {error.lineno}, byte {parser.ErrorByteIndex}"
        what = expat.ErrorString(error.code)
        cut = error.code in (3, 5) or parser.ErrorByteIndex < 0
        said = f"the XML is cut off ({what})" if cut else f"malformed XML ({what})"
        raise BadInput(f"{where}: {said} at {place}; download the dump again") from error
    yield from builder.done
