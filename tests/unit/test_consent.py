from datetime import timedelta

import pytest
from multidict import CIMultiDict

from monitor.core.consent import Consent, consent_in, request_headers
from tests.factories import NOW

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("gap", "rate"), [(None, None), (SECOND, "60"), (SECOND / 10, "600"), (3600 * SECOND, "1")]
)
def test_what_is_asked_for_is_an_origin_and_a_rate_a_minute(
    gap: timedelta | None, rate: str | None
) -> None:
    asked = request_headers("monitor.example", gap)
    assert asked.get("webhook-request-rate") == rate
    assert asked["webhook-request-origin"] == "monitor.example"


@pytest.mark.parametrize("allowed", ["*", "monitor.example", " Monitor.Example "])
def test_who_allows_the_origin_or_all_agrees(allowed: str) -> None:
    headers = CIMultiDict({"webhook-allowed-origin": allowed})
    assert consent_in(headers, "monitor.example", NOW) == Consent(given_at=NOW)


@pytest.mark.parametrize("allowed", ["", "example", "another.example", "**"])
def test_who_allows_another_or_says_nothing_does_not_agree(allowed: str) -> None:
    assert consent_in({"WebHook-Allowed-Origin": allowed}, "monitor.example", NOW) is None


@pytest.mark.parametrize(
    ("rate", "gap"),
    [
        ("60", SECOND),
        ("7", timedelta(milliseconds=8572)),
        ("1", 60 * SECOND),
        *((text, timedelta()) for text in ("*", "", "0", "-5", "1.5", "soon", "9" * 400, "\u0664")),
    ],
)
def test_rate_is_the_time_between_two_and_never_shorter(rate: str, gap: timedelta) -> None:
    headers = {"WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": rate}
    consent = consent_in(headers, "monitor.example", NOW)
    assert consent is not None
    assert consent.gap == gap
