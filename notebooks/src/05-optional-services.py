# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 05 of 09 &nbsp;/&nbsp; 25 minutes &nbsp;/&nbsp; no device needed</p>
#
# # Optional services
#
# <p style="font-size:16px; line-height:24px; opacity:.8">A release is taken as a whole or rejected as a whole, unless you say which services may be absent.</p>
#
# When you are through, you can
#
# - say what runs after a rejection, and what nobody looks after any more,
# - leave out one service and keep the rest, without stopping what it should not stop,
# - use requirements as a selector, so that each device runs exactly one of several services.

# %% tags=["setup"]
from IPython.display import display

import kit
from labs import decision_lab, engine_lab
from lessons import example, reveal
from lessons.optional_services import ONE, TWO, afterwards, devices, here, six
from lessons.optional_services import check, hint, lesson, solution

lesson

# %% [markdown]
# ## Guess before you see
#
# Three ways to look at pictures; each device shall run the one that suits it. Public fleets do this with nine
# services and more. Somebody wrote, for the third of them:
#
# ```yaml
# services:
#   vision-nano: # optional: '1', and asks for the device type jetson-nano
#   vision-orin: # optional: '1', and asks for L4T 36.3 or newer
#   vision-pc:
#     image: vision-pc
#     labels:
#       io.balena.features.requires.arch.sw: amd64
#       io.balena.features.optional: yes
# ```
#
# What does a Jetson Nano make of it? `deployed` (all three run), `partial` (some are left out), `rejected` (the
# device says no to all of it) or `refused` (it cannot even read it)?

# %%
guess = ""

release = kit.read("""
services:
  vision-nano:
    image: vision-nano
    labels: {io.balena.features.requires.hw.device-type: jetson-nano, io.balena.features.optional: '1'}
  vision-orin:
    image: vision-orin
    labels: {io.balena.features.requires.sw.l4t: '>=36.3', io.balena.features.optional: '1'}
  vision-pc:
    image: vision-pc
    labels: {io.balena.features.requires.arch.sw: amd64, io.balena.features.optional: yes}
""").composition
reveal(guess, release, devices()["nano"])

# %% [markdown]
# ## All of it, or nothing
#
# A service is **met** if all of its requirements hold (S-51). A release is accepted if every unmet service is
# optional (S-52); then the unmet ones are left out and the others run (S-56). The mark is the label
# `io.balena.features.optional`, and exactly three words count as yes: `1`, `true` and `on` (S-53). The
# documentation writes `1`. `yes` is off, although YAML and balena both take it without a word (C-88).
#
# The guide says of a rejected release that no changes are made. The supervisor goes further: the app becomes
# **unmanaged** until a release is accepted. What runs goes on, but what is missing is not made again, and the
# device reports the status `rejected` and no services at all (S-60, S-61, S-63). A blank device runs nothing (S-62).
#
# In the lab below, take the mark off `vision-gpu` and put it back; then choose a Raspberry Pi 4. Is there a
# device on which `ui` waits for a service that is left out? The table below it plays seven updates to their end.
# **Guess the column “Afterwards run” before you read it.**

# %%
lab = decision_lab(example("vision"), kit.Device.preset("jetson-nano", "6.12.11"))
display(lab, afterwards())

# %% [markdown]
# ## Only one service should have been skipped
#
# The question that users ask most often, and that balena's own engineers asked once: *my whole release was
# rejected, I only wanted that one service skipped.* Here it is, with a second trap behind the first.
#
# `detector` needs L4T 36.3. On the four devices `orin`, `nano`, `pi` and `pc` everything shall run that can; where
# `detector` cannot, `camera` and `ui` shall run all the same, and the update shall come to an end.
#
# **Exercise 05.1.** Mend the labels. What `detector` asks for stays. The check decides on the four devices and on
# 30 generated ones, and plays the update on each of the four.

# %% tags=["start", "exercise-05.1"]
answer = """
services:
  camera:
    build: ./camera
  detector:
    build: ./detector
    depends_on:
      - camera
    labels:
      io.balena.features.requires.sw.l4t: '>=36.3'
      io.balena.features.optional: 'yes'
  overlay:
    build: ./overlay
    network_mode: service:detector
  ui:
    build: ./ui
    depends_on:
      - detector
    ports:
      - '80:80'
"""
check("05.1", answer)

# %% tags=["solution", "exercise-05.1"]
answer = """
services:
  camera:
    build: ./camera
  detector:
    build: ./detector
    depends_on:
      - camera
    labels: &where-it-fits
      io.balena.features.requires.sw.l4t: '>=36.3'
      io.balena.features.optional: '1'
  overlay:
    build: ./overlay
    network_mode: service:detector
    labels: *where-it-fits
  ui:
    build: ./ui
    depends_on:
      - detector
    ports:
      - '80:80'
"""
check("05.1", answer)

# %% [markdown] tags=["notes"]
# **For you.** Most mend the mark and stop: then `overlay` shares the network of a service that does not exist, and
# the device tries again for ever with the lock of the app in its hand (S-67). Some mark `overlay` optional without
# a requirement: that does nothing (S-54). `depends_on: detector` is harmless (S-66), and many remove it.

# %% [markdown]
# ## Exactly one of four
#
# Requirements can be a **selector**: several optional services whose requirements exclude each other (S-68).
# Nothing checks that they do, nor that one of them holds. And there is no *not*: “everything else” cannot be
# written (S-30). One label stands for one fact, once (S-22); alternatives go inside a range.
#
# | service | is for |
# |---|---|
# | `vision-orin` | Jetsons with L4T 36 or newer |
# | `vision-nano` | Jetsons with an older L4T |
# | `vision-pi` | Raspberry Pi 4 (`raspberrypi4-64`) |
# | `vision-pc` | PCs (`amd64`) |
#
# **Exercise 05.2.** Write the labels. `six()` has the devices: `orin`, `orin-old` (L4T 35.4), `xavier`, `nano`, `pi`
# and `pc`. The check adds 40 more, of other types.

# %% tags=["start", "exercise-05.2"]
answer = """
services:
  vision-orin:
    build: ./orin
    labels:
      io.balena.features.requires.sw.l4t: '>=32'
      io.balena.features.optional: '1'
  vision-nano:
    build: ./nano
    labels:
      io.balena.features.requires.sw.l4t: '>=32'
      io.balena.features.optional: '1'
  vision-pi:
    build: ./pi
    labels:
      io.balena.features.requires.arch.sw: 'aarch64'
      io.balena.features.optional: '1'
  vision-pc:
    build: ./pc
    labels:
      io.balena.features.requires.arch.sw: 'amd64'
"""
check("05.2", answer)

# %% tags=["solution", "exercise-05.2"]
answer = """
services:
  vision-orin:
    build: ./orin
    labels:
      io.balena.features.requires.sw.l4t: '>=36'
      io.balena.features.optional: '1'
  vision-nano:
    build: ./nano
    labels:
      io.balena.features.requires.sw.l4t: '<36'
      io.balena.features.optional: '1'
  vision-pi:
    build: ./pi
    labels:
      io.balena.features.requires.hw.device-type: 'raspberrypi4-64'
      io.balena.features.optional: '1'
  vision-pc:
    build: ./pc
    labels:
      io.balena.features.requires.arch.sw: 'amd64'
      io.balena.features.optional: on
"""
check("05.2", answer)

# %% [markdown] tags=["notes"]
# **For you.** Device types for the two Jetson services fit the six devices and fail on the generated ones: a slug
# names one type. `arch.sw: aarch64` lets every Jetson run `vision-pi` as well. `~32` for the older ones leaves out
# the Orin with L4T 35.

# %%
# Optional, and the same on both engines. Bring release 1 up on the Nano, then offer release 2,
# which asks for more: the old `gpu` is killed, and the others go on to 2 (S-57). Take it down, and
# let the engine stand for this machine: there `gpu` is left out from the start (S-56). With Docker
# here, choose it at the left and do it again.
engine_lab(ONE, offer=TWO, devices=here())

# %% [markdown]
# ## What you have now
#
# - One unmet service that is not optional rejects the release as a whole (S-52). The log names all unmet services,
#   the optional ones included: those are not the cause (S-59).
# - Left out means stopped: the old version of an optional service is killed, and its image goes (S-57). The guide
#   warns of it in a box; everybody reads past it once. Volumes stay, even those that only it used (S-56).
# - `1`, `true`, `on`; nothing else (S-53). The mark without a requirement does nothing, but adding it makes the
#   container anew (S-54, S-88).
# - `depends_on` what is left out counts as satisfied (S-66); `network_mode: service:` what is left out never ends
#   (S-67).
# - Several apps on one device are decided one by one (S-65); only what cannot be read couples them (S-55).
#
# The same on the command line: `kit decide data/compositions/optional.yml --device FILE`.
#
# **Next:** notebook 06, who reaches whom.
