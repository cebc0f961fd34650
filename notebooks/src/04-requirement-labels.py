# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 04 of 09 &nbsp;/&nbsp; 30 minutes &nbsp;/&nbsp; no device needed</p>
#
# # Requirement labels and device facts
#
# <p style="font-size:16px; line-height:24px; opacity:.8">Which devices take a release, which clause decides, and what you would have to write instead.</p>
#
# When you are through, you can
#
# - name the six labels, and the facts of a device that answer them,
# - tell what a range such as `>5.15.*` means before a device tells you,
# - write labels that choose the devices you want, and no others.

# %% tags=["setup"]
import kit
from labs import explain
from labs import decision_lab
from lessons import example, reveal
from lessons.requirement_labels import check, fleet, hint, lesson, solution, traps

lesson

# %% [markdown]
# ## Guess before you see
#
# Both labels stand so in balena's own guide, letter for letter:
#
# ```yaml
# services:
#   first-service:
#     build: ./first-service
#     labels:
#       io.balena.features.requires.sw.balena-os: '>6.3.0+rev4'
#   second-service:
#     build: ./second-service
#     labels:
#       io.balena.features.requires.sw.linux: '>5.15.*'
# ```
#
# The device has balenaOS 6.3.0+rev5 and Linux 5.15.150: both one step further than the text. What does it make
# of this release? It is one of `deployed` (everything runs), `partial` (some services are left out), `rejected`
# (the device says no, and the old release goes on) or `refused` (the device cannot even read it). Write your guess
# between the quotation marks: the reasons come only then.

# %%
guess = ""

release = example("os-and-linux").composition
device = kit.Device("raspberrypi4-64", "aarch64", "17.6.3", os="6.3.0+rev5", kernel="5.15.150")
reveal(guess, release, device)

# %% [markdown]
# ## Six labels, six facts
#
# A label begins with `io.balena.features.requires.` (S-13). The supervisor compares it with what the device says
# about itself (S-2); all labels of a service must hold (S-20), and one required service that is not met rejects
# the whole release (S-52).
#
# | label | the fact, and where it is read | understood from supervisor |
# |---|---|---|
# | `sw.supervisor` | version of the supervisor (S-3) | 10.16.17 (measured: 10.6.17) |
# | `sw.l4t` | L4T, from `uname -r` behind `-l4t-r` (S-8) | 10.16.17 (measured: 10.6.17) |
# | `hw.device-type` | device type of the OS image (S-4) | 11.1.0 (measured: 14.11.0) |
# | `arch.sw` | architecture of the OS image (S-4) | 14.10.11 (measured: 14.11.0) |
# | `sw.balena-os` | `VERSION` in `/etc/os-release` (S-5) | 17.4.0 (measured: 17.4.2) |
# | `sw.linux` | the first three numbers of `uname -r` (S-7) | 17.4.0 (measured: 17.4.2) |
#
# The last column has two values: what the documentation says, and what the supervisor's own history says (S-71).
# A supervisor below it does not skip the label. It **refuses the whole offer** (S-69): the device stops updating.
# Labels are enforced if the release was made with balena CLI 21.1.0 or newer, the last two from 25.0.0 (S-25).
#
# Now explore. Four things to try: take away the mark of `vision-gpu`; write `5.15` in place of `>5.15.*`; choose a
# Raspberry Pi in place of the Jetson; set the supervisor to 16.0.0. The cell after the lab collects what surprises
# most people.

# %%
lab = decision_lab(example("vision"), kit.Device.preset("jetson-agx-orin-devkit", "6.12.3"))
lab

# %%
traps()

# %% [markdown]
# ## Three devices of six
#
# `vision` needs **L4T 36.3 or newer**, and an interface that came with **supervisor 16.4**. These are the devices;
# the first three shall take it, the others shall not:
#
# | name | device type | balenaOS | supervisor | L4T |
# |---|---|---|---|---|
# | orin-1 | jetson-orin-nano-devkit-nvme | 6.0.10 | 16.4.6 | 36.3.0 |
# | orin-2 | jetson-orin-nano-devkit-nvme | 6.4.2 | 16.12.7 | 36.4.0 |
# | orin-3 | jetson-agx-orin-devkit | 6.12.3 | 17.6.3 | 36.4.4 |
# | orin-old | jetson-agx-orin-devkit | 5.3.22 | 16.3.15 | 36.3.0 |
# | nano | jetson-nano | 6.5.38 | 17.0.3 | 32.7.6 |
# | pi | raspberrypi4-64 | 6.5.4 | 16.12.7 | – |
#
# **Exercise 04.1.** Somebody tried, and was caught twice. Mend the two values. The check runs your labels on these
# six, and on 40 devices that it makes up. `explain(kit.read(answer).composition, fleet()["orin-1"])` shows one of
# them; `hint("04.1")` helps.

# %% tags=["start", "exercise-04.1"]
answer = """
services:
  vision:
    build: ./vision
    labels:
      io.balena.features.requires.sw.l4t: '>36.3'
      io.balena.features.requires.sw.supervisor: '16.4'
"""
check("04.1", answer)

# %% tags=["solution", "exercise-04.1"]
answer = """
services:
  vision:
    build: ./vision
    labels:
      io.balena.features.requires.sw.l4t: '>=36.3'
      io.balena.features.requires.sw.supervisor: '>=16.4'
"""
check("04.1", answer)

# %% [markdown] tags=["notes"]
# **For you.** Expect `>=36.3.1` (it leaves out orin-1: what `uname -r` calls r36.3 is 36.3.0, S-8), `>=16` (it lets
# orin-old in), and `sw.linux` or `sw.balena-os` as a third label (orin-1 and orin-2 refuse the release, S-69).

# %% [markdown]
# ## Say it as a range
#
# **Exercise 04.2.** Four sentences, and four ranges that say something else. Write what is meant:
#
# | label | sentence |
# |---|---|
# | `linux` | Linux 5.15, or any later kernel |
# | `l4t` | L4T 36.4, whatever its third number |
# | `supervisor` | supervisor 14 or 16, but not 15 |
# | `balena-os` | balenaOS 6.3.0 or newer, but no extended-support release such as 2024.7.0 |
#
# Blanks mean *and*, `||` means *or* (S-47).

# %% tags=["start", "exercise-04.2"]
ranges = {
    "linux": ">5.15.*",
    "l4t": "=36.4.0",
    "supervisor": "14 - 16",
    "balena-os": ">=6.3.0+rev4",
}
check("04.2", ranges)

# %% tags=["solution", "exercise-04.2"]
ranges = {
    "linux": ">=5.15",
    "l4t": "36.4",
    "supervisor": "14 || 16",
    "balena-os": ">=6.3.0 <2021",
}
check("04.2", ranges)

# %% [markdown] tags=["notes"]
# **For you.** `^36.4` lets 36.5 in. `14 16` means *and*, so nothing fits (S-49). `>=6.3.0 <7` leaves out balenaOS 7,
# which the sentence wants.

# %% [markdown]
# ## What you have now
#
# - A device has six facts, each from one place (S-2 to S-8). A fact that is absent meets nothing, not even `*` (S-10).
# - `>5.15.*` means 5.16 or newer (S-46); a bare `16.4` is a window, not a minimum (S-45).
# - What follows a `+` never counts (S-44). A prerelease fits only where one is named (S-48).
# - A label that nobody knows asks for nothing (S-14). A label that the supervisor does not know yet refuses the
#   whole offer (S-69).
#
# The same on the command line: `kit decide data/compositions/vision.yml --device FILE`.
#
# **Next:** notebook 05, in which services may be left out.
