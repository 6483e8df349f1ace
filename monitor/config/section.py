"""What every mapping in a configuration file has in common."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from monitor.config.values import WrongValueError


class Section(BaseModel):
    """A mapping in a file: every key known, every value of exactly its type.

    `SECRETS` names the settings that come from `NAME_file` or `NAME_env`, and says which of them must be there.
    `ELSEWHERE` says what to write instead of keys that other programs have here.
    """

    SECRETS: ClassVar[Mapping[str, Literal["required", "optional"]]] = {}
    ELSEWHERE: ClassVar[Mapping[str, str]] = {}

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        defer_build=True,  # a mapping inside another is built with that one
    )

    @model_validator(mode="after")
    def _one_source_for_each_secret(self) -> "Section":
        for name, need in self.SECRETS.items():
            sources = [key for key in (f"{name}_file", f"{name}_env") if getattr(self, key)]
            if len(sources) > 1:
                raise WrongValueError(
                    f"both {name}_file and {name}_env are given", "keep one", sources[1]
                )
            if not sources and need == "required":
                raise WrongValueError(f"missing key '{name}_file' or '{name}_env'")
        return self
