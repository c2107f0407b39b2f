"""The whole box as one value, and as metrics."""

from collections.abc import Callable
from datetime import datetime

from prometheus_client import ProcessCollector

from alerts.outbox import Outbox
from edge.box import Box
from edge.memory import resident_mib
from edge.metrics import BoxCollector
from edge.snapshot import BoxSnapshot
from edge.temperatures import temperatures_c


class Overview:
    """Call it for a snapshot; `registry` gives the same as metrics."""

    def __init__(self, box: Box, outbox: Outbox, device: str, *, now: Callable[[], datetime]) -> None:
        self.registry = box.latencies.registry
        self._box = box
        self._outbox = outbox
        self._device = device
        self._now = now
        self.registry.register(BoxCollector(self))
        ProcessCollector(registry=self.registry)

    def __call__(self) -> BoxSnapshot:
        """As everything stands."""
        counts = self._outbox.counts()
        return BoxSnapshot(
            at=self._now(),
            device=self._device,
            cameras=self._box.snapshots(),
            sessions=self._box.sessions,
            busy_share=self._box.busy_share(),
            busy_s=self._box.busy_s,
            queue=self._box.queue,
            pending_records=counts.pending_records,
            pending_uploads=counts.pending_uploads,
            inference_ms=self._box.latencies.inference_ms,
            outbox_ms=self._box.latencies.outbox_ms,
            temperatures_c=temperatures_c(),
            resident_mib=resident_mib(),
        )
