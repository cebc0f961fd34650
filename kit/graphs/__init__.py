"""Releases as graphs: placed by start order, painted with states, told as table and text.

placement   names and arrows → boxes and lines, cached by structure
graph       a composition and a decision → what a picture says
drawing     a placement and its states → SVG
twins       a graph → table, text, card
"""

from .drawing import to_svg
from .graph import Graph, Node, network, of_composition
from .placement import Placement, place
from .twins import figure, to_table, to_text

__all__ = [
    "Graph", "Node", "Placement", "figure", "network", "of_composition", "place", "to_svg", "to_table",
    "to_text",
]  # fmt: skip
