"""The page that describes a run."""

from training_runs import example_run

from daemon.adapters.run_summary import run_summary


def test_it_says_first_whether_and_why_it_was_promoted() -> None:
    assert run_summary(example_run()).startswith("**Promoted**: log-loss 0.120 against 0.151 on 80 audits")
    assert run_summary(example_run(promoted=False)).startswith("**Not promoted**: ")


def test_metrics_and_functions_are_tables() -> None:
    lines = run_summary(example_run()).splitlines()
    assert "| log_loss | 0.12 |" in lines
    assert "| function | coverage | conflicts | votes |" in lines
    assert "| --- | ---: | ---: | ---: |" in lines
    assert "| says_prize_3 | 0.13 | 0.01 | 43 |" in lines


def test_members_classes_and_changes_come_before_the_figures() -> None:
    lines = run_summary(example_run()).splitlines()
    wanted = [
        "| log-loss on the audits compared | 0.151 | 0.12 |",
        "| spam | 0.87 |",
        "| hbcc(lam=0.1) | 0.75 | 0.4 | 0.13 |",
        "| log_loss | 0.12 |",
    ]
    assert sorted(wanted, key=lines.index) == wanted


def test_names_cannot_break_a_table() -> None:
    table = [{"function": "a|b\nc", "coverage": 0.5}]
    assert "| a\\|b c | 0.5 |" in run_summary(example_run(function_table=table))


def test_there_may_be_no_functions_and_no_metrics() -> None:
    text = run_summary(example_run(function_table=(), metrics={}))
    assert "Labeling functions" not in text
    assert "none" in text
