"""What is a message to a shop about? Rules of thumb; each says only what it can know."""

import re
from collections.abc import Mapping

from labeling_functions import Item, labeling_function, only
from labeling_functions.answers import Only

MONEY = re.compile(r"\b(charged|invoices?|refund\w*|money|eur|pay|paid|fee|card|discount|installments)\b")
ON_ITS_WAY = re.compile(
    r"\b(parcel|tracking|driver|courier|depot|shipped|delivered|on its way|waiting for the|where is my)\b"
)
BROKEN = re.compile(r"\b(crack|missing|ruined|stopped working|scratch|black|bent|pieces|burnt|broke|shape)\b")
LOGIN = re.compile(
    r"\b(log in|login|password|profile|accounts?|newsletter|signs? me out|sign in|signed up)\b"
)
KIND = re.compile(r"\b(great|love|best shop|beautiful|wonderful|very kind|happy|perfect|five stars|nicer)\b")
UPSET = re.compile(r"\b(twice|still|although|nobody|cannot|never|should have been|threw|gone)\b")
BEFORE_BUYING = re.compile(
    r"\b(do you (sell|have)|made of|open on|shop of yours|how heavy|come in blue|try the|suitable|partners)\b"
)
HAS_IT = re.compile(
    r"\b(when i opened|arrived with|stopped working|that i used it|nicer than in the picture)\b"
)
TOPIC_WORDS = {
    "billing": MONEY,
    "delivery": ON_ITS_WAY,
    "damaged": BROKEN,
    "account": LOGIN,
    "praise": KIND,
}


@labeling_function
def money_words(x: Item) -> str | None:
    """A word about money. That a battery "cannot be charged" is something else, which it does not know."""
    return "billing" if MONEY.search(x.text.lower()) else None


@labeling_function
def on_its_way(x: Item) -> str | None:
    """A word about parcels. Nothing is said of other topics: most messages have several."""
    return "delivery" if ON_ITS_WAY.search(x.text.lower()) else None


@labeling_function
def broken(x: Item) -> list[str]:
    """Something is broken; where there is talk of a refund, two topics apply. An empty list says nothing."""
    text = x.text.lower()
    if not BROKEN.search(text):
        return []
    return ["damaged", "billing"] if re.search(r"\b(refund|money back|pay back)\b", text) else ["damaged"]


@labeling_function
def nothing_but_the_account(x: Item) -> Only | str | None:
    """The account; if it is a short message without any other word that we know, nothing else."""
    text = x.text.lower()
    if not LOGIN.search(text):
        return None
    others = any(words.search(text) for name, words in TOPIC_WORDS.items() if name != "account")
    return only("account") if not others and len(text) < 90 else "account"


@labeling_function
def mood(x: Item) -> Mapping[str, bool] | None:
    """Kind words are praise, and upset ones without any are none."""
    text = x.text.lower()
    if KIND.search(text):
        return {"praise": True}
    return {"praise": False} if UPSET.search(text) else None


@labeling_function
def it_is_there(x: Item) -> Mapping[str, bool] | None:
    """Who has it in hand does not wait for it."""
    return {"delivery": False} if HAS_IT.search(x.text.lower()) else None


@labeling_function
def question_before_buying(x: Item) -> Only | None:
    """A question about goods or shops, and no word of a problem or of praise: no topic applies."""
    text = x.text.lower()
    if not BEFORE_BUYING.search(text) or any(words.search(text) for words in TOPIC_WORDS.values()):
        return None
    return only()


@labeling_function
def one_thing_at_a_time(x: Item) -> Mapping[str, bool] | None:
    """A short message about one thing is not about the others that we have words for."""
    text = x.text.lower()
    found = [name for name, words in TOPIC_WORDS.items() if words.search(text)]
    if len(found) != 1 or len(text) > 70:
        return None
    return {name: False for name in TOPIC_WORDS if name not in found}
