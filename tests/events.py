"""Event files as TensorBoard reads them."""

import struct
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event, SessionLog


def read_events(folder: Path) -> dict[int, dict[str, float]]:
    """Step -> metric -> value, of all files of a folder in order; what a later file takes back is gone."""
    found: dict[int, dict[str, float]] = {}
    for file in sorted(folder.iterdir()):
        for event in _records(file):
            if event.session_log.status == SessionLog.START:
                found = {step: values for step, values in found.items() if step < event.step}
            for value in event.summary.value:
                found.setdefault(event.step, {})[value.tag] = value.simple_value
    return found


def _records(file: Path) -> list[Event]:
    """A record is its length, 8 bytes, a checksum, 4 bytes, the event, and another checksum."""
    data, events = file.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        events.append(Event.FromString(data[12 : 12 + length]))
        data = data[16 + length :]
    return events
