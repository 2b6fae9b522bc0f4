"""Writes items.jsonl: messages to a shop that does not exist, each put together from what a customer may say.

`python examples/support_topics/make_items.py` writes the same file every time.
"""

import json
import random
from pathlib import Path

COUNT = 600
HOW_MANY_APPLY = {0: 0.15, 1: 0.5, 2: 0.27, 3: 0.08}
A_QUESTION_BESIDES = 0.15
IN_A_HURRY = 0.1
"""Share of messages without capitals and greetings."""

SAYINGS = {
    "billing": (
        "I was charged twice for order {order}",
        "the invoice shows {amount} EUR, but the price in the shop was lower",
        "please pay back the {amount} EUR, I returned the {thing} {days} days ago",
        "my discount code was not taken off",
        "you have taken {amount} EUR from my card although I cancelled",
        "I am still waiting for my money",
        "could I have an invoice with the name of my company on it",
        "why is there a fee of {amount} EUR on my bill",
        "the refund has not reached my bank account yet",
        "the gift card of {amount} EUR was refused",
        "my card was declined, and the money is gone all the same",
        "I would like to pay for it in three installments",
    ),
    "delivery": (
        "where is my order {order}",
        "the parcel should have been here {days} days ago",
        "tracking has not moved since {weekday}",
        "the driver left it with a neighbor whom I do not know",
        "it says delivered, but nothing is here",
        "can the {thing} still be sent to another street",
        "nobody rang the bell, and now I have to fetch it at the depot",
        "could you bring the {thing} on {weekday} in the evening",
        "half of my order is still on its way",
        "the courier threw it over the fence",
        "I have been waiting for the {thing} since {weekday}",
        "will order {order} be shipped this week",
    ),
    "damaged": (
        "the {thing} arrived with a crack",
        "a part of the {thing} is missing",
        "the box was wet, and everything in it is ruined",
        "the battery of the {thing} cannot be charged any more",
        "the {thing} stopped working after {days} days",
        "there is a big scratch on the {thing}",
        "the screen stays black",
        "one leg of the {thing} is bent",
        "the glass was in pieces when I opened it",
        "the {thing} smells burnt when it is on",
        "the zip broke the first time that I used it",
        "the lid does not close, it is out of shape",
    ),
    "account": (
        "I cannot log in any more",
        "the mail to reset my password never comes",
        "please change the address in my profile to {number} {street}",
        "I want you to delete my account",
        "my name is spelled wrong in my profile",
        "somebody else seems to use my login",
        "I have two accounts and would like to have one",
        "how do I change the mail address that you write to",
        "the code that I need to sign in does not arrive",
        "please stop sending me the newsletter",
        "the app signs me out every few minutes",
        "I forgot the name that I signed up with",
    ),
    "praise": (
        "your support was great last time",
        "I love the {thing}",
        "thank you so much for the quick help",
        "you are the best shop that I know",
        "the wrapping was beautiful",
        "it came faster than you had promised, wonderful",
        "{name} on the phone was very kind",
        "my daughter is so happy with the {thing}",
        "everything was perfect otherwise",
        "we will surely order again",
        "five stars from us",
        "the {thing} is even nicer than in the picture",
    ),
}
QUESTIONS = (
    "do you sell spare parts for the {thing}",
    "what is the {thing} made of",
    "are you open on {weekday}",
    "is there a shop of yours in {town}",
    "how heavy is the {thing}",
    "does the {thing} come in blue",
    "I would like to work for you, whom do I write to",
    "we make shoes and are looking for partners",
    "which {thing} is better for a small room",
    "can I try the {thing} before I decide",
    "do you have a catalog on paper",
    "is the {thing} suitable for children",
)
"""About none of the topics."""

SLOTS = {
    "thing": (
        "lamp",
        "kettle",
        "jacket",
        "desk",
        "headset",
        "backpack",
        "phone",
        "bike light",
        "chair",
        "watch",
    ),
    "weekday": ("Monday", "Tuesday", "Thursday", "Friday", "Saturday"),
    "name": ("Ada", "Ben", "Chloe", "Dario", "Emre", "Fay", "Greta", "Hugo"),
    "street": ("Mill Lane", "Station Road", "Harbor Street", "Elm Avenue"),
    "town": ("Utrecht", "Leeds", "Graz", "Porto"),
}
OPENINGS = ("Hello, ", "Hi, ", "Dear team, ", "Good morning, ", "", "", "")
JOINTS = (" ", " ", " Also, ", " By the way, ")
ENDINGS = (" Thanks in advance.", " Best, {name}", " Please answer soon.", "", "", " Kind regards, {name}")
ASKING = ("could", "why", "where", "can", "will", "how", "do", "what", "are", "is", "does", "which")


def say(saying: str, chance: random.Random) -> str:
    """With something in each of its slots."""
    slots = {name: chance.choice(choices) for name, choices in SLOTS.items()}
    return saying.format(
        order=chance.randint(10_000, 99_999),
        amount=f"{chance.randint(5, 240)}.{chance.choice(('00', '50', '90'))}",
        days=chance.randint(2, 14),
        number=chance.randint(1, 90),
        **slots,
    )


def message(topics: list[str], chance: random.Random) -> str:
    """A message about these topics."""
    sayings = [chance.choice(SAYINGS[topic]) for topic in topics]
    if not topics or chance.random() < A_QUESTION_BESIDES:
        sayings.append(chance.choice(QUESTIONS))
    chance.shuffle(sayings)
    text = sentence(sayings[0], chance)
    for saying in sayings[1:]:
        joint = chance.choice(JOINTS)
        said = sentence(saying, chance)
        text += joint + (upper(said) if joint == " " else said)
    if chance.random() < IN_A_HURRY:
        return text.lower().rstrip(".")
    return upper(chance.choice(OPENINGS) + text) + say(chance.choice(ENDINGS), chance)


def sentence(saying: str, chance: random.Random) -> str:
    """With its full stop or question mark."""
    return say(saying, chance) + ("?" if saying.split(maxsplit=1)[0] in ASKING else ".")


def upper(text: str) -> str:
    """With its first letter in upper case."""
    return text[:1].upper() + text[1:]


def items() -> list[dict[str, object]]:
    """All items, `truth` beside each text."""
    chance = random.Random(5)
    made: dict[str, list[str]] = {}
    while len(made) < COUNT:
        (many,) = chance.choices([*HOW_MANY_APPLY], [*HOW_MANY_APPLY.values()])
        topics = chance.sample([*SAYINGS], many)
        made.setdefault(message(topics, chance), [topic for topic in SAYINGS if topic in topics])
    return [
        {"id": f"message-{place:03d}", "text": text, "truth": topics}
        for place, (text, topics) in enumerate(made.items(), start=1)
    ]


if __name__ == "__main__":
    lines = [json.dumps(item) + "\n" for item in items()]
    Path(__file__).with_name("items.jsonl").write_text("".join(lines))
