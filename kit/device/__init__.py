"""A device: the facts that it knows about itself, what is on it, and what a step does to it.

facts   texts, files and presets → Device → Facts
state   containers, images, volumes, networks; restarts, boots, time → State
steps   one action and its why; what it changes → effect
"""

from __future__ import annotations

from .facts import (
    Device,
    DeviceReading,
    DeviceType,
    KernelRow,
    OsRelease,
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
)  # fmt: skip
from .state import Container, Image, Network, State, Volume
from .steps import effect

__all__ = [
    "Container", "Device", "DeviceReading", "DeviceType", "Image", "KernelRow", "Network", "OsRelease", "State",
    "Volume", "data_folder", "device_types", "effect", "families", "find_device_type", "kernel_rows", "kernel_version",
    "l4t_version", "os_releases", "read_device", "read_os_release",
]  # fmt: skip
