# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# <p style="font-size:13px; line-height:20px; margin:0; opacity:.75">Notebook 00 of 09 &nbsp;/&nbsp; 10 minutes &nbsp;/&nbsp; no device needed</p>
#
# # Start here
#
# <p style="font-size:16px; line-height:24px; opacity:.8">See that everything works, learn the one legend, and change your first decision.</p>
#
# A notebook is made of cells. These keys are enough:
#
# | key | does |
# |---|---|
# | <kbd>Shift</kbd>+<kbd>Enter</kbd> | runs a cell and goes to the next |
# | <kbd>Enter</kbd> | lets you write in a cell |
# | <kbd>Esc</kbd> | ends writing; <kbd>↑</kbd> and <kbd>↓</kbd> then go from cell to cell |
# | <kbd>Tab</kbd> | goes from control to control in a lab; inside one, arrows and letters belong to it |
#
# Run the next cell now. It loads this notebook's exercises and shows how many of them pass.

# %% tags=["setup"]
from course.chapters import my_course
from course.doctor import examine
from labs import decision_lab
from lessons import example
from lessons.start_here import DEVICE, check, hint, lesson, marks, solution

lesson

# %% [markdown]
# ## Is this place ready, and how do you read it?
#
# The first cell below asks a few questions about this computer and changes nothing. A dashed ring is a note: something
# that you can do without. A square is something to mend, and the line says how.
#
# The second cell is the whole legend: five short sentences. All pictures here speak in shapes, so that they say the
# same without colours.

# %%
examine()

# %%
marks()

# %% [markdown]
# ## Your first decision
#
# Nobody types `docker compose up` on a balena **device**. balena makes a **release** of your `docker-compose.yml`: all
# of its services, built and shipped together. On each device a program, the **supervisor**, looks at what the services
# ask for in their labels, and decides. Here, `first-service` asks for a device of the type `jetson-nano`, and may be
# left out. `second-service` asks for nothing.
#
# Guess first: what happens on a Raspberry Pi 4? Then run the cell, and look at its first line.
#
# **Exercise 00.1.** Change the *device*, on the left, not what the services ask for, until both run. The arrow beside
# a field offers what is known. Then run the check below.

# %%
lab = decision_lab(example("optional"), DEVICE)
lab

# %% [markdown] tags=["notes"]
# **For you.** Most people change the label first: the check says so, and that is the point; facts and labels are
# two sides of one question. Typing `jetson` alone fails, because a device type is compared letter by letter (S-37).

# %%
check("00.1", lab)

# %% tags=["solution"]
lab._facts["device_type"].value = "jetson-nano"
check("00.1", lab)

# %% [markdown]
# ## A line to mend
#
# **Exercise 00.2.** Below is a release of three services. `proxy` shall start after the two others, but one line
# has a typing mistake, and balena would make no release of it. Press <kbd>Enter</kbd> in the cell, mend the line,
# and run the cell.
#
# Stuck? Add a cell with `hint("00.2")`: there are three, each nearer to the answer. `solution("00.2")` shows an
# answer as a difference to yours. Neither counts against you.

# %% tags=["start", "exercise-00.2"]
answer = """
services:
  frontend:
    build: ./frontend
  proxy:
    build: ./haproxy
    depends_on:
      - frontend
      - dta
    ports:
      - "80:80"
  data:
    build: ./data
"""
check("00.2", answer)

# %% tags=["solution", "exercise-00.2"]
answer = """
services:
  frontend:
    build: ./frontend
  proxy:
    build: ./haproxy
    depends_on:
      - frontend
      - data
    ports:
      - "80:80"
  data:
    build: ./data
"""
check("00.2", answer)

# %% tags=["course"]
# How many minutes do you have? Change the number, and run the cell.
my_course(minutes=20)

# %% [markdown]
# ## What you have now
#
# - Round runs, square stops, a dashed ring is left out, six corners could not be read, a diamond nobody knows.
# - A device decides by its facts, and says why: rule S-51 (a service is met if all that it asks for holds) and
#   S-56 (an optional service that is not met is left out, the rest runs).
# - A name in `depends_on` must be the name of a service. Otherwise no release is made (C-55).
# - Your progress is a file of yours: the cell above has a link to download it, and says how to take it up elsewhere.
#
# The command `kit rule S-56` prints a rule, why it is so, and an example.
#
# **Next:** the notebook that fits into your time. They build on each other, but none needs a device.
