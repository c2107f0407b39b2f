"""What a camera's packets say by their sizes alone, without being decoded.

An encoder spends bits on what changed. In a quiet scene the sizes of its predicted pictures follow the noise; something
that moves makes all of them larger for as long as it moves. Page's CUSUM test (E. S. Page, Continuous inspection
schemes, Biometrika 41, 1954) on the logarithm of the size finds such a lasting rise after the fewest packets.

The test is as good as the encoder is honest: one that fills a constant bit rate hides what moves. Whether sizes can be
trusted is therefore measured for each camera, see `SizeWatch.trusted`.
"""

from math import exp, log2

LEARNING_PACKETS = 100
"""So many predicted pictures are looked at before sizes mean anything."""

LONGEST_PROFILE = 256
PROFILE_SHARE = 0.1
"""How much of a size's surprise enters the profile: what is usual so many packets after a key frame. More at first, as
in a plain mean."""

BASELINE_S = 8.0
"""Time constant of what is usual: rain that lasts becomes usual."""

ALARMED_BASELINE_S = 40.0
"""… while an alarm lasts, more slowly, so that what moves for long is not taken for the usual."""

FALLEN_BASELINE_S = 1.5
"""… and fast once sizes have fallen for good: what comes next has to be noticed again."""

SLACK = 0.5
"""A rise by so many usual deviations is still no change (half of the smallest rise worth finding)."""

ALARM = 7.0
"""Sum of deviations beyond the slack at which something has changed."""

ENOUGH = 3 * ALARM
"""The sum grows no further, so that an alarm ends soon after what caused it."""

LARGEST_RISE = 2.5
"""One large packet (an encoder's whim) is not something that lasts."""

USUAL_DEVIATIONS = 1.5
"""Huber's bound: what lies farther out than so many deviations moves baseline and deviation no more than that."""

LEAST_DEVIATION = 0.04
"""In octaves. Below it an encoder is no longer reporting noise."""

FILLED_DEVIATION = 0.02
"""Sizes steadier than this come from an encoder that fills a constant rate, and say nothing."""

BLOCK_PACKETS = 12
"""As many pictures as the shortest event that matters: half a second at 25 a second."""

BLOCK_SHARE = 0.05
FEWEST_BLOCKS = 4
"""Of so many the unrest is known."""

SMALLEST_SHARE = 0.003
"""The smallest thing that matters covers this share of the picture. While it moves, each predicted picture spends about
as many bits on it as a key frame spends on as much area (0.6 to 1.2 times as many were measured)."""

OUTSTANDING = 3.0
"""So many deviations of a block's mean it has to stand out to be found without fail."""

FALSE_STEP = 2.0
"""An alarm for nothing makes the next one this much harder …"""

MOST_PATIENCE = 10.0
PATIENCE_S = 60.0
"""… which is forgotten with this time constant."""

WITNESSED = 4
TRUSTED_SHARE = 0.8


class SizeWatch:
    """Follows one stream. `take` is called with every packet and must cost microseconds."""

    def __init__(self) -> None:
        self._profile = [0.0] * LONGEST_PROFILE
        self._visits = [0] * LONGEST_PROFILE
        self._patience = 0.0
        self._witnessed = 0
        self._noticed = 0
        self.begin()

    def begin(self) -> None:
        """A new run of packets: another connection may mean another encoder setting."""
        self._usual = 0.0
        self._deviation = 0.0
        self._seen = 0
        self._sum = self._fallen = 0.0
        self._last_s = 0.0
        self._since_key = 0
        self._key_bytes = 0.0
        self._block = 0.0
        self._block_packets = self._blocks = 0
        self._block_deviation = 0.0

    def take(self, size_bytes: int, *, is_key: bool, stream_s: float) -> bool:
        """One more packet; whether the sizes say that something moves."""
        if is_key:
            self._since_key = 0
            self._key_bytes += (size_bytes - self._key_bytes) * (0.2 if self._key_bytes else 1.0)
            return self.alarmed
        place = min(self._since_key, LONGEST_PROFILE - 1)
        self._since_key += 1
        passed_s = min(1.0, max(0.001, stream_s - self._last_s))
        self._last_s = stream_s
        self._seen += 1
        octaves = log2(max(1, size_bytes))
        off = octaves - self._profile[place] - self._usual
        if self._seen <= LEARNING_PACKETS:
            self._learn(place, off, 2 / (self._seen + 1))
            return False
        rise = off / max(LEAST_DEVIATION, self._deviation)
        self._sum = min(ENOUGH, max(0.0, self._sum + min(LARGEST_RISE, rise) - SLACK))
        self._patience *= 1 - passed_s / PATIENCE_S
        self._fallen = min(ENOUGH, max(0.0, self._fallen - max(-LARGEST_RISE, rise) - SLACK))
        self._learn(place, off, 1 - exp(-passed_s / self._baseline_s))
        return self.alarmed

    @property
    def alarmed(self) -> bool:
        """Whether something moves, by the last packets."""
        return self._sum >= ALARM + self._patience

    def was_nothing(self) -> None:
        """The pictures show nothing that moves, whatever the sizes said."""
        self._sum = 0.0
        self._patience = min(MOST_PATIENCE, self._patience + FALSE_STEP)

    def witness(self, *, noticed: bool) -> None:
        """The pictures showed that something began to move; had the sizes noticed it as well?"""
        self._witnessed += 1
        self._noticed += noticed

    @property
    def trusted(self) -> bool:
        """Whether a camera may be left to its packet sizes alone.

        Only where the smallest thing that matters would stand out from their unrest. Not while they are being learnt,
        not where they are steadier than noise can be, and not where they missed what the pictures showed.
        """
        if self._seen <= LEARNING_PACKETS or self._blocks < FEWEST_BLOCKS or self._deviation < FILLED_DEVIATION:
            return False
        if self._witnessed >= WITNESSED and self._noticed < TRUSTED_SHARE * self._witnessed:
            return False
        return self.smallest_rise >= OUTSTANDING * self._block_deviation

    @property
    def smallest_rise(self) -> float:
        """By how many octaves the smallest thing that matters raises the usual size."""
        return log2(1 + SMALLEST_SHARE * self._key_bytes / 2**self._usual)

    @property
    def _baseline_s(self) -> float:
        if self.alarmed:
            return ALARMED_BASELINE_S
        return FALLEN_BASELINE_S if self._fallen >= ALARM else BASELINE_S

    def _learn(self, place: int, off: float, share: float) -> None:
        if self._seen == 1:
            self._usual, self._deviation = off, 0.1
            return
        bound = USUAL_DEVIATIONS * max(LEAST_DEVIATION, self._deviation)
        bounded = max(-bound, min(bound, off)) if self._seen > LEARNING_PACKETS // 2 else off
        self._usual += share * bounded
        self._deviation += share * (1.25 * abs(bounded) - self._deviation)
        if not self.alarmed and self._seen > LEARNING_PACKETS // 2:
            self._visits[place] += 1
            if self._visits[place] > 1 or place >= LEARNING_PACKETS:
                self._learn_block(bounded)
            self._profile[place] += max(PROFILE_SHARE, 1 / self._visits[place]) * bounded

    def _learn_block(self, off: float) -> None:
        """How restless means over half a second are: packets that follow each other are alike."""
        self._block += off
        self._block_packets += 1
        if self._block_packets < BLOCK_PACKETS:
            return
        mean = abs(self._block) / BLOCK_PACKETS
        self._block, self._block_packets = 0.0, 0
        self._blocks += 1
        known = self._block_deviation
        if self._blocks > 2 * FEWEST_BLOCKS:
            mean = min(mean, 3 * known)
        self._block_deviation += max(BLOCK_SHARE, 1 / self._blocks) * (1.25 * mean - known)
