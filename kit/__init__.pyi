# The names of the front door for type checkers; `__init__.py` loads them when they are first used.
from .composition import Build as Build
from .composition import Composition as Composition
from .composition import Mount as Mount
from .composition import Network as Network
from .composition import Port as Port
from .composition import Service as Service
from .composition import Volume as Volume
from .contracts import Decision as Decision
from .contracts import Facts as Facts
from .contracts import decide as decide
from .contracts import decide_offer as decide_offer
from .contracts import flips as flips
from .device import Device as Device
from .device import State as State
from .device import read_device as read_device
from .diagnostics import Diagnostic as Diagnostic
from .diagnostics import Severity as Severity
from .diagnostics import Span as Span
from .engines.base import settle as settle
from .engines.script import follow as follow
from .engines.script import read_events as read_events
from .engines.simulated import Simulated as Simulated
from .planner import Plan as Plan
from .planner import Release as Release
from .planner import installed as installed
from .planner import next_steps as next_steps
from .planner import plan as plan
from .planner import what_changed as what_changed
from .reader import Reading as Reading
from .reader import normal_form as normal_form
from .reader import read as read
from .rules import check as check
from .rules import rule as rule
from .versions import InvalidRange as InvalidRange
from .versions import InvalidVersion as InvalidVersion
from .versions import Range as Range
from .versions import Version as Version
from .versions import satisfies as satisfies
from .versions import valid_range as valid_range

__version__: str
__all__: list[str]
