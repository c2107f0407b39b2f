"""A changed configuration taken up while the box runs: what differs is changed, the rest notices nothing."""

from collections.abc import Callable
from dataclasses import replace

from alerts.errors import AlertsError
from edge.announcements import Tell
from edge.box import Box
from edge.config import Loaded, read_config
from edge.duties import check_memory, duties_of, orphan_witness_of, posts_of, witnesses_of
from edge.errors import ConfigError
from edge.recorder import Recorder
from streams.errors import StreamError


class Reloading:
    """Call it now and then; it reads the file anew once `ask` was called. A file with a mistake changes nothing."""

    def __init__(
        self,
        loaded: Loaded,
        box: Box,
        tell: Tell,
        *,
        until_end: bool = False,
        limit_uploads: Callable[[int], None] = lambda _bits_per_s: None,
    ) -> None:
        self._loaded = loaded
        self._box = box
        self._tell = tell
        self._until_end = until_end
        self._limit_uploads = limit_uploads
        self._is_asked = False

    def ask(self) -> None:
        """Have the configuration read anew; may be called from a signal handler."""
        self._is_asked = True

    def __call__(self) -> None:
        """Do what was asked for."""
        if not self._is_asked:
            return
        self._is_asked = False
        try:
            self._take_up(read_config(self._loaded.path))
        except (ConfigError, AlertsError, StreamError) as error:
            self._tell("trouble", what="configuration", reason=f"{error}; the old one stays in force")

    def _take_up(self, loaded: Loaded) -> None:
        if loaded.card != self._loaded.card or loaded.config.detector != self._loaded.config.detector:
            raise ConfigError(f"{loaded.path}: another detector takes effect at the next start only")
        check_memory(loaded)
        posts = [post for camera in loaded.config.cameras for post in posts_of(camera)]

        def renew(recorder: Recorder) -> None:
            recorder.use(posts, witnesses_of(loaded), orphan_witness_of(loaded))

        self._box.use(duties_of(loaded, until_end=self._until_end), renew)
        self._limit_uploads(loaded.config.uploads.limit_bits_per_s)
        self._loaded = replace(loaded, path=self._loaded.path)
        self._tell("reloaded", cameras=[camera.id for camera in loaded.config.cameras], config_sha256=loaded.sha256)
