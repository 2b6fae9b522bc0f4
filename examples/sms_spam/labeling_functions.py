"""Is this text message spam? Eleven rules of thumb; each knows little, together they know a lot.

A function votes for a class by name, or returns None when it has nothing to say.
"""

import re

from labeling_functions import Item, batch_labeling_function, keywords, labeling_function, matches

PRIZE = "winner prize award awarded claim guaranteed jackpot voucher vouchers bonus quiz"
DAILY_LIFE = (
    "home lunch dinner sleep class mum mom dad bus he she him her morning house work later bed car dear"
)
CHAT = "ok okay lor lol da wat haha yeah yup nope dun gonna oh ya hmm gud dat thk already later cos liao lar"
SMALL_PRINT = (
    r"\bt\s?&\s?c|\btsandcs\b|\bp\.?o\.? ?box|\bopt.?out\b|\bunsub\w*|\b(?:16|18)\s?\+|\bstd\b|www\.|\.co\.uk"
)

# Who sells something has to say what is to be had, what it costs and where to call.
prize = keywords("prize", [*PRIZE.split(), "have won", "been selected", "entry into"], "spam")
phone_number = matches("phone_number", r"(?<!\d)(?:0\d{9,10}|0[89]\d{2}[ -]?\d{3}[ -]?\d{3,4})(?!\d)", "spam")
short_code = matches("short_code", r"(?i)\b(?:to|on|txt|text|sms|from|stop)\W{0,3}\d{4,6}\b", "spam")
price = matches("price", r"(?i)£\s?\d|\b\d{1,3}\s?p\b|\d{2,3}\s?(?:ppm|p/|p per)|\bpounds\b", "spam")
small_print = matches("small_print", SMALL_PRINT, "spam", flags=re.IGNORECASE)

# No advertisement says "I", asks when you come home, or writes as friends write.
about_me = keywords(
    "about_me", ["i'm", "i'll", "i've", "im", "ill", "i dont", "i was", "i am", "i think"], "ham"
)
daily_life = keywords("daily_life", [*DAILY_LIFE.split(), "sorry", "love you"], "ham")
chat_words = keywords("chat_words", [*CHAT.split(), "&lt;#&gt;", ":)", ":-)"], "ham")


@labeling_function
def short_and_plain(item: Item) -> str | None:
    """Advertisements need room; a few words without a number are from a friend."""
    text: str = item.text
    return "ham" if len(text) < 60 and not any(character.isdigit() for character in text) else None


@labeling_function(resources={"digits": 8, "capitals": 3})
def digits_and_capitals(item: Item, digits: int, capitals: int) -> str | None:
    """Many digits beside several shouted words."""
    shouted = re.findall(r"\b[A-Z]{3,}\b", item.text)
    return "spam" if sum(map(str.isdigit, item.text)) >= digits and len(shouted) >= capitals else None


@batch_labeling_function
def excited(items: list[Item]) -> list[str | None]:
    """An exclamation mark and something new or free. Friends get excited too: a noisy function on purpose."""
    return ["spam" if "!" in one.text and re.search(r"(?i)free|new", one.text) else None for one in items]
