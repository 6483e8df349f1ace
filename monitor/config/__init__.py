"""Configuration: files and environment in, settings or every problem at once out."""
