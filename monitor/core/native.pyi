# What `native/` is compiled to: see `monitor.core.text.scanner` and `monitor.core.engine.native`.

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias, final

Pieces: TypeAlias = tuple[
    tuple[tuple[str, str, int, int], ...], tuple[tuple[str, str, int, int], ...]
]
Described: TypeAlias = tuple[int, int, object, object, tuple[Any, ...], str | None]

@final
class Scanner:
    def __init__(
        self, classify: Callable[[int], bytes], resolve: Callable[[str], Pieces]
    ) -> None: ...
    def scan(self, text: str, origins: list[int] | None, /) -> Scanned: ...

@final
class Scanned:
    def words(self) -> list[str]: ...
    def places(self) -> tuple[list[int], list[int]]: ...
    def others(self) -> list[tuple[str, int, int, str]]: ...

@final
class Engine:
    def __init__(
        self,
        span: type,
        match: type,
        asked: Callable[[Any], object],
        forgotten: Callable[[Any], object],
    ) -> None: ...
    def add(
        self,
        rule: object,
        version: str,
        described: Described,
        plan: Callable[[], tuple[Any, Any]],
        /,
    ) -> None: ...
    def remove(self, rule: object, /) -> Any: ...
    def match(
        self,
        article_id: str,
        fields: tuple[tuple[str, str, Scanned], ...],
        extras: tuple[object, ...],
        now: datetime,
        check: Callable[[], object],
        /,
    ) -> tuple[list[Any], list[tuple[Any, list[tuple[Any, str]]]]]: ...
    def __len__(self) -> int: ...
