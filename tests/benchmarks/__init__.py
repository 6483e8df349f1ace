"""Figures; nothing here fails."""
