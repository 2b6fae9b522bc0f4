"""A training run to log, as the learner would describe one."""

import numpy as np

from daemon.core.runs import DatasetFacts, TrainingRun

CLASSES = ("ham", "spam")


def example_run(
    bundle: bytes = b"a bundle", encoder: str | None = "all-MiniLM-L6-v2", **changes: object
) -> TrainingRun:
    """A promoted run with ten functions; `changes` replace fields."""
    coverage = np.arange(1, 101) / 100
    fields: dict[str, object] = {
        "name": "candidate 7",
        "classes": CLASSES,
        "parameters": {"label_model": "dawid_skene", "seed": 0, "target_error": 0.05},
        "metrics": {"accuracy": 0.957, "log_loss": 0.12, "recall/spam": 0.91},
        "function_table": [
            {"function": f"says_prize_{i}", "coverage": 0.1 + i / 100, "conflicts": 0.01, "votes": 40 + i}
            for i in range(10)
        ],
        "member_table": [{"member": "hbcc(lam=0.1)", "weight": 0.75, "temperature": 0.4, "log_loss": 0.13}],
        "class_table": [{"class": "ham", "f1": 0.975}, {"class": "spam", "f1": 0.87}],
        "annotator_table": [
            {"annotator": "llm:cheap/plain@9f", "votes": 40, "checked": 12, "accuracy": 0.75}
        ],
        "change_table": [{"what": "log-loss on the audits compared", "champion": 0.151, "candidate": 0.12}],
        "confusion": np.array([[400, 12], [9, 70]]),
        "reliability": np.array([[0.55, 0.5, 20], [0.75, 0.72, 50], [0.85, 0.9, 90], [0.97, 0.98, 331]]),
        "risk_coverage": np.column_stack([coverage, 0.08 * coverage**3]),
        "dataset": DatasetFacts("5f" * 32, 491, "topic items"),
        "bundle": bundle,
        "encoder": encoder,
        "promoted": True,
        "reason": "log-loss 0.120 against 0.151 on 80 audits",
    }
    return TrainingRun(**{**fields, **changes})  # type: ignore[arg-type]
