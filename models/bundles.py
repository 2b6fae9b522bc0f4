"""Bundles of every kind of task: which one bytes are, and which one is believed at first."""

from collections.abc import Mapping, Sequence

from models.archive import DamagedBundle, unpack
from models.bundle import Bundle, about_of
from models.set_bundle import FORMAT as SETS
from models.set_bundle import SetBundle

AnyBundle = Bundle | SetBundle


def read_bundle(data: bytes) -> AnyBundle:
    """Read what `to_bytes` of either wrote. Raises DamagedBundle; never unpickles anything."""
    arrays = unpack(data)
    try:
        kind = SetBundle if about_of(arrays)["format"] == SETS else Bundle
        return kind.from_arrays(arrays)
    except DamagedBundle:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        # Whoever can write bytes can write their digest, too.
        raise DamagedBundle(f"bundle: its parts do not fit together ({error!r})") from error


def bundle_from_priors(classes: Sequence[str], sets: bool, tiers: Mapping[str, float]) -> AnyBundle:
    """What is believed before anything is learned.

    Args:
        classes: names in order.
        sets: any number of them may apply to an item.
        tiers: tier name -> how often its whole answers are right, in (0.5, 1).
    """
    return (SetBundle if sets else Bundle).from_priors(classes, tiers)
