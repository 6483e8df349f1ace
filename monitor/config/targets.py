"""The targets of a subscriber, made of its settings with their secrets and templates."""

from collections.abc import Iterator
from pathlib import Path

from monitor.config import records
from monitor.config.files import Item
from monitor.config.secrets import SecretSource
from monitor.config.subscriberschema import SubscriberSettings
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
                if settings.template is not None:
                    # Most have none, and Jinja takes a tenth of the start of a command.
                    from monitor.config.templates import with_template  # noqa: PLC0415

                    item = Item(settings, node, document)
                    target = with_template(target, settings.template, item, directory, problems)
                yield target
            except WrongValueError as error:
                item = Item(settings, node.owner(error.key), document)
                problems.append(item.problem((error.key,), error.message, error.hint))
