"""How one variant of a language model is asked; every variant is an annotator of its own."""

from dataclasses import dataclass, field, fields
from typing import Annotated, Literal, get_args

from annotated_types import Ge, Le

Selection = Literal["fixed", "similar", "diverse"]
"""How exemplars are chosen; `exemplars.SELECTIONS` holds the functions."""

ConfidenceSource = Literal["auto", "logprobs", "verbalized", "samples", "none"]
"""Where the confidence of an answer comes from."""

JudgeKind = Literal["pairwise", "scores"]
"""How a pair of responses is judged; `judges.JUDGES` holds the classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemplarSettings:
    """Which items, with people's answers, a prompt shows before the one to label.

    Attributes:
        count: how many; 0 for none.
        how: `fixed` the same ones for every item, `similar` the nearest by embedding, `diverse` the nearest
            of each class in turn.
    """

    count: Annotated[int, Ge(0), Le(64)] = 0
    how: Selection = "diverse"

    @property
    def version_parts(self) -> tuple[object, ...]:
        """What shapes the answers, for a hash."""
        return (self.count, self.how)

    def __post_init__(self) -> None:
        _within("exemplars: count", self.count, 0, 64)
        _one_of("exemplars: how", self.how, get_args(Selection))


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMSettings:
    """One way of asking a language model.

    Attributes:
        endpoint: name of the endpoint that serves the model.
        model: the model's name as the endpoint knows it.
        template: text of a Jinja2 template with any of the blocks `preamble`, `exemplar`, `item` and
            `ending`; blocks that it leaves out, or all without a template, are the built-in ones.
        template_file: file with that text; one of the two may be given.
        exemplars: answered items that the prompt shows first.
        chain_of_thought: whether the model reasons before it answers.
        samples: answers drawn for each item; more than one are put to the vote (self-consistency).
        temperature: 0 for the likeliest answer; samples differ only above it.
        max_tokens: longest answer, in tokens, of each sample; what the form of answer takes if not given.
        batch: items in one prompt.
        confidence: `logprobs` of the label's tokens, `verbalized` as the model says, vote shares of
            `samples`, or `none`; `auto` takes shares where there are samples, else log-probabilities where
            the endpoint gives them, else what the model says. Not `logprobs` in a
            multilabel task, where an answer is a list: `auto` takes shares, else what the model says there.
        judge: of preference tasks: `pairwise` compares the two responses, asked in both orders, `scores`
            gives each a score of 1 to 5 for itself; `pairwise` unless given.
    """

    endpoint: str
    model: str
    template: str = ""
    template_file: str = ""
    exemplars: ExemplarSettings = field(default_factory=ExemplarSettings)
    chain_of_thought: bool = False
    samples: Annotated[int, Ge(1), Le(64)] = 1
    temperature: Annotated[float, Ge(0), Le(2)] = 0.0
    max_tokens: Annotated[int, Ge(1)] | None = None
    batch: Annotated[int, Ge(1), Le(50)] = 1
    confidence: ConfidenceSource = "auto"
    judge: JudgeKind | None = None

    def __post_init__(self) -> None:
        for name, text in (("endpoint", self.endpoint), ("model", self.model)):
            if not text.strip():
                raise ValueError(f"{name}: is empty; it says whom to ask")
        if self.template and self.template_file:
            raise ValueError("template: given besides template_file; keep one of the two")
        _within("samples", self.samples, 1, 64)
        _within("temperature", self.temperature, 0, 2)
        _within("batch", self.batch, 1, 50)
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens: {self.max_tokens} is below 1; leave it out for enough")
        _one_of("confidence", self.confidence, get_args(ConfidenceSource))
        self._check_samples()

    def _check_samples(self) -> None:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(f"samples: {self.samples} at temperature 0 are all the same; set a temperature")
        if self.samples > 1 and self.confidence in ("logprobs", "verbalized"):
            raise ValueError(
                f"confidence: {self.confidence} is of one answer; {self.samples} samples are voted on"
            )
        if self.samples == 1 and self.confidence == "samples":
            raise ValueError("confidence: samples needs more than one; set samples")

    @property
    def version_parts(self) -> tuple[object, ...]:
        """What shapes the answers, for a hash: all but where the model is reached, and the kind of judge,
        which has a version of its own."""
        return tuple(getattr(self, one.name) for one in fields(self) if one.name not in ("endpoint", "judge"))

    @property
    def confidence_source(self) -> ConfidenceSource:
        """`confidence`, with `auto` settled where there are several samples."""
        return "samples" if self.confidence == "auto" and self.samples > 1 else self.confidence


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name}: {value} is not within {least} to {most}")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name}: {value!r} is not one of {', '.join(known)}")
