# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 07 of 09 &nbsp;/&nbsp; 30 minutes &nbsp;/&nbsp; no device needed</p>
#
# # A mixed fleet
#
# <p style="font-size:16px; line-height:24px; opacity:.8">One release, two hundred devices of seven types and twenty versions. Who is left behind, and what would bring them along?</p>
#
# When you are through, you can
#
# - say before a release which devices run it, which in part, and which not at all,
# - write labels that leave nobody behind,
# - name the smallest set of OS updates that brings a fleet to the next release.

# %% tags=["setup"]
from IPython.display import display

import kit
from labs import decision_map, engine_lab, fleet_lab
from lessons import reveal
from lessons.mixed_fleet import AFTER, TODAY, TOMORROW, fleet, re_decided, some
from lessons.mixed_fleet import check, hint, lesson, solution

lesson

# %% [markdown]
# ## Guess before you see
#
# `web` needs a kernel of the 5 line or newer. Its author knows that `sw.linux` is a young label, and protects old
# devices with a second one, and with the optional mark on top:
#
# ```yaml
# services:
#   base:
#     image: base
#   web:
#     image: web
#     labels:
#       io.balena.features.requires.sw.supervisor: '>=17.4'
#       io.balena.features.requires.sw.linux: '>=5'
#       io.balena.features.optional: '1'
# ```
#
# What does a Raspberry Pi 4 with balenaOS 6.5.4 (Linux 6.12.20, supervisor 16.12.7) make of it: `deployed`,
# `partial`, `rejected` or `refused`?

# %%
guess = ""

release = kit.read("""
services:
  base: {image: base}
  web:
    image: web
    labels:
      io.balena.features.requires.sw.supervisor: '>=17.4'
      io.balena.features.requires.sw.linux: '>=5'
      io.balena.features.optional: '1'
""").composition
reveal(guess, release, kit.Device.preset("raspberrypi4-64", "6.5.4"))

# %% [markdown]
# ## A fleet at once
#
# A label is not skipped by a supervisor that is too old for it. Such a device **refuses the whole offer**: every
# app of it stays where it is, also those that ask for nothing (S-55, S-69). A second label does not help, because
# reading comes before comparing (S-70). The same happens to **every** device of today when a service says
# `cpus: 0.5` (C-46): the release then asks for a type of requirement that no supervisor knows (S-23, S-34).
#
# | | documented | measured |
# |---|---|---|
# | `sw.balena-os` and `sw.linux` are read by | supervisor 17.4.0 | 17.4.2 (S-71) |
# | that came with | balenaOS 6.10.6 | balenaOS 6.10.11 |
# | the labels are enforced if pushed with | CLI 25.0.0 (the others: 21.1.0) | the same (S-25) |
#
# Below is the workshop's fleet, `data/fleets/workshop.csv`, with a release that somebody wrote in good faith. Pick one
# label and another value, or an update of the host OS; the lab says who moves. How far do you get with one label?
# Your own table works as well: `fleet_lab(release, "my.csv")`, up to 1,000 devices.

# %%
lab = fleet_lab("""
services:
  collector:
    image: collector
    labels:
      io.balena.features.requires.sw.linux: '>=4.9'
  dashboard:
    image: dashboard
    labels:
      io.balena.features.requires.sw.supervisor: '16.1'
  detector:
    image: detector
    labels:
      io.balena.features.requires.sw.balena-os: '>=5.3.22'
      io.balena.features.optional: '1'
""")
display(lab, re_decided())

# %% [markdown]
# ## At least 95 of 100, and nobody rejected
#
# An update of the host OS is not only an update of the host OS: with the reboot every release is decided anew
# (S-1, S-135), and every container is made anew, because a variable with the OS version changes (S-90). A release
# that ran may be rejected then; its containers go on, and nobody looks after them (S-61). An offline device keeps
# its old verdict until it polls (S-50).
#
# Three ways to be careful with a fleet. **Labels** let each device decide. **Pinning** a device keeps it at a
# release, whatever the fleet tracks; a few devices that track a newer release first are a **canary**. A **second
# release** for some devices is a last resort: two of everything, for as long as both live.
#
# **Exercise 07.1.** The three services of the lab need less than they ask for. `collector` needs nothing, `dashboard`
# supervisor 16.1 or newer, `detector` L4T 36.3 or newer. Mend the labels: no device rejects or refuses the release,
# at least 95 % run something, and each service runs wherever it can.

# %% tags=["start", "exercise-07.1"]
answer = """
services:
  collector:
    build: ./collector
    labels:
      io.balena.features.requires.sw.linux: '>=4.9'
  dashboard:
    build: ./dashboard
    labels:
      io.balena.features.requires.sw.supervisor: '16.1'
  detector:
    build: ./detector
    labels:
      io.balena.features.requires.sw.balena-os: '>=5.3.22'
      io.balena.features.optional: '1'
"""
check("07.1", answer)

# %% tags=["solution", "exercise-07.1"]
answer = """
services:
  collector:
    build: ./collector
  dashboard:
    build: ./dashboard
    labels:
      io.balena.features.requires.sw.supervisor: '>=16.1'
      io.balena.features.optional: 'true'
  detector:
    build: ./detector
    labels:
      io.balena.features.requires.sw.l4t: '>=36.3'
      io.balena.features.optional: '1'
"""
check("07.1", answer)

# %% [markdown] tags=["notes"]
# **For you.** Expect `'16.1'` kept (a window, S-45), `sw.supervisor: '>=17.4'` added to protect from `sw.linux` (it does
# not, S-70), and `arch.sw` on `detector`: the Raspberry Pi 3 with balenaOS 2.95 cannot read it (14.10.11). Ask what a
# fleet view would have shown a day after the first version: 133 devices that neither updated nor complained.

# %% [markdown]
# ## The smallest OS upgrade set
#
# The next release needs a kernel fix: `collector` asks for Linux 6.12.60 or newer with `sw.linux`. Every update of a
# host OS is a reboot in the field; you want as few as possible.
#
# The cell begins with a map for one type of device. Its rings are releases: where do they enter the field “Deployed”?
# Two things must be there, a kernel that fits and a supervisor that reads the label. Some types have no such release.
#
# **Exercise 07.2.** Write device types and for each the **first** balenaOS release that does it. Older devices of the type
# are brought to it, newer ones stay. Nobody who can be helped is left behind, and nobody is updated in vain. Look at
# other types with the map: `generic-amd64`, `jetson-nano` …; the table below it has all releases. The last tick of
# `fleet_lab(AFTER, fleet())` knows the answer: check yourself with it.

# %% tags=["start", "exercise-07.2"]
display(decision_map(AFTER, kit.Device.preset("raspberrypi4-64", "6.0.10")))

updates = {
    "raspberrypi4-64": "8.0.2",
    "jetson-nano": "8.0.2",
}
check("07.2", updates)

# %% tags=["solution", "exercise-07.2"]
display(decision_map(AFTER, kit.Device.preset("raspberrypi4-64", "6.0.10")))

updates = {
    "raspberrypi3": "6.10.6",
    "raspberrypi4-64": "6.10.6",
    "raspberrypi5": "6.10.6",
    "generic-amd64": "7.0.5",
}
check("07.2", updates)

# %% [markdown] tags=["notes"]
# **For you.** 6.9.4 has the kernel and not yet the supervisor. In the field choose 6.10.11: there the measured floor
# (17.4.2) is reached, too. The Jetsons and the NUCs stay behind with any release of today: for them the kernel fix
# needs another way, or another release.

# %%
# Optional, and the same on both engines: one device of the fleet. Bring today's release up, then
# offer the next one. The first device refuses it (S-69), the second rejects it (S-52). Then update
# the host OS: it decides anew (S-135). Whom does that not help? Docker on this machine does all but
# the reboot that this takes: take the release down there, and choose the third device.
four = some("shop-002", "rack-001", "shop-006", "eye-002")
engine_lab(TODAY, offer=TOMORROW, devices=four, host_os="8.0.2")

# %% [markdown]
# ## What you have now
#
# - A label that a supervisor does not know refuses the whole offer, on all apps of the device (S-55, S-69 to S-71).
# - Ask for what a service needs, not for what happens to come along with it: an OS version stands for a kernel on
#   one type of device only.
# - What everybody must have gets no requirement at all; what may be absent gets one, and the optional mark (S-52).
# - A release may be accepted and run nothing, if everything in it is optional (S-58).
# - An update of the host OS decides anew (S-135), and recreates every container (S-90).
#
# The same on the command line, for one device: `kit decide FILE --device FILE`.
#
# **Next:** notebook 08, how a device gets from one release to the next.
