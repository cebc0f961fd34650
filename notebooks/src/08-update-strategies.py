# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 08 of 09 &nbsp;/&nbsp; 30 minutes &nbsp;/&nbsp; no device needed</p>
#
# # Update strategies and locks
#
# <p style="font-size:16px; line-height:24px; opacity:.8">How long a service is down, how much disk an update needs, and what a lock keeps back.</p>
#
# When you are through, you can
#
# - choose one of the four strategies for each service, and say what it costs in seconds and megabytes,
# - tell what an update lock holds back, and what goes on in spite of it,
# - find out why an update is stuck, and what gets it going again.

# %% tags=["setup"]
from IPython.display import display
from labs import engine_lab, update_lab
from lessons.update_strategies import check, guessed, hint, lesson, solution, strategies, updating

lesson

# %% [markdown]
# ## Guess before you see
#
# `migrate` changes the database, ends with 0, and `api` depends on it. It has `restart: "no"`. A new release brings a
# new image of `api`; the image of `migrate` is the same as before. Does `migrate` run once more before the new `api` starts:
# `again`, or `not at all`?

# %%
guess = ""
guessed(guess)

# %% [markdown]
# ## Four strategies
#
# Each **service** has its own, by the label `io.balena.update.strategy` of the release that comes (S-102). The device goes in
# rounds: it looks, does what can be done at once, and looks again (S-72).
#
# | strategy | order | rule |
# |---|---|---|
# | `download-then-kill` | download, stop, delete the old image, start; the default | S-103 |
# | `kill-then-download` | stop, download, delete the old image, start | S-104 |
# | `delete-then-download` | stop, delete the old image, download, start | S-105 |
# | `hand-over` | download, start the new one beside the old one, wait, stop the old one | S-106 |
#
# - **Any other word is the default**, and nobody says so: `handover`, without its hyphen, is such a word (S-102).
# - Nothing starts before **every** image of the release is there. One image that cannot be downloaded blocks all starts,
#   also of what was stopped already (S-93). After `delete-then-download` there is no way back without the network (S-105).
# - The documentation lets the old image go after the new container has started. The device deletes it before (S-103, S-80).
# - A hand-over ends when a file appears, or when `io.balena.update.handover-timeout` milliseconds are over, 60000 by default. So the
#   documentation says, and the simulation. From supervisor 14.13.10 to 19.0.5 **the wait ends at once** (S-108). The file
#   is `/tmp/balena/handover-complete`; the documentation still names `/data/resin-kill-me`.
# - Both containers of a hand-over are there at once: a published port of the host clashes (S-120).
#
# ## Locks, and what goes wrong
#
# A service that must not be stopped now makes a lock file, `/tmp/balena/updates.lock`. The supervisor has to get the files of
# **all** services of the app: one lock blocks the whole app (S-110, S-111). Downloads go on. It holds back stops, renames and
# first starts, and it outlives a restart of its container, but no reboot (S-110). A file that is made by the user `nobody` protects nothing (S-110).
#
# The documentation says that every strategy respects locks. **A hand-over does not ask** since supervisor 16.2.0 (S-107).
# It says too that a plain `touch` is no lock; any file that is there blocks the supervisor (S-110).
#
# The cell compares the strategies. Then step through the update below them. Four things to try: let `ui` hold a lock, for good, and look at *What is not done, and why*; end it
# after round 3; hand `api` over and lock `ui`; take the network away after `kill-then-download`. The whole way is stuck in each
# case where it cannot go on, and says the way out. With deltas at most three images are loaded in a round (S-101).

# %%
TODAY = """
services:
  api:
    build: ./api
  ui:
    build: ./ui
    depends_on: [api]
  log:
    image: log:1
"""
display(strategies(), update_lab(TODAY, TODAY, trouble="lock ui", until=3, at=3))

# %% [markdown]
# ## Little room, short gaps
#
# A camera has room for **1,600 MB** of images. Its release brings three new ones:
#
# | service | image today | new image | download | may be down |
# |---|---|---|---|---|
# | `vision` | 900 MB | 950 MB | 120 s | as long as it takes |
# | `api` | 180 MB | 190 MB | 15 s | 5 s; it publishes port 80 |
# | `stream` | 60 MB | 70 MB | 10 s | never |
#
# A stop takes 2 s, a start 1 s. **Exercise 08.1.** Change the labels, until the images fit and the gaps are short enough: on
# this camera and on others, and whether a hand-over waits as documented or not at all.

# %% tags=["start", "exercise-08.1"]
answer = """
services:
  vision:
    image: vision:2
    labels:
      io.balena.update.strategy: kill-then-download
  api:
    image: api:2
    ports: ["80:80"]
    labels:
      io.balena.update.strategy: hand-over
  stream:
    image: stream:2
    labels:
      io.balena.update.strategy: handover
"""
check("08.1", answer)

# %% tags=["solution", "exercise-08.1"]
answer = """
services:
  vision:
    image: vision:2
    labels:
      io.balena.update.strategy: delete-then-download
  api:
    image: api:2
    ports: ["80:80"]
    labels:
      io.balena.update.strategy: download-then-kill
  stream:
    image: stream:2
    labels:
      io.balena.update.strategy: hand-over
      io.balena.update.handover-timeout: '3000'
"""
check("08.1", answer)

# %% [markdown] tags=["notes"]
# **For you.** The last step is the surprise: with the right three strategies `api` is down for 61 s, because its stop and the
# hand-over of `stream` are one round, and the next round waits for both. A short timeout mends it.

# %% [markdown]
# ## Behind a lock
#
# `ui` holds its lock, and does not give it back. A new release brings new images for all. Beside `ui` there is one service; each
# line of the answer is one such release. **Exercise 08.2.** What is there of the service once nothing moves any more?
#
# - `old`: the old one runs, and its new image is not there,
# - `ready`: the old one runs, and its new image is downloaded,
# - `new`: the new one runs,
# - `nothing`: there is no container of it.

# %% tags=["start", "exercise-08.2"]
there = {
    "download-then-kill": "",
    "kill-then-download": "",
    "delete-then-download": "",
    "hand-over": "",
    "handover": "",
    "added": "",
}
check("08.2", there)

# %% tags=["solution", "exercise-08.2"]
there = {
    "download-then-kill": "ready",
    "kill-then-download": "old",
    "delete-then-download": "old",
    "hand-over": "new",
    "handover": "ready",
    "added": "nothing",
}
check("08.2", there)

# %% [markdown] tags=["notes"]
# **For you.** Expect `old` for `hand-over`, from people who have read the documentation, and `new` for `handover`, from people who read fast. `added` is a
# service that is only in the new release: its first start needs the lock (S-111).

# %%
# Optional, and the same on both engines: three strategies at work. Bring it up, offer release 2,
# and compare the gaps. Go back to release 1 while `ui` holds its lock: who moves, and what happens
# when the lock is given back (S-111)? With Docker on this machine, choose it at the left: there
# gaps are measured.
one, two = updating(api="hand-over", ui="download-then-kill", log="kill-then-download")
engine_lab(one, offer=two)

# %% [markdown]
# ## What you have now
#
# - Four strategies, one for each service; a misspelt one is the default (S-102). Only `delete-then-download` needs little disk (S-105), only
#   `hand-over` has no gap (S-106).
# - All images first, then the starts (S-93). A round lasts as long as its slowest step, and a hand-over is one (S-72, S-108).
# - One lock blocks the whole app, but no download and no hand-over (S-107, S-111).
# - What is the same in both releases is only renamed: a one-shot does not run once more (S-122). And a volume whose label
#   changed is made anew, empty (S-115).
#
# The same on the command line: `kit plan OLD NEW`.
#
# **Next:** notebook 09, in which you read a stranger's composition.
