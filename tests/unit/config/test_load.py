from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from monitor.config.explain import explain
from monitor.config.files import MAX_FILES, read
from monitor.config.load import load
from monitor.config.settings import Settings
from monitor.core.matchers import Matchers
from monitor.core.model import Severity
from monitor.core.routing import Route
from monitor.core.secret import Secret
from monitor.core.targets import (
    ConsoleTarget,
    EmailTarget,
    SlackTarget,
    SmtpRelay,
    Subscriber,
    WebhookTarget,
)
from monitor.errors import ConfigError
from tests.factories import NOW, article
from tests.unit.config.conftest import Write

KEY = "whsec_" + "c2VjcmV0" * 4
OLD_KEY = "whsec_" + "b2xkLW9sZC1v" * 3


def problems(directory: Path, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(directory, environ or {})
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [("{id: a}", "missing key 'query'"), ("{id: a, query: [x]}", "expected")],
    ids=["absent", "a-list"],
)
def test_rule_whose_query_is_no_text_is_refused_and_others_are_checked_all_the_same(
    write: Write, rule: str, problem: str
) -> None:
    [first, second] = problems(write(rules=f"rules: [{rule}, {{id: b, query: (x}}]"))
    assert problem in first
    assert "(" in second


def test_route_that_names_a_number_is_told_so_once(write: Write) -> None:
    """It is not also an unknown rule."""
    [problem] = problems(write(subscribers="route: {routes: [{match: {rule: [5]}}]}"))
    assert "5" in problem
    assert "unknown" not in problem


def test_empty_directory_is_all_defaults(write: Write) -> None:
    settings, defaults = load(write(), {}), Settings()
    for name in ("store", "listen", "log", "poll", "deliver", "retention", "network", "route"):
        assert getattr(settings, name) == getattr(defaults, name)
    assert settings.store.directory == Path("data")
    assert settings.store.max_memory == 512 * 1024 * 1024
    assert settings.deliver.lease == timedelta(seconds=30)
    assert (settings.feeds, settings.rules, settings.targets, settings.secrets) == ((), (), (), ())


def test_sections_with_everything_commented_out_are_all_defaults(write: Write) -> None:
    assert load(write(monitor="store:\npoll:\n", feeds="feeds:\n"), {}).feeds == ()


def test_process_settings_are_read(write: Write) -> None:
    settings = load(
        write(
            monitor="""
store: {directory: /var/lib/monitor, max_memory: 2GiB, partitions: 4}
log: {level: debug, format: json}
poll: {timeout: 1m30s, max_bytes: 1MiB}
network: {allow: [10.0.0.0/8, "fd00::/8", 127.0.0.1]}
"""
        ),
        {},
    )
    assert settings.store.max_memory == 2**31
    assert settings.store.partitions == 4
    assert settings.log.level == "debug"
    assert settings.poll.timeout == timedelta(seconds=90)
    networks = tuple(map(ip_network, ("10.0.0.0/8", "fd00::/8", "127.0.0.1/32")))
    assert settings.network.allow == networks


def test_feed_has_its_fields_and_defaults(write: Write) -> None:
    settings = load(
        write(
            feeds="""
feeds:
  - id: bbc-world
    name: BBC World
    url: https://news.example/rss
    every: 5m
    since: 7d
    lang: EN
    country: NO
    category: World News
    labels: {tier: one}
  - {id: dw, url: http://dw.example/rss}
  - {id: off, url: http://off.example/rss, enabled: false}
"""
        ),
        {},
    )
    bbc, dw = settings.feeds
    assert bbc.every == timedelta(minutes=5)
    assert bbc.since == timedelta(days=7)
    assert (bbc.lang, bbc.country, bbc.category) == ("en", "no", "world news")
    assert bbc.labels == {"tier": "one"}
    assert (dw.name, dw.every, dw.since) == ("dw", None, None)


def test_files_in_folders_are_read_in_the_order_of_their_names(write: Write) -> None:
    feed = "feeds:\n  - {{id: {0}, url: http://{0}.example/}}\n"
    settings = load(
        write(
            {"feeds/b.yaml": feed.format("three"), "feeds/a.yaml": feed.format("two")},
            feeds=feed.format("one"),
        ),
        {},
    )
    assert [feed.id for feed in settings.feeds] == ["one", "two", "three"]


def test_hidden_files_and_others_are_left_alone(write: Write) -> None:
    directory = write(
        {".feeds.yaml": "[", "feeds.yaml~": "[", "README.md": "[", "schema/x.json": "["}
    )
    assert load(directory, {}).feeds == ()


def test_rule_has_its_fields_and_its_rules_match(write: Write) -> None:
    settings = load(
        write(
            rules="""
rules:
  - id: towns
    name: Towns
    owner: desk
    severity: critical
    labels: {region: me}
    expires: 2026-12-31
    query: list:@towns AND entity:lavrov
  - {id: again, query: '@towns', expires: 2026-12-31T18:00+02:00}
lists:
  towns: [Homs, "=Hama"]
""",
            entities="entities:\n  - {id: lavrov, type: person, names: {ru: [Лавров]}}\n",
        ),
        {},
    )
    towns, again = settings.rules
    assert (towns.name, towns.owner, towns.severity) == ("Towns", "desk", Severity.CRITICAL)
    assert towns.labels == {"region": "me"}
    assert towns.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert again.expires_at == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert again.name == "again"
    found = settings.rule_set.match(article(title="Лавров: Hama"), NOW)
    assert [(each.rule_id, each.severity) for each in found] == [
        ("again", Severity.INFO),
        ("towns", Severity.CRITICAL),
    ]


def test_example_can_meet_the_conditions_of_a_query(write: Write) -> None:
    text = """
rules:
  - id: a
    query: Syria AND feed:bbc AND lang:en AND country:gb AND category:world
    examples:
      match: [{title: Syria, feed: bbc, lang: en, country: gb, category: World}]
      no_match: [Syria]
"""
    assert len(load(write(rules=text), {}).rule_set) == 1


def test_version_changes_with_the_query_alone(write: Write) -> None:
    rules = "rules:\n  - {{id: a, query: {}, name: {}}}\n"

    def version(query: str, name: str) -> str:
        return load(write(rules=rules.format(query, name)), {}).rules[0].version

    assert version("Syria", "one") == version("Syria", "two")
    assert version("Syria", "one") != version("Russia", "one")


def test_route_tree_is_read(write: Write) -> None:
    settings = load(
        write(
            feeds="feeds: [{id: bbc, url: http://bbc.example/}]",
            rules="rules: [{id: syria, query: Syria}]",
            subscribers="""
subscribers:
  - name: desk
  - name: press
route:
  subscriber: desk
  routes:
    - name: urgent
      match: {rule: syria, severity: warning, labels: {region: [me, world], desk: a}, feed: [bbc]}
      continue: true
      subscriber: press
    - match: {lang: [EN, de], category: Politics, country: GB}
""",
        ),
        {},
    )
    urgent, local = settings.route.routes
    assert urgent == Route(
        name="urgent",
        subscriber="press",
        continue_=True,
        matchers=Matchers(
            rule=frozenset({"syria"}),
            severity=Severity.WARNING,
            labels={"region": frozenset({"me", "world"}), "desk": frozenset({"a"})},
            feed=frozenset({"bbc"}),
        ),
    )
    assert local.subscriber is None
    assert local.matchers == Matchers(
        lang=frozenset({"en", "de"}), category=frozenset({"politics"}), country=frozenset({"gb"})
    )


def test_targets_have_their_ids_and_secrets(write: Write) -> None:
    settings = load(
        write(
            {"secrets/slack": "https://hooks.example/T/B\n"},
            subscribers="""
subscribers:
  - name: desk
    targets:
      - console: {}
      - slack: {webhook_url_file: secrets/slack}
      - name: chief
        email:
          to: chief@example.org
          from: monitor@example.org
          smtp: {host: mail.example.org, username: me, password_env: SMTP_PASSWORD, tls: implicit}
      - name: unsigned
        webhook: {url: https://receiver.example/open}
      - webhook:
          url: https://receiver.example/hook
          secret_env: NEW
          previous_secret_env: OLD
          authorization_env: TOKEN
          headers: {X-Desk: one}
route: {subscriber: desk}
""",
        ),
        {"SMTP_PASSWORD": "pw", "NEW": KEY, "OLD": OLD_KEY, "TOKEN": "Bearer t0ken"},
    )
    assert settings.targets == (
        ConsoleTarget(id="desk/console", subscriber="desk"),
        SlackTarget(
            id="desk/slack", subscriber="desk", webhook_url=Secret("https://hooks.example/T/B")
        ),
        EmailTarget(
            id="desk/chief",
            subscriber="desk",
            to="chief@example.org",
            sender="monitor@example.org",
            smtp=SmtpRelay(
                host="mail.example.org",
                port=465,
                security="implicit",
                username="me",
                password=Secret("pw"),
            ),
        ),
        WebhookTarget(id="desk/unsigned", subscriber="desk", url="https://receiver.example/open"),
        WebhookTarget(
            id="desk/webhook",
            subscriber="desk",
            url="https://receiver.example/hook",
            secrets=(Secret(KEY), Secret(OLD_KEY)),
            headers={"x-desk": "one", "authorization": "Bearer t0ken"},
        ),
    )
    revealed = [secret.reveal() for secret in settings.secrets]
    assert revealed == ["https://hooks.example/T/B", "pw", KEY, OLD_KEY, "Bearer t0ken"]
    assert not any(secret in repr(settings) for secret in revealed)


@pytest.mark.parametrize(("tls", "port"), [("none", 25), ("starttls", 587), ("implicit", 465)])
def test_mail_port_follows_from_tls(write: Write, tls: str, port: int) -> None:
    smtp = f"{{host: m.example, tls: {tls}}}"
    email = f"{{email: {{to: a@x.example, from: b@x.example, smtp: {smtp}}}}}"
    text = f"subscribers: [{{name: desk, targets: [{email}]}}]\nroute: {{subscriber: desk}}\n"
    [target] = load(write(subscribers=text), {}).targets
    assert isinstance(target, EmailTarget)
    assert (target.smtp.port, target.smtp.password) == (port, None)


def test_secrets_of_what_is_switched_off_need_not_exist(write: Write) -> None:
    settings = load(
        write(
            subscribers="""
subscribers:
  - name: off
    enabled: false
    targets:
      - slack: {webhook_url_file: nowhere}
  - name: half
    targets:
      - slack: {webhook_url_env: NOWHERE}
        enabled: false
      - console: {}
route: {subscriber: off}
"""
        ),
        {},
    )
    assert settings.subscribers == (
        Subscriber(name="off"),
        Subscriber(name="half", targets=(ConsoleTarget(id="half/console", subscriber="half"),)),
    )


def test_what_is_switched_off_is_checked_all_the_same(write: Write) -> None:
    text = "subscribers: [{name: off, enabled: false, targets: [{slak: {}}]}]\nroute: {}\n"
    assert "unknown key 'slak'" in problems(write(subscribers=text))


def test_broken_feed_is_known_to_routes_all_the_same(write: Write) -> None:
    found = problems(
        write(
            feeds="feeds: [{id: bbc, evry: 5m}]",
            subscribers="route: {routes: [{match: {feed: [bbc, dw]}}]}",
        )
    )
    assert found == ["missing key 'url'", "unknown key 'evry'", "unknown feed 'dw'"]


def test_problems_of_all_files_come_in_order_at_once(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            write(
                {"feeds/a.yaml": "feeds: {"},
                monitor="poll: {timeout: 1}",
                feeds="x: 1\nfeeds: 5\n",
                rules="rules: [{id: a, query: (x}]",
                entities="entities: [{id: 1}]",
            ),
            {"PORT": "http"},
        )
    places = [(problem.file, problem.line) for problem in caught.value.problems]
    assert places == sorted(places)
    assert {Path(file).name for file, _ in places} == {
        *("a.yaml", "monitor.yaml", "feeds.yaml", "rules.yaml", "entities.yaml", "environment")
    }


def test_broken_entity_is_known_to_queries_all_the_same(write: Write) -> None:
    found = problems(
        write(
            entities="""
entities:
  - {id: lavrov, type: person, label: Sergei Lavrov, qid: Q58217, names: {en: ["!"]}}
""",
            rules="rules: [{id: a, query: entity:lavrov AND entity:Q58217}]",
        )
    )
    assert found == ["entity 'lavrov': names.en: '!' has no letter and no digit"]


def test_absent_directory_is_a_problem_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "nowhere", {})
    said = explain(caught.value)
    assert said.endswith(
        "there is no such directory (name the configuration directory with --config or MONITOR_CONFIG)"
    )


def test_file_instead_of_a_directory_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    assert problems(tmp_path / "config") == ["this is not a directory"]


def test_unreadable_file_is_a_problem(write: Write) -> None:
    directory = write()
    (directory / "feeds.yaml").symlink_to(directory / "feeds.yaml")
    assert load(directory, {}).feeds == ()  # a link that leads nowhere is no file
    (directory / "rules").mkdir()
    (directory / "rules.yaml").mkdir()
    assert load(directory, {}).rules == ()


def test_number_of_files_is_bounded(write: Write) -> None:
    many = {f"feeds/{number}.yaml": "feeds: []" for number in range(MAX_FILES + 1)}
    assert problems(write(many)) == [f"there are {MAX_FILES + 1} files; the limit is {MAX_FILES}"]


def test_file_that_goes_away_is_a_problem(tmp_path: Path) -> None:
    [problem] = read(tmp_path / "gone.yaml").problems
    assert problem.message == "cannot be read: No such file or directory"


def test_shipped_configuration_loads() -> None:
    settings = load(Path(__file__).parents[3] / "config", {})
    assert len(settings.feeds) >= 20
    assert len({feed.lang for feed in settings.feeds}) >= 6
    assert {rule.id for rule in settings.rules} == {"syria", "lavrov", "un-resolution"}
    assert [target.id for target in settings.targets] == ["newsroom/console"]
