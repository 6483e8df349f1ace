"""The targets of a subscriber, made of its settings with their secrets and templates."""

from collections.abc import Iterator
from pathlib import Path

from monitor.config import records
from monitor.config.files import Item
from monitor.config.secrets import SecretSource
from monitor.config.subscriberschema import SubscriberSettings
from monitor.config.templates import with_template
from monitor.config.values import WrongValueError
from monitor.core.targets import Target
from monitor.errors import Problem


def targets_of(
    subscriber: Item[SubscriberSettings],
    secrets: SecretSource,
    directory: Path,
    problems: list[Problem],
) -> Iterator[Target]:
    """Yield the targets that are switched on; the secrets of the others need not exist.

    Add what is wrong to `problems`. Files of templates are relative to `directory`.
    """
    document = subscriber.document
    for number, settings in enumerate(subscriber.settings.targets):
        if settings.enabled and subscriber.settings.enabled:
            node = subscriber.node.find(("targets", number))
            try:
                target = records.target(subscriber.settings, settings, secrets)
                yield with_template(target, Item(settings, node, document), directory, problems)
            except WrongValueError as error:
                item = Item(settings, node.owner(error.key), document)
                problems.append(item.problem((error.key,), error.message, error.hint))
