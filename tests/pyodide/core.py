"""The light house in a browser's Python: read, check, decide, plan, let things happen, explain, draw."""

import importlib
import sys

import kit

reading = kit.read(
    """
services:
  frontend: {build: ./frontend}
  proxy:
    build: ./haproxy
    depends_on: [frontend, data]
    labels: {io.balena.features.requires.sw.linux: ">5.15.*", io.balena.features.optional: "1"}
  data: {build: ./data}
""",
    name="In[1]",
)
assert reading.composition is not None, reading.findings
device = kit.Device(device_type="raspberrypi4-64", arch="aarch64", supervisor="19.0.5", kernel="5.15.92-v8")
decision = kit.decide(reading.composition, device.facts)
assert (decision.outcome, decision.dropped) == ("partial", ("proxy",))
assert kit.flips(reading.composition, device.facts)
preset = kit.Device.preset("raspberrypi5", "6.4.3")
assert preset.facts.kernel is not None

release = kit.Release("r1", reading.composition)
following = kit.Release("r2", reading.composition)
planned = kit.plan(kit.installed(release), following)
assert planned.settled
engine = kit.Simulated(facts=device.facts)
engine.happen(importlib.import_module("kit.engines.base").OfferArrives(releases=(release,)))
script = kit.read_events("- process-exits: {service: data, code: 3}\n- power-cut: {}\n", first=release)
assert not script.findings, script.findings
assert [str(event) for event, _rounds in kit.follow(engine, script)][-1] == "the power fails, and the device boots"
assert {each.service for each in engine.observe().containers} == {"frontend", "data"}  # `proxy` is left out

heavy = {"docker", "matplotlib", "ipywidgets", "numpy", "networkx", "click"} & set(sys.modules)
assert not heavy, heavy

graphs = importlib.import_module("kit.graphs")  # after the light rooms, which must not need it
drawn = graphs.to_svg(graphs.of_composition(reading.composition, decision))
assert drawn.startswith("<svg")
lines = importlib.import_module("labs.timeline")
assert lines.to_svg([lines.Strip("an update", lines.timeline(planned, {"fetch": 40}))]).startswith("<svg")
print("core ok on Python", sys.version.split()[0])
