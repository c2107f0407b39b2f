"""A box on a thin line, with a backlog and files waiting: how long its live alerts take."""

import asyncio
from dataclasses import replace

from alerts.identity import Identity
from edge.bench.delivery.county import County
from edge.bench.delivery.link import HERE
from edge.bench.latency.backlog import reporting
from edge.bench.latency.figures import milliseconds
from edge.bench.latency.processes import Cores
from edge.bench.latency.reporting_box import Stretch
from edge.bench.latency.slow_link import SlowLink
from edge.bench.setting import Figures

BITS_PER_S = 256_000
WAITING = Stretch(backlog=2500, every_s=1.0, files=40, picture_bytes=81_920)


async def measure(county: County, box: str, *, seconds: float, cores: Cores) -> Figures:
    """Both of the box's connections, to the broker and to the centre, go over one line of 256 kbit/s each way.

    More waits than the line carries meanwhile, and each live alert brings a picture of its own.
    """
    state = county.folder / box
    with SlowLink(BITS_PER_S) as link:
        mqtt, web = link.way_to(county.broker_port), link.way_to(county.web_port)
        identity = Identity.load(state)
        replace(identity, center_url=f"http://{HERE}:{web.port}", mqtt_host=HERE, mqtt_port=mqtt.port).save(state)
        async with reporting(county, box, cores.others) as process:
            await process.tell(WAITING.to_json())
            record_bytes = (await process.expect("ready"))["bytes"]
            await process.tell()
            await process.expect("connected")
            before = mqtt.passed_bytes, web.passed_bytes
            await asyncio.sleep(seconds)
            passed = mqtt.passed_bytes - before[0], web.passed_bytes - before[1]
            await process.tell()
            said = await process.expect("measured")
    live_s = [there_s - made_s for made_s, there_s in said["live"]]
    return {
        "slow_link_live_p50_ms": milliseconds(live_s, 0.5),
        "slow_link_live_p95_ms": milliseconds(live_s, 0.95),
        "slow_link_envelope_ms": round(1000 * 8 * record_bytes / BITS_PER_S, 1),
        "slow_link_live_alerts": len(live_s),
        "slow_link_unconfirmed": said["unconfirmed"],
        "slow_link_backlog_left": said["left"],
        "slow_link_used_share": round(8 * sum(passed) / seconds / BITS_PER_S, 2),
        "slow_link_files_share": round(passed[1] / sum(passed), 2),
    }
