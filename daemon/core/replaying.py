"""Labels items anew by functions and classifier alone, as the stream labels new ones; keeps nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from daemon.core.decide import label_scores
from daemon.core.decoding import Arrival, Rejected, decode
from daemon.core.first_look import Encoder, evidence_on, vectors_of
from daemon.core.policy import Policy
from daemon.core.rows import F4, I1
from daemon.core.wire import Record
from labeling_functions.applier import Applied, Applier
from labeling_functions.task import ABSTAIN
from models.bundles import AnyBundle


@dataclass(frozen=True, slots=True)
class StoredStretch:
    """So many stored items that came from `start` on and before `end` (ms of the database's clock)."""

    start: int
    end: int
    items: int


@dataclass(frozen=True, slots=True)
class Relabeled:
    """n items labeled anew, as columns, and the records that never can be.

    Attributes:
        ids: item ids, as often as they came. digests: 16 bytes each; equal digests mean equal content.
        labels: (n,) as `labeling_functions.label_space` has labels.
        posterior: (n, F * K), each facet's K sum to 1.
        scores: (n,) calibrated probability that the label is right.
        votes: (n,) how many functions voted. inline: (n, m * F) what they said, those of one side by side.
        rejected: records that are no items.
        failures: labeling function -> items on which it failed. messages: function -> the first failure.
    """

    ids: Sequence[str]
    digests: Sequence[bytes]
    labels: NDArray[np.int64]
    posterior: F4
    scores: F4
    votes: NDArray[np.int64]
    inline: I1
    rejected: Sequence[Rejected]
    failures: Mapping[str, int] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def nothing(cls, width: int, rejected: Sequence[Rejected] = ()) -> "Relabeled":
        """No item at all; `width`: F * K."""
        none, scores = np.empty(0, np.int64), np.empty(0, np.float32)
        inline = np.empty((0, 0), np.int8)
        return cls((), (), none, np.empty((0, width), np.float32), scores, none, inline, rejected)

    def without_rows(self) -> "Relabeled":
        """Without posterior and rejected records, the bulk of it: for what compares labels alone."""
        return replace(self, posterior=self.posterior[:, :0], rejected=())


@dataclass(frozen=True, slots=True)
class Relabeler:
    """What items are labeled anew with. For one thread: functions keep what they compute while they run.

    Attributes:
        keys: annotator keys of the applier's functions.
        max_bytes: longer records are rejected.
    """

    applier: Applier
    keys: tuple[str, ...]
    encoder: Encoder | None
    policy: Policy
    bundle: AnyBundle
    max_bytes: int

    def relabel(self, records: Sequence[Record]) -> Relabeled:
        """Label what these records hold, each by itself: one that came twice is labeled twice."""
        decoded = [decode(record, self.max_bytes, self.policy.kind) for record in records]
        arrived = [one for one in decoded if isinstance(one, Arrival)]
        rejected = [one for one in decoded if isinstance(one, Rejected)]
        space = self.policy.space
        if not arrived:
            return Relabeled.nothing(space.n_facets * len(space.options), rejected)
        items = [one.item for one in arrived]
        applied = self.applier.apply(items)
        evidence = evidence_on(
            items,
            applied.L,
            self.keys,
            vectors_of(items, self.encoder),
            self.encoder,
            self.bundle,
            len(self.policy.ladder),
        )
        labels, scores = label_scores(evidence.posterior, evidence.scores, self.policy.cost, space.n_facets)
        return Relabeled(
            ids=[item.id for item in items],
            digests=[one.digest for one in arrived],
            labels=labels,
            posterior=evidence.posterior,
            scores=scores,
            votes=_voices(applied, space.n_facets),
            inline=applied.L,
            rejected=rejected,
            failures=applied.failures,
            messages=applied.messages,
        )


def _voices(applied: Applied, n_facets: int) -> NDArray[np.int64]:
    """(n,) functions that did not abstain in every facet."""
    votes: I1 = applied.L.reshape(len(applied.L), -1, n_facets)
    voices: NDArray[np.int64] = (votes != ABSTAIN).any(axis=2).sum(axis=1)
    return voices
