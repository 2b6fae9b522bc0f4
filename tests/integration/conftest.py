"""Fixtures of the tests against real parts."""

from mlflow_fixtures import mlflow_server

__all__ = ["mlflow_server"]
