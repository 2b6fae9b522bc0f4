"""How a call is made, from the outside in: tried again, spared while the endpoint is out, limited, sent."""

import os
import threading
from collections.abc import Mapping

from labeling_functions.llm.breaker import Breaker, BreakerSettings, Guarded
from labeling_functions.llm.chat_model import ChatModel
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.limits import Limited, Limits
from labeling_functions.llm.one_by_one import OneByOne
from labeling_functions.llm.openai_compatible import OpenAICompatible
from labeling_functions.llm.retrying import Retrying, RetrySettings


def endpoint_model(
    name: str,
    endpoint: EndpointSettings,
    stop: threading.Event,
    environment: Mapping[str, str] = os.environ,
) -> ChatModel:
    """The one way to an endpoint: make it once a process, and share it among threads and variants.

    Caches and ledgers go around it: everything that it tries again was not paid, so that one `ask` is paid
    once at most (once a sample where the endpoint gives one a call).

    Args:
        name: of the endpoint, for messages.
        stop: ends every wait; calls that were sent are waited for.
        environment: holds the key.

    Raises:
        KeyMissing: the endpoint wants a key, and its variable is not set.
    """
    sent = OpenAICompatible(endpoint, endpoint.key(environment))
    within_limits = Limited(sent, endpoint, Limits(endpoint, stop))
    spared = Guarded(within_limits, Breaker(f"endpoint {name}", BreakerSettings()))
    tried_again = Retrying(spared, RetrySettings(), stop)
    return tried_again if endpoint.samples else OneByOne(tried_again)
