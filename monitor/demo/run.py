"""Performs the demo: newsroom and receivers on loopback, and between them the pipeline as `monitor run` runs it."""

import asyncio
import base64
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from monitor.app import Outside, Program, open_outside, open_store_parts
from monitor.config.load import load
from monitor.config.settings import Settings
from monitor.core.targets import ConsoleTarget, Target
from monitor.demo.cast import ANALYST, CRISIS_DESK, PRESS_OFFICE, SCREEN, SUBSCRIBERS
