"""Ways to tamper with a bundle. Each gives bytes that differ from every intact bundle's of that case.

Who tampers knows more and more: somebody with a hex editor, somebody with the product and keys of their own, and at
last somebody at the centre who can use its key: then only what the boxes signed can tell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from center.bundles.bench import insiders, outsiders
from center.bundles.bench.victims import Victim

Mutation: TypeAlias = Callable[[Victim], bytes]

MUTATIONS: Mapping[str, Sequence[Mutation]] = MappingProxyType(
    {
        "bit_flip": (outsiders.flip_anywhere, outsiders.flip_header, outsiders.flip_member, outsiders.flip_and_repack),
        "tail_cut": (outsiders.cut_tail, outsiders.cut_records),
        "splice": (outsiders.splice_files, outsiders.cut_middle, outsiders.add_bytes, insiders.splice),
        "reorder": (outsiders.reorder_records, outsiders.reorder_members, outsiders.exchange_members),
        "deletion": (outsiders.delete_member, insiders.cut),
        "addition": (outsiders.add_member, outsiders.add_twice, outsiders.rename_member),
        "swap": (outsiders.swap_member, outsiders.swap_case, insiders.swap),
        "metadata": (outsiders.change_metadata,),
        "manifest": (outsiders.rewrite_seal, outsiders.forge_seal, insiders.alter),
        "signature": (outsiders.replace_signature, outsiders.forge_all, insiders.forge),
        "time": (insiders.backdate,),
        "recording": (insiders.rerecord,),
        "derivative": (insiders.redraw,),
        "log": (insiders.unlog,),
        "stamp": (insiders.restamp,),
    }
)


def mutate(victim: Victim, mutation: Mutation) -> bytes:
    """Tampered bytes, which are not the bundle's own; drawn again where the draw changed nothing."""
    while (raw := mutation(victim)) == victim.case.raw:
        victim = replace(victim)
    return raw
