"""What a language model was worth is told by the posterior with its votes and without."""

from pathlib import Path

from loop_harness import POLICY, Loop
from rows_for_tests import add_annotator, add_answer
from sqlalchemy import update

from daemon.adapters.store.schema import answers
from daemon.wiring.config import load
from daemon.wiring.demo import EXAMPLE
from daemon.wiring.demo.model_worth import worth
from models.bundle import Bundle


def test_a_right_answer_makes_the_posterior_better_and_a_wrong_one_worse(tmp_path: Path) -> None:
    config = load(EXAMPLE / "with_llm.yaml", {})
    loop = Loop(tmp_path, POLICY).start()
    try:
        loop.send([{"id": name, "text": f"nothing said of {name}"} for name in ("a", "b", "c")])
        loop.read()
        model = add_annotator(loop.database, "llm/plain", "llm", kind="llm")
        answer = add_answer(loop.database, "a", model, 1)
        truth = {"a": "spam", "b": "ham", "c": "ham"}
        assert worth(config, loop.database, truth) is None, "nothing is promoted yet"
        bundle = Bundle.from_priors(config.task.classes, {"llm": 0.8})
        number = loop.learning.save_bundle("digest", bundle.to_bytes(), None, None)
        duty = loop.store.take_duty("learning", "me", 60)
        assert duty is not None
        loop.learning.promote(duty, number)
        found = worth(config, loop.database, truth)
        assert found is not None
        assert (found.answers, found.right, found.share) == (1, 1.0, 1.0)
        assert found.loss < found.loss_without
        with loop.database.write() as connection:
            connection.execute(update(answers).where(answers.c.id == answer).values(labels=b"\x00"))
        wrong = worth(config, loop.database, truth)
        assert wrong is not None
        assert (wrong.right, wrong.share) == (0.0, 0.0)
        assert wrong.loss > found.loss_without
        assert wrong.loss_without == found.loss_without
    finally:
        loop.close()
