"""The course around the lessons: its commands, its chapters, and what was tried.

commands    `kit lab`, `doctor`, `reset`, `roster` and `summary`, which the kit opens when they are asked for
doctor      is this place ready? It needs nothing of what it asks for
progress    what was tried and what passes: one file beside the notebooks
chapters    the notebooks as a whole: what fits into your time, the summary, the roster
"""
