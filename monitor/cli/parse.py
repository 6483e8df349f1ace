"""`monitor parse`: what a feed says, as JSON. Needs no store."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import click

from monitor.app import open_fetcher
from monitor.cli.options import config_option, load_settings
from monitor.config.settings import Settings
from monitor.core.feed import Document, ParsedArticle, ParsedFeed
from monitor.core.identity import article_id_of
from monitor.core.model import Feed, FeedState
from monitor.errors import MonitorError
from monitor.feeds.parse import parse_document
