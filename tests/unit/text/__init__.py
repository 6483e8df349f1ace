"""Tests of the text model."""
