# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 09 of 09 &nbsp;/&nbsp; 45 minutes &nbsp;/&nbsp; no device needed</p>
#
# # A stranger's composition, and yours
#
# <p style="font-size:16px; line-height:24px; opacity:.8">Most compositions that you will work on are not yours. Read one for what it does, not for what it says; then write one that three families of devices can live with.</p>
#
# When you are through, you can
#
# - find the settings of a file that vanish, change, or open the device,
# - look at a file of your own from all sides in one cell,
# - ship one release to three device families, and prove that it is accepted.

# %% tags=["setup"]
from IPython.display import display

import kit
from course.chapters import my_course, summary
from labs import engine_lab, explore, fleet_lab
from lessons.capstone import arrived, hidden_doors, so_far, startable, stranger
from lessons.capstone import check, hint, lesson, solution

lesson

# %% [markdown]
# ## Guess before you see
#
# Somebody sends this. balena makes a release of it, and the device runs it. It has ten settings, from `image` to
# `ports`. **How many of the ten arrive on the device as they are written?**
#
# ```yaml
# services:
#   web:
#     image: example/web:1.4
#     container_name: web
#     restart: on-failure:3
#     tty: false
#     command: migrate && serve
#     mem_limit: 1e9
#     environment:
#       MODE: 010
#       LEVEL: info
#     labels:
#       io.balena.features.dbus: yes
#     ports:
#       - 80:80
# ```
#
# (`environment` counts twice, once for each variable; `container_name` counts.)

# %%
guess = ""

arrived(guess)

# %% [markdown]
# ## Who opens the door
#
# The guide says that a part of Compose 2.1 is understood. What reads the file today is the Compose Specification, less
# some twenty fields that are refused (C-44) and some that are dropped with a line that nobody reads (C-45).
# Others vanish without a word (C-5), are refused by the device only (C-46, C-50, C-99), or ship what should have
# stayed at home: `environment: [TOKEN]`, without a value, copies the variable of whoever builds into the release, in
# clear (C-31). Feature labels are doors to the host, and most of them reach all of it (C-89). A bind
# mount is no bind mount: a few known sources become such a label, and lose `:ro` and the place where you wanted
# them (C-52); all others are refused (C-51).
#
# The documentation says that labels stand in the composition. The supervisor also reads those **inside the image**,
# before it looks at features and at the update strategy (C-91). A stranger's image can open the host, and no review
# of your file shows it. `hidden_doors()` makes four containers.
#
# **Now yours.** Put the path of a file of your own into `mine`, or its text between three quotation marks; an example
# stands there. `explore` reads, and neither builds nor pulls. With `device=kit.Device.preset("raspberrypi4-64", "6.5.4")` it decides for one device, with
# `against="old.yml"` it plans the update from another file, with `fleet="devices.csv"` it counts.

# %%
mine = "getting-started.yml"

display(hidden_doors(), explore(mine))

# %% [markdown]
# ## Eight problems of a stranger
#
# **Exercise 09.1.** The composition below has eight settings that do something else than they say, or that let whoever
# breaks into the container take the device. It also has some that look odd and are harmless. List the eight, as
# line numbers or as rules: `problems = [12, "C-106"]`. All eight must be there; two false alarms are forgiven.
# Another `variant` plants other problems. `kit.rule("C-106")` shows a rule.
#
# Below the check is something optional: the composition at work, without the lines for which every device refuses it,
# and with images that only wait. It begins with the simulated engine. Docker on this machine says what would be opened,
# and refuses; tick “leave out what opens this machine” for the rest. Running the cell again takes it down.

# %% tags=["start", "exercise-09.1"]
variant = 1
problems = []

display(stranger(variant), check("09.1", {"variant": variant, "problems": problems}))
engine_lab(startable(variant))

# %% tags=["solution", "exercise-09.1"]
variant = 1
problems = [5, 7, "S-14", "C-53", "C-66", 18, "C-107", 33]

display(stranger(variant), check("09.1", {"variant": variant, "problems": problems}))
engine_lab(startable(variant))

# %% [markdown] tags=["notes"]
# **For you.** People blame `init`, `user`, an unquoted `22:22` (harmless on balena, C-14) and `restart: no` (a word,
# C-15). They overlook `MY-VAR` (it strands the device, C-99) and `start_period` (C-107). Let pairs take different
# variants and compare.

# %% [markdown]
# ## Ship it
#
# **Exercise 09.2.** A blank canvas. Write **one** release of five services, `camera`, `ui`, `vision-pi`, `vision-orin` and
# `vision-nano`. These are the acceptance checks:
#
# 1. balena makes a release of it, and no setting does something else than it says: no findings.
# 2. `vision-pi` runs on a Raspberry Pi 4, `vision-orin` on Jetsons with L4T 36 or newer, `vision-nano` on Jetsons
#    with an older L4T; each alone, on supervisors from 14.12 on.
# 3. `camera` and `ui` run everywhere, on PCs and old Raspberry Pis as well: nobody rejects or refuses the release.
# 4. `ui` starts after `camera` and publishes port 80; no update waits for ever.
# 5. `camera` and `ui` share one named volume, which outlives the next release.
# 6. `camera` sees `/dev/video0`; no service can take over the device.
#
# Below the check, your release meets the workshop's fleet of 200; until there is one, an example stands in for it.

# %% tags=["start", "exercise-09.2"]
answer = """
# One release for three families.
"""
display(check("09.2", answer), fleet_lab(so_far(answer)))

# %% tags=["solution", "exercise-09.2"]
answer = """
services:
  camera:
    build: ./camera
    devices:
      - /dev/video0
    volumes:
      - shots:/data
  vision-pi:
    build: ./vision
    depends_on: [camera]
    labels:
      io.balena.features.requires.hw.device-type: raspberrypi4-64
      io.balena.features.optional: '1'
  vision-orin:
    build: ./vision
    depends_on: [camera]
    labels:
      io.balena.features.requires.sw.l4t: '>=36'
      io.balena.features.optional: '1'
  vision-nano:
    build: ./vision
    depends_on: [camera]
    labels:
      io.balena.features.requires.sw.l4t: '<36'
      io.balena.features.optional: '1'
  ui:
    build: ./ui
    depends_on: [camera]
    ports:
      - '80:80'
    volumes:
      - shots:/data
volumes:
  shots:
"""
display(check("09.2", answer), fleet_lab(so_far(answer)))

# %% [markdown] tags=["notes"]
# **For you.** The usual way: `arch.sw: aarch64` for the Pi (every Jetson has it), `privileged` for the camera, a
# forgotten `volumes:` at top level, and `depends_on` of all three vision services, which is harmless (S-66).

# %% tags=["course"]
# Your way here, and a page to keep. Write your name between the quotation marks if you like.
display(my_course(minutes=20), summary(name=""))

# %% [markdown]
# ## What you have now
#
# - Read a file for what arrives: `kit check FILE` has the findings, `kit normalise FILE` what the release keeps (C-5).
# - Doors are few, and stand in `privileged`, `cap_add`, `devices`, and feature labels, your own and those of
#   images (C-89, C-91). A label `'0'` in the composition closes what an image opened.
# - A variable without a value ships what the machine that builds has under that name (C-31).
# - One release can serve families of devices. Requirements choose, optional leaves out, and what everybody needs
#   asks for nothing (S-51, S-52, S-68).
#
# The page says what your progress file says, and that it is self-issued. `kit summary -o summary.html` writes it as well.
