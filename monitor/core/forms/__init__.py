"""The five forms of a rule, each a small machine that sees occurrences in stream order and gives verdicts."""

from monitor.core.forms.expect import ExpectMachine
from monitor.core.forms.keep import KeepMachine
from monitor.core.forms.machine import Machine
from monitor.core.forms.never import NeverMachine
from monitor.core.forms.steps import StepsMachine
from monitor.core.forms.tally import TallyMachine

__all__ = ["ExpectMachine", "KeepMachine", "Machine", "NeverMachine", "StepsMachine", "TallyMachine"]
