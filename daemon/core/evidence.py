"""The one place that joins inline votes, the classifier and people's answers into columns to decide on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from daemon.core.answer_votes import about_facet, votes_of
from daemon.core.rows import F4, I1, Answer, FunctionVersion, OpenItem, Wanted
from daemon.core.states import BLIND_PURPOSES, SETTLING, AnnotatorKind, ItemState, Purpose, QuestionState
from labeling_functions.label_space import joined
from models.arrays import softmax
from models.bundle import Bundle
from models.bundles import AnyBundle
from models.votes import Votes

FunctionKeys = Callable[[int], Sequence[str]]
"""Function set id -> annotator keys of its columns."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a decision on n items goes by.

    F facets of K options each (of a task with one class an item, one facet with the K classes), T tiers in
    the order of the policy's ladder.

    Attributes:
        posterior: (n, F * K) from every vote that is not final; each facet's K sum to 1.
        scores: (n,) calibrated probability that the label is right in every facet.
        classifier: (n, F * K), rows of NaN for items without a vector; or None.
        final: (n,) label by a final tier, -1 without one.
        answered: (n, T) standing answers, and abstentions: a tier that could not say is not asked again for
            that vote. wanted: (n, T) questions open for settling.
        people: (n,) whether a person has answered.
        queued: (n,) tier of the item's own questions that wait to settle it and that nobody looks at; -1 for
            none. priority: (n,) theirs; 0 for none.
        drawn: (n,) a random blind question, or one to learn from, is open: the item waits for its answer.
        held: (n,) somebody is looking at a question right now.
        sent_back: (n,) windows that refused. revision: (n,) 0 for never published.
        before: (n,) last label, -1 for new items. states: last states; None for new items.
        follows: (n,) another item of the same subject is asked in its place; None: no item is.
        picked: (n,) an expert is to be asked so that the models learn; None: about no item.
        raised: (n,) place in the ladder of a tier that must be asked, -1 for none; None: of no item.
        lot: (n,) in [0, 1), the item's own: on which share of the items several are asked at once; None: on
            all.
    """

    posterior: F4
    scores: F4
    classifier: F4 | None
    final: NDArray[np.int64]
    answered: NDArray[np.int64]
    wanted: NDArray[np.int64]
    people: NDArray[np.bool_]
    queued: NDArray[np.int64]
    priority: NDArray[np.float64]
    drawn: NDArray[np.bool_]
    held: NDArray[np.bool_]
    sent_back: NDArray[np.int64]
    revision: NDArray[np.int64]
    before: NDArray[np.int64]
    states: Sequence[ItemState | None]
    follows: NDArray[np.bool_] | None = None
    picked: NDArray[np.bool_] | None = None
    raised: NDArray[np.int64] | None = None
    lot: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def in_state(self, state: ItemState) -> NDArray[np.bool_]:
        """(n,) whether the last state was this one."""
        return np.array([one == state for one in self.states], np.bool_)


def function_key(function: FunctionVersion) -> str:
    """Annotator key of a labeling function in votes and bundles."""
    return f"function:{function.name}@{function.version}"


def of_arrivals(
    inline: I1,
    keys: Sequence[str],
    vectors: F4 | None,
    groups: NDArray[np.int64],
    bundle: AnyBundle,
    n_tiers: int,
) -> Evidence:
    """Evidence on new items: nobody has been asked yet.

    Args:
        inline: (n, m * F) functions' votes, those of one function side by side. keys: of m functions.
        vectors: (n, d) of the bundle's encoder, rows of NaN for items without one; or None.
        groups: (n,) as `daemon.core.grouping` gives them; they choose the classifier's head.
        bundle: to decide with. n_tiers: T.
    """
    n = len(inline)
    posterior, classifier = _posterior(inline, keys, vectors, groups, [()] * n, bundle)
    return Evidence(
        posterior=posterior,
        scores=bundle.scores(posterior).astype(np.float32),
        classifier=classifier,
        final=np.full(n, -1),
        answered=np.zeros((n, n_tiers), np.int64),
        wanted=np.zeros((n, n_tiers), np.int64),
        people=np.zeros(n, np.bool_),
        queued=np.full(n, -1),
        priority=np.zeros(n),
        drawn=np.zeros(n, np.bool_),
        held=np.zeros(n, np.bool_),
        sent_back=np.zeros(n, np.int64),
        revision=np.zeros(n, np.int64),
        before=np.full(n, -1),
        states=[None] * n,
    )


def of_stored(
    items: Sequence[OpenItem],
    groups: NDArray[np.int64],
    keys: FunctionKeys,
    bundle: AnyBundle,
    ladder: Sequence[str],
    final_tiers: frozenset[str],
) -> Evidence:
    """Evidence on items that were decided before; answers of final tiers stand outside the posterior.

    `groups` (n,) as `daemon.core.grouping` gives them: an item that the classifier was trained on is judged
    by the head that never saw it.
    """
    posterior, classifier = _posterior_of_stored(items, groups, keys, bundle, final_tiers)
    shown = _subjects(items)
    posterior = _fused(posterior, shown, bundle)
    answers = [_answers(items, rows) for rows in shown]
    return Evidence(
        posterior=posterior,
        scores=bundle.scores(posterior).astype(np.float32),
        classifier=classifier,
        final=np.array([final_label(given, final_tiers) for given in answers], np.int64),
        answered=_count(ladder, [_heard(items, rows) for rows in shown]),
        wanted=_count(ladder, [_settling(items, rows) for rows in shown]),
        people=np.fromiter(map(_by_person, answers), np.bool_),
        queued=np.array([_queued(item, ladder) for item in items], np.int64),
        priority=np.fromiter(map(_priority, items), np.float64),
        drawn=np.fromiter(map(_is_drawn, items), np.bool_),
        held=np.fromiter(map(_is_held, items), np.bool_),
        sent_back=np.fromiter(map(attrgetter("sent_back"), items), np.int64),
        revision=np.fromiter(map(attrgetter("revision"), items), np.int64),
        before=_labels_before(items),
        states=[item.state for item in items],
        follows=np.array([rows[0] != own for own, rows in enumerate(shown)], np.bool_),
        picked=np.fromiter(map(_is_picked, items, answers), np.bool_),
    )


def _labels_before(items: Sequence[OpenItem]) -> NDArray[np.int64]:
    if not items:
        return np.empty(0, np.int64)
    return joined(np.stack([item.labels for item in items]))


def _subjects(items: Sequence[OpenItem]) -> list[list[int]]:
    """For each item the rows that show the same thing, itself among them."""
    members: dict[str, list[int]] = {}
    for row, item in enumerate(items):
        if item.subject is not None:
            members.setdefault(item.subject, []).append(row)
    return [[row] if item.subject is None else members[item.subject] for row, item in enumerate(items)]


def _fused(posterior: F4, groups: Sequence[list[int]], bundle: AnyBundle) -> F4:
    """Items of one subject get one posterior: what each adds to the prior, added up and damped.

    The same annotators spoke about all of them, so that n observations count as the root of n: halfway
    between one and the other in logarithms of what all of them and what a single one would be worth.
    """
    shared = {rows[0]: rows for rows in groups if len(rows) > 1}
    if not shared:
        return posterior
    nothing = np.empty((1, 0), np.int8)
    priors = [np.log(part.posterior_dense(nothing, ())) for part in bundle.parts]
    facets = np.split(posterior.copy(), len(priors), axis=1)
    for rows in shared.values():
        for facet, prior in zip(facets, priors, strict=True):
            added = np.log(np.maximum(facet[rows], 1e-9)) - prior
            facet[rows] = softmax(prior + added.sum(axis=0, keepdims=True) / np.sqrt(len(rows)))
    return np.concatenate(facets, axis=1)


def _answers(items: Sequence[OpenItem], rows: Sequence[int]) -> list[Answer]:
    """What was said about one of these items."""
    return [answer for row in rows for answer in items[row].answers]


def _heard(items: Sequence[OpenItem], rows: Sequence[int]) -> list[str | None]:
    """Tiers that answered or abstained about one of these items."""
    return [tier for row in rows for tier in (*(one.tier for one in items[row].answers), *items[row].passed)]


def _settling(items: Sequence[OpenItem], rows: Sequence[int]) -> list[str]:
    """Tiers of the questions that wait to settle one of these items; blind audits serve another end."""
    wanted = (one for row in rows for one in items[row].wanted)
    return [one.tier for one in wanted if one.purpose not in BLIND_PURPOSES]


def _by_person(answers: Sequence[Answer]) -> bool:
    return any(answer.kind == AnnotatorKind.PERSON for answer in answers)


def _waiting(item: OpenItem) -> list[Wanted]:
    """Open questions that only wait to settle the item; none while anything else is open about it."""
    own = [one for one in item.wanted if one.purpose not in BLIND_PURPOSES]
    free = all(one.purpose in SETTLING and one.state == QuestionState.OPEN for one in own)
    return own if free else []


def _queued(item: OpenItem, ladder: Sequence[str]) -> int:
    waiting = _waiting(item)
    return ladder.index(waiting[0].tier) if waiting and waiting[0].tier in ladder else -1


def _priority(item: OpenItem) -> float:
    return max((one.priority for one in _waiting(item)), default=0.0)


def _is_drawn(item: OpenItem) -> bool:
    return any(one.purpose in (Purpose.GOLD, Purpose.LEARN) for one in item.wanted)


def _is_picked(item: OpenItem, answers: Sequence[Answer]) -> bool:
    """The learner wants an answer, and there is none of a person yet, nor a question that will bring one."""
    is_open = item.state in (ItemState.ASKING, ItemState.READY)
    coming = any(
        one.purpose in (*BLIND_PURPOSES, Purpose.LEARN) or one.state == QuestionState.LEASED
        for one in item.wanted
    )
    return item.picked and is_open and not (coming or _by_person(answers))


def _is_held(item: OpenItem) -> bool:
    """Somebody looks at a question right now; an audit of a released label must not disturb the label."""
    return any(one.state == QuestionState.LEASED and one.purpose != Purpose.OUTGOING for one in item.wanted)


def final_label(answers: Sequence[Answer], final_tiers: frozenset[str]) -> int:
    """What most answers of final tiers say, of equals the one said last; -1 without an answer."""
    final = sorted((a for a in answers if a.tier in final_tiers), key=lambda answer: answer.at)
    said = [answer.label for answer in final]
    last = {label: place for place, label in enumerate(said)}
    return max(last, key=lambda label: (said.count(label), last[label]), default=-1)


def _count(ladder: Sequence[str], tiers: Sequence[Sequence[str | None]]) -> NDArray[np.int64]:
    rows = [[names.count(tier) for tier in ladder] for names in tiers]
    return np.array(rows, np.int64).reshape(len(tiers), len(ladder))


def _posterior_of_stored(
    items: Sequence[OpenItem],
    groups: NDArray[np.int64],
    keys: FunctionKeys,
    bundle: AnyBundle,
    final_tiers: frozenset[str],
) -> tuple[F4, F4 | None]:
    width = sum(len(part.classes) for part in bundle.parts)
    posterior = np.zeros((len(items), width), np.float32)
    classifier = np.full((len(items), width), np.nan, np.float32)
    alike: dict[tuple[int, bool], list[int]] = {}
    for row, item in enumerate(items):
        alike.setdefault((item.functions, _usable(item, bundle)), []).append(row)
    for (functions, with_vector), rows in alike.items():
        vectors = np.array([items[r].vector for r in rows], np.float32) if with_vector else None
        votes = [[a for a in items[r].answers if a.tier not in final_tiers] for r in rows]
        inline = np.array([items[r].inline for r in rows], np.int8).reshape(len(rows), -1)
        posterior[rows], voted = _posterior(inline, keys(functions), vectors, groups[rows], votes, bundle)
        if voted is not None:
            classifier[rows] = voted
    return posterior, classifier if bundle.has_classifier else None


def _usable(item: OpenItem, bundle: AnyBundle) -> bool:
    return bundle.has_classifier and item.vector is not None and item.encoder == bundle.encoder


def _posterior(
    inline: I1,
    keys: Sequence[str],
    vectors: F4 | None,
    groups: NDArray[np.int64],
    answers: Sequence[Sequence[Answer]],
    bundle: AnyBundle,
) -> tuple[F4, F4 | None]:
    """(n, F * K) each, facet by facet: what is said of one tells nothing of the others."""
    n_facets = len(bundle.parts)
    told = [
        _of_facet(
            inline[:, facet::n_facets],
            keys,
            vectors,
            groups,
            answers if n_facets == 1 else [about_facet(given, facet, n_facets) for given in answers],
            part,
        )
        for facet, part in enumerate(bundle.parts)
    ]
    said = [classifier for _, classifier in told if classifier is not None]
    return np.concatenate([posterior for posterior, _ in told], axis=1), (
        np.concatenate(said, axis=1) if said else None
    )


def _of_facet(
    inline: I1,
    keys: Sequence[str],
    vectors: F4 | None,
    groups: NDArray[np.int64],
    answers: Sequence[Sequence[Answer]],
    bundle: Bundle,
) -> tuple[F4, F4 | None]:
    extra, classifier = votes_of(answers, len(bundle.classes)), None
    if vectors is not None and bundle.head is not None:
        proba = bundle.classify(vectors, groups)
        extra = Votes.concat_annotators(extra, bundle.classifier_votes(proba))
        classifier = proba.astype(np.float32)
    posterior = bundle.posterior_dense(inline, tuple(keys), extra if len(extra) else None)
    return posterior.astype(np.float32), classifier
