"""What a reviewer sees of a leased question: the item, and only if the tier wants it so, hints."""

from daemon.core.decoding import decode_stored
from daemon.core.pair_order import is_turned
from daemon.core.rows import Lease
from daemon.review.bodies import EarlierOut, ImageOut, LeaseOut, MarkOut, SuggestionOut
from daemon.review.images import is_shown
from daemon.review.rendering import fields_of_item, label_name
from daemon.review.services import ReviewServices
from daemon.review.story_view import fields_out
from labeling_functions.heuristics.spans import spans
from labeling_functions.items import Item
from labeling_functions.pairs import FIELDS
from labeling_functions.task import PREFERENCE


def lease_out(lease: Lease, services: ReviewServices) -> LeaseOut:
    """A lease as it is told; without anything that could sway the reviewer unless the tier wants hints, and
    of a blind question never."""
    item = decode_stored(lease.payload)
    pairs = services.task.kind == PREFERENCE
    fields = fields_out(fields_of_item(item))
    return LeaseOut(
        question=lease.question,
        item=lease.item,
        fields=[field for field in fields if field.name in FIELDS] if pairs else fields,
        images=images_out(item, services),
        until=lease.until,
        turned=pairs and is_turned(lease.question),
        suggestion=_suggestion(lease, services),
        marks=_marks(lease, item, services),
        earlier=_earlier(lease, services),
    )


def images_out(item: Item, services: ReviewServices) -> list[ImageOut]:
    """The item's pictures, and which of them the page may load."""
    allowed = services.settings.image_origins
    return [ImageOut(address=one, shown=is_shown(one, allowed)) for one in item.images]


def _suggestion(lease: Lease, services: ReviewServices) -> SuggestionOut | None:
    tier = services.tiers.get(lease.tier)
    if lease.blind or lease.label is None or tier is None or not tier.suggest:
        return None
    return SuggestionOut(label=label_name(lease.label, services.task.space), sure=lease.sure)


def _earlier(lease: Lease, services: ReviewServices) -> list[EarlierOut]:
    tier = services.tiers.get(lease.tier)
    if lease.blind or tier is None or not tier.show_earlier:
        return []
    space = services.task.space
    return [EarlierOut(tier=one.tier, label=label_name(one.label, space)) for one in lease.earlier]


def _marks(lease: Lease, item: Item, services: ReviewServices) -> list[MarkOut]:
    tier = services.tiers.get(lease.tier)
    if lease.blind or tier is None or not tier.highlight:
        return []
    return [
        MarkOut(field=span.field, start=span.start, end=span.end, function=span.function)
        for span in spans(services.functions, item)
    ]
