# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 02 of 09 &nbsp;/&nbsp; 25 minutes &nbsp;/&nbsp; no device needed</p>
#
# # Who starts first?
#
# <p style="font-size:16px; line-height:24px; opacity:.8">What depends_on holds back, on which supervisor, and the long list of things that it does not do.</p>
#
# When you are through, you can
#
# - read the rounds in which a release starts, and say why a service waits,
# - tell on which supervisors a service behind a one-shot starts, and on which it never does,
# - break a ring of dependencies with the fewest cuts.

# %% tags=["setup"]
from labs import engine_lab, order_lab
from lessons import example, example_file
from lessons.who_starts_first import check, hint, lesson, one_shot, solution

lesson

# %% [markdown]
# ## Guess before you see
#
# `migrate` does its work once and ends with 0. `api` depends on it:
#
# ```yaml
# services:
#   migrate:
#     build: ./example
#     restart: 'no'
#   api:
#     build: ./data
#     depends_on: [migrate]
#   web:
#     build: ./frontend
#     depends_on: [api]
# ```
#
# balena's documentation says: if a service is expected to stop, do not make it a dependency, or the service that
# depends on it may not start. There have been four generations of supervisors that look at dependencies in different
# ways. On how many of the **four** does `api` start? Write a number between the quotation marks.

# %%
guess = ""

one_shot(guess)

# %% [markdown]
# ## Rounds
#
# A supervisor works in rounds: it looks, does at once all that can be done, and looks again (S-72). Nothing starts
# before every image of the release is there (S-93). Then a service starts when each name in its `depends_on` **has been
# started once** (S-94, S-95). That is all: not ready, not healthy, not finished, and a dependency that ended with an
# error counts too. Services without a dependency between them start in the same round (S-97).
#
# A ring, or a name that no service has, is refused before there is a release (C-55). Only the list is understood, and
# the mapping with `condition: service_started` (C-55).
#
# Now explore. Press **Next round** until nothing is left to do. Then try:
#
# - let `data` end with 0, choose supervisor 16.10.2 to 16.12.8, and go through the rounds again (S-133),
# - let `frontend` start after `proxy`: a ring,
# - let `proxy` start after `dta`: a name that no service has,
# - let `data` be a program that cannot be started (S-134),
# - choose what happens: a crash, a reboot, a restart through the API.

# %%
lab = order_lab(example("getting-started"))
lab

# %% [markdown]
# ## The proxy comes last
#
# A crash of a dependency restarts nobody (S-132). At boot the engine starts all containers in parallel (S-98), and the
# API's restart of an app has no order either (S-117). So a program has to bear it when a neighbour is not there.
# `depends_on` spares it the worst of a first start, and no more.
#
# **Exercise 02.1.** Let `proxy` start after `frontend` and `data`, on every supervisor. Leave the rest as it is. The
# check starts the release many times: on four generations of supervisors, and with neighbours that have to wait
# themselves.

# %% tags=["start", "exercise-02.1"]
answer = """
services:
  proxy:
    build: ./haproxy
    ports:
      - "80:80"
  frontend:
    build: ./frontend
  data:
    build: ./data
"""
check("02.1", answer)

# %% tags=["solution", "exercise-02.1"]
answer = """
services:
  proxy:
    build: ./haproxy
    depends_on: [frontend, data]
    ports:
      - "80:80"
  frontend:
    build: ./frontend
  data:
    build: ./data
"""
check("02.1", answer)

# %% [markdown] tags=["notes"]
# **For you.** Expect one name only: it seems to work, since `frontend` and `data` start in one round, until `data` has
# to wait for something itself. And `condition: service_healthy`, which is refused (C-55).

# %% [markdown]
# ## The fewest cuts
#
# balena refuses this release: services wait for each other, so none of them can be first (C-55). On a device such a
# target would neither start nor fail, but wait for ever (S-99).
#
# **Exercise 02.2.** Remove as few names from `depends_on` as possible, so that every service can start. More than one
# answer is good. `order_lab(answer)` tells which services are on a ring; try there first, if you like.

# %% tags=["start", "exercise-02.2"]
answer = """
services:
  api:
    build: ./api
    depends_on: [db, cache]
  db:
    build: ./db
    depends_on: [vault]
  vault:
    build: ./vault
    depends_on: [api]
  cache:
    build: ./cache
    depends_on: [db, worker]
  worker:
    build: ./worker
    depends_on: [cache]
  web:
    build: ./web
    depends_on: [api, worker]
"""
check("02.2", answer)

# %% tags=["solution", "exercise-02.2"]
answer = """
services:
  api:
    build: ./api
    depends_on: [db, cache]
  db:
    build: ./db
    depends_on: [vault]
  vault:
    build: ./vault
  cache:
    build: ./cache
    depends_on: [db, worker]
  worker:
    build: ./worker
  web:
    build: ./web
    depends_on: [api, worker]
"""
check("02.2", answer)

# %% [markdown] tags=["notes"]
# **For you.** There are three rings, and `vault → api` or `db → vault` lies on two of them. Expect three cuts, one
# per ring: it works, and the check says that fewer do.

# %%
# Optional, and the same on both engines. Bring it up; then let the process of `data` end: it is
# started again, and `proxy`, which depends on it, runs on (S-132). With Docker on this machine, choose
# it at the left and do it again.
engine_lab(example_file("getting-started"))

# %% [markdown]
# ## What you have now
#
# - A service starts when all images are there and each of its dependencies has been started once (S-93 to S-95).
# - A one-shot works as a dependency on new supervisors and blocks for ever from 16.10.2 to 16.12.8; it never means
#   "has finished well" (S-133). The documentation warns of it on all of them.
# - `depends_on` orders first starts only: no restart of dependents (S-132), no order at boot (S-98), none through the
#   API (S-117).
# - A ring or an unknown name is refused at release (C-55).
#
# The same on the command line: `kit graph FILE -o order.svg` and `kit plan FILE`.
#
# **Next:** notebook 03, in which containers are started again, or made anew.
