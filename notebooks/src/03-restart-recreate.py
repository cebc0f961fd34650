# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 03 of 09 &nbsp;/&nbsp; 25 minutes &nbsp;/&nbsp; no device needed</p>
#
# # Restart is not recreate
#
# <p style="font-size:16px; line-height:24px; opacity:.8">Who starts a service again, what makes its container anew, and which data is still there afterwards.</p>
#
# When you are through, you can
#
# - say for each restart policy what happens after a crash, a reboot, a power cut and a stop on purpose,
# - tell which changes of a release make a new container, and which do not,
# - keep data where no update deletes it.

# %% tags=["setup"]
from IPython.display import display
from labs import engine_lab, restart_lab, volume_lab
from lessons.restart_recreate import check, guessed, hint, lesson, resin_data, solution

lesson

# %% [markdown]
# ## Guess before you see
#
# A service is a script. It works for three seconds, says goodbye, and ends with 0. This is its composition:
#
# ```yaml
# services:
#   script:
#     build: ./script
#     restart: on-failure:3
# ```
#
# How often does it start in the first minute: `once`, `four times`, or `again and again`? Write your guess between the
# quotation marks. Then look at the lab below it: one minute under each policy. Four things to try: let the service end with 0;
# take a power cut in place of the clean reboot; stop it on purpose and then reboot; write `no`, or nothing at all.

# %%
guess = ""
display(guessed(guess))
restart_lab("on-failure", code=1)

# %% [markdown]
# ## Four policies, and a default
#
# - The default is `restart: always`, after a crash and after a reboot (S-126). Docker Compose has `no`. So a script
#   that ends is started again and again.
# - `always`, `unless-stopped`, `on-failure` and `no` are all that the device knows. The documentation points to the values of the
#   engine, which allow `on-failure:3`. **The device reads everything else as `always`**, and says nothing (S-125, C-106).
# - After a **clean reboot** `no` stays down, and so does `on-failure` if the process answered the stop signal with 0 (S-129).
#   After a power cut `on-failure` starts again (S-128).
# - The supervisor never starts an exited container (S-86). Only the engine does, or somebody on purpose, or a new container.
# - What is stopped through the API stays down. The documentation says that a restart of the supervisor brings it back; only a
#   boot does, and only under `always`, or `on-failure` with another code than 0 (S-130).
#
# ## Layer and volume
#
# A **restart** runs the same container again. **Recreate** deletes it, with all that it wrote into its own layer, and makes
# another one. A new image does that, and so does any change of what the device compares: environment, labels, ports, command
# … (S-87, S-88). `depends_on` is not compared, and a changed neighbour does not count (S-121). A new host OS makes *all* containers anew (S-90).
#
# A **named volume** outlives its containers. It is declared at the top level, and linked to a folder in one or more services
# (C-51, C-85). Its data stays across updates as long as its **name** stays and every release has a compose file (C-110, S-115). On the device it lies in
# `/var/lib/docker/volumes/<app id>_<name>/_data` (C-104; before balenaOS 2.12.0 it was `/mnt/data/resin-data/<app id>`). Devices that
# were updated from there get a link from `/data` to the volume `resin-data`, as if it were written; releases without a compose file have it
# too (C-111). Folders of the host cannot be mounted, except through feature labels (C-51, C-52).
#
# Try: rename the volume, and look at what stays on disk. Give the volume a label. Move the device to another fleet. The
# second lab is optional: it brings a release with a volume up on an engine, and lets you crash and recreate. It begins with the simulated one; with
# Docker, if there is one here, it shows its plan first, and starts nothing before you press again.

# %%
volume_lab("write", "crash", "write", "update", "write")

# %%
engine_lab(resin_data)

# %% [markdown]
# ## What becomes of the container?
#
# `shop` has a line of data in its volume `goods`. Then a new release comes, in which one thing is different:
#
# | change | what is different |
# |---|---|
# | `environment` | a variable of `shop` gets another value |
# | `label` | a label of `shop` gets another value |
# | `depends_on` | `shop` gets `depends_on: [till]` |
# | `neighbour` | `till` gets another image, and `shop` depends on it already |
# | `volume name` | `goods` is called `stock`, at the top and in `shop` |
# | `volume label` | the volume `goods` gets a label at the top |
#
# **Exercise 03.1.** Write for each what becomes of `shop`: it `runs on`; it is `made anew` and finds its line; its volume is
# `empty`, and the line still lies on the disk; or the line is `deleted`. The check tries it on this release and on others.

# %% tags=["start", "exercise-03.1"]
becomes = {
    "environment": "",
    "label": "",
    "depends_on": "",
    "neighbour": "",
    "volume name": "",
    "volume label": "",
}
check("03.1", becomes)

# %% tags=["solution", "exercise-03.1"]
becomes = {
    "environment": "made anew",
    "label": "made anew",
    "depends_on": "runs on",
    "neighbour": "runs on",
    "volume name": "empty",
    "volume label": "deleted",
}
check("03.1", becomes)

# %% [markdown] tags=["notes"]
# **For you.** Expect `made anew` for `depends_on` and for the neighbour: many think that dependants are restarted (S-121).
# Expect `deleted` for the renamed volume (it is not, S-115), and `made anew` for the label of the volume, which is the one that costs data.

# %% [markdown]
# ## Data that survives
#
# `counter` writes into `/data`. This runs on the device today: image `counter:1`, and a volume `count` at `/data`. Somebody wrote the
# next release, below. It loses the data, and more.
#
# **Exercise 03.2.** Mend it, so that the counter finds the lines of today and keeps them; is started again after every end, after
# a reboot and after a power cut, but **not** once somebody has stopped it on purpose; and leaves a **core dump** when it crashes.
#
# A core dump is the memory of a process at the moment of its crash; a debugger reads it. Since balenaOS 2.113.31 containers
# leave none, so that a service that crashes in a loop does not fill the disk. The limit `core` under `ulimits` of a service,
# set to -1, brings them back for this service. A limit of 0 loses its number on the way (C-60).

# %% tags=["start", "exercise-03.2"]
answer = """
services:
  counter:
    image: counter:2
    restart: on-failure:3
    volumes:
      - counts:/data
volumes:
  counts:
    labels:
      backup: nightly
"""
check("03.2", answer)

# %% tags=["solution", "exercise-03.2"]
answer = """
services:
  counter:
    image: counter:2
    restart: unless-stopped
    ulimits:
      core: -1
    volumes:
      - count:/data
volumes:
  count:
"""
check("03.2", answer)

# %% [markdown] tags=["notes"]
# **For you.** Expect `always` or `on-failure` (the one forgets the stop, the other stays down after an end with 0), the right name with
# the label still there (the volume is made anew, empty), and `core: 0` or `core: unlimited`.

# %% [markdown]
# ## What you have now
#
# - `always` is the default; what is misspelt is `always` too (S-125, S-126). After a clean reboot not everything comes back (S-128, S-129).
# - A restart keeps the container and its layer. A new image, variable, label or port makes it anew (S-87, S-88).
# - Data belongs into a named volume. Its name is its key: another name is an empty volume (S-115), another fleet deletes it (S-114).
# - A label on a volume deletes what is in it (S-115). Purge empties every volume of the app (S-116).
#
# The same on the command line: `kit diff OLD NEW`.
#
# **Next:** notebook 04, in which a device says no.
