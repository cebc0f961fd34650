"""Graphs: placed without overlaps, painted with states, told as table and text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import graphs, looks
from kit.composition import Build, Composition, Mount, Network, Port, Service, Volume
from kit.contracts import Decision, Fact, Facts, decide
from kit.graphs.placement import SIZES, Box, Placement, layers, place, reachable

SVG = "{http://www.w3.org/2000/svg}"
LABEL = "io.balena.features.requires.sw.l4t"
OPTIONAL = ("io.balena.features.optional", "1")


def release(*rows: str, **more: Service) -> Composition:
    """Services from lines such as `api < db cache`: a name, and what it depends on."""
    services = []
    for row in rows:
        name, _, needs = row.partition("<")
        services.append(Service(name=name.strip(), depends_on=tuple(needs.split())))
    return Composition(services=tuple(more.get(one.name.replace("-", "_"), one) for one in services))


STARTED = Composition(
    services=(
        Service(name="frontend", build=Build(context="./frontend")),
        Service(
            name="proxy",
            build=Build(context="./haproxy"),
            depends_on=("frontend", "data"),
            ports=(Port(target="80", published="80"),),
        ),
        Service(name="data", build=Build(context="./data"), volumes=(Mount(volume="samples", target="/data"),)),
    ),
    volumes=(Volume(name="samples"),),
)
VISION = release(
    "camera",
    "broker",
    "recorder < camera",
    "vision-cpu < camera",
    "vision-gpu",
    "tracker < vision-cpu vision-gpu broker",
    "api < recorder tracker",
    "ui < api",
    vision_gpu=Service(name="vision-gpu", depends_on=("camera", "broker"), labels=(OPTIONAL, (LABEL, ">=99"))),
)
ROWS = """timeseries-db
broker
modem
ntp
camera-north
camera-south
can-gateway < broker
modbus-a < broker
modbus-b < broker
opc-ua < broker
config < broker
gps < modem ntp
vision-gpu
recorder < camera-north camera-south
normaliser < broker can-gateway modbus-a modbus-b opc-ua
watchdog-agent < config
geofence < gps config
historian < timeseries-db normaliser broker
anomaly < normaliser vision-gpu
backup < historian timeseries-db
api < historian config
uplink < modem historian config
alarms < anomaly geofence normaliser
ui < api config
kiosk-browser < api"""
PLANT = release(
    *ROWS.splitlines(),
    vision_gpu=Service(
        name="vision-gpu", depends_on=("camera-north", "camera-south"), labels=(OPTIONAL, (LABEL, ">=99"))
    ),
)
CYCLE = release("db", "setup < db cache worker", "web < setup", "worker < web")
HOSTILE = Composition(
    services=(
        Service(name="<script>alert(1)</script>"),
        Service(name="a\"b'c&d`e`", depends_on=("<script>alert(1)</script>",), image="]]>--><b>"),
        Service(
            name="n" * 300, depends_on=("a\"b'c&d`e`",), volumes=(Mount(volume="v" * 300, target="/" + "d" * 300),)
        ),
        Service(name="🚀👩‍👩‍👧 $x^2$", ports=(Port(target="80-90", published="8000-8010", address="127.0.0.1"),) * 3),
        Service(name="\u202eevil\x07\ud800", depends_on=("no such <b>name</b>",)),
    )
)
FACTS = Facts(supervisor=Fact("balena-supervisor", "17.6.3", "test"), l4t=Fact("l4t", "36.4.4", "test"))
EXAMPLES = {"started": STARTED, "vision": VISION, "plant": PLANT, "cycle": CYCLE, "hostile": HOSTILE}


def decided(composition: Composition) -> Decision:
    return decide(composition, FACTS)


# ------------------------------------------------------------------------------------- random releases


@st.composite
def names_and_edges(
    draw: st.DrawFn, most: int = 22, loops: bool = False
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    count = draw(st.integers(1, most))
    names = tuple(f"s{number}" for number in draw(st.permutations(range(count))))
    pairs = [(f"s{a}", f"s{b}") for a in range(count) for b in range(a + 1, min(count, a + 9))]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=2 * count)) if pairs else []
    if loops:
        anywhere = st.tuples(st.sampled_from(names), st.sampled_from(names))
        edges = list(dict.fromkeys(edges + draw(st.lists(anywhere, max_size=4))))
    return names, tuple(edges)


def overlapping(one: Box, other: Box) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def check_places(placed: Placement, edges: tuple[tuple[str, str], ...]) -> None:
    """Nothing overlaps, everything is on the sheet, and each line joins its two boxes and touches no other."""
    boxes = [*placed.boxes.values(), *placed.volumes]
    for one, other in combinations(boxes, 2):
        assert not overlapping(one, other), (one, other)
    for box in boxes:
        assert 0 <= box.x <= box.x + box.width <= placed.width
        assert 0 <= box.y <= box.y + box.height <= placed.height
    assert sorted((line.source, line.target) for line in placed.lines if line.kind != "volume") == sorted(edges)
    shelf = {box.name: box for box in placed.volumes}
    for line in placed.lines:
        source = placed.boxes[line.source]
        target = shelf[line.target] if line.kind == "volume" else placed.boxes[line.target]
        (x0, y0), (x1, y1) = line.points[0], line.points[-1]
        assert source.x <= x0 <= source.x + source.width
        assert source.y <= y0 <= source.y + source.height
        assert target.x - 10 <= x1 <= target.x + target.width + 1
        assert target.y - 1 <= y1 <= target.y + target.height + 1
        for (ax, ay), (bx, by) in zip(line.points, line.points[1:], strict=False):
            assert ax == bx or ay == by, "lines are upright or level"
            for box in boxes:
                inside_x = min(ax, bx) < box.x + box.width - 0.5 and box.x + 0.5 < max(ax, bx)
                inside_y = min(ay, by) < box.y + box.height - 0.5 and box.y + 0.5 < max(ay, by)
                if ax == bx:
                    inside_x = box.x + 0.5 < ax < box.x + box.width - 0.5
                if ay == by:
                    inside_y = box.y + 0.5 < ay < box.y + box.height - 0.5
                assert not (inside_x and inside_y), (line, box)


@given(names_and_edges(), st.sampled_from(list(SIZES)))
def test_a_random_release_is_placed_without_overlaps(
    sample: tuple[tuple[str, ...], tuple[tuple[str, str], ...]], size: str
) -> None:
    names, edges = sample
    placed = place(names, edges, (), size)
    check_places(placed, edges)
    for source, target in edges:
        one, other = placed.boxes[source], placed.boxes[target]
        assert one.column < other.column
        assert one.y + one.height < other.y if SIZES[size].narrow else one.x + one.width < other.x


@given(names_and_edges(12, loops=True), st.sampled_from(list(SIZES)))
def test_loops_are_placed_without_overlaps_too(
    sample: tuple[tuple[str, ...], tuple[tuple[str, str], ...]], size: str
) -> None:
    names, edges = sample
    placed = place(names, edges, (), size)
    check_places(placed, edges)
    for label in placed.labels:
        level = {placed.boxes[name].x if SIZES[size].narrow else placed.boxes[name].y for name in label.members}
        assert len(level) == 1, "a loop stands in a row"


@given(names_and_edges(5), st.lists(st.tuples(st.integers(0, 4), st.sampled_from("uvw")), max_size=5, unique=True))
def test_volumes_stand_on_a_shelf_after_the_last_column(
    sample: tuple[tuple[str, ...], tuple[tuple[str, str], ...]], wanted: list[tuple[int, str]]
) -> None:
    names, edges = sample
    mounts = tuple(dict.fromkeys((names[number % len(names)], volume) for number, volume in wanted))
    placed = place(names, edges, mounts, "small")
    check_places(placed, edges)
    assert {box.name for box in placed.volumes} == {volume for _, volume in mounts}
    assert all(box.x > one.x + one.width for box in placed.volumes for one in placed.boxes.values())
    assert len([line for line in placed.lines if line.kind == "volume"]) == len(mounts)


@given(names_and_edges(14, loops=True))
def test_a_column_is_one_more_than_the_last_dependency(
    sample: tuple[tuple[str, ...], tuple[tuple[str, str], ...]],
) -> None:
    names, edges = sample
    found = layers(names, edges)
    looped = {name: row for row in found.loops for name in row}
    before = reachable(names, edges)
    assert set(looped) == {name for name in names if name in before[name]}
    for name in set(names) - set(looped):
        ends = [found.column[looped.get(s, (s,))[-1]] for s, t in edges if t == name]
        assert found.column[name] == max(ends, default=-1) + 1
    for row in found.loops:
        assert {name for name in names if row[0] in before[name] and name in before[row[0]]} == {*row}
        assert [found.column[name] - found.column[row[0]] for name in row] == list(range(len(row)))


def test_equal_structure_is_placed_once() -> None:
    first = graphs.of_composition(VISION, decided(VISION))
    second = graphs.of_composition(VISION, decide(VISION, replace(FACTS, l4t=Fact("l4t", "99.1.0", "test"))))
    assert [node.state for node in first.nodes] != [node.state for node in second.nodes]
    assert first.placement() is second.placement()


@pytest.mark.parametrize("count", [1, 2, 5, 6, 14, 15, 40])
def test_the_class_of_the_picture_follows_the_number_of_services(count: int) -> None:
    graph = graphs.of_composition(release(*(f"s{number}" for number in range(count))))
    assert graph.placement().size.name == ("small" if count <= 5 else "medium" if count <= 14 else "large")


def test_the_wide_picture_fits_the_card_and_text_is_never_scaled() -> None:
    for composition in (STARTED, VISION, PLANT, CYCLE):
        svg = ElementTree.fromstring(graphs.to_svg(graphs.of_composition(composition)))
        assert float(svg.get("width", "0")) <= 862
        assert svg.get("viewBox") is None


def test_six_columns_of_the_large_class_leave_few_crossings() -> None:
    placed = graphs.of_composition(PLANT, decided(PLANT)).placement()
    segments = [(line, pair) for line in placed.lines for pair in zip(line.points, line.points[1:], strict=False)]
    crossings = set()
    for (one, ((ax, ay), (bx, by))), (other, ((cx, cy), (dx, dy))) in combinations(segments, 2):
        strangers = one.source != other.source and one.target != other.target and ax == bx and cy == dy
        if strangers and min(cx, dx) < ax < max(cx, dx) and min(ay, by) < cy < max(ay, by):
            crossings.add((ax, cy))
    assert len(crossings) <= 8


# ------------------------------------------------------------------------------------- what it says


def test_the_release_is_a_networkx_graph_with_kinds() -> None:
    one = replace(STARTED.services[2], networks=("front",), depends_on=("gone",))
    composition = replace(STARTED, services=(*STARTED.services[:2], one), networks=(Network(name="front"),))
    found = graphs.network(composition)
    kinds = {name: data["kind"] for name, data in found.nodes(data=True)}
    assert kinds["proxy"] == "service"
    assert kinds["gone"] == "unknown"
    assert kinds["volume samples"] == "volume"
    assert kinds["network front"] == kinds["network default"] == "network"
    assert kinds["port 80/tcp"] == "port"
    relations = {(a, b): data["kind"] for a, b, data in found.edges(data=True)}
    assert relations["data", "proxy"] == relations["gone", "data"] == "depends_on"
    assert relations["data", "volume samples"] == "mounts"
    assert relations["proxy", "port 80/tcp"] == "publishes"
    assert relations["data", "network front"] == "joins"


def test_what_is_left_out_keeps_its_place_and_binds_nobody() -> None:
    graph = graphs.of_composition(VISION, decided(VISION))
    assert graph.by_name["vision-gpu"].state == "out"
    assert graph.by_name["vision-gpu"].round == 0
    assert graph.layers.column["vision-gpu"] == 1
    assert not graph.binds(("vision-gpu", "tracker"))
    lonely = release("gpu", "app < gpu", "ui < app", gpu=Service(name="gpu", labels=(OPTIONAL, (LABEL, ">=99"))))
    rounds = {node.name: node.round for node in graphs.of_composition(lonely, decided(lonely)).nodes}
    assert rounds == {"gpu": 0, "app": 1, "ui": 2}


def test_focus_counts_without_what_is_left_out() -> None:
    graph = graphs.of_composition(PLANT, decided(PLANT), focus="alarms")
    assert graph.answer == "`alarms` waits for 12 services, four steps deep."
    assert not graph.waited & {"vision-gpu", "camera-north", "camera-south"}
    svg = graphs.to_svg(graph)
    assert 'stroke-width="2.5"' in svg
    assert 'opacity="0.45"' in svg


def test_focus_moves_nothing() -> None:
    plain = graphs.of_composition(PLANT, decided(PLANT))
    assert graphs.of_composition(PLANT, decided(PLANT), focus="ui").placement() is plain.placement()


def test_a_focus_that_no_service_is_called_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no service is called 'zzz'"):
        graphs.of_composition(PLANT, focus="zzz")


def test_what_follows_from_others_is_not_drawn_and_counted() -> None:
    graph = graphs.of_composition(PLANT, decided(PLANT))
    assert {*graph.edges} - {*graph.drawn} == {
        ("broker", "normaliser"),
        ("broker", "historian"),
        ("timeseries-db", "backup"),
        ("normaliser", "alarms"),
        ("config", "ui"),
    }
    assert f"{len(graph.edges) - 5} of {len(graph.edges)} dependencies are drawn" in graph.situation
    assert graphs.of_composition(PLANT, show=("edges",)).drawn == graph.edges


@given(names_and_edges(20), st.sets(st.integers(0, 19)))
def test_a_reduced_graph_still_implies_every_binding_dependency(
    sample: tuple[tuple[str, ...], tuple[tuple[str, str], ...]], optional: set[int]
) -> None:
    names, edges = sample
    labels = {name: (OPTIONAL,) for number, name in enumerate(names) if number in optional}
    needs = {name: tuple(s for s, t in edges if t == name) for name in names}
    services = [Service(name=name, depends_on=needs[name], labels=labels.get(name, ())) for name in names]
    extra = [Service(name=f"filler{number}") for number in range(15)]
    graph = graphs.of_composition(Composition(services=(*services, *extra)))
    kept = [edge for edge in graph.drawn if not {*edge} & {*labels}]
    implied = reachable(tuple(graph.by_name), kept)
    for source, target in edges:
        assert (source, target) in graph.drawn or source in implied[target]


def test_a_loop_is_drawn_with_its_closing_arrow_and_what_to_do() -> None:
    graph = graphs.of_composition(CYCLE)
    assert graph.answer == "Refused: three services wait for each other."
    assert "`setup` depends on `cache`, a name that no service has." in graph.situation
    assert graph.layers.loops == (("setup", "web", "worker"),)
    svg = graphs.to_svg(graph)
    assert "remove any one of these three arrows" in svg
    assert "the loop: no member can be first" in svg
    assert svg.count('stroke-dasharray="6 4"') == 1
    assert {
        line.kind for line in graph.placement().lines if {line.source, line.target} <= {"setup", "web", "worker"}
    } == {"loop"}


def test_the_head_of_a_loop_is_short_where_its_column_is() -> None:
    large = release(*(f"s{n}" for n in range(20)), "a < a s1", "b < a", "c < b")
    assert "the loop: no member" not in graphs.to_svg(graphs.of_composition(large))
    assert "in a loop" in graphs.to_svg(graphs.of_composition(large))
    assert "the loop: no member can be first" in graphs.to_svg(graphs.of_composition(release("a < a", "b < a")))


@pytest.mark.parametrize("narrow", [False, True])
def test_a_service_that_waits_for_itself_is_shown(narrow: bool) -> None:
    graph = graphs.of_composition(release("web", "proxy < proxy web"))
    assert graph.answer == "Refused: `proxy` waits for itself."
    (line,) = [line for line in graph.placement(narrow).lines if line.source == line.target]
    assert line.kind == "loop"
    assert "remove this arrow" in graphs.to_svg(graph, narrow=narrow)
    assert graph.by_name["proxy"].second == "waits for itself"


def test_an_unknown_name_stands_in_the_first_column_as_a_dashed_diamond() -> None:
    graph = graphs.of_composition(release("web < dta", "data"))
    node = graph.by_name["dta"]
    assert (node.state, node.round, graph.layers.column["dta"]) == ("ask", 0, 0)
    assert graph.answer == "Refused: no service is called `dta`."
    (group,) = [group for group in groups(graphs.to_svg(graph)) if group.get("data-state") == "ask"]
    assert group.findtext(f"{SVG}title") == "dta: unknown"
    box = group.find(f"{SVG}rect")
    assert box is not None
    assert box.get("stroke-dasharray") == "5 4"


def test_states_of_a_decision_reach_the_picture() -> None:
    required = release("camera", "gpu < camera", gpu=Service(name="gpu", labels=((LABEL, ">=99"),)))
    graph = graphs.of_composition(required, decided(required))
    assert {node.name: node.state for node in graph.nodes} == {"camera": "old", "gpu": "no"}
    assert graph.answer == decided(required).answer
    assert graph.by_name["gpu"].because == decided(required).services[1].why


def test_networks_and_host_access_are_shown_on_demand() -> None:
    service = Service(name="gpio", privileged=True, devices=("/dev/i2c-1:/dev/i2c-1",), networks=("back",))
    composition = Composition(services=(service,))
    assert graphs.of_composition(composition).nodes[0].second == "/dev/i2c-1"
    assert graphs.of_composition(composition, show=("host",)).nodes[0].second == "privileged, /dev/i2c-1"
    assert graphs.of_composition(composition, show=("networks",)).nodes[0].second == "back"


# ------------------------------------------------------------------------------------- twins


def groups(svg: str) -> list[ElementTree.Element]:
    """The services and volumes of a picture."""
    return [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if group.find(f"{SVG}title") is not None]


def states_in_svg(svg: str) -> dict[str, str]:
    titles = [group.findtext(f"{SVG}title") or "" for group in groups(svg)]
    return {name: state for title in titles for name, found, state in [title.rpartition(": ")] if found}


def states_in_table(html: str) -> dict[str, str]:
    rows = ElementTree.fromstring(f"<x>{html}</x>").findall(".//tbody/tr")
    return {"".join(row[0].itertext()): "".join(row[1].itertext()).strip() for row in rows}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("narrow", [False, True])
def test_the_picture_and_its_table_state_the_same(name: str, narrow: bool) -> None:
    composition = EXAMPLES[name]
    graph = graphs.of_composition(composition, decided(composition))
    in_table = states_in_table(graphs.to_table(graph))
    in_picture = states_in_svg(graphs.to_svg(graph, narrow=narrow))
    in_picture = {name: state for name, state in in_picture.items() if state != "named volume"}
    assert in_picture == in_table
    assert len(in_table) == len(graph.nodes)
    text = graphs.to_text(graph)
    for service, state in in_table.items():
        if "`" not in service:
            assert any(service in line and state in line for line in text.splitlines())


def test_the_table_has_the_columns_of_the_design() -> None:
    table = ElementTree.fromstring(graphs.to_table(graphs.of_composition(STARTED)))
    heads = [head.text for head in table.findall(".//thead//th")]
    assert heads == ["Service", "State", "Because", "Starts in round", "After", "Ports", "Volumes", "Host access"]
    assert {head.get("scope") for head in table.findall(".//thead//th")} == {"col"}
    assert {head.get("scope") for head in table.findall(".//tbody//th")} == {"row"}
    proxy = [cell.text or "" for cell in table.findall(".//tbody/tr")[1]]
    assert proxy == ["proxy", "", "", "2", "frontend, data", "80 → 80", "", ""]


def test_the_text_twin_reads_like_a_table() -> None:
    assert graphs.to_text(graphs.of_composition(STARTED)).splitlines() == [
        "Three services start in two rounds; proxy starts last.",
        "An arrow means “has been started before”; it does not wait for ready.",
        "",
        "Round  Service   After           Ports    Volumes",
        "1      frontend",
        "2      proxy     frontend, data  80 → 80",
        "1      data                               samples:/data",
    ]


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("standalone", [False, True])
def test_every_picture_is_xml_with_a_name_and_no_ids(name: str, narrow: bool, standalone: bool) -> None:
    composition = EXAMPLES[name]
    graph = graphs.of_composition(composition, decided(composition), name="release <1>")
    svg = graphs.to_svg(graph, narrow=narrow, standalone=standalone)
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert (root.get("aria-label") or "").startswith("release <1>: ")
    assert root.find(f"{SVG}title") is not None
    assert (root.findtext(f"{SVG}desc") or "") == root.get("aria-label")
    assert not [element for element in root.iter() if element.get("id")], "two pictures on a page share no ids"
    assert not [element for element in root.iter() if element.tag == f"{SVG}script"]
    assert ("var(" not in svg) is standalone
    assert all(float(text.get("font-size", "0")) >= 12 for text in root.iter(f"{SVG}text"))


def test_a_file_is_light_on_white() -> None:
    svg = graphs.to_svg(graphs.of_composition(STARTED, decided(STARTED)), standalone=True)
    ground = ElementTree.fromstring(svg).find(f"{SVG}rect")
    assert ground is not None
    assert ground.get("fill") == looks.TOKENS["light"]["paper"]
    assert looks.TOKENS["light"]["run"] in svg
    assert looks.TOKENS["dark"]["run"] not in svg
    assert svg.endswith("</svg>\n")


def span(text: ElementTree.Element) -> tuple[float, float]:
    """Where a text begins and ends, by the width table."""
    size, bold, mono = float(text.get("font-size", 0)), text.get("font-weight") == "600", text.get("class") == "mc-m"
    wide = looks.text_width(text.text or "", size, bold=bold, mono=mono)
    left = float(text.get("x", 0)) - {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor", "start")]
    return left, left + wide


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("narrow", [False, True])
def test_no_text_leaves_its_box_or_the_sheet(name: str, narrow: bool) -> None:
    composition = EXAMPLES[name]
    svg = graphs.to_svg(graphs.of_composition(composition, decided(composition)), narrow=narrow)
    root = ElementTree.fromstring(svg)
    for text in root.findall(f"{SVG}text"):
        assert 0 <= span(text)[0] <= span(text)[1] <= float(root.get("width", 0))
    for group in groups(svg):
        texts = group.findall(f"{SVG}text")
        for one, other in combinations(texts, 2):
            apart = span(one)[1] < span(other)[0] or span(other)[1] < span(one)[0]
            assert apart or abs(float(one.get("y", 0)) - float(other.get("y", 0))) >= 12
        box = group.find(f"{SVG}rect")
        for text in texts if box is not None else ():
            left = float(box.get("x", 0))
            assert left < span(text)[0]
            assert span(text)[1] < left + float(box.get("width", 0)), text.text


def test_equal_graphs_give_equal_bytes_in_every_process() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests'); from test_graphs import EXAMPLES, decided\n"
        "from kit import graphs; import hashlib\n"
        "all = [graphs.figure(graphs.of_composition(one, decided(one))) for one in EXAMPLES.values()]\n"
        "print(hashlib.sha256(''.join(all).encode('utf-8', 'replace')).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(runs[0]) == 65


def test_names_of_strangers_are_only_text() -> None:
    graph = graphs.of_composition(HOSTILE, decided(HOSTILE), name="<b>")
    card = graphs.figure(graph, with_style=False)
    assert "<script" not in card
    assert "&lt;script&gt;" in card
    assert "<b>" not in card
    ElementTree.fromstring(card)
    assert "\x07" not in graphs.to_text(graph)
    assert "\u202e" not in graphs.to_text(graph)
    card.encode()


# ------------------------------------------------------------------------------------- cards


def test_a_card_has_a_wide_and_a_narrow_picture_where_that_helps() -> None:
    for composition in (STARTED, VISION, CYCLE):
        assert "mc-narrow" in graphs.figure(graphs.of_composition(composition), with_style=False)
    for composition in (release("a", "b < a"), PLANT):  # narrow enough; too many in a row
        assert "mc-narrow" not in graphs.figure(graphs.of_composition(composition), with_style=False)


def test_a_card_makes_sense_without_svg_and_style() -> None:
    card = graphs.figure(graphs.of_composition(VISION, decided(VISION)), with_style=False)
    bare = re.sub("<[^>]+>", " ", re.sub("<svg.*?</svg>", "", card, flags=re.DOTALL))
    for words in ("Partly deployed", "left out", "36.4.4", "vision-gpu", "Starts in round"):
        assert words in bare


def test_the_legend_lists_only_what_occurs() -> None:
    card = graphs.figure(graphs.of_composition(VISION, decided(VISION)))
    legend = re.search('<ul class="mc-legend">.*?</ul>', card)
    assert legend is not None
    assert re.findall(r"<span>([^<]+)</span>", legend[0]) == ["runs", "left out (optional, requirement not met)"]


def test_more_than_forty_services_are_a_table_and_a_focus_is_a_picture() -> None:
    large = release(*(f"s{n} < " + " ".join(f"s{m}" for m in (n // 2, n - 3) if 0 <= m < n) for n in range(60)))
    graph = graphs.of_composition(large)
    card = graphs.figure(graph, with_style=False)
    assert "<details" not in card
    assert "mc-pic" not in card
    rounds = [int(cell) for cell in re.findall(r"</th><td></td><td></td><td>(\d+)</td>", card)]
    assert len(rounds) == 60
    assert rounds == sorted(rounds)
    focused = graphs.of_composition(large, focus="s9")
    assert {node.name for node in focused.nodes} == {*focused.waited, "s9"}
    assert states_in_svg(graphs.to_svg(focused)) == {}
    assert focused.placement().boxes.keys() == {*focused.waited, "s9"}
    assert "too many" in graphs.to_svg(graph)


def test_more_than_two_hundred_rows_are_counted_and_not_shown() -> None:
    graph = graphs.of_composition(release(*(f"s{n}" for n in range(230))))
    assert graphs.to_table(graph).count('scope="row"') == 200
    assert "30 more are not shown." in graphs.to_table(graph)
    assert "30 more are not shown." in graphs.to_text(graph)


def test_a_release_without_services_says_so() -> None:
    graph = graphs.of_composition(Composition())
    assert graph.answer == "This release has no services."
    assert "<svg" not in graphs.figure(graph)
    ElementTree.fromstring(graphs.to_svg(graph))
    assert graphs.to_text(graph).startswith("This release has no services.")


def test_a_long_chain_does_not_overflow_the_stack() -> None:
    chain = release(*(f"s{n}" + (f" < s{n - 1}" if n else "") for n in range(1200)))
    assert graphs.of_composition(chain).by_name["s1199"].round == 1200


def test_a_graph_shows_itself() -> None:
    graph = graphs.of_composition(STARTED)
    assert graph._repr_html_() == graphs.figure(graph)
    assert str(graph) == graphs.to_text(graph)
