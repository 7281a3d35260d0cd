"""Carries out a plan step by step, with each intent and outcome in the journal."""

from reconciler.apply.carrying import Done, carry_out

__all__ = ["Done", "carry_out"]
