"""Ways to reach a subscriber: Slack, mail, webhooks, the terminal."""

from monitor.channels.build import LONGEST_ATTEMPT, ChannelBuilder

__all__ = ["LONGEST_ATTEMPT", "ChannelBuilder"]
