"""Print each match once: python consume_matches.py URL-OF-THE-STORE CONSUMER-NAME."""

import json
import sys

from redis import Redis
from redis.exceptions import ResponseError

STREAM, GROUP = "monitor:matches", "example"
url, consumer = sys.argv[1:]
server = Redis.from_url(url, protocol=2, decode_responses=True, socket_timeout=None)
try:
    server.xgroup_create(
        STREAM, GROUP, id="0", mkstream=True
    )  # 0: what is kept; $: only what comes
except ResponseError as error:
    if "BUSYGROUP" not in str(error):
        raise
start = "0"  # first what this consumer held when it last stopped
while True:
    reply = server.xreadgroup(GROUP, consumer, {STREAM: start}, count=100, block=5000)
    entries = reply[0][1] if reply else []
    for entry_id, entry in entries:
        if entry["v"] == "1":
            article = json.loads(entry["data"])["article"]
            print(entry["rule"], entry["severity"], article["title"], entry["url"], flush=True)
        server.xack(STREAM, GROUP, entry_id)
    if not entries:
        start = ">"  # then what nobody in the group has had
