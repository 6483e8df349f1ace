"""How routes, and what becomes of a match on them, are shown."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.table import Table

from monitor.cli.trees import Branch
from monitor.core.holding import Hold
from monitor.core.matchers import Subject
from monitor.core.model import Match, MatchedArticle
from monitor.core.pace import Pace
from monitor.core.render.clean import line
from monitor.core.routing import Path, Route, Visit, walk
from monitor.core.telling import Answer, Desk, Held, RoutingTable, Suppressed, messages
from monitor.core.wording import format_duration

_TITLE = 100


def tree_of_routes(node: Route, above: str = "") -> Branch:
    """Return the tree as it is configured."""
    subscriber = node.subscriber or above
    to = f" -> {subscriber}" if subscriber else " -> nobody"
    onward = ", goes on" if node.continue_ else ""
    branch = Branch(f"{_asks(node)}{to}{onward}{_options(node)}")
    branch.children.extend(tree_of_routes(child, subscriber) for child in node.routes)
    return branch


def _asks(node: Route) -> str:
    asked = str(node.matchers)
    if node.name and asked:
        return f"{node.name} [{asked}]"
    return node.title


def _options(node: Route) -> str:
    said = []
    if node.group_by is not None:
        said.append(f"group_by {', '.join(node.group_by) or 'nothing'}")
    if node.group_wait is not None:
        said.append(f"group_wait {format_duration(node.group_wait)}")
    if node.group_interval is not None:
        said.append(f"group_interval {format_duration(node.group_interval)}")
    if node.schedule:
        said.append(str(node.schedule))
    if node.break_through:
        said.append(f"break_through {node.break_through}")
    if node.muted:
        said.append(f"muted in {', '.join(each.name for each in node.muted)}")
    if node.active:
        said.append(f"active in {', '.join(each.name for each in node.active)}")
    return f" ({'; '.join(said)})" if said else ""


def desk_table(desks: Mapping[str, Desk]) -> Table:
    """Return the subscribers with the pace of each target."""
    table = Table(box=None)
    for name in ("target", "schedule", "quiet hours", "time zone", "breaks through", "an hour"):
        table.add_column(name, no_wrap=True)
    for name, desk in desks.items():
        for target_id, pace in desk.paces.items():
            table.add_row(
                target_id,
                str(pace.schedule),
                ", ".join(map(str, pace.quiet)) or "none",
                pace.zone_name,
                pace.break_through or "nothing",
                str(pace.budget or "any number"),
            )
        if not desk.paces:
            table.add_row(name, "switched off", "", "", "", "")
    return table


def told_by(given: Sequence[Answer]) -> frozenset[str]:
    """Return the subscribers that are told, at once or later."""
    return frozenset(each.subscriber for each in messages(given))


def trial_trees(
    table: RoutingTable, matched: MatchedArticle, given: Sequence[Answer], now: datetime
) -> Iterator[Branch]:
    """Yield a tree for each match, with what each node says to it, then what each target gets."""
    for match in matched.matches:
        subject = Subject(matched.article, match)
        branches: dict[tuple[int, ...], Branch] = {}
        root = Branch(_about(matched, match), "bold")
        for visit in walk(table.tree, subject):
            branch = _node(visit)
            way = _ids(visit.path)
            branches[way] = branch
            above = branches.get(way[:-1], root)
            above.children.append(branch)
            branch.children.extend(
                _answer(table, each, now)
                for each in given
                if each.match is match and _ids(each.path) == way
            )
        yield root
    if len(matched.matches) > 1:
        yield _together(table, given, now)


def _ids(path: Path) -> tuple[int, ...]:
    """Tell nodes apart that say the same."""
    return tuple(map(id, path))


def _about(matched: MatchedArticle, match: Match) -> str:
    article = matched.article
    said = [f"rule {match.rule_id or 'of no name'}", match.severity.value]
    said += [f"{name}={value}" for name, value in match.labels.items()]
    said += [f"lang {article.lang}"] if article.lang else []
    said += [f"feed {article.feed_id}"] if article.feed_id else []
    title = f": {line(article.title, _TITLE)}" if article.title else ""
    return ", ".join(said) + title


def _node(visit: Visit) -> Branch:
    node = visit.node
    if visit.failed:
        return Branch(f"no  {node.title}: {'; '.join(visit.failed)}", "red")
    if visit.behind is not None:
        return Branch(f"-   {node.title}: not asked, {visit.behind.title!r} took it", "dim")
    end = f" -> {visit.subscriber or 'nobody'}" if visit.took else ""
    onward = ", goes on" if node.continue_ else ""
    return Branch(f"yes {node.title}{end}{onward}", "green")


def _answer(table: RoutingTable, answer: Answer, now: datetime) -> Branch:
    who = answer.target_id or answer.subscriber or "nobody"
    if isinstance(answer.decision, Suppressed):
        return Branch(f"{who}: not told, {answer.decision.reason}: {answer.decision.detail}", "red")
    if isinstance(answer.decision, Held):
        return Branch(f"{who}: {_when(table, answer, answer.decision.hold, now)}", "yellow")
    because = f", {answer.decision.because}" if answer.decision.because else ""
    return Branch(f"{who}: at once{because}", "green")


def _when(table: RoutingTable, answer: Answer, hold: Hold, now: datetime) -> str:
    pace = table.desks[answer.subscriber].paces[answer.target_id]
    until = "at once" if hold.until <= now else local(hold.until, pace)
    if hold.free:
        return f"at once, if not more than {hold.free} this hour; else {until}"
    interval = f", then every {format_duration(hold.interval)}" if hold.interval else ""
    rest = hold.surplus
    most = f", at most {rest.free} this hour" if rest else ""
    return f"{until}{interval}{most} ({hold.reason}: {hold.detail})"


def _together(table: RoutingTable, given: Sequence[Answer], now: datetime) -> Branch:
    root = Branch("in one message for each target", "bold")
    for message in messages(given):
        rules = ", ".join(match.rule_id for match in message.matches)
        pace, hold, at = table.desks[message.subscriber].paces[message.target_id], message.hold, ""
        if hold and hold.until > now:
            at = f"{'at once or ' if hold.free else ''}{local(hold.until, pace)}"
        root.children.append(Branch(f"{message.target_id}: {rules}: {at or 'at once'}"))
    return root


def local(instant: datetime, pace: Pace) -> str:
    """Write an instant as clocks of a target show it."""
    return f"{instant.astimezone(pace.zone):%a %d %b %H:%M %Z}"
