"""Money of the tiers: reserved when a question is made, spent when it is answered, released when it is not.

`budgets` holds one row a tier and UTC day, `spend` one row a question (or an outside answer). A row of
`budgets` is locked by whoever changes it until the transaction ends, so that no cap is ever passed;
transactions that change several call `hold` first, which locks them in one order.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, select, tuple_, update

from daemon.adapters.store.bulk import among, bulk_insert, upsert
from daemon.adapters.store.schema import budgets, spend

DAY = 86_400_000


def day(at: int) -> str:
    """Budget period of a moment (ms): its UTC day, 'YYYY-MM-DD'."""
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def next_day(at: int) -> int:
    """Milliseconds at which the next period starts."""
    return (at // DAY + 1) * DAY


def hold(connection: Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """Lock the rows of these (tier, period) pairs, made if absent, in one order for everybody."""
    wanted = sorted(set(pairs))
    if wanted:
        new = [{"tier": tier, "period": period, "reserved": 0, "spent": 0} for tier, period in wanted]
        connection.execute(upsert(connection, budgets, ["tier", "period"], []), new)
        connection.execute(
            select(budgets.c.tier)
            .where(tuple_(budgets.c.tier, budgets.c.period).in_(wanted))
            .order_by(budgets.c.tier, budgets.c.period)
            .with_for_update()
        )


def reserve(connection: Connection, tier: str, price: int, count: int, cap: int | None, period: str) -> int:
    """Reserve the price of up to `count` answers; how many the cap (micro-units, None: no limit) allows.

    `book` then writes the questions' rows of `spend`.
    """
    row = connection.execute(
        upsert(connection, budgets, ["tier", "period"], ["cap"]).returning(
            budgets.c.reserved, budgets.c.spent
        ),
        {"tier": tier, "period": period, "cap": cap, "reserved": 0, "spent": 0},
    ).one()
    granted = count
    if cap is not None and price > 0:
        granted = max(0, min(count, (cap - row.reserved - row.spent) // price))
    _add(connection, tier, period, reserved=granted * price)
    return granted


def book(
    connection: Connection,
    questions: Sequence[int],
    items: Sequence[str],
    tiers: Sequence[str],
    prices: Sequence[int],
    now: int,
) -> None:
    """Write the reservations of new questions (their sums were reserved before)."""
    count = len(questions)
    bulk_insert(
        connection,
        spend,
        {
            "at": [now] * count,
            "tier": tiers,
            "question": questions,
            "item": items,
            "state": ["reserved"] * count,
            "micros": prices,
        },
    )


def pay(connection: Connection, question: int, annotator: int, seconds: float, tokens: int = 0) -> int:
    """Turn a question's reservation into money spent; micro-units paid, 0 if none was reserved."""
    row = connection.execute(
        update(spend)
        .where(spend.c.question == question, spend.c.state == "reserved")
        .values(state="spent", annotator=annotator, seconds=seconds, tokens=tokens)
        .returning(spend.c.tier, spend.c.at, spend.c.micros)
    ).one_or_none()
    if row is None:
        return 0
    _add(connection, row.tier, day(row.at), reserved=-row.micros, spent=row.micros)
    return int(row.micros)


def unpay(connection: Connection, question: int) -> None:
    """Turn money spent on a question back into a reservation: its answer was taken back."""
    row = connection.execute(
        update(spend)
        .where(spend.c.question == question, spend.c.state == "spent")
        .values(state="reserved", annotator=None, seconds=0, tokens=0)
        .returning(spend.c.tier, spend.c.at, spend.c.micros)
    ).one_or_none()
    if row is not None:
        _add(connection, row.tier, day(row.at), reserved=row.micros, spent=-row.micros)


def pay_outside(
    connection: Connection, item: str, tier: str, annotator: int, micros: int, seconds: float, now: int
) -> None:
    """Write down money for an answer that no question asked for; it counts in the day's budget."""
    hold(connection, [(tier, day(now))])
    _add(connection, tier, day(now), spent=micros)
    connection.execute(
        spend.insert().values(
            at=now, tier=tier, annotator=annotator, item=item, state="spent", micros=micros, seconds=seconds
        )
    )


def release(connection: Connection, questions: Sequence[int], also: Iterable[tuple[str, str]] = ()) -> None:
    """Give back what is still reserved for these questions.

    `also`: (tier, period) pairs that the same transaction will change after this.
    """
    sums: dict[tuple[str, str], int] = defaultdict(int)
    if questions:
        released = (
            update(spend)
            .where(among(connection, spend.c.question, questions), spend.c.state == "reserved")
            .values(state="released")
            .returning(spend.c.tier, spend.c.at, spend.c.micros)
        )
        for row in connection.execute(released):
            sums[row.tier, day(row.at)] += row.micros
    hold(connection, [*sums, *also])
    for (tier, period), micros in sorted(sums.items()):
        _add(connection, tier, period, reserved=-micros)


def give_back(connection: Connection, tier: str, period: str, micros: int) -> None:
    """Undo a part of `reserve` for which no question was made."""
    _add(connection, tier, period, reserved=-micros)


def _add(connection: Connection, tier: str, period: str, reserved: int = 0, spent: int = 0) -> None:
    connection.execute(
        update(budgets)
        .where(budgets.c.tier == tier, budgets.c.period == period)
        .values(reserved=budgets.c.reserved + reserved, spent=budgets.c.spent + spent)
    )
