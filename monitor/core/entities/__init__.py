"""The gazetteer: people, places and organisations with their names in many languages."""

from monitor.core.entities.forms import forms
from monitor.core.entities.gazetteer import Gazetteer
from monitor.core.entities.record import Case, Entity, EntityType, Name, RecordError, read_entity

__all__ = [
    "Case",
    "Entity",
    "EntityType",
    "Gazetteer",
    "Name",
    "RecordError",
    "forms",
    "read_entity",
]
