"""What a device knows about itself, from texts, files and tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.contracts import Fact, Facts
from kit.device import (
    Device,
    data_folder,
    device_types,
    families,
    find_device_type,
    kernel_rows,
    kernel_version,
    l4t_version,
    os_releases,
    read_device,
    read_os_release,
)

# -------------------------------------------------------------------------------------------- raw texts


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('ID="balena-os"\nVERSION="6.3.0+rev4"', {"ID": "balena-os", "VERSION": "6.3.0+rev4"}),
        ("ID=balena-os", {"ID": "balena-os"}),
        ("  ID = balena-os  ", {"ID": "balena-os"}),
        ("ID='balena-os'", {"ID": "'balena-os'"}),
        ('ID=""', {"ID": '""'}),
        ('ID="', {"ID": '"'}),
        ('ID="a"b"', {"ID": 'a"b'}),
        ("URL=https://x/?a=b", {"URL": "https://x/?a=b"}),
        ("ID=a\nID=b", {"ID": "b"}),
        ("ID=a\r\nVERSION=6.3.0\r", {"ID": "a", "VERSION": "6.3.0"}),
        ("ID=a\nID", {"ID": ""}),  # a line without `=` overwrites too
        ("# comment", {"# comment": ""}),
        ("ID=", {"ID": ""}),
        ("", {"": ""}),
    ],
)
def test_os_release_is_read_as_the_supervisor_reads_it(text: str, values: dict[str, str]) -> None:
    assert read_os_release(text) == values


UNAME = [
    # uname -r, kernel, L4T
    ("5.15.92-v8", "5.15.92", None),
    ("5.10.104-tegra", "5.10.104", None),
    ("6.12.61", "6.12.61", None),
    ("5.15-custom", None, None),
    ("v5.15.92", None, None),
    (" 5.15.92", None, None),
    ("", None, None),
    ("4.9.140-l4t-r32.2+g3dc", "4.9.140", "32.2.0"),
    ("5.10.104-l4t-r35.2.1-1012.207+gabc123", "5.10.104", "35.2.1"),
    ("5.10.120-l4t-r35.4.ga", "5.10.120", "35.4.0"),
    ("4.9.299-l4t-r32.7.3.1", "4.9.299", "32.7.3"),
    ("4.9.337-L4T-R32.7.4", "4.9.337", None),
    ("5.15.136-tegra", "5.15.136", None),
    ("4.9.1-l4t-r32", "4.9.1", None),
    ("4.9.1-l4t-r32.1-l4t-r35.2.1", "4.9.1", "35.2.1"),
    ("4.9.1-l4t-r32.1-l4t-r35", "4.9.1", "32.1.0"),
    ("custom-l4t-r36.4", None, "36.4.0"),
]


@pytest.mark.parametrize(("release", "kernel", "l4t"), UNAME)
def test_uname_gives_the_kernel_at_its_start_and_the_l4t_behind_its_marker(
    release: str, kernel: str | None, l4t: str | None
) -> None:
    assert (kernel_version(release), l4t_version(release)) == (kernel, l4t)


def test_raw_texts_become_facts_with_their_sources() -> None:
    device = Device.from_texts(
        'ID="balena-os"\nVERSION="6.3.0+rev4"', "5.15.92-v8\n", "Linux\n", "rpi4", "aarch64", "19.0.5"
    )
    assert device.facts == Facts(
        supervisor=Fact(None, "19.0.5", "the supervisor: 19.0.5"),
        device_type=Fact("rpi4", None, "device-type.json: rpi4"),
        arch=Fact("aarch64", None, "device-type.json: aarch64"),
        os=Fact("balena-os", "6.3.0+rev4", "/etc/os-release: 6.3.0+rev4"),
        kernel=Fact("linux", "5.15.92", "uname -r: 5.15.92-v8"),
        l4t=None,
    )


@pytest.mark.parametrize("os_release", [None, "", "ID=balena-os", "VERSION=6.3.0", "ID=\nVERSION=6.3.0"])
def test_an_operating_system_needs_both_id_and_version(os_release: str | None) -> None:
    assert Device.from_texts(os_release, None, None, None, None, None).facts == Facts()


def test_a_given_l4t_counts_before_the_one_in_the_kernel_and_an_empty_one_is_none() -> None:
    device = Device("jetson-nano", "aarch64", "17.0.3", kernel="4.9.140-l4t-r32.7.3")
    assert device.facts.l4t == Fact(None, "32.7.3", "uname -r: 4.9.140-l4t-r32.7.3")
    assert replace(device, l4t="36.4").facts.l4t == Fact(None, "36.4.0", "l4t: 36.4")
    assert replace(device, l4t="r36.4.3").facts.l4t == Fact(None, "36.4.3", "l4t: r36.4.3")
    assert replace(device, l4t="").facts.l4t is None
    assert replace(device, l4t="36").facts.l4t is None


def test_the_kernel_has_the_name_that_uname_gives_in_lower_case() -> None:
    assert Device("a", "b", "1.0.0", kernel="5.1.1", kernel_name="Darwin").facts.kernel == Fact(
        "darwin", "5.1.1", "uname -r: 5.1.1"
    )


def test_a_changed_device_forgets_where_the_old_text_stood() -> None:
    reading = read_device("device-type: intel-nuc\narch: amd64\nsupervisor: 17.4.2\nos: 6.3.0\n", "d.yml")
    assert reading.device is not None
    changed = reading.device.changed(os="6.4.0")
    assert changed.facts.os == Fact("balena-os", "6.4.0", "/etc/os-release: 6.4.0")
    assert changed.facts.arch == Fact("amd64", None, "d.yml, line 2: amd64")


# ---------------------------------------------------------------------------------------------- tables


def test_the_tables_hold_what_they_should() -> None:
    assert len(device_types()) == 145
    assert len(os_releases()) == 1351
    assert len(kernel_rows()) == 148
    assert find_device_type("raspberrypi4-64").arch == "aarch64"  # type: ignore[union-attr]
    assert find_device_type("nuc").slug == "intel-nuc"  # type: ignore[union-attr]
    assert find_device_type("no-such-thing") is None


def test_every_family_names_a_known_device_type_and_known_kernels() -> None:
    slugs, known = {each.slug for each in device_types()}, {row.family for row in kernel_rows()}
    for slug, mine in families().items():
        assert slug in slugs
        assert set(mine) <= known
    # Families of boards that the table of device types does not list.
    assert known - {family for mine in families().values() for family in mine} == {
        "raspberrypi (raspberrypi3-unipi-neuron)",
        "raspberrypi (rt-rpi-300)",
    }


def test_every_jetson_with_a_known_kernel_reports_l4t() -> None:
    for slug, mine in families().items():
        kind = find_device_type(slug)
        assert kind is not None
        assert kind.l4t == any(family.startswith("jetson") for family in mine), slug


PRESETS = [
    # device type, balenaOS, supervisor, kernel of the facts, L4T of the facts
    ("raspberrypi4-64", "6.4.3", "16.12.7", "6.12.1", None),
    ("raspberrypi4-64", "6.5.24+rev1", "17.0.2", "6.12.32", None),  # +rev does not count: the newest row does
    ("raspberrypi4-64", "6.4.2", "16.12.7", "6.1.77", None),
    ("raspberrypi5", "6.4.3", "16.12.7", "6.12.1", None),
    ("raspberrypi5", "6.4.2", "16.12.7", None, None),
    ("raspberrypi0-2w-64", "6.1.24", "16.10.1", "5.15.92", None),
    ("raspberrypi3", "6.1.24", "16.10.1", "6.1.77", None),
    ("jetson-agx-orin-devkit", "6.4.0", "16.12.0", "5.15.148", "36.4.0"),
    ("jetson-agx-orin-devkit", "6.12.3", "17.6.3", "5.15.148", "36.4.4"),
    ("jetson-agx-orin-devkit", "6.12.2", "17.6.3", "5.15.148", "36.4.0"),
    ("jetson-agx-orin-devkit", "5.3.10", "16.3.8", "5.10.192", None),
    ("jetson-agx-orin-devkit", "2024.1.0", "15.0.4", "5.10.120", "35.4.0"),
    ("jetson-nano", "2.39.0+rev1", "10.0.3", None, "32.2.0"),  # the kernel version has an x in it
    ("jetson-nano", "2.50.1", "11.4.10", None, None),
    ("jetson-nano", "2025.7.0", "17.0.3", "4.9.337", "32.7.6"),
    ("generic-amd64", "7.0.5", "17.8.2", "6.18.6", None),
    ("intel-nuc", "2024.7.0", "16.1.10", "5.15.72", None),
    ("intel-nuc", "2024.10.0", None, "5.15.72", None),  # an extended-support release without a row of its own
    ("coral-dev", "6.3.0", "16.10.3", None, None),
    ("revpi-connect-4", "6.3.0", "16.10.3", None, None),
]


@pytest.mark.parametrize(("slug", "release", "supervisor", "kernel", "l4t"), PRESETS)
def test_a_preset_takes_everything_that_is_known(
    slug: str, release: str, supervisor: str | None, kernel: str | None, l4t: str | None
) -> None:
    device = Device.preset(slug, release)
    facts = device.facts
    assert device.supervisor == supervisor
    assert (facts.kernel and facts.kernel.version, facts.l4t and facts.l4t.version) == (kernel, l4t)
    assert facts.os == Fact("balena-os", release, f"the chosen release: {release}")
    assert facts.arch is not None
    assert facts.notes


def test_a_preset_says_which_row_it_took() -> None:
    device = Device.preset("jetson-agx-orin-devkit", "6.8.0")
    (note,) = device.facts.notes
    assert "balenaOS 6.4.0" in note
    assert "6.8.0" in note
    assert device.facts.kernel is not None
    assert device.facts.kernel.source == "kernels.csv: jetson-orin, balenaOS 6.4.0"


def test_an_alias_is_good_enough_for_a_preset() -> None:
    device = Device.preset("raspberrypi2", "6.3.0")
    assert (device.device_type, device.arch) == ("raspberry-pi2", "armv7hf")
    assert "`raspberrypi2` is another name of `raspberry-pi2`." in device.notes


def test_a_preset_of_something_unknown_leaves_out_what_it_does_not_know() -> None:
    device = Device.preset("toaster", "99.0")
    assert (device.arch, device.supervisor, device.kernel, device.l4t) == (None, None, None, None)
    assert len(device.notes) == 3
    assert device.facts.device_type is not None


def test_every_preset_gives_the_l4t_of_its_row() -> None:
    for row in kernel_rows():
        slugs = [slug for slug, mine in families().items() if row.family in mine and row.l4t]
        for slug in slugs[:1]:
            fact = Device.preset(slug, row.version).facts.l4t
            assert fact is not None
            assert fact.version == row.l4t


def test_upgrades_are_newer_releases_of_the_same_line_oldest_first() -> None:
    versions = [version for version, _ in Device.preset("jetson-agx-orin-devkit", "7.9.4").upgrades()]
    assert versions == ["7.9.5", "7.9.6", "8.0.0", "8.0.1", "8.0.2"]
    assert [version for version, _ in Device.preset("intel-nuc", "2024.7.0").upgrades()] == ["2025.1.0"]
    assert Device("intel-nuc", "amd64", "17.0.0").upgrades() == ()
    assert Device("intel-nuc", "amd64", "17.0.0", os="12", os_id="debian").upgrades() == ()


def test_an_upgrade_brings_its_own_supervisor_and_kernel_and_keeps_the_board() -> None:
    device = Device("jetson-agx-orin-devkit", "aarch64", "16.12.0", os="6.4.0", kernel="5.15.148-l4t-r36.4")
    facts = dict(device.upgrades())["6.12.3"]
    assert facts.l4t is not None
    assert facts.supervisor is not None
    assert (facts.l4t.version, facts.supervisor.version) == ("36.4.4", "17.6.3")
    assert facts.device_type == device.facts.device_type


# ----------------------------------------------------------------------------------------- device files

GOOD = """\
device-type: jetson-nano
arch: aarch64
supervisor: 17.0.3
os: 6.5.38
kernel: 4.9.337-l4t-r32.7.6
"""


def test_a_device_file_gives_a_device_and_says_where_each_value_stands() -> None:
    reading = read_device(GOOD, "nano.yml")
    assert reading.findings == ()
    assert reading.device is not None
    assert reading.device.facts.l4t == Fact(None, "32.7.6", "nano.yml, line 5: 4.9.337-l4t-r32.7.6")
    assert reading.device.facts.os == Fact("balena-os", "6.5.38", "nano.yml, line 4: 6.5.38")


@pytest.mark.parametrize("path", sorted((data_folder() / "devices").glob("*.yml")), ids=lambda path: path.stem)
def test_every_example_device_can_be_read(path: Path) -> None:
    reading = read_device(path.read_text(encoding="utf-8"), path.name)
    assert reading.device is not None
    assert [found.code for found in reading.findings] == (["not-a-version"] if path.stem == "debian" else [])


FILE_FINDINGS = [
    # text, code, severity, line, column, in message or help
    (GOOD.replace("6.5.38", "6.10"), "not-a-version", "warning", 4, 5, "`6.10`"),
    (GOOD.replace("17.0.3", "17"), "not-a-version", "warning", 3, 13, "`17`"),
    (GOOD.replace("jetson-nano", "jetson-nanos"), "unknown-device-type", "warning", 1, 14, "`jetson-nano`"),
    (
        GOOD.replace("jetson-nano", "nuc").replace("aarch64", "amd64"),
        "unknown-device-type",
        "warning",
        1,
        14,
        "`intel-nuc`",
    ),
    (GOOD.replace("jetson-nano", "zzzzzz"), "unknown-device-type", "warning", 1, 14, "device_types()"),
    (GOOD.replace("aarch64", "arm64"), "unknown-architecture", "warning", 2, 7, "`aarch64`"),
    (GOOD.replace("aarch64", "amd64"), "other-architecture", "warning", 2, 7, "aarch64"),
    (GOOD.replace("4.9.337-l4t-r32.7.6", "4.9"), "no-kernel", "warning", 5, 9, "`uname -r`"),
    (GOOD + "l4t: 36\n", "no-l4t", "warning", 6, 6, "36.4.3"),
    (GOOD + "l4t:\n", None, None, 0, 0, ""),
    (GOOD + "L4T: 36.4\n", "unknown-key", "warning", 6, 1, "`L4T`"),
    (GOOD + "kernal: 4.9.1\n", "unknown-key", "warning", 6, 1, "`kernel`"),
    (GOOD + "os: 6.4.0\n", "repeated-key", "warning", 6, 1, "the last one"),
    (GOOD + "[1]: 6.4.0\n", "unusable-key", "warning", 6, 1, "list"),
    (GOOD.replace("arch: aarch64\n", ""), "missing-key", "error", 1, 1, "`arch`"),
    (GOOD.replace("aarch64", "~"), "missing-key", "error", 2, 1, "`arch`"),
    (GOOD.replace("aarch64", "[a]"), "bad-value", "error", 2, 7, "`arch`"),
    (GOOD.replace("aarch64", "{a: b}"), "bad-value", "error", 2, 7, "`arch`"),
    ("", "empty", "error", 1, 1, "empty"),
    ("# only a comment\n", "empty", "error", 1, 1, "empty"),
    ("just text\n", "no-mapping", "error", 1, 1, "key: value"),
    ("- a\n- b\n", "no-mapping", "error", 1, 1, "key: value"),
    ("arch: [\n", "no-yaml", "error", 2, 1, "no YAML"),
    ("a: b\n\tc: d\n", "no-yaml", "error", 2, 1, "no YAML"),
    ("arch: \x00\n", "control-character", "error", 1, 7, "character"),
    ("a: b\n---\nc: d\n", "no-mapping", "error", 3, 1, "key: value"),
    ("a: *nowhere\n", "unknown-anchor", "error", 1, 4, "anchor"),
    ('a: "\\UFFFFFFFF"\n', "no-yaml", "error", 1, 7, "no YAML"),
    ("[" * 5_000, "nested-too-deep", "error", 1, 101, "levels"),
    ("x" * 200_000, "no-mapping", "error", 1, 1, "key: value"),
    (GOOD + "5: x\n", "key-is-no-text", "warning", 6, 1, "counts for nothing"),
]


@pytest.mark.parametrize(
    ("text", "code", "severity", "line", "column", "told"), FILE_FINDINGS, ids=lambda value: str(value)[:20]
)
def test_a_bad_device_file_is_a_finding_with_its_place(
    text: str, code: str | None, severity: str | None, line: int, column: int, told: str
) -> None:
    reading = read_device(text, "d.yml")
    found = [each for each in reading.findings if each.code == code]
    assert len(found) == (1 if code else 0), reading.findings
    for each in found:
        assert (each.severity, each.span.name, each.span.line, each.span.column) == (severity, "d.yml", line, column)
        assert told in each.message + each.help
    assert (reading.device is None) == (severity == "error")


def test_an_unquoted_number_is_kept_letter_by_letter() -> None:
    reading = read_device(GOOD.replace("6.5.38", "6.10"), "d.yml")
    assert reading.device is not None
    assert reading.device.os == "6.10"
    for written in ("2024-01-01", "010", "1e3", "0x10", "true", "1_0"):
        reading = read_device(GOOD.replace("6.5.38", written), "d.yml")
        assert reading.device is not None
        assert reading.device.os == written


def test_another_operating_system_has_its_own_id() -> None:
    reading = read_device(GOOD + "os-id: debian\n", "d.yml")
    assert reading.device is not None
    assert reading.device.facts.os == Fact("debian", "6.5.38", "d.yml, line 4: 6.5.38")


# ----------------------------------------------------------------------------------- whatever comes in


LINES = st.lists(
    st.sampled_from(
        [*GOOD.splitlines(), "os-id: x", "l4t: 36.4", "l4t: [", "  - a", "a: &b", "c: *b", "? x", "---", "\t"]
    )
    | st.text(max_size=12),
    max_size=8,
)


@given(LINES)
def test_reading_a_device_file_never_raises(lines: list[str]) -> None:
    reading = read_device("\n".join(lines), "d.yml")
    assert (reading.device is None) == any(each.severity == "error" for each in reading.findings)
    if reading.device is not None:
        assert isinstance(reading.device.facts, Facts)


TEXT = (
    st.none()
    | st.text(max_size=12)
    | st.sampled_from(["2.0.0-rc6", "6.3.0+rev4", "9" * 5_000, "2.0.0-rc" + "1" * 5_000])
)


@given(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT)
def test_raw_texts_never_raise(
    os_release: str | None,
    uname_r: str | None,
    uname_s: str | None,
    kind: str | None,
    arch: str | None,
    version: str | None,
) -> None:
    assert isinstance(Device.from_texts(os_release, uname_r, uname_s, kind, arch, version).facts, Facts)
    assert isinstance(Device(kind, arch, version, os=os_release, kernel=uname_r, l4t=uname_s).facts, Facts)


@given(TEXT, TEXT)
def test_presets_never_raise(kind: str | None, release: str | None) -> None:
    device = Device.preset(kind or "", release or "")
    assert isinstance(device.facts, Facts)
    assert isinstance(device.upgrades(), tuple)
