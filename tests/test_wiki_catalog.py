"""Redirects become aliases of the article at the end of their chain; rows come in page order."""

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

import pytest

from stages.records import Article
from stages.wiki import articles, catalog
from stages.wiki.articles import Redirect
from stages.wiki.pages import Page, Site


def article(page_id: int, title: str = "", revision_id: int = 1) -> Article:
    return Article(
        page_id=page_id,
        revision_id=revision_id,
        timestamp="",
        title=title or f"T{page_id}",
        aliases=[],
        text=f"text {page_id} at {revision_id}",
        facts=[],
        categories=[],
    )


def catalogued(found: list[Article | Redirect]) -> tuple[list[dict[str, Any]], Counter[str]]:
    counts = Counter(found_articles=sum(isinstance(f, Article) for f in found))
    counts["found_redirects"] = len(found) - counts["found_articles"]
    with closing(sqlite3.connect(":memory:")) as connection:
        everything = catalog.Catalog(connection)
        everything.add(found)
        return list(everything.rows(counts)), counts


def aliases(*found: Article | Redirect) -> dict[str, list[str]]:
    return {row["title"]: row["aliases"] for row in catalogued(list(found))[0]}


def test_chains_lead_to_the_article_and_aliases_are_sorted() -> None:
    found = [Redirect("D", "C"), Redirect("C", "B"), Redirect("B", "Iron"), Redirect("Ä", "Iron")]
    assert aliases(article(1, "Iron"), *found, article(2, "Gold")) == {
        "Iron": ["B", "C", "D", "Ä"],
        "Gold": [],
    }


def test_loops_and_dead_ends_are_dropped_and_counted() -> None:
    found = [Redirect("A", "B"), Redirect("B", "A"), Redirect("C", "C"), Redirect("D", "Nowhere")]
    rows, counts = catalogued([article(1, "Iron"), *found, Redirect("E", "Iron")])
    assert rows[0]["aliases"] == ["E"]
    assert (counts["aliases"], counts["redirect_to_no_article"]) == (1, 4)


def test_title_that_is_an_article_is_no_alias() -> None:
    assert aliases(
        article(1, "Iron"), article(2, "Gold"), Redirect("Gold", "Iron"), Redirect("Iron", "Iron")
    ) == {
        "Iron": [],
        "Gold": [],
    }


def test_redirects_that_are_there_twice_neither_multiply_nor_hang() -> None:
    twice = [Redirect("A", "A"), Redirect("A", "Iron"), Redirect("B", "Iron")] * 50
    rows, counts = catalogued([article(1, "Iron"), *twice])
    assert rows[0]["aliases"] == ["B"]
    assert counts["redirect_to_no_article"] == 149


def test_chain_longer_than_the_limit_ends_at_the_limit() -> None:
    chain = [Redirect(f"R{n:04}", f"R{n - 1:04}" if n else "Iron") for n in range(500)]
    assert len(aliases(article(1, "Iron"), *chain)["Iron"]) == catalog.MAX_CHAIN


def test_rows_come_in_page_order_with_the_newest_revision_of_each() -> None:
    found = [
        article(3),
        article(1, revision_id=5),
        article(2),
        article(1, revision_id=9),
        article(1, revision_id=7),
    ]
    rows, counts = catalogued(list(found))
    assert [(row["page_id"], row["revision_id"]) for row in rows] == [(1, 9), (2, 1), (3, 1)]
    assert (counts["articles"], counts["older_revision"]) == (3, 2)


@pytest.mark.parametrize(("rows", "sizes"), [(0, []), (1, [1]), (5, [5]), (6, [5, 1]), (11, [5, 5, 1])])
def test_shards_hold_so_many_rows(rows: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "BATCH_ROWS", 2)
    shards = catalog.shards((article(n).model_dump() for n in range(rows)), 5)
    assert [sum(table.num_rows for table in shard) for shard in shards] == sizes


def test_pages_are_sorted_out_by_named_reasons() -> None:
    def page(
        number: int, text: str, namespace: int = 0, redirect: str | None = None, model: str = "wikitext"
    ) -> Page:
        return Page(number, 1, "", f"T{number}", namespace, redirect, model, text, len(text), Site())

    counts: Counter[str] = Counter()
    given = [
        page(1, "Text."),
        page(2, "Text.", namespace=4),
        page(3, "", redirect="t1_x#part"),
        page(4, "{}", model="json"),
        page(5, "{{only|a=template}}"),
        page(6, "Text.")._replace(length=9999),
    ]
    found = list(articles.sort_out(given, counts))
    assert [f.title for f in found] == ["T1", "T3", "T6"]
    assert found[1] == Redirect("T3", "T1 x")
    reasons = ("other_namespace", "not_wikitext", "no_text", "cut_at_limit", "pages")
    assert [counts[name] for name in reasons] == [1, 1, 1, 1, 6]
    counts["articles"], counts["facts"] = 1234, 5
    assert articles.summary(counts) == (
        "1,234 articles, 0 redirects as aliases, 5 infobox facts; skipped: 1 other_namespace, "
        "1 not_wikitext, 1 no_text; read in part: 1 cut_at_limit"
    )
