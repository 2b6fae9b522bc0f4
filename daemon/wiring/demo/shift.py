"""A stream that becomes another one halfway: new campaigns, disguised spellings, longer letters."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from daemon.wiring.demo.corpus import Message

SPAM = "spam"
CAMPAIGN_SHARE = 0.2
"""Share of new campaigns' messages among those of the second half."""

DISGUISED = 0.7
"""Share of longer words that a disguised message spells in another way."""

LOOKALIKES = str.maketrans({"e": "3", "o": "0", "i": "!", "a": "@", "s": "$", "E": "3", "O": "0", "I": "!"})

CAMPAIGNS = (
    "{hello} mum, i dropped my phone, {his} number is my new one, {please} send me a message on it, {love}",
    "{hello} dad it's me, my phone is at the shop, can you {pay} a bill for me {today}? {love}",
    "your parcel could not be delivered {today}, {please} choose a date and {pay} the small fee at {site}",
    "a new device has signed in {today}. if it was not you {please} confirm your data at {site}",
    "we read your cv and offer you work from home, {hours} a day, {please} write to {name} {today}",
    "{hello}, it's {name}, i have doubled my savings with this coin in {hours}, {please} ask me how",
    "your tax refund is waiting, {please} give us your card details at {site} so that we {pay} it {today}",
    "{hello}, is this {name}? we met at the fair, i would {love} to tell you about my investment",
)
SLOTS = {
    "hello": ("hi", "hello", "hey", "good morning", "dear"),
    "please": ("please", "pls", "kindly", "just", "could you"),
    "today": ("today", "this morning", "now", "before tonight", "by tomorrow"),
    "pay": ("pay", "settle", "transfer", "cover"),
    "love": ("love", "love you", "like", "be glad"),
    "his": ("this", "the other", "the second"),
    "hours": ("two hours", "three hours", "an hour", "a few minutes", "half an hour"),
    "name": ("Anna", "Tom", "Lena", "Mark", "Sofia", "Paul", "Emma", "David", "Nina", "Chris"),
    "site": (
        "my-parcel point info",
        "secure-desk point net",
        "help-centre point org",
        "refund-desk point info",
    ),
}
PLACES = (
    "London",
    "Leeds",
    "Bristol",
    "Cardiff",
    "Dublin",
    "York",
    "Bath",
    "Derby",
    "Oxford",
    "Dover",
    "Ely",
    "Hull",
)


def shifted(messages: Sequence[Message], seed: int = 0) -> list[Message]:
    """The same messages in two halves of different kinds, and new campaigns in the second.

    First come the shorter half of the ham and half of the spam, in their order; then the longer ham, the
    other spam in disguise, and messages of campaigns that nobody has seen. The second half's messages are
    marked `shifted`.
    """
    chance = random.Random(seed)
    longer = _longer_ham(messages)
    spam = [message for message in messages if message.truth == SPAM]
    disguised = {message.id for message in spam[len(spam) // 2 :]}
    before = [message for message in messages if message.id not in longer | disguised]
    after = [
        replace(message, text=disguise(message.text, chance) if message.id in disguised else message.text)
        for message in messages
        if message.id in longer | disguised
    ]
    n_new = round(len(after) * CAMPAIGN_SHARE / (1 - CAMPAIGN_SHARE))
    after += [Message(f"new-{n:05d}", campaign(chance), SPAM) for n in range(1, n_new + 1)]
    chance.shuffle(after)
    return before + [replace(message, shifted=True) for message in after]


def disguise(text: str, chance: random.Random) -> str:
    """Letters become look-alikes, long numbers are spelled with dots, currency signs with words."""

    def spell(word: re.Match[str]) -> str:
        return word[0].translate(LOOKALIKES) if chance.random() < DISGUISED else word[0]

    text = re.sub(r"\d{4,}", lambda number: ".".join(number[0]), text.replace("£", "quid "))
    return re.sub(r"[A-Za-z]{4,}", spell, text)


def campaign(chance: random.Random) -> str:
    """A message of one of the new campaigns, with its slots filled."""
    filled = chance.choice(CAMPAIGNS).format(**{slot: chance.choice(words) for slot, words in SLOTS.items()})
    return f"{filled[0].upper()}{filled[1:]}. {chance.choice(PLACES)}"


def _longer_ham(messages: Sequence[Message]) -> set[str]:
    ham = sorted((message for message in messages if message.truth != SPAM), key=lambda one: len(one.text))
    return {message.id for message in ham[len(ham) // 2 :]}
