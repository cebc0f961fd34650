"""Does a release fit a device, and why: labels become requirements, facts answer them.

labels         requirement labels → atoms; what is wrong with them
requirements   labels and contract files → contracts
reasons        one requirement, one fact → a clause with its reason
decisions      a release and a device → a decision, a tree of reasons
flips          the smallest change that would turn a decision
"""

from ..versions import version_of
from .decisions import STATE_WORDS, Decision, OfferDecision, ServiceDecision, decide, decide_offer
from .flips import Change, Flip, flips
from .labels import ARCHITECTURES, LABEL_OF, LABELS, OPTIONAL, PREFIX, Requirement, is_optional, label_findings
from .reasons import Clause, Comparison, Fact, Facts
from .requirements import AnyOf, Contract, Malformed, contract_file, contract_of, read_contract

__all__ = [
    "ARCHITECTURES", "LABELS", "LABEL_OF", "OPTIONAL", "PREFIX", "STATE_WORDS", "AnyOf", "Change", "Clause",
    "Comparison", "Contract", "Decision", "Fact", "Facts", "Flip", "Malformed", "OfferDecision",
    "Requirement", "ServiceDecision", "contract_file", "contract_of", "decide", "decide_offer", "flips",
    "is_optional", "label_findings", "read_contract", "version_of",
]  # fmt: skip
