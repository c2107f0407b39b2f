"""The box at work: a player and an eye for each camera, sessions that serve them, one recorder for all.

Cameras come, go and change while the others are watched: `use` takes a new list and touches only what differs.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry

from alerts.errors import AlertsError
from alerts.messages import Phase
from edge.announcements import Tell
from edge.clip_sealer import MOST_AT_ONCE, ClipSealer
from edge.clips import LARGEST_SHARE, ClipKeeper, is_current
from edge.clock_round import Face
from edge.coverage import Sight
from edge.eye import Eye
from edge.health import HealthWatch
from edge.metrics import Latencies
from edge.recorder import Recorder, Telling
from edge.scheduler import Scheduler
from edge.snapshot import CameraSnapshot
from edge.station import Duty, Station
from edge.watch import Look
from models.detector import Detector
from streams.budget import memory_bytes
from streams.frames import Frame

TICK_S = 0.5
END_TICK_S = 0.1
"""The same where the end of files is waited for: nobody minds a tenth of a second, a core minds fifty wakings."""

FAILURES = (AlertsError, OSError, sqlite3.Error, ValueError)
"""What one picture may end in without ending the watch."""


class Box:
    """Runs in the caller's thread until it is stopped or every camera has ended."""

    def __init__(
        self,
        duties: Iterable[Duty],
        detectors: Sequence[Detector],
        recorder: Recorder,
        *,
        tell: Tell,
        score: float | None = None,
        until_end: bool = False,
        sealer: ClipSealer | None = None,
        latencies: Latencies | None = None,
        on_tick: Callable[[], None] = lambda: None,
        on_look: Callable[[Look], None] = lambda _: None,
    ) -> None:
        """One session for each of `detectors`. Without a `sealer` no clips are taken.

        `on_tick` is called about twice a second, `on_look` with every look, in its session's thread.
        With `until_end` it ends when every file has; else it stays, for what is still to be delivered.
        """
        self._recorder = recorder
        self._recording = threading.Lock()
        self._tell = tell
        self._score = score
        self._until_end = until_end
        self._on_tick = on_tick
        self._on_look = on_look
        self._scheduler: Scheduler[Eye, Detector] = Scheduler(detectors, self._serve)
        self._stations: dict[str, Station] = {}
        self._leaving: list[Station] = []
        self._clips = ClipKeeper(int(memory_bytes() * LARGEST_SHARE))
        self._sealer = sealer
        self.latencies = latencies or Latencies(CollectorRegistry())
        self._is_blind = False
        self._is_stopping = threading.Event()
        self._is_running = False
        self._changing = threading.Lock()
        for duty in duties:
            self._add(duty)

    @property
    def looks(self) -> int:
        """Frames analysed so far, of all cameras."""
        return sum(station.eye.counts.looks for station in self._stations.values())

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each camera that cannot be played, or could not be to its end."""
        return tuple(station.failure for station in self._stations.values() if station.failure)

    @property
    def sessions(self) -> int:
        """How many cameras are looked at at once."""
        return self._scheduler.sessions

    @property
    def queue(self) -> int:
        """How many cameras are due and wait."""
        return self._scheduler.queue

    def turn_s(self) -> float:
        """For how long a session has been busy with one turn of one camera: the longest."""
        return self._scheduler.turn_s()

    def busy_share(self) -> float:
        """The share of the sessions' time that was work in the last seconds."""
        return self._scheduler.busy_share()

    @property
    def busy_s(self) -> float:
        """How long the sessions have worked so far, all together."""
        return self._scheduler.worked_s

    def snapshots(self) -> tuple[CameraSnapshot, ...]:
        """Every camera as it stands."""
        now_s = time.monotonic()
        return tuple(station.snapshot(now_s) for station in self._stations.values())

    def sights(self) -> dict[str, Sight]:
        """Whether each camera is watched now; a file played as fast as possible has no time to speak of."""
        now_s = time.monotonic()
        return {camera: each.sight(now_s) for camera, each in self._stations.items() if not each.duty.plan.is_fast}

    def faces(self) -> tuple[Face, ...]:
        """The cameras that can be asked for their clock now."""
        return tuple(face for station in self._stations.values() if (face := station.face))

    def health(self, camera: str) -> HealthWatch:
        """What judges whether this camera can see."""
        return self._stations[camera].eye.health

    def stop(self) -> None:
        """Make `run` return soon; may be called from a signal handler."""
        self._is_stopping.set()

    def run(self) -> None:
        """Watch. Everything is started here and stopped at the end, whatever happens."""
        self._scheduler.start()
        try:
            with self._changing:
                self._is_running = True
                for station in self._stations.values():
                    station.start()
            while not self._is_stopping.is_set() and not self._may_end():
                self._tick()
                self._is_stopping.wait(END_TICK_S if self._until_end else TICK_S)
            self._tick()
        finally:
            for station in self._stations.values():
                station.stop()
            self._scheduler.stop()
            for station in (*self._leaving, *self._stations.values()):
                station.join()
            self._clips.give_up()
            while self._seal_clips(time.monotonic()):
                pass
            while self._recorder.annotate(time.monotonic()):
                pass

    def use(self, duties: Sequence[Duty], renew: Callable[[Recorder], None]) -> None:
        """Watch these cameras from now on, with the recorder as `renew` leaves it.

        Cameras that stay as they are notice nothing; no frame of theirs is lost. Those that go are not waited for; one
        that is watched in another way is opened anew once it has been given back. If `renew` raises, all cameras stay.
        """
        with self._changing:
            self._change(duties, renew)

    def _change(self, duties: Sequence[Duty], renew: Callable[[Recorder], None]) -> None:
        wanted = {duty.camera_id: duty for duty in duties}
        gone = {
            camera: station
            for camera, station in self._stations.items()
            if camera not in wanted or wanted[camera].plan != station.duty.plan
        }
        for station in gone.values():
            station.stop()
        for camera in gone:
            self._remove(camera)
        try:
            with self._recording:
                renew(self._recorder)
                self._change_rules(wanted)
        except Exception:
            self._take_on((station.duty for station in gone.values()), gone)
            raise
        self._take_on((duty for duty in duties if duty.camera_id not in self._stations), gone)

    def _change_rules(self, wanted: Mapping[str, Duty]) -> None:
        for camera, station in self._stations.items():
            duty = wanted[camera]
            if duty.posts != station.duty.posts:
                station.duty = duty
                station.eye.watch = duty.make_watch(self._recorder.open_incidents(camera))

    def _take_on(self, duties: Iterable[Duty], gone: Mapping[str, Station]) -> None:
        for duty in duties:
            self._add(duty)
            if self._is_running:
                self._stations[duty.camera_id].start(gone.get(duty.camera_id))

    def _add(self, duty: Duty) -> None:
        open_incidents = self._recorder.open_incidents(duty.camera_id)
        station = Station(
            duty,
            duty.make_watch(open_incidents),
            prod=self._scheduler.prod,
            others_wait=self._scheduler.is_anyone_waiting,
            tell=self._tell,
        )
        station.eye.open_incidents = len(open_incidents)
        self._stations = {**self._stations, duty.camera_id: station}
        self._scheduler.add(station.eye)

    def _remove(self, camera: str) -> None:
        """A station that was stopped; it need not have given its camera back."""
        station = self._stations[camera]
        self._stations = {name: each for name, each in self._stations.items() if name != camera}
        self._scheduler.remove(station.eye)
        self._leaving = [each for each in (*self._leaving, station) if not each.has_given_back]
        with self._recording:
            self._clips.give_up(camera)

    def _may_end(self) -> bool:
        return self._until_end and all(station.has_ended for station in self._stations.values())

    def _tick(self) -> None:
        now_s = time.monotonic()
        for station in self._stations.values():
            station.tend(now_s)
        with self._recording:
            self._clips.collect(now_s)
        self._seal_clips(now_s)
        self._recorder.annotate(now_s)
        self._say_whether_blind()
        self._on_tick()

    def _seal_clips(self, now_s: float) -> bool:
        """A few at once; whether there are more."""
        if self._sealer is None:
            return False
        with self._recording:
            due = self._clips.due(MOST_AT_ONCE)
        try:
            return self._sealer.seal(due, now_s) or len(due) == MOST_AT_ONCE
        except FAILURES as error:
            self._tell("trouble", what="clips", reason=f"{type(error).__name__}: {error}")
            return bool(due)

    def _serve(self, eye: Eye, detector: Detector) -> None:
        """One turn of a camera. What fails for one camera is said once and does not stop the others."""

        def analyse(frame: Frame, *, vouched: bool) -> Look | None:
            return self._look(eye, detector, frame, vouched=vouched)

        try:
            eye.step(analyse)
        except Exception as error:  # noqa: BLE001 - whatever one camera does, the others go on
            self._note_failure(eye.camera_id, error)
        if eye.plan.is_fast:  # in no time, it would have outrun its ring before the next tick
            with self._recording:
                self._clips.collect(time.monotonic(), eye.camera_id)

    def _look(self, eye: Eye, detector: Detector, frame: Frame, *, vouched: bool) -> Look | None:
        try:
            began_s = time.perf_counter()
            detections = detector.detect(frame, score_threshold=self._score)
            inference_s = time.perf_counter() - began_s
            watch = eye.watch
            look = watch.look(frame, detections, vouched=vouched)
            with self._recording:
                if eye.watch is not watch:  # other rules are in force by now
                    return None
                told = self._recorder.record(look)
                self._take_clips(eye, frame, told)
                eye.open_incidents = len(self._recorder.open_incidents(frame.camera))
        except FAILURES as error:
            self._note_failure(frame.camera, error)
            return None
        self.latencies.observe_inference(inference_s)
        if told:
            self.latencies.observe_outbox(time.monotonic() - frame.monotonic_s - inference_s)
        if (station := self._stations.get(frame.camera)) is not None:
            station.mishaps.succeed(time.monotonic())
        self._on_look(look)
        return look

    def _take_clips(self, eye: Eye, frame: Frame, told: Iterable[Telling]) -> None:
        for each in told:
            if each.phase is Phase.CLOSED:
                self._clips.close(each.incident)
            elif each.phase is Phase.OPENED and self._sealer is not None:
                station = self._stations.get(frame.camera)  # None: its last turn, it was taken away meanwhile
                main = station.main_ring if station else None
                ring = main if main is not None and is_current(main, frame) else eye.ring
                self._clips.open(each.incident, frame, ring, eye.plan.roll, is_other_stream=ring is not eye.ring)

    def _say_whether_blind(self) -> None:
        """That no camera can be played is said once, for the box goes on trying; so is that one can again."""
        is_blind = not self._until_end and bool(self._stations) and len(self.failures) == len(self._stations)
        if is_blind and not self._is_blind:
            reason = "nothing is watched: no camera can be played; all are tried again"
            self._tell("trouble", what="watching", reason=reason)
        elif self._is_blind and not is_blind:
            self._tell("trouble_over", what="watching")
        self._is_blind = is_blind

    def _note_failure(self, camera: str, error: Exception) -> None:
        if (station := self._stations.get(camera)) is not None:
            station.mishaps.fail(f"{type(error).__name__}: {error}", time.monotonic())
