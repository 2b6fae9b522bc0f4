"""How texts become vectors, and which do: settings of speed and memory, never of what a vector means."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from models.encoder import BATCH_TOKENS
from models.encoder_precision import Precision

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class EncodingSettings:
    """How the encoder works; vectors mean the same whatever stands here.

    Attributes:
        precision: `float32`, `bfloat16` (faster where the processor has it), or `auto`:
            the faster of the two by a measurement of a second when a process starts. bfloat16 is taken only
            if each text of a sample has its vector of float32 up to a cosine of .999.
        processes: how many processes beside `labelloop run` compute its vectors, with one thread each; 1: it
            computes them itself. On cores that nothing else wants, as many processes as cores may be faster
            than as many threads; each takes the encoder's memory.
        batch_tokens: tokens that go through the model at once; texts of like length go together.
        cache_megabytes: memory for vectors of texts that came before, the last ones used; 0 for none.
        skip_certified: items get no vector, and no vote of the classifier, if their score by functions alone
            reaches the threshold of the window that closed last. One in ten of all items gets one in any
            case, and all do where that window released nothing, while an alarm of drift is open, and while
            releases are suspended.
    """

    precision: Precision = "auto"
    processes: Annotated[int, Ge(1), Le(64)] = 1
    batch_tokens: Annotated[int, Ge(64), Le(100_000)] = BATCH_TOKENS
    cache_megabytes: Annotated[int, Ge(0), Le(100_000)] = 64
    skip_certified: bool = False

    @property
    def cache_bytes(self) -> int:
        """The cache's bound in bytes."""
        return self.cache_megabytes * MEGABYTE
