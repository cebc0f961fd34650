# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 06 of 09 &nbsp;/&nbsp; 25 minutes &nbsp;/&nbsp; no device needed</p>
#
# # Ports, networks, and hardware access
#
# <p style="font-size:16px; line-height:24px; opacity:.8">Who reaches whom, by name or only by address, and what a container may do to its device.</p>
#
# When you are through, you can
#
# - say who reaches whom in a release, and at which address,
# - hide a service from the world without hiding it from its neighbours,
# - give a service the hardware that it uses without `privileged`.

# %% tags=["setup"]
from labs import engine_lab, reachability_lab
from lessons import example, example_file
from lessons.ports_networks import by_name, check, doors, hint, lesson, solution

lesson

# %% [markdown]
# ## Guess before you see
#
# ```yaml
# services:
#   radio:
#     build: ./example
#     network_mode: host
#     ports:
#       - "8081:80"
#   web:
#     build: ./frontend
#     ports:
#       - "80"
# ```
#
# There are four ways: from `web` to `radio`, from `radio` to `web`, and from another machine to each of them. How many of
# the **four** work by the *name* of a service? Write a number between the quotation marks.

# %%
guess = ""

by_name(guess)

# %% [markdown]
# ## Lines and stops
#
# Each network is a line, each service a stop. Without `networks:` all services are on one network, `default` (C-57).
# Two services on one line reach each other **by name, on every port**. `expose` adds nothing: it is removed (C-45).
#
# From outside only `ports:` opens a way: `"80:8080"` leads from port 80 of the device to 8080 of the service (C-49). A bare
# `"80"` is not a free port, but port 80 of the device (C-50). `network_mode` replaces all that:
#
# | mode | means |
# |---|---|
# | `host` | the network of the device: all ports that the program listens at are open, `ports:` means nothing, and there are no service names (C-105). Bluetooth and the like need it |
# | `service:X` | the network of `X`: the two meet at `localhost`, and others use the name of `X` (C-56) |
# | `bridge` | the engine's own network, without names (C-56) |
# | `none` | no network |
#
# A service on several networks has a primary one: the first of the **alphabet**, not of the file (C-57, C-105).
#
# Now explore. Choose *from* and *to*. Then try: give `frontend` the network `back` as well; take the port away from
# `proxy`; give `data` the mode `host`; write `80` as the port of `data`.

# %%
lab = reachability_lab(example("networks"))
lab

# %% [markdown]
# ## Hide the backend
#
# **Exercise 06.1.** All three services are on one network, and two of them are open to the world. Make it so that
#
# - another machine reaches `frontend` at port 80, and nothing else,
# - `frontend` reaches `backend`, and `backend` reaches `database`, by name,
# - `frontend` does not reach `database`,
# - a service that somebody adds later, without a word about networks, reaches neither `backend` nor `database`.
#
# `reachability_lab(answer)` shows your text as lines.

# %% tags=["start", "exercise-06.1"]
answer = """
services:
  frontend:
    build: ./frontend
    ports:
      - "80:80"
  backend:
    build: ./backend
    ports:
      - "8080:8080"
  database:
    build: ./database
"""
check("06.1", answer)

# %% tags=["solution", "exercise-06.1"]
answer = """
networks: {front: null, back: null}
services:
  frontend:
    build: ./frontend
    networks: [front]
    ports:
      - "80:80"
  backend:
    build: ./backend
    networks: [front, back]
  database:
    build: ./database
    networks: [back]
"""
check("06.1", answer)

# %% [markdown] tags=["notes"]
# **For you.** Expect one network for all three, and a solution that leaves a pair on `default`: the check adds a
# stranger there. A sharp eye sees that `database` still gets to `frontend` through the device's port 80: an `internal`
# network shuts that too (C-84).

# %% [markdown]
# ## Doors to the device
#
# Containers of a compose file are **not privileged** (C-114), bind mounts are refused but for a few that become labels
# (C-52), and hardware comes through three doors, each as small as it can be:
#
# - `devices:` for a device file (C-58); it has to be there when the container is created,
# - `cap_add:` for one right of the kernel (C-69),
# - a **feature label** for what is no device file (C-89). It is on if its value is `1`, `true` or `on` (C-88).
#
# | `io.balena.features.` | opens | who breaks in reaches |
# |---|---|---|
# | `dbus` | the system bus: NetworkManager, systemd, reboot | **the whole device** |
# | `kernel-modules` | the device's kernel modules | **the whole device** |
# | `firmware` | the device's firmware folder | **the whole device** |
# | `extra-firmware` | a firmware volume that all services share | **the whole device** |
# | `balena-socket` | the container engine, and with it the whole device | **the whole device** |
# | `balena-api` | the balena API with the device's key | **the whole device** |
# | `supervisor-api` | the supervisor's API, with a key of its own | **the whole device** |
# | `sysfs` | /sys of the device, writable | **the whole device** |
# | `procfs` | /proc of the device, writable | **the whole device** |
# | `journal-logs` | the device's journal, read-only | a part of it |
# | `gpu` | one graphics processor | a part of it |
# | `host-os.board-rev` | the board revision and build of the OS | a part of it |
#
# The supervisor and the OS from which each works stand in `kit rule C-89`; the last two are not documented.
#
# `privileged: true` opens every device and every right at once. It does not bring what the labels bring: a socket, a
# bus, an API key. The example of balena's guide gives `/dev/mem` and `SYS_RAWIO` to a `gpio` service. That is no
# privilege by name, but by effect: who may write all memory owns the device. `doors(example("hardware").text)` says so.
#
# **Exercise 06.2.** `sensors` reads `/dev/i2c-1` and `/dev/ttyACM0`, and speaks to the system bus of the device (D-Bus).
# Give it these three, and take everything else away. `doors(answer)` shows what is open.

# %% tags=["start", "exercise-06.2"]
answer = """
services:
  sensors:
    build: ./example
    privileged: true
    network_mode: host
"""
check("06.2", answer)

# %% tags=["solution", "exercise-06.2"]
answer = """
services:
  sensors:
    build: ./example
    devices: ["/dev/i2c-1:/dev/i2c-1", "/dev/ttyACM0:/dev/ttyACM0"]
    labels:
      io.balena.features.dbus: '1'
"""
check("06.2", answer)

# %% [markdown] tags=["notes"]
# **For you.** Expect `yes` as the label's value, which is off (C-88), and `cap_add: [SYS_RAWIO]` copied from the guide.
# The bind `/run/dbus:/run/dbus` is right too: it becomes the label (C-52). The bus alone still reaches the whole device.

# %%
# Optional, and the same on both engines. The simulated one takes everything. Docker on this machine
# refuses what opens it, such as the host's network for `monitor`: tick “leave out what opens this
# machine”, and the rest comes up.
engine_lab(example_file("networks"))

# %% [markdown]
# ## What you have now
#
# - Services on one network reach each other by name, on every port; `expose` does nothing (C-57, C-105, C-45).
# - From outside, only a published port leads in (C-49), or the mode `host`, which opens all (C-105).
# - A service on the device's network has no service name and knows none (C-105). `service:X` shares (C-56).
# - The alphabet chooses the primary network (C-57). A bare port is the same port of the device (C-50).
# - Hardware needs no `privileged`: `devices`, `cap_add`, or one feature label (C-58, C-69, C-89).
#
# The same on the command line: `kit check docker-compose.yml`.
#
# **Next:** notebook 07, a release on a mixed fleet.
