"""Identity holds for any address and any entry."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.feed import Document, ParsedArticle, ParsedFeed
from monitor.core.identity import (
    Verdict,
    article_id,
    canonical_url,
    identify,
    judge,
    keys_of,
    url_identity,
)
from monitor.core.model import FeedState
from monitor.core.poll import decide, document_keys
from tests.factories import NOW, feed

few_words = st.lists(
    st.sampled_from(["talks", "vote", "Genf", "переговоры", "協議", "12"]), max_size=40
)
texts = st.one_of(few_words.map(" ".join), st.text(max_size=40))
urls = st.one_of(
    st.text(max_size=40),
    st.builds(
        "{}://{}{}/{}?{}#{}".format,
        st.sampled_from(["http", "https", "HTTP", "ftp"]),
        st.sampled_from(["", "www.", "m."]),
        st.sampled_from(["news.example", "NEWS.example:80", "[::1]", "x:y", "münchen.example"]),
        st.sampled_from(["", "a", "a/", "%c3%a9", "a;jsessionid=1"]),
        st.sampled_from(["", "utm_source=x", "id=1&utm_source=x", "source=rss", "&&"]),
        st.sampled_from(["", "top", "!/story"]),
    ),
)
dates = st.one_of(
    st.none(), st.integers(-10_000, 10_000).map(lambda minutes: NOW + timedelta(minutes=minutes))
)
entries = st.builds(
    ParsedArticle,
    guid=st.sampled_from(["", "g1", "g2", "http://news.example/a"]) | st.text(max_size=10),
    url=urls,
    title=texts,
    summary=texts,
    published_at=dates,
)
documents = st.lists(entries, max_size=12)


@given(urls)
def test_canonical_address_is_canonical(url: str) -> None:
    once = canonical_url(url)
    assert canonical_url(once) == once
    assert url_identity(once) == url_identity(url)


@given(
    st.text(alphabet="/a.-_~:%;@A1é&", max_size=12),
    st.sampled_from(["news.example", "www.a.example", "A.example", "a:80"]),
)
def test_an_address_that_is_canonical_as_it_stands_is_what_the_long_way_makes_of_it(
    path: str, host: str
) -> None:
    url = f"http://{host}/{path}"
    assert canonical_url(url) == canonical_url(f"{url}?utm_source=rss")
    assert url_identity(url) == url_identity(f"{url}?utm_source=rss")


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_ascii_text_is_folded_as_any_other_is(text: str) -> None:
    def said(words: str) -> int | None:
        return keys_of(ParsedArticle(title=words, summary="ends")).text

    # A ligature is folded to letters, and takes the way of all that is not ASCII.
    assert said(f"{text} fi") == said(f"{text} ﬁ")


@given(entries)
def test_keys_fit_64_bits_and_depend_on_nothing_else(entry: ParsedArticle) -> None:
    keys = keys_of(entry).present()
    assert keys == keys_of(entry).present()
    assert all(-(2**63) <= key < 2**63 for key in keys)


@given(documents)
def test_what_was_seen_is_known(document: list[ParsedArticle]) -> None:
    identities = identify(document)
    seen = {key for one in identities for key in one.keys.present()}
    for one in identities:
        assert judge(one, seen) is Verdict.KNOWN


@given(documents)
def test_articles_of_one_document_have_ids_of_their_own_unless_they_say_the_same(
    document: list[ParsedArticle],
) -> None:
    by_id: dict[str, set[int | None]] = {}
    for one in identify(document):
        by_id.setdefault(article_id("f", one, canonical_url(one.entry.url)), set()).add(
            one.keys.text
        )
    assert all(len(said) == 1 for said in by_id.values())


@given(documents, documents, st.randoms(use_true_random=False))
def test_every_unknown_entry_is_told_or_counted_and_none_twice(
    backlog: list[ParsedArticle],
    later: list[ParsedArticle],
    random: object,
) -> None:
    known: set[int] = set()
    state = FeedState()
    told: list[str] = []
    reordered = [*later]
    random.shuffle(reordered)  # type: ignore[attr-defined]
    for number, document in enumerate((backlog, later, later, reordered, backlog)):
        parsed = ParsedFeed(articles=tuple(document))
        answer = Document(url="http://news.example/rss", status=200, body=str(number).encode())
        seen = frozenset(known.intersection(document_keys(parsed)))
        decision = decide(feed(), state, answer, parsed, seen, now=NOW, trace_id="t")
        if number == 0:
            assert not decision.articles
        if number >= 2 and document is later:
            assert not decision.articles
            assert not decision.suppressed
        known.update(decision.keys)
        state = decision.state
        told += [f"{article.id} {article.fingerprint}" for article in decision.articles]
    assert len(told) == len(set(told))
