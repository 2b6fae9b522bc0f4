"""Amazon Mechanical Turk: HITs made from questions, answers made from assignments."""
