"""What GET /api/insights says."""

from pydantic import BaseModel, Field


class TrendOut(BaseModel):
    """A function among the checked items of one stretch of time."""

    at: int = Field(description="Of the last answer in it, milliseconds since 1970, UTC.")
    items: int = Field(description="Checked items.")
    votes: int = Field(description="On how many of them the function voted.")
    right: int = Field(description="How many of these votes were right.")


class FunctionOut(BaseModel):
    """A labeling function, of multilabel tasks about one class."""

    name: str
    version: str
    about: str = Field(description="Of multilabel tasks: the class; empty otherwise.")
    coverage: float = Field(description="Share of the newest items on which it voted.")
    overlaps: float = Field(description="Where another function voted as well.")
    conflicts: float = Field(description="Where another function voted differently.")
    votes: dict[str, int] = Field(description="Option -> votes for it among the newest items.")
    checked: int = Field(description="Votes on items that an expert answered blind, picked by chance.")
    right: float | None = Field(description="Share of the checked votes that were right; null without any.")
    low: float | None = Field(description="Of its 95 % Wilson interval.")
    high: float | None = Field(description="Of its 95 % Wilson interval.")
    trend: list[TrendOut] = Field(description="Oldest first; empty while too little is checked.")


class ConfusionOut(BaseModel):
    """Experts' blind answers (rows) against automatic labels as frozen (columns)."""

    about: str = Field(description="Of multilabel tasks: the class; empty otherwise.")
    options: list[str] = Field(description="Names of rows and columns.")
    counts: list[list[int]] = Field(description="Audits.")
    weights: list[list[float]] = Field(description="Frozen items that these audits stand for.")


class RiskOut(BaseModel):
    """Were all labels at and above `score` accepted."""

    score: float
    coverage: float = Field(description="Share of the frozen items.")
    risk: float = Field(description="Share of wrong labels among them, by weighted audits.")
    low: float = Field(description="Of its approximate 95 % interval.")
    high: float = Field(description="Of its approximate 95 % interval.")
    audits: int


class CertifiedOut(BaseModel):
    """What a window released."""

    window: int
    coverage: float = Field(description="Share of its items that was released.")
    risk: float = Field(description="Share of wrong ones among them that its certificate allows.")
    score: float = Field(description="From which score on.")


class CostOut(BaseModel):
    """Items that came in one stretch of time, or the first of them."""

    start: int = Field(description="Milliseconds since 1970, UTC.")
    end: int
    items: int = Field(description="Looked at.")
    human: int = Field(description="Of these, labeled by people.")
    per_label: float = Field(description="Spent on answers about an item, on average.")


class InsightsOut(BaseModel):
    """What samples of stored items say of functions, automatic labels and costs."""

    items: int = Field(description="Newest items whose votes were counted.")
    checked: int = Field(description="Random blind answers that functions are judged by, newest ones.")
    windows: int = Field(description="Closed windows whose audits were looked at, newest ones.")
    target_error: float
    confidence: float
    currency: str
    functions: list[FunctionOut]
    confusions: list[ConfusionOut] = Field(description="One, or of multilabel tasks one a class.")
    curve: list[RiskOut] = Field(description="Surest first.")
    certified: list[CertifiedOut] = Field(description="Oldest window first.")
    costs: list[CostOut] = Field(description="Oldest first.")
