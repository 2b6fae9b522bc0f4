"""`python -m benchmarks [NAME ...]`: run the named benchmarks, or all of them."""

import importlib
import sys

BENCHMARKS = {
    "labeling_functions": "our applier beside snorkel's",
    "label_models": "label models on public (LABELLOOP_DATA) and synthetic votes, and the pool's bars",
    "label_model_speed": "time to fit label models beside snorkel's, and to score a micro-batch",
    "encoder": "our encoder beside sentence-transformers' default, on one thread and on all cores",
    "training": "the whole posterior after training, with and without the classifier (LABELLOOP_DATA)",
    "sets": "where any number of classes may apply: whole sets right, honest scores, time",
    "query_strategies": "what to learn from: accuracy by labels (LABELLOOP_DATA)",
    "routing": "accuracy by money spent on answers (LABELLOOP_DATA)",
    "crowds": "recorded crowds replayed, beside ten answers on every item (LABELLOOP_DATA)",
    "local_llm": "SmolLM2 as an annotator, and the posterior with it (LABELLOOP_DATA, extra local-llm)",
    "injections": "instructions inside of items against SmolLM2 (LABELLOOP_DATA, extra local-llm)",
    "preferences": "judges, their position bias, and human, AI or both kinds of feedback (LABELLOOP_DATA)",
    "llm_votes": "recorded labels of GPT-4o: accuracy, cost, share automated at 5 % error (LABELLOOP_DATA)",
    "drift": "how soon changes are noticed, beside confidence alone and a KS window (LABELLOOP_DATA)",
    "replay": "an archive labeled anew, beside a plain loop of the same work",
    "reviewers": "forty people at four review processes: slots, leases, pauses, waits (needs PostgreSQL)",
    "end_to_end": "the whole stream beside a consumer that calls snorkel (needs PostgreSQL and Kafka)",
    "retraining": "cost of a training as the store grows, and what the stream loses by it (needs PostgreSQL)",
    "latency": "from an item to its first label at a steady rate (needs PostgreSQL and Kafka)",
    "capacity": "how many workers, loops and disks 1e6, 1e8 and 1e10 items a day take, simulated",
    "scaling": "1, 2 and 4 workers with a function that waits (needs PostgreSQL and Kafka)",
    "guarantee": "how often certificates are violated on simulated streams",
}


def main(names: list[str]) -> int:
    """Run them in turn; 2 for an unknown name."""
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        known = "\n".join(f"  {name:20} {what}" for name, what in BENCHMARKS.items())
        print(f"there is no benchmark {', '.join(unknown)}; there are\n{known}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(f"\n== {name}: {BENCHMARKS[name]}", flush=True)
        sys.argv = [f"benchmarks.{name}"]  # names of benchmarks are no options of theirs
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
