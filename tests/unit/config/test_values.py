from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import values
from monitor.config.values import WrongValueError
from monitor.core.wording import format_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("0s", timedelta()),
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("24h", timedelta(days=1)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_duration_is_read(text: Any, expected: Any) -> None:
    assert values.duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "5M", "1.5h", "-5m", "5m!", "\u0665m", 5, None, True, [], {}]
)
def test_what_is_no_duration_is_refused(text: Any) -> None:
    with pytest.raises(WrongValueError):
        values.duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10/s", timedelta(milliseconds=100)),
        ("1000/s", timedelta(milliseconds=1)),
        ("300/s", timedelta(milliseconds=4)),
        ("30/m", timedelta(seconds=2)),
        ("1/h", timedelta(hours=1)),
    ],
)
def test_rate_is_read_as_the_time_between_two_which_is_never_shorter(
    text: Any, expected: Any
) -> None:
    assert values.rate(text) == expected


@pytest.mark.parametrize("text", ["", "10", "0/s", "1001/s", "10/d", "1.5/s", "10 / s", 10, None])
def test_what_is_no_rate_is_refused(text: Any) -> None:
    with pytest.raises(WrongValueError, match="a rate such as 10/s or 30/m"):
        values.rate(text)


def test_duration_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(WrongValueError):
        values.duration("999999w" * 300)


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=9999)))
def test_duration_comes_back_from_its_text(duration: timedelta) -> None:
    duration -= timedelta(microseconds=duration.microseconds % 1000)
    assert values.duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "expected"), [("0B", 0), ("512KiB", 2**19), ("15MiB", 15 * 2**20), ("2TiB", 2**41)]
)
def test_size_is_read(text: Any, expected: Any) -> None:
    assert values.size(text) == expected


@pytest.mark.parametrize(
    "text", ["", "5", "MiB", "5 MiB", "5MB", "5mib", "1.5GiB", "-5B", 5, True, None]
)
def test_what_is_no_size_is_refused(text: Any) -> None:
    with pytest.raises(WrongValueError):
        values.size(text)


@given(st.integers(1, 2**43))
def test_size_comes_back_from_its_text(size: int) -> None:
    size -= size % 2**24
    assert values.size(values.format_size(size)) == size


@pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "9999-12-31", "9999-12-31T23:59-14:00"])
def test_expiry_at_the_end_of_time_is_refused(text: Any) -> None:
    with pytest.raises(WrongValueError):
        values.expiry(text)


@pytest.mark.parametrize("value", [None, 20261231, "soon", "2026-12-31T18:00", "18:00Z"])
def test_what_is_no_expiry_is_refused(value: Any) -> None:
    with pytest.raises(WrongValueError):
        values.expiry(value)


@pytest.mark.parametrize("text", ["a", "bbc-world", "un.news_2", "7"])
def test_id_is_read(text: Any) -> None:
    assert values.identifier(text) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("BBC World", "did you mean 'bbc-world'?"),
        ("-a-", "did you mean 'a'?"),
        ("Мир", ""),
        ("a/b", "did you mean 'a-b'?"),
        (5, ""),
        (None, ""),
        ("a" * 101, f"did you mean '{'a' * 100}'?"),
    ],
)
def test_what_is_no_id_is_refused_with_what_could_be_one(text: Any, hint: str) -> None:
    with pytest.raises(WrongValueError) as caught:
        values.identifier(text)
    assert caught.value.hint == hint
    if hint:
        values.identifier(hint.split("'")[1])


@pytest.mark.parametrize(
    "url",
    ["http://a", "https://a.example:8443/x?y=1#z", "http://[::1]:80/", "https://пример.example/"],
)
def test_address_is_read(url: str) -> None:
    assert values.address("http", "https")(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "a.example",
            "//a.example",
            "http:",
            "http://",
            "http:///x",
            "http://:80",
            "file:///etc",
        ),
        *("http://a b", "http://a\n", "http://a:x", "http://a:99999", "http://[::1", "HTTPX://a"),
        *("http://u@a", "http://u:p@a", "http://@a", "javascript:alert(1)"),
    ],
)
def test_what_is_no_address_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(WrongValueError) as caught:
        values.address("http", "https")(url)
    assert "p@a" not in str(caught.value)


@pytest.mark.parametrize("value", ["10.0.0.0/8", "::1", "fd00::/8"])
def test_network_is_read(value: Any) -> None:
    assert str(values.network(value)).startswith(value)


@pytest.mark.parametrize("value", ["", "10.0.0.1/8", "10.0.0/33", "localhost", 10, None])
def test_what_is_no_network_is_refused(value: Any) -> None:
    with pytest.raises(WrongValueError):
        values.network(value)


@pytest.mark.parametrize("value", ["x" * 200, None, True, False, 3, [1], {"a": 1}])
def test_value_in_a_message_is_short(value: Any) -> None:
    assert len(values.shown(value)) < 60


def test_nearest_name_is_a_hint() -> None:
    assert values.nearest("Evry", ["every", "url"]) == "did you mean 'every'?"
    assert values.nearest("xyz", ["every", "url"]) == ""
    assert values.nearest("x" * 10_000, ["every"]) == ""


@pytest.mark.parametrize(
    "name", ["Host", "User-Agent", "webhook-id", "Cookie", "X-Auth-Token", "a b", "ü"]
)
def test_header_that_is_not_for_operators_is_refused(name: str) -> None:
    with pytest.raises(WrongValueError):
        values.header_name(name)
