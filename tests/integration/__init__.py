"""One adapter with its real counterpart."""
