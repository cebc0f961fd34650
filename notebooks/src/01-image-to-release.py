# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 01 of 09 &nbsp;/&nbsp; 20 minutes &nbsp;/&nbsp; no device needed</p>
#
# # From image to release
#
# <p style="font-size:16px; line-height:24px; opacity:.8">Why a program is split into several containers, what a compose file says, and how much of it arrives.</p>
#
# When you are through, you can
#
# - say what a service, an image, a container, a volume, a network and a release are,
# - turn one service into two,
# - tell which lines of a file have an effect, and which vanish without a word.

# %% tags=["setup"]
from labs import engine_lab, release_lab
from lessons import example, example_file
from lessons.image_to_release import check, hint, lesson, same_service, solution

lesson

# %% [markdown]
# ## Guess before you see
#
# A folder has a `Dockerfile` and nothing else. balena makes a **single-container** release of it: one service, `main`
# (C-111). It is privileged, shares the network of the device, has a volume at `/data`, five feature labels are on,
# and it is always started again (C-112).
#
# Now somebody adds the smallest `docker-compose.yml` for the same program:
#
# ```yaml
# services:
#   main:
#     build: .
# ```
#
# How many of the **five** things does `main` still have? Write a number between the quotation marks.

# %%
guess = ""

same_service(guess)

# %% [markdown]
# ## Several containers
#
# An **image** is a file system with a program in it. A **container** is one image at work. A **service** is a name in
# the compose file: what to run, and how. A **release** is all services of one version, together with their volumes and
# networks; a device takes it as a whole.
#
# Why more than one service?
#
# - **Walls.** What breaks in one container, or is broken into, stays there.
# - **An environment of its own.** Each program has the system, the language and the tools that it needs.
# - **Limits of its own.** Each gets the rights and the memory that its task takes, and no more.
# - **Updates of its own.** A service that did not change is not restarted by a new release (S-122).
# - **Teams of their own.** Each can work in the way that suits its service.
#
# The file is `docker-compose.yml` at the root of the project. `docker-compose.yaml` is read too; **`compose.yml` is
# not**, and with a Dockerfile beside it the project silently becomes a privileged single container (C-1). A service
# either has `build:`, a folder with a Dockerfile, or `image:`, one that is built already; with both it is built
# (C-43). Older text speaks of Compose file format 2.1: `version` selects nothing any more (C-23).
#
# Now explore. The lab has the example of balena's guide. Let it show **what arrives**: that compares what you write with
# what balena keeps and with what the device uses. Then try: `image: nginx` in place of a `build`; `restart:
# on-failure:3`; `container_name: web`; `privilegd: true`.

# %%
lab = release_lab(example("getting-started").text)
lab

# %% [markdown]
# ## One service becomes two
#
# **Exercise 01.1.** `main` does two things: it draws pages, and it keeps data. Split it into `frontend` and `backend`,
# each built from the folder of its name. Port 80 of the device leads to `frontend`, which starts after `backend`.
# Nobody outside reaches `backend`; `frontend` reaches it by its name. `hint("01.1")` helps.

# %% tags=["start", "exercise-01.1"]
answer = """
services:
  main:
    build: ./app
    ports:
      - "80:80"
"""
check("01.1", answer)

# %% tags=["solution", "exercise-01.1"]
answer = """
services:
  frontend:
    build: ./frontend
    depends_on:
      - backend
    ports:
      - "80:80"
  backend:
    build: ./backend
"""
check("01.1", answer)

# %% [markdown] tags=["notes"]
# **For you.** Expect a published port at the backend as well (people do not know that neighbours need none, C-45),
# and a `main` that stays beside the two. The check starts the release on four generations of supervisors.

# %% [markdown]
# ## Everything arrives
#
# **Exercise 01.2.** Six settings of this file do not do what they say; balena prints a warning for two of them and says
# nothing about the rest (C-4). Mend it, so that no line vanishes or changes on its way, and `web` has what was meant:
#
# - port 80 of the device leads to its port 8080,
# - it starts again after an error, and only then,
# - `MODE` is `010` inside the container,
# - it can use the D-Bus of the device.
#
# `release_lab(answer)` shows what arrives.

# %% tags=["start", "exercise-01.2"]
answer = """
services:
  web:
    build: ./web
    container_name: web
    expose:
      - "8080"
    ports:
      - "8080"
    restart: on-failure:3
    environment:
      MODE: 010
    volumes:
      - /run/dbus:/run/dbus
"""
check("01.2", answer)

# %% tags=["solution", "exercise-01.2"]
answer = """
services:
  web:
    build: ./web
    ports:
      - "80:8080"
    restart: "on-failure"
    environment:
      MODE: "010"
    labels:
      io.balena.features.dbus: '1'
"""
check("01.2", answer)

# %% [markdown] tags=["notes"]
# **For you.** Each of the six is a trap of its own: C-45 twice, C-50, C-106, C-13, C-52. Expect `"8080:8080"`,
# and a file from which the hard lines are simply removed.

# %%
# Optional, and the same on both engines. Bring it up: images first, then containers, volumes and
# networks. Remove one by hand and look: the supervisor makes it anew (S-84). With Docker on this
# machine, choose it at the left.
engine_lab(example_file("getting-started"))

# %% [markdown]
# ## What you have now
#
# - The first compose file takes away privileged mode, the device's network, `/data` and five features (C-112, C-114).
# - `docker-compose.yml` stands at the root; `compose.yml` is not read (C-1).
# - A service is built, or comes from an image; with both it is built (C-43).
# - `expose` and `container_name` are removed (C-45). A bare port opens the same port of the device (C-50).
#   `on-failure:3` becomes `always` (C-106), `010` becomes 8 (C-13), an allowed bind mount becomes a label (C-52).
#
# The same on the command line: `kit check docker-compose.yml` and `kit normalise docker-compose.yml`.
#
# **Next:** notebook 02, in which services wait for each other.
