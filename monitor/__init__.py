"""A self-hosted news monitor: feeds in, alerts out, nothing lost."""

__version__ = "0.1.0"

__all__ = ["__version__"]
