"""From what is on a device to what should be there: rounds, plans, and why.

`Release` makes a composition comparable, `next_steps` answers what can be done now, `plan` folds
the answers until the device settles or is stuck, `what_changed` says what an update does to each service.
"""

from ..device.state import Container, Image, Network, State, Volume, Wanted, Why
from ..device.steps import AnyStep, effect
from .plans import Change, Plan, api_targets, installed, plan, play, report, what_changed
from .rounds import Note, Round, next_steps
from .target import STRATEGIES, AppTarget, Given, Release, Strategy, Target, differences, injected, strategy_of

__all__ = [
    "STRATEGIES", "AnyStep", "AppTarget", "Change", "Container", "Given", "Image", "Network", "Note", "Plan", "Release",
    "Round", "State", "Strategy", "Target", "Volume", "Wanted", "Why", "api_targets", "differences", "effect",
    "injected", "installed", "next_steps", "plan", "play", "report", "strategy_of", "what_changed",
]  # fmt: skip
