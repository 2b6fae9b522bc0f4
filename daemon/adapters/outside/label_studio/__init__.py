"""Label Studio: tasks made from questions, answers made from annotations."""
