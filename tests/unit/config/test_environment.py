from pathlib import Path
from typing import Any

import pytest

from monitor.config.load import load
from monitor.errors import ConfigError
from tests.unit.config.conftest import Write


def test_environment_wins_over_the_files(write: Write) -> None:
    text = """
store: {url: redis://file.example, directory: here}
listen: {host: 10.0.0.1, port: 1}
"""
    settings = load(
        write(monitor=text),
        {
            "REDIS_URL": "redis://:pw@env.example/2",
            "MONITOR_DATA": "/elsewhere",
            "PORT": "5000",
        },
    )
    assert settings.store.url
    assert settings.store.url.reveal() == "redis://:pw@env.example/2"
    assert "pw" not in repr(settings.store)
    assert settings.store.directory == Path("/elsewhere")
    assert (settings.listen.host, settings.listen.port) == ("10.0.0.1", 5000)


def test_empty_variables_count_as_absent(write: Write) -> None:
    text = "store: {url: redis://file.example, directory: here}\nlisten: {port: 1}\n"
    empty = dict.fromkeys(("REDIS_URL", "MONITOR_DATA", "LISTEN", "PORT"), "")
    settings = load(write(monitor=text), empty)
    assert settings.store.url
    assert settings.store.url.reveal() == "redis://file.example"
    assert settings.store.directory == Path("here")
    assert settings.listen.port == 1


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("[::1]:8080", "::1", 8080),
        ("localhost:0", "localhost", 0),
    ],
)
def test_listen_wins_over_port(write: Write, listen: str, host: str, port: int) -> None:
    settings = load(write(), {"LISTEN": listen, "PORT": "5000"})
    assert (settings.listen.host, settings.listen.port) == (host, port)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "٣"),
        ("LISTEN", "8080"),
        ("LISTEN", "host:"),
        ("LISTEN", ":80"),
        ("REDIS_URL", "http://hunter2.example"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "redis://h:port"),
    ],
)
def test_variable_that_cannot_be_used_is_named_and_not_quoted(
    write: Write, name: str, value: Any
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(), {name: value})
    [problem] = caught.value.problems
    assert problem.file == "environment"
    assert problem.message.startswith(f"{name}: expected ")
    assert "hunter2" not in problem.message


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "rediss://user:p%40ss@h:6380/3",
        "unix:///run/valkey.sock?db=1",
        "unix://:pw@/run/valkey.sock",
        "redis+cluster://a:7000",
    ],
)
def test_addresses_of_a_store(write: Write, url: str) -> None:
    store = load(write(), {"REDIS_URL": url}).store
    assert store.url
    assert store.url.reveal() == url


def test_address_of_the_store_comes_from_a_file(write: Write) -> None:
    directory = write({"store-url": "redis://:pw@h\n"}, monitor="store: {url_file: store-url}")
    settings = load(directory, {})
    assert settings.store.url
    assert settings.store.url.reveal() == "redis://:pw@h"
    assert [secret.reveal() for secret in settings.secrets] == ["redis://:pw@h"]


def test_file_with_the_address_is_not_read_when_the_environment_has_it(write: Write) -> None:
    settings = load(write(monitor="store: {url_file: nowhere}"), {"REDIS_URL": "redis://h"})
    assert settings.store.url


def test_the_address_of_the_archive_may_come_from_a_file_with_its_password(write: Write) -> None:
    url = "postgresql://monitor:hunter2@db.example/news?sslmode=require"
    settings = load(
        write({"archive-url": f"{url}\n"}, monitor="archive: {url_file: archive-url}"), {}
    )
    assert settings.archive.url
    assert settings.archive.url.reveal() == url
    assert settings.archive.url in settings.secrets
    plain = load(write(monitor="archive: {url: 'postgresql:///news?host=/run/postgresql'}"), {})
    assert plain.archive.url


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mysql://db/news", "begins with postgresql://"),
        ("postgresql://db/news?hunter2=1", "PostgreSQL cannot read this address"),
    ],
)
def test_an_address_of_the_archive_that_cannot_be_used_is_refused_at_its_file(
    write: Write, text: str, why: str
) -> None:
    directory = write({"archive-url": text}, monitor="archive: {url_file: archive-url}")
    with pytest.raises(ConfigError) as caught:
        load(directory, {})
    [problem] = caught.value.problems
    assert why in problem.message
    assert "hunter2" not in problem.message
    assert (problem.line, problem.column) == (1, 21)
