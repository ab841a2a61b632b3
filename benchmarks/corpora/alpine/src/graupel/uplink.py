"""Sends batches to the console and spools what could not be sent."""

import json
import time
import urllib.request
from collections import deque

from .config import Settings
from .errors import UplinkError, UplinkExhausted

#: The spool drops its oldest batch when it holds this many.
SPOOL_LIMIT = 960
#: The wait between two tries never grows over this.
BACKOFF_CEILING_S = 80.0
#: Header with the key of the sending gateway.
KEY_HEADER = "X-Firn-Gateway"


def http_send(url, body, timeout):
    """Post ``body``; the console answers 202 when it has taken a batch."""
    request = urllib.request.Request(url, data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            status = answer.status
    except OSError as problem:
        raise UplinkError(str(problem)) from problem
    if status != 202:
        raise UplinkError(f"console answered {status}")


def wait_time(attempt, settings):
    """Doubling wait before a retry, ``attempt`` counted from 0."""
    return min(settings.uplink_backoff_s * 2 ** attempt, BACKOFF_CEILING_S)


class Uplink:
    """Queue of batches on their way to the console."""

    def __init__(self, settings=None, send=http_send, sleep=time.sleep):
        self.settings = settings or Settings()
        self.send = send
        self.sleep = sleep
        self.spool = deque(maxlen=SPOOL_LIMIT)

    def batches(self, rows):
        """Cut rows into pieces of batch_size."""
        size = self.settings.batch_size
        return [rows[i:i + size] for i in range(0, len(rows), size)]

    def push(self, batch):
        """Send one batch, retrying; spool it and raise if nothing helps."""
        body = json.dumps(batch).encode()
        for attempt in range(self.settings.uplink_retries + 1):
            try:
                self.send(
                    self.settings.console_url, body, self.settings.uplink_timeout_s
                )
                return attempt
            except UplinkError:
                if attempt < self.settings.uplink_retries:
                    self.sleep(wait_time(attempt, self.settings))
        self.spool.append(batch)
        raise UplinkExhausted(f"{len(self.spool)} batches in the spool")

    def flush(self):
        """Try the spooled batches again, oldest first; stops at a failure."""
        sent = 0
        while self.spool:
            batch = self.spool.popleft()
            try:
                self.send(
                    self.settings.console_url,
                    json.dumps(batch).encode(),
                    self.settings.uplink_timeout_s,
                )
            except UplinkError:
                self.spool.appendleft(batch)
                break
            sent += 1
        return sent
