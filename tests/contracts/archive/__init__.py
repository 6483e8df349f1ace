"""The archive, whatever it stands on."""
