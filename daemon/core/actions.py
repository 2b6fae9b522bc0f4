"""The key of every event that Labelloop logs, with its meaning: the one list.

Programs that read the log go by these keys. Sentences may change, keys do not.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """An event. `key`: stands in the log as `action`. `meaning`: what has happened, in a sentence."""

    key: str
    meaning: str


ACTIONS: tuple[Action, ...] = (
    Action("worker_started", "A stream worker begins; its name stands in the process report."),
    Action("encoder_loaded", "The encoder is there; which precision it computes in, and why."),
    Action("kafka_partitions_placed", "Partitions were assigned and are read from their stored positions."),
    Action("kafka_unreachable", "The broker is silent; the worker waits for it."),
    Action("kafka_back", "The broker answers again."),
    Action("kafka_position_refused", "The broker does not have the position asked for; it is found anew."),
    Action("kafka_topic_anew", "A topic was deleted and made anew; it is read from its beginning."),
    Action("kafka_commit_refused", "A commit for lag displays was refused, as in a rebalance. Harmless."),
    Action("fence_lost", "Another worker saved this batch: it is dropped, and read on from what is stored."),
    Action("items_raced", "Another worker stored some items meanwhile; the batch is labeled without them."),
    Action("function_failed", "A labeling function failed for the first time; it abstains where it does."),
    Action("function_slow", "A labeling function took longer on a batch than `stream.function_seconds`."),
    Action("recheck_postponed", "Items with news wait, as the broker cannot say where messages go."),
    Action("publish_failed", "The broker did not take messages; they stay in the outbox and are sent again."),
    Action("tier_spent", "The budget of a tier is used up for today; its items are routed anew."),
    Action("window_frozen", "A window froze, and its audits are asked."),
    Action("window_closed", "The audits of a window are in, and its labels are released or sent back."),
    Action("window_unaffordable", "The day's budget cannot pay a window's audits; it waits a minute."),
    Action("release_unaffordable", "The budget cannot pay audits of what a window would release; it waits."),
    Action("suspended", "The ledger says that too much of what was released is wrong; nothing is released."),
    Action("resumed", "Labels are released again."),
    Action("corrected", "New models took back labels that were released."),
    Action("items_removed", "A walk over items older than `database.keep_days` removed some."),
    Action("drift_alarm", "The stream is no longer what the models learned from."),
    Action("drift_ended", "The models have learned of a drift; its alarms end."),
    Action("promoted", "New models are in use."),
    Action("bundle_refused", "Stored models are damaged or of another version; those before stay in use."),
    Action("not_promoted", "A training run was no better, and is kept for the record."),
    Action("picked", "Items to learn from were picked, or picking stops or goes on."),
    Action("training_stopped", "A training run ended before its time; the next look begins another."),
    Action("duty_lost", "Another learner took over while this one trained; its run is dropped."),
    Action("registry_unavailable", "MLflow could not be told of a run or a promotion; labels do not wait."),
    Action("annotate_rests", "A language model's endpoint is out, busy or too dear; its tier rests."),
    Action("annotate_back", "A call went well after a rest; its tier is asked again."),
    Action("call_waits", "A language model has answered, and the database is away: the answer waits for it."),
    Action("annotate_waits", "The database is away: what was paid for is kept until it can be saved."),
    Action(
        "paid_unsaved", "`annotate` ended while the database was away: what of what it paid for is not saved."
    ),
    Action("traces_wait", "MLflow takes no traces; as many as find room wait."),
    Action("traces_back", "MLflow takes traces again."),
    Action("traces_dropped", "Traces found no room and are lost."),
    Action("outside_rests", "The program in which people answer cannot be reached; its tier rests."),
    Action("outside_refused", "An answer from outside came too late or twice, and is not taken."),
    Action("outside_unread", "An answer from outside makes no sense."),
    Action("outside_not_kept_out", "Mechanical Turk could not be told to keep a paused worker out."),
    Action("webhook_failed", "An event was not delivered, and is tried again."),
    Action("webhook_dead", "An event was tried too often and is given up."),
    Action("database_away", "The database cannot be reached; pages and API answer 503."),
    Action("replay_progress", "A replay goes on; told now and then where no terminal shows a bar."),
    Action("metrics_served", "Metrics and health are served at this address."),
    Action("metrics_unavailable", "`metrics.port` cannot be had; the process works on without."),
    Action("child_started", "`up` started a process."),
    Action("restart", "A process of `up` ended by itself and is started again."),
    Action("part_away", "A process of `up` ended as a part did not answer; it is tried until it does."),
    Action("child_killed", "A process of `up` did not end in time and was killed."),
)
