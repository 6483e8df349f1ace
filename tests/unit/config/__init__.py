"""Tests of `monitor.config`."""
